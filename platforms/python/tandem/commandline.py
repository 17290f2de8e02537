# SPDX-License-Identifier: Apache-2.0
"""tandem compare: runs a workload on a platform, or the system of a file, over all combinations of
interconnects and of values of whatever has a name, and leaves a table and a page of plots. See
docs/comparing-interconnects.md and docs/scaling.md."""
import argparse
import os
import shlex
import sys
import threading

from . import reports, snakemake
from .backends import BACKENDS, Instead, Interrupted, backend, interrupt, on_signals
from .figures import NoGnuplot, require_gnuplot
from .linux import is_linux
from .one import Stopped, wait_for_one
from .plans import load_plan
from .planning import plan_of
from .outcomes import outcomes_of
from .rerun import rerun
from .words import CALLED, WORKLOADS, Parser, Refused


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
             "platform's first instance boots, once; the command's first word may be a file here, "
             "or a program of the guest kit")
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
    add("--seed-param", metavar="NAME",
        help="with --repeat: have NAME, a parameter of the workload or run.seed, be 1, 2, ... in "
             "the repetitions, and give means with their 95 %% confidence intervals")
    add("--checkpoint-at", metavar="WHEN",
        help="save what boots the same once, at this time or after mark:N or region:N "
             "(docs/checkpoints.md), and begin every run there; default for a Linux workload: its "
             "region")
    add("--replay", action="store_true",
        help="run the guests over the first interconnect only, and replay its transactions "
             "through the others")
    add("--jobs", type=int, default=cores, metavar="J",
        help=f"runs at a time (default: the number of cores, {cores})")
    add("--timeout", type=float, default=1800, metavar="S",
        help="seconds after which a run counts as failed (default: 1800)")
    add("--out", metavar="DIR", help="for results.csv, results.md, report.html, figures and runs")
    add("--plan", metavar="FILE", help="write the runs as JSON to FILE, and make none")
    add("--snakefile", metavar="FILE",
        help="write a workflow for Snakemake to FILE, and make no run; then the same command makes "
             "the report")
    add("--on", default="local", choices=sorted(BACKENDS),
        help="what makes the runs (default: local, this machine)")
    for name in BACKENDS:
        add_options_of(name, parser.add_argument_group(f"with --on {name}"))
    add("--build", default=os.path.join("build", "release"), metavar="DIR",
        help="build directory (default: build/release)")
    return parser


def add_options_of(name, parser):
    getattr(backend(name), "add_options", lambda _: None)(parser)


def check_of_backend(arguments):
    """Options of another back end than the one that was asked for."""
    for name in BACKENDS:
        parser = Parser(add_help=False)
        add_options_of(name, parser)
        given = [option for option, default in vars(parser.parse_args([])).items()
                 if getattr(arguments, option) != default]
        if given and name != arguments.on:
            raise Refused(f"--{given[0]} is for --on {name}")


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
    valued = [entry.partition("=")[0]
              for entry in arguments.param + arguments.set + arguments.vary]
    for wrong, sentence in (
            (arguments.jobs < 1, "--jobs must be at least 1"),
            (arguments.repeat < 1, "--repeat must be at least 1"),
            (not arguments.timeout > 0, "--timeout must be more than 0"),
            (arguments.seed_param and arguments.repeat < 2,
             "--seed-param is for --repeat N: each repetition has another value"),
            (arguments.seed_param in valued,
             f"--seed-param {arguments.seed_param} has a value by another option too"),
            (arguments.region and arguments.replay,
             "--region and --replay exclude each other: a replay has no guests that could make "
             "marks"),
            (arguments.checkpoint_at and arguments.replay,
             "--checkpoint-at and --replay exclude each other: what begins with a checkpoint "
             "cannot be replayed from"),
            (arguments.add_file and not is_linux(arguments.workload),
             "--add-file is for a --workload linux:COMMAND")):
        if wrong:
            raise Refused(sentence)
    check_of_kind(arguments)
    check_of_backend(arguments)
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
        instead.update({
            "checkpoint-at": "its runs begin with that one", "system": "give one of them",
            "workload": "its guests run what they ran",
            "param": "its programs have theirs already"})
    else:
        instead["interconnect"] = "give --set NAME.kind=A,B"
    for name, reason in instead.items():
        if getattr(arguments, name.replace("-", "_")):
            raise Refused(f"--{name} is not for {what}: {reason}")


def typed(words):
    """The command as it was typed, which makes the report: the caller puts the build directory
    first."""
    words = list(words[2 * (words[:1] == ["--build"]):])
    for option in ("--plan", "--snakefile"):
        while option in words:
            del words[words.index(option):words.index(option) + 2]
    return shlex.join([CALLED, "compare", *words])


def compare(words):
    arguments, others = parse(words)
    plan = plan_of(arguments, others, typed(words))
    if arguments.plan:
        print(plan.save(arguments.plan))
    if arguments.snakefile:
        print(snakemake.write(plan, arguments.snakefile))
    if arguments.plan or arguments.snakefile:
        return 0
    require_gnuplot()
    return make_and_report(plan, arguments)


def make_and_report(plan, arguments):
    plan.prepare()
    failures = backend(arguments.on).run(plan, plan.todo(), arguments)
    outcomes, lost = outcomes_of(plan, failures)
    for title, cause in lost.items():
        if cause not in failures.values():
            print(f"{title}: {cause}", file=sys.stderr)
    for path in reports.write(plan, outcomes, lost):
        print(path)
    if lost:
        print(f"error: {len(lost)} of {len(plan.rows)} runs failed", file=sys.stderr)
    return 1 if lost else 0


def run_one(words):
    """PLAN HASH: what back ends call."""
    if len(words) != 2:
        raise Refused("run-one needs a plan and a run's hash")
    plan = load_plan(words[0])
    run = plan.run_of(words[1])
    stop, caught = threading.Event(), []

    def end(number, _):
        caught.append(number)
        stop.set()
    try:
        with on_signals(end):
            cause = wait_for_one(plan, run, stop)
    except Stopped:
        raise Interrupted(caught[0], "the run was given up") from None
    if cause:
        print(f"error: {run.title}: {cause}", file=sys.stderr)
    return 1 if cause else 0


COMMANDS = {"compare": compare, "rerun": rerun, "run-one": run_one}


def main():
    try:
        with on_signals(interrupt):
            if sys.argv[1:2] not in [[name] for name in COMMANDS]:
                raise Refused(f"give a command: {', '.join(COMMANDS)}")
            status = COMMANDS[sys.argv[1]](sys.argv[2:])
            sys.stdout.flush()
            return status
    except Instead as done:
        print(done)
        return 0
    except Refused as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except NoGnuplot as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print(f"interrupted; {interrupted}", file=sys.stderr)
        return interrupted.status
    except OSError as failure:
        print(f"error: {failure}", file=sys.stderr)
        # It may be of the output, where Python would try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
