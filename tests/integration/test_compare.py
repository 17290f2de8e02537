# SPDX-License-Identifier: Apache-2.0
"""./tandem compare: tables, the page, resumption, refusals. Calls its script as ./tandem does."""
import csv
import os
import re
import signal
import subprocess
import sys

from platform_run import PlatformTest, ctest, main, read_text, wait_for

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "platforms",
                      "compare", "compare.py")
BUILD = os.environ.get("TANDEM_BUILD", "")

COLUMNS = ["workload", "interconnect", "slaves", "parameters", "guest_ns", "host_s",
           "transactions", "latency_mean_ns", "latency_p99_ns"]
SMALL = ("--workload", "triad", "--param", "n=64")


def processes_of(directory):
    """Processes whose command line names the directory."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and \
                directory in read_text(f"/proc/{entry}/cmdline"):
            found.append(int(entry))
    return found


class Compare(PlatformTest):
    def command(self, *options, out="out"):
        return [sys.executable, SCRIPT, "--build", BUILD, "--out", self.path(out),
                *(str(o) for o in options)]

    def compare(self, *options, status=0, out="out"):
        done = subprocess.run(self.command(*options, out=out), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=280, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def rows(self, out="out"):
        with open(self.path(os.path.join(out, "results.csv")), newline="",
                  encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def refused_with(self, sentence, *options):
        done = self.compare(*options, status=2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(sentence, done.stderr)

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
            del first["host_s"], second["host_s"]
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
        options = (*SMALL, "--interconnect", "router,bus", "--slaves", "1,2,3", "--jobs", 2)
        log = self.path("log")
        with open(log, "wb") as stderr:
            process = subprocess.Popen(self.command(*options), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            self.assertTrue(wait_for(lambda: re.search(r"^[23]/6 ", read_text(log), re.M), 120))
            process.send_signal(signal.SIGINT)
            status = process.wait(60)
        finally:
            process.kill()
            process.wait()
        self.assertEqual(status, 130, read_text(log))
        self.assertEqual(read_text(log).splitlines()[-1],
                         "interrupted; the same command goes on where this one was")
        self.assertEqual(processes_of(self.path("out")), [])
        runs = self.path("out/runs")
        kept = {name: os.stat(os.path.join(runs, name, "result.json")).st_mtime_ns
                for name in os.listdir(runs)}
        self.assertIn(len(kept), (2, 3, 4, 5))
        done = self.compare(*options)
        self.assertIn(f"{len(kept)} of 6 runs are there already", done.stderr)
        self.assertEqual(len(self.rows()), 6)
        for name, written in kept.items():
            self.assertEqual(os.stat(os.path.join(runs, name, "result.json")).st_mtime_ns,
                             written)

    @ctest(timeout=300, once=True)
    def test_killed(self):
        options = ("--workload", "triad", "--interconnect", "router", "--param")
        process = subprocess.Popen(self.command(*options, "rounds=1G"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            runs = self.path("out/runs")
            self.assertTrue(wait_for(lambda: any(
                "master.log" in files for _, _, files in os.walk(runs)), 60))
        finally:
            process.kill()
            process.wait()
        self.assertTrue(wait_for(lambda: not processes_of(self.path("out"))), "a run goes on")
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
        self.assertEqual(processes_of(self.path("out")), [])

    @ctest(timeout=300, once=True)
    def test_caches_and_options_of_the_platform(self):
        self.compare(*SMALL, "--interconnect", "bus", "--observe", "cached", "--cache",
                     "l1.size=1k", "--", "--read-latency", "50ns")
        row = self.rows()[0]
        self.assertEqual(row["observe"], "cached")
        self.assertGreater(float(row["latency_max_ns"]), 50)
        command = read_text(self.path(f"out/runs/{row['run']}/command"))
        self.assertIn("--read-latency 50ns --interconnect bus", command)

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
                ("unrecognized arguments: --colour", (*bus, "--colour")),
                ("there is no platform", (*bus, "--platform", "mine"))):
            with self.subTest(sentence=sentence):
                self.refused_with(sentence, *options)
        self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    main()
