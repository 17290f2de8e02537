# SPDX-License-Identifier: Apache-2.0
"""Observation that changes while a run goes on: --observe-from and --warm
(docs/observing-memory.md). sw/programs/marks.c says what is in its regions."""
import collections
import os
import sqlite3

import bundle
import cache_model
from platform_run import PLATFORM, PlatformTest, ctest, guest, main

SYSTEM = os.path.join(os.path.dirname(PLATFORM), "tandem-system")
N, M, REST = 96, 40, 24
# Nothing that a transaction does takes time, so the time of an access counts instructions.
NO_TIME = ("--interconnect", "router")
BEGIN, END = 0x3008, 0x300C  # registers of the IDM, on whose writes regions begin and end
SMALL = ("--cache", "l1.size=1k", "--cache", "l1.ways=2", "--cache", "line=32")


def alone(machine="arm", *parameters):
    options = ["--slaves", 0, "--master.machine", machine, "--master.image", "marks"]
    for parameter in (*parameters, f"n={N}", f"m={M}", f"rest={REST}"):  # the first one holds
        options += ["--param", parameter]
    return options


def within(region, way, what=""):
    """Observed so in this region, and directly outside."""
    return ("--observe-from", f"region:{region}={what}{way}", "--observe-from",
            f"region-end:{region}={what}direct")


class ObserveFrom(PlatformTest):
    def logged(self, *options, **how):
        """The run, and its log: (start in ps, target, address, bytes, is a write) in order."""
        log = self.path("run.db")
        if os.path.exists(log):
            os.remove(log)
        run = self.simulate(*options, "--log", log, **how)
        with sqlite3.connect(log) as database:
            rows = [(start, target, address, length, command == "write")
                    for start, target, address, length, command in database.execute(
                        "SELECT start_ps, target, address, length, command FROM log "
                        "WHERE initiator = 'master' ORDER BY id")]
        return run, rows

    @staticmethod
    def of(rows, target):
        return [row[2:] for row in rows if row[1] == target]

    @staticmethod
    def regions(rows, target, number=0):
        """What is accessed between the begin and the end of each region that begins `number`th in
        a round of two, as (start, address, bytes, is a write)."""
        found, begun, inside = [], 0, None
        for start, where, *access in rows:
            register = access[0] & 0xFFFF if where.startswith("idm") and access[2] else 0
            if register == BEGIN:
                begun += 1
                inside = [] if (begun - 1) % 2 == number else None
            elif register == END:
                if inside is not None:
                    found.append(inside)
                inside = None
            elif inside is not None and where == target:
                inside.append((start, *access))
        return found

    # ---- every access, between the marks and nowhere else

    @ctest(timeout=600)
    def test_every_access_between_the_marks(self):
        for machine in ("x86-pc", "arm", "aarch64", "cortexm33", "riscv64"):
            with self.subTest(machine):
                options = alone(machine, "rounds=3")
                plain, all_of_them = self.logged(*options, "--observe", "every")
                run, rows = self.logged(*options, *within(1, "every"), *within(2, "every"))
                expected = [a[1:] for both in zip(self.regions(all_of_them, "shm"),
                                                  self.regions(all_of_them, "shm", 1))
                            for region in both for a in region]
                self.assertEqual(len(expected), 3 * (N + M))
                self.assertEqual(self.of(rows, "shm"), expected)
                memory = run.module("shm")
                self.assertEqual((memory["writes"], memory["reads"]), (3 * N, 3 * M))
                self.assertEqual(run.module("master")["instructions"],
                                 plain.module("master")["instructions"])
                regions = run.statistics()["regions"]
                counts = {name: region["modules"]["shm"] for name, region in regions.items()}
                self.assertEqual((counts["region 1"]["writes"], counts["region 2"]["reads"]),
                                 (3 * N, 3 * M))
                self.assertEqual((counts["rest"]["writes"], counts["rest"]["reads"]), (0, 0))

    def test_directly_between_the_marks_and_every_access_elsewhere(self):
        options = alone("arm", "rounds=2")
        _, all_of_them = self.logged(*options, "--observe", "every")
        _, rows = self.logged(*options, "--observe", "every", "--observe-from",
                              "region:1=direct", "--observe-from", "region-end:1=every")
        inside = collections.Counter(a[1:] for r in self.regions(all_of_them, "shm") for a in r)
        outside = collections.Counter(self.of(all_of_them, "shm"))
        outside.subtract(inside)
        self.assertEqual(collections.Counter(self.of(rows, "shm")), +outside)
        self.assertEqual(self.regions(rows, "shm"), [[], []])

    def test_ram_on_the_platform(self):
        for machine in ("arm", "aarch64", "riscv64"):
            with self.subTest(machine):
                options = (*alone(machine, "rounds=2"), "--master.memory", "platform", *NO_TIME)
                plain, all_of_them = self.logged(*options, "--observe", "master.memory=every")
                run, rows = self.logged(*options, *within(1, "every", "master.memory="))
                expected = [a[1:] for r in self.regions(all_of_them, "master_memory") for a in r]
                self.assertGreater(len(expected), 10)
                self.assertEqual(self.of(rows, "master_memory"), expected)
                counts = run.module("master")["every"]
                self.assertEqual(counts["loads"] + counts["stores"], len(expected))
                self.assertEqual(self.of(rows, "shm"), [])
                self.assertEqual(run.console(), plain.console())

    def test_fetches(self):
        options = (*alone("arm", "rounds=2"), "--master.memory", "platform", "--cache",
                   "fetches=on", *NO_TIME)
        plain = self.simulate(*options, "--observe", "master.memory=every")
        run = self.simulate(*options, *within(1, "every", "master.memory="))
        region = plain.statistics()["regions"]["region 1"]["modules"]["master"]["every"]
        self.assertGreater(region["fetches"], 20)
        self.assertEqual(run.module("master")["every"], region)

    def test_of_two_memories_only_that_which_is_named(self):
        options = (*alone("arm"), "--master.memory", "platform")
        shared = self.simulate(*options, *within(1, "every", "shm="))
        self.assertEqual(shared.module("shm")["writes"], N)
        self.assertNotIn("every", shared.module("master"))
        own = self.simulate(*options, *within(1, "every", "master.memory="))
        self.assertEqual(own.module("shm")["writes"], 0)
        self.assertGreater(own.module("master")["every"]["loads"], 10)
        both = self.simulate(*options, *within(1, "every"))
        self.assertEqual(both.module("shm")["writes"], N)
        self.assertEqual(both.module("master")["every"], own.module("master")["every"])

    def test_only_the_range_that_was_asked_for(self):
        # 4096 words, of which 1024 are in the second page.
        options = alone("arm", "n=4096", "words=4k", "rest=0")
        _, all_of_them = self.logged(*options, "--observe", "every")
        first = self.regions(all_of_them, "shm")[0][0][1]
        offset = first - 0x1000000000  # of the shared memory
        run, rows = self.logged(*options, *within(1, "every", f"{offset + 4096:#x}+4k="))
        self.assertEqual([row[0] for row in self.of(rows, "shm")],
                         list(range(first + 4096, first + 8192, 4)))
        self.assertEqual(run.module("shm")["reads"], 0)

    # ---- the cache model

    def test_caches_are_empty_when_it_begins(self):
        for machine in ("x86-pc", "aarch64", "riscv64"):
            with self.subTest(machine):
                options = alone(machine, "rounds=3", "words=4k", "n=600")
                plain, all_of_them = self.logged(*options, "--observe", "every")
                run, rows = self.logged(*options, *SMALL, *within(1, "cached"))
                counts = run.module("master")["cache"]
                expected = collections.Counter()
                for region in self.regions(all_of_them, "shm"):
                    expected.update(cache_model.simulate([a[1:] for a in region], 32, (1024, 2)))
                self.assertEqual(counts["stores"], 3 * 600)
                self.assertEqual({key: counts[key] for key in expected}, dict(expected))
                memory = run.module("shm")
                self.assertEqual(memory["reads"], counts["l1_misses"])
                self.assertEqual(memory["writes"], counts["write_backs"])
                self.assertEqual(len(self.of(rows, "shm")),
                                 counts["l1_misses"] + counts["write_backs"])
                self.assertEqual(run.module("master")["instructions"],
                                 plain.module("master")["instructions"])

    def test_warmed_to_the_instruction(self):
        # Two passes over words that fit: all of the second hit, once the first has filled the cache.
        for machine in ("x86-pc", "arm", "riscv64"):
            with self.subTest(machine):
                options = (*alone(machine, "words=256", "n=512", "rest=0"), *NO_TIME, *SMALL)
                _, all_of_them = self.logged(*options, "--observe", "every")
                region = self.regions(all_of_them, "shm")[0]
                begin = next(row[0] for row in all_of_them
                             if row[1].startswith("idm") and row[4] and row[2] & 0xFFFF == BEGIN)
                accesses = [a[1:] for a in region]
                number = [(a[0] - begin) // 1000 for a in region]  # instruction behind the mark
                for last in (0, 100, 255, 300):
                    run, _ = self.logged(*options, *within(1, "cached"), "--warm", number[last])
                    counts = run.module("master")["cache"]
                    warm = cache_model.simulate(accesses[:last + 1], 32, (1024, 2))
                    expected = cache_model.simulate(accesses, 32, (1024, 2))
                    for key in expected:
                        expected[key] -= warm[key]
                    self.assertEqual(counts["stores"], 512 - (last + 1))
                    self.assertEqual({key: counts[key] for key in expected}, expected, last)
                    self.assertEqual(run.module("shm")["reads"], counts["l1_misses"])

    def test_warming_takes_no_time(self):
        slow = ("--read-latency", "1us", "--write-latency", "1us")
        options = (*alone("arm", "words=256", "n=256", "rest=0", "m=0"), *SMALL, *slow)
        direct = self.simulate(*options).module("master")["stall_ns"]
        cold = self.simulate(*options, *within(1, "cached"))
        warmed = self.simulate(*options, *within(1, "cached"), "--warm", 1000000)
        misses = cold.module("master")["cache"]["l1_misses"]
        self.assertEqual(misses, 256 * 4 // 32)
        self.assertGreaterEqual(cold.module("master")["stall_ns"] - direct, 1000 * misses)
        self.assertEqual(warmed.module("master")["stall_ns"], direct)
        self.assertEqual(warmed.module("shm")["reads"], 0)
        self.assertEqual(set(warmed.module("master")["cache"].values()), {0})

    def test_lines_of_a_memory_leave_when_it_is_cached_no_more(self):
        # RAM goes on being cached, so the caches are not empty; of the words they are.
        options = (*alone("arm", "rounds=3", "words=256", "n=256", "m=0", "rest=0"),
                   "--master.memory", "platform", "--cache", "l1.size=1M", "--cache",
                   "l1.ways=16", "--cache", "line=32")
        plain = self.simulate(*options, "--observe", "master.memory=cached")
        run = self.simulate(*options, "--observe", "master.memory=cached",
                            *within(1, "cached", "shm="))
        self.assertEqual(run.module("shm")["reads"], 3 * 256 * 4 // 32)
        self.assertEqual(run.module("master_memory")["reads"],
                         plain.module("master_memory")["reads"])

    # ---- when

    def test_from_a_time_on(self):
        # At the first end of a window at or after it, to the instruction.
        options = ("--slaves", 0, "--master.machine", "arm", "--master.image", "triad", "--param",
                   "n=2k", "--param", "rounds=25", *NO_TIME)
        for lookahead in ("on", "off"):
            _, all_of_them = self.logged(*options, "--observe", "every", "--lookahead", lookahead)
            expected = [row for row in all_of_them if row[1] == "shm" and row[0] > 300000000]
            _, rows = self.logged(*options, "--observe-from", "250us=every", "--lookahead",
                                  lookahead)
            self.assertGreater(len(expected), 1000)
            self.assertEqual([row for row in rows if row[1] == "shm"], expected)

    def test_of_another_guest_at_the_end_of_its_window(self):
        # The slave stores for long; the master's mark has its accesses seen at the end of its window.
        options = ("--master.machine", "arm", "--master.image", "marks", "--slave.image", "marks",
                   "--param", "0.sleep=500000", "--param", "1.n=200k", "--param", "1.silent=1",
                   "--interconnect", "bus")
        log = self.path("run.db")
        run = self.simulate(*options, "--observe-from", "mark:100=every", "--log", log)
        made = next(m["time_ns"] for m in run.statistics()["marks"]["list"] if m["number"] == 100)
        with sqlite3.connect(log) as database:
            first = database.execute("SELECT min(start_ps) FROM log WHERE initiator = 'slave0' AND "
                                     "target = 'shm'").fetchone()[0]
        self.assertGreaterEqual(first, made * 1000)
        self.assertLess(first, (made + 101000) * 1000)

    def test_regions_nest(self):
        # Both begin region 1; it ends with the last of them.
        options = ("--master.image", "marks", "--slave.image", "marks", "--param", "region=1",
                   "--param", f"n={N}", "--param", "1.n=9000", "--param", "m=0", "--interconnect",
                   "bus", "--quantum", "1us")
        run = self.simulate(*options, *within(1, "every"))
        marks = [(m["kind"], m["time_ns"]) for m in run.statistics()["marks"]["list"]
                 if m["kind"] != "mark" and m["number"] == 1]
        self.assertEqual(len(marks), 4)
        region = run.statistics()["regions"]["region 1"]["modules"]["shm"]["writes"]
        self.assertGreater(region, N)
        self.assertEqual(run.statistics()["regions"]["region 1"]["open_at_end"], False)

    # ---- the same in every run

    def check_same(self, *options):
        for mode in ("parallel", "serial"):
            first, second = (self.simulate(*options, "--mode", mode) for _ in range(2))
            self.assert_same(first, second)
        return first

    @ctest(timeout=600)
    def test_reproducible(self):
        both = ("--master.image", "marks", "--slave.image", "marks", "--param", "rounds=5",
                "--param", "words=4k", "--param", "n=900", "--interconnect", "mesh", *SMALL)
        self.check_same(*both, *within(1, "cached"), *within(11, "every"), "--warm", 500)
        self.check_same(*both, *within(1, "every"), *within(12, "cached"), "--master.memory",
                        "platform", "--slave.memory", "platform", "--cache", "fetches=on")

    @ctest(timeout=600)
    def test_reproducible_with_several_cpus(self):
        options = ("--master.machine", "aarch64", "--master.cpus", 4, "--master.image", "smp",
                   "--slave.image", "marks", "--master.memory", "platform", "--param", "1.rounds=5",
                   "--param", "cpus=4", "--param", "n=200", *SMALL, "--cache",
                   "replacement=random", "--interconnect", "bus", "--quantum", "20us")
        run = self.check_same(*options, "--observe-from", "50us=master.memory=cached",
                              *within(11, "every", "shm="))
        counts = run.module("master")["cache"]
        self.assertGreater(counts["loads"], 1000)
        self.assertEqual(counts["l1_hits"] + counts["l1_misses"], counts["loads"] + counts["stores"])

    # ---- slaves that a master boots

    def booted(self, *options, **how):
        images = self.path("bundle")
        bundle.write(images, [guest("arm", "boot_report")])
        return ("--master.image", "boot_cycle", "--slave.boot", "master", "--input", images,
                "--param", "cycles=2", *options)

    def test_slave_that_runs_from_memory_that_begins_to_be_cached(self):
        options = self.booted("--interconnect", "bus", "--cache", "fetches=on")
        plain = self.simulate(*options)
        run = self.simulate(*options, "--observe-from", "0ns=cached")
        self.assertEqual(run.module("slave0")["state"], plain.module("slave0")["state"])
        always = self.simulate(*options, "--observe", "cached")
        for key in ("loads", "stores", "fetches"):
            self.assertEqual(run.module("slave0")["cache"][key],
                             always.module("slave0")["cache"][key], key)

    # ---- descriptions

    def test_in_a_description(self):
        options = (*alone("arm"), *within(1, "cached"), "--warm", 50, *SMALL)
        dumped = self.path("system.toml")
        self.simulate(*options, "--dump-system", dumped, out=False)
        with open(dumped, encoding="ascii") as file:
            text = file.read()
        self.assertIn("observe-from = ['region:1=cached', 'region-end:1=direct']", text)
        self.assertIn("warm = '50'", text)
        self.assert_same(self.simulate(*options), self.simulate(platform=(SYSTEM, dumped)))

    # ---- refused

    def test_refused(self):
        impossible = "; give TIME, mark:NUMBER, region:NUMBER or region-end:NUMBER, then = and"
        for option, sentence in (
                ("cached", "impossible observe-from 'cached'" + impossible),
                ("mark=cached", "impossible observe-from 'mark=cached'" + impossible),
                ("mark:x=cached", "impossible observe-from 'mark:x=cached'" + impossible),
                ("mark:4294967296=cached", "impossible observe-from"),
                ("5=cached", "impossible observe-from '5=cached'" + impossible),
                ("mark:1=all", "unknown way 'all' to observe memory; known are direct, every,"),
                ("mark:1=every-cached", "in every-cached from the start or never"),
                ("mark:1=ram=cached", "there is no memory 'ram' to observe; known are shm"),
                ("mark:1=0+64=cached", "a range to observe is not in whole 4 KiB pages"),
                ("mark:1=60M+8M=every", "leaves the shared memory")):
            self.assertIn(sentence, self.refused(*alone(), "--observe-from", option))
        cached = ("--observe-from", "mark:1=cached")
        for options, sentence in (
                ((*cached, "--mode", "free"), "mode free has no --observe-from"),
                ((*cached, "--cache", "line=48"), "impossible cache line of 48 bytes"),
                ((*cached, "--observe", "every-cached"), "what is observed in every-cached of the "
                 "shared memory stays so, and --observe-from is about it"),
                (("--warm", 5), "--warm is of no use without --observe-from that begins cached"),
                ((*within(1, "every"), "--warm", 5), "--warm is of no use without"),
                ((*cached, "--warm", "x"), "impossible warm 'x'")):
            self.assertIn(sentence, self.refused(*alone(), *options))
        self.assertIn("the memory that it runs from is to be observed access by access",
                      self.refused(*self.booted("--observe-from", "0ns=every")))


if __name__ == "__main__":
    main()
