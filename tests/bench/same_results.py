#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says whether two builds give the same results: consoles and VCD to the byte, statistics but for
what concerns the host and for the order of modules. For changes that are to change none.

    tests/bench/same_results.py OLD NEW     directories of builds, whose guest programs are the same:
                                            let OLD/guests be a link to NEW/guests

Exit status 1: some differ."""
import filecmp
import json
import os
import subprocess
import sys
import tempfile

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
PLATFORMS = {
    "demo": f"--input {README}",
    "DRAM behind a mesh": f"--input {README} --slaves 3 --interconnect mesh --dram channels=2 "
                          "--observe every --idm-latency 30ns",
    "cached": "--master.image triad --slave.image triad --observe cached --cache l2.size=64k "
              "--interconnect bus --param n=2000",
    "caches as models": "--master.image triad --slave.image triad --observe every-cached "
                        "--interconnect crossbar --param n=500",
    "five machines": "--slaves 4 --slave.machine aarch64 --slave1.machine cortexm "
                     "--slave2.machine riscv64 --master.machine x86-q35 --master.image smoke "
                     "--slave.image smoke --interconnect ring",
    "serial": "--slaves 2 --master.image messages --slave.image messages --mode serial "
              "--quantum 10us --default-target shm",
    "observed in parts": "--slaves 0 --master.image chase --observe 0+64k=every "
                         "--observe 64k+64k=cached --read-latency 33ns --write-latency 5ns",
}
OF_HOST = ("host", "pid", "seconds")


def virtual(what):
    if isinstance(what, dict):
        return {name: virtual(value) for name, value in what.items() if name not in OF_HOST}
    return [virtual(one) for one in what] if isinstance(what, list) else what


def run(build, options, out):
    done = subprocess.run([os.path.join(build, "bin", "x86-arm"), *options.split(), "--out", out,
                           "--progress", "off", "--consoles", "off"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          timeout=600, check=False)
    if not os.path.exists(os.path.join(out, "stats.json")):
        sys.exit(f"{build}: {done.stderr.strip()}")
    return done.returncode


def differences(old, new):
    """Names of the files."""
    names = sorted({*os.listdir(old), *os.listdir(new)} - {"stats.json"})
    found = list(set(names) - set(filecmp.cmpfiles(old, new, names, shallow=False)[0]))
    read = []
    for out in (old, new):
        with open(os.path.join(out, "stats.json"), encoding="utf-8") as file:
            read.append(virtual(json.load(file)))
    return sorted(found + (["stats.json"] if read[0] != read[1] else []))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    failed = False
    for name, options in PLATFORMS.items():
        with tempfile.TemporaryDirectory() as directory:
            outs = [os.path.join(directory, which) for which in ("old", "new")]
            ends = [run(build, options, out) for build, out in zip(sys.argv[1:], outs)]
            differ = differences(*outs) + (["the exit status"] if ends[0] != ends[1] else [])
        failed |= bool(differ)
        print(f"{name}: {'differs in ' + ', '.join(differ) if differ else 'the same'}", flush=True)
    sys.exit(failed)


main()
