#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Latency and throughput of rpmsg in guest time, against interconnect, IDM latency and quantum: an
Arm Linux and a Cortex-M3 that echoes. Prints the table of docs/performance.md. Beside each round trip
stands what it can be at most if all accesses to the IDM are made one after the other: that of the
first row, and for each access the delay that the path there adds."""

import argparse
import json
import os
import re
import sqlite3
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "sw", "linux", "demo"))
from demo import console, initramfs, simulate  # noqa: E402

ROUND_TRIPS = 200
SCRIPT = f"""
load-remoteproc
cd /sys/class/remoteproc/remoteproc0
echo echo.elf > firmware
echo start > state
sleep 1
rpmsg-ping -n {ROUND_TRIPS} -s 64 /dev/rpmsg0
rpmsg-ping -n {2 * ROUND_TRIPS} -s 496 -w 16 /dev/rpmsg0
idmctl end 0
sleep 1000
"""
ROWS = [
    [],
    ["--idm-latency", "100ns"],
    ["--idm-latency", "1us"],
    ["--idm-latency", "10us"],
    ["--interconnect", "bus", "--set", "clock=10ns"],
    ["--interconnect", "bus", "--set", "clock=100ns"],
    ["--interconnect", "mesh"],
    ["--quantum", "10us"],
    ["--quantum", "1ms"],
]


def accesses(log):
    """Accesses to the IDM in a round trip of the first ping, and the mean delay of one in ns."""
    database = sqlite3.connect(f"file:{log}?mode=ro", uri=True)
    first, last = database.execute(
        "SELECT min(sent_ps), max(sent_ps) FROM (SELECT sent_ps FROM message_log WHERE sender = "
        f"'master' AND endpoint = 'rpmsg-raw' ORDER BY id LIMIT {ROUND_TRIPS})").fetchone()
    count, delay = database.execute(
        "SELECT count(*), avg(latency_ps) FROM log WHERE start_ps >= ? AND start_ps < ? AND "
        "initiator IN ('master', 'slave0') AND target LIKE 'idm%'", (first, last)).fetchone()
    database.close()
    return count / (ROUND_TRIPS - 1), delay / 1000


def measure(build, options, directory):
    """Round trip in us, accesses, delay of one in ns, messages and bytes a second."""
    log = os.path.join(directory, "log.db")
    platform = [os.path.join(build, "bin", "arm-cortexm"), "--progress", "off", "--log", log,
                *options]
    if simulate(platform, os.path.join(directory, "master.gz"), directory):
        sys.exit(f"rpmsg: the platform failed; see {directory}")
    text = console(directory, "master")
    trip = re.search(r"^round trip ([\d.]+) us", text, re.M)
    rate = re.findall(r": (\d+) messages/s and (\d+) bytes/s", text)
    if not trip or len(rate) != 2:
        sys.exit(f"rpmsg: the console does not tell; see {directory}/master.log")
    return (float(trip[1]), *accesses(log), *(int(n) for n in rate[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    found, base = [], None
    with tempfile.TemporaryDirectory() as directory:
        script = os.path.join(directory, "master.sh")
        with open(script, "w", encoding="ascii") as file:
            file.write(SCRIPT)
        initramfs(os.path.join(directory, "master.gz"), "armhf", {
            "etc/tandem.d/master.sh": script,
            "lib/firmware/echo.elf": os.path.join(arguments.build, "guests", "cortexm",
                                                  "rpmsg_echo.slave.elf")})
        for options in ROWS:
            found.append((options, measure(arguments.build, options, directory)))
    base = found[0][1]
    print("| options | round trip | at most | accesses | delay of one | throughput, 16 under way |")
    print("|---|---|---|---|---|---|")
    for options, (trip, count, delay, messages, size) in found:
        bound = base[0] + count * (delay - base[2]) / 1000
        print(f"| {' '.join(options) or 'none'} | {trip:.1f} us | {bound:.1f} us | {count:.1f} | "
              f"{delay:.0f} ns | {messages} messages/s, {size / 1e6:.2f} MB/s |")
    if arguments.json:
        with open(arguments.json, "w", encoding="ascii") as file:
            json.dump([{"options": o, "figures": f} for o, f in found], file, indent=1)


main()
