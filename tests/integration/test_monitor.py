# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor (QMP) answers while its instance waits for SystemC, and stopping an instance there
changes no result."""
import json
import os
import signal
import socket
import time

from platform_run import PlatformTest, main, wait_for

ANSWER_BOUND = 120
# After which a QEMU counts as hung: none takes so long to start, on any host.
HANG_SECONDS = 20


class Monitor:
    """One connection to a QMP socket."""

    def __init__(self, path):
        assert wait_for(lambda: os.path.exists(path))
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_BOUND)
        assert wait_for(lambda: self._socket.connect_ex(path) == 0)
        self._file = self._socket.makefile("r", encoding="utf-8")
        assert "QMP" in json.loads(self._file.readline())
        self.command("qmp_capabilities")

    def command(self, name):
        self._socket.sendall(json.dumps({"execute": name}).encode() + b"\n")
        while True:
            answer = json.loads(self._file.readline())
            if "return" in answer:
                return answer["return"]
            assert "error" not in answer, answer

    def running(self):
        return self.command("query-status")["running"]

    def close(self):
        self._file.close()
        self._socket.close()


class MonitorTest(PlatformTest):
    def monitor(self, name):
        monitor = Monitor(self.path(name))
        self.addCleanup(monitor.close)
        return monitor

    def test_answers_while_it_sleeps(self):
        # The master sleeps for ever; the slave, which computes, keeps the simulation going.
        started = self.start("--master.image", "idle", "--slave.image", "compute", "--param",
                             "1.n=100000000000", "--master.qmp", self.path("m"), "--vcd", "off")
        self.assertTrue(wait_for(lambda: "idle" in started.log("master")))
        monitor = self.monitor("m")
        for _ in range(20):
            self.assertTrue(monitor.running())
        started.signal(signal.SIGINT)
        self.finish(started, 130)

    def test_answers_while_another_is_stopped(self):
        # The slave is stopped by its monitor, so the master waits for SystemC, inside of a
        # window's end or of an access. Both monitors answer.
        for image in ("compute", "messages"):
            with self.subTest(image):
                names = (f"m{image}", f"s{image}")
                started = self.start(
                    "--master.image", image, "--slave.image", image, "--param", "n=100000000000",
                    "--param", "count=100000000", "--master.qmp", self.path(names[0]),
                    "--slave0.qmp", self.path(names[1]), "--vcd", "off")
                self.assertTrue(wait_for(lambda: image in started.log("slave0")))
                master, slave = (self.monitor(name) for name in names)
                slave.command("stop")
                time.sleep(1)
                for _ in range(20):
                    self.assertTrue(master.running())
                    self.assertFalse(slave.running())
                slave.command("cont")
                self.assertTrue(slave.running())
                started.signal(signal.SIGINT)
                self.finish(started, 130)

    def stop_and_go(self, monitor):
        """Thirty times, or until the run ends and the monitor with it; returns how often."""
        for times in range(30):
            try:
                monitor.command("stop")
                time.sleep(0.05)
                monitor.command("cont")
                time.sleep(0.05)
            except (OSError, ValueError):
                return times
        return times

    def test_stopping_changes_no_result(self):
        # Paced, so that the run is not over before the monitor comes to it.
        options = ("--master.image", "messages", "--slave.image", "messages", "--param",
                   "count=300", "--realtime", "0.0015")
        plain = self.simulate(*options)
        for instance in ("master", "slave0"):
            with self.subTest(instance):
                path = self.path("q" + instance)
                started = self.start(*options, f"--{instance}.qmp", path)
                self.assertGreater(self.stop_and_go(self.monitor("q" + instance)), 1)
                run = self.finish(started)
                self.assert_same(plain, run)

    def test_asking_while_misses_are_reported_changes_no_result(self):
        # What missed is reported when the guest falls asleep, and the answer takes its time here;
        # QEMU's main loop, kept awake by questions, must not move the clock on meanwhile.
        options = ("--master.image", "idle", "--param", "0.ns=500000", "--slave.machine",
                   "cortexm", "--slave.image", "buffer", "--slave.memory", "platform", "--observe",
                   "cached")
        plain = self.simulate(*options)
        self.assertGreater(plain.module("slave0")["requests"]["misses"], 1)
        started = self.start(*options, "--realtime", "0.002", "--slave0.qmp", self.path("s"))
        monitor = self.monitor("s")
        try:
            while True:
                monitor.running()
        except (OSError, ValueError):
            pass
        asked = self.finish(started)
        self.assertEqual(asked.logs(), plain.logs())
        for name in ["trace.vcd", *plain.logs()]:
            self.assertEqual(asked.file(name), plain.file(name), name)
        self.assertEqual(asked.module("slave0")["cache"], plain.module("slave0")["cache"])

    def test_stopped_while_it_sleeps(self):
        options = ("--master.image", "clock", "--param", "0.n=10000", "--slave.image", "idle",
                   "--param", "1.ns=5000000", "--param", "1.exit=0", "--realtime", "0.02")
        plain = self.simulate(*options)
        started = self.start(*options, "--slave0.qmp", self.path("s,1"))
        self.assertTrue(wait_for(lambda: "idle" in started.log("slave0")))
        self.assertGreater(self.stop_and_go(self.monitor("s,1")), 1)
        self.assert_same(plain, self.finish(started))

    def test_a_stopped_instance_is_not_hung(self):
        started = self.start("--master.image", "compute", "--slave.image", "compute", "--param",
                             "n=100000000000", "--slave0.qmp", self.path("s"), "--hang-timeout",
                             HANG_SECONDS, "--vcd", "off")
        self.assertTrue(wait_for(lambda: "compute" in started.log("slave0")))
        slave = self.monitor("s")
        slave.command("stop")
        time.sleep(1.5 * HANG_SECONDS)
        self.assertTrue(started.running(), started.stderr())
        slave.command("cont")
        self.assertTrue(slave.running())
        started.signal(signal.SIGINT)
        self.finish(started, 130)

    def test_reset_by_the_monitor(self):
        # The guest starts anew, in the same simulation.
        started = self.start("--master.image", "idle", "--slave.image", "clock", "--param",
                             "1.n=100000000", "--slave0.qmp", self.path("s"), "--vcd", "off")
        self.assertTrue(wait_for(lambda: "CLOCK 5 " in started.log("slave0")))
        slave = self.monitor("s")
        slave.command("system_reset")
        self.assertTrue(wait_for(
            lambda: started.log("slave0").count("TANDEM clock") == 2 and
            started.log("slave0").count("CLOCK 5 ") == 2))
        started.signal(signal.SIGINT)
        run = self.finish(started, 130)
        self.assertEqual(run.module("slave0")["requests"]["reset"], 1)

    def test_reset_of_a_sleeping_guest(self):
        for cpus in (1, 3):
            with self.subTest(cpus):
                name = f"r{cpus}"
                started = self.start("--slave.image", "compute", "--param", "1.n=100000000000",
                                     "--master.image", "idle", "--master.cpus", cpus,
                                     "--master.qmp", self.path(name), "--vcd", "off")
                self.assertTrue(wait_for(lambda: "TANDEM idle" in started.log("master")))
                time.sleep(0.3)
                monitor = self.monitor(name)
                for count in (2, 3):
                    monitor.command("system_reset")
                    self.assertTrue(wait_for(
                        lambda: started.log("master").count("TANDEM idle") == count))
                started.signal(signal.SIGINT)
                self.finish(started, 130)

    def test_socket_is_gone_afterwards(self):
        run = self.start("--slaves", 0, "--master.image", "smoke", "--master.qmp",
                         self.path("m"))
        self.finish(run)
        self.assertFalse(os.path.exists(self.path("m")))


if __name__ == "__main__":
    main()
