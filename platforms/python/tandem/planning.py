# SPDX-License-Identifier: Apache-2.0
"""From what was asked for to a plan."""
import os
import re

from .checkpoints import Checkpoints
from .choices import jobs_of
from .describing import describe
from .linux import LinuxWorkload, is_linux
from .plans import Plan
from .qemu import version_of
from .subject import Subject


def subject_of(arguments, build, others):
    if arguments.origin:
        return Subject(build, "tandem-system", ["--restore", arguments.origin, *others],
                       name_of(arguments.origin))
    if arguments.system:
        return Subject(build, "tandem-system", [arguments.system, *others],
                       name_of(arguments.system))
    return Subject(build, arguments.platform or "x86-arm", others)


def name_of(path):
    """What tables call the system of that file, or of that checkpoint."""
    return os.path.basename(os.path.abspath(path)).removesuffix(".toml")


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
    build, out = os.path.abspath(arguments.build), os.path.abspath(arguments.out)
    linux = LinuxWorkload(arguments, build, others) if is_linux(arguments.workload) else None
    if linux:
        arguments = linux.asked(arguments)
    subject = linux.subject if linux else subject_of(arguments, build, others)
    jobs = jobs_of(arguments, subject)
    describe(jobs, subject)
    qemus = qemus_of(jobs, subject)
    checkpoints = Checkpoints(arguments, subject, linux) if linux or arguments.checkpoint_at \
        else None
    for job in jobs:
        job.place(out, subject.digest(), arguments.repeat, qemus[job], checkpoints)
    programs = {program for found in qemus.values() for program in found}
    # All jobs once before the first is repeated.
    ordered = [*(checkpoints.runs() if checkpoints else []),
               *(job.runs[i] for i in range(arguments.repeat) for job in jobs)]
    hashes = [*([checkpoints.hashes] if checkpoints else []), *(job.hashes for job in jobs)]
    return Plan(command, out, os.getcwd(), {program: version_of(program) for program in programs},
                {path: hash_ for some in hashes for path, hash_ in some.items()},
                list({run.hash: run for run in ordered}.values()), [job.row() for job in jobs])
