# SPDX-License-Identifier: Apache-2.0
"""Slaves that the master's software boots, bare metal on both sides: boot_cycle is the master,
boot_report and boot_second are what it boots (docs/slaves.md).

TANDEM_BOOTS=1000 in the environment sets the number of boots in test_many_boots_leak_nothing,
TANDEM_RACES=1000 that in each of test_races' runs."""
import contextlib
import ctypes
import os
import random
import re
import signal
import statistics

import bundle
from platform_run import MACHINES, PlatformTest, children, ctest, guest, main, wait_for

RACES = int(os.environ.get("TANDEM_RACES", "24"))
BOOTS = int(os.environ.get("TANDEM_BOOTS", "100"))

MIB = 1 << 20
SHARED_MEMORY = 64 * MIB
INPUT_OFFSET = 0x10000  # GUEST_MAP_INPUT_OFFSET
PARAMETER_PAGE = 0x1000
RAM = {"x86_64": 0, "arm": 0x40000000, "aarch64": 0x40000000, "cortexm": 0x21000000,
       "cortexm33": 0x80000000, "riscv64": 0x80000000}


def image(arch, program):
    return guest(arch, program + ".slave" if arch.startswith("cortexm") else program)


def resources(pid):
    """(KiB of memory that is its own alone, descriptors) of a process; OSError when it has ended."""
    with open(f"/proc/{pid}/status") as f:
        own = re.search(r"RssAnon:\s+(\d+)", f.read())
    if not own:
        raise ProcessLookupError
    return int(own[1]), len(os.listdir(f"/proc/{pid}/fd"))


@contextlib.contextmanager
def small_pages():
    """What is started in here has no huge pages: the host makes some when it comes to it, at once or
    a minute later, and each counts whole where a few words of it are used."""
    thp_disable = 41  # PR_SET_THP_DISABLE of linux/prctl.h; what is forked and executed inherits it
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(thp_disable, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_THP_DISABLE)")
    try:
        yield
    finally:
        libc.prctl(thp_disable, 0, 0, 0, 0)


class Boot(PlatformTest):
    def options(self, machine, *options, images=("boot_report", "boot_second"), end="reset",
                cycles=4, boot="master", arch=None):
        path = self.path("bundle")
        bundle.write(path, [image(arch or MACHINES[machine], i) for i in images])
        return ("--master.image", "boot_cycle", "--slave.boot", boot, "--slave.machine", machine,
                "--shared-memory", SHARED_MEMORY, "--input", path,
                "--param", f"end={end}", "--param", f"cycles={cycles}", *options)

    def cycle(self, machine, *options, cycles=4, **how):
        run = self.simulate(*self.options(machine, *options, cycles=cycles, **how))
        self.assertEqual(run.number("cycles"), cycles)
        self.assertEqual(run.number("errors"), 0)
        return run

    def check_reports(self, run, cycles=4, cpu=0):
        """Each boot ran the image that it was given, with its argument, on that CPU."""
        console = run.console("slave0")
        names = re.findall(r"^TANDEM (\S+) ", console, re.M)
        self.assertEqual(names, [("boot_report", "boot_second")[i % 2] for i in range(cycles)])
        reports = re.findall(r"^BOOT tag (\S+) participant 1 cpu (\d+) time \d+ argument (.*)$",
                             console, re.M)
        tags = [f"{name}-{i}" for i, name in enumerate(names)]
        self.assertEqual(reports, [(tag, str(cpu), f"tag={tag}") for tag in tags])
        self.assertEqual(run.module("idm")["participants"][1]["boots"], cycles)

    # ---- every architecture

    def check_machine(self, machine):
        self.check_reports(self.cycle(machine))

    def test_arm(self):
        self.check_machine("arm")

    def test_aarch64(self):
        self.check_machine("aarch64")

    def test_cortexm(self):
        self.check_machine("cortexm")

    def test_cortexm33(self):
        self.check_machine("cortexm33")

    def test_riscv64(self):
        self.check_machine("riscv64")

    def test_x86_pc(self):
        self.check_machine("x86-pc")

    def test_x86_q35(self):
        self.check_machine("x86-q35")

    def test_by_any_master(self):
        for master, slave in (("arm", "x86-pc"), ("aarch64", "cortexm"), ("cortexm", "aarch64"),
                              ("x86-q35", "riscv64"), ("riscv64", "arm")):
            with self.subTest(master=master, slave=slave):
                self.check_reports(self.cycle(slave, "--master.machine", master))

    def check_cpus(self, machine):
        for cpu in (1, 3):
            with self.subTest(cpu=cpu):
                run = self.cycle(machine, "--slave.cpus", 4, "--param", f"cpu={cpu}")
                self.check_reports(run, cpu=cpu)

    def test_other_cpu_arm(self):
        self.check_cpus("arm")

    def test_other_cpu_aarch64(self):
        self.check_cpus("aarch64")

    def test_other_cpu_riscv64(self):
        self.check_cpus("riscv64")

    def test_other_cpu_x86(self):
        self.check_cpus("x86-pc")

    # ---- ends of a life, after each of which it is booted again; boot_cycle checks the states

    def check_end(self, end, without=()):
        for machine in MACHINES:
            if machine not in without:
                with self.subTest(machine=machine):
                    self.check_reports(self.cycle(machine, end=end))

    def test_halted(self):
        self.check_end("halt")

    def test_ends_itself(self):
        self.check_end("exit")

    def test_switches_itself_off(self):
        self.check_end("off", without=("cortexm", "cortexm33"))  # which have no switch

    def test_resets_itself(self):
        self.check_end("restart")

    def test_undefined_instruction(self):
        self.check_end("crash")

    def test_several_cpus_reset_and_halted(self):
        for machine, end in (("arm", "reset"), ("arm", "halt"), ("arm", "restart"), ("arm", "off"),
                             ("riscv64", "reset"), ("riscv64", "restart"), ("riscv64", "off")):
            with self.subTest(machine=machine, end=end):
                self.check_reports(self.cycle(machine, "--slave.cpus", 2, end=end))

    def check_killed(self, machine):
        kills = 3
        started = self.start(*self.options(machine, end="kill", cycles=kills))
        for i in range(1, kills + 1):
            seen = wait_for(lambda: started.log("master").count("waiting for the end") == i or
                            not started.running())
            self.assertTrue(seen and started.running(), started.log("master"))
            slaves = [pid for pid, name in children(started.pid).items()
                      if name.startswith("qemu-system-arm")]
            self.assertEqual(len(slaves), 1)
            os.kill(slaves[0], signal.SIGKILL)
        run = self.finish(started)
        self.assertEqual(run.number("cycles"), kills)
        self.check_reports(run, kills)
        self.assertEqual(run.stderr.count("killed by signal 9"), kills)

    def test_killed_arm(self):
        self.check_killed("arm")

    def test_killed_cortexm(self):
        self.check_killed("cortexm")

    # ---- commands

    def test_wrong_commands_are_refused(self):
        results = {"size_0": 4, "size_uneven": 4, "size_limit": 4, "size_huge": 4,
                   "window_uneven": 4, "window_outside": 4, "window_end": 4, "entry_below": 5,
                   "entry_above": 5, "cpu": 6, "command": 1, "command_0": 1, "self": 2,
                   "halt_held": 3, "boot_running": 3, "nothing": 0}
        for machine in MACHINES:
            with self.subTest(machine=machine):
                run = self.cycle(machine, "--param", "wrong=1")
                for name, result in results.items():
                    self.assertEqual(run.number("wrong_" + name), result, name)
                violations = run.module("idm")["participants"][0]["boot_violations"]
                self.assertEqual(violations, len(results) - 1)

    def test_slave_that_starts_by_itself_is_none(self):
        run = self.simulate(*self.options("arm", "--slave.image", "idle", boot="self"), status=2)
        self.assertIn("participant 1 is no slave that a master boots", run.console())

    def test_image_of_another_architecture(self):
        run = self.simulate(*self.options("arm", arch="aarch64"), status=1)
        self.assertIn("ERROR image boot_report: the image is for another architecture",
                      run.console())

    # ---- the master and the slave end it at the same time

    @ctest(timeout=300)
    def test_races(self):
        # Windows of 100 us; the slave ends itself some microseconds after it is asked to, so a
        # stop within 200 us comes before, in the same window, at the same time, and after.
        for machine, race in (("arm", 20000), ("arm", 200000), ("x86-pc", 100000), ("riscv64", 50000)):
            with self.subTest(machine=machine, race=race):
                run = self.cycle(machine, "--param", f"race={race}", end="any", cycles=RACES)
                self.assertEqual(run.module("idm")["participants"][1]["boots"], RACES)

    # ---- each on its own

    def test_others_stay_held(self):
        run = self.cycle("arm", "--slaves", 3, "--param", "slave=2")
        self.assertEqual(run.console("slave0") + run.console("slave2"), "")
        ports = run.module("idm")["participants"]
        self.assertEqual([port["boots"] for port in ports], [1, 0, 4, 0])
        for name in ("slave0", "slave2"):
            self.assertEqual(run.module(name)["state"], "held")
            self.assertEqual(run.module(name)["instructions"], 0)

    def test_same_in_every_run(self):
        for end in ("reset", "restart"):
            for machine in ("arm", "x86-pc", "riscv64"):
                with self.subTest(machine=machine, end=end):
                    self.assert_same(self.cycle(machine, end=end), self.cycle(machine, end=end))

    @ctest(timeout=300 + BOOTS // 2)
    def test_many_boots_leak_nothing(self):
        for machine in ("arm", "x86-pc"):
            with self.subTest(machine=machine):
                self.check_leaks(machine)

    def check_leaks(self, machine):
        """From a fifth of the boots on, no process takes more memory or more descriptors; QEMU
        frees some of them later, when the host lets it, so the middle of all samples is compared, and
        a few are allowed for. The run is paced, so that there are samples however seldom the host
        lets this process look."""
        pace = max(0.001, BOOTS / 10000)  # a boot takes 1 ms of the guests' time at least
        with small_pages():
            started = self.start(*self.options(machine, cycles=BOOTS), "--realtime", pace)
        early, late, names = {}, {}, {}
        while started.running():
            done = started.log("master").count("\ncycle ")
            if BOOTS // 5 <= done < BOOTS:
                to = early if done < BOOTS // 2 else late
                for pid in [started.pid, *children(started.pid)]:
                    try:
                        to.setdefault(pid, []).append(resources(pid))
                        names[pid] = children(started.pid).get(pid, "platform")
                    except OSError:
                        pass  # the run has ended
            wait_for(lambda: not started.running(), timeout=0.005)
        run = self.finish(started)
        self.assertEqual(run.number("cycles"), BOOTS)
        self.check_reports(run, BOOTS)
        self.assertEqual(sorted(early), sorted(late), "not the same processes to the end")
        self.assertEqual(len(early), 3)
        for pid, samples in early.items():
            for what, allowed, before, after in zip(("KiB", "descriptors"), (2048, 6),
                                                    map(statistics.median, zip(*samples)),
                                                    map(statistics.median, zip(*late[pid]))):
                self.assertLessEqual(after, before + allowed, f"{what} of {names[pid]}")

    # ---- memory

    def check_fill(self, machine):
        """Three windows; the slave of the one in the middle writes all that it can. All memory
        holds something before."""
        size = 8 * MIB
        path = self.path("memory")
        before = random.Random(machine).randbytes(SHARED_MEMORY)
        with open(path, "wb") as f:
            f.write(before)
        run = self.cycle(machine, "--slaves", 3, "--slave.window", size, "--param", "slave=2",
                         "--backing", "file:" + path, images=["fill"], end="itself", cycles=1)
        with open(path, "rb") as f:
            after = f.read()
        window = SHARED_MEMORY - 2 * size
        input_end = INPUT_OFFSET + os.path.getsize(self.path("bundle"))
        for begin, end in ((PARAMETER_PAGE, INPUT_OFFSET), (input_end, window),
                           (window + size, SHARED_MEMORY)):
            self.assertTrue(after[begin:end] == before[begin:end],
                            f"memory from {begin:#x} to {end:#x} has changed")
        results = run.results("slave1")
        self.assertEqual(results["wrong"], "0")
        self.check_pattern(machine, after[window:window + size], int(results["bytes"]))
        for name in ("above", "below", "shared_memory", "shared_memory_high"):
            self.assertNotEqual(results.get(name), "kept")
        return results

    def check_pattern(self, machine, memory, filled):
        """As many words as the slave says hold what it has written there."""
        ram = RAM[MACHINES[machine]]
        words = memoryview(memory).cast("I")
        good = sum(word == (((ram + 4 * i) ^ 1) * 2654435761) & 0xFFFFFFFF
                   for i, word in enumerate(words))
        self.assertEqual(4 * good, filled)
        self.assertGreater(filled, len(memory) - 2 * MIB)

    def test_fills_its_window_only_arm(self):
        self.assertEqual(self.check_fill("arm")["above"], "refused")

    def test_fills_its_window_only_aarch64(self):
        self.assertEqual(self.check_fill("aarch64")["above"], "refused")

    def test_fills_its_window_only_riscv64(self):
        self.assertEqual(self.check_fill("riscv64")["above"], "refused")

    def test_fills_its_window_only_cortexm(self):
        self.check_fill("cortexm")

    def test_fills_its_window_only_cortexm33(self):
        self.check_fill("cortexm33")

    def test_fills_its_window_only_x86(self):
        self.check_fill("x86-pc")


if __name__ == "__main__":
    main()
