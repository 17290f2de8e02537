# SPDX-License-Identifier: Apache-2.0
"""Runs on a Slurm cluster of one node, that the test starts: arrays, limits, lost nodes, and
several callers."""
import json
import os
import signal
import subprocess
import sys

from comparing import ComparisonTest
from platform_run import children, ctest, main, read_text, wait_for
from slurm_cluster import NoSlurm, SlurmCluster

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slurm_driver.py")
BEGIN = 'echo begin >> "$0.count"; '
END = 'echo end >> "$0.done"'  # at once: a node may be killed at any moment
SLURM = 300  # seconds for what Slurm does of itself
QUICK = BEGIN + "sleep 0.2; " + END
# Until the test lets it, which it does within the test's own time.
HELD = BEGIN + "while [ ! -e go ]; do sleep 0.1; done; " + END


class Slurm(ComparisonTest):
    def cluster(self, **options):
        cluster = SlurmCluster(self.path("cluster"), **options)
        try:
            os.mkdir(cluster.directory)
            cluster.start()
        except NoSlurm as reason:
            self.skipTest(str(reason))
        self.addCleanup(cluster.stop)
        return cluster

    def plan(self, tasks):
        self.out = self.path("out")
        os.makedirs(self.out, exist_ok=True)
        with open(os.path.join(self.out, "tasks"), "w", encoding="utf-8") as file:
            json.dump(tasks, file)

    def begin(self, cluster, *options):
        process = subprocess.Popen([sys.executable, "-B", DRIVER, self.out, "period=0.3", *options],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=cluster.environment)
        self.addCleanup(self.discard, process)
        return process

    @staticmethod
    def discard(process):
        process.kill()
        process.communicate()

    def end(self, process, status=0, timeout=1200):
        """What it prints, the last line of standard output as JSON, and standard error."""
        out, err = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, status, err)
        return json.loads(out) if out else None, err

    def count(self, task):
        """Its begins, and behind them its good ends."""
        return [word for name in (".count", ".done")
                for word in read_text(os.path.join(self.out, task + name)).split()]

    def is_done(self, task):
        return read_text(os.path.join(self.out, task + ".done")) != ""

    def settled(self):
        """Whether those who submit have the numbers of all their jobs."""
        names = os.listdir(os.path.join(self.out, "slurm"))
        return all(name.replace(".piece", ".job") in names for name in names
                   if name.endswith(".piece"))

    def let_go(self):
        with open(os.path.join(self.out, "go"), "w", encoding="ascii"):
            pass

    @ctest(timeout=900, once=True)
    def test_array(self):
        """39 tasks in arrays of 17 at most; the node is killed and restarted; one fails, one needs
        too much memory."""
        cluster = self.cluster(array=17)
        eater = "b = bytearray(600 << 20); b[::4096] = b'1' * len(b[::4096]); import time; " \
                "time.sleep(300)"
        quick = [f"quick{i}" for i in range(36)]
        scripts = {"held": HELD, "fails": BEGIN + "echo the guest says no >&2; exit 3",
                   **dict.fromkeys(quick, QUICK),
                   "eats": BEGIN + f'{sys.executable} -c "{eater}"; ' + END}
        self.plan([{"id": name, "script": text} for name, text in scripts.items()])
        process = self.begin(cluster, "memory=150", "time=600")
        self.assertTrue(wait_for(lambda: sum(map(self.is_done, quick)) >= 8 and
                                 self.count("held"), SLURM))
        cluster.kill_node()
        self.assertFalse(self.is_done("held"))
        self.let_go()
        cluster.restart_node()
        causes, _ = self.end(process)
        self.assertEqual(set(causes), {"fails", "eats"})
        self.assertRegex(causes["fails"], "^the guest says no ")
        self.assertRegex(causes["eats"], "^needs more than the 150 MiB of memory that were")
        self.assertEqual(self.count("held"), ["begin", "begin", "end"])
        for name in quick:
            self.assertEqual(self.count(name)[-2:], ["begin", "end"])
            self.assertEqual(self.count(name).count("end"), 1)
        # Failures of a run are no reason to make it again, unless the node took them with it.
        self.assertEqual(len(self.count("fails")), 1)
        self.assertEqual(len(self.count("eats")), 1)
        # A second call makes those that failed, and no others.
        self.plan([{"id": name, "script": QUICK} for name in ["fails", *quick]])
        self.assertEqual(self.end(self.begin(cluster, "memory=150", "time=600"))[0], {})
        self.assertEqual(self.count("fails"), ["begin", "begin", "end"])
        for name in quick:
            self.assertEqual(self.count(name).count("end"), 1)

    @ctest(timeout=900, once=True)
    def test_time_limit(self):
        """Apart, as the least that Slurm knows takes up to 90 s."""
        cluster = self.cluster()
        self.plan([{"id": "hangs", "script": BEGIN + "sleep 600"}])
        causes, _ = self.end(self.begin(cluster, "memory=150", "time=5"))
        self.assertEqual(causes, {"hangs": "no end within the 1 min that were asked for; --time "
                                           "asks for more"})
        self.assertEqual(self.count("hangs"), ["begin"])

    @ctest(timeout=900, once=True)
    def test_dependencies_and_estimates(self):
        """Recordings, and two replays of each: every kind first once, then with what that took."""
        cluster = self.cluster()
        record = [f"record{i}" for i in range(6)]
        replay = [f"replay{i}{j}" for i in range(6) for j in "ab"]
        self.plan([*({"id": name, "script": QUICK if name != "record4" else BEGIN + "exit 5",
                      "kind": "record"} for name in record),
                   *({"id": name, "script": BEGIN + f"test -e record{name[6]}.done; " + END,
                      "after": ["record" + name[6]], "kind": "replay"} for name in replay)])
        causes, _ = self.end(self.begin(cluster))
        self.assertEqual(set(causes), {"record4", "replay4a", "replay4b"})
        self.assertIn("ended with status 5", causes["record4"])
        self.assertEqual(causes["replay4a"], "the run that it would replay has failed")
        for name in record + replay:
            of_failed = {"record4": 1, "replay4a": 0, "replay4b": 0}
            self.assertEqual(len(self.count(name)), of_failed.get(name, 2), name)
        asked = cluster.call("squeue", "--array", "--noheader", "--states=all", "--format=%m %l")
        self.assertEqual(sorted(set(asked.splitlines())), ["200M 10:00", "256M 10:00"])
        self.assertEqual(asked.count("200M"), 2)  # by the partition: one of each kind

    @ctest(timeout=600, once=True)
    def test_runs_that_begin_with_a_checkpoint(self):
        """Which Slurm makes as well, once, and all of them wait for it as one array; the rows are
        those of a comparison on this machine."""
        cluster = self.cluster(cpus=6, memory=12000)
        options = ("--workload", "triad", "--param", "n=64", "--interconnect", "router,bus,mesh",
                   "--slaves", 0, "--checkpoint-at", "100us")
        self.compare(*options, "--on", "slurm", "--memory", 1500, "--time", 300,
                     environment=cluster.environment)
        self.assertEqual(cluster.call("squeue", "--array", "--noheader", "--states=all",
                                      "--sort=i", "--format=%F %K %T").splitlines(),
                         ["1 0 COMPLETED", *(f"2 {i} COMPLETED" for i in range(3))])
        self.compare(*options, out="here")
        self.assertEqual(self.without_host("out"), self.without_host("here"))
        # What fails is told once, and nothing begins with it.
        failed = self.compare(*options[:-1], "100s", "--on", "slurm", "--memory", 1500, "--time",
                              300, environment=cluster.environment, status=1).stderr
        self.assertIn("saving triad slaves=0 n=64 at 100s: failed: checkpoint ", failed)
        self.assertIn("triad mesh slaves=0 n=64: failed: the checkpoint that it begins with is not "
                      "there: checkpoint ", failed)

    @ctest(timeout=900, once=True)
    def test_callers(self):
        """Ctrl-C leaves the jobs, two that go on make nothing twice, within the limit of jobs."""
        cluster = self.cluster()
        names = [f"held{i}" for i in range(20)]
        self.plan([{"id": name, "script": HELD} for name in names])
        options = ("memory=100", "time=600", "submitted=8")
        first = self.begin(cluster, *options)
        self.assertTrue(wait_for(lambda: any(map(self.count, names)) and self.settled(), SLURM))
        # It has counted what it submitted when it asks what has become of it.
        self.assertTrue(wait_for(lambda: "squeue" in children(first.pid).values(), SLURM, 0.002))
        first.send_signal(signal.SIGINT)
        self.assertIn("8 runs are left to Slurm; the same command goes on with them, and with "
                      "--cancel it ends them", self.end(first, 130)[1])
        others = [self.begin(cluster, *options) for _ in range(2)]
        self.let_go()
        for process in others:
            self.assertEqual(self.end(process)[0], {})
        for name in names:
            self.assertEqual(self.count(name), ["begin", "end"])
        jobs = cluster.call("squeue", "--array", "--noheader", "--states=all", "--format=%F %K")
        self.assertEqual(len(jobs.splitlines()), 20)

    @ctest(timeout=900, once=True)
    def test_killed_while_it_submits(self):
        """Whoever comes next finds the job by its name."""
        cluster = self.cluster()
        self.plan([{"id": f"held{i}", "script": HELD} for i in range(6)])
        first = self.begin(cluster, "memory=100", "time=600")
        self.assertTrue(wait_for(lambda: self.count("held0") and self.settled(), SLURM))
        self.discard(first)
        os.unlink(os.path.join(self.out, "slurm", "0.job"))
        second = self.begin(cluster, "memory=100", "time=600")
        self.assertTrue(wait_for(
            lambda: read_text(os.path.join(self.out, "slurm", "0.job")) == "1", SLURM))
        self.let_go()
        self.assertEqual(self.end(second)[0], {})
        for i in range(6):
            self.assertEqual(self.count(f"held{i}"), ["begin", "end"])

    @ctest(timeout=900, once=True)
    def test_cancelled(self):
        cluster = self.cluster()
        names = [f"held{i}" for i in range(6)]
        self.plan([{"id": name, "script": HELD} for name in names])
        first = self.begin(cluster, "memory=100", "time=600")
        self.assertTrue(wait_for(lambda: sum(bool(self.count(name)) for name in names) == 4, SLURM))
        self.assertEqual(self.end(self.begin(cluster, "cancel"))[0], 6)
        causes, _ = self.end(first)
        self.assertEqual(set(causes.values()), {"its job was ended: CANCELLED"})
        self.assertEqual(len(causes), 6)
        # And the same command begins again.
        self.let_go()
        self.assertEqual(self.end(self.begin(cluster, "memory=100", "time=600"))[0], {})

    @ctest(timeout=900, once=True)
    def test_refusals(self):
        cluster = self.cluster()
        self.plan([{"id": "quick", "script": QUICK}])
        for option, sentence in (("sbatch=--partition=none", "Invalid partition name specified"),
                                 ("memory=100000", ".*(node configuration|[Mm]emory).*")):
            _, err = self.end(self.begin(cluster, option), 2)
            self.assertRegex(err, f"^error: sbatch: Batch job submission failed: {sentence}\n$")
        # The refused ones are in nobody's way.
        self.assertEqual(self.end(self.begin(cluster))[0], {})
        # One that is not there is looked for during a minute.
        with open(self.path("bad.conf"), "w", encoding="ascii") as file:
            file.write("nonsense\n")
        environment = dict(cluster.environment, SLURM_CONF=self.path("bad.conf"))
        done = subprocess.run([sys.executable, "-B", DRIVER, self.out], env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=600, check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
        self.assertRegex(done.stderr, "^error: scontrol: ")

    def leave(self, cluster, tasks, *options):
        """Has a caller submit these tasks, and kills it when all of them have begun."""
        self.plan([{"id": name, "script": text} for name, text in tasks.items()])
        caller = self.begin(cluster, "memory=150", *options)
        self.assertTrue(wait_for(lambda: all(map(self.count, tasks)) and self.settled(), SLURM))
        self.discard(caller)

    @ctest(timeout=900, once=True)
    def test_accounting(self):
        """What has become of jobs that the controller has forgotten, sacct alone knows: it tells a
        time limit and a cancelled job, which are told, from a preempted one and a lost node, which
        are made again."""
        cluster = self.cluster(accounting=True, remembered=2)
        sleeps = BEGIN + "sleep 600"

        def states():
            return dict(line.split("|") for line in cluster.call(
                "sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID,State"
                ).replace(f" by {os.getuid()}", "").splitlines())
        self.leave(cluster, {"preempted": HELD}, "time=600")
        cluster.call("sbatch", "--partition=first", "--exclusive", "--output=/dev/null",
                     "--wrap=sleep 1")
        self.assertTrue(wait_for(lambda: states().get("1_0") == "PREEMPTED", SLURM, 0.5))
        self.assertTrue(wait_for(lambda: states().get("2") == "COMPLETED", SLURM, 0.5))
        self.leave(cluster, {"lost": HELD}, "time=600")
        cluster.kill_node()
        cluster.restart_node()
        self.assertTrue(wait_for(lambda: states().get("3_0") == "NODE_FAIL", SLURM, 0.5))
        self.assertTrue(wait_for(lambda: cluster.state() == "idle", SLURM, 0.5))
        self.leave(cluster, {"hangs": sleeps, "cancelled": sleeps}, "time=60")
        cluster.call("scancel", "4_1")
        self.assertTrue(wait_for(lambda: states().get("4_0") == "TIMEOUT", SLURM, 0.5))
        self.assertEqual(states(), {"1_0": "PREEMPTED", "2": "COMPLETED", "3_0": "NODE_FAIL",
                                    "4_0": "TIMEOUT", "4_1": "CANCELLED"})
        self.assertTrue(wait_for(lambda: not cluster.call("squeue", "--noheader", "--states=all"),
                                 SLURM, 1))
        self.let_go()
        self.plan([{"id": name, "script": HELD}
                   for name in ("preempted", "lost", "hangs", "cancelled")])
        causes, _ = self.end(self.begin(cluster, "memory=150", "time=60"))
        self.assertEqual(causes, {
            "hangs": "no end within the 1 min that were asked for; --time asks for more",
            "cancelled": "its job was ended: CANCELLED"})
        for name, count in (("preempted", 3), ("lost", 3), ("hangs", 1), ("cancelled", 1)):
            self.assertEqual(len(self.count(name)), count, name)

    def without_host(self, out):
        rows = self.rows(out)
        for row in rows:
            for column in ("host_s", "host_min_s", "host_max_s", "node"):
                del row[column]
        return rows

    def failures(self, said, out):
        return sorted(line.partition(" ")[2] for line in
                      said.replace(self.path(out), "OUT").splitlines() if ": failed: " in line)

    @ctest(timeout=600, once=True)
    def test_comparison(self):
        """Finds what one on this machine does, and says the same of what fails; goes on when it was
        interrupted, and makes nothing twice."""
        cluster = self.cluster(cpus=6, memory=12000)
        common = ("--workload", "triad", "--interconnect", "bus,mesh", "--slaves", "0,1",
                  "--replay")
        options = (*common, "--param", "n=64,0")
        on_slurm = ("--on", "slurm", "--memory", 1500, "--time", 300)
        process = subprocess.Popen(self.command(*options, *on_slurm), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=cluster.environment)
        self.addCleanup(self.discard, process)
        submitted = os.path.join(self.path("out"), "work", "slurm", "0.job")
        self.assertTrue(wait_for(lambda: os.path.exists(submitted), SLURM))
        process.send_signal(signal.SIGINT)
        _, said = self.end(process, 130)
        self.assertRegex(said, r"(^|\n)interrupted; \d+ runs are left to Slurm; the same command "
                               r"goes on with them, and with --cancel it ends them\n$")
        said += self.compare(*options, *on_slurm, status=1, environment=cluster.environment).stderr
        here = self.compare(*options, status=1, out="here").stderr
        self.assertEqual(self.without_host("out"), self.without_host("here"))
        self.assertEqual(len(self.rows()), 4)
        failures = self.failures(said, "out")
        self.assertEqual(failures, self.failures(here, "here"))
        self.assertEqual(len(failures), 4)

        def jobs():
            return cluster.call("squeue", "--array", "--noheader", "--states=all", "--format=%F %K")
        before = jobs()
        good = (*common, "--param", "n=64", *on_slurm)
        said = self.compare(*good, environment=cluster.environment).stderr
        self.assertIn("4 of 4 runs are there already", said)
        self.assertEqual(jobs(), before)
        done = self.compare(*good, "--cancel", environment=cluster.environment)
        self.assertEqual(done.stdout, "0 runs were ended\n")
        self.refused_with("--memory is for --on slurm", *common, "--memory", 1)
        self.refused_with("--submitted must be more than 0", *options, "--on", "slurm",
                          "--submitted", 0)


if __name__ == "__main__":
    main()
