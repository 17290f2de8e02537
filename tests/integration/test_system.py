# SPDX-License-Identifier: Apache-2.0
"""Systems that a file describes: what no option of a platform makes, and errors that say where."""
import json
import os
import re
import sqlite3
import subprocess

from platform_run import PLATFORM, PlatformTest, ctest, main

SYSTEM = os.path.join(os.path.dirname(PLATFORM), "tandem-system")
EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "examples", "systems")

TWO_LEVELS = """
[instance]
cpu0 = { machine = "x86-pc", image = "latency", to = "near" }

[interconnect]
near = { kind = "router", default = "far", latency = "%(near)s" }

[part]
idm = { kind = "idm", latency = "%(idm)s" }
memory = { kind = "memory" }

[interconnect.far]
kind = "router"
latency = "%(far)s"
map = [ { at = 0x1000000000, to = "memory" }, { at = 0x0f000000, to = "idm" } ]
"""

# A guest and a generator behind a checker each, on a bus; a memory of transactions behind another one.
WATCHED = """
[instance]
cpu0 = { machine = "arm", image = "latency", to = "watch0" }

[part]
watch0 = { kind = "checker", to = "bus" }
watch1 = { kind = "checker", to = "bus" }
watch2 = { kind = "checker", to = "memory" }
idm = { kind = "idm" }
memory = { kind = "memory", size = "1M", read_latency = "30ns" }

[part.source]
kind = "traffic"
ranges = ["0x1000010000+64k", "0x1000080000+4k"]
transactions = 500
pattern = "hotspot"
hotspot = "range1"
hotspot_percent = 100
arrivals = "periodic"
interval = "200ns"
length = 8
reads = 100
to = "watch1"

[interconnect.bus]
kind = "bus"
dmi = false
map = [ { at = 0x1000000000, to = "watch2", size = "1M" }, { at = 0x0f000000, to = "idm" } ]
"""

# Two masters, each with an IDM of its own, and a memory that both share.
TWO_MASTERS = """
[instance.left]
machine = "arm"
image = "smoke"
to = "bus"
[instance.right]
machine = "cortexm"
image = "smoke"
to = "bus"
[part]
memory = { kind = "memory", size = "1M" }
left_idm = { kind = "idm" }
right_idm = { kind = "idm" }
[interconnect.bus]
kind = "bus"
map = [
  { at = 0x1000000000, to = "memory" },
  { at = 0x0f000000, to = "left_idm", for = "left" },
  { at = 0x0e000000, to = "right_idm", for = "right" },
]
"""


WIRED = """
[run]
load = ["%(parts)s"]
[instance.cpu]
machine = "%(machine)s"
image = "smoke"
to = "net"
[part]
idm = { kind = "idm" }
square = { kind = "square" }
[interconnect]
net = { kind = "router", map = [{ at = 0x0f000000, to = "idm" }, { at = 0x0a100000, to = "square" }] }
[[wire]]
from = "%(from)s"
to = "cpu"
%(wire)s
"""


class System(PlatformTest):
    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def described(self, text, *options, **how):
        path = self.write("system.toml", text)
        return self.simulate(*options, platform=(SYSTEM, path), **how)

    def printed(self, *options, **how):
        return self.simulate(*options, out=False, **how).stdout

    @ctest()
    def test_delays_of_all_levels_add_up(self):
        def elapsed(**delays):
            latencies = dict({"near": "0", "far": "0", "idm": "0"}, **delays)
            return self.described(TWO_LEVELS % latencies, "--param", "n=1000").number("ns", "cpu0")
        base = elapsed()
        for delays, sum_ns in (({"near": "100ns"}, 100), ({"far": "30ns"}, 30), ({"idm": "7ns"}, 7),
                               ({"near": "100ns", "far": "30ns", "idm": "7ns"}, 137)):
            with self.subTest(**delays):
                self.assertEqual(elapsed(**delays) - base, 1000 * sum_ns)

    @ctest()
    def test_clusters_with_caches_and_interleaved_memory(self):
        """The example of the documents: eight CPUs on buses with shared caches, a mesh, two channels."""
        size = ("--param", "n=32", "--param", "tile=8")
        a, b = (self.simulate(*size, platform=(SYSTEM, os.path.join(EXAMPLES, "clusters.toml")))
                for _ in range(2))
        single = self.simulate(*size, "--master.image", "matmul", "--master.machine", "arm",
                               "--slaves", 7, "--slave.image", "matmul")
        self.assertEqual(a.results("cpu0")["sum"], single.results()["sum"])
        self.assertEqual(a.fingerprint(), b.fingerprint())
        mesh = {(p["initiator"], p["target"]): p for p in a.module("mesh")["paths"]}
        for cache in ("cache0", "cache3"):
            for channel in ("dram0", "dram1"):
                self.assertGreater(mesh[(cache, channel)]["transactions"], 0)
        self.assertGreater(mesh[("cache0", "idm_cpu0")]["transactions"], 0)
        self.assertGreater(a.module("idm")["participants"][7]["accesses"], 0)

    @ctest()
    def test_log_of_all_levels(self):
        """Each access of a guest is on its bus, and what misses is on the mesh as its own."""
        log, stats = self.path("run.db"), self.path("again.json")
        run = self.simulate("--param", "n=16", "--param", "tile=8", "--log", log,
                            platform=(SYSTEM, os.path.join(EXAMPLES, "clusters.toml")))
        database = sqlite3.connect(log)
        self.addCleanup(database.close)
        modules = run.statistics()["modules"]
        networks = [f"bus{c}" for c in range(4)] + ["mesh"]
        for name in networks:
            total = modules[name]["total"]
            self.assertEqual(database.execute(
                "SELECT count(*), sum(length) FROM log WHERE interconnect = ? AND origin IN "
                "(SELECT name FROM origins)", (name,)).fetchone(),
                (total["transactions"], total["bytes"]))
        for cpu in range(8):
            bus = modules[f"bus{cpu // 2}"]["initiators"][f"cpu{cpu}"]["transactions"]
            requests = modules[f"cpu{cpu}"]["requests"]
            self.assertEqual(database.execute(
                "SELECT count(*) FROM log WHERE interconnect = ? AND origin = ?",
                (f"bus{cpu // 2}", f"cpu{cpu}")).fetchone(), (bus,))
            # But for one that was under way when the run ended.
            self.assertIn(requests["read"] + requests["write"] - bus, (0, 1))
        # What is on the mesh has its cause on the bus of the same origin, at the same time; the
        # first eight initiators of the log are those of the buses.
        orphans = database.execute("""
            SELECT count(*) FROM (SELECT id, end_ps, (
                SELECT max(o.end_ps) FROM transactions o WHERE o.origin = i.origin
                AND o.id < i.id AND o.id > i.id - 200 AND o.initiator < 8
                AND o.start_ps <= i.start_ps) AS until, (
                SELECT max(o.id) FROM transactions o WHERE o.origin = i.origin
                AND o.initiator < 8) AS last
              FROM transactions i WHERE initiator >= 8)
            WHERE id < last AND (until IS NULL OR until < end_ps)
            """).fetchone()
        self.assertEqual(orphans, (0,))
        misses = sum(modules[f"cache{c}"][kind] for c in range(4)
                     for kind in ("read_misses", "write_misses", "write_backs"))
        self.assertEqual(database.execute("SELECT count(*) FROM log WHERE interconnect = 'mesh' "
                                          "AND address >= ?", (0x1000000000,)).fetchone(), (misses,))
        self.check_replay(log, stats, modules["mesh"])
        self.check_tools(log, modules["mesh"]["total"]["transactions"])

    def tool(self, name, *arguments, status=0):
        done = subprocess.run([os.path.join(os.path.dirname(PLATFORM), name), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def check_replay(self, log, stats, mesh):
        again = self.path("again.db")
        self.tool("tandem-traffic", "--replay", log, "--of", "mesh", "--stats", stats, "--log",
                  again, "--check", "on")
        with open(stats, encoding="ascii") as file:
            replayed = json.load(file)["modules"]["interconnect"]
        for key in ("total", "initiators", "targets", "paths", "decode_errors"):
            self.assertEqual(replayed[key], mesh[key])
        rows = []
        for path, where in ((log, "mesh"), (again, "interconnect")):
            database = sqlite3.connect(path)
            rows.append(database.execute(
                "SELECT start_ps, end_ps, waiting_ps, target_ps, initiator, target, command, "
                "address, length, response, origin FROM log WHERE interconnect = ? ORDER BY id",
                (where,)).fetchall())
            database.close()
        self.assertEqual(len(rows[0]), mesh["total"]["transactions"])
        self.assertEqual(rows[0], rows[1])

    def check_tools(self, log, on_mesh):
        text = self.tool("tandem-log", "show", log)
        self.assertIn("mesh initiators: cache0, cache1, cache2, cache3\n", text)
        self.assertIn(f"mesh transactions: {on_mesh}\n", text)
        listed = self.tool("tandem-log", "list", log, "--of", "mesh", "--origin", "cpu5")
        rows = [line.split() for line in listed.splitlines()[1:]]
        self.assertEqual({(row[5], row[6], row[7]) for row in rows}, {("mesh", "cpu5", "cache2")})
        counts = next(line for line in text.splitlines() if line.startswith("mesh origins: "))
        self.assertIn(f"cpu5 {len(rows)}", counts)
        for arguments, sentence in (
                (("--replay", log), "is of several interconnects, of which one is to be named: "
                                    "bus0, bus1, bus2, bus3, mesh"),
                (("--replay", log, "--of", "bus9"), "has no interconnect 'bus9'; known are bus0"),
                (("--generate", "--of", "mesh"), "--of is for --replay")):
            self.assertIn(sentence, self.tool("tandem-traffic", *arguments, status=1))
        self.assertIn("has no transactions of 'cpu9'; known are",
                      self.tool("tandem-log", "list", log, "--origin", "cpu9", status=1))

    @ctest()
    def test_checkers_and_traffic_as_parts(self):
        log = self.path("run.db")
        run = self.described(WATCHED, "--param", "n=3000", "--log", log)
        bus = run.module("bus")
        source = run.module("source")
        self.assertEqual((source["transactions"], source["reads"], source["bytes"]),
                         (500, 500, 4000))
        self.assertEqual(bus["initiators"]["watch1"]["transactions"], 500)
        requests = run.module("cpu0")["requests"]
        self.assertEqual(bus["initiators"]["watch0"]["transactions"],
                         requests["read"] + requests["write"])
        database = sqlite3.connect(log)
        made = database.execute("SELECT origin, min(address), max(address), max(length) FROM log "
                                "WHERE initiator = 'watch1' GROUP BY origin").fetchall()
        database.close()
        (origin, first, last, length), = made
        self.assertEqual((origin, length), ("source", 8))
        self.assertTrue(0x1000080000 <= first <= last < 0x1000081000)
        plain = self.described(WATCHED.replace('to = "watch0"', 'to = "bus"').replace(
            'watch0 = { kind = "checker", to = "bus" }', ""), "--param", "n=3000")
        self.assertEqual(plain.number("ns", "cpu0"), run.number("ns", "cpu0"),
                         "a checker takes time")
        for old, new, sentence in (("transactions = 500", "transactions = 'many'", "transactions"),
                                   ('kind = "checker", to = "bus"', 'kind = "checker", x = 1',
                                    "unknown parameter 'x'; there are none")):
            path = self.write("bad.toml", WATCHED.replace(old, new, 1))
            text = self.refused(platform=(SYSTEM, path))
            self.assertIn(sentence, text)
            self.assertRegex(text, r"bad\.toml:\d+\b")

    @ctest()
    def test_instances_behind_caches_of_their_own(self):
        """They come to the IDM by the names of their caches, and each finds its own port."""
        text = """
[instance]
cpu0 = { machine = "arm", image = "triad", to = "cache0" }
cpu1 = { machine = "arm", image = "triad", to = "cache1" }
[part]
cache0 = { kind = "cache", ranges = "0x1000000000+1M", to = "bus" }
cache1 = { kind = "cache", ranges = "0x1000000000+1M", to = "bus" }
memory = { kind = "memory", size = "1M" }
idm = { kind = "idm" }
[interconnect.bus]
kind = "bus"
map = [ { at = 0x1000000000, to = "memory" }, { at = 0x0f000000, to = "idm" } ]
"""
        run = self.described(text, "--param", "n=64")
        self.assertEqual(run.results("cpu0")["ok"], "1")
        for participant in run.module("idm")["participants"]:
            self.assertGreater(participant["accesses"], 0)

    @ctest()
    def test_two_masters_with_an_idm_each(self):
        run = self.described(TWO_MASTERS)
        for name in ("left", "right"):
            self.assertIn("participant 0 of 1", run.console(name))
        self.assertEqual(len(run.module("left_idm")["participants"]), 1)

    @ctest(once=True)
    def test_changes_of_a_file(self):
        text = TWO_LEVELS % {"near": "0", "far": "0", "idm": "0"}
        base = self.described(text, "--param", "n=100").number("ns", "cpu0")
        slow = self.described(text, "--param", "n=100", "--set", "idm.latency=50ns").number("ns", "cpu0")
        self.assertEqual(slow - base, 5000)
        # The router's latency of the file is none of the ring's, and is left out.
        ring = self.described(text, "--param", "n=100", "--set", "far.kind=ring").number("ns", "cpu0")
        self.assertGreater(ring, base)
        path = self.write("system.toml", text)
        for changes, sentence in (
                (("far.kind=ring", "far.latency=1ns"),
                 "--set far.latency: interconnect far: unknown parameter 'latency'"),
                (("far.kind=router", "near.latncy=1ns"), "unknown parameter 'latncy'"),
                (("far.latency=1ns", "far.kind=ring"),
                 "--set far.latency: interconnect far: unknown parameter 'latency'")):
            with self.subTest(sentence=sentence):
                options = [word for change in changes for word in ("--set", change)]
                self.assertIn(sentence, self.refused(*options, platform=(SYSTEM, path)))
        # What a kind has that is not changed is checked; and another kind again has its own.
        wrong = self.write("wrong.toml", text.replace('latency = "0"\nmap', 'latncy = "0"\nmap'))
        for changes in ((), ("far.kind=router",)):
            options = [word for change in changes for word in ("--set", change)]
            self.assertIn("wrong.toml:14: interconnect far: unknown parameter 'latncy'",
                          self.refused(*options, platform=(SYSTEM, wrong)))
        derived = self.write("derived.toml", 'base = "system.toml"\n[interconnect.far]\n'
                             'clock = "20ns"\nkind = "bus"\n')
        slow = self.simulate("--param", "n=100", platform=(SYSTEM, derived)).number("ns", "cpu0")
        fast = self.simulate("--param", "n=100", "--set", "far.kind=bus",
                             platform=(SYSTEM, path)).number("ns", "cpu0")
        self.assertGreater(slow, fast)
        self.assertGreater(fast, base)

    @ctest()
    def test_dumped_system_gives_the_same_run(self):
        """What options, bases and defaults come to, written as one file and read again."""
        dumped = self.path("dumped.toml")
        options = ("--slaves", 2, "--interconnect", "mesh", "--set", "clock=3ns", "--dram", "channels=2",
                   "--slave1.machine", "cortexm", "--master.image", "demo_master", "--slave.image",
                   "demo_slave", "--param", "n=3", "--param", "1.x=5", "--quantum", "20us",
                   "--idm-latency", "40ns", "--observe", "0+64k=every", "--seed", 7,
                   "--add", "extra=memory@0x0a100000,size=64k,for=slave1")
        given = self.simulate(*options, "--input", __file__)
        self.printed(*options, "--dump-system", dumped)
        again = self.simulate("--input", __file__, platform=(SYSTEM, dumped))
        self.assertEqual(given.fingerprint(), again.fingerprint())
        self.assertIn("sha256", again.console("master"))
        # Dumped again it is the same text; a change of a key of it changes the run.
        twice = self.path("twice.toml")
        self.printed("--dump-system", twice, platform=(SYSTEM, dumped))
        with open(dumped, encoding="utf-8") as a, open(twice, encoding="utf-8") as b:
            self.assertEqual(a.read(), b.read())
        other = self.simulate("--input", __file__, "--set", "idm.latency=41ns",
                              platform=(SYSTEM, dumped))
        self.assertNotEqual(given.fingerprint(), other.fingerprint())

    @ctest()
    def test_description_on_top_of_another(self):
        """A system is x86-arm with a memory more, which only some see, and another kind of slave."""
        path = self.write("more.toml", """
base = "x86-arm"
[instance.slave]
count = 2
image = "smoke"
[instance.slave1]
machine = "aarch64"
[instance.master]
image = "smoke"
[part.extra]
kind = "memory"
size = "64k"
[part.absent]
kind = "memory"
present = false
[interconnect.interconnect]
kind = "bus"
map = [ { at = 0x0a100000, to = "extra", for = "slave" }, { at = 0x0a200000, to = "absent" } ]
[option]
extra-size = { sets = "extra.size", help = "bytes of the memory more" }
""")
        plan = self.printed("--dry-run", "--extra-size", "128k", platform=(SYSTEM, path))
        seen = dict(zip(("master", "slave0", "slave1"),
                        re.split(r"^(?:master|slave\d): ", plan, flags=re.M)[1:]))
        self.assertNotIn("extra", seen["master"])
        for name in ("slave0", "slave1"):
            self.assertRegex(seen[name], r"0x00([0-9a-f]{8}) to 0x00[0-9a-f]{3}1ffff  extra")
        self.assertNotIn("absent", plan)
        self.assertIn("qemu-system-aarch64", seen["slave1"])
        self.assertIn("qemu-system-arm", seen["slave0"])
        run = self.simulate(platform=(SYSTEM, path))
        self.assertEqual(run.statistics()["interconnect"], "bus")
        self.assertIn("participant 2 of 3", run.console("slave1"))
        for text, sentence in (
                ("[instance.slave2]\ncpus = 2\n", r"bad.toml:2: there is no slave2, as the count of slave is 2"),
                ("[instance.slave]\ncount = 16\n", "impossible count '16'"),
                ("base = 'y86-arm'\n", r"bad.toml:1: the system 'y86-arm' cannot be read"),
                ("base = 'bad.toml'\n", r"bad.toml:1: .*based on itself"),
                ("base = 'x86-arm'\n[option]\nx = { sets = 'nothing' }\n", r"bad.toml:3: the option x sets nothing"),
                ("base = 'x86-arm'\n[option]\nx = { sets = 'disk.size' }\n", None)):
            with self.subTest(text):
                bad = self.write("bad.toml", text if "base" in text else
                                 "base = 'more.toml'\n" + text)
                options = ("--x", "1") if sentence is None else ()
                self.assertRegex(self.refused(*options, platform=(SYSTEM, bad)),
                                 sentence or "--x: the system has no .* 'disk'")

    @ctest(once=True)
    def test_inputs_that_a_machine_does_not_have(self):
        for machine, source, wire, sentence in (
                ("cortexm", "square", "input = 32", "has no interrupt input 32; it has 0 to 31"),
                ("riscv64", "square", "input = 0", "has no interrupt input 0; it has 1 to 95"),
                ("cortexm", "idm", "", "'idm' interrupts each instance that sees it without a wire"),
                ("cortexm", "square", "prefer = 32", None)):
            with self.subTest(machine + wire):
                path = self.write("wired.toml", WIRED % {
                    "parts": os.environ["TANDEM_PARTS"], "machine": machine, "from": source,
                    "wire": wire})
                if sentence:
                    self.assertRegex(self.refused(platform=(SYSTEM, path)),
                                     r"wired\.toml:13: .*" + sentence)
                else:
                    self.assertIn("input 25 of armv7m", self.simulate("--dry-run", platform=(SYSTEM, path)).stdout)

    @ctest(once=True)
    def test_errors_name_file_and_line(self):
        good = TWO_LEVELS % {"near": "0", "far": "0", "idm": "0"}
        for old, new, line, sentence in (
                ('kind = "idm"', 'kind = "idn"', 9, "unknown kind of part 'idn'; known are cache"),
                ('kind = "memory"', 'kind = "memory", sise = 3', 10,
                 "memory memory: unknown parameter 'sise'; known are"),
                ('kind = "memory"', 'kind = "memory", size = "lots"', 10, "parameter size is 'lots'"),
                ('0x1000000000, to = "memory"', '0x0f008000, to = "memory"', 12, "overlaps range"),
                ('to = "memory"', 'to = "memry"', 15, "no part or interconnect 'memry'"),
                ('to = "idm"', 'to = "idm", sice = 1', 15, "unknown key 'sice'; known are at, size"),
                ('default = "far"', 'default = "near"', 6, "leads back to itself"),
                ('machine = "x86-pc"', 'machin = "x86-pc"', 3, "unknown key 'machin'"),
                ('machine = "x86-pc"', 'machine = "alpha"', 3, "unknown machine 'alpha'"),
                ('to = "near"', 'to = "nera"', 3, "no part or interconnect 'nera'"),
                (', { at = 0x0f000000, to = "idm" }', "", 9, "nothing leads to the target socket"),
                ("[instance]", "[instance", 2, ""),
                ("[instance]", "[run]\nquantum = '1 week'\n[instance]", 3, "quantum '1 week'"),
                ("[part]", "[[wire]]\nfrom = 'memory'\nto = 'cpu0'\n[part]", 8,
                 "is no interrupt output; memory has none")):
            with self.subTest(new):
                self.assertIn(old, good)
                path = self.write("bad.toml", good.replace(old, new, 1))
                text = self.refused(platform=(SYSTEM, path))
                self.assertIn(sentence, text)
                self.assertRegex(text, r"bad\.toml:%d\b" % line)
        text = self.refused(platform=(SYSTEM, self.write("cut.toml",
                                                         good.replace(', to = "near"', ""))))
        self.assertIn("the instance 'cpu0' is connected to nothing", text)
        round_and_round = """
[instance.cpu0]
machine = "arm"
to = "a"
[part]
a = { kind = "cache", to = "b" }
b = { kind = "cache", to = "a" }
"""
        self.assertRegex(self.refused(platform=(SYSTEM, self.write("round.toml", round_and_round))),
                         r"round.toml:6: what reaches a goes round for ever")
        text = self.refused(platform=(SYSTEM, self.write("long.toml", "base = '" + 5000 * "x" + "'")))
        self.assertRegex(text, r"long.toml:1: the system 'x+' cannot be read")
        text = self.refused(platform=(SYSTEM, "/nowhere.toml"))
        self.assertIn("'/nowhere.toml' cannot be read", text)
        self.assertIn("'/dev/zero' cannot be read", self.refused(platform=(SYSTEM, "/dev/zero")))
        self.assertIn("a file with a system is missing", self.refused(platform=SYSTEM))


if __name__ == "__main__":
    main()
