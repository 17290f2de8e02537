# SPDX-License-Identifier: Apache-2.0
"""./tandem compare with systems that a file describes: what varies, and by how much that changes
what the guests measure."""
import glob
import json
import os
import shutil

from comparing import BUILD, ComparisonTest
from platform_run import ctest, main, read_text

# A guest that reads the IDM n times, through two interconnects.
TWO_LEVELS = """
[run]
quantum = "50us"

[instance]
cpu0 = { machine = "x86-pc", image = "latency", to = "near" }

[interconnect]
near = { kind = "router", default = "far" }

[part]
idm = { kind = "idm" }
memory = { kind = "memory" }

[interconnect.far]
kind = "router"
latency = "30ns"
map = [ { at = 0x1000000000, to = "memory" }, { at = 0x0f000000, to = "idm" } ]
"""

# Two CPUs that stream through the memory, each through a cache.
CACHES = """
[instance]
cpu0 = { machine = "arm", image = "triad", to = "cache0" }
cpu1 = { machine = "arm", image = "triad", to = "cache1" }

[part]
cache0 = { kind = "cache", ranges = "0x1000000000+64M", size = "1k", to = "net" }
cache1 = { kind = "cache", ranges = "0x1000000000+64M", size = "1k", to = "net" }
memory = { kind = "memory", transactions = "0+64M" }
idm = { kind = "idm" }

[interconnect.net]
kind = "bus"
map = [ { at = 0x1000000000, to = "memory" }, { at = 0x0f000000, to = "idm" } ]
"""


class CompareSystems(ComparisonTest):
    def described(self, text, *options, name="system.toml", **how):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.compare("--system", self.path(name), *options, **how)

    @ctest(timeout=600, once=True)
    def test_each_value_changes_what_it_should(self):
        options = ("--set", "near.latency=0,100ns", "--vary", "idm.latency=0,7ns", "--set",
                   "run.quantum=10us,100us", "--param", "n=500,1000", "--of")
        self.described(TWO_LEVELS, *options, "far")
        rows = self.rows()
        # Names in the order of --set, --vary and --param, the last one changes first.
        self.assertEqual([row["parameters"] for row in rows], [
            f"near.latency={near} run.quantum={quantum} idm.latency={idm} n={n}"
            for near in ("0", "100ns") for quantum in ("10us", "100us") for idm in ("0", "7ns")
            for n in (500, 1000)])
        base = {row["param.n"]: int(row["guest_ns"]) for row in rows[:2]}
        for row in rows:
            delays = {"0": 0, "100ns": 100, "7ns": 7}
            near, idm = (delays[row[name]] for name in ("near.latency", "idm.latency"))
            n = row["param.n"]
            self.assertEqual(int(row["guest_ns"]) - base[n], int(n) * (near + idm))
            self.assertEqual((row["workload"], row["interconnect"], row["of"], row["slaves"]),
                             ("system", "router", "far", ""))
            self.assertEqual(float(row["latency_max_ns"]), 30 + idm)
            self.assertEqual(row["result.reads"], n)
            quantum = json.loads(self.run_file(row, "stats.json"))["quantum_ns"]
            self.assertEqual(quantum, {"10us": 10000, "100us": 100000}[row["run.quantum"]])
        # The same runs, seen from the other interconnect.
        self.assertIn("16 of 16 runs are there already",
                      self.described(TWO_LEVELS, *options, "near").stderr)
        self.assertEqual([float(row["latency_max_ns"]) for row in self.rows()],
                         [30 + near + idm for near in (0, 100) for _ in "qq" for idm in (0, 7)
                          for _ in "nn"])

    @ctest(timeout=600, once=True)
    def test_interconnects_are_swapped(self):
        """The figures are those of the one that is; a parameter goes to those kinds that have it,
        be it from the file or from the command."""
        self.described(TWO_LEVELS, "--set", "far.kind=router,bus,crossbar,mesh,ring", "--set",
                       "far.columns=2,4", "--param", "n=1000", "--set", "far.clock=10ns,20ns")
        rows = self.rows()
        self.assertEqual([(row["interconnect"], row["far.columns"], row["far.clock"])
                          for row in rows],
                         [("router", "", ""), ("bus", "", "10ns"), ("bus", "", "20ns"),
                          ("crossbar", "", "10ns"), ("crossbar", "", "20ns"),
                          ("mesh", "2", "10ns"), ("mesh", "2", "20ns"), ("mesh", "4", "10ns"),
                          ("mesh", "4", "20ns"), ("ring", "", "10ns"), ("ring", "", "20ns")])
        times = {tuple(row[name] for name in ("interconnect", "far.columns", "far.clock")):
                 int(row["guest_ns"]) for row in rows}
        for (kind, columns, clock), time in times.items():
            if clock == "20ns":
                self.assertGreater(time, times[(kind, columns, "10ns")])
        # The router takes the file's 30 ns. An access of 4 bytes holds the others for two cycles
        # from the next clock edge on.
        self.assertEqual(float(rows[0]["latency_min_ns"]), 30)
        for row in rows[1:5]:
            clock = int(row["far.clock"][:2])
            self.assertTrue(2 * clock <= float(row["latency_min_ns"]) < 3 * clock)
        for row in rows:
            self.assertEqual(row["of"], "far")
            if row["interconnect"] == "router":
                self.assertEqual(row["utilisation"], "")
            else:
                self.assertTrue(0 < float(row["utilisation"]) <= 1, row["utilisation"])
        page = read_text(self.path("out/report.html"))
        self.assertEqual(page.count("<svg"), 2 + 6)  # run time, latency, links of meshes and rings
        self.assertIn("latency of the transactions on far", page)
        # far.clock is not of all, so the kinds make the table's rows, with it.
        table = read_text(self.path("out/results.md"))
        self.assertIn(f"| far.kind=bus far.clock=20ns | {rows[2]['guest_ns']} |", table)

    @ctest(timeout=600, once=True)
    def test_patterns_and_lists_of_names(self):
        self.described(CACHES, "--set", "cache*.size=1k,4k", "--vary", "net.kind=bus,crossbar",
                       "--param", "n=256")
        rows = self.rows()
        self.assertEqual([(row["cache*.size"], row["net.kind"]) for row in rows],
                         [("1k", "bus"), ("1k", "crossbar"), ("4k", "bus"), ("4k", "crossbar")])
        for row in rows:
            modules = json.loads(self.run_file(row, "stats.json"))["modules"]
            command = self.run_file(row, "command")
            for name in ("cache0", "cache1"):
                self.assertIn(f"--set {name}.size={row['cache*.size']}", command)
                self.assertIn(name, modules)
        # 3 KiB of arrays fit into the larger caches, and not into the smaller ones.
        small, large = (int(rows[i]["transactions"]) for i in (0, 2))
        self.assertGreater(small, 1.5 * large)
        self.assertEqual({row["of"] for row in rows}, {"net"})
        heading = read_text(self.path("out/results.md")).split("run time\n\n")[1].splitlines()[0]
        self.assertEqual(heading, "| guest_ns | cache*.size=1k | cache*.size=4k |")
        # A value with a comma in it: the arrays are in the other half of the memory.
        self.described(CACHES, "--set", r"cache*.ranges=0x1002000000+32M,0x1000000000+1M\,"
                       "0x1000100000+1M", "--param", "n=256")
        none, both = self.rows()
        self.assertGreater(int(none["transactions"]), 3 * int(both["transactions"]))
        self.assertEqual(both["guest_ns"], rows[0]["guest_ns"])
        # A list of names, and programs by --workload.
        self.described(CACHES, "--set", "cache0+cache1.size=1k,4k", "--workload", "triad,chase",
                       "--param", "n=256")
        again = self.rows()
        self.assertEqual([row["workload"] for row in again], 2 * ["triad"] + 2 * ["chase"])
        self.assertEqual([again[i]["guest_ns"] for i in (0, 1)],
                         [rows[i]["guest_ns"] for i in (0, 2)])
        self.assertIn("--cpu1.image chase", self.run_file(again[2], "command"))

    @ctest(timeout=600, once=True)
    def test_interconnect_from_outside_and_edited_files(self):
        """A library and a description are part of what a run depends on."""
        libraries = glob.glob(os.path.join(BUILD, "**", "libmy-interconnect.so"), recursive=True)
        self.assertEqual(len(libraries), 1)
        library = shutil.copy(libraries[0], self.path("libmine.so"))
        text = TWO_LEVELS.replace("[run]", f'[run]\nload = ["{library}"]')
        options = ("--set", "far.kind=router,my_interconnect", "--set", "far.per_byte=1ns,3ns",
                   "--param", "n=1000")
        self.described(text, *options)
        router, one, three = (int(row["guest_ns"]) for row in self.rows())
        self.assertEqual(three - one, 1000 * 4 * 2)
        self.assertEqual(router - one, 1000 * (30 - 4))
        self.assertIn("3 of 3 runs are there already", self.described(text, *options).stderr)
        with open(library, "ab") as file:
            file.write(b"changed")
        self.assertNotIn("already", self.described(text, *options).stderr)
        self.assertIn("3 of 3 runs are there already", self.described(text, *options).stderr)
        edited = text.replace("30ns", "40ns")
        self.assertNotIn("already", self.described(edited, *options).stderr)
        self.assertEqual(int(self.rows()[0]["guest_ns"]) - router, 10000)
        # Found again as it was, also when the library is an option.
        self.assertIn("3 of 3 runs are there already", self.described(text, *options).stderr)
        words = (*options, "--", "--load", library)
        self.described(TWO_LEVELS, *words)
        self.assertEqual([int(row["guest_ns"]) for row in self.rows()], [router, one, three])
        with open(library, "ab") as file:
            file.write(b"again")
        self.assertNotIn("already", self.described(TWO_LEVELS, *words).stderr)

    @ctest(timeout=600, once=True)
    def test_description_on_top_of_another(self):
        """Options of the base vary as well, and a run depends on the base."""
        with open(self.path("base.toml"), "w", encoding="ascii") as file:
            file.write(TWO_LEVELS)
        text = 'base = "base.toml"\n[option]\nnet = { sets = "far.kind" }\n'
        options = ("--vary", "net=router,bus", "--of", "far", "--param", "n=1000")
        self.described(text, *options)
        router, bus = self.rows()
        self.assertEqual((router["interconnect"], bus["interconnect"]), ("router", "bus"))
        self.assertIn("2 of 2 runs are there already", self.described(text, *options).stderr)
        with open(self.path("base.toml"), "w", encoding="ascii") as file:
            file.write(TWO_LEVELS.replace("30ns", "50ns"))
        self.assertIn("1 of 2 runs are there already", self.described(text, *options).stderr)
        self.assertEqual(int(self.rows()[0]["guest_ns"]) - int(router["guest_ns"]), 20000)
        # One that comes with Tandem, with the options that it has.
        self.compare("--system", "x86-arm", "--workload", "triad", "--vary",
                     "interconnect=bus,mesh", "--vary", "slaves=0,1", "--set", "width=4", "--set", "slave.machine=aarch64",
                     "--observe", "every", "--param", "n=64")
        rows = self.rows()
        self.assertEqual([(row["interconnect"], row["slaves"]) for row in rows],
                         [("bus", "0"), ("bus", "1"), ("mesh", "0"), ("mesh", "1")])
        self.assertIn("| guest_ns | 0 slaves | 1 slave |", read_text(self.path("out/results.md")))
        self.compare("--platform", "x86-arm", "--workload", "triad", "--interconnect", "bus,mesh",
                     "--slaves", "0,1", "--vary", "slave.machine=aarch64", "--param", "n=64")
        self.assertEqual([row["guest_ns"] for row in self.rows()],
                         [row["guest_ns"] for row in rows])

    @ctest(timeout=300, once=True)
    def test_program_that_reports_no_time(self):
        """Its table is of the simulated time; what it says is in the results."""
        text = TWO_LEVELS.replace('"latency", to', '"smoke", to')
        self.described(text, "--set", "run.quantum=50us", "--of", "far")
        row = self.rows()[0]
        self.assertEqual(row["guest_ns"], "")
        self.assertGreater(float(row["simulated_ns"]), 0)
        self.assertIn("simulated time of the run", read_text(self.path("out/results.md")))
        # Without an interconnect there are no figures of one.
        text = """
[instance]
cpu0 = { machine = "arm", image = "fill" }
[part]
memory = { kind = "memory" }
[[link]]
from = "cpu0"
to = "memory"
"""
        self.described(text, "--set", "cpu0.icount-shift=1,2")
        fast, slow = self.rows()
        self.assertEqual(float(slow["simulated_ns"]), 2 * float(fast["simulated_ns"]))
        self.assertEqual((fast["of"], fast["transactions"]), ("", ""))

    @ctest(timeout=600, once=True)
    def test_interrupted_and_resumed(self):
        with open(self.path("system.toml"), "w", encoding="ascii") as file:
            file.write(TWO_LEVELS)
        self.check_interruption(6, 6, "--system", self.path("system.toml"), "--set",
                                "far.kind=router,bus", "--param", "n=1000,2000,3000")

    @ctest(timeout=300, once=True)
    def test_refused(self):
        def check(sentence, *options, text=TWO_LEVELS):
            with self.subTest(sentence=sentence):
                done = self.described(text, *options, status=2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(sentence, done.stderr)
        far = ("--of", "far")
        check("give --of NAME: near, far", "--set", "idm.latency=0,7ns")
        check("give --of NAME: near, far", "--set", "near+far.kind=router,bus")
        check("unknown interconnect of the system 'idm'; known are near, far", "--of", "idm")
        check("system has no instance, part or interconnect 'fra'", "--set", "fra.kind=bus,mesh",
              *far)
        check("nothing is called 'f?'; there are cpu0, idm, memory, near, far", "--set",
              "f?.kind=bus", *far)
        check("--set near.width: interconnect near: unknown parameter 'width'; known are", "--set",
              "near.width=4,8", *far)
        check("unknown interconnect 'tube'; known are bus", "--set", "far.kind=bus,tube")
        check("--set cpu0.machin: unknown key 'machin'", "--set", "cpu0.machin=arm", *far)
        check("impossible quantum '1 week'", "--set", "run.quantum=1us,1 week", *far)
        check("unrecognised option '--quantm", "--vary", "quantm=1us", *far)
        check("the system has several interconnects, or none; give NAME.width", "--set", "width=4",
              *far)
        check("--set and --vary both name 'far.kind'", "--set", "far.kind=bus", "--vary",
              "far.kind=ring")
        check("--set 'far.kind' is not of the form NAME=VALUE", "--set", "far.kind")
        check("--vary cannot have 'stats', which the comparison decides", "--vary", "stats=a,b",
              *far)
        check("--set cannot have 'run.log', which the comparison decides", "--set", "run.log=a",
              *far)
        check("--vary cannot have 'observe'; give --observe A,B", "--vary", "observe=direct", *far)
        check("--interconnect is not for a --system: give --set NAME.kind=A,B", "--interconnect",
              "bus")
        check("--slaves is not for a --system", "--slaves", "1,2")
        check("--replay is not for a --system", "--replay")
        check("--platform is not for a --system", "--platform", "x86-arm")
        check("system.toml:6: ", *far, text=TWO_LEVELS.replace("cpu0 = {", "cpu0 = "))
        check("system.toml:6: unknown key 'imge'", *far, text=TWO_LEVELS.replace("image", "imge"))
        done = self.compare("--system", self.path("none.toml"), status=2)
        self.assertIn("none.toml' cannot be read", done.stderr)
        self.refused_with("--of is for a --system", "--workload", "triad", "--interconnect", "bus",
                          "--of", "interconnect")
        self.assertFalse(os.path.exists(self.path("out")))

    def save(self, place, at):
        """A checkpoint of a run in which both guests stream through the shared memory."""
        self.simulate("--master.machine", "arm", "--master.image", "triad", "--slave.image", "triad",
                      "--param", "n=64k", "--observe", "cached", "--checkpoint-at", at,
                      "--checkpoint", place, "--checkpoint-exit")

    @ctest(timeout=600, once=True)
    def test_from_a_checkpoint(self):
        place = self.path("saved")
        self.save(place, "300us")
        options = ("--from", place, "--interconnect", "router,mesh", "--set", "width=4,8", "--vary",
                   "run.quantum=50us")
        self.compare(*options)
        rows = self.rows()
        self.assertEqual([(row["workload"], row["interconnect"], row["interconnect.width"])
                          for row in rows],
                         [("saved", "router", ""), ("saved", "mesh", "4"), ("saved", "mesh", "8")])
        for row, more in zip(rows, ((), ("--set", "width=4"), ("--set", "width=8"))):
            run = self.simulate("--restore", place, "--interconnect", row["interconnect"],
                                "--quantum", "50us", *more)
            self.assertEqual(int(row["guest_ns"]), run.number("ns"))
        self.assertLess(int(rows[0]["guest_ns"]), int(rows[2]["guest_ns"]))
        self.assertLess(int(rows[2]["guest_ns"]), int(rows[1]["guest_ns"]))
        # Nothing is made twice, and everything anew from another checkpoint in the same place.
        self.assertIn("3 of 3 runs are there already", self.compare(*options).stderr)
        self.save(place, "400us")
        self.assertNotIn("there already", self.compare(*options).stderr)

    @ctest(timeout=300, once=True)
    def test_from_a_checkpoint_refused(self):
        for sentence, options in (
                ("there is none", ("--from", self.path("nowhere"))),
                ("--workload is not for --from: its guests run what they ran",
                 ("--from", "x", "--workload", "triad")),
                ("--param is not for --from", ("--from", "x", "--param", "n=4")),
                ("--system is not for --from", ("--from", "x", "--system", "y")),
                ("--slaves is not for --from", ("--from", "x", "--slaves", "2"))):
            with self.subTest(sentence):
                self.refused_with(sentence, *options)
        # What a checkpoint cannot be restored into is a run that fails, with the reason.
        place = self.path("saved")
        self.save(place, "300us")
        failed = self.compare("--from", place, "--set", "master.cpus=1,2", status=1)
        self.assertIn("master.cpus was '1' and is '2'", failed.stderr)
        self.assertEqual([row["master.cpus"] for row in self.rows()], ["1"])


if __name__ == "__main__":
    main()
