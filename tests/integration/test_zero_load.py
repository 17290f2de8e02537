# SPDX-License-Identifier: Apache-2.0
"""Systems of two levels: each guest's access takes the sum of the formulae, for every pair of an
instance and what it reaches, and is in the log at every level as its own."""
import os
import sqlite3

from platform_run import PLATFORM, PlatformTest, ctest, main
from zero_load import Bus, Cache, Dram, Network, time_of

SYSTEM = os.path.join(os.path.dirname(PLATFORM), "tandem-system")
CLUSTERS = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "examples", "systems",
                        "clusters.toml")
CPUS = 8
TURN = 500000  # ns
SHM, SHM_SIZE, GRANULE, CHANNELS = 0x1000000000, 64 << 20, 4096, 2
BUFFER = 0x10000  # where the guests' own places begin
IDM, PORT, SCRATCH = 0x0f000000, 0x10000, 0x24
N = 6      # accesses of a kind
STEP = 16  # ns of an Arm guest's clock
# Defaults of the parts, as `tandem-system --help` has them.
DRAM = {"row": "2048", "banks": "8", "burst": "64", "transfer": "5ns", "activate": "14ns",
        "column": "14ns", "precharge": "14ns", "refresh_interval": "7800ns",
        "refresh_time": "350ns"}


class Expectation:
    """The times of one system, from the parameters that its log has and those of its parts."""

    def __init__(self, log, changes):
        self.names = dict(log.execute("SELECT name, id FROM interconnects"))
        self.kind = dict(log.execute("SELECT name, kind FROM interconnects"))
        self.changes = changes
        self.network = Network(self.kind["mesh"], self.parameters(log, "mesh"),
                               self.ends(log, "initiators"), self.ends(log, "targets"))
        self.buses = [Bus(self.parameters(log, f"bus{c}")) for c in range(4)]
        self.caches = [Cache(64, 16384, 4) for _ in range(4)]
        self.drams = [Dram(self.part(f"dram{d}", DRAM)) for d in range(CHANNELS)]

    def part(self, name, defaults):
        return {key: self.changes.get(f"{name}.{key}", value) for key, value in defaults.items()}

    def warm_up(self, log, end):
        """What the guests' starts have left in caches and rows, whatever they took."""
        for origin, command, address in log.execute(
                'SELECT origin, command, address FROM log WHERE interconnect LIKE "bus%" AND '
                "start_ps < ? ORDER BY end_ps - target_ps", (end,)):
            if address >= SHM:
                self.caches[int(origin[3:]) // 2].transfers(address, command == "write")
        for start, address in log.execute(
                'SELECT start_ps, address FROM log WHERE interconnect = "mesh" AND '
                "start_ps < ? AND address >= ? ORDER BY start_ps", (end, SHM)):
            channel, at = self.channel_of(address)
            self.drams[channel].done(start, at, 64)
        for dram in self.drams:
            dram.seen.clear()

    @staticmethod
    def channel_of(address):
        """The channel of interleaved memory, and the address there."""
        granule, rest = divmod(address - SHM, GRANULE)
        return granule % CHANNELS, granule // CHANNELS * GRANULE + rest

    def parameters(self, log, interconnect):
        return dict(log.execute("SELECT name, value FROM parameters WHERE interconnect = ?",
                                (self.names[interconnect],)))

    def ends(self, log, table):
        return [name for (name,) in log.execute(
            f"SELECT name FROM {table} WHERE interconnect = ? ORDER BY id", (self.names["mesh"],))]

    def through_mesh(self, t, initiator, command, address, size):
        """(start, end, initiator, target, command, address, length) of a row of the mesh."""
        if SHM <= address < SHM + SHM_SIZE:
            channel, at = self.channel_of(address)
            target = f"dram{channel}"
        else:
            target = "idm_cpu%d" % ((address - IDM) // PORT)
        hops = self.network.hops(initiator, target)
        there = self.network.delivered(t, hops, size if command == "write" else 0)
        if target.startswith("dram"):
            done = self.drams[channel].done(there, at, size) + time_of(
                self.changes.get(f"memory{channel}.{command}_latency", "0"))
        else:
            done = there + time_of(self.changes.get("idm.latency", "0"))
        end = self.network.delivered(done, hops, size if command == "read" else 0)
        return (t, end, initiator, target, command, address, size)

    def rows(self, cpu, start, command, address, size):
        """The end of an access on its bus, and its rows of the mesh."""
        cluster = cpu // 2
        t = self.buses[cluster].carried(start, size)
        if SHM <= address < SHM + SHM_SIZE:
            transfers = [(how, line, 64) for how, line in
                         self.caches[cluster].transfers(address, command == "write")]
        else:
            transfers = [(command, address, size)]
        rows = []
        for how, line, length in transfers:
            rows.append(self.through_mesh(t, f"cache{cluster}", how, line, length))
            t = rows[-1][1]
        return t, rows


class ZeroLoad(PlatformTest):
    def measured(self, *options):
        """The example with guests that measure one after the other: its run and its log."""
        log = self.path("run.db")
        images = [w for c in range(CPUS) for w in ("--set", f"cpu{c}.image=single")]
        run = self.simulate(*images, "--param", f"turn={TURN}", "--log", log, *options,
                            platform=(SYSTEM, CLUSTERS))
        database = sqlite3.connect(log)
        self.addCleanup(database.close)
        return run, database

    def check(self, changes):
        run, log = self.measured(*(w for key, value in changes.items()
                                   for w in ("--set", f"{key}={value}")))
        self.check_log(run, log)
        expected = Expectation(log, changes)
        pairs, states, write_backs = set(), set(), 0
        expected.warm_up(log, TURN * 1000)
        for cpu in range(CPUS):
            window = (TURN * (cpu + 1) * 1000, TURN * (cpu + 2) * 1000)
            inside = "start_ps >= ? AND start_ps < ? ORDER BY id"
            others = log.execute("SELECT count(*) FROM log WHERE origin != ? AND " + inside,
                                 (f"cpu{cpu}", *window)).fetchone()
            self.assertEqual(others, (0,), "somebody else's access in the turn")
            on_mesh = []
            for start, end, command, address, size in log.execute(
                    "SELECT start_ps, end_ps, command, address, length FROM log "
                    'WHERE interconnect LIKE "bus%" AND ' + inside, window):
                until, rows = expected.rows(cpu, start, command, address, size)
                self.assertEqual(end - start, until - start,
                                 f"{command} of {size} bytes at {address:#x} by cpu{cpu}, {rows}")
                on_mesh += rows
            self.assertEqual(on_mesh, log.execute(
                "SELECT start_ps, end_ps, initiator, target, command, address, length FROM log "
                'WHERE interconnect = "mesh" AND ' + inside, window).fetchall())
            pairs |= {(cpu, row[3]) for row in on_mesh}
            states |= {(d, state) for d in range(CHANNELS) for state in expected.drams[d].seen}
            write_backs += sum(row[4] == "write" and row[6] == 64 for row in on_mesh)
        self.assertEqual(pairs, {(cpu, target) for cpu in range(CPUS)
                                 for target in ("dram0", "dram1", f"idm_cpu{cpu}")})
        self.assertEqual(states, {(d, s) for d in range(CHANNELS)
                                  for s in ("miss", "hit", "conflict")})
        self.assertGreater(write_backs, CPUS)
        self.check_guests(run, log)

    def check_log(self, run, log):
        """Counts by origin are those of all levels' statistics."""
        modules = run.statistics()["modules"]
        for name in ("bus0", "bus1", "bus2", "bus3", "mesh"):
            counts = dict(log.execute("SELECT origin, count(*) FROM log WHERE interconnect = ? "
                                      "GROUP BY origin", (name,)))
            cpus = range(CPUS) if name == "mesh" else (2 * int(name[3]), 2 * int(name[3]) + 1)
            self.assertEqual(set(counts), {f"cpu{c}" for c in cpus})
            self.assertEqual(sum(counts.values()), modules[name]["total"]["transactions"])
            if name != "mesh":
                self.assertEqual(counts, {i: s["transactions"] for i, s in
                                          modules[name]["initiators"].items()})

    def check_guests(self, run, log):
        """What a guest measures is the sum of its accesses' times, and the same time for the
        instructions of the same loop: to the steps of its clock."""
        for cpu in range(CPUS):
            window = (TURN * (cpu + 1) * 1000, TURN * (cpu + 2) * 1000)
            rows = log.execute(
                'SELECT end_ps - start_ps, command FROM log WHERE interconnect LIKE "bus%" AND '
                "(address >= ? OR address % ? = ?) AND origin = ? AND start_ps >= ? AND "
                "start_ps < ? ORDER BY id",
                (SHM + BUFFER, PORT, SCRATCH, f"cpu{cpu}", *window)).fetchall()
            kinds = [f"{kind}{c}" for c in range(CHANNELS)
                     for kind in ("same", "near", "far", "store")] + ["idm0", "idm_store0"]
            self.assertEqual(len(rows), N * len(kinds))
            rest = {"read": set(), "write": set()}
            for number, kind in enumerate(kinds):
                part = rows[N * number:N * (number + 1)]
                self.assertEqual(len({command for _, command in part}), 1)
                measured = run.number(f"{kind}_ns", f"cpu{cpu}")
                rest[part[0][1]].add(measured - sum(ps for ps, _ in part) / 1000)
            for command, times in rest.items():
                self.assertLessEqual(max(times) - min(times), 2 * STEP, (cpu, command, times))
                self.assertGreaterEqual(min(times), 0)

    @ctest(timeout=400)
    def test_every_pair_of_the_example(self):
        self.check({})

    @ctest(timeout=400)
    def test_every_pair_with_other_parameters(self):
        self.check({"bus0.clock": "7ns", "bus1.width": "2", "bus2.overhead": "3",
                    "mesh.columns": "3", "mesh.rows": "5", "mesh.link": "3", "mesh.router": "2",
                    "mesh.width": "16", "mesh.clock": "3ns", "mesh.place": "cache2@2,4;dram1@0,2",
                    "dram0.column": "13500ps", "dram1.transfer": "2500ps",
                    "dram1.refresh_interval": "0", "dram0.precharge": "17ns",
                    "memory0.read_latency": "3ns", "memory1.write_latency": "11ns",
                    "idm.latency": "7ns"})

    @ctest(timeout=400)
    def test_every_pair_of_a_ring(self):
        self.check({"mesh.kind": "ring", "mesh.stations": "11", "bus3.kind": "crossbar"})


if __name__ == "__main__":
    main()
