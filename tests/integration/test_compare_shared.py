# SPDX-License-Identifier: Apache-2.0
"""Several comparisons in one directory: each run is made once, whoever is killed."""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid

from comparing import COMPARISON_TIMEOUT, PYTHON, ComparisonTest
from platform_run import RUN_TIMEOUT, ctest, main, read_text, wait_for

sys.path.insert(0, PYTHON)
from tandem.claim import SILENCE, Claim  # noqa: E402

# Before each run: notes which one begins, for which comparison (the directory has its pid; the
# parent is another one when that was killed), and whether it was there. Waits while it is held.
NOTED = """for word; do [ "$before" = --stats ] && stats=$word; before=$word; done
part=$(dirname "$stats"); run=${{part%%@*}}; who=${{part%.*.part}}
[ ! -e "$run/result.json" ] || there=there
echo "begin $(basename "$run") ${{who##*.}} $there" >>{log}
while [ -e {hold} ]; do sleep 0.1; done"""


class CompareShared(ComparisonTest):
    def setUp(self):
        super().setUp()
        self.noted, self.hold = self.path("noted"), self.path("hold")
        self.build = self.wrapped_build(NOTED, log=self.noted, hold=self.hold)

    def begin(self, *options):
        words = self.command(*options, build=self.build)
        with open(self.path("said"), "ab") as said:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=said)

    def notes(self):
        return [line.split() for line in read_text(self.noted).splitlines()]

    def without_host(self, out="out"):
        rows = self.rows(out)
        for row in rows:
            for column in ("host_s", "host_min_s", "host_max_s", "run"):
                del row[column]
        return rows

    @ctest(timeout=900, once=True)
    def test_killed_at_random_moments(self):
        options = ("--workload", "triad", "--param", "n=64,128,256", "--interconnect",
                   "router,bus,mesh", "--slaves", "0,1", "--repeat", 2, "--replay", "--jobs", 1)
        total = 36
        generator = random.Random(13)
        both = [self.begin(*options) for _ in range(2)]
        try:
            for _ in range(20):
                time.sleep(generator.uniform(0.1, 2.5))
                victim = generator.randrange(2)
                with open(self.noted, "a", encoding="ascii") as file:
                    file.write(f"kill {both[victim].pid}\n")
                both[victim].send_signal(signal.SIGKILL)
                both[victim].wait()
                both[victim] = self.begin(*options)
            statuses = [one.wait(COMPARISON_TIMEOUT) for one in both]
        finally:
            for one in both:
                one.kill()
                one.wait()
        self.assertEqual(statuses, [0, 0], read_text(self.path("said")))
        # None begins when it is there, and none again unless who began it before was killed.
        killed, begun = set(), {}
        for what, *words in self.notes():
            if what == "kill":
                killed.add(words[0])
            else:
                run, who, *there = words
                if who in killed:  # what it had begun before comes late
                    begun.setdefault(run, who)
                    continue
                self.assertEqual(there, [], run)
                self.assertIn(begun.get(run), {None, *killed}, run)
                begun[run] = who
        self.assertEqual(len(begun), total)
        runs = self.path("out/runs")
        self.assertEqual(sorted(os.listdir(runs)), sorted(begun))
        self.assertEqual([name for name in os.listdir(self.path("out/work"))
                          if ".claim.0" in name], [])
        self.compare(*options, out="alone")
        self.assertEqual(self.without_host(), self.without_host("alone"))

    @ctest(timeout=600, once=True)
    def test_two_share_the_runs(self):
        """Without a kill, each run begins once, and the failure of one is that of both."""
        options = ("--workload", "triad", "--param", "n=0,64,128", "--interconnect", "router,bus",
                   "--jobs", 2)
        both = [self.begin(*options) for _ in range(2)]
        statuses = [one.wait(COMPARISON_TIMEOUT) for one in both]
        said = read_text(self.path("said"))
        self.assertEqual(statuses, [1, 1], said)
        begun = collections.Counter(run for _, run, *_ in self.notes())
        good = os.listdir(self.path("out/runs"))
        self.assertEqual(len(good), 6)
        for run, times in begun.items():
            if run in good:
                self.assertEqual(times, 1, run)
        self.assertEqual(len(self.rows()), 4)

    @ctest(timeout=600, once=True)
    def test_two_share_a_checkpoint(self):
        """It is made once, and nobody begins before it is there, also when its maker is killed."""
        options = ("--workload", "triad", "--param", "n=1k", "--slaves", 0, "--checkpoint-at",
                   "100us", "--jobs", 2, "--interconnect", "router,bus")
        both = [self.begin(*options) for _ in range(2)]
        self.assertEqual([one.wait(COMPARISON_TIMEOUT) for one in both], [0, 0],
                         read_text(self.path("said")))
        begun = [run for _, run, *_ in self.notes()]
        saved, = os.listdir(self.path("out/checkpoints"))
        self.assertEqual(begun[0], saved)
        self.assertEqual(sorted(begun), sorted([saved, *os.listdir(self.path("out/runs"))]))
        # Killed while it saves: the same command goes on.
        more = (*options[:3], "n=512", *options[4:])
        with open(self.hold, "w", encoding="ascii"):
            pass
        first = self.begin(*more)
        self.assertTrue(wait_for(lambda: len(self.notes()) > len(begun), RUN_TIMEOUT))
        first.kill()
        first.wait()
        os.unlink(self.hold)
        self.assertEqual(os.listdir(self.path("out/checkpoints")).count(saved), 1)
        self.assertTrue(any(name.endswith(".part") for name in
                            os.listdir(self.path("out/checkpoints"))))
        self.assertEqual(self.begin(*more).wait(COMPARISON_TIMEOUT), 0,
                         read_text(self.path("said")))
        self.assertEqual(len(os.listdir(self.path("out/checkpoints"))), 2)
        self.assertEqual(len(self.rows()), 2)

    def claims(self, *, host=None, silent=0):
        """A claim of a process that is not this one, and one that wants the same."""
        path = self.path("run.claim")
        for name in os.listdir(self.directory):
            if name.startswith("run.claim"):
                os.unlink(self.path(name))
        child = subprocess.Popen([sys.executable, "-c", f"""
import sys
sys.path.insert(0, {PYTHON!r})
from tandem.claim import Claim
print(Claim({path!r}).take(), flush=True)
sys.stdin.read()"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.wait)
        self.addCleanup(child.stdin.close)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), "True\n")
        if host:
            with open(path + ".0", encoding="ascii") as file:
                own, _, pid, start = json.load(file)
            with open(path + ".0", "w", encoding="ascii") as file:
                json.dump([own, host, pid, start], file)
        if silent:
            then = time.time() - silent
            os.utime(path + ".0", (then, then))
        return child, Claim(path)

    @ctest(once=True)
    def test_claims(self):
        child, mine = self.claims()
        self.assertFalse(mine.take())
        child.kill()
        child.wait()
        self.assertTrue(mine.take())
        # Silence of a process of this node that is alive is none; that of another's is.
        child, mine = self.claims(silent=10 * SILENCE)
        self.assertFalse(mine.take())
        _, mine = self.claims(host="elsewhere", silent=SILENCE - 30)
        self.assertFalse(mine.take())
        _, mine = self.claims(host="elsewhere", silent=SILENCE + 30)
        self.assertTrue(mine.take())
        self.assertFalse(Claim(self.path("run.claim")).take())
        # What was given up can be taken, once.
        mine.release(False)
        many = [Claim(self.path("run.claim")) for _ in range(5)]
        self.assertEqual([one.take() for one in many], [True] + 4 * [False])
        many[0].release(True)
        self.assertEqual([name for name in os.listdir(self.directory)
                          if name.startswith("run.claim")], [])

    @ctest(once=True)
    def test_claims_of_one_that_was_killed_go(self):
        """It was killed when the run was there already, and its claim was as well."""
        options = ("--workload", "triad", "--param", "n=64", "--interconnect", "router",
                   "--slaves", 0)
        self.compare(*options)
        run, = os.listdir(self.path("out/runs"))
        path = os.path.join(self.path("out/work"), run + ".claim")
        for _ in range(2):
            subprocess.run([sys.executable, "-c", f"""
import sys
sys.path.insert(0, {PYTHON!r})
from tandem.claim import Claim
assert Claim({path!r}).take()"""], check=True, timeout=RUN_TIMEOUT)
        self.assertTrue(os.path.exists(path + ".1"))
        self.compare(*options)
        self.assertEqual([name for name in os.listdir(self.path("out/work"))
                          if ".claim" in name], [])

    @ctest(timeout=300, once=True)
    def test_one_of_many_takes_over(self):
        """Processes that find the same void claim at the same moment."""
        path = self.path("run.claim")
        with open(path + ".own", "w", encoding="ascii") as file:
            json.dump([f"run.claim.{uuid.uuid4().hex}", "elsewhere", 1, "1"], file)
        os.link(path + ".own", path + ".0")
        os.utime(path + ".0", (1, 1))
        program = f"""
import sys
sys.path.insert(0, {PYTHON!r})
from tandem.claim import Claim
sys.stdin.readline()
print(sum(Claim({path!r}).take() for _ in range(50)), flush=True)
sys.stdin.readline()"""
        all_of_them = [subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True) for _ in range(8)]
        for one in all_of_them:
            one.stdin.write("\n")
            one.stdin.flush()
        counts = [int(one.stdout.readline()) for one in all_of_them]
        for one in all_of_them:
            one.communicate("\n", timeout=RUN_TIMEOUT)
        self.assertEqual(sum(counts), 1, counts)


if __name__ == "__main__":
    main()
