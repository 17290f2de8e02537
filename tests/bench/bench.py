#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the bridge against bare QEMU with the same icount options.

Every ratio is taken between runs that alternate within this one call, because the speed of a
shared machine drifts; the figure is the median over the pairs, and how far it may be off is told
by an interval. Start-up is taken out by running each workload at two sizes. docs/performance.md
explains each figure.
"""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import scaling

SETTLED = 0.01  # width of the interval of a ratio that is near 1

BARE = {
    "arm": ["qemu-system-arm", "-machine", "virt,gic-version=2", "-cpu", "cortex-a15", "-m", "128M"],
}

# Linux masters: the kit's architecture, Tandem's machine, the console, and bare QEMU.
LINUX = {
    "x86": ("amd64", "x86-pc", "ttyS0",
            ["qemu-system-x86_64", "-machine", "pc", "-cpu", "qemu64,+pdpe1gb"]),
    "arm": ("armhf", "arm", "ttyAMA0",
            ["qemu-system-arm", "-machine", "virt,gic-version=2,dtb-randomness=off",
             "-cpu", "cortex-a15"]),
}


# Workloads in shared memory: image, parameters, and two sizes.
OBSERVED = {
    "triad": ("triad", "n=2048 rounds=%d", 100, 15000),  # fits into the cache
    "chase": ("chase", "n=512 rounds=%d", 1000, 60000),
    "matmul": ("matmul", "tile=8 n=%d", 32, 256),
    "pipeline": ("pipeline", "size=512 items=%d", 100, 5000),
    "copy": ("triad", "kind=copy n=2048 rounds=%d", 100, 15000),
    "triad_out": ("triad", "n=64k rounds=%d", 2, 50),  # does not
    "copy_out": ("triad", "kind=copy n=8192 rounds=%d", 50, 1000),
}
OBSERVED_TARGETS = {"triad": 3, "chase": 1.5, "matmul": 1.8, "pipeline": 3, "copy": 3,
                    "triad_out": 8, "copy_out": 8}

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
KIT = os.path.join(SOURCE, "build", "linux")  # ./tandem setup --linux


class Figure(float):
    """The median of samples, and the interval between two of them in which the median of all that
    could be taken lies with 95 % probability, whatever their distribution; of less than six samples
    all of them are in the interval, and the probability is 1 - 2^(1-n)."""

    def __new__(cls, samples):
        figure = super().__new__(cls, statistics.median(samples))
        figure.samples = sorted(samples)
        number = len(samples)
        outside, left_out = 2.0 ** -number, 0  # probability on one side, for so many left out there
        while left_out + 1 < number / 2:
            more = math.comb(number, left_out + 1) * 2.0 ** -number
            if outside + more > 0.025:
                break
            outside, left_out = outside + more, left_out + 1
        figure.low, figure.high = figure.samples[left_out], figure.samples[-1 - left_out]
        return figure

    def data(self):
        return {"median": float(self), "low": self.low, "high": self.high, "samples": self.samples}


class Bench:
    def __init__(self, build, repeats):
        self.build = build
        self.platform = self.program("x86-arm")
        self.traffic_program = self.program("tandem-traffic")
        self.guests = os.path.join(build, "guests")
        self.repeats = repeats
        self.scratch = tempfile.TemporaryDirectory(prefix="tandem-bench-")

    def program(self, name):
        return os.path.join(self.build, "bin", name)

    # ---- running ----

    def timed(self, command):
        """Wall and CPU seconds of a command with all its children."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=600)
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit("failed: %s\n%s" % (" ".join(command), done.stdout.decode(errors="replace")))
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall, cpu

    def tandem(self, program, parameters, *options, slave=None, machine="arm"):
        command = [self.platform, "--progress", "off", "--consoles", "off", "--verbosity", "quiet",
                   "--master.machine", machine, "--master.image", program]
        if slave:
            command += ["--slave.image", slave]
        else:
            command += ["--slaves", "0"]
        for word in parameters.split():
            command += ["--param", word]
        return self.timed(command + list(options))

    def bare(self, program, parameters, shift=0):
        return self.timed(BARE["arm"] + [
            "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
            "-icount", "shift=%d,align=off,sleep=off" % shift, "-rtc",
            "base=2020-01-01T00:00:00,clock=vm", "-seed", "1", "-serial", "null", "-append",
            parameters, "-kernel", os.path.join(self.guests, "arm", program + ".elf")])

    def statistics_of(self, program, parameters, *options, **more):
        path = os.path.join(self.scratch.name, "stats.json")
        self.tandem(program, parameters, "--stats", path, *options, **more)
        with open(path) as file:
            return json.load(file)

    @staticmethod
    def slope(run, small, large):
        """Seconds that the difference between two sizes takes, start-up taken out."""
        return run(large) - run(small)

    def median(self, sample):
        return Figure([sample() for _ in range(self.repeats)])

    def settled(self, sample):
        """The same with more samples, eight times as many at most, until the interval is below
        SETTLED."""
        samples = [sample() for _ in range(self.repeats)]
        while len(samples) < 8 * self.repeats:
            figure = Figure(samples)
            if len(samples) > 5 and figure.high - figure.low < SETTLED:
                break
            samples.append(sample())
        return Figure(samples)

    @staticmethod
    def hogs(count):
        return [subprocess.Popen([sys.executable, "-c",
                                  "import time\nend=time.monotonic()+120\n"
                                  "while time.monotonic()<end: pass"]) for _ in range(count)]

    def busy(self, hogs, sample):
        processes = self.hogs(hogs)
        try:
            return sample()
        finally:
            for process in processes:
                process.kill()
                process.wait()

    # ---- figures ----

    def read_times(self, n):
        stats = self.statistics_of("latency", "n=%d" % n, "--measure", "on")
        return stats["modules"]["master"]["host"]["read_us"]

    def mmio(self, result):
        samples = [self.read_times(300000) for _ in range(self.repeats)]
        result["mmio_read_us"] = Figure([s["p50"] for s in samples])
        result["mmio_read_us_p99"] = Figure([s["p99"] for s in samples])
        result["mmio_read_us_busy"] = self.busy(2, lambda: self.median(
            lambda: self.read_times(50000)["p50"]))

    def speed(self, result):
        small, large = "kind=matrix n=20", "kind=matrix n=6000"
        for name, quantum in (("1ms", "1ms"), ("100us", "100us"), ("10us", "10us"), ("1us", "1us")):
            def pair():
                bare = self.slope(lambda p: self.bare("compute", p)[0], small, large)
                ours = self.slope(lambda p: self.tandem("compute", p, "--quantum", quantum,
                                                        "--lookahead", "off")[0], small, large)
                return bare / ours
            result["speed_q" + name] = self.settled(pair)

    def copy(self, result):
        def run(target):
            return self.slope(lambda rounds: self.tandem(
                "copy", "target=%s rounds=%d" % (target, rounds))[0], 10, 1200)
        result["dmi_copy"] = self.median(lambda: run("ram") / run("shm"))

    def idle(self, result):
        # 16 ns an instruction: 10 simulated seconds are 625 million instructions.
        parameters, shift = "kind=matrix n=%d", ["--master.icount-shift", "4"]
        def run(*options, **more):
            return self.slope(lambda n: self.tandem("compute", parameters % n, *shift, *options,
                                                    **more)[0], 20, 1850)
        def pair():
            alone = run()
            return run("--param", "1.ns=0", slave="idle") / alone - 1
        result["idle_cost"] = self.median(pair)

    def parallel(self, result):
        def run(mode):
            return self.slope(lambda n: self.tandem("compute", "kind=matrix n=%d" % n, "--mode", mode,
                                                    "--quantum", "100us", slave="compute")[0],
                              20, 3000)
        result["parallel_gain"] = self.median(lambda: run("serial") / run("parallel"))

    def scale(self, result):
        def cpu(slaves):
            def run(n):
                more = {"slave": "compute"} if slaves else {}
                options = ["--slaves", str(slaves)] if slaves else []
                return self.tandem("compute", "kind=matrix n=%d" % n, "--quantum", "100us", "--lookahead",
                                   "off", *options, **more)[1]
            return self.slope(run, 20, 300) / (slaves + 1)
        result["scale_16"] = self.median(lambda: cpu(15) / cpu(0))

    def vcd(self, result):
        data = os.path.join(self.scratch.name, "input")
        with open(data, "wb") as file:
            file.write(bytes(i * 37 % 251 for i in range(8 << 20)))
        def run(*options):
            return self.tandem("demo_master", "", "--input", data, *options, slave="demo_slave",
                               machine="x86-pc")[0]
        trace = os.path.join(self.scratch.name, "trace.vcd")
        result["vcd_cost"] = self.median(lambda: run("--vcd", trace) / run())

    def window(self, result):
        quantum_ns = 10000
        def run(n):
            path = os.path.join(self.scratch.name, "stats.json")
            wall = self.tandem("ring", "n=%d work=8000" % n, "--quantum", "10us", "--stats", path,
                               slave="ring")[0]
            with open(path) as file:
                return wall, json.load(file)["simulated_ns"] / quantum_ns
        def sample(large):
            small_wall, small_windows = run(100)
            wall, windows = run(large)
            return (wall - small_wall) / (windows - small_windows) / 2 * 1e6
        result["window_us"] = self.median(lambda: sample(10000))
        result["window_us_busy"] = self.busy(3, lambda: self.median(lambda: sample(2000)))

    # ---- observed memory ----

    def observed(self, workload, mode, slaves):
        """CPU seconds that the difference between the workload's sizes takes."""
        image, parameters, small, large = OBSERVED[workload]
        return self.slope(lambda size: self.tandem(
            image, parameters % size, "--observe", mode, "--interconnect", "bus",
            slave=image if slaves else None)[1], small, large)

    def observe(self, result):
        for workload in OBSERVED:
            slaves = workload in ("matmul", "pipeline")
            result["cached_cost_" + workload] = self.median(
                lambda: self.observed(workload, "cached", slaves) /
                self.observed(workload, "direct", slaves))

    def every_access(self, mode, large, *options):
        """Wall seconds and transactions of the difference between two sizes of triad."""
        def run(rounds):
            path = os.path.join(self.scratch.name, "stats.json")
            wall = self.tandem("triad", "n=4096 rounds=%d" % rounds, "--observe", mode,
                               "--interconnect", "bus", "--stats", path, *options)[0]
            with open(path) as file:
                memory = json.load(file)["modules"]["shm"]
            return wall, memory["reads"] + memory["writes"]
        begin, end = run(1), run(large)
        return end[0] - begin[0], end[1] - begin[1]

    def every(self, result):
        def sample():
            seconds, transactions = self.every_access("every", 100)
            return transactions / seconds * 1e-6
        result["every_access_mps"] = self.median(sample)

    def log(self, result):
        path = os.path.join(self.scratch.name, "run.db")
        for mode, large in (("every", 100), ("cached", 1000)):
            result["log_cost_" + mode] = self.median(
                lambda: self.every_access(mode, large, "--log", path)[0] /
                self.every_access(mode, large)[0] - 1)

    # ---- Linux masters: boot to a script that switches the machine off, in CPU seconds ----

    def initramfs(self, arch):
        out = os.path.join(self.scratch.name, arch + ".gz")
        if not os.path.exists(out):
            script = out + ".sh"
            with open(script, "w") as file:
                file.write("poweroff -f\n")
            subprocess.run([os.path.join(SOURCE, "sw/linux/kit/overlay"), "--behind",
                            os.path.join(KIT, arch, "initramfs.gz"), out,
                            "etc/tandem.d/off.sh=" + script], check=True)
        return out

    def linux_alone(self, kind):
        arch, _, console, program = LINUX[kind]
        return self.timed(program + [
            "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-m", "512M",
            "-icount", "shift=2,align=off,sleep=off", "-rtc", "base=2020-01-01T00:00:00,clock=vm",
            "-seed", "1", "-kernel", os.path.join(KIT, arch, "kernel"), "-initrd",
            self.initramfs(arch), "-append", f"console={console} cryptomgr.notests", "-serial",
            "file:" + os.path.join(self.scratch.name, "console")])[1]

    def linux_platform(self, kind, slaves, *options, memory="512"):
        """CPU seconds of all, and of the master's QEMU and SystemC without the slaves' QEMUs."""
        arch, machine, console, _ = LINUX[kind]
        path = os.path.join(self.scratch.name, "stats.json")
        cpu = self.timed([
            self.platform, "--progress", "off", "--consoles", "off", "--verbosity", "quiet",
            "--stats", path, "--slaves", str(slaves), "--slave.boot", "master",
            "--shared-memory", "512M", "--master.machine", machine, "--master.memory", memory,
            *options, "--master.icount-shift", "2", "--master.image", os.path.join(KIT, arch, "kernel"),
            "--master.initrd", self.initramfs(arch), "--master.append", "console=" + console])[1]
        with open(path) as file:
            modules = json.load(file)["modules"]
        held = sum(m["host"]["cpu_s"] for name, m in modules.items() if name.startswith("slave"))
        return cpu, cpu - held

    def linux(self, result):
        for kind in LINUX:
            result["linux_boot_" + kind] = self.median(
                lambda: self.linux_platform(kind, 1)[0] / self.linux_alone(kind))

    def held(self, result):
        pairs = [(self.linux_platform("arm", 4), self.linux_platform("arm", 0))
                 for _ in range(self.repeats)]
        result["held_cost"] = Figure([four[1] / none[1] - 1 for four, none in pairs])
        result["held_start_s"] = Figure([four[0] - four[1] for four, _ in pairs])

    def ram(self, result):
        for kind in LINUX:
            runs = []
            for _ in range(self.repeats):
                own = self.linux_platform(kind, 0)[0]
                runs.append([self.linux_platform(kind, 0, *options, memory="platform:512")[0] / own
                             for options in ((), ("--observe", "cached"),
                                             ("--observe", "cached", "--cache", "fetches=on"),
                                             ("--observe", "every"))])
            for name, ratios in zip(("direct", "cached", "fetches", "every"), zip(*runs)):
                result[f"ram_{name}_{kind}"] = Figure(ratios)

    # ---- replay of a log: million transactions a second, reading the log included ----

    def traffic(self, *arguments):
        path = os.path.join(self.scratch.name, "traffic.json")
        self.timed([self.traffic_program, "--stats", path] + [str(a) for a in arguments])
        with open(path) as file:
            return json.load(file)

    def replay(self, result):
        log = os.path.join(self.scratch.name, "traffic.db")
        self.traffic("--generate", "--initiators", 4, "--targets", 4, "--interconnect", "bus",
                     "--traffic", "transactions=250000", "--traffic", "loop=closed",
                     "--traffic", "interval=200ns", "--log", log)
        for name, options in (("router", []), ("bus", []),
                              ("mesh", ["--set", "columns=8", "--set", "rows=8"])):
            def sample():
                stats = self.traffic("--replay", log, "--interconnect", name, *options)
                seconds = stats["host"]["prepared_s"] + stats["host"]["simulated_s"]
                return stats["modules"]["replayer"]["transactions"] / seconds / 1e6
            result["replay_%s_mps" % name] = self.median(sample)

    def starts(self, result):
        failures = 0
        for _ in range(200):
            done = subprocess.run(
                [self.platform, "--slaves", "0", "--master.machine", "arm", "--master.image",
                 "smoke", "--progress", "off", "--consoles", "off"], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
            failures += done.returncode != 0
        result["start_failures"] = Figure([failures])


TARGETS = {
    "mmio_read_us": "<= 1.5", "mmio_read_us_p99": "", "mmio_read_us_busy": "",
    "speed_q1ms": ">= 0.98", "speed_q100us": ">= 0.98", "speed_q10us": ">= 0.90",
    "speed_q1us": ">= 0.50", "dmi_copy": ">= 0.97", "idle_cost": "<= 0.01",
    "parallel_gain": ">= 1.7", "scale_16": "<= 1.3", "vcd_cost": "<= 1.05",
    "window_us": "<= 40", "window_us_busy": "<= 200", "start_failures": "0",
    "linux_boot_x86": "<= 1.05", "linux_boot_arm": "<= 1.05", "held_cost": "<= 0.02",
    "held_start_s": "", "replay_router_mps": ">= 2", "replay_bus_mps": ">= 4",
    "replay_mesh_mps": ">= 1.5", "every_access_mps": ">= 0.6",
    **{"log_cost_" + w: "<= 0.20" for w in ("every", "cached")},
    **{"cached_cost_" + w: "<= %g" % most for w, most in OBSERVED_TARGETS.items()},
    **{f"ram_{name}_{kind}": "" for kind in LINUX
       for name in ("direct", "cached", "fetches", "every")},
}


PARTS = ["mmio", "speed", "copy", "idle", "parallel", "scale", "vcd", "window", "starts", "replay",
         "observe", "every", "log"]
LINUX_PARTS = ["linux", "held", "ram"]  # need the kit


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.exit("bench: %s; see ./tandem bench --help" % message)


def whole_numbers(text):
    numbers = [int(word) if word.isascii() and word.isdigit() else 0 for word in text.split(",")]
    if not all(1 <= number <= 64 for number in numbers):
        raise argparse.ArgumentTypeError("'%s' is no list of numbers from 1 to 64" % text)
    return sorted(set(numbers))


def some_of_parts(text):
    for name in text.split(","):
        if name not in PARTS + LINUX_PARTS:
            raise argparse.ArgumentTypeError("unknown part '%s'; known are %s" %
                                             (name, ", ".join(PARTS + LINUX_PARTS)))
    return text.split(",")


def positive(text):
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError("'%s' is no number from 1 on" % text)
    return int(text)


def file_to_write(text):
    if not os.path.isdir(os.path.dirname(text) or ".") or os.path.isdir(text):
        raise argparse.ArgumentTypeError("'%s' cannot be written" % text)
    return text


def parse():
    parser = Parser(prog="bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--json", metavar="FILE", type=file_to_write,
                        help="write the figures as one object")
    parser.add_argument("--repeats", type=positive, default=5)
    parser.add_argument("--only", type=some_of_parts, metavar="PART,...",
                        help="of " + ", ".join(PARTS + LINUX_PARTS))
    parser.add_argument("--scaling", action="store_true",
                        help="instead, what a window costs with more and more instances, and a "
                             "model of what more cores give")
    parser.add_argument("--instances", type=whole_numbers, metavar="N,...",
                        help="of --scaling, default %s" % ",".join(map(str, scaling.COUNTS)))
    parser.add_argument("--windows", type=positive, metavar="N",
                        help="of --scaling: of all instances together in a run, default %d; more "
                             "of them on a busy machine" % scaling.WINDOWS)
    # For ./tandem, before it builds.
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scaling and options.only:
        parser.error("--only is about other figures than those of --scaling")
    for name in ("instances", "windows"):
        if getattr(options, name) and not options.scaling:
            parser.error("--%s is about --scaling" % name)
    return options


def measure(bench, chosen, path):
    parts = chosen or PARTS + (LINUX_PARTS if os.path.exists(os.path.join(KIT, "version")) else [])
    result = {}
    for part in parts:
        fresh: dict = {}
        getattr(bench, part)(fresh)
        for key, value in fresh.items():
            print("%-20s %10.4g   %10.4g to %-10.4g target %s" %
                  (key, value, value.low, value.high, TARGETS[key]), flush=True)
            result[key] = value.data()
    if path:
        with open(path, "w") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


def main():
    options = parse()
    if options.check:
        return
    bench = Bench(os.path.abspath(options.build), options.repeats)
    if options.scaling:
        scaling.measure(bench, options.instances or scaling.COUNTS,
                        options.windows or scaling.WINDOWS, options.json)
    else:
        measure(bench, options.only, options.json)


if __name__ == "__main__":
    main()
