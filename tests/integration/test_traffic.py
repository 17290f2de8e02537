# SPDX-License-Identifier: Apache-2.0
"""The log of a run with guests, its replay without them, and generated traffic."""
import json
import os
import shutil
import sqlite3
import subprocess

from platform_run import PlatformTest, ctest, main, wait_for

BIN = os.environ.get("TANDEM_BIN", "")


def rows(path):
    database = sqlite3.connect(path)
    try:
        return database.execute("SELECT * FROM transactions ORDER BY id").fetchall()
    finally:
        database.close()


class Traffic(PlatformTest):
    def tool(self, program, *arguments, status=0):
        done = subprocess.run([os.path.join(BIN, program), *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def recorded(self, *options):
        """A run with guests: its log and its statistics."""
        text, log = self.path("input"), self.path("run.db")
        with open(text, "wb") as f:
            f.write(bytes(20000))
        run = self.simulate("--input", text, "--slaves", "2", "--log", log, *options)
        return log, run.statistics()["modules"]["interconnect"]

    def replayed(self, log, *options):
        again, stats = self.path("again.db"), self.path("again.json")
        self.tool("tandem-traffic", "--replay", log, "--log", again, "--stats", stats, "--check",
                  "on", *options)
        with open(stats) as f:
            return again, json.load(f)["modules"]

    def check_replay_is_the_run(self, *options):
        log, statistics = self.recorded(*options)
        again, modules = self.replayed(log)
        self.assertGreater(statistics["total"]["transactions"], 100)
        self.assertEqual(len(rows(log)), statistics["total"]["transactions"])
        self.assertEqual(rows(log), rows(again))
        for key in ("total", "initiators", "targets", "paths", "decode_errors"):
            self.assertEqual(modules["interconnect"][key], statistics[key])

    def test_replay_through_the_router_is_the_run(self):
        self.check_replay_is_the_run("--interconnect", "router", "--set", "latency=30ns",
                                     "--set", "dmi=false")

    def test_replay_through_the_bus_is_the_run(self):
        self.check_replay_is_the_run("--interconnect", "bus", "--set", "dmi=false",
                                     "--read-latency", "50ns")

    def test_replay_through_the_mesh_is_the_run(self):
        self.check_replay_is_the_run("--interconnect", "mesh", "--set", "dmi=false",
                                     "--set", "columns=3")

    def test_replay_through_the_ring_is_the_run(self):
        self.check_replay_is_the_run("--interconnect", "ring", "--set", "dmi=false",
                                     "--set", "width=8")

    def test_log_is_the_same_in_a_second_run(self):
        first, _ = self.recorded("--interconnect", "bus")
        kept = rows(first)
        second, _ = self.recorded("--interconnect", "bus")
        self.assertEqual(kept, rows(second))

    def test_replay_through_another_interconnect_keeps_the_transactions(self):
        log, _ = self.recorded("--interconnect", "router")
        again, modules = self.replayed(log, "--interconnect", "bus", "--set", "clock=20ns")
        columns = slice(3, 9)  # initiator to response
        for initiator in range(3):
            of = [[row[columns] for row in rows(file) if row[3] == initiator]
                  for file in (log, again)]
            self.assertEqual(of[0], of[1])
        self.assertGreater(modules["replayer"]["total_delay_ns"],
                           modules["replayer"]["recorded_delay_ns"])

    @ctest(once=True)
    def test_default_target_of_a_platform_is_in_its_log(self):
        ini = self.path("platform.ini")
        with open(ini, "w") as f:
            f.write("interconnect = crossbar\ndefault-target = shm\n")
        log, _ = self.recorded("--config", ini, "--set", "dmi=false")
        database = sqlite3.connect(log)
        said = dict(database.execute("SELECT key, value FROM run"))
        database.close()
        self.assertEqual((said["interconnect"], said["default_target"]), ("crossbar", "shm"))
        again, _ = self.replayed(log)
        self.assertEqual(rows(log), rows(again))

    def test_export_has_every_transaction(self):
        log, statistics = self.recorded()
        trace = self.path("run.json")
        self.tool("tandem-log", "export", log, trace)
        with open(trace) as f:
            events = json.load(f)["traceEvents"]
        self.assertEqual(sum(e["ph"] == "X" for e in events),
                         statistics["total"]["transactions"])
        names = [e["args"]["name"] for e in events if e["ph"] == "M"]
        self.assertEqual(names, ["master", "slave0", "slave1"])
        self.assertIn("initiators: master, slave0, slave1",
                      self.tool("tandem-log", "show", log).stdout)

    @ctest(once=True)
    def test_generated_traffic(self):
        stats, vcd = self.path("stats.json"), self.path("bus.vcd")
        self.tool("tandem-traffic", "--generate", "--initiators", 3, "--targets", 2,
                  "--interconnect", "bus", "--traffic", "transactions=200", "--check", "on",
                  "--stats", stats, "--vcd", vcd)
        with open(stats) as f:
            total = json.load(f)["modules"]["interconnect"]["total"]
        self.assertEqual(total["transactions"], 600)
        with open(vcd) as f:
            self.assertIn("busy", f.read())

    @ctest(once=True)
    def test_interleaving_and_default_target(self):
        def targets(*arguments):
            log = self.path("generated.db")
            self.tool("tandem-traffic", "--generate", "--initiators", 2, "--targets", 4,
                      "--target-size", 65536, "--traffic", "transactions=500", "--check", "on",
                      "--log", log, *arguments)
            made = [(row[6], row[4]) for row in rows(log)]  # address, target
            self.assertEqual(len(made), 1000)
            return made
        for kind in ("router", "bus", "crossbar", "mesh", "ring"):
            for address, target in targets("--interconnect", kind, "--interleave", 256):
                self.assertEqual(target, address // 256 % 4)
            for address, target in targets("--interconnect", kind, "--interleave", 256,
                                           "--traffic", "length=48"):
                self.assertEqual((target, address % 256 % 48), (address // 256 % 4, 0))
            for address, target in targets("--interconnect", kind, "--default-target", "target2"):
                self.assertEqual(target, address // 65536)
            # An interleaved range in place of all others leaves nothing for a default target.
            self.assertEqual({t for _, t in targets("--interconnect", kind, "--interleave", 4096,
                                                    "--default-target", "target0")}, {0, 1, 2, 3})

    @ctest(once=True)
    def test_wrong_input_is_one_sentence(self):
        def error(*arguments):
            return self.tool("tandem-traffic", *arguments, status=1).stderr.splitlines()[-1]
        self.assertEqual(error(), "error: give either --replay FILE or --generate")
        self.assertEqual(error("--replay", "/nowhere/run.db"),
                         "error: cannot read the log '/nowhere/run.db': No such file or directory")
        for option, value, wanted in (
                ("initiators", -1, "a whole number from 1 to 1024"),
                ("targets", 1025, "a whole number from 1 to 1024"),
                ("targets", "010", "a whole number from 1 to 1024"),
                ("target-size", -4096, "bytes, or a number with k, M or G, at most "),
                ("target-size", "010k", "bytes, or a number with k, M or G, at most "),
                ("interleave", -1, "bytes, or a number with k, M or G, at most "),
                ("target-latency", "-1ns", "a time such as 50ns")):
            self.assertTrue(error("--generate", f"--{option}={value}").startswith(
                f"error: impossible {option} '{value}'; give {wanted}"), option)
        self.assertEqual(error("--generate", "--traffic", "interval"),
                         "error: impossible parameter 'interval'; give NAME=VALUE")
        self.assertEqual(error("--generate", "--interconnect", "bus", "--set", "width=0"),
                         "error: interconnect: parameter width is '0' but must be a "
                         "whole number, 1 to 1048576")
        self.assertEqual(error("--generate", "--default-target", "shm"),
                         "error: interconnect: the rest leads to target 'shm' that "
                         "does not exist")
        self.assertEqual(error("--generate", "--interleave", 3000),
                         "error: interconnect: range 'all' of 4194304 bytes is no "
                         "multiple of 4 granules of 3000 bytes")
        self.assertEqual(error("--generate", "--interleave", 16, "--traffic", "length=64"),
                         "error: traffic source0: a granule of range 'all' is smaller than a "
                         "request of 64 bytes")
        for option, value in (("of", "mesh"), ("timing", "gaps"), ("names", "a,b")):
            self.assertEqual(error("--generate", f"--{option}", value),
                             f"error: --{option} is for --replay")
        log = self.path("small.db")
        self.tool("tandem-traffic", "--generate", "--initiators", 1, "--traffic",
                  "transactions=1", "--log", log)
        self.assertEqual(error("--replay", log, "--names", "master,slave0"),
                         f"error: the log '{log}' is of another platform: its initiator 'source0' "
                         "does not exist here; known are master, slave0")
        for option in ("initiators", "targets", "target-size", "interleave", "target-latency"):
            self.assertEqual(error("--replay", log, f"--{option}", "4"), f"error: --{option} is "
                             "for --generate; a replay has what its log says")
        link, kept = self.path("link.db"), rows(log)
        os.link(log, link)
        for option, file in (("--log", log), ("--stats", link),
                             ("--vcd", os.path.join(self.directory, ".", "small.db"))):
            self.assertEqual(error("--replay", log, option, file),
                             f"error: {option} and --replay name the same file, '{file}'")
        self.assertEqual(self.tool("tandem-log", "export", log, link, status=1).stderr,
                         f"error: the timeline '{link}' would take the place of its log\n")
        self.assertEqual(rows(log), kept)
        self.assertEqual(error("--generate", "--targets", 1, "--interconnect", "mesh", "--set",
                               "place=target9@0:0"),
                         "error: interconnect: parameter place names 'target9'; known "
                         "are source0, source1, source2, source3, target0")
        self.assertEqual(error("--generate", "--target-size", 0),
                         "error: interconnect: range 'target0' is empty")

    @ctest(once=True)
    def test_log_of_a_killed_run_is_recovered(self):
        def generate(log, transactions):
            return ["--generate", "--initiators", 2, "--targets", 2, "--interconnect", "bus",
                    "--traffic", f"transactions={transactions}", "--log", log]
        whole, killed, log = (self.path(name) for name in ("whole.db", "killed.db", "log.db"))
        self.tool("tandem-traffic", *generate(whole, 10000))
        with subprocess.Popen([os.path.join(BIN, "tandem-traffic"),
                               *map(str, generate(killed, 1 << 30))]) as run:
            try:
                self.assertTrue(wait_for(lambda: os.path.exists(killed) and
                                         os.path.getsize(killed) > 8 << 20))
                with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                    sqlite3.connect(killed, timeout=0).execute("SELECT * FROM run")
                self.assertEqual(self.tool("tandem-log", "recover", killed, log, status=1).stderr,
                                 f"error: cannot recover the log '{killed}': database is locked\n")
            finally:
                run.kill()
        self.assertIn("tandem-log recover", self.tool("tandem-log", "show", killed, status=1).stderr)
        said = self.tool("tandem-log", "recover", killed, log).stdout
        found = rows(log)
        self.assertEqual(said, f"transactions: {len(found)}\n")
        self.assertGreater(len(found), 30000)
        self.assertEqual(found[:15000], rows(whole)[:15000])  # where both initiators go on
        self.assertIn(f"transactions: {len(found)}", self.tool("tandem-log", "show", log).stdout)

    @ctest(once=True)
    def test_damaged_log_is_one_sentence(self):
        good, bad = self.path("good.db"), self.path("bad.db")
        self.tool("tandem-traffic", "--generate", "--initiators", 2, "--targets", 2, "--traffic",
                  "transactions=5", "--interconnect", "bus", "--log", good)

        def error(change):
            shutil.copy(good, bad)
            database = sqlite3.connect(bad)
            with database:
                database.execute(change)
            database.close()
            done = self.tool("tandem-traffic", "--replay", bad, status=1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            return done.stderr.rstrip()
        for table, change, sentence in (
                ("ranges", "address = 16 WHERE id = 1", "interconnect: range 'target1' "
                 "(0x10 to 0x10000f) overlaps range 'target0' (0x0 to 0xfffff)"),
                ("ranges", "size = 0 WHERE id = 1",
                 "interconnect: range 'target1' is empty"),
                ("ranges", "target = 7 WHERE id = 1", f"'{bad}' is no complete transaction log: a "
                 "range leads to a target that does not exist"),
                ("ranges", "initiator = 9 WHERE id = 1",
                 "interconnect: range 'target1' is for initiator 9 but there are 2"),
                ("run", "value = 'tandem transaction log 9' WHERE key = 'format'",
                 f"'{bad}' is no complete transaction log: it is of the format 'tandem "
                 "transaction log 9'"),
                *(("transactions", change + " WHERE id = 3",
                   f"cannot read the log '{bad}': its transaction 3 has an impossible " + part)
                  for change, part in (("initiator = 2", "initiator"), ("target = 2", "target"),
                                       ("command = 3", "command"), ("response = 2", "response"),
                                       ("length = -1", "length"), ("end_ps = -1", "time"),
                                       ("start_ps = end_ps + 1000", "time")))):
            with self.subTest(table + " " + change):
                self.assertEqual(error(f"UPDATE {table} SET {change}"), "error: " + sentence)
        with open(good, "rb") as file:
            head = file.read(5000)
        for content in (b"", b"no database" * 100, head):
            with open(bad, "wb") as file:
                file.write(content)
            self.assertIn(f"error: '{bad}' is no complete transaction log: ",
                          self.tool("tandem-traffic", "--replay", bad, status=1).stderr)


if __name__ == "__main__":
    main()
