# SPDX-License-Identifier: Apache-2.0
"""A Linux whose RAM lies in a memory of the platform: it is the same Linux, and the interconnect sees
what it does there."""
import os
import re
import sqlite3

from platform_run import ctest, main
from linux_guests import BOOT_TIMEOUT, LinuxTest

LONG = 1500  # seconds for ctest
READER = os.environ.get("TANDEM_RAM_READER", "")
RAM, SIZE = 0x2000000000, 256 << 20

# The text is in no file: the shell makes it.
SCRIPT = """
echo "TANDEM-$((6*7))-MARK" > /tmp/mark
cat /proc/meminfo | head -1
try md5sum /bin/busybox
"""
MARK = "TANDEM-42-MARK"


class LinuxRam(LinuxTest):
    def boot(self, platform, arch, *options):
        return self.run_linux(platform, arch, SCRIPT, options=options)

    def shown(self, run):
        return {line: (one.output, one.status) for line, one in self.tried(run).items()}

    def check(self, platform, arch, *machine, kernel, cpus=1):
        """kernel: guest addresses, from 0 of RAM on, in which Linux' program lies."""
        size = SIZE >> 20
        qemu = self.boot(platform, arch, *machine, "--master.memory", size)
        ram = (*machine, "--master.memory", f"platform:{size}")
        direct = self.boot(platform, arch, *ram, "--load", READER, "--add",
                           f"reader=ram_reader,address={RAM:#x},size={SIZE},text={MARK}")
        for key in ("instructions", "virtual_ns", "interrupts"):
            self.assertEqual(qemu.module("master")[key], direct.module("master")[key], key)
        self.assertEqual(qemu.console(), direct.console())
        # Another initiator finds what the guest has written, by debug transport and directly.
        found = direct.module("reader")
        self.assertGreaterEqual(found["found"], 1)
        self.assertEqual(found["found_directly"], found["found"])

        log = self.path("log.db")
        observed = (*ram, "--observe", "master.memory=cached", "--cache", "fetches=on")
        cached = self.boot(platform, arch, *observed)
        if cpus == 1: # the report of what missed ends the turn of one of several CPUs
            self.assertEqual(qemu.console(), cached.console())
        self.assertEqual(self.shown(qemu), self.shown(cached))
        counts, memory = cached.module("master")["cache"], cached.module("master_memory")
        self.assertEqual(counts["l1_hits"] + counts["l1_misses"],
                         counts["loads"] + counts["stores"] + counts["fetches"])
        self.assertEqual(memory["reads"], counts["l1_misses"])
        self.assertEqual(memory["writes"], counts["write_backs"])
        self.assertEqual(counts["lost"], 0)
        # A block of instructions lies in one line at least, and has at most 512 of them.
        instructions = cached.module("master")["instructions"]
        self.assertGreater(counts["fetches"], instructions / 512)
        self.assertLess(counts["fetches"], instructions)
        # About a third of all instructions are loads and stores.
        self.assertGreater(counts["loads"] + counts["stores"], instructions / 8)
        self.assertLess(counts["loads"] + counts["stores"], instructions)

        # The first transfers, by their addresses: fetches are in the kernel.
        started = self.start_linux(platform, arch, SCRIPT, options=[
            *observed, "--log", log, "--time-limit", "300ms"])
        self.finish(started, timeout=BOOT_TIMEOUT)
        with sqlite3.connect(log) as database:
            addresses = [row[0] - RAM for row in database.execute(
                "SELECT address FROM log WHERE target = 'master_memory' AND command = 'read'")]
        self.assertGreater(len(addresses), 10000)
        self.assertGreaterEqual(min(addresses), 0)
        self.assertLess(max(addresses), SIZE)
        self.assertGreater(sum(a in kernel for a in addresses), 1000)

    @ctest(timeout=LONG, once=True)
    def test_amd64(self):
        self.check("x86-arm", "amd64", kernel=range(16 << 20, 48 << 20))

    @ctest(timeout=LONG, once=True)
    def test_armhf_with_two_cpus(self):
        self.check("arm-cortexm", "armhf", "--master.cpus", 2, kernel=range(0, 32 << 20),
                   cpus=2)

    @ctest(timeout=LONG)
    def test_arm64(self):
        machine = ("--master.machine", "aarch64", "--master.cpus", 1)
        self.check("arm-cortexm", "arm64", *machine, kernel=range(2 << 20, 64 << 20))

    @ctest(timeout=LONG)
    def test_is_what_it_is_while_observation_changes(self):
        # A transaction of this interconnect takes no time, so nothing but what is seen changes.
        options = ("--master.memory", "platform:256", "--time-limit", "3s")
        changes = []
        for change in ("500ms=cached", "700ms=direct", "1s=master.memory=every", "1010ms=direct",
                       "2500ms=cached"):
            changes += ["--observe-from", change]
        direct, changing = (
            self.finish(self.start_linux("x86-arm", "amd64", SCRIPT, options=(*options, *more)),
                        timeout=BOOT_TIMEOUT)
            for more in ((), (*changes, "--cache", "fetches=on", "--warm", 1000000)))
        self.assertIn("Linux version", direct.console())
        self.assertEqual(direct.console(), changing.console())
        for key in ("instructions", "virtual_ns", "interrupts"):
            self.assertEqual(direct.module("master")[key], changing.module("master")[key], key)
        counts, every = (changing.module("master")[of] for of in ("cache", "every"))
        self.assertGreater(counts["loads"], 1000000)
        self.assertGreater(every["loads"], 100000)
        transactions = changing.module("master_memory")
        self.assertEqual(transactions["reads"],
                         counts["l1_misses"] + every["loads"] + every["fetches"])
        self.assertEqual(transactions["writes"], counts["write_backs"] + every["stores"])

    @ctest(timeout=LONG, once=True)
    def test_hits_and_misses_of_a_boot_are_those_of_a_cache_of_transactions(self):
        # As far as a transaction for each access pays, and to a time at which none is under way: the
        # cache model has counted that one already.
        options = ("--master.machine", "aarch64", "--master.cpus", 1, "--master.memory",
                   "platform:256", "--check", "off", "--time-limit", "503ms", "--observe")
        cached, exact = (
            self.finish(self.start_linux("arm-cortexm", "arm64", SCRIPT, options=(*options, how)),
                        timeout=BOOT_TIMEOUT) for how in ("cached", "every-cached"))
        self.assertIn("Linux version", cached.console())
        self.assertEqual(cached.console(), exact.console())
        counts, same = cached.module("master")["cache"], exact.module("cache_master")
        self.assertGreater(counts["loads"], 10000000)
        self.assertEqual(counts["loads"], same["reads"])
        self.assertEqual(counts["stores"], same["writes"])
        self.assertEqual(counts["l1_misses"], same["read_misses"] + same["write_misses"])
        self.assertEqual(counts["write_backs"], same["write_backs"])

    @ctest(timeout=LONG, once=True)
    def test_boots_again_after_a_reset(self):
        how = {"platform": "arm-cortexm", "arch": "arm64"}
        options = ["--master.machine", "aarch64", "--master.cpus", 1,
                   "--time-limit", "6s", "--master.memory"]
        runs = [self.finish(self.start_linux(how["platform"], how["arch"], "reboot -f\n",
                                             options=[*options, memory]), timeout=BOOT_TIMEOUT)
                for memory in ("256", "platform:256")]
        self.assertGreaterEqual(len(re.findall("Linux version", runs[0].console())), 2)
        self.assertEqual(runs[0].console(), runs[1].console())
        self.assertEqual(runs[0].module("master")["requests"], runs[1].module("master")["requests"])


if __name__ == "__main__":
    main()
