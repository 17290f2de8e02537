# SPDX-License-Identifier: Apache-2.0
"""What a comparison is to run: a job for each combination of options."""
import itertools
import os
import re

from .job import Job
from .words import PARAMETERS, PARAMETERS_OF_ALL, WORKLOADS, Refused, axes, combinations, known, \
    split_list

OBSERVATIONS = ("direct", "every", "cached")
MAX_SLAVES = 15
# Options of a run that a comparison has another word for, or decides itself.
OTHERWISE = {"observe": "--observe A,B", "param": "--param NAME=A,B", "set": "--set NAME=A,B"}
OTHERWISE_OF_PLATFORMS = dict(OTHERWISE, **{
    "interconnect": "--interconnect A,B", "interconnect.kind": "--interconnect A,B",
    "slaves": "--slaves N,M", "slave.count": "--slaves N,M"})
DECIDED = ("out", "vcd", "stats", "log", "progress", "consoles", "help", "dry-run", "dump-dtb",
           "dump-system", "interactive")


def workloads_of(text):
    """{name: program} of names of Tandem's and of files"""
    programs: dict[str, str] = {}
    for program in split_list(text, "--workload"):
        if os.path.isfile(program):
            name = os.path.basename(program).removesuffix(".elf")
            if programs.setdefault(name, program) != program:
                raise Refused(f"--workload '{text}' has two programs of the name {name}")
        else:
            known([program], sorted(WORKLOADS), "workload")
            programs[program] = program
    return programs


def workload_parameters(arguments, workloads):
    """Axes of --param. What no workload of the comparison reads is refused, where all are Tandem's:
    it would make rows that are the same."""
    params = axes(arguments.param, "--param")
    if all(program in PARAMETERS for program in workloads.values()):
        known_ones = sorted({*PARAMETERS_OF_ALL, *(name for program in workloads.values()
                                                   for name in PARAMETERS[program])})
        seed = [arguments.seed_param] if "." not in (arguments.seed_param or ".") else []
        for name in [name for name, _ in params] + seed:
            known([re.sub(r"^\d+\.", "", name)], known_ones, "parameter of the workload")
    return params


def slave_counts(text):
    counts = []
    for item in split_list(text, "--slaves"):
        if not item.isascii() or not item.isdigit() or int(item) > MAX_SLAVES:
            raise Refused(f"impossible number of slaves '{item}'; it must be 0 to {MAX_SLAVES}")
        counts.append(int(item))
    return counts


def observations(text):
    return known(split_list(text, "--observe"), OBSERVATIONS, "way to observe memory")


def settings(entries, option, otherwise=OTHERWISE):
    """Axes of --set or --vary."""
    found = axes(entries, option)
    for name, _ in found:
        of_run = name.removeprefix("run.")
        if of_run == name and "." not in name and option == "--set":
            continue  # a parameter of the interconnect
        if of_run in otherwise:
            raise Refused(f"{option} cannot have '{name}'; give {otherwise[of_run]}")
        if of_run in DECIDED:
            raise Refused(f"{option} cannot have '{name}', which the comparison decides")
    return found


def without_repetition(choices):
    names = [name for name, _ in choices]
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"--set and --vary both name '{name}'")
    return choices


def jobs_of(arguments, subject):
    """All runs, in the order of the tables."""
    jobs = (plan_system if subject.name else plan_platform)(arguments, subject)
    modes = len({job.observe for job in jobs}) > 1
    for job in jobs:
        job.labels = [*job.chosen, *[("observe", job.observe)] * modes, *job.params]
    if subject.name:
        choose_columns(jobs)
    if arguments.replay:
        plan_replays(jobs)
    return jobs


def look(subject, workloads, choices, words=()):
    """Has the subject learn its names, from a run as the first one will be, but for patterns."""
    plain = [axis for axis in choices if not re.search(r"[*?\[]", axis[0])]
    first = [(name, pair[1]) for pair, names in settled(plain, subject)[0] for name in names]
    subject.look(next(iter(workloads.values())), first, words)


def plan_platform(arguments, platform):
    workloads = workloads_of(arguments.workload)
    interconnects = known(split_list(arguments.interconnect, "--interconnect"),
                          sorted(platform.interconnects), "interconnect")
    slaves = slave_counts(arguments.slaves or "1")
    modes = observations(arguments.observe or "every")
    sets, others = of_interconnects(arguments, platform, interconnects)
    params = workload_parameters(arguments, workloads)
    look(platform, workloads, others,
         ["--interconnect", interconnects[0], "--slaves", str(slaves[0])])
    jobs = []
    for (workload, program), kind, count in itertools.product(workloads.items(), interconnects,
                                                              slaves):
        if count < WORKLOADS.get(workload, 0):
            raise Refused(f"{workload} needs at least {WORKLOADS[workload]} slave")
        own = [axis for axis in sets if axis[0] in platform.interconnects[kind]]
        for mode, values, more, words in itertools.product(
                modes, combinations(own), settled(others, platform), combinations(params)):
            job = Job(platform, workload, program, mode, words, arguments)
            job.interconnect, job.slaves, job.column = kind, count, ("slaves", count)
            job.choose(more)
            job.chosen = values + job.chosen
            job.fields.update((f"interconnect.{name}", value) for name, value in values)
            job.interconnect_options = ["--interconnect", kind]
            for name, value in values:
                job.interconnect_options += ["--set", f"{name}={value}"]
            jobs.append(job)
    return jobs


def of_interconnects(arguments, platform, interconnects):
    """The axes: parameters of the platform's interconnect, by their own names, and all others."""
    sets, others = [], []
    for option, entries in (("--set", arguments.set), ("--vary", arguments.vary)):
        for name, values in settings(entries, option, OTHERWISE_OF_PLATFORMS):
            own = name.removeprefix("interconnect.")
            if "." in own or option == "--vary" and own == name:
                others.append((name, values))
                continue
            if not any(own in platform.interconnects[kind] for kind in interconnects):
                raise Refused(f"no interconnect of this comparison has a parameter '{own}'")
            sets.append((own, values))
    return without_repetition(sets), without_repetition(others)


def plan_system(arguments, system):
    workloads = workloads_of(arguments.workload) if arguments.workload else {system.name: None}
    modes = observations(arguments.observe) if arguments.observe else [None]
    sets, others = settings(arguments.set, "--set"), settings(arguments.vary, "--vary")
    params = workload_parameters(arguments, workloads)
    look(system, workloads, [axis for axis in sets if "." in axis[0]] + others)
    if arguments.interconnect:
        sets.insert(0, ("kind", known(split_list(arguments.interconnect, "--interconnect"),
                                      sorted(system.interconnects), "interconnect")))
    choices = without_repetition([(with_owner(name, system), values) for name, values in sets] +
                                 others)
    network = network_of(arguments.of, choices, system)
    jobs = []
    for (workload, program), mode, chosen, words in itertools.product(
            workloads.items(), modes, settled(choices, system), combinations(params)):
        job = Job(system, workload, program, mode, words, arguments)
        job.choose(chosen)
        job.network = network
        jobs.append(job)
    return jobs


def with_owner(name, system):
    """A name alone is a parameter of the only interconnect."""
    if "." in name:
        return name
    if len(system.networks) != 1:
        raise Refused(f"--set '{name}': the system has several interconnects, or none; give "
                      f"NAME.{name}")
    return f"{system.networks[0]}.{name}"


def settled(choices, system):
    """The combinations: lists of a pair as typed, and the names that it stands for. A parameter
    that only some of the kinds have among which its owner varies is left out for the others."""
    of_kinds = {}
    for name, values in choices:
        for one in system.named(name):
            if one.endswith(".kind"):
                of_kinds[one.removesuffix(".kind")] = values

    def has(name, kinds):
        owner, _, key = name.partition(".")
        return owner not in kinds or key in system.parameters_of(kinds[owner]) or \
            not any(key in system.parameters_of(kind) for kind in of_kinds[owner])
    found = []
    for values in combinations(choices):
        kinds = {one.removesuffix(".kind"): value for name, value in values
                 for one in system.named(name) if one.endswith(".kind")}
        named = [((name, value), [one for one in system.named(name) if has(one, kinds)])
                 for name, value in values]
        named = [entry for entry in named if entry[1]]
        if named not in found:
            found.append(named)
    return found


def network_of(wanted, choices, system):
    """The interconnect whose figures are shown; None in a system that has none."""
    if wanted:
        return known([wanted], list(system.networks), "interconnect of the system")[0]
    if len(system.networks) <= 1:
        return next(iter(system.networks), None)
    swapped = {one.removesuffix(".kind") for name, _ in choices for one in system.named(name)
               if one.endswith(".kind")} & set(system.networks)
    if len(swapped) != 1:
        raise Refused("which interconnect's figures are to be shown? give --of NAME: " +
                      ", ".join(system.networks))
    return swapped.pop()


def choose_columns(jobs):
    """When several things vary, the last one that all jobs have makes the columns of tables; rows
    are those of interconnects and of what else varies."""
    varying = [name for name in dict(label for job in jobs for label in job.labels)
               if len({dict(job.labels).get(name) for job in jobs}) > 1]
    for name in reversed(varying if len(varying) > 1 else []):
        if all(name in dict(job.labels) and name != f"{job.network}.kind" for job in jobs):
            for job in jobs:
                job.column = (name, dict(job.labels)[name])
            return


def plan_replays(jobs):
    """Of the jobs with the same guests the first one runs them, the others replay its log."""
    recordings: dict[tuple[object, ...], Job] = {}
    for job in jobs:
        guests = (job.workload, job.slaves, job.observe, tuple(job.settings), tuple(job.params))
        first = recordings.setdefault(guests, job)
        if first is job:
            job.record()
        else:
            job.replay(first)
    if len(recordings) == len(jobs):
        raise Refused("--replay has nothing to replay into; give several interconnects, or "
                      "several values of --set")
