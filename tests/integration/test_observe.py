# SPDX-License-Identifier: Apache-2.0
"""Memory observed directly, access by access, and through the cache model."""
import sqlite3

import bundle
import cache_model
from platform_run import PlatformTest, guest, main

COPY = ("--slaves", 0, "--master.machine", "arm", "--master.image", "copy", "--param",
        "target=shm", "--param", "rounds=1", "--param", "size=65536", "--interconnect", "bus")
SIZE, LINE = 65536, 64
# The adapter gives up when it does not find QEMU's TLB, instead of taking the long way each time.
SHORT = {"TANDEM_TEST_NEED_TLB": "1"}
LONG = {"TANDEM_TEST_HIDE_TLB": "1"}


class Observe(PlatformTest):
    def observed(self, *options, base=COPY):
        run = self.simulate(*base, *options)
        return run, run.module("master"), run.module("shm")

    def test_same_accesses_in_every_mode(self):
        _, direct, direct_memory = self.observed()
        every_run, every, every_memory = self.observed("--observe", "every")
        run, cached, memory = self.observed("--observe", "cached")
        self.assertEqual(run.results()["crc"], every_run.results()["crc"])
        self.assertEqual(direct["instructions"], every["instructions"])
        self.assertEqual(direct["instructions"], cached["instructions"])
        self.assertNotIn("cache", direct)
        self.assertEqual(direct_memory["reads"] + direct_memory["writes"], 0)
        counts = cached["cache"]
        self.assertEqual(counts["loads"], every_memory["reads"])
        self.assertEqual(counts["stores"], every_memory["writes"])
        self.assertEqual(counts["l1_hits"] + counts["l1_misses"],
                         counts["loads"] + counts["stores"])
        self.assertEqual(memory["reads"], counts["l1_misses"])
        self.assertEqual(memory["writes"], counts["write_backs"])
        self.assertEqual(counts["lost"], 0)
        # The block is larger than the cache, and each line of it is written once.
        self.assertEqual(counts["write_backs"], SIZE // LINE)

    def test_delay_of_misses_stalls_the_guest(self):
        # Every transfer takes the same time on a bus without contention: one address cycle and
        # as many data cycles as a line has words.
        run, master, memory = self.observed("--observe", "cached", "--set", "clock=10ns", "--set",
                                            "width=4", "--set", "overhead=1")
        direct, _, _ = self.observed()
        transfers = memory["reads"] + memory["writes"]
        each = 10 * (1 + LINE // 4)
        stall = master["stall_ns"] - direct.module("master")["stall_ns"]
        # Each waits for the next edge of the bus clock, for less than a period.
        self.assertGreaterEqual(stall, transfers * each)
        self.assertLess(stall, transfers * (each + 10))
        # The loops read the clock around most of it: the guest has felt it.
        felt = run.number("ns") - direct.number("ns")
        self.assertGreater(felt, 0.5 * stall)
        self.assertLessEqual(felt, stall)

    def test_a_cache_that_holds_everything_misses_once_a_line(self):
        _, master, _ = self.observed("--observe", "cached", "--cache", "l1.size=1M", "--cache",
                                     "l1.ways=16")
        counts = master["cache"]
        self.assertEqual(counts["write_backs"], 0)
        # The block's lines and the one of the parameter page.
        self.assertAlmostEqual(counts["l1_misses"], SIZE // LINE, delta=3)

    def test_second_level_takes_what_the_first_loses(self):
        _, alone, _ = self.observed("--observe", "cached")
        _, master, memory = self.observed("--observe", "cached", "--cache", "l2.size=256k")
        counts = master["cache"]
        self.assertEqual(counts["l1_misses"], alone["cache"]["l1_misses"])
        self.assertEqual(counts["l2_hits"] + counts["l2_misses"], counts["l1_misses"])
        self.assertAlmostEqual(counts["l2_misses"], SIZE // LINE, delta=3)
        self.assertEqual(counts["write_backs"], 0)
        self.assertEqual(memory["reads"], counts["l2_misses"])

    def test_only_the_range_that_was_asked_for(self):
        # The block lies behind 0x10000 (GUEST_MAP_INPUT_OFFSET); half of it is observed.
        _, master, memory = self.observed("--observe", f"0x10000+{SIZE // 2}=cached", "--cache",
                                          "l1.size=4k")
        self.assertEqual(master["cache"]["stores"], SIZE // 2 // 4)
        self.assertEqual(memory["writes"], SIZE // 2 // LINE)

    def test_later_ranges_go_before_earlier_ones(self):
        _, master, memory = self.observed("--observe", "every", "--observe", "0+1M=direct")
        self.assertEqual(memory["reads"] + memory["writes"], 0)
        self.assertNotIn("cache", master)

    def test_reproducible_with_several_cpus_and_slaves(self):
        options = ("--master.machine", "aarch64", "--master.cpus", 4, "--master.image", "smp",
                   "--slave.image", "idle", "--observe", "cached", "--cache", "fetches=on",
                   "--cache", "replacement=random", "--cache", "l1.size=1k", "--interconnect",
                   "bus")
        self.assert_same(self.simulate(*options), self.simulate(*options))

    def accesses(self, *base):
        """All accesses of the master to the shared memory, from a run that sees each of them."""
        log = self.path("log.db")
        self.simulate(*base, "--observe", "every", "--log", log)
        with sqlite3.connect(log) as database:
            return [(address, length, command == "write") for address, length, command in
                    database.execute("SELECT address, length, command FROM log WHERE "
                                     "target = 'shm' AND initiator = 'master' ORDER BY id")]

    def check_against_the_trace(self, *base, **how):
        accesses = self.accesses(*base)
        self.assertGreater(len(accesses), 3000)
        for l1, l2, line, replacement in (((32768, 4), None, 64, "lru"),
                                          ((4096, 2), None, 32, "lru"),
                                          ((2048, 1), (16384, 4), 64, "fifo"),
                                          ((1024, 4), (8192, 8), 16, "lru")):
            options = ["--cache", f"l1.size={l1[0]}", "--cache", f"l1.ways={l1[1]}", "--cache",
                       f"line={line}", "--cache", f"replacement={replacement}"]
            if l2:
                options += ["--cache", f"l2.size={l2[0]}", "--cache", f"l2.ways={l2[1]}"]
            counts = self.simulate(*base, "--observe", "cached", *options,
                                   **how).module("master")["cache"]
            expected = cache_model.simulate(accesses, line, l1, l2, replacement)
            self.assertEqual({key: counts[key] for key in expected}, expected, str(options))

    def test_copy_hits_and_misses_as_its_trace_says(self):
        self.check_against_the_trace(*COPY)

    def test_pointer_chase_hits_and_misses_as_its_trace_says(self):
        self.check_against_the_trace("--slaves", 0, "--master.machine", "aarch64",
                                     "--master.image", "chase", "--param", "stride=68",
                                     "--interconnect", "bus")

    def test_remapped_pages_hit_where_they_are_now(self):
        # One virtual page leads to another place in every way that the MMU has (sw/programs/
        # remap.c). What is known of a virtual address must not outlive its translation. Of
        # instructions across two pages QEMU 7.2 tells twice; they count once.
        for machine in ("x86-pc", "aarch64", "arm"):
            with self.subTest(machine=machine):
                self.check_against_the_trace(
                    "--slaves", 0, "--master.machine", machine, "--master.image", "remap",
                    "--interconnect", "bus", environment=SHORT)
                cached, exact = self.check_exact("--slaves", 0, "--master.machine", machine,
                                                 "--master.image", "remap", "--interconnect", "bus",
                                                 environment=SHORT)
                self.assertEqual(cached.number("wrong"), 0)
                self.assertEqual(exact.number("wrong"), 0)

    def test_short_way_of_hits_changes_nothing(self):
        # All machines have other TLBs; CPUs have caches of their own, and share lines.
        for machine, cpus, image, options in (
                ("cortexm", 1, "triad", ("--cache", "line=16", "--cache", "l1.size=1k")),
                ("riscv64", 1, "matmul", ("--slave.image", "matmul", "--param", "n=16")),
                ("aarch64", 2, "triad", ("--param", "cpus=2", "--cache", "replacement=random")),
                ("arm", 2, "smp", ("--cache", "fetches=on", "--cache", "l2.size=64k"))):
            with self.subTest(machine=machine):
                slaves = 1 if image == "matmul" else 0
                options = ("--slaves", slaves, "--master.machine", machine, "--master.cpus", cpus,
                           "--master.image", image, "--observe", "cached", "--interconnect", "bus", *options)
                self.assert_same(self.simulate(*options, environment=SHORT),
                                 self.simulate(*options, environment=LONG))

    def transfers(self, observe, *options, **how):
        """All transactions with the shared memory, with their times, and the run."""
        log = self.path(observe + ".db")
        run = self.simulate(*options, "--observe", observe, "--log", log, **how)
        with sqlite3.connect(log) as database:
            rows = database.execute("SELECT initiator, start_ps, end_ps, command, address, length "
                                    "FROM log WHERE target = 'shm' ORDER BY id")
            return run, list(rows)

    def check_exact(self, *options, **how):
        """A lone initiator: the transfers of both cache models are the same, to the picosecond."""
        cached_run, cached = self.transfers("cached", *options, **how)
        exact_run, exact = self.transfers("every-cached", *options, **how)
        self.assertGreater(len(exact), 300)
        self.assertEqual(cached, exact)
        self.assertEqual(cached_run.module("master")["stall_ns"],
                         exact_run.module("master")["stall_ns"])
        return cached_run, exact_run

    def test_alone_all_times_are_those_of_every_access(self):
        for workload, machine, interconnect, cache in (
                ("triad", "arm", "bus", ()),
                ("triad", "x86-pc", "mesh", ("--cache", "line=32", "--cache", "l1.size=2k")),
                ("chase", "aarch64", "mesh", ("--cache", "replacement=fifo", "--cache",
                                              "l1.size=1k", "--cache", "l2.size=4k"))):
            with self.subTest(workload=workload, machine=machine):
                cached, exact = self.check_exact(
                    "--slaves", 0, "--master.machine", machine, "--master.image", workload,
                    "--param", "n=2k", "--interconnect", interconnect, *cache, "--cache",
                    "batch=1")
                # With a batch of one the guest's own clock is right as well.
                self.assertEqual(cached.results(), exact.results())

    def test_clock_read_within_a_batch_misses_its_stall(self):
        cached, exact = self.check_exact("--slaves", 0, "--master.machine", "aarch64",
                                         "--master.image", "triad", "--param", "n=2k",
                                         "--interconnect", "mesh", "--cache", "l1.size=2k")
        self.assertLess(cached.number("ns"), exact.number("ns"))
        self.assertEqual(cached.module("master")["virtual_ns"],
                         exact.module("master")["virtual_ns"])

    def test_slaves_that_contend_take_the_time_of_every_access(self):
        options = ("--slaves", 2, "--master.image", "pipeline", "--slave.image", "pipeline",
                   "--param", "items=20", "--param", "size=256", "--cache", "l1.size=1k",
                   "--interconnect", "bus")
        cached, exact = (self.simulate(*options, "--observe", observe)
                         for observe in ("cached", "every-cached"))
        for i in ("master", "slave0", "slave1"):
            counts, same = cached.module(i)["cache"], exact.module("cache_" + i)
            self.assertEqual(counts["l1_misses"], same["read_misses"] + same["write_misses"])
            self.assertEqual(counts["write_backs"], same["write_backs"])
        # Requests of the same time may change places.
        self.assertAlmostEqual(cached.number("ns") / exact.number("ns"), 1, delta=0.001)

    def test_slave_that_runs_from_observed_memory(self):
        # Program, stack and data of a slave that the master boots lie in the shared memory.
        images = self.path("bundle")
        bundle.write(images, [guest("arm", "boot_report")])
        run = self.simulate("--master.image", "boot_cycle", "--slave.boot", "master", "--input",
                            images, "--param", "cycles=2", "--observe", "cached", "--cache",
                            "fetches=on", "--interconnect", "bus")
        counts = run.module("slave0")["cache"]
        self.assertGreater(counts["fetches"], 100)
        self.assertGreater(counts["stores"], 100)
        self.assertEqual(counts["lost"], 0)

    def test_refused(self):
        for option, sentence in (
                ("cached=4", "unknown way '4' to observe memory; known are direct, every, cached,"),
                ("0+64=cached", "a range to observe is not in whole 4 KiB pages"),
                ("60M+8M=every", "leaves the shared memory")):
            self.assertIn(sentence, self.refused(*COPY, "--observe", option))
        for option, sentence in (
                ("line=48", "impossible cache line of 48 bytes"),
                ("replacement=best", "unknown cache replacement 'best'; known are lru, fifo, random"),
                ("l1.ways=3", "impossible L1 cache of 32768 bytes in 3 ways"),
                ("l2.size=100", "impossible L2 cache of 100 bytes"),
                ("batch=0", "impossible cache batch of 0 transfers"),
                ("l3.size=4k", "impossible cache parameter 'l3.size=4k'")):
            self.assertIn(sentence, self.refused(*COPY, "--observe", "cached", "--cache", option))
        for way in ("cached", "every-cached"):
            self.assertIn("in free mode no time is counted",
                          self.refused(*COPY, "--observe", way, "--mode", "free"))
        for options, sentence in (
                (("--cache", "fetches=on"), "every-cached sees no instruction fetches"),
                (("--master.cpus", 2), "every-cached is for instances with one CPU"),
                (("--cache", "replacement=random"), "unknown replacement 'random'"),
                (("--cache", "l1.ways=3"), "impossible size of 32768 bytes in 3 ways")):
            self.assertIn(sentence, self.refused(*COPY, "--observe", "every-cached", *options))


if __name__ == "__main__":
    main()
