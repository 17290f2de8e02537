# SPDX-License-Identifier: Apache-2.0
"""./tandem compare with platforms: tables, the page, resumption, refusals."""
import json
import os
import re
import statistics
import subprocess
import sys

from comparing import PYTHON, ROOT, ComparisonTest
from platform_run import ctest, guest, main, read_text, wait_for

sys.path.insert(0, PYTHON)
from tandem.words import PARAMETERS, PARAMETERS_OF_ALL, WORKLOADS  # noqa: E402

COLUMNS = ["workload", "interconnect", "slaves", "parameters", "guest_ns", "host_s",
           "transactions", "latency_mean_ns", "latency_p99_ns"]
SMALL = ("--workload", "triad", "--param", "n=64")


class Compare(ComparisonTest):
    @ctest(timeout=600, once=True)
    def test_table_and_page(self):
        options = (*SMALL, "--interconnect", "router,bus,mesh", "--slaves", "0,2", "--set",
                   "width=2,4", "--set", "columns=2", "--set", "rows=2")
        done = self.compare(*options)
        rows = self.rows()
        self.assertEqual(list(rows[0])[:len(COLUMNS)], COLUMNS)
        # The router has none of the parameters, the bus one, the mesh all.
        self.assertEqual([(r["interconnect"], r["slaves"], r["parameters"]) for r in rows], [
            (kind, slaves, (words + " n=64").strip())
            for kind, choices in (("router", [""]), ("bus", ["width=2", "width=4"]),
                                  ("mesh", ["width=2 columns=2 rows=2",
                                            "width=4 columns=2 rows=2"]))
            for slaves in "02" for words in choices])
        by_name = {(r["interconnect"], r["slaves"], r["parameters"]): r for r in rows}
        for slaves in "02":
            times = [int(by_name[key]["guest_ns"]) for key in (
                ("router", slaves, "n=64"), ("bus", slaves, "width=4 n=64"),
                ("bus", slaves, "width=2 n=64"))]
            self.assertEqual(times, sorted(set(times)))
        for row in rows:
            self.assertGreater(int(row["transactions"]), 3 * 64)
            self.assertGreater(float(row["host_s"]), 0)
            self.assertLessEqual(float(row["latency_mean_ns"]), float(row["latency_max_ns"]))
            self.assertLessEqual(float(row["latency_p50_ns"]), float(row["latency_p99_ns"]))
            run = self.path(os.path.join("out", "runs", row["run"]))
            for name in ("command", "messages", "master.log", "stats.json", "result.json"):
                self.assertTrue(os.path.exists(os.path.join(run, name)), name)
        self.assertIn(f"| triad | router | 0 | n=64 | {rows[0]['guest_ns']} |",
                      read_text(self.path("out/results.md")))
        self.assertEqual(len(re.findall(r"^\d+/10 ", done.stderr, re.M)), 10)
        self.check_page()
        # Nothing is run a second time, and elsewhere the guests find the same.
        again = self.compare(*options)
        self.assertIn("10 of 10 runs are there already", again.stderr)
        self.assertEqual(rows, self.rows())
        self.compare(*options, "--jobs", 1, out="second")
        for first, second in zip(rows, self.rows("second")):
            for column in ("host_s", "host_min_s", "host_max_s"):
                del first[column], second[column]
            self.assertEqual(first, second)

    def check_page(self):
        page = read_text(self.path("out/report.html"))
        self.assertEqual(page.count("<svg"), 4)  # run time, latency, links of two meshes
        self.assertIn("guest-measured run time", page)
        self.assertNotRegex(page, r"(src|href)=.(?!#)")  # nothing from elsewhere
        heat = read_text(self.path("out/figures/triad-links-3.gp"))
        data = heat.split("END")[1].strip().splitlines()
        self.assertEqual(len(data), 8)  # of the 2 by 2 mesh
        self.assertGreater(max(float(line.split()[4]) for line in data), 0)
        self.assertIn('"slave1"', heat)

    @ctest(timeout=600, once=True)
    def test_interrupted_and_resumed(self):
        self.check_interruption(6, 6, *SMALL, "--interconnect", "router,bus", "--slaves", "1,2,3")

    @ctest(timeout=600, once=True)
    def test_interrupted_and_resumed_with_repetitions_and_replays(self):
        self.check_interruption(6, 12, *SMALL, "--interconnect", "router,bus", "--slaves", "1,2,3",
                                "--repeat", 2, "--replay")
        self.assertEqual([row["traffic"] for row in self.rows()],
                         3 * ["recorded"] + 3 * ["replayed"])

    def result_files(self, row):
        """Of all runs of a row."""
        runs = self.path("out/runs")
        return [os.path.join(runs, name, "result.json") for name in sorted(os.listdir(runs))
                if name.split(".")[0] == row["run"]]

    @ctest(timeout=600, once=True)
    def test_repeated(self):
        options = (*SMALL, "--interconnect", "router,bus", "--repeat")
        done = self.compare(*options, 3)
        self.assertIn("triad bus slaves=1 n=64 (2 of 3): ", done.stderr)
        rows = self.rows()
        self.assertEqual([row["interconnect"] for row in rows], ["router", "bus"])
        for row in rows:
            files = self.result_files(row)
            times = [json.loads(read_text(file))["host_s"] for file in files]
            self.assertEqual(len(times), 3)
            self.assertEqual(
                (int(row["repeats"]), float(row["host_s"]), float(row["host_min_s"]),
                 float(row["host_max_s"])),
                (3, statistics.median(times), min(times), max(times)))
        self.assertIn("Every run was made 3 times", read_text(self.path("out/results.md")))
        self.assertIn("6 of 8 runs are there already", self.compare(*options, 4).stderr)
        # One that found something else would be noticed.
        changed = self.result_files(rows[1])[1]
        result = json.loads(read_text(changed))
        result["guest_ns"] += 1
        with open(changed, "w", encoding="ascii") as file:
            json.dump(result, file)
        sentence = f"triad bus slaves=1 n=64: not the same in all runs: guest_ns is " \
                   f"{rows[1]['guest_ns']} in run 1 and {result['guest_ns']} in run 2"
        self.assertIn(sentence, self.compare(*options, 3, status=1).stderr)
        self.assertEqual([row["interconnect"] for row in self.rows()], ["router"])
        self.assertIn(sentence, read_text(self.path("out/results.md")))

    @ctest(timeout=600, once=True)
    def test_replayed(self):
        options = (*SMALL, "--interconnect", "bus,mesh", "--slaves", 2, "--set", "width=4,8,2",
                   "--replay")
        done = self.compare(*options, "--", "--set", "clock=5ns")
        self.assertIn(" triad mesh slaves=2 width=8 n=64 replayed: ends at ", done.stderr)
        rows = self.rows()
        self.assertEqual([row["traffic"] for row in rows], ["recorded"] + 5 * ["replayed"])
        self.assertEqual([row["guest_ns"] == "" for row in rows], [False] + 5 * [True])
        self.assertEqual(len({row["transactions"] for row in rows}), 1)
        recorded, wide, narrow = rows[:3]
        for column in rows[0]:
            # No access is of more than 4 bytes, so a bus of 8 is the one that was recorded, and
            # only if the replays have heard of its clock as well.
            if column.startswith("latency") or column in ("waiting_ns", "end_ns"):
                self.assertEqual(wide[column], recorded[column], column)
                self.assertEqual(rows[3][column], rows[4][column], column)
        for column in ("latency_mean_ns", "latency_p99_ns", "end_ns"):
            self.assertGreater(float(narrow[column]), float(wide[column]))
        for row in rows[3:]:
            self.assertGreater(float(row["latency_mean_ns"]), float(recorded["latency_mean_ns"]))
        page = read_text(self.path("out/report.html"))
        self.assertIn("end of the last transaction", page)
        self.assertEqual(page.count("<svg"), 5)  # run time, latency, links of three meshes
        self.assertIn("bus width=4 (recorded)", read_text(self.path("out/results.md")))
        # Another value of a parameter is one more replay.
        more = (*options[:-2], "width=4,8,2,1", "--replay", "--", "--set", "clock=5ns")
        self.assertIn("6 of 8 runs are there already", self.compare(*more).stderr)

    @ctest(timeout=300, once=True)
    def test_replayed_where_more_varies(self):
        """Guests that something else makes others have a recording of their own."""
        self.compare(*SMALL, "--interconnect", "router,bus", "--replay", "--vary",
                     "read-latency=0,1us")
        rows = self.rows()
        self.assertEqual([row["traffic"] for row in rows], 2 * ["recorded"] + 2 * ["replayed"])
        for fast, slow in (rows[:2], rows[2:]):
            # Each word of two arrays is read twice, one after the other.
            self.assertGreater(float(slow["end_ns"]) - float(fast["end_ns"]), 4 * 64 * 1000)

    @ctest(timeout=300, once=True)
    def test_recording_that_fails(self):
        done = self.compare("--workload", "triad", "--interconnect", "bus,router", "--param",
                            "n=0,64", "--replay", status=1)
        self.assertIn("triad bus slaves=1 n=0 recorded: failed: a guest says: n must be",
                      done.stderr)
        self.assertIn("triad router slaves=1 n=0 replayed: failed: the run that it would replay "
                      "has failed", done.stderr)
        self.assertEqual([row["parameters"] for row in self.rows()], ["n=64", "n=64"])

    @ctest(timeout=300, once=True)
    def test_killed(self):
        options = ("--workload", "triad", "--interconnect", "router", "--param")
        process = subprocess.Popen(self.command(*options, "rounds=1G"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            runs = self.path("out/runs")
            self.assertTrue(wait_for(lambda: any(
                "master.log" in files for _, _, files in os.walk(runs))))
        finally:
            process.kill()
            process.wait()
        self.check_nothing_runs()
        self.compare(*options, "n=64")
        self.assertEqual(os.listdir(runs), [self.rows()[0]["run"]])

    @ctest(timeout=300, once=True)
    def test_failing_run_is_reported_and_the_others_go_on(self):
        done = self.compare("--workload", "triad", "--interconnect", "router", "--param",
                            "n=64,0,32", status=1)
        self.assertIn("triad router slaves=1 n=0: failed: a guest says: n must be 1 for each CPU "
                      "to 256k", done.stderr)
        self.assertEqual(done.stderr.splitlines()[-1], "error: 1 of 3 runs failed")
        self.assertEqual([row["parameters"] for row in self.rows()], ["n=64", "n=32"])
        self.assertIn("Failed runs", read_text(self.path("out/results.md")))

    @ctest(timeout=300, once=True)
    def test_all_runs_fail(self):
        self.compare("--workload", "triad", "--interconnect", "router", "--param", "n=0", status=1)
        self.assertEqual(self.rows(), [])
        self.assertIn("Failed runs", read_text(self.path("out/report.html")))

    @ctest(timeout=300, once=True)
    def test_run_that_does_not_end(self):
        done = self.compare("--workload", "triad", "--interconnect", "router", "--param",
                            "rounds=1G", "--timeout", 2, status=1)
        self.assertIn("failed: no end within 2 s", done.stderr)
        self.check_nothing_runs()

    @ctest(timeout=300, once=True)
    def test_caches_and_options_of_the_platform(self):
        self.compare(*SMALL, "--interconnect", "bus", "--observe", "cached", "--cache",
                     "l1.size=1k", "--", "--read-latency", "50ns")
        row = self.rows()[0]
        self.assertEqual(row["observe"], "cached")
        self.assertGreater(float(row["latency_max_ns"]), 50)
        command = read_text(self.path(f"out/runs/{row['run']}/command"))
        self.assertIn("--read-latency 50ns --interconnect bus", command)

    @ctest(timeout=600, once=True)
    def test_any_option_of_a_platform_varies(self):
        """What a program measures changes by as much as the option says."""
        program = ("--workload", guest("x86_64", "latency"), "--slaves", 0, "--interconnect",
                   "router,bus", "--param", "n=1000")
        self.compare(*program, "--vary", "idm-latency=0,7ns", "--vary", "quantum=20us,100us",
                     "--vary", "interconnect.width=1,4")
        rows = self.rows()
        self.assertEqual([(r["workload"], r["interconnect"], r["parameters"]) for r in rows], [
            ("latency", kind, f"{width}idm-latency={latency} quantum={quantum} n=1000")
            for kind, widths in (("router", [""]), ("bus", ["width=1 ", "width=4 "]))
            for width in widths for latency in ("0", "7ns") for quantum in ("20us", "100us")])
        self.assertEqual([int(rows[i + 2]["guest_ns"]) - int(rows[i]["guest_ns"])
                          for i in (0, 1)], [7000, 7000])
        # Four bytes take one cycle of 10 ns, or four of them.
        narrow, wide = (next(r for r in rows if r["interconnect.width"] == width)
                        for width in "14")
        self.assertEqual(int(narrow["guest_ns"]) - int(wide["guest_ns"]), 30000)
        self.assertEqual([json.loads(self.run_file(row, "stats.json"))["quantum_ns"]
                          for row in rows], 6 * [20000, 100000])
        # Parameters of the DRAM model, and what an instance is.
        self.compare(*program, "--param", "target=shm", "--vary", "dram.column=10ns,25ns",
                     "--vary", "dram.refresh_interval=0", "--vary", "master.icount-shift=1,2")
        rows = [row for row in self.rows() if row["interconnect"] == "router"]
        times = {(row["dram.column"], row["master.icount-shift"]): int(row["guest_ns"])
                 for row in rows}
        self.assertEqual(times[("25ns", "1")] - times[("10ns", "1")], 15000)
        self.assertEqual(times[("25ns", "2")] - times[("10ns", "2")], 15000)
        self.assertGreater(times[("10ns", "2")], times[("10ns", "1")])

    @ctest(timeout=600, once=True)
    def test_parameters_of_an_added_part_vary(self):
        noise = "noise=traffic,ranges=0x1002000000+1M,transactions=10,interval=1us"
        options = (*SMALL, "--interconnect", "router,bus,crossbar,mesh", "--slaves", 0)
        self.compare(*options, "--vary", "noise.transactions=20,100", "--vary",
                     "noise.length=4", "--", "--add", noise)
        rows = self.rows()
        self.assertEqual(len(rows), 8)
        for few, many in zip(rows[::2], rows[1::2]):
            self.assertEqual(few["interconnect"], many["interconnect"])
            self.assertEqual(int(many["transactions"]) - int(few["transactions"]), 80)
            self.assertIn("--set noise.transactions=100 --set noise.length=4",
                          self.run_file(many, "command"))
        self.refused_with("unknown kind of part 'nose'", *options, "--vary",
                          "noise.kind=traffic,nose", "--", "--add", noise)
        self.refused_with("unknown parameter 'lenght'", *options, "--vary", "noise.lenght=4",
                          "--", "--add", noise)

    @ctest(timeout=600, once=True)
    def test_ways_to_observe_and_files_that_options_name(self):
        with open(self.path("more.ini"), "w", encoding="ascii") as file:
            file.write("read-latency = 10ns\n")
        options = (*SMALL, "--interconnect", "router", "--observe", "direct,every", "--",
                   "--config", self.path("more.ini"))
        self.compare(*options)
        direct, every = self.rows()
        self.assertEqual((direct["parameters"], every["parameters"]),
                         ("observe=direct n=64", "observe=every n=64"))
        self.assertEqual((direct["observe"], every["observe"]), ("direct", "every"))
        self.assertGreater(int(every["transactions"]), int(direct["transactions"]) + 3 * 64)
        with open(self.path("more.ini"), "w", encoding="ascii") as file:
            file.write("read-latency = 30ns\n")
        self.assertNotIn("already", self.compare(*options).stderr)
        self.assertGreaterEqual(int(self.rows()[1]["guest_ns"]) - int(every["guest_ns"]),
                                2 * 64 * 20)

    @ctest(timeout=300, once=True)
    def test_refused(self):
        bus = ("--workload", "triad", "--interconnect", "bus")
        for sentence, options in (
                ("unknown workload 'best'; known are chase, contend, matmul, pipeline, triad",
                 ("--workload", "best", "--interconnect", "bus")),
                ("unknown interconnect 'tube'; known are bus, crossbar",
                 ("--workload", "triad", "--interconnect", "bus,tube")),
                ("--interconnect '' has an empty entry",
                 ("--workload", "triad", "--interconnect", "")),
                ("--workload ',triad' has an empty entry",
                 ("--workload", ",triad", "--interconnect", "bus")),
                ("--interconnect 'bus,bus' has 'bus' twice",
                 ("--workload", "triad", "--interconnect", "bus,bus")),
                ("the following arguments are required: --interconnect", ("--workload", "triad")),
                ("impossible number of slaves 'many'; it must be 0 to 15",
                 (*bus, "--slaves", "many")),
                ("impossible number of slaves '16'", (*bus, "--slaves", "1,16")),
                ("matmul needs at least 1 slave",
                 ("--workload", "matmul", "--interconnect", "bus", "--slaves", "0,1")),
                ("no interconnect of this comparison has a parameter 'columns'",
                 (*bus, "--set", "columns=2")),
                ("--set 'width' is not of the form", (*bus, "--set", "width")),
                ("--set width '' has an empty entry", (*bus, "--set", "width=")),
                ("--set names 'width' twice", (*bus, "--set", "width=4", "--set", "width=8")),
                ("parameter width is '0' but must be a whole number",
                 (*bus, "--set", "width=4,0")),
                ("off the mesh of 4 columns and 4 rows",
                 ("--workload", "triad", "--interconnect", "mesh", "--set", "place=master@9:9")),
                ("unknown way to observe memory 'all'", (*bus, "--observe", "all")),
                ("--jobs must be at least 1", (*bus, "--jobs", "0")),
                ("--repeat must be at least 1", (*bus, "--repeat", "0")),
                ("--replay has nothing to replay into; give several interconnects",
                 (*bus, "--slaves", "1,2", "--replay")),
                ("unrecognised option '--quantm=1us'", (*bus, "--vary", "quantm=1us,2us")),
                ("impossible master.cpus 'two'", (*bus, "--vary", "master.cpus=1,two")),
                ("dram: unknown parameter 'tCL'", (*bus, "--vary", "dram.tCL=1ns,2ns")),
                ("--vary cannot have 'slaves'; give --slaves N,M", (*bus, "--vary", "slaves=1,2")),
                ("--set and --vary both name 'width'",
                 (*bus, "--set", "width=4", "--vary", "interconnect.width=8")),
                ("unrecognized arguments: --colour", (*bus, "--colour")),
                ("there is no platform", (*bus, "--platform", "mine"))):
            with self.subTest(sentence=sentence):
                self.refused_with(sentence, *options)
        self.assertFalse(os.path.exists(self.path("out")))

    @ctest(once=True)
    def test_parameters_of_workloads_are_those_that_their_sources_read(self):
        def read_by(path):
            text = read_text(os.path.join(ROOT, "sw", path))
            return set(re.findall(r'\bparam_\w+\("(\w+)"', text))
        of_all = read_by("runtime/common/team.c") | read_by("runtime/common/start.c")
        self.assertEqual(set(PARAMETERS_OF_ALL), of_all)
        for name in WORKLOADS:
            self.assertEqual(set(PARAMETERS[name]), read_by(f"programs/{name}.c"), name)
        bus = ("--interconnect", "bus")
        self.refused_with("unknown parameter of the workload 'N'; known are cpus, exit, kind, n, "
                          "rounds", "--workload", "triad", *bus, "--param", "N=64,4k")
        self.refused_with("unknown parameter of the workload 'nosuch'", *SMALL, *bus, "--repeat", 2,
                          "--seed-param", "nosuch")


if __name__ == "__main__":
    main()
