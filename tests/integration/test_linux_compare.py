# SPDX-License-Identifier: Apache-2.0
"""./tandem compare with a workload that is a command of Linux: one boot, then every run from there."""
import json
import os
import re
import subprocess
import sys

from comparing import ComparisonTest
from linux_guests import BIN, BOOT_TIMEOUT, SOURCE, LinuxTest
from platform_run import ctest, main, read_text

SCRIPT = """#!/bin/sh
dd if=/dev/zero of=block bs=4k count=$1 2>/dev/null
md5sum block >/dev/null
"""
# An arm64 master of 256 MiB without slaves, which boots sooner than the others.
ARM64 = ("--", "--master.machine", "aarch64", "--master.cpus", "1", "--master.memory",
         "platform:256")


INCLUDES = ("sw/linux/include", "tlm-models/guest/include")
# Those of packages say what only they can know.
OF_PACKAGES = ("openssl version && lz4 -V && sqlite3 :memory: 'select 6 * 7' && "
               "taskset 1 mbw -q -n 1 1")


class LinuxCompare(ComparisonTest, LinuxTest):
    def linux(self, *options, **how):
        return self.compare("--platform", "arm-cortexm", "--workload", *options, *ARM64, **how)

    @ctest(timeout=900, once=True)
    def test_a_command_over_interconnects(self):
        script = self.write("work.sh", SCRIPT)
        os.chmod(script, 0o755)
        options = (f"linux:{script} 8", "--interconnect", "router,bus", "--cache", "fetches=on",
                   "--jobs", 2)
        # Planning boots nothing.
        self.linux(*options, "--plan", self.path("plan.json"))
        self.assertFalse(os.path.exists(self.path("out")))
        plan = json.loads(read_text(self.path("plan.json")))
        boot, *others = plan["runs"]
        self.assertEqual([run["after"] for run in others], 2 * [[boot["hash"]]])
        self.assertIn(script, boot["inputs"])
        self.assertRegex(self.linux(*options).stderr,
                         r"1/3 booting Linux for 'work.sh 8', once: ends at \d+ ns")
        router, bus = self.rows()
        self.assertRegex(router["workload"], r"work.sh-[0-9a-f]{12}")
        self.assertEqual([row["interconnect"] for row in (router, bus)], ["router", "bus"])
        self.assertGreater(int(bus["region_ns"]), int(router["region_ns"]))
        # Its own instructions alone: a boot has some hundred million.
        self.assertLess(int(router["region_ns"]), int(router["simulated_ns"]) // 4)
        self.assertGreater(int(router["transactions"]), 1000)
        # Neither is made twice.
        again = self.linux(*options)
        self.assertIn("3 of 3 runs are there already", again.stderr)
        self.assertNotIn("booting", again.stderr)
        # The same as the run that boots and goes on.
        place, = os.listdir(self.path("out/checkpoints"))
        self.assertEqual(place, "work.sh-" + boot["hash"])
        self.linux(*options[:1], "--interconnect", "router", "--observe", "direct")
        full = self.simulate("--slaves", 0, *ARM64[1:], "--master.initrd",
                             self.path(f"out/checkpoints/{place}/initramfs.gz"),
                             platform=os.path.join(BIN, "arm-cortexm"), prefix="",
                             timeout=BOOT_TIMEOUT)
        self.assertEqual(int(self.rows()[0]["region_ns"]),
                         int(full.statistics()["regions"]["region 1"]["simulated_ns"]))

    @ctest(timeout=900, once=True)
    def test_several_cpus(self):
        """Each number of them boots once, and the table has them all."""
        self.compare("--platform", "arm-cortexm", "--workload", "linux:triad n=16k cpus=$(nproc)",
                     "--region", 2, "--interconnect", "router,bus", "--vary", "master.cpus=1,2",
                     *ARM64[:3], *ARM64[5:])
        rows = self.rows()
        self.assertEqual([row["master.cpus"] for row in rows], ["1", "2", "1", "2"])
        self.assertEqual(len({row["workload"] for row in rows}), 1)
        self.assertEqual(len(os.listdir(self.path("out/checkpoints"))), 2)
        for row in rows:
            console = self.run_file(row, "master.log")
            self.assertEqual("smp: Brought up 1 node, 2 CPUs" in console,
                             row["master.cpus"] == "2")
        for router, bus in zip(rows[:2], rows[2:]):
            self.assertGreater(int(bus["region_ns"]), int(router["region_ns"]))

    def check_programs_of_packages(self, console):
        self.assertRegex(console, r"(?m)^OpenSSL 3\.\S+ ")
        self.assertRegex(console, r"LZ4 command line interface .* v1\.")
        self.assertRegex(console, r"(?m)^42$")
        self.assertRegex(console, r"(?m)^AVG\s+Method: MEMCPY\s+Elapsed: \d.*MiB: 1\.0+")

    @ctest(timeout=900, once=True)
    def test_programs_of_the_kit(self):
        command = "triad n=16k && triad n=128k region=3 && " + OF_PACKAGES
        self.linux("linux:" + command, "--region", 2, "--interconnect", "router,bus")
        router, bus = self.rows()
        self.assertGreater(int(bus["region_ns"]), int(router["region_ns"]))
        self.assertEqual(int(router["result.bytes"]), 3 * 4 * 128 * 1024)
        for row in router, bus:
            regions = json.loads(self.run_file(row, "stats.json"))["regions"]
            small, large = (regions[f"region {number}"]["modules"]["interconnect"]["total"]
                            ["transactions"] for number in (2, 3))
            # Each line of three arrays is read once at least, as the caches are empty when region 2
            # begins, and of one array written back, but for what level 1 (512 lines) keeps.
            lines = 3 * 16 * 1024 * 4 // 64
            self.assertGreater(small, lines + lines // 3 - 512)
            self.assertGreater(large - small, 6 * lines)
            self.assertLess(large - small, 14 * lines)
            self.check_programs_of_packages(self.run_file(row, "master.log"))

    @ctest(timeout=900, once=True)
    def test_programs_of_the_kit_elsewhere(self):
        for out, options in ("amd64", ["--platform", "x86-arm"]), \
                ("armhf", ["--platform", "arm-cortexm"]):
            with self.subTest(out):
                command = "chase n=64 && copy n=128 && " + OF_PACKAGES
                self.compare("--workload", "linux:" + command, "--interconnect", "router",
                             "--observe", "direct", *options, out=out)
                row, = self.rows(out)
                self.assertEqual(row["result.steps"], "128")
                self.assertEqual(row["result.bytes"], "1024")
                self.check_programs_of_packages(read_text(
                    self.path(os.path.join(out, "runs", row["run"], "master.log"))))

    @ctest(timeout=900, once=True)
    def test_a_command_that_fails(self):
        program = self.path("sieve")
        subprocess.run(["aarch64-linux-gnu-gcc-12", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                        *(f"-I{os.path.join(SOURCE, path)}" for path in INCLUDES), "-o", program,
                        os.path.join(SOURCE, "docs", "examples", "linux", "sieve.c")], check=True)
        done = self.linux(f"linux:{program} 1000 >found && cat found && exit 3",
                          "--interconnect", "router", "--region", "7", status=1)
        self.assertIn("ended with status 3", done.stderr)
        directory = re.search(r"\(see (.*\.failed)\)", done.stderr)[1]
        self.assertIn("RESULT primes 168\n", read_text(os.path.join(directory, "master.log")).replace(
            "\r", ""))

    @ctest(timeout=900, once=True)
    def test_refused(self):
        for sentence, workload, *more in (
                ("names no command", "linux:"), ("is no command", "linux:echo 'x"),
                ("--param and --replay are not for a Linux workload", "linux:true", "--param", "n=1"),
                ("--add-file 'nowhere' is not of the form", "linux:true", "--add-file", "nowhere"),
                ("the number that its program marks", "linux:true", "--region", "loop"),
                ("there is no 'sysbench': it is no file here, no command of the guest, and none of "
                 "the guest kit's programs, which are chase, copy, lz4, mbw, openssl, sqlite3, triad",
                 "linux:sysbench cpu run"),
                ("there is no './triad'", "linux:./triad"),
                (f"'{sys.executable}' is a program for another machine (ELF machine 62) than the "
                 "guest's, which is arm64", f"linux:{sys.executable} -V")):
            with self.subTest(sentence):
                done = self.linux(workload, "--interconnect", "bus", *more, status=2)
                self.assertIn(sentence, done.stderr)
        self.refused_with("--add-file is for a --workload linux:COMMAND", "--workload", "triad",
                          "--interconnect", "bus", "--add-file", "a=b")


if __name__ == "__main__":
    main()
