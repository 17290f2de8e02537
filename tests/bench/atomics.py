#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Atomic instructions of two guests at the same words (sw/programs/atomic.c), for all pairs of
machines, ways to observe the memory, and modes: how many changes are in the words, and whether
two runs leave the same consoles, VCD and statistics. Prints a table for docs/rules-of-time.md.

  --cost    instead, what the translation costs: the CPU time of QEMU with it and without, in turns

The figures of --cost are medians of ratios between neighbouring runs.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLATFORM = os.path.join(ROOT, "build/release/bin/x86-arm")
MACHINES = {"x86_64": "x86-pc", "arm": "arm", "aarch64": "aarch64", "riscv64": "riscv64"}
COUNTS = {"direct": 20000, "cached": 5000, "every": 100, "every-cached": 100}
KIT = os.path.join(ROOT, "build/linux")  # ./tandem setup --linux
# Without atomic instructions, and with nothing but such; Linux comes in between.
WORK = {
    "compute kind=matrix": ["--slaves", "0", "--master.machine", "arm", "--master.image",
                            "compute", "--param", "kind=matrix", "--param", "n=3000"],
    "atomic kind=add.4, x86_64": ["--slaves", "0", "--master.machine", "x86-pc",
                                  "--master.image", "atomic", "--param", "kind=add.4", "--param",
                                  "n=10M"],
    "atomic kind=add.4, arm": ["--slaves", "0", "--master.machine", "arm", "--master.image",
                               "atomic", "--param", "kind=add.4", "--param", "n=10M"],
}


def without_host(value):
    if isinstance(value, dict):
        return {k: without_host(v) for k, v in value.items() if k != "host"}
    return [without_host(v) for v in value] if isinstance(value, list) else value


def run(options, environment=None):
    """What the master printed as results, all that must be reproducible, and the statistics."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([PLATFORM, "--progress", "off", "--consoles", "off", "--out", out, *options],
                       env=dict(os.environ, **(environment or {})), check=True,
                       stderr=subprocess.DEVNULL, timeout=600)
        left = {}
        for name in sorted(os.listdir(out)):
            with open(os.path.join(out, name), "rb") as f:
                left[name] = f.read()
    stats = json.loads(left.pop("stats.json"))
    lines = left["master.log"].decode(errors="replace").replace("\r", "").splitlines()
    results = dict(line.split(" ", 2)[1:] for line in lines
                   if line.startswith("RESULT ") and line.count(" ") >= 2)
    return results, (left, without_host(stats)), stats


def table(prefix):
    print("| master, slave | | " + " | ".join(COUNTS) + " |")
    print("|---|---|" + "---|" * len(COUNTS))
    for master, machine in MACHINES.items():
        for slave, other in MACHINES.items():
            for mode in ("parallel", "serial"):
                cells = []
                for observe, count in COUNTS.items():
                    options = ["--master.machine", machine, "--slave.machine", other,
                               "--master.image", "atomic", "--slave.image", "atomic",
                               "--interconnect", "bus", "--observe", observe, "--mode", mode,
                               "--quantum", "20us", "--param", f"n={count}", *prefix]
                    first, second = run(options), run(options)
                    same = "same" if first[1] == second[1] else "differs"
                    cells.append(f"{first[0]['counter']}, {same}")
                print(f"| {master}, {slave} | {mode} | " + " | ".join(cells) + " |", flush=True)


def linux_boots(scratch):
    """Linux boots and switches off, when the guest kit is there."""
    work = {}
    for arch, machine, console in (("amd64", "x86-pc", "ttyS0"), ("arm64", "aarch64", "ttyAMA0")):
        if not os.path.exists(os.path.join(KIT, arch)):
            continue
        script, archive = os.path.join(scratch, "off.sh"), os.path.join(scratch, arch + ".gz")
        with open(script, "w", encoding="ascii") as f:
            f.write("poweroff -f\n")
        subprocess.run([os.path.join(ROOT, "sw/linux/kit/overlay"), "--behind",
                        os.path.join(KIT, arch, "initramfs.gz"), archive,
                        "etc/tandem.d/off.sh=" + script], check=True)
        work["Linux boots, " + arch] = [
            "--slaves", "0", "--master.machine", machine, "--master.memory", "512",
            "--master.icount-shift", "2", "--master.image", os.path.join(KIT, arch, "kernel"),
            "--master.initrd", archive, "--master.append", "console=" + console]
    return work


def cost(prefix, repeats):
    with tempfile.TemporaryDirectory() as scratch:
        cost_of({**WORK, **linux_boots(scratch)}, prefix, repeats)


def cost_of(work, prefix, repeats):
    print("| workload | CPU time with / without | simulated ns with, without |")
    print("|---|---|---|")
    for name, options in work.items():
        ratios, times = [], set()
        for _ in range(repeats):
            pair = []
            for environment in ({}, {"TANDEM_TEST_SERIAL_TRANSLATION": "1"}):
                stats = run([*options, *prefix, "--vcd", "off"], environment)[2]
                pair.append((stats["modules"]["master"]["host"]["cpu_s"],
                             stats["simulated_ns"]))
            ratios.append(pair[0][0] / pair[1][0])
            times.add(tuple(p[1] for p in pair))
        print(f"| {name} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
              f"{max(ratios):.2f}) | {'; '.join(f'{a}, {b}' for a, b in sorted(times))} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--qemu-prefix")
    arguments = parser.parse_args()
    prefix = ["--qemu-prefix", arguments.qemu_prefix] if arguments.qemu_prefix else []
    if arguments.cost:
        cost(prefix, arguments.repeats)
    else:
        table(prefix)


if __name__ == "__main__":
    sys.exit(main())
