# SPDX-License-Identifier: Apache-2.0
"""Nothing arrives before it was sent, all clocks show one time, and no interrupt is later than a
quantum."""
from platform_run import PlatformTest, ctest, main

RUNNING, IDLE = 1, 2  # values of an instance's state in the trace


def rises(signal):
    return [time for time, value in signal if value == "1" and time > 0]


class Causality(PlatformTest):
    def check_pair(self, *options, slack_ns=64):
        run = self.simulate("--master.image", "causal", "--slave.image", "causal", *options)
        for instance in ("master", "slave0"):
            self.assertGreaterEqual(run.number("delay_min_ns", instance), 0)
            # The guest reads its own clock a few instructions after the platform's: were the
            # instances apart, the difference would be as large as they are apart.
            least = run.number("clock_offset_min_ns", instance)
            greatest = run.number("clock_offset_max_ns", instance)
            self.assertLessEqual(greatest - least, slack_ns)
            machine = run.module(instance)["machine"]
            if machine != "cortexm":  # starts its clock by itself
                self.assertGreaterEqual(least, -100 if machine == "riscv64" else -16)  # a step
                self.assertLessEqual(greatest, slack_ns)
        return run

    def test_messages_never_early(self):
        for quantum in ("1us", "10us", "100us", "1ms"):
            with self.subTest(quantum):
                self.check_pair("--quantum", quantum)

    def test_messages_never_early_in_serial_mode(self):
        self.check_pair("--mode", "serial", "--quantum", "100us")

    def test_messages_never_early_with_latencies(self):
        # Between the two readings lie the answers to one read of the time and to another.
        self.check_pair("--set", "latency=1us", "--quantum", "10us", slack_ns=2100)

    def test_messages_between_all_kinds_of_machine(self):
        for master, slave in (("cortexm", "x86-q35"), ("aarch64", "arm"), ("riscv64", "riscv64")):
            with self.subTest(f"{master} and {slave}"):
                self.check_pair("--master.machine", master, "--slave.machine", slave,
                                slack_ns=64 if master != "riscv64" else 200)

    @ctest(timeout=600)
    def test_interrupts_at_most_a_quantum_late(self):
        seen = {}
        for quantum_ns in (1000, 20000, 100000, 1000000):
            # The slave computes, and its doorbell rings at times that it knows nothing of.
            run = self.simulate(
                "--quantum", f"{quantum_ns}ns", "--master.image", "messages", "--slave.image",
                "messages", "--param", "count=150", "--param", "max=300", "--fifo-depth", 32)
            late = [run.module(i)["interrupts"]["latest_ns"] for i in ("master", "slave0")]
            for value in late:
                self.assertLessEqual(value, quantum_ns)
            self.assertGreater(run.module("slave0")["interrupts"]["delivered"], 0)
            seen[quantum_ns] = max(late)
        print("latest interrupts by quantum, ns:", seen)
        self.assertGreater(max(seen.values()), 0)

    def test_interrupt_reaches_a_busy_guest_at_the_end_of_its_window(self):
        # The master rings the slave, which computes and makes no other request: how late the
        # interrupt is follows from when it was raised.
        for quantum_ns in (1000, 10000, 100000, 1000000):
            with self.subTest(quantum_ns):
                run = self.simulate(
                    "--quantum", f"{quantum_ns}ns", "--master.image", "smoke", "--slave.image",
                    "compute", "--param", "0.peer=1", "--param", "exit=0", "--time-limit", "20ms")
                rung = rises(run.vcd().signals["slave0.irq_0"])
                self.assertEqual(len(rung), 1)
                interrupts = run.module("slave0")["interrupts"]
                self.assertEqual(interrupts["delivered"], 1)
                rest = quantum_ns - rung[0] // 1000 % quantum_ns
                self.assertEqual(interrupts["latest_ns"], rest)

    def test_trace_shows_causes_before_effects(self):
        run = self.simulate("--master.image", "ring", "--slave.image", "ring", "--param", "n=50")
        vcd, woken = run.vcd(), 0
        for port, instance in (("p0", "master"), ("p1", "slave0")):
            rung = rises([(t, str(int(int(v, 2) != 0)))
                          for t, v in vcd.signals[f"idm.{port}.doorbells"]])
            raised = rises(vcd.signals[f"{instance}.irq_0"])
            self.assertEqual(len(rung), 50)
            self.assertEqual(len(set(rung)), 50)
            self.assertLessEqual(set(rung), set(raised))
            # Who slept goes on at that very time.
            states = vcd.signals[f"{instance}.state"]
            for time in rung:
                before = [int(v, 2) for t, v in states if t < time][-1]
                after = [int(v, 2) for t, v in states if t <= time][-1]
                self.assertIn((before, after), ((IDLE, RUNNING), (RUNNING, RUNNING)))
                woken += before == IDLE
        self.assertGreater(woken, 20)


if __name__ == "__main__":
    main()
