# SPDX-License-Identifier: Apache-2.0
"""Runs that begin with a checkpoint which the comparison makes itself: by a run that comes before
them, one for all that boot the same. What a checkpoint fixes, the program says."""
import os

from .job import digest_of, directory_of, output_in
from .plans import PlannedRun
from .subject import texts_in
from .words import Refused


class Checkpoints:
    """Of a comparison. linux: its workload, if that is one of Linux."""

    def __init__(self, arguments, subject, linux):
        self.subject, self.linux, self.out = subject, linux, os.path.abspath(arguments.out)
        self.at = arguments.checkpoint_at or f"region:{linux.region}"
        self.hashes = {}  # of inputs
        self._runs = {}  # by the words of what is booted

    def runs(self):
        return list(self._runs.values())

    def before(self, job, number, qemu):
        """The run that makes what this repetition of the job begins with."""
        fixed = [pair for pair in [*job.settings, *job.seeded(number)]
                 if self._is_fixed(job, pair)]
        options = job.options_with(fixed)
        words = tuple(options + job.param_words(number))
        if words not in self._runs:
            description = self.subject.described(
                (*options, "--checkpoint-at", self.at, "--checkpoint", "."))
            self._runs[words] = self._plan(job, words, fixed, description, qemu)
        return self._runs[words]

    def options(self, run):
        """Of those that begin with what that run makes."""
        more = self.linux.options(run.directory) if self.linux else []
        return ["--restore", self._place(run.directory), *more]

    @staticmethod
    def _place(directory):
        return os.path.join(directory, "saved")

    def _is_fixed(self, job, pair):
        """Whether a run with this value needs a checkpoint of its own."""
        try:
            return self.subject.common(tuple(job.options_with([pair]))) != \
                self.subject.common(tuple(job.options_with([])))
        except Refused:  # it is nothing without others, such as a parameter of another interconnect
            return False

    def _plan(self, job, words, fixed, description, qemu):
        hashes = self.subject.hashes
        files = {**hashes.named_in([*words, *texts_in(description)]),
                 self.subject.path: hashes.of_input(self.subject.path),
                 **(self.linux.files(words) if self.linux else {})}
        digest = digest_of([self._commands(words, ""), description, sorted(files.items()),
                            self.subject.digest()], self.out)
        name = self.linux.name if self.linux else job.workload
        directory = directory_of(os.path.join(self.out, "checkpoints"), (name, digest))
        *prepare, argv = self._commands(words, directory)
        self.hashes.update(files)
        return PlannedRun(
            digest, self._title(job, fixed), argv, sorted(files), [], directory, job.resources(),
            job.expects(program=None, region=None, traffic="checkpoint"), qemu, prepare)

    def _commands(self, words, directory):
        """The last one makes it."""
        linux = [self.linux.prepare(words, directory)] if self.linux else []
        more = self.linux.options(directory) if self.linux else []
        return [*linux, [self.subject.path, *words, *more, "--checkpoint-at", self.at,
                         "--checkpoint", self._place(directory), "--checkpoint-exit",
                         *output_in(directory)]]

    def _title(self, job, fixed):
        own = [f"{name}={value}" for name, value in fixed]
        if self.linux:
            return ", ".join([f"booting Linux for '{self.linux.command}'", *own, "once"])
        slaves = [f"slaves={job.slaves}"] if job.slaves != "" else []
        params = [f"{name}={value}" for name, value in job.params]
        return " ".join(["saving", job.workload, *slaves, *own, *params, "at", self.at])
