# SPDX-License-Identifier: Apache-2.0
"""From what was asked for to a plan."""
import os
import re

from .choices import jobs_of
from .claim import Claim
from .describing import describe
from .linux import LinuxWorkload, is_linux
from .plans import Plan
from .qemu import version_of
from .subject import Subject
from .words import Refused


def subject_of(arguments, build, others):
    if arguments.origin:
        return Subject(build, "tandem-system", ["--restore", arguments.origin, *others])
    if arguments.system:
        return Subject(build, "tandem-system", [arguments.system, *others])
    return Subject(build, arguments.platform or "x86-arm", others)


def boot(arguments, build, others):
    """Turns a comparison of a Linux workload into one from a checkpoint, which is made first: what
    it holds decides about the runs."""
    if arguments.param or arguments.replay:
        raise Refused("--param and --replay are not for a Linux workload: its command has its own "
                      "words, and a checkpoint cannot be replayed from")
    platform = Subject(build, arguments.platform or "x86-arm", [])
    workload = LinuxWorkload(arguments, platform, others)
    out = os.path.abspath(arguments.out)
    work = os.path.join(out, "work")
    try:
        os.makedirs(work, exist_ok=True)
    except OSError as error:
        raise Refused(f"{out} cannot be made: {error.strerror}") from None
    arguments.origin = workload.checkpoint(out, lambda name: Claim(os.path.join(work, name)))
    arguments.region = workload.region
    arguments.observe = arguments.observe or "cached"
    arguments.workload = arguments.slaves = arguments.platform = None


def qemus_of(jobs, subject):
    """{job: QEMU programs}, by one look at each set of machines."""
    known, found = {}, {}
    for job in jobs:
        machines = tuple(str(one.get("machine")) for one in job.description["instance"].values())
        if machines not in known:
            shown = subject.call([*job.options(), "--dry-run"])
            known[machines] = sorted(set(re.findall(r"^[\w-]+: (\S*qemu-system-\S+)", shown, re.M)))
        found[job] = known[machines]
    return found


def plan_of(arguments, others, command):
    """The plan of a comparison. arguments: name space of the command line's parser; others: what
    is passed to each run."""
    build = os.path.abspath(arguments.build)
    if is_linux(arguments.workload):
        boot(arguments, build, others)
        others = []
    subject = subject_of(arguments, build, others)
    jobs = jobs_of(arguments, subject)
    describe(jobs, subject)
    qemus = qemus_of(jobs, subject)
    out = os.path.abspath(arguments.out)
    digest, runs = subject.digest(), os.path.join(out, "runs")
    for job in jobs:
        job.place(runs, digest, arguments, qemus[job])
    programs = {program for found in qemus.values() for program in found}
    # All jobs once before the first is repeated.
    ordered = [job.runs[i] for i in range(arguments.repeat) for job in jobs]
    return Plan(command, out, os.getcwd(), {program: version_of(program) for program in programs},
                {path: hash_ for job in jobs for path, hash_ in job.hashes.items()},
                list({run.hash: run for run in ordered}.values()), [job.row() for job in jobs])
