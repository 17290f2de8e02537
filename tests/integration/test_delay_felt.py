# SPDX-License-Identifier: Apache-2.0
"""A guest feels what its accesses cost on the platform, to the nanosecond, in its own clock."""
from platform_run import PlatformTest, ctest, main

READS = 1000
# Steps of the guests' clocks, ns. Latencies that are multiples of a step leave no remainder
# anywhere, so that the difference has to be exact.
STEP = {"x86-pc": 1, "x86-q35": 1, "arm": 16, "aarch64": 16, "cortexm": 40, "cortexm33": 50, "riscv64": 100}


class DelayFelt(PlatformTest):
    def elapsed(self, machine, *options, reads=READS):
        run = self.simulate("--slaves", 0, "--master.machine", machine, "--master.image",
                            "latency", "--param", f"n={reads}", *options)
        self.assertEqual(run.number("reads"), reads)
        return run.number("ns"), run

    def check(self, machine, latencies, option, *options):
        base, _ = self.elapsed(machine, *options)
        for ns in latencies:
            slow, run = self.elapsed(machine, *options, option, f"{ns}ns")
            self.assertEqual(slow - base, READS * ns, f"{ns} ns on {machine}")
            self.assertGreaterEqual(run.module("master")["stall_ns"], READS * ns)

    def check_machine(self, machine):
        step = STEP[machine]
        self.check(machine, (step, 137 * step), "--idm-latency")
        self.check(machine, (3 * step, 1000 * step), "--read-latency", "--param", "target=shm",
                   "--set", "dmi=false")

    def test_x86(self):
        self.check_machine("x86-pc")

    def test_x86_q35(self):
        self.check_machine("x86-q35")

    def test_arm(self):
        self.check_machine("arm")

    def test_aarch64(self):
        self.check_machine("aarch64")

    def test_cortexm(self):
        self.check_machine("cortexm")

    def test_cortexm33(self):
        self.check_machine("cortexm33")

    def test_riscv64(self):
        self.check_machine("riscv64")

    def test_longer_than_the_quantum(self):
        self.check("x86-pc", (25000,), "--idm-latency", "--quantum", "1us")
        self.check("arm", (32000,), "--idm-latency", "--quantum", "1us")

    def test_odd_latency_within_the_clocks_step(self):
        base, _ = self.elapsed("arm")
        slow, _ = self.elapsed("arm", "--idm-latency", "137ns")
        # Either of the two times is less than a step off.
        self.assertLess(abs(slow - base - READS * 137), 2 * STEP["arm"])

    def test_parts_of_a_nanosecond_add_up(self):
        # What accesses before the loop took has moved its start within a step of the Arm's clock.
        for machine, within in (("x86-pc", 0), ("arm", STEP["arm"])):
            base, _ = self.elapsed(machine, reads=32000)
            for ps in (500, 250, 1):
                slow, run = self.elapsed(machine, "--idm-latency", f"{ps}ps", reads=32000)
                self.assertLessEqual(abs(slow - base - 32000 * ps // 1000), within,
                                     f"{ps} ps on {machine}")
                accesses = run.module("idm")["participants"][0]["accesses"]
                self.assertEqual(run.module("master")["stall_ns"], accesses * ps // 1000)

    def test_sum_of_interconnect_and_target(self):
        base, _ = self.elapsed("x86-pc")
        slow, _ = self.elapsed("x86-pc", "--set", "latency=30ns", "--idm-latency", "11ns")
        self.assertEqual(slow - base, READS * 41)

    def test_bus(self):
        # Each read: overhead, and a cycle for its four bytes.
        bus = ("--interconnect", "bus", "--set", "clock=10ns", "--set", "width=4")
        near, _ = self.elapsed("x86-pc", *bus, "--set", "overhead=1")
        far, _ = self.elapsed("x86-pc", *bus, "--set", "overhead=8")
        self.assertEqual(far - near, READS * 70)

    def test_direct_memory_costs_nothing(self):
        base, _ = self.elapsed("x86-pc", "--param", "target=shm")
        same, run = self.elapsed("x86-pc", "--param", "target=shm", "--read-latency", "1us")
        self.assertEqual(base, same)
        self.assertEqual(run.module("shm")["reads"], 0)

    def test_every_access_is_a_transaction_without_dmi(self):
        _, run = self.elapsed("x86-pc", "--param", "target=shm", "--set", "dmi=false")
        self.assertGreaterEqual(run.module("shm")["reads"], READS)
        self.assertEqual(run.module("master")["dmi"]["maps"], 0)

    @ctest(timeout=400)
    def test_slower_bus_is_a_slower_program(self):
        # Not only reads in a loop: the demo, from its master's own clock.
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(b"slow" * 10000)
        times = []
        for latency in ("0ns", "1us", "10us"):
            run = self.simulate("--input", path, "--param", "job=1000", "--idm-latency", latency)
            times.append(run.number("ns"))
        self.assertLess(times[0] + 100000, times[1])
        self.assertLess(times[1] + 1000000, times[2])


if __name__ == "__main__":
    main()
