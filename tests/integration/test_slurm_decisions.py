# SPDX-License-Identifier: Apache-2.0
"""What is done about each state that Slurm can tell: without a Slurm, as many of them need a
cluster with accounting, other users or hours."""
import dataclasses
import json
import os
import shutil
import sys

from comparing import PYTHON
from platform_run import PlatformTest, ctest, main

sys.path.insert(0, PYTHON)
from tandem import Refused, slurm_commands, slurm_comparison  # noqa: E402
from tandem.backends import NEEDED_FAILED  # noqa: E402
from tandem.slurm_limits import Limits, Options, Task  # noqa: E402

State = slurm_commands.State


class ToldSlurm:
    """Ends each element at once as the test tells. fates: {task: [state or record, ...]}, one for
    each time; a record is what the node writes down, after which the job is forgotten."""
    largest_array, remembers, most_jobs, accounts = 5, 300, 1000, True

    def __init__(self, directory, fates):
        self.directory, self.fates = directory, fates
        self.submitted, self.of_accounts, self.states = [], {}, {}
        self.too_many = []

    def submit(self, options, script):
        if self.too_many:
            raise slurm_commands.Later(self.too_many.pop())
        number = script.split()[-1]
        with open(os.path.join(self.directory, "slurm", number + ".piece"),
                  encoding="utf-8") as file:
            lines = [json.loads(line) for line in file][1:]
        job = str(100 + int(number))
        self.submitted.append((options, [line["id"] for line in lines]))
        for line in lines:
            self._end(options[0].split("=")[1], job, number, line)
        return job

    def _end(self, name, job, number, line):
        index = line["index"]
        fates = self.fates.get(line["id"], [])
        fate = fates.pop(0) if fates else {"status": 0, "seconds": 3, "memory": 1000}
        if isinstance(fate, dict):
            with open(os.path.join(self.directory, "slurm", f"{number}-{index}.end"), "w",
                      encoding="ascii") as file:
                json.dump(dict(fate, node="here"), file)
            if fate["status"] == 0:
                with open(os.path.join(self.directory, line["id"]), "w", encoding="ascii"):
                    pass
        elif fate.startswith("accounts:"):
            self.of_accounts[job, index] = State(fate.split(":")[1])
        elif fate:
            self.states[name, job, index] = State(*fate.split(":"))

    def jobs(self):
        return self.states

    def ended(self, jobs):
        return {place: state for place, state in self.of_accounts.items() if place[0] in jobs}

    def cancel(self, jobs):
        pass


class Decisions(PlatformTest):
    def run_with(self, fates, kinds=None, after=None, too_many=(), **options):
        told = ToldSlurm(self.directory, {name: list(fate) for name, fate in fates.items()})
        told.too_many = list(too_many)
        tasks = [Task(name, [], self.directory,
                      lambda path=self.path(name): os.path.exists(path),
                      after=(after or {}).get(name, []), kind=(kinds or {}).get(name, ""))
                 for name in fates]
        slurm_comparison.Slurm, slurm_comparison.LAG = lambda: told, 0.05
        comparison = slurm_comparison.Comparison(
            tasks, Options(self.directory, period=0.001, **options))
        return comparison.run(), told.submitted

    def times(self, submitted, task):
        return sum(tasks.count(task) for _, tasks in submitted)

    @ctest(timeout=60, once=True)
    def test_lost_ones_are_repeated_three_times(self):
        causes, submitted = self.run_with(
            {"preempted": ["PREEMPTED"], "boot": ["BOOT_FAIL"], "vanished": [""],
             "accounts": ["accounts:NODE_FAIL"], "silent": ["FAILED:JobLaunchFailure"],
             "mixed": ["NODE_FAIL", "PREEMPTED", "NODE_FAIL"],
             "stopped": [{"status": -15, "seconds": 1, "memory": 1}],
             "never": ["PREEMPTED", "PREEMPTED", "PREEMPTED", "NODE_FAIL"]}, memory=100, time=60)
        self.assertEqual(causes, {"never": "lost 4 times, at last: NODE_FAIL"})
        for task, times in (("preempted", 2), ("boot", 2), ("vanished", 2), ("accounts", 2),
                            ("silent", 2), ("mixed", 4), ("stopped", 2), ("never", 4)):
            self.assertEqual(self.times(submitted, task), times, task)

    @ctest(timeout=60, once=True)
    def test_failures_are_not_repeated(self):
        causes, submitted = self.run_with(
            {"own": [{"status": 1, "seconds": 3, "memory": 9, "said": "error: no such guest"}],
             "signal": [{"status": -11, "seconds": 3, "memory": 9}],
             "time": ["TIMEOUT:TimeLimit"], "memory": ["accounts:OUT_OF_MEMORY"],
             "cancelled": ["CANCELLED"], "deadline": ["DEADLINE"]}, memory=100, time=61)
        self.assertRegex(causes.pop("own"), r"^error: no such guest \(on here; see .*0-0.log\)$")
        self.assertRegex(causes.pop("signal"), r"^ended by signal 11 \(on here; see ")
        self.assertEqual(causes, {
            "time": "no end within the 2 min that were asked for; --time asks for more",
            "memory": "needs more than the 100 MiB of memory that were asked for; --memory asks "
                      "for more",
            "cancelled": "its job was ended: CANCELLED", "deadline": "its job was ended: DEADLINE"})
        self.assertEqual(sum(len(tasks) for _, tasks in submitted), 6)

    @ctest(timeout=60, once=True)
    def test_estimates_are_doubled_once(self):
        """Of what the first of each kind took: 3 s, for which 10 minutes are the least, and 1000
        MiB, of which half as much again is asked for."""
        names = ["first", "slow", "slower", "large", "other"]
        kinds = dict.fromkeys(names, "a")
        kinds["other"] = "b"
        causes, submitted = self.run_with(
            {"first": [], "slow": ["TIMEOUT"], "slower": ["TIMEOUT", "TIMEOUT"],
             "large": ["OUT_OF_MEMORY"],
             "other": [{"status": 0, "seconds": 1000, "memory": 20}]}, kinds)
        self.assertEqual(causes, {
            "slower": "no end within the 20 min that were asked for; --time asks for more"})

        def asked(task):
            return [[word for word in options if word.startswith(("--mem", "--time"))]
                    for options, tasks in submitted if task in tasks]
        self.assertEqual(asked("first"), [[]])
        self.assertEqual(asked("other"), [[]])
        self.assertEqual(asked("slow"), [["--mem=1500M", "--time=10"],
                                         ["--mem=1500M", "--time=20"]])
        self.assertEqual(asked("large"), [["--mem=1500M", "--time=10"],
                                          ["--mem=3000M", "--time=10"]])
        self.assertEqual(self.times(submitted, "slower"), 2)

    @ctest(timeout=60, once=True)
    def test_what_waited_for_a_lost_one(self):
        causes, submitted = self.run_with(
            {"log": ["NODE_FAIL"], "replay": ["CANCELLED:DependencyNeverSatisfied"],
             "bad": [{"status": 2, "seconds": 1, "memory": 1, "said": "no"}], "replay of bad": []},
            after={"replay": ["log"], "replay of bad": ["bad"]}, memory=100, time=60)
        self.assertEqual(causes.pop("replay of bad"), NEEDED_FAILED)
        self.assertEqual(list(causes), ["bad"])
        self.assertEqual(self.times(submitted, "log"), 2)

    @ctest(once=True)
    def test_what_waited_for_a_lost_one_that_only_the_accounting_knows(self):
        """It has CANCELLED for those, without a reason."""
        told = ToldSlurm(self.directory, {})
        slurm_comparison.Slurm = lambda: told
        comparison = slurm_comparison.Comparison(
            [Task(name, [], self.directory, lambda: False, after=after)
             for name, after in (("boot", []), ("run", ["boot"]), ("other", []))],
            Options(self.directory, memory=100, time=60))
        for job, (task, state) in enumerate((("boot", "NODE_FAIL"), ("run", "CANCELLED"),
                                             ("other", "CANCELLED"))):
            ledger = comparison.ledger
            ledger.settle(ledger.append({0: comparison.tasks[task]}, {}, {}), str(job))
            told.of_accounts[str(job), 0] = State(state)
        comparison._look()
        self.assertEqual(set(comparison._pending), {"boot", "run"})
        self.assertEqual(comparison.causes, {"other": "its job was ended: CANCELLED"})

    def behind(self, after):
        """The dependencies of arrays that are submitted when what they need is at work, and their
        tasks."""
        needed = sorted({one for all_of_them in after.values() for one in all_of_them})
        told = ToldSlurm(self.directory, {})
        slurm_comparison.Slurm = lambda: told
        tasks = [Task(name, [], self.directory, lambda: False, after=after.get(name, []))
                 for name in [*needed, *after]]
        comparison = slurm_comparison.Comparison(
            tasks, Options(self.directory, memory=100, time=60))
        piece = comparison.ledger.append(dict(enumerate(tasks[:len(needed)])), dataclasses.asdict(
            Limits(1, 100, 1)), {})
        comparison.ledger.settle(piece, "7")
        comparison._active = set(needed)
        comparison._pending = dict.fromkeys(after)
        return [(behind, {index: task.id for index, task in array.items()})
                for _, behind, array in comparison._arrays()]

    @ctest(once=True)
    def test_what_comes_behind_others(self):
        """In as few arrays as can be: element by element, or all of them behind one."""
        self.assertEqual(self.behind({f"run{i}": ["boot"] for i in range(7)}), [
            ("afterok:7_0", {i: f"run{i}" for i in range(5)}),
            ("afterok:7_0", {i: f"run{i + 5}" for i in range(2)})])
        shutil.rmtree(self.path("slurm"))
        self.assertEqual(self.behind({"a0": ["log0"], "a1": ["log1"], "b1": ["log1"],
                                      "a2": ["log2"]}), [
            ("aftercorr:7", {0: "a0", 1: "a1", 2: "a2"}), ("aftercorr:7", {1: "b1"})])
        shutil.rmtree(self.path("slurm"))
        self.assertEqual(self.behind({f"run{i}{j}": [f"boot{i}"] for i in "01" for j in "abc"}), [
            (f"afterok:7_{i}", {n: f"run{i}{j}" for n, j in enumerate("abc")}) for i in (0, 1)])

    @ctest(timeout=60, once=True)
    def test_no_more_jobs(self):
        """When none of its own is in the way: a sentence; the next call does not wait for what was
        never submitted."""
        with self.assertRaises(Refused) as raised:
            self.run_with({"one": []}, too_many=["sbatch: no more"], memory=100, time=60)
        self.assertEqual(str(raised.exception), "sbatch: no more")
        causes, submitted = self.run_with({"one": []}, memory=100, time=60)
        self.assertEqual((causes, self.times(submitted, "one")), ({}, 1))

    @ctest(timeout=60, once=True)
    def test_what_slurm_says(self):
        """With accounting: programs that print what Slurm's do."""
        said = {"scontrol": "ClusterName             = hydra\n"
                            "AccountingStorageType   = accounting_storage/slurmdbd\n"
                            "MaxArraySize            = 301\nMaxJobCount             = 10000\n"
                            "MinJobAge               = 120 sec\n",
                "squeue": "12|3|RUNNING|None|tandem-1.0\n12|5-9%2|PENDING|Priority|a|b\n"
                          "14|N/A|OUT_OF_MEMORY|OutOfMemory|other\n",
                "sacct": "7_0|CANCELLED by 1000\n7_1|TIMEOUT\n7_[2-9]|PENDING\n8|COMPLETED\n",
                "sbatch": "31;hydra\n"}
        for name, text in said.items():
            self.program(name, f"cat <<'E'\n{text}E\n")
        self.program("sacctmgr", 'case "$*" in *qos*) echo 40;; *) echo "|normal"; '
                                 'echo "120|"; esac\n')
        before = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", before)
        os.environ["PATH"] = self.directory + ":" + before
        cluster = slurm_commands.Slurm()
        self.assertEqual((cluster.largest_array, cluster.remembers, cluster.most_jobs),
                         (301, 120, 40))
        self.assertEqual({place: (state.name, state.reason, state.active)
                          for place, state in cluster.jobs().items()},
                         {("tandem-1.0", "12", 3): ("RUNNING", "None", True),
                          ("a|b", "12", None): ("PENDING", "Priority", True),
                          ("other", "14", None): ("OUT_OF_MEMORY", "OutOfMemory", False)})
        self.assertEqual({place: state.name for place, state in cluster.ended({"7"}).items()},
                         {("7", 0): "CANCELLED", ("7", 1): "TIMEOUT"})
        self.assertEqual(cluster.submit([], ""), "31")
        for sentence, error in (
                ("Batch job submission failed: Job violates accounting/QOS policy (job submit "
                 "limit, user's size and/or time limits)", slurm_commands.Later),
                ("Batch job submission failed: Invalid account or account/partition combination "
                 "specified", Refused)):
            self.program("sbatch", f'echo "sbatch: error: AssocGrp" >&2\n'
                                   f'echo "sbatch: error: {sentence}" >&2\nexit 1\n')
            with self.assertRaises(error) as raised:
                cluster.submit([], "")
            self.assertEqual(str(raised.exception), "sbatch: " + sentence)

    def program(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(self.path(name), 0o755)


if __name__ == "__main__":
    main()
