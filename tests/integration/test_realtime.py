# SPDX-License-Identifier: Apache-2.0
"""--realtime: simulated time does not run ahead of the clock on the wall, and nothing else is
different."""
import resource
import signal

from platform_run import PlatformTest, ctest, main, wait_for

SLEEP = ("--master.image", "idle", "--slave.image", "idle")


class Realtime(PlatformTest):
    def same_with_pace(self, *options, seconds, factor=1):
        """Consoles and trace of a run are the same with and without pace; with it the run takes
        at least so long."""
        free = self.simulate(*options)
        paced = self.simulate(*options, "--realtime", factor)
        self.assertGreater(paced.seconds, seconds)
        self.assertEqual(paced.logs(), free.logs())
        for name in free.logs():
            self.assertEqual(paced.file(name), free.file(name))
        self.assertEqual(paced.file("trace.vcd"), free.file("trace.vcd"))

    def test_sleep(self):
        self.same_with_pace(*SLEEP, "--param", "ns=1500000000", seconds=1.4)

    def test_factor(self):
        self.same_with_pace(*SLEEP, "--param", "ns=4000000000", "--slave.machine", "cortexm",
                            seconds=0.9, factor=4)
        self.same_with_pace(*SLEEP, "--param", "ns=100000000", seconds=0.9, factor="0.1")

    def test_work(self):
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(bytes(200000))
        self.same_with_pace("--input", path, "--quantum", "10us", seconds=0)
        self.same_with_pace("--master.image", "messages", "--slave.image", "messages", "--param",
                            "count=100", "--mode", "serial", seconds=0)

    def test_all_asleep(self):
        # Not on a PC, whose real-time clock has a timer for the next day.
        run = self.simulate(*SLEEP, "--master.machine", "arm", "--realtime", 1, status=2)
        self.assertIn("all instances sleep and nothing can wake them", run.stderr)

    def test_free_mode(self):
        self.simulate("--mode", "free", *SLEEP, "--param", "ns=300000000", "--realtime", 1)

    def used(self, *options):
        """A run, and the processor seconds that it took with all its children."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = self.simulate(*options)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return run, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def test_does_not_spin(self):
        options = (*SLEEP, "--param", "ns=6000000000")
        _, all_but_the_pace = self.used(*options)
        run, used = self.used(*options, "--realtime", 1)
        self.assertGreater(run.seconds, 5.9)
        self.assertLess(used - all_but_the_pace, 3)

    def test_interrupted_at_once(self):
        # Long before the guests' timers: a simulated hour, at a thousandth of real time.
        started = self.start(*SLEEP, "--param", "ns=3600000000000", "--realtime", "0.001")
        self.assertTrue(wait_for(lambda: "TANDEM" in started.log("master")), started.stderr())
        started.signal(signal.SIGINT)
        self.finish(started, status=130, timeout=60)

    @ctest(once=True)
    def test_refused(self):
        for bad in ("-1", "fast", "1x", "0.0001", "nan", "1e7"):
            self.assertEqual(self.refused(*SLEEP, "--realtime=" + bad),
                             f"impossible realtime '{bad}'; give 0, or a factor from 0.001 to "
                             "1000000")


if __name__ == "__main__":
    main()
