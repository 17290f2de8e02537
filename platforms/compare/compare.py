#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Behind ./tandem compare: runs a workload over all combinations of interconnects, numbers of
slaves and parameter values, and leaves a table and a page of plots. See
docs/comparing-interconnects.md.

A run that has ended well lies complete in DIR/runs/NAME-HASH; the hash is of all that the result
depends on. So a comparison that was interrupted goes on where it was, and a changed one runs what
is new in it."""
import argparse
import fcntl
import os
import shlex
import sys

import report
from figures import NoGnuplot, require_gnuplot
from plan import Platform, Refused, WORKLOADS, check, plan
from running import Interrupted, find_disagreements, on_signals, remove_parts, run_all

CALLED = os.environ.get("TANDEM_COMMAND", "./tandem")  # as the user calls it


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message + f"; see {CALLED} compare --help")


def parse(words):
    own, others = words, []
    if "--" in words:
        own, others = words[:words.index("--")], words[words.index("--") + 1:]
    cores = len(os.sched_getaffinity(0))
    parser = Parser(
        prog="tandem compare", formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description="Runs a workload over several interconnects and parameter values.",
        epilog="Options after -- are passed to each run of the platform.\n"
               "Workloads: " + ", ".join(WORKLOADS))
    parser.add_argument("--workload", required=True, metavar="NAME,...")
    parser.add_argument("--interconnect", required=True, metavar="A,B,...")
    parser.add_argument("--slaves", default="1", metavar="N,...", help="default: 1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=V1,V2,...",
                        help="parameter of those interconnects that have it; may be repeated; "
                             "write a list within a value with ':' instead of ','")
    parser.add_argument("--observe", default="every", metavar="MODE",
                        help="what the interconnects see of the shared memory: direct, every, "
                             "cached (default: every)")
    parser.add_argument("--cache", action="append", default=[], metavar="NAME=VALUE",
                        help="of the caches, with --observe cached; may be repeated")
    parser.add_argument("--param", action="append", default=[], metavar="K=V1,V2,...",
                        help="parameter of the workload; may be repeated")
    parser.add_argument("--repeat", type=int, default=1, metavar="N",
                        help="make every run N times, check that all find the same, and give the "
                             "median of their host times (default: 1)")
    parser.add_argument("--replay", action="store_true",
                        help="run the guests over the first interconnect only, and replay its "
                             "transactions through the others")
    parser.add_argument("--platform", default="x86-arm", metavar="NAME",
                        help="default: x86-arm")
    parser.add_argument("--jobs", type=int, default=cores, metavar="J",
                        help=f"runs at a time (default: the number of cores, {cores})")
    parser.add_argument("--timeout", type=float, default=1800, metavar="S",
                        help="seconds after which a run counts as failed (default: 1800)")
    parser.add_argument("--out", required=True, metavar="DIR",
                        help="for results.csv, results.md, report.html, figures and runs")
    parser.add_argument("--build", default=os.path.join("build", "release"), metavar="DIR",
                        help="build directory (default: build/release)")
    arguments = parser.parse_args(own)
    for name in ("jobs", "repeat"):
        if getattr(arguments, name) < 1:
            raise Refused(f"--{name} must be at least 1")
    if not arguments.timeout > 0:
        raise Refused("--timeout must be more than 0")
    return arguments, others


def lock(directory):
    """Held until the process ends."""
    file = open(os.path.join(directory, "lock"), "w", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"another comparison is at work in {directory}") from None
    return file


def compare(words):
    arguments, others = parse(words)
    platform = Platform(os.path.abspath(arguments.build), arguments.platform, others)
    jobs = plan(arguments, platform)
    require_gnuplot()
    check(jobs, platform)
    out = os.path.abspath(arguments.out)
    runs = os.path.join(out, "runs")
    try:
        os.makedirs(runs, exist_ok=True)
    except OSError as error:
        raise Refused(f"{runs} cannot be made: {error.strerror}") from None
    held = lock(out)
    remove_parts(runs)
    digest = platform.digest()
    for job in jobs:
        job.place(runs, platform, digest, arguments.repeat)
    failures = run_all(jobs, platform, arguments)
    find_disagreements(jobs, failures)
    done = [job for job in jobs if job not in failures]
    # As it was typed: the caller puts the build directory first.
    command = shlex.join([CALLED, "compare", *words[2 * (words[:1] == ["--build"]):]])
    for path in report.write(out, command, done, failures):
        print(path)
    held.close()
    if failures:
        print(f"error: {len(failures)} of {len(jobs)} runs failed", file=sys.stderr)
    return 1 if failures else 0


def main():
    def interrupt(number, _):
        raise Interrupted(number)
    on_signals(interrupt)
    try:
        return compare(sys.argv[1:])
    except Refused as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except NoGnuplot as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("interrupted; the same command goes on where this one was", file=sys.stderr)
        return interrupted.status


if __name__ == "__main__":
    sys.exit(main())
