# SPDX-License-Identifier: Apache-2.0
"""A set of options, out of which come a row of the table and the runs behind it."""
import hashlib
import json
import os
import re

from .plans import PlannedRun, Row
from .subject import texts_in
from .words import options_among


def digest_of(everything, out):
    """A short name for it, wherever results go."""
    text = json.dumps(everything, sort_keys=True).replace(out, "")
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def directory_of(parent, parts):
    return os.path.join(parent, "-".join(re.sub(r"[^A-Za-z0-9._-]", "_", part)
                                         for part in parts if part))


class Job:
    def __init__(self, subject, workload, program, observe, params, arguments):
        self.subject, self.workload, self.program = subject, workload, program
        self.observe, self.params, self.caches = observe, params, arguments.cache
        self.interconnect, self.slaves = "", ""  # kind, and number where there are such
        self.network = "interconnect"  # the module whose figures are shown
        self.region = arguments.region  # and in which region of interest; None: in the whole run
        self.seeds, self.timeout = arguments.seed_param, arguments.timeout
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
        self._words: tuple[str, ...] = ()
        self.hashes = {}  # of inputs

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
        more = self.interconnect_options + (["--observe", self.observe] if self.observe else [])
        for cache in self.caches:
            more += ["--cache", cache]
        return self.options_with(self.settings, more)

    def options_with(self, settings, more=()):
        """With these settings and words in place of what was chosen, but for slaves."""
        words = [*self.subject.options, *self.subject.words_of(settings), *more]
        if self.slaves != "":
            words += ["--slaves", str(self.slaves)]
        return words + self.subject.images(words, self.program)

    def words(self):
        """The same, when all is chosen, to find the job by."""
        self._words = self._words or tuple(self.options())
        return self._words

    def describe(self, description):
        """What the system comes to."""
        self.description = description
        if self.network:
            self.interconnect = description["interconnect"][self.network]["kind"]

    def place(self, out, digest, repeat, qemu, checkpoints):
        """Names the runs by all that they depend on. checkpoints: what they begin with; or None."""
        options = list(self.words())
        files = self.subject.hashes.named_in(
            [*options, *(value for _, value in self.params), *texts_in(self.description)])
        program = self.subject.replayer if self.recording else self.subject.path
        self.hashes = {**files, program: self.subject.hashes.of_input(program)}
        region = [self.region] if self.region else []
        for number in range(1, repeat + 1):
            before = [self.recording.of_number(number)] if self.recording else []
            if checkpoints:
                before = [checkpoints.before(self, number, qemu)]
                options = [*self.words(), *checkpoints.options(before[0])]
            hash_ = digest_of([self.command("", number, options), digest, self.description,
                               sorted(files.items()), *region], out)
            repeated = f".{number}" if number > 1 and not self.seeds else ""
            directory = directory_of(os.path.join(out, "runs"), (
                self.workload, self.interconnect, str(self.slaves), hash_)) + repeated
            of = f" ({number} of {repeat})" if repeat > 1 else ""
            self.runs.append(PlannedRun(
                hash_ + repeated, self.row().title() + of,
                self.command(directory, number, options), sorted(self.hashes),
                [run.hash for run in before], directory, self.resources(),
                self.expects(program=self.program, region=self.region, traffic=self.traffic),
                [] if self.recording else qemu))

    def resources(self):
        return {"cores": 1 if self.recording else len(self.description["instance"]) + 1,
                "seconds": self.timeout}

    def expects(self, **more):
        """The console is that of the first instance, whose end is the end of the run."""
        return {"console": next(iter(self.description["instance"])) + ".log", **more}

    def of_number(self, number):
        """The run whose log a replay of that number takes: where nothing is drawn at random, all
        logs are the same."""
        return self.runs[number - 1 if self.seeds else 0]

    def row(self):
        return Row(self.workload, self.interconnect, self.slaves, self.network, self.region,
                   self.observe, self.traffic, self.labels, self.fields, self.params, self.column,
                   self.seeds, [run.hash for run in self.runs])

    def seeded(self, number):
        """What makes a repetition another one."""
        return [(name, number) for name in self.subject.named(self.seeds)] \
            if "." in (self.seeds or "") else []

    def param_words(self, number):
        params = self.params + [(self.seeds, number)] * bool(self.seeds and "." not in self.seeds)
        return [word for name, value in params for word in ("--param", f"{name}={value}")]

    def command(self, directory, number, options):
        """What makes a run that leaves its files in the directory."""
        subject, stats = self.subject, os.path.join(directory, "stats.json")
        if self.recording:
            log = os.path.join(self.recording.of_number(number).directory, "run.db")
            return [subject.replayer, *self._options_of_replayer(), *self.interconnect_options,
                    "--replay", log, "--stats", stats]
        log_to = ["--log", os.path.join(directory, "run.db")] * (self.traffic == "recorded")
        return [subject.path, *options, *self.param_words(number),
                *subject.words_of(self.seeded(number)), *log_to, *output_in(directory)]

    def _options_of_replayer(self):
        """Of the options of every run those that decide about the interconnect."""
        words = []
        for name, value in options_among(self.subject.options):
            value = value.removeprefix("interconnect.") if name == "--set" else value
            if name == "--load" or name == "--set" and "." not in value.partition("=")[0]:
                words += [name, value]
        return words


def output_in(directory):
    return ["--progress", "off", "--consoles", "off", "--vcd", "off",
            "--stats", os.path.join(directory, "stats.json"), "--out", directory]
