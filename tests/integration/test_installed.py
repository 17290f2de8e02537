# SPDX-License-Identifier: Apache-2.0
"""The installation works without the source: programs, guests, and a project of somebody else's that
adds interconnects and has a platform of its own."""
import csv
import glob
import hashlib
import os
import re
import sqlite3
import subprocess

from platform_run import PlatformTest, ctest, install, main

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
CMAKE = os.environ.get("TANDEM_CMAKE", "cmake")
STEP_TIMEOUT = 2000

# What test_parts_from_outside adds to a platform, as a description.
PARTS_SYSTEM = """
[run]
load = ["%(library)s"]

[instance.cpu]
machine = "arm"
image = "%(program)s"
to = "net"

[part]
memory = { kind = "memory" }
idm = { kind = "idm" }
square = { kind = "square" }
mover = { kind = "mover", to = "net" }

[interconnect.net]
kind = "router"
map = [
  { at = 0x1000000000, to = "memory" },
  { at = 0x0f000000, to = "idm" },
  { at = 0x0a100000, to = "square" },
  { at = 0x0a200000, to = "mover" },
]

[[wire]]
from = "square"
to = "cpu"
input = %(square)s
[[wire]]
from = "mover"
to = "cpu"
input = %(mover)s
"""


class Installed(PlatformTest):
    def step(self, *line):
        done = subprocess.run([str(word) for word in line], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=STEP_TIMEOUT,
                              check=False, cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return done.stdout

    def install(self):
        prefix = self.path("prefix")
        install(prefix)
        return prefix

    def build_outside(self, prefix, source=os.path.join(HERE, "outside"), targets=("all",)):
        build = self.path("outside")
        self.step(CMAKE, "-S", source, "-B", build,
                  "-DCMAKE_PREFIX_PATH=" + ";".join(
                      filter(None, (prefix, os.environ.get("TANDEM_PREFIX_PATH")))),
                  "-DCMAKE_CXX_COMPILER=" + os.environ.get("TANDEM_CXX", "c++"),
                  "-DCMAKE_CXX_FLAGS=" + os.environ.get("TANDEM_CXX_FLAGS", ""),
                  "-DPLATFORM_SOURCE=" + os.path.join(HERE, "dmi_invalidate.cpp"))
        self.step(CMAKE, "--build", build, "--target", *targets)
        return build

    @ctest(timeout=900, once=True)
    def test_interconnects_and_platform_from_outside(self):
        prefix = self.install()
        build = self.build_outside(prefix, targets=("fixed", "platform"))
        installed = os.path.join(prefix, "bin", "x86-arm")

        def elapsed(*options):
            run = self.simulate("--slaves", 0, "--master.image", "latency", "--param", "n=1000",
                                "--load", os.path.join(build, "libfixed.so"), *options,
                                platform=installed)
            return run.number("ns")
        base = elapsed()
        for kind in ("annotated", "waited"):
            self.assertEqual(elapsed("--interconnect", kind) - base, 10000)
            self.assertEqual(elapsed("--interconnect", kind, "--set", "latency=333ns") - base,
                             333000)
        text = self.refused("--slaves", 0, "--master.image", "latency", "--load",
                            os.path.join(build, "libfixed.so"), "--interconnect", "waited",
                            "--set", "speed=1ns", platform=installed)
        self.assertIn("speed", text)
        self.step(os.path.join(build, "platform"), "arm",
                  os.path.join(prefix, "share/tandem/guests/arm/copy.elf"), self.path("log"),
                  "keep")

    @ctest(timeout=900, once=True)
    def test_parts_from_outside(self):
        """A device, a DMA engine and a guest that uses both, of a project of somebody else's, by an
        option of a platform, with any interconnect, and seen in all that a run tells."""
        prefix = self.install()
        build = self.build_outside(prefix, os.path.join(SOURCE, "docs", "examples", "parts"))
        installed = os.path.join(prefix, "bin", "x86-arm")
        # The inputs that --dry-run shows for these machines.
        inputs = {"x86-pc": ("x86_64", 20, 21), "arm": ("arm", 176, 40),
                  "aarch64": ("aarch64", 176, 40), "cortexm": ("cortexm", 25, 26),
                  "riscv64": ("riscv64", 41, 40)}

        def run(machine, *options, parameters=""):
            arch, square, mover = inputs[machine]
            return self.simulate(
                "--slaves", 0, "--master.machine", machine,
                "--master.image", os.path.join(build, "guests", arch, "parts_guest.elf"),
                "--load", os.path.join(build, "libparts.so"),
                "--add", "square=square@0x0a100000,time=500ns",
                "--add", "mover=mover@0x0a200000,irq=40" + parameters,
                "--param", f"square_irq={square}", "--param", f"mover_irq={mover}",
                *options, platform=installed)
        for machine in inputs:
            with self.subTest(machine):
                self.assertEqual(run(machine).results()["sum"], "385 id 53515552")
        times = {}
        for kind in ("router", "bus", "mesh", "ring", "crossbar"):
            with self.subTest(kind):
                a, b = (run("arm", "--interconnect", kind, "--log", self.path("log"),
                            parameters=",burst=8") for _ in range(2))
                paths = a.module("interconnect")["paths"]
                of_mover = {p["target"]: p for p in paths if p["initiator"] == "mover"}
                self.assertEqual(of_mover["shm"]["transactions"], 2 * 256 // 8)
                self.assertEqual(of_mover["shm"]["bytes"], 2 * 256)
                self.assertEqual(a.console(), b.console())
                self.assertEqual(a.file("trace.vcd"), b.file("trace.vcd"))
                self.assertIn(b"in_square", a.file("trace.vcd"))
                times[kind] = of_mover["shm"]["latency_mean_ns"]
        self.assertGreater(times["mesh"], times["router"])
        self.check_comparisons(os.path.join(prefix, "bin", "tandem"), build, inputs["arm"])

    def check_comparisons(self, command, build, inputs):
        """The same parts over four kinds of interconnect, on a platform and in a description: the
        device takes its time ten times, whatever is between."""
        program = os.path.join(build, "guests", "arm", "parts_guest.elf")
        library = os.path.join(build, "libparts.so")
        _, square, mover = inputs
        with open(self.path("system.toml"), "w", encoding="ascii") as file:
            file.write(PARTS_SYSTEM % {"library": library, "program": program, "square": square,
                                       "mover": mover})
        kinds = "router,bus,crossbar,mesh"
        words = ("--param", f"square_irq={square}", "--param", f"mover_irq={mover}", "--vary",
                 "square.time=500ns,2us", "--vary", "mover.burst=64,8", "--jobs", 2, "--out")
        for name, what in (
                ("platform", ("--workload", program, "--interconnect", kinds, "--slaves", 0)),
                ("system", ("--system", self.path("system.toml"), "--set", "net.kind=" + kinds))):
            with self.subTest(name):
                options = () if name == "system" else (
                    "--", "--master.machine", "arm", "--load", library, "--add",
                    "square=square@0x0a100000,time=3us", "--add", "mover=mover@0x0a200000,irq=40")
                self.step(command, "compare", *what, *words, self.path(name), *options)
                with open(self.path(name + "/results.csv"), newline="", encoding="utf-8") as file:
                    rows = list(csv.DictReader(file))
                self.assertEqual(len(rows), 16)
                self.assertEqual({row["result.sum"] for row in rows}, {"385 id 53515552"})
                found = {(row["interconnect"], row["square.time"], row["mover.burst"]): row
                         for row in rows}
                for kind in kinds.split(","):
                    fast, slow, small = (found[(kind, *values)] for values in (
                        ("500ns", "64"), ("2us", "64"), ("500ns", "8")))
                    # An interrupt is taken at the end of an instruction.
                    more = float(slow["simulated_ns"]) - float(fast["simulated_ns"])
                    self.assertAlmostEqual(more, 10 * 1500, delta=100)
                    # 256 bytes, read and written.
                    self.assertEqual(int(small["transactions"]) - int(fast["transactions"]),
                                     2 * 256 // 8 - 2 * 256 // 64)

    @ctest(timeout=900, once=True)
    def test_platform_by_description_from_outside(self):
        """The sc_main of 30 lines of the documents: parts and an option of its own, and all that
        Tandem's own platforms have."""
        prefix = self.install()
        build = self.build_outside(prefix, os.path.join(SOURCE, "docs", "examples", "accelerated"))
        mine = os.path.join(build, "accelerated")
        usual = ("--master.image", "parts_guest", "--slave.image", "smoke", "--param", "square_irq=20",
                 "--param", "mover_irq=21")

        def run(*options):
            return self.simulate(*usual, *options, platform=mine)
        a, b = run("--log", self.path("a.db")), run("--log", self.path("b.db"))
        self.assertEqual(a.results()["sum"], "385 id 53515552")
        self.assert_same(a, b)
        self.assertIn("participant 2 of 3", a.console("slave1"))
        with sqlite3.connect(self.path("a.db")) as log:
            (moved,) = log.execute("SELECT count(*) FROM log WHERE initiator = 'mover'").fetchone()
        paths = {p["initiator"]: p for p in a.module("interconnect")["paths"] if p["target"] == "shm"}
        self.assertEqual(moved, paths["mover"]["transactions"])
        # Ten squares, each by so much later; a sleeping guest wakes at the interrupt.
        later = run("--square-time", "11us").statistics()["simulated_ns"]
        self.assertEqual(later - a.statistics()["simulated_ns"], 10 * 10000)
        plan = self.simulate(*usual, "--dry-run", "--slaves", 1, out=False, platform=mine).stdout
        self.assertRegex(plan, r"interrupt input 20 of \w+  square")
        text = self.refused(*usual, "--square-time", "soon", platform=mine)
        self.assertIn("--square-time: square square: parameter time is 'soon'", text)
        self.assertIn("accelerated", self.step(mine, "--help").splitlines()[0])

    @ctest(timeout=900, once=True)
    def test_guests_and_interrupts_from_outside(self):
        build = self.build_outside(self.install(), targets=("interrupting-device", "guests"))
        for machine, arch in (("x86-pc", "x86_64"), ("arm", "arm"), ("aarch64", "aarch64"),
                              ("cortexm", "cortexm"), ("cortexm33", "cortexm33"), ("riscv64", "riscv64")):
            with self.subTest(machine=machine):
                log = self.path(arch + ".log")
                # The guest touches nothing that it did not ask for: the status says so.
                self.step(os.path.join(build, "interrupting-device"), machine,
                          os.path.join(build, "guests", arch, "taker.elf"), log)
                with open(log, encoding="ascii") as file:
                    text = file.read()
                self.assertEqual(re.findall("RESULT (.*)", text), [
                    "impossible refused", "possible taken", "both came",
                    "all causes taken", "closed quiet"])
                self.assertIn("FAULT interrupt 21 has no handler", text)

    @ctest(timeout=900, once=True)
    def test_demo(self):
        prefix = self.install()
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(b"installed" * 1000)
        run = self.simulate("--input", path, platform=os.path.join(prefix, "bin", "x86-arm"))
        self.assertIn("sha256 " + hashlib.sha256(b"installed" * 1000).hexdigest(), run.console())
        # The command of the package: it finds all below its prefix, wherever it is called.
        command = os.path.join(prefix, "bin", "tandem")
        text = self.step(command, "demo", "--out", self.path("demo"), path)
        self.assertIn("sha256sum says the same", text)
        self.step(command, "compare", "--workload", "triad", "--param", "n=64", "--interconnect",
                  "router,bus", "--out", self.path("compare"))
        self.assertTrue(os.path.exists(self.path("compare/report.html")))
        # Nothing of the build tree is in use.
        for name in (os.path.join(prefix, "bin", "x86-arm"),
                     *glob.glob(prefix + "/lib/**/libtandem-bridge.so", recursive=True)):
            for line in self.step("ldd", name).splitlines():
                if "libtandem" in line:
                    self.assertIn(prefix, line)
        for place, _, files in os.walk(os.path.join(prefix, "include")):
            for name in files:
                with open(os.path.join(place, name), encoding="utf-8") as f:
                    self.assertIn("SPDX-License-Identifier", f.readline() + f.readline(), name)


if __name__ == "__main__":
    main()
