#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Behind ./tandem compare: runs a workload on a platform, or the system of a file, over all
combinations of interconnects and of values of whatever has a name, and leaves a table and a page of
plots. See docs/comparing-interconnects.md.

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
from linux import LinuxWorkload, is_linux
from plan import WORKLOADS, plan
from running import Interrupted, find_disagreements, on_signals, remove_parts, run_all
from subject import Subject
from words import Refused

CALLED = os.environ.get("TANDEM_COMMAND", "./tandem")  # as the user calls it


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message + f"; see {CALLED} compare --help")


def parser_of_options():
    cores = len(os.sched_getaffinity(0))
    parser = Parser(
        prog="tandem compare", formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description="Runs a workload over several interconnects and parameter values, on a "
                    "platform or on\nthe system that a file describes.",
        epilog="Options after -- are passed to each run. Where values are listed, write a comma "
               "within one\nas ':' where that is the same, or as '\\,'.\n"
               "Workloads: " + ", ".join(WORKLOADS))
    add = parser.add_argument
    add("--workload", metavar="NAME,...",
        help="names of workloads, or files with programs; linux:COMMAND: of the Linux that the "
             "platform's first instance boots, once; the command's first word may be a file here, or a "
             "program of the guest kit")
    add("--add-file", action="append", default=[], metavar="PATH=FILE",
        help="a file or directory for a Linux workload, at this path in the guest; may be repeated")
    add("--interconnect", metavar="A,B,...", help="kinds of interconnects")
    add("--slaves", metavar="N,...", help="default: 1")
    add("--platform", metavar="NAME", help="default: x86-arm")
    add("--system", metavar="FILE",
        help="in place of a platform, the system that this file describes; without --workload its "
             "instances run the programs that it says")
    add("--from", dest="origin", metavar="DIR",
        help="in place of a platform, go on with what was saved in this checkpoint: every run "
             "begins there, and none has to boot")
    add("--set", action="append", default=[], metavar="KEY=V1,V2,...",
        help="parameter of those interconnects that have it; NAME.KEY: a key of an instance, a "
             "part or an interconnect (mesh.kind=mesh,ring), or run.KEY; may be repeated")
    add("--vary", action="append", default=[], metavar="OPTION=V1,V2,...",
        help="any option by its own name (quantum, shared-memory), or NAME.KEY as with --set; may "
             "be repeated")
    add("--of", metavar="NAME",
        help="the interconnect whose figures are shown, where a system has several; default: the "
             "one whose kind varies")
    add("--region", metavar="NAME",
        help="take the figures from this region of interest, a name or a number, that the "
             "workload marks (docs/measuring.md); default: from the whole run")
    add("--observe", metavar="MODE,...",
        help="what the interconnects see of the shared memory: direct, every, cached (default: "
             "every; with --system, what that says)")
    add("--cache", action="append", default=[], metavar="NAME=VALUE",
        help="of the caches, with --observe cached; may be repeated")
    add("--param", action="append", default=[], metavar="K=V1,V2,...",
        help="parameter of the workload; may be repeated")
    add("--repeat", type=int, default=1, metavar="N",
        help="make every run N times, check that all find the same, and give the median of their "
             "host times (default: 1)")
    add("--replay", action="store_true",
        help="run the guests over the first interconnect only, and replay its transactions "
             "through the others")
    add("--jobs", type=int, default=cores, metavar="J",
        help=f"runs at a time (default: the number of cores, {cores})")
    add("--timeout", type=float, default=1800, metavar="S",
        help="seconds after which a run counts as failed (default: 1800)")
    add("--out", metavar="DIR", help="for results.csv, results.md, report.html, figures and runs")
    add("--build", default=os.path.join("build", "release"), metavar="DIR",
        help="build directory (default: build/release)")
    return parser


def parse(words):
    own, others = words, []
    if "--" in words:
        own, others = words[:words.index("--")], words[words.index("--") + 1:]
    parser = parser_of_options()
    arguments = parser.parse_args(own)
    needed = ("out",) if arguments.system or arguments.origin else \
        ("workload", "interconnect", "out")
    missing = [f"--{name}" for name in needed if getattr(arguments, name) is None]
    if missing:
        parser.error("the following arguments are required: " + ", ".join(missing))
    for name in ("jobs", "repeat"):
        if getattr(arguments, name) < 1:
            raise Refused(f"--{name} must be at least 1")
    if not arguments.timeout > 0:
        raise Refused("--timeout must be more than 0")
    if arguments.region and arguments.replay:
        raise Refused("--region and --replay exclude each other: a replay has no guests that could "
                      "make marks")
    if arguments.add_file and not is_linux(arguments.workload):
        raise Refused("--add-file is for a --workload linux:COMMAND")
    check_of_kind(arguments)
    return arguments, others


def check_of_kind(arguments):
    """Options that only platforms have, or only descriptions or checkpoints."""
    if not arguments.system and not arguments.origin:
        if arguments.of:
            raise Refused("--of is for a --system; a platform has one interconnect")
        return
    what = "--from" if arguments.origin else "a --system"
    instead = {"platform": "give one of them",
               "slaves": f"the {'checkpoint' if arguments.origin else 'file'} says which instances "
                         "there are",
               "replay": "its log would have to be of all interconnects"}
    if arguments.origin:
        instead.update(system="give one of them", workload="its guests run what they ran",
                       param="its programs have theirs already")
    else:
        instead["interconnect"] = "give --set NAME.kind=A,B"
    for name, reason in instead.items():
        if getattr(arguments, name):
            raise Refused(f"--{name} is not for {what}: {reason}")


def subject_of(arguments, build, others):
    if arguments.origin:
        return Subject(build, "tandem-system", ["--restore", arguments.origin, *others])
    if arguments.system:
        return Subject(build, "tandem-system", [arguments.system, *others])
    return Subject(build, arguments.platform or "x86-arm", others)


def boot(arguments, build, others):
    """Turns a comparison of a Linux workload into one from a checkpoint, which is made first."""
    if arguments.param or arguments.replay:
        raise Refused("--param and --replay are not for a Linux workload: its command has its own "
                      "words, and a checkpoint cannot be replayed from")
    platform = Subject(build, arguments.platform or "x86-arm", [])
    workload = LinuxWorkload(arguments, platform, others)
    require_gnuplot()
    out = os.path.abspath(arguments.out)
    make_directory(out)
    with lock(out):
        arguments.origin = workload.checkpoint(out)
    arguments.region = workload.region
    arguments.observe = arguments.observe or "cached"
    arguments.workload = arguments.slaves = arguments.platform = None


def make_directory(path):
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}") from None


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
    build = os.path.abspath(arguments.build)
    if is_linux(arguments.workload):
        boot(arguments, build, others)
        others = []
    subject = subject_of(arguments, build, others)
    jobs = plan(arguments, subject)
    require_gnuplot()
    for job in jobs:
        job.check()
    out = os.path.abspath(arguments.out)
    runs = os.path.join(out, "runs")
    make_directory(runs)
    held = lock(out)
    remove_parts(runs)
    digest = subject.digest()
    for job in jobs:
        job.place(runs, digest, arguments.repeat)
    failures = run_all(jobs, arguments)
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
