# SPDX-License-Identifier: Apache-2.0
"""The demo with remoteproc and rpmsg, as ./tandem demo --rpmsg runs it."""
import json
import os
import re
import sqlite3
import subprocess

from platform_run import QEMU_PREFIX, ctest, main
from linux_guests import BIN, BOOT_TIMEOUT, SOURCE, LinuxTest

DEMO = os.path.join(SOURCE, "sw", "linux", "demo", "rpmsg")


class RpmsgDemo(LinuxTest):
    def demo(self, name, *options):
        """Runs the demo; returns its directory and what it printed."""
        out = self.path(name)
        command = [DEMO, "--build", os.path.dirname(BIN), "--out", out, "--progress", "off",
                   *options]
        if QEMU_PREFIX:
            command += ["--qemu-prefix", QEMU_PREFIX]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BOOT_TIMEOUT, check=False)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text[-6000:])
        self.assertIn("All steps were seen", text)
        return out

    def read(self, out, name):
        with open(os.path.join(out, name), "rb") as file:
            return file.read()

    def rows(self, out, sql):
        log = sqlite3.connect(f"file:{out}/log.db?mode=ro", uri=True)
        self.addCleanup(log.close)
        return log.execute(sql).fetchall()

    def check_traffic(self, out):
        """Console, statistics, log and timeline tell of the same messages."""
        told = sum(int(n) for n in re.findall(rb"^(\d+) messages", self.read(out, "master.log"),
                                              re.M))
        self.assertGreater(told, 500)
        slaves = json.loads(self.read(out, "stats.json"))["modules"]["rpmsg"]["slaves"]
        self.assertEqual([s["slave"] for s in slaves], ["slave0", "slave1"])
        for slave in slaves:
            self.assertEqual(slave["devices"], 2, "two starts")
            for direction in "to_master", "to_slave":
                counts = slave[direction]
                self.assertEqual(counts["returned"] + counts["unreturned"], counts["messages"])
                self.assertEqual(counts["in_use"], 0)
                self.assertGreater(counts["latency_mean_ns"], 0)
                logged = self.rows(out, "SELECT count(*), sum(length) FROM message_log WHERE "
                                   f"'{direction}' = CASE sender WHEN 'master' THEN 'to_slave' ELSE "
                                   f"'to_master' END AND '{slave['slave']}' IN (sender, receiver)")
                self.assertEqual(logged, [(counts["messages"], counts["bytes"])])
        asked, = self.rows(out, "SELECT count(*) FROM message_log WHERE sender = 'master' AND "
                           "endpoint NOT IN ('name service', 'rpmsg-tty')")[0]
        self.assertEqual(asked, told)
        timeline = json.loads(self.read(out, "timeline.json"))["traceEvents"]
        slices = [e for e in timeline if e.get("cat") == "message"]
        self.assertEqual(len(slices), sum(s[d]["messages"] for s in slaves
                                          for d in ("to_master", "to_slave")))

    @ctest(timeout=1300)
    def test_twice_the_same(self):
        first = self.demo("first", "--mode", "serial")
        second = self.demo("second", "--mode", "serial")
        self.check_traffic(first)
        for name in ("master.log", "slave0.log", "slave1.log", "trace.vcd", "log.db"):
            self.assertEqual(self.read(first, name), self.read(second, name), name + " differs")

    @ctest(timeout=700)
    def test_parallel(self):
        self.check_traffic(self.demo("parallel"))

    @ctest(timeout=700)
    def test_on_x86(self):
        self.check_traffic(self.demo("x86", "--platform", "x86-arm"))


if __name__ == "__main__":
    main()
