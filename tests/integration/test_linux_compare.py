# SPDX-License-Identifier: Apache-2.0
"""./tandem compare with a workload that is a command of Linux: one boot, then every run from there."""
import os
import re

from comparing import ComparisonTest
from linux_guests import BIN, LinuxTest
from platform_run import ctest, main

SCRIPT = """#!/bin/sh
dd if=/dev/urandom of=block bs=4k count=$1 2>/dev/null
md5sum block >/dev/null
"""
# An arm64 master of 256 MiB without slaves, which boots sooner than the others.
ARM64 = ("--", "--master.machine", "aarch64", "--master.cpus", "1", "--master.memory",
         "platform:256")


class LinuxCompare(ComparisonTest, LinuxTest):
    def linux(self, *options, **how):
        return self.compare("--platform", "arm-cortexm", "--workload", *options, *ARM64, **how)

    @ctest(timeout=900, once=True)
    def test_a_command_over_interconnects(self):
        script = self.write("work.sh", SCRIPT)
        os.chmod(script, 0o755)
        options = (f"linux:{script} 8", "--interconnect", "router,bus", "--cache", "fetches=on",
                   "--jobs", 2)
        self.assertIn("booting Linux for 'work.sh 8', once", self.linux(*options).stderr)
        router, bus = self.rows()
        self.assertRegex(router["workload"], r"work.sh-[0-9a-f]{12}")
        self.assertEqual([row["interconnect"] for row in (router, bus)], ["router", "bus"])
        self.assertGreater(int(bus["region_ns"]), int(router["region_ns"]))
        # Its own instructions alone: a boot has some hundred million.
        self.assertLess(int(router["region_ns"]), int(router["simulated_ns"]) // 4)
        self.assertGreater(int(router["transactions"]), 1000)
        # Neither is made twice.
        again = self.linux(*options)
        self.assertIn("2 of 2 runs are there already", again.stderr)
        self.assertNotIn("booting", again.stderr)
        # The same as the run that boots and goes on.
        place = next(name for name in os.listdir(self.path("out/checkpoints"))
                     if re.fullmatch(r"work.sh-[0-9a-f]{12}", name))
        self.linux(*options[:1], "--interconnect", "router", "--observe", "direct")
        full = self.simulate("--slaves", 0, *ARM64[1:], "--master.initrd",
                             self.path(f"out/checkpoints/{place}.initramfs.gz"),
                             platform=os.path.join(BIN, "arm-cortexm"), prefix="", timeout=600)
        self.assertEqual(int(self.rows()[0]["region_ns"]),
                         int(full.statistics()["regions"]["region 1"]["simulated_ns"]))

    @ctest(timeout=900, once=True)
    def test_a_command_that_fails(self):
        done = self.linux("linux:idmctl region begin 7; idmctl region end 7; false",
                          "--interconnect", "router", "--region", "7", status=1)
        self.assertIn("the master reports a wrong result", done.stderr)

    @ctest(timeout=900, once=True)
    def test_refused(self):
        for sentence, workload, *more in (
                ("names no command", "linux:"), ("is no command", "linux:echo 'x"),
                ("--param and --replay are not for a Linux workload", "linux:true", "--param", "n=1"),
                ("--add-file 'nowhere' is not of the form", "linux:true", "--add-file", "nowhere"),
                ("the number that its program marks", "linux:true", "--region", "loop")):
            with self.subTest(sentence):
                done = self.linux(workload, "--interconnect", "bus", *more, status=2)
                self.assertIn(sentence, done.stderr)
        self.refused_with("--add-file is for a --workload linux:COMMAND", "--workload", "triad",
                          "--interconnect", "bus", "--add-file", "a=b")


if __name__ == "__main__":
    main()
