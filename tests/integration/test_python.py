# SPDX-License-Identifier: Apache-2.0
"""The package tandem of Python: plans as data, what makes their runs, frames, and that it is as
clean as mypy and flake8 want it."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest.mock

from comparing import BUILD, COMPARISON_TIMEOUT, PYTHON, ROOT, ComparisonTest
from platform_run import ctest, main, read_text

sys.path.insert(0, PYTHON)
import tandem  # noqa: E402
from tandem.intervals import interval, student_t95  # noqa: E402

TRIAD = ("--workload", "triad", "--param", "n=64")
FRAMES = """
import os
import sys
import tandem
plan = tandem.plan(out="frames", build=sys.argv[1], workload="triad", slaves=1, replay=True,
                   interconnect=["bus", "mesh"], param={"n": [64, 128]}, set={"width": [4]})
assert tandem.run(plan, jobs=2) == {}
frame = tandem.results(plan)
assert list(frame.interconnect) == 2 * ["bus"] + 2 * ["mesh"], frame
assert list(frame["param.n"]) == 2 * ["64", "128"]
for run in plan.runs:
    row = frame[frame.run == run.name].iloc[0]
    if row.traffic == "recorded":
        log = tandem.log(run)
        assert len(log) == row.transactions
        assert abs(log.latency_ps.mean() / 1000 - row.latency_mean_ns) < 0.001
        assert log.end_ps.max() / 1000 == row.end_ns
        slow = tandem.log(run, "latency_ps > 26000")
        assert 0 < len(slow) == (log.latency_ps > 26000).sum() < len(log)
        try:
            tandem.log(run, "latency > 26000")
        except tandem.Refused as refused:
            assert str(refused).endswith("where latency > 26000: no such column: latency"), refused
        else:
            raise AssertionError("a column that there is not")
        assert tandem.links(run).empty
    else:
        links = tandem.links(run)
        inner = links[links.source.str.contains(",") & links.target.str.contains(",")]
        assert len(inner) == 48, inner  # of the 4 by 4 mesh
        assert 0 < round(links.utilisation.max(), 4) == row.utilisation
assert len(tandem.repetitions(plan)) == 4
assert (tandem.repetitions(plan).memory_kib > 1000).all()
assert list(frame.errors) == list(frame.decode_errors) == 4 * [0], frame


def refused(sentence, call, **how):
    try:
        call(**how)
    except tandem.Refused as refusal:
        assert sentence in str(refusal), refusal
    else:
        raise AssertionError(sentence)


run = plan.runs[0]
os.makedirs("a#b?c%41")
os.rename(run.directory + "/run.db", "a#b?c%41/run.db")
assert len(tandem.log("a#b?c%41/run.db")) > 100
os.remove(run.directory + "/stats.json")
refused("stats.json cannot be read: No such file or directory", tandem.results, plan=plan)
refused("jobs must be at least 1", tandem.run, plan=plan, jobs=-1)
refused("unknown back end 'moon'; known are local, slurm", tandem.run, plan=plan, on="moon")
refused("slaves has no value", tandem.plan, out="x", workload="triad", slaves=[])
"""


def interpreter_with(test, *modules):
    """Debian's packages are for Debian's Python."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run(
                [python, "-c", "import " + ", ".join(modules)], stderr=subprocess.DEVNULL,
                check=False).returncode == 0:
            return python
    test.skipTest(f"no Python here has {', '.join(modules)}; packages.conf names the packages")
    return None


class Python(ComparisonTest):
    def step(self, *words, status=0, **environment):
        done = subprocess.run(words, cwd=self.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=COMPARISON_TIMEOUT, check=False,
                              env=dict(os.environ, **environment))
        self.assertEqual(done.returncode, status, done.stdout[-4000:])
        return done.stdout

    def need(self, program, package):
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed (Debian package {package})")

    @ctest(once=True)
    def test_mypy_and_flake8(self):
        self.need("mypy", "mypy")
        self.need("flake8", "flake8")
        options = ("--config-file", os.path.join(ROOT, "setup.cfg"))
        self.step("mypy", *options, "--cache-dir", self.path("mypy"),
                  os.path.join(PYTHON, "tandem"))
        self.step("flake8", "--config", options[1], PYTHON)

    @ctest(once=True)
    def test_files_of_the_user_are_no_modules(self):
        with open(self.path("statistics.py"), "w", encoding="ascii") as file:
            file.write("raise SystemExit('statistics of the user')\n")
        self.assertIn("--seed-param", self.step(os.path.join(ROOT, "tandem"), "compare", "--help"))
        words, environment = tandem.backends.module("tandem", "compare", "--help")
        self.assertIn("--seed-param", self.step(*words, **environment))

    @ctest(timeout=300, once=True)
    def test_frames(self):
        self.step(interpreter_with(self, "pandas"), "-c", FRAMES, BUILD)

    @ctest(once=True)
    def test_without_pandas(self):
        said = self.step(sys.executable, "-c", """
import sys
sys.modules["pandas"] = None
import tandem
try:
    tandem.regions(sys.argv[1])
except tandem.Refused as refused:
    print(refused)
tandem.plan(out="x", workload="triad", interconnect="tube")""" + "\n", self.stats({}), status=1)
        self.assertIn("frames need pandas: install the Debian package python3-pandas\n", said)
        self.assertRegex(said, "Refused: ")

    def stats(self, tree):
        with open(self.path("stats.json"), "w", encoding="ascii") as file:
            json.dump(tree, file)
        return self.directory

    @ctest(timeout=600, once=True)
    def test_notebook(self):
        self.need("jupyter-nbconvert", "jupyter-nbconvert")
        interpreter_with(self, "ipykernel", "pandas")
        shutil.copy(os.path.join(ROOT, "docs/examples/comparing/comparison.ipynb"), self.directory)
        self.step("jupyter-nbconvert", "--to", "notebook", "--execute", "comparison.ipynb",
                  "--output", "done.ipynb",
                  # By itself it waits for 4 s for what a cell prints, and goes on without.
                  "--ExecutePreprocessor.iopub_timeout=300",
                  "--ExecutePreprocessor.startup_timeout=300",
                  TANDEM_BUILD=BUILD, HOME=self.directory)
        cells = json.loads(read_text(self.path("done.ipynb")))["cells"]
        texts = ["".join(output.get("data", {}).get("text/plain", []))
                 for cell in cells for output in cell.get("outputs", []) if "data" in output]
        self.assertEqual(texts[1], "{}")
        slower = [float(number) for number in re.findall(r"^\d +([\d.]+)$", texts[3], re.M)]
        self.assertEqual(len(slower), 2, texts[3])
        self.assertTrue(all(factor > 5 for factor in slower), slower)

    def planned(self, *options, name="plan.json"):
        self.compare("--plan", self.path(name), *options)
        return tandem.load_plan(self.path(name))

    @ctest(timeout=300, once=True)
    def test_plan_is_written_and_made_run_by_run(self):
        options = (*TRIAD, "--interconnect", "bus,mesh", "--slaves", 1, "--replay", "--repeat", 2)
        plan = self.planned(*options)
        self.assertFalse(os.path.exists(self.path("out")))
        self.assertEqual([run.after for run in plan.runs],
                         [[], [plan.runs[0].hash], [], [plan.runs[0].hash]])
        self.assertEqual(sorted(plan.qemu), ["qemu-system-arm", "qemu-system-x86_64"])
        for run in plan.runs:
            self.assertIn(run.argv[0], run.inputs)
            self.assertIn(run.directory + "/stats.json", run.argv)
        one = (sys.executable, "-m", "tandem", "run-one", self.path("plan.json"))
        said = self.step(*one, plan.runs[1].hash, status=1)
        self.assertIn("mesh slaves=1 n=64 replayed (1 of 2): it needs triad bus slaves=1 n=64 "
                      "recorded (1 of 2), which has not been made", said)
        self.assertIn("the plan has no run 0", self.step(*one, "0", status=2))
        for run in plan.runs:
            self.step(*one, run.hash)
            self.assertTrue(run.done())
        self.assertIn("4 of 4 runs are there already", self.compare(*options).stderr)
        self.assertEqual(plan.todo(), [])
        for option in ("--plan", "--snakefile"):
            self.refused_with("/proc/none/x cannot be written: ", *options, option, "/proc/none/x")
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(self.command(*options, "--plan", self.path("again.json")),
                                  stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "error: [Errno 28] No space left on device\n"))
        with open(self.path("bad.json"), "w", encoding="ascii") as file:
            file.write('{"format": 1}')
        self.assertIn("bad.json is no plan", self.step(*one[:-1], self.path("bad.json"), "0",
                                                       status=2))

    @ctest(timeout=300, once=True)
    def test_nodes_differ(self):
        options = (*TRIAD, "--interconnect", "bus", "--repeat", 3)
        plan = self.planned(*options)
        version = plan.qemu["qemu-system-arm"]
        plan.qemu["qemu-system-arm"] = "1.2.3"
        plan.save(self.path("other.json"))
        one = (sys.executable, "-m", "tandem", "run-one")
        said = self.step(*one, self.path("other.json"), plan.runs[0].hash, status=1)
        self.assertIn(f"node {os.uname().nodename} has {version} qemu-system-arm; the plan was "
                      "made with 1.2.3", said)
        self.assertFalse(plan.runs[0].done())
        plan.files[plan.runs[0].argv[0]] = "0"
        plan.qemu["qemu-system-arm"] = version
        plan.save(self.path("other.json"))
        said = self.step(*one, self.path("other.json"), plan.runs[0].hash, status=1)
        self.assertIn("x86-arm is no longer what it was when the plan was made", said)
        self.compare(*options)
        # As if two of them had been made elsewhere.
        for run, seconds in zip(plan.runs[1:], (100, 300)):
            path = os.path.join(run.directory, "result.json")
            result = dict(json.loads(read_text(path)), node="n7", host_s=seconds)
            with open(path, "w", encoding="ascii") as file:
                json.dump(result, file)
        self.compare(*options)
        row = self.rows()[0]
        self.assertEqual((row["node"], row["repeats"], float(row["host_s"]),
                          float(row["host_min_s"])),
                         (f"n7 {os.uname().nodename}", "3", 200, 100))
        self.assertIn("ran on several nodes (n7 ", read_text(self.path("out/results.md")))
        with open(path, "w", encoding="ascii") as file:
            json.dump(dict(result, simulated_ns=1), file)
        self.assertIn(f"(on {os.uname().nodename} and n7)",
                      self.compare(*options, status=1).stderr)

    @ctest(timeout=600, once=True)
    def test_snakefile(self):
        self.need("snakemake", "snakemake")
        options = (*TRIAD, "--interconnect", "bus,mesh", "--slaves", "0,1", "--replay")
        done = self.compare(*options, "--snakefile", self.path("Braces"), out="{out}", status=2)
        self.assertIn("{out} has a brace, which Snakemake takes for a wildcard's", done.stderr)
        self.compare(*options, "--snakefile", self.path("Snakefile"))
        call = ("snakemake", "--snakefile", self.path("Snakefile"), "--cores", "8")
        self.step(*call, HOME=self.directory)
        self.assertIn("Nothing to be done", self.step(*call, HOME=self.directory))
        self.assertIn("4 of 4 runs are there already", self.compare(*options).stderr)
        self.compare(*options, out="local")
        for one, other in zip(self.rows(), self.rows("local")):
            for row in (one, other):
                for column in ("host_s", "host_min_s", "host_max_s"):
                    del row[column]
            self.assertEqual(one, other)
        # A checkpoint is a rule's as well, before those that begin with it.
        saving = ("--workload", "triad", "--param", "n=64", "--interconnect", "router,bus",
                  "--slaves", "0", "--checkpoint-at", "100us")
        self.compare(*saving, "--snakefile", self.path("Snakefile"))
        self.assertIn("4 of 4 steps (100%) done", self.step(*call, HOME=self.directory))
        self.assertIn("Nothing to be done", self.step(*call, HOME=self.directory))
        self.assertIn("3 of 3 runs are there already", self.compare(*saving).stderr)
        # What compare has made, Snakemake does not make again, and the other way round.
        more = (*options[:-1], "--param", "rounds=1", "--interconnect", "ring")
        self.compare(*more[:3], "n=64", "--interconnect", "ring", out="out")
        self.compare(*more[:3], "n=64", "--interconnect", "ring", "--snakefile",
                     self.path("Snakefile"))
        self.assertIn("Nothing to be done", self.step(*call, HOME=self.directory))

    def counting_build(self, calls):
        """A build whose programs note that they are called."""
        build = self.path("build")
        shutil.copytree(BUILD, build, symlinks=True, ignore=lambda path, names: names
                        if path != BUILD else set(names) - {"bin"})
        for name in ("lib", "guests"):
            os.symlink(os.path.join(BUILD, name), os.path.join(build, name))
        os.makedirs(os.path.join(build, "bin"), exist_ok=True)
        for name in ("x86-arm", "tandem-traffic"):
            path = os.path.join(build, "bin", name)
            with open(path, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho >>{calls}\nexec {BUILD}/bin/{name} \"$@\"\n")
            os.chmod(path, 0o755)
        return build

    @ctest(timeout=300, once=True)
    def test_planning_starts_no_process_for_a_run(self):
        """One for each combination of options of the system, not of parameters or repetitions."""
        calls = self.path("calls")
        build = self.counting_build(calls)
        plan = tandem.plan(out=self.path("out"), build=build, workload="triad",
                           param={"n": list(range(1, 101))}, interconnect=["bus", "mesh"],
                           slaves=0, repeat=5)
        self.assertEqual(len(plan.runs), 1000)
        self.assertEqual(len({run.hash for run in plan.runs}), 1000)
        # --help, a first look, the two combinations, QEMU's command lines.
        self.assertLessEqual(len(read_text(calls).splitlines()), 5)

    def hashes(self, exact, **asked):
        """Of a plan, and how often it has called the program."""
        calls = self.path("calls")
        with open(calls, "w", encoding="ascii"), unittest.mock.patch.object(
                tandem.describing, "EXACT", exact):
            plan = tandem.plan(out=self.path("out"), build=self.path("build"), workload="triad",
                               slaves=[0, 1], **asked)
        return [run.hash for run in plan.runs], len(read_text(calls).splitlines())

    @ctest(timeout=300, once=True)
    def test_systems_put_together_are_those_that_the_program_says(self):
        self.counting_build(self.path("calls"))
        asked = {"interconnect": ["bus", "mesh"], "set": {"width": [4, 8, 16], "columns": [2, 4]},
                 "vary": {"idm.latency": ["0", "7ns", "1us"], "quantum": ["10us", "100us"]}}
        exact, many = self.hashes(1000, **asked)
        composed, few = self.hashes(0, **asked)
        self.assertEqual(exact, composed)
        self.assertEqual(len(set(exact)), 2 * 2 * 3 * 3 * (1 + 2))
        self.assertLess(few, many - 20)

    @ctest(once=True)
    def test_systems_whose_keys_are_not_independent(self):
        class Job:
            program, interconnect_options, slaves, observe = "triad", [], 0, None

            def __init__(self, a, b):
                self.fields, self.found = {"x.a": a, "x.b": b}, None

            def words(self):
                return tuple(self.fields.values())

            def describe(self, found):
                self.found = found

        class Subject:
            asked = 0

            def __init__(self, combine):
                self.combine = combine

            def described(self, words):
                Subject.asked += 1
                return {"x": {"a": words[0], "b": self.combine(*words), "c": {"d": 1}}}
        for combine, at_most in ((lambda a, b: b, 9 + 9 + 1 + 16), (lambda a, b: a * b, 100)):
            Subject.asked = 0
            jobs = [Job(a, b) for a in range(10) for b in range(10)]
            with unittest.mock.patch.object(tandem.describing, "EXACT", 99):
                tandem.describing.describe(jobs, Subject(combine))
            self.assertLessEqual(Subject.asked, at_most)
            for job in jobs:
                self.assertEqual(job.found["x"]["b"], combine(*job.words()))

    @ctest(once=True)
    def test_intervals(self):
        for degrees, value in ((1, 12.706), (9, 2.262), (30, 2.042), (31, 2.040), (40, 2.021),
                               (60, 2.000), (120, 1.980), (10000, 1.960)):
            self.assertAlmostEqual(student_t95(degrees), value, delta=0.0006)
        mean, half = interval([10, 12, 14, 16])
        self.assertEqual(mean, 13)
        self.assertAlmostEqual(half, 3.182 * (20 / 3 / 4) ** 0.5, delta=0.001)
        self.assertEqual(interval([5]), (5, None))

    @ctest(timeout=600, once=True)
    def test_seeds(self):
        """Traffic that is drawn at random meets the guest's: a bus and a crossbar are one thing
        for one initiator at a time, the router is another."""
        options = (*TRIAD[:3], "n=256", "--interconnect", "router,bus,crossbar", "--slaves", 0,
                   "--repeat", 4, "--seed-param", "noise.seed", "--", "--add",
                   "noise=traffic,ranges=0x1002000000+1M,transactions=20000,interval=300ns")
        plan = self.planned(*options)
        self.assertEqual(len({run.hash.partition(".")[0] for run in plan.runs}), 12)
        self.compare(*options)
        frame = {row["interconnect"]: row for row in self.rows()}
        for kind, row in frame.items():
            times = [json.loads(read_text(os.path.join(run.directory, "result.json")))["guest_ns"]
                     for run in plan.runs if f"triad {kind} " in run.title]
            mean, half = interval(times)
            self.assertEqual((float(row["guest_ns"]), float(row["guest_ns_ci95"])), (mean, half))
            self.assertEqual((row["seeds"], row["repeats"]), ("noise.seed", "4"))
        self.assertGreater(float(frame["bus"]["guest_ns_ci95"]), 0)
        text = read_text(self.path("out/results.md"))
        below = [line for line in text.splitlines() if "below the noise" in line]
        self.assertEqual(below, ["0 slaves: the difference between bus and crossbar is below the "
                                 "noise."])
        self.assertIn(f"{frame['bus']['guest_ns']} ± {frame['bus']['guest_ns_ci95']}", text)
        figure = read_text(self.path("out/figures/triad-run-time.gp"))
        self.assertIn("set style histogram errorbars", figure)
        self.assertIn("not all differences are above the noise", figure)
        self.refused_with("--seed-param is for --repeat N", *TRIAD, "--interconnect", "bus",
                          "--seed-param", "run.seed")
        self.refused_with("--seed-param n has a value by another option too", *TRIAD,
                          "--interconnect", "bus", "--repeat", 2, "--seed-param", "n")


if __name__ == "__main__":
    main()
