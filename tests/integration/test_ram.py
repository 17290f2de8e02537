# SPDX-License-Identifier: Apache-2.0
"""The RAM of an instance in a memory of the platform: it is what QEMU's own would be, others reach
it, and the interconnect sees what is observed of it."""
import os
import re
import sqlite3

import cache_model
from platform_run import MACHINES, PLATFORM, PlatformTest, ctest, main

READER = os.environ.get("TANDEM_RAM_READER", "")
SYSTEM = os.path.join(os.path.dirname(PLATFORM), "tandem-system")

# Where the master's RAM lies on the platform, when it has a memory of its own.
RAM = 0x2000000000
# Guest addresses of the pieces of which it consists, with their sizes, in the order there.
PIECES = {"x86-pc": ((0, 128 << 20),), "x86-q35": ((0, 128 << 20),),
          "arm": ((0x40000000, 128 << 20),), "aarch64": ((0x40000000, 128 << 20),),
          "cortexm": ((0, 4 << 20), (0x20000000, 4 << 20), (0x21000000, 16 << 20)),
          "cortexm33": ((0x10000000, 4 << 20), (0x38000000, 2 << 20), (0x38200000, 2 << 20),
                        (0x80000000, 16 << 20)),
          "riscv64": ((0x80000000, 128 << 20),)}
WORD, LINE = 0x600DF00D, 64  # of sw/programs/buffer.c


def platform_address(machine, guest):
    """Of a guest address in the RAM of the master."""
    at = RAM
    for address, size in PIECES[machine]:
        if address <= guest < address + size:
            return at + guest - address
        at += size
    raise AssertionError(f"{guest:#x} is not in the RAM of {machine}")


def alone(machine, image, *options):
    return ("--slaves", 0, "--master.machine", machine, "--master.image", image, *options)


def end_of_buffer(machine):
    """Exit status of a run that the program buffer ends: a Cortex-M has no switch."""
    return 2 if machine.startswith("cortexm") else 0


PLATFORMS = ("--master.memory", "platform")


class Ram(PlatformTest):
    def check_same(self, qemu, platform):
        """All that a guest can know of, and when."""
        self.assertEqual(qemu.console(), platform.console())
        first, second = qemu.module("master"), platform.module("master")
        for key in ("instructions", "virtual_ns", "stall_ns", "requests", "interrupts", "state"):
            self.assertEqual(first[key], second[key], key)
        self.assertEqual(qemu.vcd().signals, platform.vcd().signals)

    @ctest(timeout=600)
    def test_is_what_qemus_own_would_be(self):
        for machine in MACHINES:
            for image in ("smoke", "copy"):
                with self.subTest(machine=machine, image=image):
                    options = alone(machine, image)
                    qemu = self.simulate(*options)
                    platform = self.simulate(*options, *PLATFORMS)
                    self.check_same(qemu, platform)
                    size = sum(size for _, size in PIECES[machine])
                    self.assertEqual(platform.module("master_memory")["size"], size)

    def test_several_cpus_and_slaves(self):
        options = ("--master.machine", "aarch64", "--master.cpus", 4, "--master.image", "smp",
                   "--slaves", 2, "--slave.image", "idle", "--slave1.machine", "cortexm")
        ram = ("--master.memory", "platform:256", "--slave.memory", "platform")
        for mode in ("parallel", "serial"):
            qemu = self.simulate(*options, "--master.memory", 256, "--mode", mode)
            first, second = (self.simulate(*options, *ram, "--mode", mode) for _ in range(2))
            self.check_same(qemu, first)
            self.assert_same(first, second)

    def run_buffer(self, machine, *options):
        return self.simulate(*alone(machine, "buffer", *options), status=end_of_buffer(machine))

    def buffer(self, machine):
        """The guest address of the program's buffer."""
        results = self.run_buffer(machine).results()
        self.assertEqual(results["answer"], "0x0")
        return int(results["address"], 0)

    @ctest(timeout=600)
    def test_others_reach_it(self):
        for machine in MACHINES:
            with self.subTest(machine=machine):
                place = platform_address(machine, self.buffer(machine))
                run = self.run_buffer(machine, *PLATFORMS, "--load", READER, "--add",
                                      f"dma=ram_reader,address={place:#x}")
                self.assertEqual(run.number("answer"), ~WORD & 0xFFFFFFFF)
                self.assertEqual(run.module("dma")["word"], WORD)
                self.assertEqual(run.module("dma")["after"], WORD)  # by debug transport, at the end

    def every(self, machine, *options):
        """A run that sees all accesses to the master's RAM, and these: (address, bytes, is a
        store, start in ps), in their order."""
        log = self.path(f"{machine}.db")
        run = self.run_buffer(machine, *PLATFORMS, "--observe", "master.memory=every", "--log",
                              log, *options)
        with sqlite3.connect(log) as database:
            rows = [(address, length, command == "write", start) for
                    address, length, command, start in database.execute(
                        "SELECT address, length, command, start_ps FROM log WHERE "
                        "target = 'master_memory' AND initiator = 'master' ORDER BY id")]
        return run, rows

    @ctest(timeout=600)
    def test_every_access_is_seen_and_the_cache_model_has_it(self):
        cache = ("--cache", "l1.size=1k", "--cache", "l1.ways=2", "--cache", "line=32")
        for machine in ("arm", "aarch64", "cortexm", "cortexm33", "riscv64"):
            with self.subTest(machine=machine):
                run, accesses = self.every(machine)
                counts = run.module("master")["every"]
                self.assertEqual(counts["loads"] + counts["stores"], len(accesses))
                self.assertEqual(counts["stores"], sum(a[2] for a in accesses))
                self.assertEqual(counts["lost"], 0)
                at = platform_address(machine, run.number("address"))
                # The start-up clears it, and the program writes it.
                self.assertEqual([a[2] for a in accesses if a[0] == at], [True, True])
                # It waits for the second word for 200 us, and reads it once more.
                polled = [a for a in accesses if a[0] == at + 4 and not a[2]]
                self.assertGreater(len(polled), 100)
                self.assertEqual({a[1] for a in polled}, {4})
                self.assertAlmostEqual(polled[-1][3] - polled[0][3], 200e6, delta=1e6)
                self.assertEqual(run.results()["cleared"], "yes")
                lines = range(at + LINE, at + 5 * LINE, LINE)
                words = [(line, 4, True) for line in lines]
                written = [a[:3] for a in accesses[accesses.index(polled[-1]):] if a[2] and
                           at + LINE <= a[0] < at + 5 * LINE]
                if machine == "aarch64":  # a line at a time
                    cleared = [(line, LINE, True) for line in lines]
                    self.assertEqual(written, [a for both in zip(words, cleared) for a in both])
                else:
                    self.assertEqual(len(written), 4 * (1 + LINE // 4))
                cached = self.run_buffer(machine, *PLATFORMS, *cache, "--observe", "cached")
                self.assertEqual(cached.console(), run.console())
                expected = cache_model.simulate([a[:3] for a in accesses], 32, (1024, 2))
                counts = cached.module("master")["cache"]
                self.assertEqual({key: counts[key] for key in expected}, expected)
                memory = cached.module("master_memory")
                self.assertEqual(memory["reads"], counts["l1_misses"])
                self.assertEqual(memory["writes"], counts["write_backs"])

    @ctest(timeout=600)
    def test_firmware_and_program_of_a_pc_hit_as_in_a_cache_of_transactions(self):
        # SeaBIOS runs from RAM that shadows its ROM; only the RAM counts.
        for machine in ("x86-pc", "x86-q35"):
            options = (*PLATFORMS, "--cache", "l1.size=4k", "--observe")
            cached = self.run_buffer(machine, *options, "cached")
            exact = self.run_buffer(machine, *options, "every-cached")
            self.assertEqual(cached.console(), exact.console())
            counts, same = cached.module("master")["cache"], exact.module("cache_master")
            self.assertGreater(counts["stores"], 1000000)
            self.assertEqual(counts["loads"], same["reads"])
            self.assertEqual(counts["stores"], same["writes"])
            self.assertEqual(counts["l1_misses"], same["read_misses"] + same["write_misses"])
            self.assertEqual(counts["write_backs"], same["write_backs"])
            for key in ("reads", "writes", "read_bytes", "written_bytes"):
                self.assertEqual(cached.module("master_memory")[key],
                                 exact.module("master_memory")[key], key)

    def test_caches_of_transactions_find_ram_wherever_it_lies(self):
        options = ("--cache", "l1.size=4k", "--observe", "master.memory=every-cached")
        own = self.run_buffer("arm", *PLATFORMS, *options)
        added = self.run_buffer("arm", "--master.memory", "platform@ram+16M", "--add",
                                "ram=memory@0x3000000000,size=256M", *options)
        self.assertEqual(own.console(), added.console())
        self.assertGreater(own.module("cache_master")["read_misses"], 5)
        for key in ("reads", "writes", "read_misses", "write_misses", "write_backs"):
            self.assertEqual(own.module("cache_master")[key], added.module("cache_master")[key], key)

    def test_fetches_are_those_of_the_program(self):
        for machine, instruction in (("arm", 4), ("riscv64", 4), ("cortexm", 4)):
            with self.subTest(machine=machine):
                plain, accesses = self.every(machine)
                run, all_of_them = self.every(machine, "--cache", "fetches=on")
                counts = run.module("master")["every"]
                self.assertEqual(counts["fetches"], len(all_of_them) - len(accesses))
                self.assertEqual(plain.console(), run.console())
                # A line of a block has at most as many instructions as fit (a short one is half).
                most = 2 * 64 // instruction
                self.assertGreaterEqual(counts["fetches"] * most,
                                        run.module("master")["instructions"])
                self.assertLess(counts["fetches"], run.module("master")["instructions"])
                code = {a[0] for a in all_of_them} - {a[0] for a in accesses}
                self.assertTrue(all(address % 64 == 0 for address in code))

    def test_delay_of_misses_stalls_the_guest(self):
        bus = ("--interconnect", "bus", "--set", "clock=10ns", "--set", "width=4")
        options = alone("arm", "copy", *PLATFORMS, *bus, "--param", "rounds=1", "--param",
                        "size=65536")
        direct = self.simulate(*options)
        cached = self.simulate(*options, "--observe", "master.memory=cached")
        memory = cached.module("master_memory")
        stall = cached.module("master")["stall_ns"] - direct.module("master")["stall_ns"]
        # A line of 64 bytes takes 16 cycles of data at least.
        self.assertGreaterEqual(stall, 160 * (memory["reads"] + memory["writes"]))
        self.assertGreater(cached.number("ns"), direct.number("ns"))

    def test_observed_runs_are_reproducible(self):
        options = ("--slave.machine", "cortexm", "--slaves", 2, "--master.image", "smoke",
                   "--slave.image", "smoke", "--master.memory", "platform", "--slave.memory",
                   "platform", "--observe", "cached", "--cache", "fetches=on", "--cache",
                   "replacement=random", "--interconnect", "mesh")
        for mode in ("parallel", "serial"):
            self.assert_same(*(self.simulate(*options, "--mode", mode) for _ in range(2)))

    def test_forbidden_direct_access_has_every_access_told(self):
        plain = self.run_buffer("arm")
        run = self.run_buffer("arm", *PLATFORMS, "--set", "dmi=false")
        self.assertEqual(plain.console(), run.console())
        every, _ = self.every("arm")
        self.assertEqual(run.module("master")["every"], every.module("master")["every"])

    def test_only_the_range_that_was_asked_for(self):
        start = self.buffer("arm") - PIECES["arm"][0][0]
        start -= start % 4096
        log = self.path("log.db")
        self.run_buffer("arm", *PLATFORMS, "--log", log, "--observe",
                        f"master.memory:{start:#x}+4k=every")
        with sqlite3.connect(log) as database:
            addresses = {row[0] for row in database.execute(
                "SELECT address FROM log WHERE target = 'master_memory'")}
        self.assertGreater(len(addresses), 2)
        self.assertEqual({a - a % 4096 for a in addresses}, {RAM + start})

    def test_in_free_mode(self):
        # The host decides how late an interrupt is there, and no host is late for ever.
        run = self.simulate(*alone("arm", "smoke"), *PLATFORMS, "--mode", "free", "--param",
                            "late=60000000000")
        self.assertIn("EXIT 0", run.console())

    # ---- systems from files ----

    BEHIND_DRAM = """
[run]
time-limit = "1s"
[instance]
cpu0 = { machine = "arm", image = "buffer", memory = "platform:64@dram+32M", to = "bus" }
cpu1 = { machine = "cortexm", image = "buffer", memory = "platform", to = "bus" }
[interconnect.bus]
kind = "bus"
map = [ { at = 0x3000000000, to = "dram", size = "96M" } ]
[part]
dram = { kind = "dram", to = "memory" }
memory = { kind = "memory", size = "128M" }
"""
    INTERLEAVED = """
[run]
time-limit = "1s"
[instance]
cpu0 = { machine = "riscv64", image = "buffer", memory = "platform:16@left", to = "mesh" }
[interconnect.mesh]
kind = "mesh"
map = [ { at = 0x3000000000, to = ["left", "right"], granule = "4k" } ]
[part]
left = { kind = "memory", size = "8M" }
right = { kind = "memory", size = "8M" }
"""

    def described(self, text, *options, **how):
        path = self.path("system.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return self.simulate(*options, platform=(SYSTEM, path), **how)

    def test_behind_a_dram_of_a_described_system(self):
        plain = self.described(re.sub(r'memory = "platform[^"]*", ', "", self.BEHIND_DRAM))
        run = self.described(self.BEHIND_DRAM, "--observe", "cached")
        for cpu in ("cpu0", "cpu1"):
            self.assertIn("EXIT 0", run.console(cpu))
            self.assertEqual(re.sub("0x[0-9a-f]+", "", run.console(cpu)),
                             re.sub("0x[0-9a-f]+", "", plain.console(cpu)))
        counts = run.module("cpu0")["cache"]
        self.assertGreater(counts["l1_misses"], 50)
        self.assertEqual(run.module("memory")["reads"], counts["l1_misses"])
        dram = run.module("dram")
        self.assertEqual(dram["hits"] + dram["misses"] + dram["conflicts"],
                         counts["l1_misses"] + counts["write_backs"])
        self.assertEqual(run.module("cpu1_memory")["reads"],
                         run.module("cpu1")["cache"]["l1_misses"])

    def test_in_interleaved_memories(self):
        run = self.described(self.INTERLEAVED, "--observe", "cpu0.memory=cached")
        self.assertIn("EXIT 0", run.console("cpu0"))
        reads = [run.module(name)["reads"] for name in ("left", "right")]
        self.assertGreater(min(reads), 10)
        self.assertEqual(sum(reads), run.module("cpu0")["cache"]["l1_misses"])

    # ---- what the user is told ----

    def dry_run(self, *options):
        return self.simulate("--dry-run", *options, out=False).stdout

    def test_dry_run_shows_where_it_lies(self):
        shown = self.dry_run(*alone("x86-pc", "smoke"), *PLATFORMS)
        for line in ("0x0000000000 to 0x000009ffff  own RAM, in master_memory (platform "
                     "0x2000000000)",
                     "0x0000100000 to 0x0007ffffff  own RAM, in master_memory (platform "
                     "0x2000100000)"):
            self.assertIn(line, shown)
        # Behind the devices RAM goes on at 4 GiB, and what a window hides is not seen.
        shown = self.dry_run(*alone("x86-q35", "smoke"), "--master.memory", "platform:4096")
        self.assertIn("0x0000100000 to 0x007fffffff  own RAM", shown)
        self.assertIn("0x0100000000 to 0x017fffffff  own RAM, in master_memory (platform "
                      "0x2080000000)", shown)

    def test_size_is_that_of_what_goes_behind(self):
        config = self.path("config.ini")
        with open(config, "w", encoding="ascii") as file:
            file.write("[master]\nmemory = 192\n[slave]\nmemory = 96\n")
        shown = self.dry_run("--config", config, *PLATFORMS, "--slave0.memory", "platform")
        self.assertIn(" -m 192M ", shown)
        self.assertIn(" -m 96M ", shown)
        self.assertIn("0x0040000000 to 0x0045ffffff  own RAM, in slave0_memory", shown)

    def test_refused(self):
        ram = ("--add", "ram=memory@0x3000000000,size=256M")
        for options, sentence in (
                (("--master.memory", "somewhere"), "impossible master.memory 'somewhere'; give MIB"),
                (("--master.memory", "128@ram"), "impossible master.memory '128@ram'"),
                (("--master.memory", "platform:"), "impossible master.memory 'platform:'"),
                (("--master.memory", "platform@"), "the place in master.memory 'platform@' is empty"),
                (("--master.memory", "platform@ram"),
                 "master sees no 'ram' in which its RAM could lie"),
                (("--master.memory", "platform@shm", "--shared-memory", "1G"),
                 "the shared memory is no place for RAM"),
                ((*ram, "--master.memory", "platform:512@ram"),
                 "the RAM of master of 512 MiB does not fit into 'ram'"),
                ((*ram, "--master.memory", "platform@ram+200M"),
                 "the RAM of master of 128 MiB does not fit into 'ram+200M'"),
                ((*ram, "--master.memory", "platform@ram", "--slave0.memory", "platform@ram+64M"),
                 "the RAM of master and that of slave0 overlap in 'ram'"),
                (("--master.machine", "cortexm", "--master.memory", "platform:32"),
                 "machine cortexm has 24 MiB of RAM and no other size"),
                (("--slave.boot", "master", "--slave.memory", "platform:64"),
                 "the RAM of slave0 is what its master gives it"),
                ((*PLATFORMS, "--observe", "master.memory=every", "--mode", "free"),
                 "in free mode no time is counted, so RAM cannot be observed"),
                ((*PLATFORMS, "--mode", "free", "--set", "dmi=false"),
                 "master: the interconnect grants no direct access to its RAM, at 0x2000000000"),
                (("--observe", "master.memory=cached"),
                 "there is no memory 'master.memory' to observe; known are shm"),
                ((*PLATFORMS, "--observe", "master.memory:0+64=cached"),
                 "a range to observe is not in whole 4 KiB pages"),
                ((*PLATFORMS, "--observe", "master.memory:120M+16M=every"),
                 "leaves the memory master.memory"),
                ((*PLATFORMS, "--observe", "master.memory:1M=every"),
                 "impossible range 'master.memory:1M' to observe")):
            base = () if "--master.machine" in options else ("--master.machine", "arm")
            self.assertIn(sentence, self.refused(*base, "--master.image", "smoke", "--slave.image",
                                                 "smoke", *options))
        numa = "-object memory-backend-ram,id=m,size=128M -numa node,memdev=m"
        self.assertRegex(
            self.refused(*alone("arm", "smoke"), *PLATFORMS, f"--master.qemu-args={numa}"),
            r"master: QEMU \S+ does not have its RAM 'mach-virt.ram' at guest address 0x40000000")


if __name__ == "__main__":
    main()
