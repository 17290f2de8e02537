# SPDX-License-Identifier: Apache-2.0
"""What Slurm's commands are asked, and what they say."""
from __future__ import annotations

import os
import pwd
import re
import subprocess
from typing import Iterable

from .words import Refused

PATIENCE = 120  # seconds for a command; sbatch itself tries again for a while
# Of sbatch, when it may succeed later: too many jobs, or nobody to take them.
LATER = re.compile("SubmitJob.*Limit|accounting/QOS policy|temporarily unable to accept|"
                   "Resource temporarily unavailable|Maximum.*jobs.*reached|Unable to contact|"
                   "Connection (refused|timed out)|does not end within|Socket timed out", re.I)
# What slurmstepd writes on a job's output when it or the kernel killed for memory.
NO_MEMORY = re.compile("exceeded .*memory limit|oom[-_ ]kill|out[- ]of[- ]memory handler", re.I)
ACTIVE = frozenset(("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED",
                    "RESIZING", "SIGNALING", "STAGE_OUT", "REQUEUED", "REQUEUE_HOLD",
                    "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"))


class Later(Exception):
    """No more jobs are accepted at this time; the sentence of sbatch."""


class NoAnswer(Exception):
    """Slurm could not be asked; the sentence of its command."""


class State:
    """Of an element of an array. name: as Slurm has it, PENDING; reason: a word of Slurm's."""

    def __init__(self, name: str, reason: str = "") -> None:
        self.name, self.reason = name, reason
        self.active = name in ACTIVE


def call(*command: str, text: str | None = None) -> str:
    """What a command prints."""
    try:
        done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", timeout=PATIENCE, check=False,
                              start_new_session=True)  # Ctrl-C is for whoever calls
    except FileNotFoundError:
        raise Refused(f"there is no {command[0]}: this host is none of a Slurm cluster's") from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{command[0]} does not end within {PATIENCE} s") from None
    if done.returncode:
        raise NoAnswer(sentence_of(command[0], done.stderr or done.stdout, done.returncode))
    return done.stdout


def sentence_of(command: str, said: str, status: int) -> str:
    """The one of several lines that says what is wrong."""
    lines = [re.sub(rf"^{command}: (error: |fatal: )?", "", line).strip()
             for line in said.splitlines() if line.strip()]
    failed = [line for line in lines if "failed" in line.lower()]
    return f"{command}: {(failed or lines or [f'it ended with status {status}'])[-1]}"


def ranges(numbers: Iterable[int]) -> str:
    """0-2,5 of 0, 1, 2, 5"""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


class Slurm:
    """The cluster that this host belongs to."""

    def __init__(self) -> None:
        try:
            said = call("scontrol", "show", "config")
        except NoAnswer as error:
            raise Refused(str(error)) from None
        self._configuration = dict(re.findall(r"^(\w+) += (.*?) *$", said, re.M))
        self.accounts = "slurmdbd" in self._configuration.get("AccountingStorageType", "")
        self.largest_array = self._number("MaxArraySize", 1001)  # indices are below it
        # Seconds for which the controller tells of a job that has ended.
        self.remembers = self._number("MinJobAge", 300)
        self.most_jobs = min([self._number("MaxJobCount", 10000), *self._limits_of_user()])

    def _number(self, name: str, otherwise: int) -> int:
        found = re.match(r"\d+", self._configuration.get(name, ""))
        return int(found[0]) if found else otherwise

    def _limits_of_user(self) -> list[int]:
        """Of the jobs that this user may have submitted, by the accounting."""
        if not self.accounts:
            return []
        user = pwd.getpwuid(os.getuid()).pw_name
        try:
            lines = call("sacctmgr", "--noheader", "--parsable2", "show", "associations",
                         f"user={user}", f"cluster={self._configuration['ClusterName']}",
                         "format=MaxSubmitJobs,DefaultQOS").splitlines()
            names = {line.split("|")[1] for line in lines} - {""}
            if names:
                lines += call("sacctmgr", "--noheader", "--parsable2", "show", "qos",
                              "name=" + ",".join(sorted(names)),
                              "format=MaxSubmitJobsPerUser").splitlines()
        except NoAnswer:
            return []  # sbatch will tell
        return [int(number) for number in (line.split("|")[0] for line in lines)
                if number.isdigit()]

    def submit(self, options: list[str], script: str) -> str:
        """The number of the job."""
        try:
            said = call("sbatch", "--parsable", "--no-requeue", "--kill-on-invalid-dep=yes",
                        *options, text=script)
        except NoAnswer as error:
            if LATER.search(str(error)):
                raise Later(str(error)) from None
            raise Refused(str(error)) from None
        return said.strip().split(";")[0]

    def jobs(self) -> dict[tuple[str, str, int | None], State]:
        """All of the user's that the controller knows: {(name, job, index): State}."""
        found: dict[tuple[str, str, int | None], State] = {}
        for line in call("squeue", "--me", "--noheader", "--array", "--states=all",
                         "--format=%F|%K|%T|%r|%j").splitlines():
            job, index, state, reason, name = line.split("|", 4)
            found[name, job, int(index) if index.isdigit() else None] = State(state, reason)
        return found

    def ended(self, jobs: Iterable[str]) -> dict[tuple[str, int], State]:
        """Of these jobs, what the accounting knows: {(job, index): State}."""
        numbers = ",".join(sorted(jobs))
        if not self.accounts or not numbers:
            return {}
        found = {}
        for line in call("sacct", "--allocations", "--noheader", "--parsable2",
                         f"--jobs={numbers}", "--format=JobID,State").splitlines():
            element, _, state = line.partition("|")
            job, _, index = element.partition("_")
            if index.isdigit() and state:
                found[job, int(index)] = State(state.split()[0])  # CANCELLED by 1000
        return found

    @staticmethod
    def cancel(jobs: Iterable[str]) -> None:
        """All elements of these jobs, as far as they have not ended."""
        numbers = sorted(jobs)
        if numbers:
            call("scancel", *numbers)
