# SPDX-License-Identifier: Apache-2.0
"""Atomic instructions and barriers of guests that share memory: exact in every mode, however the
memory is observed."""
import os
import signal
import time

from platform_run import PlatformTest, main, wait_for

MACHINES = ("x86-pc", "arm", "aarch64")
RISCV_PAIRS = [("riscv64", "riscv64"), ("riscv64", "x86-pc"), ("arm", "riscv64")]
OBSERVED = ("--interconnect", "bus", "--observe")
SMALL = ("--shared-memory", "8M")


def team(master, *slaves):
    options = ["--master.machine", master, "--slaves", len(slaves)]
    for number, machine in enumerate(slaves):
        options += [f"--slave{number}.machine", machine]
    return options


def params(**values):
    return [word for name, value in values.items() for word in ("--param", f"{name}={value}")]


class Atomics(PlatformTest):
    def program(self, name, *options, quantum="20us"):
        return self.simulate("--master.image", name, "--slave.image", name, *SMALL, "--quantum",
                             quantum, *options)

    def check_exact(self, run, kinds=None):
        """Every kind has all of its changes."""
        counts = {key: value.split(" of ") for key, value in run.results().items()
                  if " of " in value}
        self.assertIn("counter", counts)
        for kind, (found, made) in counts.items():
            self.assertEqual(found, made, kind)
        for kind in kinds or ():
            self.assertIn(kind, counts)
        self.assertGreater(int(counts["counter"][1]), 0)

    def check_twice(self, *options, **how):
        """Exact, and the same again."""
        first = self.program("atomic", *options)
        self.check_exact(first, **how)
        self.assert_same(first, self.program("atomic", *options))
        return first

    # ---- three machines at one word ----

    def mixed(self, observe, mode, n):
        options = team("x86-pc", "arm", "aarch64")
        if observe != "direct":
            options += [*OBSERVED, observe]
        return [*options, "--mode", mode, *params(n=n)]

    def test_direct_parallel(self):
        run = self.program("atomic", *self.mixed("direct", "parallel", 20000))
        self.check_exact(run, ("add.1", "add.2", "add.4", "add.8", "pair.16", "bits.4", "weak.8"))

    def test_direct_serial(self):
        self.check_twice(*self.mixed("direct", "serial", 5000))

    def test_cached_parallel(self):
        self.check_exact(self.program("atomic", *self.mixed("cached", "parallel", 5000)))

    def test_cached_serial(self):
        self.check_twice(*self.mixed("cached", "serial", 2000))

    def test_every_parallel(self):
        run = self.check_twice(*self.mixed("every", "parallel", 30))
        lock = run.module("interconnect")["locks"]["shm"]
        self.assertGreater(lock["sequences"], 1000)
        self.assertGreater(lock["waits"], 100)
        self.assertGreater(lock["waiting_ns"], 0)
        self.assertEqual(lock["sequences"],
                         sum(run.module(i)["locked_sequences"]
                             for i in ("master", "slave0", "slave1")))

    def test_every_serial(self):
        self.check_twice(*self.mixed("every", "serial", 30))

    def test_every_cached_parallel(self):
        self.check_twice(*self.mixed("every-cached", "parallel", 30))

    def test_every_cached_serial(self):
        self.check_twice(*self.mixed("every-cached", "serial", 30))

    def test_translated_for_one_thread_updates_are_lost(self):
        # What the others would see without the flag: their programs notice it.
        run = self.simulate("--master.image", "atomic", "--slave.image", "atomic", *SMALL,
                            *self.mixed("every", "parallel", 30), status=1,
                            environment={"TANDEM_TEST_SERIAL_TRANSLATION": "1"})
        for kind in ("add.1", "add.2", "add.4", "add.8"):
            found, made = map(int, run.results()[kind].split(" of "))
            self.assertLess(found, made, kind)
        # Lost exchanges may well leave more than was made.
        found, made = map(int, run.results()["counter"].split(" of "))
        self.assertNotEqual(found, made)

    def test_riscv64_among_others(self):
        for observe, mode, n in (("direct", "parallel", 10000), ("direct", "serial", 2000),
                                 ("cached", "parallel", 2000), ("every", "parallel", 20),
                                 ("every-cached", "serial", 20)):
            with self.subTest(observe=observe, mode=mode):
                options = [*team("riscv64", "x86-pc", "arm"), "--mode", mode, *params(n=n)]
                if observe != "direct":
                    options += [*OBSERVED, observe]
                self.check_exact(self.program("atomic", *options),
                                 ("add.1", "add.2", "add.4", "add.8", "bits.4", "weak.8"))

    # ---- all pairs ----

    def pairs(self, *options):
        pairs = [(master, slave) for master in MACHINES for slave in MACHINES]
        for master, slave in pairs + RISCV_PAIRS:
            with self.subTest(master=master, slave=slave):
                self.check_exact(self.program("atomic", *team(master, slave), *options))

    def test_pairs_direct(self):
        self.pairs(*params(n=100000, kind="add.4"))

    def test_pairs_every(self):
        self.pairs(*OBSERVED, "every", *params(n=100, kind="add.4"))

    def test_cortexm_takes_part(self):
        both = team("x86-pc", "cortexm")
        self.check_exact(self.program("atomic", *both, *params(n=2000)), ("add.4", "cas.1"))
        self.check_exact(self.program("atomic", *both, *OBSERVED, "every", *params(n=20)))

    # ---- several CPUs ----

    def test_several_cpus(self):
        cpus = ("--master.cpus", 2, "--slave.cpus", 2)
        both = [*team("x86-pc", "aarch64"), *cpus]
        self.check_exact(self.program("atomic", *both, *params(n=1000, cpus=2)))
        self.check_twice(*both, *OBSERVED, "every", *params(n=8, cpus=2))

    def test_several_cpus_arm(self):
        cpus = ("--master.cpus", 2, "--slave.cpus", 2)
        both = [*team("arm", "arm"), *cpus]
        self.check_exact(self.program("atomic", *both, *params(n=1000, cpus=2)))
        self.check_twice(*both, "--mode", "serial", *OBSERVED, "every", *params(n=8, cpus=2))

    # ---- what needs more than one access ----

    def test_large_system_extensions(self):
        both = [*team("aarch64", "aarch64"), "--master.cpu", "max", "--slave.cpu", "max"]
        kinds = ("lse.add.8", "lse.cas.4", "lse.pair.16")
        self.check_exact(self.program("atomic", *both, *params(n=5000)), kinds)
        self.check_exact(self.program("atomic", *both, *OBSERVED, "every", *params(n=30)), kinds)

    def test_split_words_of_observed_memory(self):
        run = self.program("atomic", *team("x86-pc", "x86-q35"), *OBSERVED, "every",
                           *params(n=200, kind="split"))
        self.check_exact(run, ("split.8",))
        self.assertEqual(run.module("master")["split_atomics"], 0)

    def test_split_words_of_direct_memory_are_reported(self):
        run = self.simulate("--slaves", 0, "--master.machine", "x86-pc", "--master.image",
                            "atomic", *params(n=100, kind="split"))
        self.check_exact(run, ("split.8",))
        self.assertEqual(run.module("master")["split_atomics"], 100)
        warnings = [line for line in run.stderr.splitlines() if line.startswith("warning:")]
        self.assertEqual(len(warnings), 1, run.stderr)
        self.assertIn("are not atomic for other instances", warnings[0])

    def test_atomic_access_to_a_register(self):
        # An exchange with a register of the IDM is a read and a write, and ends.
        run = self.program("atomic", *team("x86-pc", "aarch64"), *params(n=1, kind="register"))
        self.check_exact(run, ("register.4",))

    # ---- a sequence ends with its instance ----

    def test_killed_in_a_sequence(self):
        # The slave does nothing but atomic instructions; the master must get to the end of its
        # own, whatever the slave was at. Then it sleeps.
        for _ in range(3):
            started = self.start("--master.image", "atomic", "--slave.image", "atomic", *SMALL,
                                 *team("x86-pc", "arm"), *OBSERVED, "every", "--time-limit", "1s",
                                 "--on-slave-crash", "report", *params(n=20000, kind="add.4"),
                                 "--param", "1.n=100000000")
            slave = started.qemu("qemu-system-arm")
            self.assertTrue(wait_for(lambda run=started: "met" in run.log("slave0")))
            time.sleep(0.2)
            os.kill(slave, signal.SIGKILL)
            run = self.finish(started)
            self.assertEqual(run.module("master")["state"], "idle")
            self.assertEqual(run.module("master")["locked_sequences"], 20000)
            self.assertEqual(run.module("slave0")["state"], "crashed")

    # ---- locks in memory ----

    def test_ticket_lock(self):
        for options in ((), ("--mode", "serial"), (*OBSERVED, "cached"), (*OBSERVED, "every"),
                        (*OBSERVED, "every-cached", "--mode", "serial")):
            with self.subTest(options=options):
                run = self.program("ticket", *team("x86-pc", "arm", "aarch64"), *options,
                                   *params(n=200), quantum="2us")
                self.check_exact(run)
                self.assertGreater(run.number("turns"), 2)

    def test_peterson_lock(self):
        for master, slave in (("x86-pc", "arm"), ("aarch64", "x86-pc"), ("arm", "aarch64"),
                              ("riscv64", "arm")):
            with self.subTest(master=master, slave=slave):
                self.check_exact(self.program("peterson", *team(master, slave),
                                              *params(n=20000)))
        self.check_exact(self.program("peterson", *team("x86-pc", "arm"), *OBSERVED, "every",
                                      *params(n=300)))

    # ---- the cache model's counts ----

    def test_cache_model_sees_both_accesses_of_an_atomic_instruction(self):
        # Alone, so that no store-exclusive fails; 50 changes more, so that all else is the same.
        for machine, kind in zip((*MACHINES, "riscv64"), ("bits", "weak", "add", "add")):
            options = ("--slaves", 0, "--master.machine", machine, "--master.image", "atomic",
                       *SMALL, "--interconnect", "bus")

            def accesses(observe, module, names, n):
                counts = self.simulate(*options, *params(n=n, kind=kind), "--observe",
                                       observe).module(module)
                return [counts.get("cache", counts)[name] for name in names]

            def of_50_more(*how):
                few, many = accesses(*how, 50), accesses(*how, 100)
                return [b - a for a, b in zip(few, many)]

            with self.subTest(machine=machine, kind=kind):
                loads, stores = of_50_more("cached", "master", ("loads", "stores"))
                self.assertGreaterEqual(loads, 200)
                self.assertEqual([loads, stores],
                                 of_50_more("every", "shm", ("reads", "writes")))


if __name__ == "__main__":
    main()
