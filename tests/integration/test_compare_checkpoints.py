# SPDX-License-Identifier: Apache-2.0
"""./tandem compare --checkpoint-at: what boots the same is saved once, by a run of the plan, and
every row begins there."""
import json
import os
import shutil
import sys

from comparing import BUILD, PYTHON, ComparisonTest
from platform_run import ctest, main, read_text

sys.path.insert(0, PYTHON)
import tandem  # noqa: E402

TRIAD = ("--workload", "triad", "--param", "n=1k", "--checkpoint-at", "100us")


class CompareCheckpoints(ComparisonTest):
    def planned(self, **asked):
        """The plan, its checkpoints, and its other runs."""
        plan = tandem.plan(**{
            "out": self.path("out"), "build": BUILD, "workload": "triad",
            "interconnect": ["router", "mesh"], "checkpoint_at": "100us", **asked})
        return plan, [run for run in plan.runs if run.is_checkpoint()], \
            [run for run in plan.runs if not run.is_checkpoint()]

    def saved(self, out="out"):
        return sorted(os.listdir(self.path(os.path.join(out, "checkpoints"))))

    @ctest(timeout=300, once=True)
    def test_every_row_begins_there(self):
        options = (*TRIAD, "--interconnect", "router,mesh", "--set", "width=4,8")
        done = self.compare(*options)
        self.assertIn("/4 saving triad slaves=1 n=1k at 100us: ends at ", done.stderr)
        rows = self.rows()
        self.assertEqual([(row["workload"], row["interconnect"], row["slaves"],
                           row["interconnect.width"]) for row in rows],
                         [("triad", "router", "1", ""), ("triad", "mesh", "1", "4"),
                          ("triad", "mesh", "1", "8")])
        saved, = self.saved()
        place = self.path(f"out/checkpoints/{saved}/saved")
        manifest = json.loads(read_text(os.path.join(place, "manifest.json")))
        self.assertTrue(100000 <= manifest["time_ns"] <= 200000)
        for row, more in zip(rows, ((), ("--set", "width=4"), ("--set", "width=8"))):
            run = self.simulate("--restore", place, "--interconnect", row["interconnect"],
                                "--observe", "every", *more)
            self.assertEqual(int(row["guest_ns"]), run.number("ns"))
            self.assertEqual(int(row["transactions"]),
                             run.module("interconnect")["total"]["transactions"])
            self.assertIn(f"--restore {place}", self.run_file(row, "command"))
        # Without the part before the checkpoint, in which nothing was seen, there are fewer.
        self.compare(*TRIAD[:4], "--interconnect", "router", out="whole")
        self.assertLess(int(rows[0]["transactions"]),
                        int(self.rows("whole")[0]["transactions"]))
        # Whatever else is compared begins there as well; what is there needs no checkpoint.
        before = os.stat(os.path.join(place, "manifest.json")).st_mtime_ns
        self.assertIn("2 of 3 runs are there already",
                      self.compare(*TRIAD, "--interconnect", "router,bus").stderr)
        self.assertEqual(os.stat(os.path.join(place, "manifest.json")).st_mtime_ns, before)
        shutil.rmtree(self.path("out/checkpoints"))
        self.assertIn("4 of 4 runs are there already", self.compare(*options).stderr)
        self.assertEqual(self.saved(), [])

    @ctest(once=True)
    def test_plan(self):
        """Nothing is saved while planning; the plan says what is to be, and who needs it."""
        plan, (saved,), others = self.planned(set={"width": [4, 8]}, slaves=2)
        self.assertFalse(os.path.exists(self.path("out")))
        self.assertEqual(plan.runs[0], saved)
        self.assertEqual([run.after for run in others], 3 * [[saved.hash]])
        words = " ".join(saved.argv)
        self.assertIn(f"--checkpoint-at 100us --checkpoint {saved.directory}/saved "
                      "--checkpoint-exit", words)
        for word in ("--interconnect", "--observe", "--restore"):
            self.assertNotIn(word, words)
        self.assertIn(saved.argv[0], saved.inputs)
        for run in others:
            self.assertIn(f"--restore {saved.directory}/saved", " ".join(run.argv))
        self.assertEqual(tandem.load_plan(plan.save(self.path("plan.json"))), plan)

    @ctest(once=True)
    def test_each_boot_has_its_own(self):
        """By what the program says that a checkpoint fixes."""
        for of_boot, asked in (
                (1, {"vary": {"run.quantum": ["50us", "100us"], "idm.latency": ["0", "7ns"]}}),
                (1, {"cache": {"l1.size": "1k"}, "observe": ["cached", "every"]}),
                (2, {"vary": {"master.cpus": [1, 2], "dram.column": ["5ns", "10ns"]}}),
                (2, {"vary": {"shared-memory": ["32M", "64M"]}}),
                (4, {"vary": {"slave.machine": ["arm", "cortexm"], "slave.icount-shift": [1, 2]}}),
                (6, {"param": {"n": [64, 128, 256]}, "slaves": [0, 1]}),
                (2, {"workload": ["triad", "chase"]}),
                (3, {"repeat": 3, "seed_param": "run.seed"}),
                (3, {"repeat": 3, "seed_param": "n"}),
                (1, {"repeat": 3})):
            with self.subTest(asked):
                _, saved, others = self.planned(**asked)
                self.assertEqual(len(saved), of_boot)
                self.assertEqual(len({run.hash for run in others}), len(others))
                needed = [run.after for run in others]
                self.assertEqual({tuple(after) for after in needed},
                                 {(run.hash,) for run in saved})
                # Both interconnects begin with the same.
                for run in saved:
                    self.assertEqual(needed.count([run.hash]) * of_boot, len(needed))
        with self.assertRaisesRegex(tandem.Refused, "--checkpoint-at and --replay exclude"):
            self.planned(replay=True)
        with self.assertRaisesRegex(tandem.Refused, "impossible checkpoint-at 'soon'"):
            self.planned(checkpoint_at="soon")

    @ctest(timeout=300, once=True)
    def test_values_that_need_checkpoints_of_their_own(self):
        options = (*TRIAD, "--interconnect", "router,bus", "--vary", "master.cpus=1,2")
        self.compare(*options)
        rows = self.rows()
        self.assertEqual([row["master.cpus"] for row in rows], ["1", "2", "1", "2"])
        self.assertEqual(len(self.saved()), 2)
        for row in rows:
            place = self.run_file(row, "command").split("--restore ")[1].split()[0]
            manifest = json.loads(read_text(os.path.join(place, "manifest.json")))
            self.assertEqual(manifest["common"]["master.cpus"], row["master.cpus"])
        self.assertLess(int(rows[0]["guest_ns"]), int(rows[2]["guest_ns"]))

    @ctest(timeout=300, once=True)
    def test_of_a_described_system(self):
        text = """[instance]
cpu0 = { machine = "arm", image = "triad", to = "net" }
[part]
memory = { kind = "memory" }
idm = { kind = "idm" }
[interconnect.net]
kind = "bus"
map = [ { at = 0x1000000000, to = "memory" }, { at = 0x0f000000, to = "idm" } ]
"""
        self.write("base.toml", text)
        self.write("one.toml", 'base = "base.toml"\n')
        options = ("--system", self.path("one.toml"), "--set", "net.kind=bus,mesh", "--param",
                   "n=1k", "--checkpoint-at", "50us", "--observe", "every")
        self.compare(*options, "--set", "cpu0.icount-shift=1,2")
        rows = self.rows()
        self.assertEqual(len(self.saved()), 2)
        for row in rows:
            place = self.run_file(row, "command").split("--restore ")[1].split()[0]
            run = self.simulate("--restore", place, "--set", f"net.kind={row['net.kind']}",
                                "--observe", "every", platform=os.path.join(BUILD, "bin",
                                                                            "tandem-system"))
            self.assertEqual(int(row["guest_ns"]), run.number("ns", "cpu0"))
        # What is said in a file that the system's file names is the checkpoint's business, too.
        self.write("base.toml", text.replace('image = "triad"', 'image = "triad", memory = "64"'))
        self.assertNotIn("already", self.compare(*options, "--set", "cpu0.icount-shift=1").stderr)
        self.assertEqual(len(self.saved()), 3)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    @ctest(timeout=300, once=True)
    def test_what_prepares_it(self):
        """Its commands come first, in order; one that fails says why, and no other follows."""
        plan, (saved,), others = self.planned(interconnect="router", slaves=0, param={"n": 64})
        noted = self.path("noted")
        saved.prepare = [["sh", "-c", f"echo first >>{noted}; echo $0 >$0/one", saved.directory],
                         ["sh", "-c", f"echo second >>{noted}; echo 'none: no room' >&2; exit 3"],
                         ["sh", "-c", f"echo third >>{noted}"]]
        cause = f"none: no room (see {saved.directory}.failed)"
        self.assertEqual(tandem.run(plan), {
            saved.hash: cause,
            others[0].hash: "the checkpoint that it begins with is not there: " + cause})
        self.assertEqual(read_text(noted), "first\nsecond\n")
        self.assertNotIn(".log", "".join(os.listdir(saved.directory + ".failed")))
        del saved.prepare[1]
        self.assertEqual(tandem.run(plan), {})
        self.assertEqual(read_text(noted), "first\nsecond\nfirst\nthird\n")
        self.assertTrue(read_text(os.path.join(saved.directory, "one")).startswith(
            saved.directory + "@"))

    @ctest(timeout=300, once=True)
    def test_none_is_made(self):
        """Because the guests have ended before: the rows say why."""
        done = self.compare("--workload", "triad", "--param", "n=64", "--interconnect",
                            "router,bus", "--checkpoint-at", "100s", status=1)
        cause = "none was made: until the run ended there was no end of a window"
        self.assertIn("saving triad slaves=1 n=64 at 100s: failed: checkpoint ", done.stderr)
        self.assertIn("triad router slaves=1 n=64: failed: the checkpoint that it begins with is "
                      "not there: checkpoint ", done.stderr)
        self.assertIn(cause, read_text(self.path("out/results.md")))
        self.assertEqual(self.rows(), [])


if __name__ == "__main__":
    main()
