# SPDX-License-Identifier: Apache-2.0
"""Every kind of machine: memory, clock, timer, IDM and interrupts work; several of them, several CPUs
and all modes."""
import hashlib
import os

from platform_run import MACHINES, PlatformTest, ctest, main

CHECKS = ("timer", "scratch", "shared_memory", "doorbell")


class Machines(PlatformTest):
    def assert_smoke(self, run, instance, arch, participant):
        results = run.results(instance)
        self.assertEqual(results["arch"], arch)
        self.assertEqual(int(results["self"]), participant)
        for check in CHECKS:
            self.assertEqual(results[check], "ok", f"{check} of {instance}")
        self.assertEqual(results["doorbell_interrupts"], "1")
        statistics = run.module(instance)
        self.assertGreater(statistics["instructions"], 1000)
        self.assertGreaterEqual(statistics["interrupts"]["delivered"], 1)
        self.assertGreaterEqual(statistics["dmi"]["maps"], 1)
        self.assertEqual(statistics["requests"]["outside"], 0)
        # All times are one: the guest's own clock is the platform's.
        if not arch.startswith("cortexm"):
            apart = int(results["idm_ns"]) - int(results["now_ns"])
            self.assertTrue(0 <= apart < 20000, apart)

    def smoke(self, machine):
        run = self.simulate("--slaves", 0, "--master.machine", machine, "--master.image", "smoke")
        self.assert_smoke(run, "master", MACHINES[machine], 0)

    def test_smoke_x86_pc(self):
        self.smoke("x86-pc")

    def test_smoke_x86_q35(self):
        self.smoke("x86-q35")

    def test_smoke_arm(self):
        self.smoke("arm")

    def test_smoke_aarch64(self):
        self.smoke("aarch64")

    def test_smoke_cortexm33(self):
        self.smoke("cortexm33")

    def test_smoke_riscv64(self):
        self.smoke("riscv64")

    def test_smoke_cortexm(self):
        self.smoke("cortexm")

    def test_smoke_all_together(self):
        kinds = list(MACHINES)
        words = []
        for number, kind in enumerate(kinds[1:]):
            words += [f"--slave{number}.machine", kind]
        # The master ends the run when all others have long ended.
        run = self.simulate("--slaves", len(kinds) - 1, "--master.machine", kinds[0],
                            "--master.image", "idle", "--param", "0.ns=50000000",
                            "--slave.image", "smoke", "--param", "1.exit=0", "--param",
                            "2.exit=0", "--param", "3.exit=0", "--param", "4.exit=0", *words)
        for number, kind in enumerate(kinds[1:]):
            self.assert_smoke(run, f"slave{number}", MACHINES[kind], number + 1)

    def demo(self, *options, size=200000):
        data = hashlib.sha256(b"machines").digest() * (size // 32)
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(data)
        run = self.simulate("--input", path, *options)
        self.assertIn("sha256 " + hashlib.sha256(data).hexdigest(), run.console().splitlines())
        return run

    def test_several_of_one_architecture(self):
        run = self.demo("--slaves", 3, "--param", "job=8192")
        words = {}
        for box in run.module("idm")["participants"][0]["mailboxes"]:
            words[box["peer"]] = box["words_sent"]
        # 25 jobs for three slaves, nine words each.
        self.assertEqual(words, {0: 0, 1: 81, 2: 72, 3: 72})

    def test_fifteen_slaves(self):
        run = self.demo("--slaves", 15, "--param", "job=4096", size=130000)
        for number in range(15):
            self.assertGreater(run.module(f"slave{number}")["instructions"], 1000)
        self.assertEqual(run.module("slave14")["machine"], "arm")

    def test_demo_on_any_pair(self):
        for master, slave in (("aarch64", "x86-q35"), ("cortexm", "riscv64"), ("riscv64", "arm")):
            with self.subTest(f"{master} and {slave}"):
                self.demo("--master.machine", master, "--slave.machine", slave, size=20000)

    def smp(self, machine, cpus):
        # QEMU takes its CPUs in turns, a window each: short ones make them meet.
        run = self.simulate("--slaves", 0, "--master.machine", machine, "--master.image", "smp",
                            "--master.cpus", cpus, "--param", f"cpus={cpus}", "--param", "n=500",
                            "--quantum", "1us")
        self.assertEqual(run.number("counter"), 500 * cpus)
        self.assertEqual(run.number("cpus"), cpus)
        port = run.module("idm")["participants"][0]
        self.assertEqual(port["lock_takes"], 500 * cpus)
        self.assertGreater(port["lock_contended"], 0)

    def test_smp_x86(self):
        self.smp("x86-pc", 4)

    def test_smp_x86_q35(self):
        self.smp("x86-q35", 8)

    def test_smp_arm(self):
        self.smp("arm", 4)

    def test_smp_riscv64(self):
        self.smp("riscv64", 4)

    def test_smp_aarch64(self):
        self.smp("aarch64", 8)

    def test_smp_cpu_that_spins(self):
        # It holds the others up for a turn of 10,000 instructions of 1 ns, however long the window.
        for machine, cpus in (("x86-pc", 2), ("arm", 2), ("aarch64", 4)):
            with self.subTest(machine):
                run = self.simulate("--slaves", 0, "--master.machine", machine, "--master.image",
                                    "turns", "--master.cpus", cpus, "--param", f"cpus={cpus}",
                                    "--param", "n=200", "--quantum", "10ms")
                self.assertEqual(run.number("passed"), 200 * cpus)
                self.assertLess(run.number("ns"), 1.5 * 10_000 * 200 * cpus)

    def test_window_over_what_the_machine_has_is_told(self):
        # Its serial port, interrupt controller, RAM; and where there is nothing.
        for machine, address, name in (
                ("arm", 0x09000000, "pl011"), ("x86-pc", 0xfee00000, "apic-msi"),
                ("x86-pc", 0x07000000, "pc.ram"), ("cortexm", 0x40004000, "uart"),
                ("aarch64", 0x0a100000, None), ("x86-q35", 0xd1000000, None)):
            with self.subTest(machine=machine, address=hex(address)):
                run = self.simulate(
                    "--slaves", 0, "--master.machine", machine, "--master.image", "idle", "--load",
                    os.environ["TANDEM_PARTS"], "--add",
                    f"square=square@0x0a100000,guest={address:#x}", "--time-limit", "100us")
                told = [line for line in run.stderr.splitlines() if "machine's own" in line]
                self.assertEqual(told, [f"warning: master: window 'square' at {address:#x} hides "
                                        f"the machine's own '{name}'"] if name else [])

    def test_serial_mode(self):
        parallel, serial = self.demo(), self.demo("--mode", "serial")
        # No race through memory in the demo, so both modes tell the same story.
        self.assert_same(parallel, serial, guests_only=True)
        self.assertEqual(serial.statistics()["mode"], "serial")

    @ctest(timeout=600)
    def test_free_mode(self):
        run = self.demo("--mode", "free")
        self.assertIn("no common time line", run.stderr)
        statistics = run.statistics()
        self.assertEqual(statistics["mode"], "free")
        self.assertFalse(statistics["common_time_line"])

    @ctest(timeout=600)
    def test_free_mode_smp(self):
        for machine in ("x86-pc", "aarch64", "riscv64"):
            run = self.simulate("--mode", "free", "--slaves", 0, "--master.machine", machine,
                                "--master.image", "smp", "--master.cpus", 2, "--param", "n=300")
            self.assertEqual(run.number("counter"), 600)

    def test_instruction_rate(self):
        # 2^N ns for an instruction: the same work takes 2^N times as long in the guest's time.
        times = {}
        for shift in (0, 3, 10):
            run = self.simulate("--slaves", 0, "--master.image", "compute", "--param", "n=20000",
                                "--master.icount-shift", shift)
            times[shift] = run.number("ns")
        self.assertEqual(times[3] >> 3, times[0])
        self.assertEqual(times[10] >> 10, times[0])


if __name__ == "__main__":
    main()
