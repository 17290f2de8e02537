# SPDX-License-Identifier: Apache-2.0
"""A guest sees its windows and nothing else of the platform; an access outside is answered as its
architecture answers it, counted, and reported once for each address."""
from platform_run import IDM_ADDRESS, MACHINES, PlatformTest, SHM_ADDRESS, main

IDM_SIZE = 0x10000


class Isolation(PlatformTest):
    def probe(self, machine, addresses, *options):
        """Touches the addresses in turn; returns the run."""
        words = []
        for number, address in enumerate(addresses):
            words += ["--param", f"addr{number or ''}={address:#x}"]
        run = self.simulate("--slaves", 0, "--master.machine", machine, "--master.image", "probe",
                            *words, *options)
        self.assertEqual(run.results()["alive"], "yes")
        return run

    def answers(self, run):
        """[(kind, address, answer)] from "RESULT read 0xADDRESS ANSWER"."""
        lines = [line.split() for line in run.console().splitlines()]
        return [(w[1], int(w[2], 16), w[3]) for w in lines
                if len(w) == 4 and w[0] == "RESULT" and w[1] in ("read", "write")]

    def reports(self, run, address):
        return [line for line in run.stderr.splitlines()
                if f"at {address:#x} is outside all windows" in line]

    def check_outside(self, machine):
        arch = MACHINES[machine]
        bad = "0xffffffff" if arch == "x86_64" else "fault"
        end = IDM_ADDRESS[arch] + IDM_SIZE
        # Twice the same, once another; then one inside, to see that life goes on.
        run = self.probe(machine, [end, end, end + 0x1000, IDM_ADDRESS[arch]])
        self.assertEqual(self.answers(run), [
            ("read", end, bad), ("read", end, bad), ("read", end + 0x1000, bad),
            ("read", IDM_ADDRESS[arch], "0x4d444954")])
        self.assertEqual(run.module("master")["requests"]["outside"], 3)
        for address in (end, end + 0x1000):
            self.assertEqual(len(self.reports(run, address)), 1, run.stderr)
        self.assertIn("master", self.reports(run, end)[0])
        self.assertIn("read of 4 bytes", self.reports(run, end)[0])
        # Nobody on the platform has heard of it.
        self.assertEqual(run.module("interconnect")["decode_errors"]["master"], 0)

        run = self.probe(machine, [end], "--param", "write=0x55")
        self.assertEqual(self.answers(run)[0][2], "ok" if arch == "x86_64" else "fault")
        self.assertEqual(run.module("master")["requests"]["outside"], 1)
        self.assertIn("write of 4 bytes", self.reports(run, end)[0])

    def test_outside_x86_pc(self):
        self.check_outside("x86-pc")

    def test_outside_x86_q35(self):
        self.check_outside("x86-q35")

    def test_outside_arm(self):
        self.check_outside("arm")

    def test_outside_aarch64(self):
        self.check_outside("aarch64")

    def test_outside_cortexm33(self):
        self.check_outside("cortexm33")

    def test_outside_riscv64(self):
        self.check_outside("riscv64")

    def test_outside_cortexm(self):
        self.check_outside("cortexm")

    def test_end_of_shared_memory(self):
        for machine in ("x86-pc", "arm", "cortexm", "riscv64"):
            arch = MACHINES[machine]
            base, bad = SHM_ADDRESS[arch], "0xffffffff" if arch == "x86_64" else "fault"
            run = self.probe(machine, [base + 0xFFFFC, base + 0x100000], "--shared-memory", "1M")
            self.assertEqual([a[2] for a in self.answers(run)], ["0x0", bad], machine)

    def test_refused_by_the_target(self):
        # Inside the window, but the register bank answers with an error: no such register, and
        # an access of the wrong size.
        for machine in ("arm", "aarch64", "cortexm", "riscv64"):
            idm = IDM_ADDRESS[MACHINES[machine]]
            run = self.probe(machine, [idm + 0xFFC])
            self.assertEqual(self.answers(run)[0][2], "fault", machine)
            self.assertGreaterEqual(run.module("master")["access_errors"], 1)
            self.assertEqual(run.module("master")["requests"]["outside"], 0)
            run = self.probe(machine, [idm], "--param", "size=2")
            self.assertEqual(self.answers(run)[0][2], "fault", machine)

    def test_other_participants_port_is_out_of_reach(self):
        # The ports lie behind each other on the platform; a guest reads its own only.
        run = self.simulate("--slaves", 1, "--slave.machine", "arm", "--master.image", "idle",
                            "--param", "0.ns=3000000", "--slave.image", "probe", "--param",
                            "exit=0", "--param", f"1.addr={IDM_ADDRESS['arm'] + 8:#x}",
                            "--param", f"1.addr1={IDM_ADDRESS['arm'] + IDM_SIZE + 8:#x}",
                            status=None)
        results = [line.split()[-1] for line in run.console("slave0").splitlines()
                   if line.startswith("RESULT read")]
        self.assertEqual(results, ["0x1", "fault"])

    def test_many_addresses_are_reported_in_part_and_counted_in_full(self):
        arch, end = "arm", IDM_ADDRESS["arm"] + IDM_SIZE
        words = []
        for number in range(10):
            words += ["--param", f"1.addr{number or ''}={end + 16 * number:#x}"]
        run = self.simulate("--slave.image", "probe", "--master.image", "idle", "--param",
                            "0.ns=3000000", "--param", "exit=0", *words, status=None)
        self.assertEqual(run.module("slave0")["requests"]["outside"], 10)
        self.assertEqual(sum("outside all windows" in line for line in run.stderr.splitlines()),
                         10)
        self.assertEqual(run.module("master")["requests"]["outside"], 0)
        self.assertIn("slave0", run.stderr)


if __name__ == "__main__":
    main()
