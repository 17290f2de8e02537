#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The error of cache-filtered observation: each workload with --observe cached and with --observe
every-cached, where every access is a transaction to the same cache at its own time. Prints a
Markdown table of the guest's own time for its work. docs/observing-memory.md explains it."""
import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile

WORKLOADS = {  # with parameters; all fit into seconds when every access is a transaction
    "triad": "n=4096",
    "chase": "n=512 rounds=8",
    "matmul": "n=32 tile=8",
    "pipeline": "items=50 size=512",
    "copy": "kind=copy n=4096",
    "contend": "n=100",
}
IMAGES = {"copy": "triad"}  # of the workloads that are not named after theirs


def run(platform, workload, slaves, interconnect, observe, options):
    """(ns in the guest, misses of all caches) of one run."""
    image = IMAGES.get(workload, workload)
    with tempfile.TemporaryDirectory(prefix="tandem-observe-") as scratch:
        path = os.path.join(scratch, "stats.json")
        command = [platform, "--slaves", str(slaves),
                   "--master.image", image, "--slave.image", image, "--interconnect",
                   interconnect, "--observe", observe, "--cache", "l1.size=4k", "--stats", path,
                   "--progress", "off"]
        for word in WORKLOADS[workload].split():
            command += ["--param", word]
        done = subprocess.run(command + options, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
                              check=False)
        ns = re.search(r"^\[master\] RESULT ns (\d+)$", done.stdout, re.MULTILINE)
        if done.returncode or not ns:
            sys.exit(f"failed: {' '.join(command)}\n{done.stdout}")
        with open(path) as file:
            modules = json.load(file)["modules"]
    misses = sum(m["cache"]["l1_misses"] for m in modules.values() if "cache" in m)
    misses += sum(m["read_misses"] + m["write_misses"] for name, m in modules.items()
                  if name.startswith("cache_"))
    return int(ns[1]), misses


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--interconnects", default="bus,mesh")
    parser.add_argument("--slaves", default="1,2")
    parser.add_argument("options", nargs="*", help="for every run, after --")
    o = parser.parse_args()
    platform = os.path.join(o.build, "bin", "x86-arm")
    print("| workload | interconnect | slaves | ns | ns, cached | error | misses | misses, cached |\n"
          "|---|---|---|---|---|---|---|---|")
    for workload, interconnect, slaves in itertools.product(
            o.workloads.split(","), o.interconnects.split(","), map(int, o.slaves.split(","))):
        exact, misses, cached, cached_misses = (
            value for observe in ("every-cached", "cached")
            for value in run(platform, workload, slaves, interconnect, observe, o.options))
        print(f"| {workload} | {interconnect} | {slaves} | {exact} | {cached} | "
              f"{100 * (cached - exact) / exact:+.3f} % | {misses} | {cached_misses} |", flush=True)


if __name__ == "__main__":
    main()
