# SPDX-License-Identifier: Apache-2.0
"""A row of the table and the runs behind it."""
import hashlib
import json
import os
import re
import statistics

from subject import hashes_of_files, texts_in
from words import options_among


class Job:
    """A set of options, and the runs that are made with it."""

    def __init__(self, subject, workload, program, observe, params, arguments):
        self.subject, self.workload, self.program = subject, workload, program
        self.observe, self.params, self.caches = observe, params, arguments.cache
        self.interconnect, self.slaves = "", ""  # kind, and number where there are such
        self.network = "interconnect"  # the module whose figures are shown
        self.region = arguments.region  # and in which region of interest; None: in the whole run
        self.description = {}  # the whole system
        self.chosen = []  # (name, value) of --set and --vary, as typed
        self.settings = []  # the same with the names that they stand for
        self.fields = {}  # the same as columns of the results
        self.labels = []  # what tables and figures call it, besides workload and interconnect
        self.column = ("", "")  # of the table by which it is sorted: what that is about, and value
        self.interconnect_options = []
        self.traffic = "guests"
        self.recording = None  # the job whose log is replayed in place of running the guests
        self.runs = []

    def record(self):
        self.traffic = "recorded"

    def replay(self, recording):
        self.traffic, self.recording = "replayed", recording

    def choose(self, values):
        """[((name, value) as typed, names that it stands for), ...]"""
        self.chosen = [pair for pair, _ in values]
        self.fields = dict(self.chosen)
        self.settings = [(name, pair[1]) for pair, names in values for name in names]

    def options(self):
        """All but what is for the guests' programs alone."""
        words = self.subject.options_with(self.settings) + self.interconnect_options
        if self.slaves != "":
            words += ["--slaves", str(self.slaves)]
        if self.observe:
            words += ["--observe", self.observe]
        for cache in self.caches:
            words += ["--cache", cache]
        return words + self.subject.images(words, self.program)

    def check(self):
        """Refuses what the program would refuse, and learns what the system comes to."""
        self.description = self.subject.described(tuple(self.options()))
        if self.network:
            self.interconnect = self.description["interconnect"][self.network]["kind"]

    def console(self):
        """Of the first instance, whose end is the end of the run."""
        return next(iter(self.description["instance"])) + ".log"

    def parameters(self):
        return " ".join(f"{name}={value}" for name, value in self.labels)

    def title(self):
        words = [self.workload, *self.head(), self.parameters(),
                 "" if self.traffic == "guests" else self.traffic]
        return " ".join(word for word in words if word)

    def head(self):
        """What is said of it before the parameters."""
        return [] if self.slaves == "" else [self.interconnect, f"slaves={self.slaves}"]

    def place(self, runs, digest, repeat):
        values = [value for _, value in self.params]
        files = hashes_of_files([*self.options(), *values, *texts_in(self.description)])
        region = [self.region] if self.region else []
        everything = json.dumps([self.command(""), digest, self.description,
                                 sorted(files.items()), *region]).replace(runs, "")
        words = [self.workload, self.interconnect, str(self.slaves),
                 hashlib.sha256(everything.encode()).hexdigest()[:12]]
        name = "-".join(re.sub(r"[^A-Za-z0-9._-]", "_", word) for word in words if word)
        directory = os.path.join(runs, name)
        self.runs = [Run(self, number, directory) for number in range(1, repeat + 1)]

    @property
    def directory(self):
        """Of the first run."""
        return self.runs[0].directory

    def command(self, directory):
        """What makes a run that leaves its files in the directory."""
        subject, stats = self.subject, os.path.join(directory, "stats.json")
        if self.recording:
            log = os.path.join(self.recording.directory, "run.db")
            return [subject.replayer, *self._options_of_replayer(), *self.interconnect_options,
                    "--replay", log, "--stats", stats]
        words = [subject.path, *self.options()]
        for name, value in self.params:
            words += ["--param", f"{name}={value}"]
        log = ["--log", os.path.join(directory, "run.db")] if self.traffic == "recorded" else []
        return [*words, "--progress", "off", "--consoles", "off", "--vcd", "off", *log, "--stats",
                stats, "--out", directory]

    def _options_of_replayer(self):
        """Of the options of every run those that decide about the interconnect."""
        words = []
        for name, value in options_among(self.subject.options):
            value = value.removeprefix("interconnect.") if name == "--set" else value
            if name == "--load" or name == "--set" and "." not in value.partition("=")[0]:
                words += [name, value]
        return words

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


def figures_of(interconnect):
    """Of its statistics."""
    total = interconnect["total"]
    found = {"transactions": total["transactions"]}
    for name in ("mean", "min", "p50", "p95", "p99", "p999", "max"):
        found[f"latency_{name}_ns"] = round(total[f"latency_{name}_ns"], 3)
    found["waiting_ns"] = round(total["waiting_ns"], 3)
    wires = [interconnect, *interconnect.get("outputs", {}).values(),
             *interconnect.get("links", [])]
    shares = [wire["utilisation"] for wire in wires if "utilisation" in wire]
    if shares:
        found["utilisation"] = round(max(shares), 4)
    return found


class NoRegion(Exception):
    """Why a run has no figures of a region, as a sentence."""


def region_in(statistics, wanted):
    """What the statistics have of a region, by its name or number."""
    regions = statistics.get("regions", {})
    if wanted in regions:
        return regions[wanted]
    for region in regions.values():
        if str(region.get("number", "")) == wanted:
            return region
    raise NoRegion(f"there is no region '{wanted}'; there are {', '.join(regions) or 'none'}")


class Run:
    """One of a job's runs, to be made or made before."""

    def __init__(self, job, number, directory):
        self.job, self.number = job, number
        self.directory = directory if number == 1 else f"{directory}.{number}"
        self._found = None

    def title(self):
        of = len(self.job.runs)
        return self.job.title() + (f" ({self.number} of {of})" if of > 1 else "")

    def result(self):
        """What the run found, and the figures of the interconnect that is looked at; None when it
        has not been made."""
        if self._found is None:
            try:
                self._found = dict(self._read("result.json"), **self._figures())
            except FileNotFoundError:
                return None
        return self._found

    def statistics(self):
        """Of the interconnect that is looked at; nothing in a system that has none."""
        found = self._read("stats.json")
        if self.job.region:
            found = region_in(found, self.job.region)
        return found["modules"].get(self.job.network, {})

    def _figures(self):
        statistics = self.statistics()
        return figures_of(statistics) if statistics else {}

    def _read(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return json.load(file)
