# SPDX-License-Identifier: Apache-2.0
"""The workloads that interconnects are compared with: their results, and the times of the matrix
multiplication over several interconnects and numbers of slaves."""
from platform_run import PlatformTest, ctest, main

WORD = 0xFFFFFFFF


class Random:
    """sw/include/tandem-sw/random.h"""

    def __init__(self, seed):
        self.word = (seed * 2654435761 + 0x9E3779B9) & WORD or 1

    def next(self):
        self.word ^= self.word << 13 & WORD
        self.word ^= self.word >> 17
        self.word ^= self.word << 5 & WORD
        return self.word


def matmul_sum(n, seed=1):
    numbers = Random(seed)
    words = [numbers.next() for _ in range(2 * n * n)]
    a, b = words[::2], words[1::2]
    total = 0
    for i in range(n):
        for j in range(n):
            word = sum(a[i * n + k] * b[k * n + j] for k in range(n)) & WORD
            total += (word << j % 32 | word >> (32 - j % 32) % 32) & WORD
    return total & WORD


def triad_sum(n, participant, kind="triad"):
    return sum(i + participant + (3 * (2 * i + 1) if kind == "triad" else 0)
               for i in range(n)) & WORD


def pipeline_sum(items, size, stages):
    total = 0
    for item in range(items):
        for i in range(size // 4):
            word = (item * 2654435761 + i) & WORD
            for stage in range(1, stages + 1):
                word = word * 3 + stage & WORD
            total += word
    return total & WORD


class Workloads(PlatformTest):
    def work(self, workload, *options, slaves=1, observe="every", parameters=(), **how):
        words = [word for p in parameters for word in ("--param", p)]
        run = self.simulate("--master.image", workload, "--slave.image", workload, "--slaves",
                            slaves, "--observe", observe, *words, *options, **how)
        if not run.status:
            for instance in ["master"] + [f"slave{i}" for i in range(slaves)]:
                self.assertEqual(run.number("ok", instance), 1, instance)
        return run

    def on_all_machines(self, workload, check, parameters=()):
        """Small, on some sets of machines; check(run) compares what the guests print."""
        for options in (("--master.machine", "x86-pc", "--slave.machine", "arm"),
                        ("--master.machine", "aarch64", "--slave.machine", "cortexm"),
                        ("--master.machine", "riscv64", "--slave.machine", "arm", "--slave1.machine",
                         "x86-pc"),
                        ("--master.machine", "x86-pc", "--slave.machine", "riscv64",
                         "--slave1.machine", "cortexm33")):
            with self.subTest(options=options):
                run = self.work(workload, *options, slaves=2, parameters=parameters)
                self.assertGreater(run.number("ns"), 1000)
                check(run)

    def test_triad(self):
        def check(run):
            for participant, instance in enumerate(("master", "slave0", "slave1")):
                self.assertEqual(run.number("sum", instance), triad_sum(500, participant))
        self.on_all_machines("triad", check, ["n=500"])

    def test_copy(self):
        def check(run):
            self.assertEqual(run.number("sum", "slave1"), triad_sum(500, 2, "copy"))
        self.on_all_machines("triad", check, ["n=500", "kind=copy", "rounds=2"])

    def test_chase(self):
        def check(run):
            self.assertEqual(run.number("steps"), 3 * 100)
            self.assertEqual(run.number("sum"), 3 * sum(range(100)))
        self.on_all_machines("chase", check, ["n=100", "rounds=3"])

    def test_matmul(self):
        def check(run):
            self.assertEqual(run.number("sum"), matmul_sum(24))
            self.assertEqual(sum(run.number("tiles", f"slave{i}") for i in range(2)), 9)
        self.on_all_machines("matmul", check, ["n=24", "tile=8"])

    def test_pipeline(self):
        def check(run):
            self.assertEqual(run.number("sum"), pipeline_sum(10, 64, 2))
        self.on_all_machines("pipeline", check, ["items=10", "size=64"])

    def test_contend(self):
        def check(run):
            self.assertEqual(run.number("counter"), 3 * 30)
        self.on_all_machines("contend", check, ["n=30"])

    def test_several_cpus_in_each_guest(self):
        for master, slave in (("aarch64", "arm"), ("riscv64", "riscv64")):
            with self.subTest(master=master, slave=slave):
                self.check_several_cpus(master, slave)

    def check_several_cpus(self, master, slave):
        smp = ("--master.machine", master, "--slave.machine", slave, "--master.cpus", 2,
               "--slave.cpus", 2, "--param", "cpus=2")
        run = self.work("triad", *smp, parameters=["n=501"])
        self.assertEqual(run.number("sum", "slave0"), triad_sum(501, 1))
        run = self.work("contend", *smp, parameters=["n=20"])
        self.assertEqual(run.number("counter"), 4 * 20)
        run = self.work("chase", *smp, parameters=["n=50"])
        self.assertEqual(run.number("sum"), 2 * sum(range(50)))

    def test_pipeline_in_the_smallest_fifos(self):
        run = self.work("pipeline", "--fifo-depth", 1, slaves=3,
                        parameters=["items=20", "size=32", "slots=16"])
        self.assertEqual(run.number("sum"), pipeline_sum(20, 32, 3))

    def test_refused(self):
        for workload, slaves, parameter, sentence in (
                ("matmul", 0, "n=16", "matmul needs at least one slave"),
                ("matmul", 1, "n=17", "n must be a multiple of tile"),
                ("matmul", 1, "tile=65", "tile must be 1 to 64"),
                ("pipeline", 0, "items=1", "pipeline needs at least one slave"),
                ("pipeline", 1, "size=6", "size must be 4 to 64k"),
                ("triad", 0, "n=257k", "n must be 1 for each CPU to 256k"),
                ("triad", 0, "kind=scale", "kind must be copy or triad"),
                ("chase", 0, "stride=6", "stride must be 4 to 256"),
                ("contend", 0, "lock=32", "there is no such lock"),
                ("contend", 0, "cpus=9", "cpus must be 1 to 8")):
            run = self.work(workload, slaves=slaves, parameters=[parameter], status=2)
            # Who comes to it first ends the run.
            self.assertIn(sentence, "".join(run.console(log[:-4]) for log in run.logs()))

    @ctest(timeout=900, once=True)
    def test_more_slaves_and_faster_interconnects_are_never_slower(self):
        """One matrix multiplication, all slaves Arm: the same table twice."""
        interconnects = ("router", "bus", "crossbar", "mesh")

        def table(*numbers):
            return {(kind, slaves): self.work(
                "matmul", "--interconnect", kind, slaves=slaves,
                parameters=["n=32", "tile=8"]).number("ns")
                    for kind in interconnects for slaves in numbers}
        ns = table(1, 2, 4, 8)
        self.assertEqual(ns, ns | table(2))
        for few, more in ((1, 2), (2, 4), (4, 8)):
            # Without contention the work is shared out; with it, some is won all the same.
            self.assertLess(ns["router", more], 0.6 * ns["router", few], ns)
            for kind in interconnects[1:]:
                self.assertLess(ns[kind, more], ns[kind, few], ns)
        tiles, words = 4 * 4, 8 * 8
        for slaves in (1, 2, 4, 8):
            for kind in interconnects[1:]:
                self.assertLess(ns["router", slaves], ns[kind, slaves], ns)
            # Nobody waits at the router: so many rounds of one tile for each slave.
            self.assertAlmostEqual(ns["router", slaves] * slaves / ns["router", 1], 1, delta=0.02)
            # An access of a word holds the way to the memory for 20 ns. Each tile is computed from
            # 4 pairs of tiles.
            for kind in ("bus", "crossbar"):
                self.assertGreater(ns[kind, slaves], tiles * (2 * 4 + 1) * words * 20, ns)
            # With the same width and clock, the crossbar only adds ways. One slave and its master
            # take turns, so each access comes earlier or at the same time. Several contend in an
            # order that the first accesses set, so a detail decides how their phases overlap.
            margin = 1 if slaves == 1 else 1.03
            self.assertLessEqual(ns["crossbar", slaves], margin * ns["bus", slaves], ns)


if __name__ == "__main__":
    main()
