# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: a run that is restored is the run that was saved (docs/checkpoints.md).

In the environment, for runs by hand:
  TANDEM_CHECKPOINTS=20  so many at random times, in place of each test's own
  TANDEM_KILLS=100       of runs that save, and of runs that are being restored
  TANDEM_DAMAGES=1000    of a checkpoint
  TANDEM_SEED=2          for other times than those of the last run by hand"""
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3

import bundle
from platform_run import (MACHINES, RUN_TIMEOUT, PlatformTest, alive, children, copy_sparse,
                          ctest, guest, main, wait_for)

CHECKPOINTS = int(os.environ.get("TANDEM_CHECKPOINTS", "0"))
KILLS = int(os.environ.get("TANDEM_KILLS", "5"))
DAMAGES = int(os.environ.get("TANDEM_DAMAGES", "12"))
SEED = int(os.environ.get("TANDEM_SEED", "7"))


def image(arch, program):
    return guest(arch, program + ".slave" if arch.startswith("cortexm") else program)


def two(machine, program, *parameters, slave=None):
    """Options for a master and a slave with the same program."""
    options = ["--master.machine", machine, "--slave.machine", slave or machine,
               "--master.image", program, "--slave.image", program]
    for parameter in parameters:
        options += ["--param", parameter]
    return options


class Checkpoint(PlatformTest):
    def save(self, at, options, place="checkpoint", **how):
        """The run that saves at that time, in ns, and the checkpoint."""
        path = self.path(place)
        run = self.simulate(*options, "--checkpoint-at", f"{at}ns", "--checkpoint", path, **how)
        self.assertIn(f"checkpoint: {path}", run.stderr)
        return run, path

    def made_at(self, path):
        with open(os.path.join(path, "manifest.json"), encoding="utf-8") as f:
            return json.load(f)["time_ns"]

    def around(self, *options, parts=(0.2, 0.7), status=0):
        """Saves at these parts of the run; neither saver nor restored differ from a run that knows
        of no checkpoint. Returns that run."""
        full = self.simulate(*options, status=status)
        length = full.statistics()["simulated_ns"]
        if CHECKPOINTS:
            chance = random.Random(f"{self.id()} {SEED}")
            parts = [chance.uniform(0.01, 0.9) for _ in range(CHECKPOINTS)]
        for part in parts:
            try:
                saver, path = self.save(int(part * length), options, status=status)
            except AssertionError as failure:
                if not CHECKPOINTS or "none was made: until the run ended" not in str(failure):
                    raise
                continue  # the time was drawn
            self.assertGreaterEqual(self.made_at(path), int(part * length))
            self.assertLess(self.made_at(path), length)
            self.assert_same(full, saver)
            self.assert_same(full, self.simulate("--restore", path, status=status))
        return full

    # ---- every machine

    def check_machine(self, machine, slave="arm"):
        run = self.around(*two(machine, "messages", "count=50", slave=slave), "--fifo-depth", 8,
                          parts=(0.02, 0.9))
        self.assertEqual(run.number("received"), 50)

    def test_x86_pc(self):
        self.check_machine("x86-pc")

    def test_x86_q35(self):
        self.check_machine("x86-q35", "x86-q35")

    def test_arm(self):
        self.check_machine("arm")

    def test_aarch64(self):
        self.check_machine("aarch64", "aarch64")

    def test_cortexm(self):
        self.check_machine("cortexm", "cortexm")

    def test_cortexm33(self):
        self.check_machine("cortexm33", "cortexm33")

    def test_riscv64(self):
        self.check_machine("riscv64", "riscv64")

    # ---- whatever it waits for

    def saved_in(self, place, options, *more, full):
        """A run that saves there is that run, and so is the one that is restored."""
        saver = self.simulate(*options, "--checkpoint", place, *more)
        self.assertIn(f"checkpoint: {place}, at ", saver.stderr)
        self.assert_same(full, saver)
        self.assert_same(full, self.simulate("--restore", place))
        return self.made_at(place)

    def test_at_a_mark_or_a_region_or_when_a_guest_asks(self):
        plain = two("arm", "marks", "n=20k", "rounds=4", "0.sleep=300000")
        for options, more, mark in (
                (plain, ("--checkpoint-at", "mark:100"), ("master", "mark", 100)),
                (plain, ("--checkpoint-at", "region:12"), ("slave0", "begin", 12)),
                ([*plain, "--param", "1.ask=1"], (), ("slave0", "mark", 0xffffffff))):
            with self.subTest(mark):
                full = self.simulate(*options)
                made = next(m["time_ns"] for m in full.statistics()["marks"]["list"]
                            if (m["by"], m["kind"], m["number"]) == mark)
                at = self.saved_in(self.path(f"checkpoint{mark[2]}"), options, *more, full=full)
                self.assertGreaterEqual(at, made)
                self.assertLess(at, made + 200000)

    def test_a_mark_that_nobody_makes(self):
        options = two("arm", "ring", "n=20")
        text = self.refused(*options, "--checkpoint-at", "mark:7", "--checkpoint", self.path("cp"))
        self.assertIn("none was made", text)
        self.assertFalse(os.path.exists(self.path("cp")))
        # Nobody has asked, which is no error.
        self.simulate(*options, "--checkpoint", self.path("cp"))
        self.assertFalse(os.path.exists(self.path("cp")))

    def test_by_a_signal(self):
        # Paced, so that the signal comes before the end; a checkpoint does not keep that.
        pace = ("--realtime", "0.002")
        options = [*two("arm", "messages", "count=600"), *pace]
        place = self.path("checkpoint")
        full = self.simulate(*options)
        started = self.start(*options, "--checkpoint", place)
        self.assertTrue(wait_for(lambda: "TANDEM" in started.log("slave0")))
        started.signal(signal.SIGUSR1)
        self.assert_same(full, self.finish(started))
        self.assertGreater(self.made_at(place), 0)
        self.assertLess(self.made_at(place), full.statistics()["simulated_ns"])
        self.assert_same(full, self.simulate("--restore", place, *pace))

    # ---- RAM on the platform

    PLATFORMS = ("--master.memory", "platform", "--slave.memory", "platform")

    def test_ram_on_the_platform(self):
        for machine in ("x86-pc", "aarch64", "cortexm33", "riscv64"):
            with self.subTest(machine):
                run = self.around(*two(machine, "messages", "count=30"), *self.PLATFORMS,
                                  "--fifo-depth", 8, parts=(0.3, 0.8))
                self.assertEqual(run.number("received"), 30)

    def test_ram_on_the_platform_that_is_observed(self):
        self.around(*two("arm", "messages", "count=60", slave="x86-q35"), *self.PLATFORMS,
                    "--observe", "cached", "--cache", "fetches=on", "--cache", "l1.size=4k",
                    "--interconnect", "bus", parts=(0.5,))

    def test_ram_on_the_platform_of_several_cpus(self):
        options = (*two("arm", "smp", "cpus=3", "1.cpus=2", "1.exit=0", "n=60", "1.n=60"),
                   "--master.cpus", 3, "--slave.cpus", 2, "--quantum", "1us", *self.PLATFORMS)
        length = self.simulate(*options).statistics()["simulated_ns"]
        saver, path = self.save(length // 2, options)
        self.assert_same(saver, self.simulate("--restore", path))

    def test_ram_on_the_platform_is_observed_from_there_on(self):
        options = [*two("arm", "matmul", "n=48"), *self.PLATFORMS]
        full = self.simulate(*options)
        _, path = self.save(full.statistics()["simulated_ns"] // 2, options)
        observed = self.simulate("--restore", path, "--observe", "master.memory=cached", "--cache",
                                 "fetches=on", "--cache", "l1.size=1k", "--interconnect", "bus")
        results, before = observed.results(), full.results()
        self.assertGreater(int(results.pop("ns")), int(before.pop("ns")))
        self.assertEqual(results, before)
        counts = observed.module("master")["cache"]
        self.assertGreater(counts["l1_misses"], 100)
        # What misses behind the access that ends the run is in no batch any more.
        lost = counts["l1_misses"] - observed.module("master_memory")["reads"]
        self.assertIn(lost, range(8))
        for other, sentence in ((("--master.memory", "0"), "master.memory on the platform was"),
                                (("--master.memory", "platform:64"), "master.memory was")):
            self.assertIn(sentence, self.refused("--restore", path, *other))

    # ---- every kind of run

    def test_doorbells(self):
        run = self.around(*two("arm", "ring", "n=300", slave="aarch64"))
        self.assertEqual(run.number("rounds"), 300)

    def test_alone(self):
        self.around("--slaves", 0, "--master.machine", "arm", "--master.image", "clock",
                    "--param", "n=200")

    def test_serial(self):
        self.around(*two("arm", "race", "n=3000", slave="riscv64"), "--mode", "serial",
                    "--quantum", "10us")

    def test_without_lookahead(self):
        self.around(*two("arm", "ring", "n=100"), "--lookahead", "off", parts=(0.6,))

    def test_four_instances_on_a_mesh(self):
        self.around(*two("arm", "messages", "count=60", "2.count=20", "3.count=20"),
                    "--slaves", 3, "--slave1.machine", "cortexm", "--slave2.machine", "aarch64",
                    "--interconnect", "mesh", parts=(0.3, 0.7))

    def test_cache_model(self):
        # What is in its arrays decides what misses from then on.
        self.around(*two("arm", "matmul"), "--observe", "cached", "--cache", "l1.size=4k",
                    "--cache", "l2.size=32k", "--cache", "fetches=on", "--interconnect", "bus",
                    "--dram", "on", parts=(0.3, 0.7))

    def test_random_replacement(self):
        self.around(*two("aarch64", "matmul"), "--observe", "cached", "--cache", "l1.size=4k",
                    "--cache", "replacement=random", "--lookahead", "off", parts=(0.5,))

    def test_transactions_for_everything(self):
        self.around(*two("arm", "atomic", "n=20", "kind=add.4"), "--observe", "every",
                    "--interconnect", "bus", "--quantum", "2us", parts=(0.4,))

    def test_processes_with_several_cpus(self):
        # Which of them is next is QEMU's secret: the saver goes on as those that are restored, and
        # is not the run without a checkpoint.
        options = (*two("arm", "smp", "cpus=3", "1.cpus=2", "1.exit=0", "n=60", "1.n=60"),
                   "--master.cpus", 3, "--slave.cpus", 2, "--quantum", "1us")
        length = self.simulate(*options).statistics()["simulated_ns"]
        for part in (0.2, 0.5):  # from 0.6 on the guests do nothing but write to their consoles
            saver, path = self.save(int(part * length), options)
            for _ in range(2):
                self.assert_same(saver, self.simulate("--restore", path))

    CHANGING = ("--observe-from", "region:1=cached", "--observe-from", "region-end:1=direct",
                "--observe-from", "region:12=every", "--observe-from", "region-end:12=direct",
                "--warm", 2000, "--cache", "l1.size=1k", "--interconnect", "bus")

    @ctest(timeout=600)
    def test_observation_that_changes(self):
        # Saved before, between and behind the changes, and while caches are being warmed.
        options = (*two("arm", "marks", "rounds=4", "words=4k", "n=3000", "m=1000",
                        slave="aarch64"), *self.CHANGING, "--quantum", "2us")
        self.around(*options, parts=(0.15, 0.4, 0.7))
        run = self.around(*options, *self.PLATFORMS, parts=(0.4, 0.6))
        self.assertGreater(run.module("master")["cache"]["l1_misses"], 100)
        self.assertGreater(run.module("slave0")["every"]["loads"], 100)

    def test_observation_that_changes_behind_the_checkpoint(self):
        # As if the run had been told so from the start; 0.2 of it is the same for both.
        options = [*two("arm", "matmul", "n=48"), "--interconnect", "bus"]
        length = self.simulate(*options).statistics()["simulated_ns"]
        changes = ("--observe-from", f"{length // 2}ns=cached", "--warm", 5000, "--cache",
                   "l1.size=1k")
        full = self.simulate(*options, *changes)
        _, path = self.save(length // 5, options)
        restored = self.simulate("--restore", path, *changes)
        self.assertGreater(full.module("master")["cache"]["l1_misses"], 100)
        self.assert_same(full, restored, guests_only=True)
        for name in ("master", "slave0"):
            self.assertEqual(full.module(name)["cache"], restored.module(name)["cache"])
        # A new word about observation is in place of all the old ones.
        again = self.simulate("--restore", path, "--observe", "direct")
        self.assertNotIn("cache", again.module("master"))

    def test_observation_that_changes_of_several_cpus(self):
        options = (*two("arm", "smp", "cpus=3", "1.cpus=2", "1.exit=0", "n=60", "1.n=60"),
                   "--master.cpus", 3, "--slave.cpus", 2, *self.PLATFORMS)
        length = self.simulate(*options).statistics()["simulated_ns"]
        options = (*options, "--observe-from", f"{length // 4}ns=cached", "--warm", 3000,
                   "--observe-from", f"{length * 3 // 4}ns=direct", "--quantum", "1us")
        for part in (0.2, 0.5):
            saver, path = self.save(int(part * length), options)
            self.assertGreater(saver.module("master")["cache"]["loads"], 100)
            self.assert_same(saver, self.simulate("--restore", path))

    def test_saved_again_from_a_restored_run(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        _, first = self.save(length // 4, options, "first")
        second, path = self.save(length // 2, ("--restore", first), "second")
        self.assert_same(full, second)
        self.assertGreater(self.made_at(path), self.made_at(first))
        self.assert_same(full, self.simulate("--restore", path))

    def test_saved_again_and_restored_behind_another_interconnect(self):
        # What the first restored run answered live, the second plays back by the tape's order.
        options = two("arm", "messages", "count=40")
        length = self.simulate(*options).statistics()["simulated_ns"]
        _, direct = self.save(length // 2, options, "direct")
        _, first = self.save(length // 4, (*options, "--checkpoint-exit"), "first")
        _, again = self.save(length // 2, ("--restore", first, "--checkpoint-exit"), "again")
        for interconnect in ("bus", "mesh"):
            with self.subTest(interconnect):
                other = ("--interconnect", interconnect)
                self.assert_same(self.simulate("--restore", direct, *other),
                                 self.simulate("--restore", again, *other))

    @ctest(once=True)
    def test_outputs_are_not_where_the_checkpoint_is(self):
        place = self.path("place")
        for other in (place, place + "/", os.path.join(place, "..", "place")):
            text = self.refused(*two("arm", "ring", "n=10"), "--checkpoint", other, "--out", place,
                                out=False)
            self.assertIn("--out and --checkpoint are both '" + place + "'", text)

    def test_exit_with_the_checkpoint(self):
        options = two("arm", "ring", "n=100")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        run, path = self.save(length // 2, (*options, "--checkpoint-exit"))
        self.assertLess(run.statistics()["simulated_ns"], length)
        self.assertEqual(run.statistics()["simulated_ns"], self.made_at(path))
        self.assert_same(full, self.simulate("--restore", path, *options))

    def test_transaction_log_is_that_of_the_whole_run(self):
        options = two("arm", "ring", "n=100")
        log = self.path("full.db")
        full = self.simulate(*options, "--log", log)
        _, path = self.save(full.statistics()["simulated_ns"] // 2, options)
        self.simulate("--restore", path, "--log", self.path("restored.db"))
        self.assertEqual(self.rows(log), self.rows(self.path("restored.db")))

    def test_marks_and_regions(self):
        # What the adapter has counted at each mark is on the tape: restored runs have no QEMU then.
        options = (*two("arm", "marks", "rounds=40", "words=4k", "n=1500"), "--observe", "cached",
                   "--cache", "l1.size=1k", "--interconnect", "bus", "--quantum", "5us")
        run = self.around(*options, parts=(0.3, 0.7))
        regions = run.statistics()["regions"]
        self.assertEqual(len(regions), 5)
        self.assertGreater(regions["region 1"]["modules"]["master"]["cache"]["stores"], 40 * 1500 - 1)
        log = self.path("full.db")
        self.simulate(*options, "--log", log)
        _, path = self.save(run.statistics()["simulated_ns"] // 2, options)
        self.simulate("--restore", path, "--log", self.path("restored.db"))
        self.assertEqual(self.rows(log), self.rows(self.path("restored.db")))
        # In another system it is that one's numbers that the regions have.
        mesh = self.simulate("--restore", path, "--interconnect", "mesh").statistics()["regions"]
        self.assertIn("links", mesh["region 1"]["modules"]["interconnect"])

    def rows(self, log):
        with sqlite3.connect(log) as database:
            tables = [n for (n,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            found = {t: database.execute(f"SELECT * FROM {t}").fetchall() for t in tables}
        self.assertGreater(sum(len(r) for r in found.values()), 500)
        return found

    # ---- slaves that a master boots

    def boots(self, machine, cycles=4, end="reset"):
        path = self.path("bundle")
        bundle.write(path, [image(MACHINES[machine], i) for i in ("boot_report", "boot_second")])
        return ("--master.machine", "arm", "--master.image", "boot_cycle", "--slave.boot", "master",
                "--slave.machine", machine, "--input", path, "--param", f"end={end}",
                "--param", f"cycles={cycles}")

    def test_held_slave(self):
        options = self.boots("arm")
        _, path = self.save(1, (*options, "--quantum", "1us", "--checkpoint-exit"))
        self.assertFalse(os.path.exists(os.path.join(path, "slave0", "devices")))
        full = self.simulate(*options, "--quantum", "1us")
        self.assertEqual(full.number("errors"), 0)
        self.assert_same(full, self.simulate("--restore", path))

    def check_booted(self, machine, end="reset"):
        run = self.around(*self.boots(machine, end=end), parts=(0.2, 0.35, 0.5, 0.65, 0.8))
        self.assertEqual(run.number("cycles"), 4)
        self.assertEqual(run.number("errors"), 0)

    def test_booted_arm(self):
        self.check_booted("arm")

    def test_booted_x86(self):
        self.check_booted("x86-pc")

    def test_booted_cortexm(self):
        self.check_booted("cortexm")

    def test_booted_riscv64(self):
        self.check_booted("riscv64")

    def test_slave_that_switches_itself_off(self):
        self.check_booted("arm", end="exit")

    def test_slave_whose_process_ends(self):
        self.check_booted("aarch64", end="off")

    def test_rpmsg_traffic(self):
        # The monitor reads rings that guests write directly, and not in the same order on the
        # host; in serial mode it does.
        path = self.path("bundle")
        bundle.write(path, [image(arch, "rpmsg_echo") for arch in ("arm", "cortexm")])
        run = self.around("--master.machine", "arm", "--master.image", "rpmsg_traffic",
                          "--slaves", 2, "--slave1.machine", "cortexm", "--slave.boot", "master",
                          "--input", path, "--param", "cycles=1", "--param", "messages=150",
                          "--mode", "serial", parts=(0.05, 0.3, 0.6, 0.9))
        self.assertEqual(run.number("errors"), 0)
        self.assertIn('"messages": 150', json.dumps(run.module("rpmsg")))

    # ---- restored into another system

    def test_another_interconnect(self):
        data = self.path("data")
        with open(data, "wb") as f:
            f.write(random.Random(1).randbytes(30000))
        options = ("--master.machine", "arm", "--input", data, "--slaves", 2,
                   "--param", "job=4096")
        full = self.simulate(*options)
        digest = [line for line in full.console().splitlines() if line.startswith("sha256 ")]
        _, path = self.save(full.statistics()["simulated_ns"] // 2, options)
        others = (("--interconnect", "bus"), ("--interconnect", "crossbar"),
                  ("--interconnect", "mesh", "--mode", "serial"),
                  ("--interconnect", "bus", "--observe", "cached", "--quantum", "10us"),
                  ("--interconnect", "mesh", "--observe", "every", "--dram", "on"))
        for other in others:
            run = self.simulate("--restore", path, *other)
            self.assertEqual(run.statistics()["interconnect"], other[1])
            self.assertEqual([line for line in run.console().splitlines()
                              if line.startswith("sha256 ")], digest, other)
            self.assertEqual(run.console("slave0").splitlines()[:1],
                             full.console("slave0").splitlines()[:1])
            self.assert_same(run, self.simulate("--restore", path, *other))

    def test_slower_bus_is_felt_from_there_on(self):
        options = two("arm", "messages", "count=200")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        _, path = self.save(length // 2, (*options, "--interconnect", "bus"))
        slow = self.simulate("--restore", path, "--set", "clock=100ns")
        self.assertEqual(slow.number("received"), 200)
        self.assertGreater(slow.statistics()["simulated_ns"], length)

    # ---- refused

    def small(self):
        """Options of a short run, and a checkpoint of it."""
        options = (*two("arm", "ring", "n=20"), "--quantum", "5us")
        return options, self.save(10000, (*options, "--checkpoint-exit"))[1]

    def copy(self, path):
        copy = self.path("copy")
        shutil.rmtree(copy, ignore_errors=True)
        copy_sparse(path, copy)
        return copy

    @ctest(once=True)
    def test_refused_damaged(self):
        _, path = self.small()
        names = ["manifest.json", "memory-shm", "master/tape", "master/console", "master/devices",
                 "master/ram.0", "slave0/ram", "slave0/tandem-sync"]
        for name in names:
            copy = self.copy(path)
            with open(os.path.join(copy, name), "r+b") as f:
                data = f.read(64)
                f.seek(10)
                f.write(bytes([data[10] ^ 1]))
            self.assertIn("is damaged: " if name != "manifest.json" else "checkpoint",
                          self.refused("--restore", copy), name)
            copy = self.copy(path)
            os.truncate(os.path.join(copy, name), os.path.getsize(os.path.join(copy, name)) // 2)
            self.assertIn("is damaged: ", self.refused("--restore", copy), name)
            os.remove(os.path.join(copy, name))
            self.assertIn("is damaged: " if name != "manifest.json" else "there is none",
                          self.refused("--restore", copy), name)
            os.symlink("/dev/zero", os.path.join(copy, name))  # has no end
            self.assertIn("is damaged: " if name != "manifest.json" else "there is none",
                          self.refused("--restore", copy), name)
            os.remove(os.path.join(copy, name))
            os.mkfifo(os.path.join(copy, name))  # nobody writes there
            self.assertIn("is damaged: " if name != "manifest.json" else "there is none",
                          self.refused("--restore", copy), name)

    @ctest(once=True)
    def test_refused_foreign(self):
        _, path = self.small()
        self.assertIn("there is none", self.refused("--restore", self.path("nowhere")))
        os.makedirs(self.path("other"))
        with open(self.path("other/file"), "w", encoding="utf-8") as f:
            f.write("mine")
        self.assertIn("there is none", self.refused("--restore", self.path("other")))
        self.assertIn("something else in its place", self.refused(
            *two("arm", "ring", "n=20"), "--checkpoint-at", "1us", "--checkpoint",
            self.path("other")))
        with open(os.path.join(path, "manifest.json"), encoding="utf-8") as f:
            text = f.read()
        version = json.loads(text)["tandem"]
        with open(os.path.join(path, "manifest.json"), "w", encoding="utf-8") as f:
            f.write(text.replace(f'"tandem": "{version}"', '"tandem": "0.0.7"'))
        self.assertIn("it is of Tandem 0.0.7, and this is Tandem " + version,
                      self.refused("--restore", path))

    def test_refused_another_qemu(self):
        _, path = self.small()
        sentence = self.refused("--restore", path, environment={"TANDEM_TEST_QEMU_MAJOR": "9"})
        self.assertRegex(sentence, r"checkpoint is of QEMU \d+\.\d+\.\d+, and this is QEMU 9\.")

    @ctest(once=True)
    def test_refused_another_system(self):
        options, path = self.small()
        for other, key in ((("--master.machine", "aarch64"), "master.image was"),
                           (("--slave0.machine", "riscv64"), "slave0.image was"),
                           (("--master.cpus", 2), "master.cpus was '1' and is '2'"),
                           (("--master.memory", 64), "master.memory was '0' and is '64'"),
                           (("--master.icount-shift", 1), "master.icount-shift was '0' and is '1'"),
                           (("--slave.image", "clock"), "slave0.image was"),
                           (("--slave.boot", "master"), "slave0.boot was 'self' and is 'master'"),
                           (("--slaves", 2), "instances was 'master slave0'"),
                           (("--shared-memory", "32M"), "master.windows was"),
                           (("--seed", 2), "seed was '1' and is '2'"),
                           (("--param", "n=30"), "param was"),
                           (("--time-limit", "5us"), "time limit")):
            sentence = self.refused("--restore", path, *other)
            self.assertIn(path, sentence)
            self.assertIn(key, sentence)
        self.simulate("--restore", path, *options)  # the same

    @ctest(once=True)
    def test_restored_with_the_options_of_the_saved_run(self):
        """Which may all be said again, also in an INI file: lists are not longer by that, and what
        the command line says on top of the file holds."""
        with open(self.path("more.ini"), "w", encoding="ascii") as f:
            f.write("param = n=20\nadd = extra=memory@0x0a100000,size=64k\n"
                    "quantum = 20us\n[master]\nmemory = 64\n")
        options = (*two("arm", "ring"), "--config", self.path("more.ini"), "--master.memory",
                   "platform", "--quantum", "5us")
        full, path = self.save(10000, options)
        self.assert_same(full, self.simulate("--restore", path, *options))

    def dumped(self, what, *options):
        path = self.path(what)
        self.simulate(*options, f"--dump-{what}", path, out=False)
        with open(path, encoding="utf-8") as f:
            return f.read()

    @ctest(once=True)
    def test_what_it_fixes_is_told_before_it_is_made(self):
        """And a restored run's system is that of the same options without a checkpoint: who plans
        such runs needs none."""
        options, path = self.small()
        common = json.loads(self.dumped("common", *options))
        with open(os.path.join(path, "manifest.json"), encoding="utf-8") as f:
            self.assertEqual(common, json.load(f)["common"])
        others = ("--interconnect", "mesh", "--set", "width=8", "--observe", "cached",
                  "--idm-latency", "7ns", "--lookahead", "off")
        self.assertEqual(common, json.loads(self.dumped("common", *options, *others)))
        self.assertEqual(self.dumped("system", "--restore", path, *others),
                         self.dumped("system", *options, *others))
        more = json.loads(self.dumped("common", *options, "--set", "master.cpus=2"))
        self.assertEqual({key for key in more if more[key] != common[key]}, {"master.cpus"})

    @ctest(once=True)
    def test_refused_options(self):
        options = two("arm", "ring", "n=20")
        place = self.path("checkpoint")
        self.assertIn("of no use", self.refused(*options, "--checkpoint-at", "1us"))
        for at in ("mark:", "mark:x", "mark:4294967296", "spot:1", ":1"):
            self.assertIn(f"impossible checkpoint-at '{at}'", self.refused(
                *options, "--checkpoint-at", at, "--checkpoint", place))
        self.assertIn("of no use", self.refused(*options, "--checkpoint-exit"))
        asked = ("--checkpoint-at", "1us", "--checkpoint", place)
        self.assertIn("mode free has no checkpoints", self.refused(*options, *asked,
                                                                   "--mode", "free"))
        self.assertIn("master.qemu-args has '-drive'", self.refused(
            *options, *asked, "--master.qemu-args", "-drive if=none,file=disk"))
        self.assertIn("mover is a mover, which has initiators and does not say", self.refused(
            *options, *asked, "--load", os.environ["TANDEM_PARTS"], "--add",
            "mover=mover@0x0a200000"))
        self.assertIn("none was made", self.refused(
            *options, "--checkpoint-at", "10s", "--checkpoint", place))
        self.assertFalse(os.path.exists(place))

    def test_refused_without_a_symbol(self):
        # Who asks for no checkpoint does not notice.
        options, path = self.small()
        hidden = {"TANDEM_TEST_HIDE_SYMBOL": "qmp_xen_save_devices_state"}
        self.simulate(*options, environment=hidden)
        for again in ((*options, "--checkpoint-at", "1us", "--checkpoint", self.path("new")),
                      ("--restore", path)):
            self.assertIn("does not export 'qmp_xen_save_devices_state', which checkpoints need",
                          self.refused(*again, environment=hidden))
        self.assertFalse(os.path.exists(self.path("new")))
        self.assertFalse(os.path.exists(self.path("new.partial")))

    @ctest(once=True)
    def test_part_of_ones_own_is_what_it_was(self):
        library = self.path("libparts.so")
        shutil.copy(os.environ["TANDEM_PARTS"], library)
        # Relative to where the run begins, and found from anywhere afterwards.
        options = [*two("arm", "ring", "n=20"), "--load", os.path.relpath(library), "--add",
                   "square=square@0x0a100000"]
        full = self.simulate(*options)
        _, path = self.save(full.statistics()["simulated_ns"] // 2, options)
        with open(os.path.join(path, "system.toml"), encoding="utf-8") as file:
            self.assertIn(f"load = '{library}'\n", file.read())
        self.assert_same(full, self.simulate("--restore", path))
        with open(library, "ab") as file:
            file.write(b"rebuilt")
        self.assertIn("square.library was", self.refused("--restore", path))

    def test_refused_after_a_process_was_lost(self):
        started = self.start(*two("arm", "clock", "n=4000", "1.n=4000", slave="riscv64"),
                             "--realtime", "0.002", "--on-slave-crash", "report",
                             "--checkpoint-at", "20ms", "--checkpoint", self.path("checkpoint"))
        slave = started.qemu("qemu-system-riscv64")
        self.assertTrue(wait_for(lambda: "CLOCK" in started.log("slave0")))
        os.kill(slave, signal.SIGKILL)
        run = self.finish(started, status=1)
        self.assertIn("the run of slave0 cannot be repeated: its process was lost",
                      run.errors()[0])

    # ---- whatever happens

    @ctest(timeout=600 + 10 * KILLS, once=True)
    def test_killed_while_saving(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        _, path = self.save(length // 4, (*options, "--checkpoint-exit"))
        chance, caught = random.Random(SEED), 0
        for _ in range(KILLS):
            started = self.start(*options, "--checkpoint-at", f"{length // 2}ns",
                                 "--checkpoint", path)
            wait_for(lambda: os.path.exists(path + ".partial") or not started.running(),
                     RUN_TIMEOUT, 0.0005)
            wait_for(lambda: False, chance.random() * 0.05, 0.001)
            caught += started.running()
            started.signal(signal.SIGKILL)
            started.wait()
            self.assert_same(full, self.simulate("--restore", path))
        self.assertGreater(caught, 0)
        _, path = self.save(length // 2, options)
        self.assertFalse(os.path.exists(path + ".partial"))

    @ctest(timeout=600 + 10 * KILLS, once=True)
    def test_killed_while_restoring(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        _, path = self.save(full.statistics()["simulated_ns"] // 2, (*options, "--checkpoint-exit"))
        before, chance, caught = self.content(path), random.Random(SEED), 0
        for _ in range(KILLS):
            started = self.start("--restore", path)
            wait_for(lambda: not started.running(), chance.random() * 0.5, 0.001)
            processes = children(started.pid)
            caught += started.running()
            started.signal(signal.SIGKILL)
            started.wait()
            self.assertTrue(wait_for(lambda: not any(map(alive, processes))), processes)
        self.assertGreater(caught, 0)
        self.assertEqual(self.content(path), before)
        self.assert_same(full, self.simulate("--restore", path))

    def content(self, path):
        """{file: what is in it} of a checkpoint; nothing else is there."""
        found = {}
        for place, _, names in os.walk(path):
            for name in names:
                with open(os.path.join(place, name), "rb") as f:
                    found[os.path.relpath(f.name, path)] = hashlib.sha256(f.read()).hexdigest()
        return found

    @ctest(timeout=900 + 3 * DAMAGES, once=True)
    def test_damaged_anywhere_is_refused_or_restored_right(self):
        options, path = self.small()
        full = self.simulate(*options)
        names, chance, refused = sorted(self.content(path)), random.Random(SEED), 0
        for number in range(DAMAGES):
            copy = self.copy(path)
            what = self.damage(os.path.join(copy, chance.choice(names)), chance)
            with self.subTest(f"{number}: {what}"):
                run = self.simulate("--restore", copy, status=None)
                if run.status == 0:
                    self.assert_same(full, run)
                    continue
                refused += 1
                self.assertGreater(run.status, 0, "ended by a signal")
                self.assertEqual(len(run.errors()), 1, run.stderr)
                self.assertIn(copy, run.errors()[0])
        self.assertGreater(refused, DAMAGES // 2)

    def damage(self, name, chance):
        """Changes a file in one of many ways; returns what was done."""
        size = os.path.getsize(name)
        at = chance.randrange(size) if size else 0
        how = chance.choice(("bit", "byte", "zeros", "shorter", "longer", "empty", "gone",
                             "directory", "noise", "link", "pipe"))
        if how in ("gone", "directory", "link", "pipe"):
            os.remove(name)
            if how == "directory":
                os.mkdir(name)
            elif how == "link":
                os.symlink("/dev/zero", name)
            elif how == "pipe":
                os.mkfifo(name)
        elif how in ("shorter", "longer", "empty"):
            os.truncate(name, {"shorter": at, "longer": size + 1 + at, "empty": 0}[how])
        else:
            with open(name, "r+b") as f:
                f.seek(at)
                old = f.read({"zeros": 4096, "noise": 100}.get(how, 1))
                f.seek(at)
                f.write({"bit": bytes(b ^ (1 << chance.randrange(8)) for b in old),
                         "byte": chance.randbytes(len(old)), "zeros": bytes(len(old)),
                         "noise": chance.randbytes(len(old))}[how])
        return f"{how} at {at} of {os.path.relpath(name, self.directory)}, {size} bytes"


if __name__ == "__main__":
    main()
