# SPDX-License-Identifier: Apache-2.0
"""Direct access to memory: taken back and given again under a guest that works there; large
memories; memories in files."""
import json
import os
import subprocess

from platform_run import PlatformTest, QEMU_PREFIX, RUN_TIMEOUT, ctest, guest, main, read_text, \
    wait_for

DMI_INVALIDATE = os.environ.get("TANDEM_DMI_INVALIDATE", "")


class DirectMemory(PlatformTest):
    def copy(self, machine, arch, mode):
        log = self.path(f"{machine}-{mode}.log")
        line = [DMI_INVALIDATE, machine, guest(arch, "copy"), log, mode]
        done = subprocess.run(line + ([QEMU_PREFIX] if QEMU_PREFIX else []), capture_output=True,
                              text=True, timeout=RUN_TIMEOUT, check=False, cwd=self.directory)
        console = read_text(log)
        self.assertEqual(done.returncode, 0, done.stderr + console)
        report = json.loads(done.stdout[done.stdout.index("{"):])
        if mode == "free":
            return report, console
        self.assertIn("RESULT content ok", console)
        # There is no IDM by which it could end: the guest used its machine's own switch.
        self.assertEqual(report["end"], "all instances are switched off")
        self.assertEqual(report["modules"]["guest"]["state"], "stopped")
        return report, console

    def check(self, machine, arch):
        kept, console = self.copy(machine, arch, "keep")
        self.assertEqual(kept["modules"]["shm"]["reads"], 0)
        self.assertEqual(kept["modules"]["guest"]["dmi"], {"maps": 1, "unmaps": 0})

        revoked, same_console = self.copy(machine, arch, "revoke")
        seen = revoked["seen"]
        accesses = {when: s["reads"] + s["writes"] for when, s in seen.items()}
        self.assertEqual(list(seen), ["direct", "part_revoked", "revoked", "allowed",
                                      "direct_again"])
        self.assertEqual(accesses["direct"], 0)
        # A page: its words alone become transactions. All of it: everything does.
        self.assertGreater(accesses["part_revoked"], 500)
        self.assertGreater(accesses["revoked"], 2 * accesses["part_revoked"])
        # One transaction says that direct access is possible again, and there are no more.
        self.assertLessEqual(accesses["allowed"], accesses["revoked"] + 2)
        self.assertEqual(accesses["direct_again"], accesses["allowed"])
        self.assertEqual(seen["direct"]["unmaps"], 0)
        self.assertEqual(seen["part_revoked"]["maps"], 2)
        self.assertGreater(seen["allowed"]["maps"], seen["revoked"]["maps"])
        # Every transaction is one of the memory's, and the guest has noticed nothing, not even in
        # its own clock: the memory has no latency.
        self.assertEqual(revoked["modules"]["router"]["paths"][0]["transactions"],
                         accesses["direct_again"])
        self.assertEqual(console, same_console)

    def test_revoked_and_given_again_arm(self):
        self.check("arm", "arm")

    def test_revoked_and_given_again_aarch64(self):
        self.check("aarch64", "aarch64")

    def test_revoked_and_given_again_riscv64(self):
        self.check("riscv64", "riscv64")

    def test_revoked_and_given_again_x86(self):
        self.check("x86-pc", "x86_64")

    def test_revoked_in_free_mode(self):
        # The guest works in direct memory only, so nothing but the changes themselves tells it.
        for machine, arch in (("arm", "arm"), ("x86-pc", "x86_64")):
            report, _ = self.copy(machine, arch, "free")
            self.assertEqual(report["end"], "enough seen")
            dmi = report["modules"]["guest"]["dmi"]
            self.assertGreaterEqual(dmi["maps"], 10)
            self.assertGreaterEqual(dmi["unmaps"], 10)

    def allocated(self, pid, size):
        """Bytes that the kernel has given to the anonymous file of this size; 0: no such file."""
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                about = os.stat(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            if about.st_size == size:
                return about.st_blocks * 512
        return 0

    @ctest(timeout=300)
    def test_large_memory_costs_what_is_touched(self):
        # The last megabyte of 6 GiB, through the high window of either 64-bit machine. The slave is
        # there, and the pace, so that the run goes on for a while when the master has copied.
        for machine in ("x86-pc", "aarch64"):
            size, offset = 6 << 30, (6 << 30) - (1 << 20)
            started = self.start(
                "--shared-memory", "6G", "--master.machine", machine, "--master.image", "copy",
                "--param", "target=shm", "--param", f"0.offset={offset}", "--param", "exit=0",
                "--slave.image", "compute", "--param", "1.n=20000000", "--time-limit", "1s",
                "--realtime", "0.05", "--vcd", "off")
            most = 0
            while started.running():
                try:
                    most = max(most, self.allocated(started.pid, size))
                except OSError:
                    pass
                wait_for(lambda run=started: not run.running(), timeout=0.005)
            run = self.finish(started)
            self.assertEqual(run.results()["content"], "ok")
            self.assertEqual(run.module("shm")["size"], size)
            # The block itself, the page of the parameters, and no more.
            self.assertGreaterEqual(most, 1 << 20)
            self.assertLess(most, 3 << 20)

    def test_low_window_of_a_large_memory(self):
        # A 32-bit guest sees its beginning.
        run = self.simulate("--shared-memory", "2G", "--slaves", 0, "--master.machine", "arm",
                            "--master.image", "copy", "--param", "target=shm", "--param",
                            f"offset={0x30000000 - (1 << 20)}")
        self.assertEqual(run.results()["content"], "ok")

    def test_memory_in_a_file(self):
        # What the guest wrote is in the file, at its place.
        path = self.path("memory")
        run = self.simulate("--slaves", 0, "--backing", "file:" + path, "--shared-memory", "2M",
                            "--master.image", "smoke", "--param", "offset=0x12340")
        self.assertEqual(run.results()["shared_memory"], "ok")
        self.assertEqual(os.path.getsize(path), 2 << 20)
        with open(path, "rb") as f:
            f.seek(0x12340)
            self.assertEqual(f.read(8), (0x0123456789ABCDEF).to_bytes(8, "little"))


if __name__ == "__main__":
    main()
