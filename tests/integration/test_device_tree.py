# SPDX-License-Identifier: Apache-2.0
"""The device trees that platforms write: QEMU's own for the same machine, with the platform's part
in them. Read back by libfdt's own tools."""
import os
import subprocess

from platform_run import PlatformTest, ctest, main

IDM = "/tandem-idm@f000000"
MASTER = {"arm": "cortex-a15", "aarch64": "cortex-a53"}


def fdtget(path, *words):
    done = subprocess.run(["fdtget", *words[:-2], path, *words[-2:]], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class DeviceTree(PlatformTest):
    def dump(self, *options, directory="trees"):
        run = self.simulate("--dump-dtb", self.path(directory), *options, out=False)
        paths = [line for line in run.stdout.splitlines() if line.endswith(".dtb")]
        self.assertEqual([os.path.basename(p) for p in paths],
                         sorted(os.listdir(self.path(directory))))
        for path in paths:  # the compiler can make sense of it, and has nothing to complain of
            done = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", path], timeout=60,
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        return paths

    def cells(self, path, node, name):
        text = fdtget(path, "-t", "x", node, name)
        return None if text is None else [int(cell, 16) for cell in text.split()]

    def cpus(self, path):
        done = subprocess.run(["fdtget", "-l", path, "/cpus"], capture_output=True, text=True,
                              timeout=60, check=True)
        return sorted(name for name in done.stdout.split() if name.startswith("cpu@"))

    def check_machine(self, path, machine, cpus):
        self.assertEqual(self.cpus(path), [f"cpu@{i}" for i in range(cpus)])
        self.assertEqual(fdtget(path, "/cpus/cpu@0", "compatible"), "arm," + MASTER[machine])
        self.assertEqual(fdtget(path, "/psci", "method"), "hvc")
        self.assertEqual(fdtget(path, IDM, "compatible"), "tandem,idm")
        self.assertEqual(self.cells(path, IDM, "interrupts"), [0, 96, 4])
        self.assertEqual(self.cells(path, IDM, "#mbox-cells"), [1])
        self.assertEqual(fdtget(path, "/chosen", "stdout-path"), "/pl011@9000000")
        for seed in ("rng-seed", "kaslr-seed"):
            self.assertIsNone(fdtget(path, "/chosen", seed))

    def test_of_masters(self):
        for machine in MASTER:
            for cpus in (1, 4):
                with self.subTest(machine=machine, cpus=cpus):
                    path, = self.dump("--slaves", 0, "--master.machine", machine, "--master.cpus",
                                      cpus, "--master.image", "idle", "--master.append", "a=b c",
                                      "--master.memory", 256, "--shared-memory", "64M",
                                      directory=f"{machine}{cpus}")
                    self.check_machine(path, machine, cpus)
                    self.assertEqual(fdtget(path, IDM, "reg-names"), "port memory")
                    self.assertEqual(self.cells(path, IDM, "reg"),
                                     [0, 0xf000000, 0, 0x10000, 0, 0x80000000, 0, 0x4000000])
                    region = "/reserved-memory/tandem@80000000"
                    self.assertEqual(self.cells(path, region, "reg"),
                                     [0, 0x80000000, 0, 0x4000000])
                    self.assertEqual(self.cells(path, region, "no-map"), [])
                    self.assertEqual(self.cells(path, IDM, "memory-region"),
                                     self.cells(path, region, "phandle"))
                    self.assertEqual(self.cells(path, "/memory@40000000", "reg"),
                                     [0, 0x40000000, 0, 0x10000000])
                    self.assertEqual(fdtget(path, "/chosen", "bootargs"), "a=b c")

    def test_riscv64(self):
        master, slave = self.dump("--master.machine", "riscv64", "--master.image", "idle",
                                  "--slave.machine", "riscv64", "--slave.boot", "master")
        for path in (master, slave):
            self.assertEqual(fdtget(path, IDM, "compatible"), "tandem,idm")
            # The root names no interrupt controller.
            self.assertEqual(self.cells(path, IDM, "interrupts"), [63])
            controller = self.cells(path, "/soc/plic@c000000", "phandle") or \
                self.cells(path, "/soc/interrupt-controller@c000000", "phandle")  # since 11
            self.assertIsNotNone(controller)
            self.assertEqual(self.cells(path, IDM, "interrupt-parent"), controller)
        self.assertEqual(self.cells(master, IDM, "reg")[:4], [0, 0xF000000, 0, 0x10000])
        self.assertEqual(self.cells(slave, "/memory@80000000", "reg")[:3], [0, 0x80000000, 0])

    def test_of_slaves_that_the_master_boots(self):
        for machine in MASTER:
            for cpus in (1, 4):
                with self.subTest(machine=machine, cpus=cpus):
                    paths = self.dump("--slaves", 2, "--slave.machine", machine, "--slave.boot",
                                      "master", "--slave.cpus", cpus, "--slave0.window", "12M",
                                      "--slave.append", "console=ttyAMA0 x",
                                      directory=f"{machine}{cpus}")
                    self.assertEqual(len(paths), 2)  # the x86 master has none
                    for path, size in zip(paths, (0xc00000, 0x1000000)):
                        self.check_machine(path, machine, cpus)
                        self.assertEqual(self.cells(path, IDM, "reg"), [0, 0xf000000, 0, 0x10000])
                        self.assertEqual(fdtget(path, IDM, "reg-names"), "port")
                        self.assertIsNone(fdtget(path, IDM, "memory-region"))
                        self.assertIsNone(fdtget(path, "/reserved-memory", "ranges"))
                        self.assertEqual(self.cells(path, "/memory@40000000", "reg"),
                                         [0, 0x40000000, 0, size])
                        self.assertEqual(fdtget(path, "/chosen", "bootargs"), "console=ttyAMA0 x")

    def test_carve_out_of_the_machines_own_memory(self):
        path, = self.dump("--slaves", 0, "--master.machine", "arm", "--master.image", "idle",
                          "--master.memory", 1024, "--master.shm", "0x60000000",
                          "--shared-memory", "512M")
        self.assertEqual(self.cells(path, IDM, "reg")[4:], [0, 0x60000000, 0, 0x20000000])
        self.assertEqual(self.cells(path, "/reserved-memory/tandem@60000000", "reg"),
                         [0, 0x60000000, 0, 0x20000000])
        self.assertEqual(self.cells(path, "/memory@40000000", "reg"),
                         [0, 0x40000000, 0, 0x40000000])

    def test_large_shared_memory_is_seen_where_all_of_it_is(self):
        path, = self.dump("--slaves", 0, "--master.machine", "aarch64", "--master.image", "idle",
                          "--shared-memory", "2G")
        self.assertEqual(self.cells(path, IDM, "reg")[4:], [0x10, 0, 0, 0x80000000])

    def test_is_the_same_every_time(self):
        options = ("--slave.boot", "master", "--slave.cpus", 3)
        first, = self.dump(*options, directory="first")
        second, = self.dump(*options, directory="second")
        with open(first, "rb") as a, open(second, "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_leaves_nothing_behind(self):
        before = set(os.listdir(self.directory))
        self.dump("--slaves", 1, "--slave.boot", "master")
        self.assertEqual(set(os.listdir(self.directory)) - before,
                         {"trees", "stdout0", "stderr0"})

    def test_with_dry_run(self):
        run = self.simulate("--dump-dtb", self.path("trees"), "--dry-run", out=False)
        self.assertIn("qemu-system-x86_64", run.stdout)
        self.assertEqual(os.listdir(self.path("trees")), ["slave0.dtb"])

    def test_refused(self):
        self.assertEqual(self.refused("--dump-dtb", self.path("x"), "--slaves", 0, out=False),
                         "no instance of this platform has a device tree")
        sentence = self.refused("--dump-dtb", self.path("x"), "--slave.cpu", "nonsense", out=False)
        self.assertRegex(sentence, "^slave0: QEMU exited with status 1 instead of writing its "
                                   "device tree: .*nonsense")
        sentence = self.refused("--dump-dtb", os.path.join(os.devnull, "x"), out=False)
        self.assertRegex(sentence, "^slave0: the device tree '.*' cannot be written$")

    @ctest(once=True)
    def test_missing_qemu(self):
        sentence = self.refused("--dump-dtb", self.path("x"), out=False, prefix="/none")
        self.assertRegex(sentence, "^slave0: cannot start /none/usr/bin/qemu-system-arm")


if __name__ == "__main__":
    main()
