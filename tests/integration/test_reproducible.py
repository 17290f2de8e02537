# SPDX-License-Identifier: Apache-2.0
"""The same platform gives the same trace, consoles, statistics and guest clocks in every run,
whatever the host does meanwhile."""
import random

from platform_run import Hogs, PlatformTest, ctest, main, without_host


class Reproducible(PlatformTest):
    def same_on_busy_host(self, *options, status=0):
        """Runs once on the host as it is and once with two more processes than it has cores
        for, and compares everything."""
        calm = self.simulate(*options, status=status)
        with Hogs(2):
            busy = self.simulate(*options, status=status)
        self.assert_same(calm, busy)
        return calm

    def input_file(self, size):
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(random.Random(size).randbytes(size))
        return path

    def test_demo(self):
        run = self.same_on_busy_host("--input", self.input_file(300000))
        self.assertIn("sha256 ", run.console())

    def test_demo_with_bus_and_latencies(self):
        run = self.same_on_busy_host(
            "--input", self.input_file(30000), "--slaves", 2, "--param", "job=4096",
            "--interconnect", "bus", "--idm-latency", "170ns", "--quantum", "10us")
        self.assertGreater(run.module("master")["stall_ns"], 0)

    @ctest(timeout=400)
    def test_messages(self):
        run = self.same_on_busy_host(
            "--master.image", "messages", "--slave.image", "messages", "--param", "count=150",
            "--fifo-depth", 16)
        self.assertEqual(run.number("received"), 150)

    def test_clocks(self):
        # The slave is cut off in the middle of its work: where, must be the same as well.
        run = self.same_on_busy_host(
            "--master.image", "clock", "--slave.image", "clock", "--param", "n=200",
            "--param", "1.n=100000", "--param", "1.seed=2")
        for instance in ("master", "slave0"):
            lines = [line for line in run.console(instance).splitlines()
                     if line.startswith("CLOCK")]
            self.assertGreater(len(lines), 50, instance)

    def test_doorbells(self):
        run = self.same_on_busy_host("--master.image", "ring", "--slave.image", "ring",
                                     "--slave.machine", "aarch64", "--param", "n=300")
        self.assertEqual(run.number("rounds"), 300)

    def test_four_instances(self):
        # Two pairs, which know nothing of each other, and run into the same bus.
        self.same_on_busy_host(
            "--slaves", 3, "--master.image", "messages", "--slave.image", "messages",
            "--slave1.machine", "cortexm", "--slave2.machine", "aarch64",
            "--interconnect", "bus", "--param", "count=60", "--param", "2.count=20",
            "--param", "3.count=20")

    def test_smp_guest(self):
        run = self.same_on_busy_host(
            "--master.image", "smp", "--master.cpus", 4, "--slave.image", "smp",
            "--slave.cpus", 3, "--param", "cpus=4", "--param", "1.cpus=3", "--param", "1.exit=0",
            "--param", "1.n=300", "--quantum", "1us")
        self.assertEqual(run.number("counter"), 4000)
        for port in run.module("idm")["participants"]:
            self.assertGreater(port["lock_contended"], 0)

    @ctest(timeout=600)
    def test_races_in_serial_mode(self):
        options = ("--mode", "serial", "--master.image", "race", "--slave.image", "race",
                   "--param", "n=20000", "--quantum", "10us")
        first = self.simulate(*options)
        # A race there is: it comes out otherwise when the windows lie otherwise.
        other = self.simulate(*options[:-1], "7us")
        self.assertNotEqual(first.results()["hash"], other.results()["hash"])
        for number in range(7):
            if number % 3 == 2:
                with Hogs(2):
                    run = self.simulate(*options)
            else:
                run = self.simulate(*options)
            self.assert_same(first, run)

    def test_lookahead_changes_nothing(self):
        # It saves messages on the wire, and that is all.
        options = ("--input", self.input_file(200000), "--quantum", "10us")
        far = self.simulate(*options)
        near = self.simulate(*options, "--lookahead", "off")
        self.assert_same(far, near, guests_only=True)
        self.assertEqual(far.fingerprint()["trace.vcd"], near.fingerprint()["trace.vcd"])
        windows = [sum(run.module(i)["requests"]["window"] for i in ("master", "slave0"))
                   for run in (far, near)]
        self.assertLess(10 * windows[0], windows[1])

    def test_trace_and_consoles_change_nothing(self):
        options = ("--input", self.input_file(100000))
        full = self.simulate(*options)
        bare = self.simulate(*options, "--vcd", "off", "--verbosity", "quiet")
        self.assertEqual(without_host(full.statistics()), without_host(bare.statistics()))

    def test_seed_is_all_that_is_drawn(self):
        options = ("--master.image", "messages", "--slave.image", "messages", "--param",
                   "count=30")
        one, same, other = (self.simulate(*options, "--seed", seed) for seed in (5, 5, 6))
        self.assert_same(one, same)
        self.assertNotEqual(one.fingerprint()["trace.vcd"], other.fingerprint()["trace.vcd"])


if __name__ == "__main__":
    main()
