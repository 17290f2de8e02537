# SPDX-License-Identifier: Apache-2.0
"""What a window costs with more and more instances, and what more cores would give: bench.py
--scaling.

All instances compute, and all meet SystemC at the end of each window. In a run that is confined
to one core nothing is done at the same time, so its processor time tells what is SystemC's (one
thread, whatever the number of cores) and what is the QEMUs' (one thread each). From the two
round_us() says what a number of cores makes of it. docs/performance.md has the model and what it
is worth."""
import json
import os
import statistics
import subprocess
import sys
import time

COUNTS = (1, 2, 4, 8, 16, 32)
CORES = (4, 16, 64)  # whose prediction is shown besides that of this machine
QUANTUM_NS = 100000
SHORT_WINDOWS = 20  # of the run that takes start-up out
LOOKS = 10          # runs at most, to find out what is occupied
WINDOWS = 40000     # of all instances together; each has a sixteenth of them at least
FIGURES = ("us", "one_core_us", "systemc_us", "qemu_us")
MEMORY = ("qemu_pss_mib", "qemu_rss_mib", "qemu_threads", "systemc_pss_mib", "systemc_rss_mib",
          "systemc_threads")


def round_us(instances, cores, serial_us, parallel_us):
    """Host time of a window of all instances. serial_us: SystemC's work for one of them,
    parallel_us: that of its QEMU.

    SystemC answers one after the other, and each QEMU begins when it has its answer; so the last
    one begins after all of SystemC's work, which the others overlap with theirs. No number of
    cores helps against that, and none does more than its cores can."""
    work = instances * (serial_us + parallel_us)
    last = instances * serial_us + parallel_us
    return max(work / cores, last)


def gain(instances, cores, serial_us, parallel_us):
    """How many times as fast as on one core."""
    return (round_us(instances, 1, serial_us, parallel_us) /
            round_us(instances, cores, serial_us, parallel_us))


def system_of(instances):
    """A description with that many instances, a router and a memory. Without an IDM: that one has
    32 participants at most, and is not asked for anything here."""
    lines = ["[run]", f'quantum = "{QUANTUM_NS}ns"', "lookahead = false",
             "[part.shm]", 'kind = "memory"', 'size = "1M"',
             "[interconnect.router]", 'kind = "router"',
             'map = [ { at = 0x1000000000, to = "shm" } ]']
    for i in range(instances):
        lines += [f"[instance.cpu{i}]", 'machine = "arm"', 'image = "compute"', 'to = "router"']
    return "\n".join(lines) + "\n"


# ---- memory and threads of processes ----

def children(pid):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(entry))
        except (OSError, IndexError):
            pass  # has ended
    return found


def occupied(pid):
    """(PSS in MiB, RSS in MiB, threads) of a process, or None when it has ended."""
    sizes = {}
    try:
        for name in ("smaps_rollup", "status"):
            with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, _, value = line.partition(":")
                    sizes[key] = value.split()
        return int(sizes["Pss"][0]) / 1024, int(sizes["Rss"][0]) / 1024, int(sizes["Threads"][0])
    except (OSError, KeyError, IndexError):
        return None


def memory_of(simulation, instances):
    """What the processes occupy now; None when not all are there, with a second thread each."""
    own = occupied(simulation)
    qemus = [size for size in map(occupied, children(simulation)) if size]
    if not own or len(qemus) != instances or min(size[2] for size in [own, *qemus]) < 2:
        return None
    means = [statistics.mean(sizes) for sizes in zip(*qemus)]
    return dict(zip(MEMORY, [*means, *own]))


# ---- measuring ----

class Scaling:
    def __init__(self, bench, windows):
        self.bench, self.all_windows = bench, windows
        self.cores = sorted(os.sched_getaffinity(0))

    def windows(self, instances):
        return max(1, self.all_windows // min(instances, 16))

    def command(self, instances, windows, *options):
        path = os.path.join(self.bench.scratch.name, f"scaling-{instances}.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(system_of(instances))
        # 100,000 instructions in a window, and more matrices than anybody waits for
        return [self.bench.program("tandem-system"), path, "--progress", "off", "--consoles", "off",
                "--verbosity", "quiet", "--param", "kind=matrix", "--param", "n=100000000",
                "--time-limit", f"{windows * QUANTUM_NS}ns", *options]

    def spent(self, instances, windows, prefix):
        """(host seconds, processor seconds, of these the QEMUs') of one run."""
        path = os.path.join(self.bench.scratch.name, "stats.json")
        wall, cpu = self.bench.timed(prefix + self.command(instances, windows, "--stats", path))
        with open(path, encoding="utf-8") as file:
            modules = json.load(file)["modules"]
        qemus = [module["host"]["cpu_s"] for module in modules.values() if "requests" in module]
        if len(qemus) != instances:
            sys.exit(f"{path} has {len(qemus)} instances of {instances}")
        return wall, cpu, sum(qemus)

    def of_window(self, instances, prefix):
        """The same for one window and instance, in microseconds, start-up taken out."""
        windows = self.windows(instances)
        begin = self.spent(instances, SHORT_WINDOWS, prefix)
        end = self.spent(instances, SHORT_WINDOWS + windows, prefix)
        return [(b - a) / windows / instances * 1e6 for a, b in zip(begin, end)]

    def occupied(self, instances):
        """The largest that the processes together occupy in a run, or in the next one, should the
        host not have let this process look in time."""
        for _ in range(LOOKS):
            best = self.occupied_in_a_run(instances)
            if best:
                return best
        sys.exit(f"the {instances} QEMU processes of a run could not be looked at in /proc")

    def occupied_in_a_run(self, instances):
        windows = self.windows(instances)
        best = None
        with subprocess.Popen(self.command(instances, windows), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                found = memory_of(process.pid, instances)
                if found and (not best or found["qemu_pss_mib"] >= best["qemu_pss_mib"]):
                    best = found
                time.sleep(0.05)
        return best

    def row(self, instances):
        samples = []
        for _ in range(self.bench.repeats):
            wall, _, _ = self.of_window(instances, [])
            alone, cpu, qemus = self.of_window(instances,
                                               ["taskset", "-c", str(self.cores[-1])])
            samples.append((wall, alone, cpu - qemus, qemus))
        row = {"instances": instances,
               **dict(zip(FIGURES, map(statistics.median, zip(*samples)))),
               **self.occupied(instances)}
        return with_predictions(row, len(self.cores))


def with_predictions(row, cores):
    """Adds what the model says, for a window and instance, of this machine and of others."""
    count, parts = row["instances"], (row["systemc_us"], row["qemu_us"])
    row["predicted_us"] = {str(number): round_us(count, number, *parts) / count
                           for number in sorted({cores, *CORES})}
    row["gain"] = {number: gain(count, int(number), *parts) for number in row["predicted_us"]}
    row["error"] = row["predicted_us"][str(cores)] / row["us"] - 1
    row["core_share"] = sum(parts) / row["one_core_us"]
    return row


# ---- what is printed ----

def print_table(titles, rows):
    cells = [titles] + [[text if isinstance(text, str) else f"{text:.4g}" for text in row]
                        for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths)))
    print(flush=True)


def show(rows, cores):
    print(f"Host time of a window of {QUANTUM_NS // 1000} us for each instance, in us; measured "
          f"on {cores} and on 1 of the cores")
    print_table(["instances", f"{cores} cores", "1 core", "SystemC", "QEMU",
                 f"model, {cores} cores", "error"],
                [[str(row["instances"]), *(row[name] for name in FIGURES),
                  row["predicted_us"][str(cores)], f"{row['error']:+.0%}"] for row in rows])
    print("Memory in MiB, and threads")
    print_table(["instances", "PSS of a QEMU", "RSS", "threads", "PSS of SystemC", "RSS",
                 "threads"],
                [[str(row["instances"]), *(row[name] for name in MEMORY)] for row in rows])
    disturbed = [row["instances"] for row in rows if not 0.9 < row["core_share"] < 1.1]
    if disturbed:
        print("Other jobs have taken part of the core, or of the time, with "
              f"{', '.join(map(str, disturbed))} instances: repeat it on a quiet machine.\n")
    numbers = sorted({cores, *CORES})
    print("The model: a window of an instance, in us, and how many times as fast as on one core")
    print_table(["instances"] + [f"{number} cores" for number in numbers],
                [[str(row["instances"])] + [f"{row['predicted_us'][str(number)]:.3g} "
                                            f"({row['gain'][str(number)]:.1f})"
                                            for number in numbers] for row in rows])


def measure(bench, counts, windows, path):
    """Measures for each number of instances, prints tables, and writes the figures to the path, if
    there is one."""
    scaling = Scaling(bench, windows)
    rows = []
    for count in counts:
        rows.append(scaling.row(count))
        print(f"{count} instances: {rows[-1]['us']:.4g} us a window and instance", file=sys.stderr,
              flush=True)
    show(rows, len(scaling.cores))
    if path:
        with open(path, "w", encoding="ascii") as file:
            json.dump({"cores": len(scaling.cores), "quantum_ns": QUANTUM_NS, "rows": rows}, file,
                      indent=2)
            file.write("\n")
