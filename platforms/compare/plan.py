# SPDX-License-Identifier: Apache-2.0
"""What a comparison is to run: the platform, and a job for each combination of options."""
import glob
import hashlib
import itertools
import json
import os
import re
import statistics
import subprocess

WORKLOADS = {  # name: the least number of slaves
    "chase": 0,
    "contend": 0,
    "matmul": 1,
    "pipeline": 1,
    "triad": 0,
}
OBSERVATIONS = ("direct", "every", "cached")
MAX_SLAVES = 15
# Libraries and guests, in a build directory or below the prefix of an installation.
PARTS_OF_BUILD = ("lib/*.so", "lib/libtandem-*", "lib/*/libtandem-*", "lib/tandem/*.so",
                  "lib/*/tandem/*.so", "guests/*/*.elf", "share/tandem/guests/*/*.elf")


class Refused(Exception):
    """What is wrong, as a sentence."""


def quiet_environment():
    return dict(os.environ, SYSTEMC_DISABLE_COPYRIGHT_MESSAGE="1")


def error_in(messages):
    for line in messages.splitlines():
        if line.startswith("error: "):
            return line[len("error: "):]
    return None


def interconnect_options(words):
    """Of a platform's options those that tandem-traffic has too, as they decide about the
    interconnect: --load and --set."""
    found = []
    for word, value in zip(words, [*words[1:], ""]):
        if word in ("--load", "--set"):
            found += [word, value]
        elif word.startswith(("--load=", "--set=")):
            found.append(word)
    return found


class Platform:
    """The executable, what it says of itself, and the replayer that goes with it."""

    def __init__(self, build, name, options):
        self.path = os.path.join(build, "bin", name)
        self.replayer = os.path.join(build, "bin", "tandem-traffic")
        self.options = options  # of every run
        for path in (self.path, self.replayer):
            if not os.access(path, os.X_OK):
                raise Refused(f"there is no platform {path}")
        listing = self._ask("--help").partition("\nInterconnects,")[2].partition("\n\n")[0]
        self.interconnects = {}  # kind: names of its parameters
        for line in listing.splitlines()[1:]:
            kind = re.match(r"([\w.-]+): ", line)
            parameter = re.match(r"  ([\w.-]+) = ", line)
            if kind:
                names = self.interconnects[kind[1]] = []
            elif parameter:
                names.append(parameter[1])

    def _ask(self, *options):
        done = subprocess.run([self.path, *self.options, *options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=quiet_environment(), start_new_session=True, check=False)
        if done.returncode:
            raise Refused(error_in(done.stderr) or f"{self.path} {' '.join(options)} fails")
        return done.stdout

    def check(self, options):
        """Refuses what the platform refuses, without a run."""
        self._ask(*options, "--dry-run")

    def digest(self):
        """Of all that a result depends on beside the options: programs that guests and host run."""
        build = os.path.dirname(os.path.dirname(self.path))
        files = [self.path, self.replayer]
        for pattern in PARTS_OF_BUILD:
            files += glob.glob(os.path.join(build, pattern))
        total = hashlib.sha256()
        for path in sorted(files):
            with open(path, "rb") as file:
                total.update(hashlib.sha256(file.read()).digest())
        return total.hexdigest()


class Job:
    """A row of the table: a set of options, and the runs that are made with it."""

    def __init__(self, workload, interconnect, slaves, sets, params, arguments):
        self.workload, self.interconnect, self.slaves = workload, interconnect, slaves
        self.sets, self.params, self.observe = sets, params, arguments.observe
        self.traffic = "guests"
        self.recording = None  # the job whose log is replayed in place of running the guests
        self.interconnect_options = ["--interconnect", interconnect]
        for name, value in sets:
            self.interconnect_options += ["--set", f"{name}={value}"]
        self.options = self.interconnect_options + [
            "--slaves", str(slaves), "--observe", arguments.observe]
        for cache in arguments.cache:
            self.options += ["--cache", cache]
        self.guest_options = ["--master.image", workload, "--slave.image", workload]
        for name, value in params:
            self.guest_options += ["--param", f"{name}={value}"]
        self.runs = []

    def record(self):
        self.traffic = "recorded"

    def replay(self, recording):
        self.traffic, self.recording = "replayed", recording

    def parameters(self):
        return " ".join(f"{name}={value}" for name, value in self.sets + self.params)

    def title(self):
        words = [self.workload, self.interconnect, f"slaves={self.slaves}", self.parameters(),
                 "" if self.traffic == "guests" else self.traffic]
        return " ".join(word for word in words if word)

    def place(self, runs, platform, digest, repeat):
        everything = json.dumps([self.command(platform, ""), digest]).replace(runs, "")
        words = [self.workload, self.interconnect, str(self.slaves),
                 hashlib.sha256(everything.encode()).hexdigest()[:12]]
        directory = os.path.join(runs, "-".join(words))
        self.runs = [Run(self, number, directory) for number in range(1, repeat + 1)]

    @property
    def directory(self):
        """Of the first run."""
        return self.runs[0].directory

    def command(self, platform, directory):
        """What makes a run that leaves its files in the directory."""
        stats = os.path.join(directory, "stats.json")
        if self.recording:
            return [platform.replayer, *interconnect_options(platform.options),
                    *self.interconnect_options, "--replay",
                    os.path.join(self.recording.directory, "run.db"), "--stats", stats]
        log = ["--log", os.path.join(directory, "run.db")] if self.traffic == "recorded" else []
        return [platform.path, *platform.options, *self.options, *self.guest_options,
                "--progress", "off", "--consoles", "off", "--vcd", "off", *log, "--stats", stats,
                "--out", directory]

    def can_start(self):
        return not self.recording or self.recording.runs[0].result() is not None

    def result(self):
        """What the runs found, which is the same in all; host_s is their median."""
        found = [run.result() for run in self.runs]
        host = [result["host_s"] for result in found]
        return dict(found[0], host_s=round(statistics.median(host), 3), repeats=len(host),
                    host_min_s=min(host), host_max_s=max(host))

    def disagreement(self):
        """Why the runs are not repetitions of each other; None when they are."""
        first = self.runs[0].result()
        for run in self.runs[1:]:
            for name, value in run.result().items():
                if name != "host_s" and value != first.get(name):
                    return f"not the same in all runs: {name} is {first.get(name)} in run 1 and " \
                           f"{value} in run {run.number}"
        return None


class Run:
    """One of a job's runs, to be made or made before."""

    def __init__(self, job, number, directory):
        self.job, self.number = job, number
        self.directory = directory if number == 1 else f"{directory}.{number}"

    def title(self):
        of = len(self.job.runs)
        return self.job.title() + (f" ({self.number} of {of})" if of > 1 else "")

    def result(self):
        """What the run found; None when it has not been made."""
        try:
            with open(os.path.join(self.directory, "result.json"), encoding="ascii") as file:
                return json.load(file)
        except FileNotFoundError:
            return None


def split_list(text, what):
    items = text.split(",")
    if not all(items):
        raise Refused(f"{what} '{text}' has an empty entry")
    repeated = next((item for item in items if items.count(item) > 1), None)
    if repeated is not None:
        raise Refused(f"{what} '{text}' has '{repeated}' twice")
    return items


def known(names, choice, what):
    for name in names:
        if name not in choice:
            raise Refused(f"unknown {what} '{name}'; known are {', '.join(choice)}")
    return names


def slave_counts(text):
    counts = []
    for item in split_list(text, "--slaves"):
        if not item.isascii() or not item.isdigit() or int(item) > MAX_SLAVES:
            raise Refused(f"impossible number of slaves '{item}'; it must be 0 to {MAX_SLAVES}")
        counts.append(int(item))
    return counts


def axes(entries, option):
    """[("width", ["4", "8"]), ...] of ["width=4,8", ...]"""
    found = []
    for entry in entries:
        name, equals, values = entry.partition("=")
        if not name or not equals:
            raise Refused(f"{option} '{entry}' is not of the form NAME=VALUE,...")
        if name in (other for other, _ in found):
            raise Refused(f"{option} names '{name}' twice")
        found.append((name, split_list(values, f"{option} {name}")))
    return found


def combinations(choices):
    names = [name for name, _ in choices]
    return [list(zip(names, values)) for values in itertools.product(*(v for _, v in choices))]


def plan(arguments, platform):
    """All runs, in the order of the tables."""
    workloads = known(split_list(arguments.workload, "--workload"), sorted(WORKLOADS), "workload")
    interconnects = known(split_list(arguments.interconnect, "--interconnect"),
                          sorted(platform.interconnects), "interconnect")
    slaves = slave_counts(arguments.slaves)
    known([arguments.observe], OBSERVATIONS, "way to observe memory")
    sets, params = axes(arguments.set, "--set"), axes(arguments.param, "--param")
    for name, _ in sets:
        if not any(name in platform.interconnects[kind] for kind in interconnects):
            raise Refused(f"no interconnect of this comparison has a parameter '{name}'")
    jobs = []
    for workload, kind, count in itertools.product(workloads, interconnects, slaves):
        if count < WORKLOADS[workload]:
            raise Refused(f"{workload} needs at least {WORKLOADS[workload]} slave")
        own = [axis for axis in sets if axis[0] in platform.interconnects[kind]]
        for values, words in itertools.product(combinations(own), combinations(params)):
            jobs.append(Job(workload, kind, count, values, words, arguments))
    if arguments.replay:
        plan_replays(jobs)
    return jobs


def plan_replays(jobs):
    """Of the jobs with the same guests the first one runs them, the others replay its log."""
    recordings = {}
    for job in jobs:
        first = recordings.setdefault((job.workload, job.slaves, tuple(job.params)), job)
        if first is job:
            job.record()
        else:
            job.replay(first)
    if len(recordings) == len(jobs):
        raise Refused("--replay has nothing to replay into; give several interconnects, or "
                      "several values of --set")


def check(jobs, platform):
    """Every distinct set of options, before the first run."""
    for options in dict.fromkeys(tuple(job.options) for job in jobs):
        platform.check(options)
