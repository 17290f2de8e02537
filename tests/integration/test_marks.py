# SPDX-License-Identifier: Apache-2.0
"""Marks of guests and regions of interest: in statistics, log, VCD and timeline
(docs/idm-registers.md, docs/measuring.md). sw/programs/marks.c says what is in its regions."""
import json
import os
import sqlite3
import subprocess

from comparing import ComparisonTest
from platform_run import PlatformTest, ctest, guest, main, without_host

BIN = os.path.dirname(os.environ.get("TANDEM_PLATFORM", ""))
N, M, REST = 96, 40, 24
MARKS = ("--master.image", "marks", "--param", f"n={N}", "--param", f"m={M}",
         "--param", f"rest={REST}")
ALONE = ("--slaves", 0, *MARKS)
BOTH = (*MARKS, "--slave.image", "marks")

# Numbers that are no sums: what they are in a region, docs/measuring.md says.
NO_SUMS = {"latency_mean_ns", "latency_min_ns", "latency_p50_ns", "latency_p95_ns",
           "latency_p99_ns", "latency_p999_ns", "latency_max_ns", "below_ns", "interval_ns",
           "participant", "peer", "highest_level", "longest_queue", "size", "latest_ns", "in_use",
           "in_use_highest", "address"}


def sums(report, path=""):
    """{path: number} of all that adds up."""
    found = {}
    if isinstance(report, dict):
        for name, member in report.items():
            whole = name == "utilisation" and not isinstance(member, list)
            if name not in NO_SUMS and not whole:
                found.update(sums(member, f"{path}.{name}"))
    elif isinstance(report, list):
        for i, member in enumerate(report):
            found.update(sums(member, f"{path}[{i}]"))
    elif isinstance(report, (int, float)) and not isinstance(report, bool):
        found[path] = report
    return found


def path_of(modules, initiator, target="shm"):
    return next(p for p in modules["interconnect"]["paths"]
                if (p["initiator"], p["target"]) == (initiator, target))


class Marks(PlatformTest):
    def tool(self, *words):
        done = subprocess.run([os.path.join(BIN, words[0]), *words[1:]], capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def rows(self, log, what="SELECT * FROM marks ORDER BY id"):
        with sqlite3.connect(log) as database:
            return database.execute(what).fetchall()

    def check_sums(self, run):
        statistics = without_host(run.statistics())
        regions = statistics["regions"]
        parts = [sums(region["modules"]) for region in regions.values()]
        whole = sums(statistics["modules"])
        for part in parts:
            self.assertEqual(sorted(part), sorted(whole))
        for path, value in whole.items():
            added = sum(part[path] for part in parts)
            if isinstance(value, int):
                self.assertEqual(added, value, path)
            else:
                self.assertAlmostEqual(added, value, delta=1e-9 + abs(value) * 1e-12, msg=path)
        self.assertEqual(sum(region["simulated_ns"] for region in regions.values()),
                         statistics["simulated_ns"])
        return regions

    def check_regions(self, regions, instance, first, n=N, m=M):
        """What is in the two regions of an instance, by the program."""
        stores = path_of(regions[f"region {first}"]["modules"], instance)
        loads = path_of(regions[f"region {first + 1}"]["modules"], instance)
        self.assertEqual((stores["transactions"], stores["bytes"]), (n, 4 * n))
        self.assertEqual((loads["transactions"], loads["bytes"]), (m, 4 * m))

    def check_alone(self, machine):
        run = self.simulate("--master.machine", machine, *ALONE, "--observe", "every")
        regions = self.check_sums(run)
        self.check_regions(regions, "master", 1)
        memory = {name: region["modules"]["shm"] for name, region in regions.items()}
        self.assertEqual((memory["region 1"]["writes"], memory["region 1"]["reads"]), (N, 0))
        self.assertEqual((memory["region 2"]["writes"], memory["region 2"]["reads"]), (0, M))
        # The accesses to the IDM that begin and end them: of each one is within.
        idm = {name: region["modules"]["idm"]["participants"][0]["accesses"]
               for name, region in regions.items()}
        self.assertEqual((idm["region 1"], idm["region 2"]), (1, 1))
        self.assertGreater(regions["region 1"]["modules"]["master"]["instructions"], 2 * N)

    def test_regions_of_an_x86_64(self):
        self.check_alone("x86-pc")

    def test_regions_of_an_arm(self):
        self.check_alone("arm")

    def test_regions_of_master_and_slave(self):
        run = self.simulate(*BOTH, "--param", "1.n=50", "--observe", "every", "--interconnect",
                            "bus")
        regions = run.statistics()["regions"]
        self.assertEqual(sorted(regions),
                         ["region 1", "region 11", "region 12", "region 2", "rest"])
        self.check_regions(regions, "master", 1)
        self.check_regions(regions, "slave0", 11, n=50)

    def test_add_up_over_a_mesh_with_caches_and_dram(self):
        run = self.simulate(*ALONE, "--observe", "every-cached", "--interconnect", "mesh",
                            "--dram", "on", "--param", "rounds=3")
        regions = self.check_sums(run)
        for name in ("region 1", "region 2", "rest"):
            self.assertGreater(regions[name]["modules"]["interconnect"]["total"]["transactions"], 0)
        self.assertEqual(regions["region 1"]["modules"]["cache_master"]["writes"], 3 * N)
        self.assertEqual(regions["region 2"]["modules"]["cache_master"]["reads"], 3 * M)
        self.assertEqual(regions["region 1"]["begun"], 3)

    def test_add_up_where_guests_overlap_in_one_region(self):
        # Both guests have the same two numbers: where they nest, the region is one.
        run = self.simulate(*BOTH, "--param", "region=1", "--param", "rounds=4", "--observe",
                            "every", "--interconnect", "ring")
        marks = run.statistics()["marks"]
        self.assertEqual(marks["ends_without_begin"], 0)
        regions = run.statistics()["regions"]
        begun = regions["region 1"]["begun"]
        begins = [m for m in marks["list"] if m["kind"] == "begin" and m["number"] == 1]
        self.assertEqual(len(begins), 8)
        self.assertLessEqual(begun, 8)
        self.assertFalse(regions["region 1"]["open_at_end"])

    def test_what_the_cache_model_counts_is_right_at_the_mark(self):
        for batch in (1, 512):
            run = self.simulate(*ALONE, "--observe", "cached", "--cache", "l1.size=1k", "--cache",
                                "line=32", "--cache", f"batch={batch}", "--param", "words=4k",
                                "--param", "rounds=5", "--interconnect", "bus")
            regions = self.check_sums(run)
            for name, of, count in (("region 1", "stores", N), ("region 2", "loads", M)):
                modules = regions[name]["modules"]
                cache, path = modules["master"]["cache"], path_of(modules, "master")
                self.assertEqual(cache[of], 5 * count)
                self.assertEqual(cache["l1_hits"] + cache["l1_misses"], 5 * count)
                # All that missed has gone over the interconnect before the mark.
                self.assertGreater(cache["l1_misses"], 5)
                self.assertEqual(path["transactions"], cache["l1_misses"] + cache["write_backs"])

    def test_a_mark_is_exact_in_time_and_everywhere(self):
        log = self.path("run.db")
        run = self.simulate(*BOTH, "--interconnect", "mesh", "--log", log, "--idm-latency", "30ns",
                            "--param", "strays=2", "--region", "1=stores", "--region",
                            "2=loads \"of it\"")
        marks = run.statistics()["marks"]
        self.assertEqual(marks["ends_without_begin"], 4)
        listed = [(m["by"], m["kind"], m["number"], m["value"]) for m in marks["list"]]
        for by, self_ in (("master", 0), ("slave0", 1)):
            self.assertIn((by, "mark", 100 + self_, 0), listed)
            self.assertIn((by, "mark", 200 + self_, N), listed)
            first = next(m for m in marks["list"] if m["by"] == by)
            self.assertGreater(first["time_ns"], run.number("before_ns", by))
            self.assertLess(first["time_ns"], run.number("after_ns", by))
        # The time is within the transaction that made the mark.
        rows = self.rows(log)
        self.assertEqual(len(rows), marks["count"])
        accesses = self.rows(log, "SELECT start_ps, end_ps, initiator FROM log WHERE command = "
                                  "'write' AND target LIKE 'idm%' AND address & 65535 IN "
                                  "(12288, 12296, 12300) ORDER BY id")
        self.assertEqual(len(accesses), len(rows))
        for by in ("master", "slave0"):
            for row, (start, end, _) in zip([row for row in rows if row[2] == by],
                                            [a for a in accesses if a[2] == by]):
                self.assertLess(start, row[1])
                self.assertLess(row[1], end)
        self.assertEqual([round(m["time_ns"] * 1000) for m in marks["list"]],
                         [row[1] for row in rows])
        self.check_vcd(run, rows)
        text = self.tool("tandem-log", "marks", log)
        self.assertEqual(len(text.splitlines()), len(rows) + 1)
        self.assertIn(f" master mark 200 {N} -", text)
        self.assertIn(" slave0 end-without-begin 99 0 region 99", text)
        self.assertIn(f"marks: {len(rows)}\n", self.tool("tandem-log", "show", log))
        self.check_timeline(log, rows)

    def check_vcd(self, run, rows):
        vcd = run.vcd()
        for by in ("master", "slave0"):
            own = [(row[1], row[4]) for row in rows if row[2] == by]
            self.assertEqual([(time, int(value[1:] if value[0] == "b" else value, 2))
                              for time, value in vcd.signals[f"marks.{by}.number"]][1:], own)
            self.assertEqual(vcd.values(f"marks.{by}.count")[-1], len(own))
        begin, end = (next(row[1] for row in rows if row[3] == kind and row[4] == 1)
                      for kind in ("begin", "end"))
        self.assertEqual(vcd.signals["regions.stores"], [(0, "0"), (begin, "1"), (end, "0")])
        self.assertIn("regions.loads__of_it_", vcd.signals)

    def check_timeline(self, log, rows):
        out = self.path("run.json")
        self.tool("tandem-log", "export", log, out)
        with open(out, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        instants = [e for e in events if e["ph"] == "i"]
        self.assertEqual([round(e["ts"] * 1e6) for e in instants], [row[1] for row in rows])
        slices = {e["name"]: e for e in events if e.get("cat") == "region"}
        self.assertEqual(sorted(slices), ["loads \"of it\"", "region 11", "region 12", "stores"])

    def test_without_marks_nothing_says_so(self):
        log = self.path("run.db")
        run = self.simulate(*BOTH, "--param", "silent=1", "--log", log, "--region", "1=x")
        statistics = run.statistics()
        self.assertNotIn("marks", statistics)
        self.assertNotIn("regions", statistics)
        self.assertEqual([n for n in run.vcd().signals if n.startswith(("marks", "regions"))], [])
        self.assertEqual(self.rows(log, "SELECT * FROM sqlite_master WHERE name = 'marks'"), [])
        self.assertEqual(self.tool("tandem-log", "marks", log).count("\n"), 1)
        self.assertNotIn("marks", self.tool("tandem-log", "show", log))

    def test_reproducible(self):
        options = (*BOTH, "--observe", "every", "--interconnect", "bus", "--param", "rounds=5")
        self.assert_same(self.simulate(*options), self.simulate(*options))

    def test_a_bad_name_is_refused(self):
        self.assertEqual(self.refused(*ALONE, "--region", "1=rest"),
                         "the name 'rest' of region 1 is that of what is in no region")
        self.assertIn("impossible region 'x'", self.refused(*ALONE, "--region", "x"))


class Compared(ComparisonTest):
    OPTIONS = ("--workload", guest("x86_64", "marks"), "--slaves", 0, "--interconnect", "bus,mesh",
               "--param", f"n={N}", "--param", f"m={M}")

    @ctest(timeout=600, once=True)
    def test_figures_of_a_region(self):
        self.compare(*self.OPTIONS)
        whole = {row["interconnect"]: row for row in self.rows()}
        for region in ("2", "loads"):
            self.compare(*self.OPTIONS, "--region", region, "--", "--region", "2=loads")
            rows = {row["interconnect"]: row for row in self.rows()}
            for kind, row in rows.items():
                statistics = json.loads(self.run_file(row, "stats.json"))["regions"]["loads"]
                self.assertEqual(int(row["transactions"]),
                                 statistics["modules"]["interconnect"]["total"]["transactions"])
                self.assertLess(int(row["transactions"]), int(whole[kind]["transactions"]))
                self.assertEqual(float(row["region_ns"]), statistics["simulated_ns"])
            self.assertGreater(float(rows["mesh"]["region_ns"]), float(rows["bus"]["region_ns"]))

    @ctest(timeout=600, once=True)
    def test_a_region_that_is_not_there(self):
        done = self.compare(*self.OPTIONS, "--region", "stores", status=1)
        self.assertIn("there is no region 'stores'; there are region 1, region 2, rest",
                      done.stderr)
        self.refused_with("--region and --replay exclude each other", *self.OPTIONS, "--region",
                          "1", "--replay")


if __name__ == "__main__":
    main()
