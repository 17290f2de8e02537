# SPDX-License-Identifier: Apache-2.0
"""A comparison as data: which runs it needs, and which rows of the table they make. What makes the
runs, a back end, needs no more than this; see docs/scaling.md."""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from typing import Any

from .claim import Claim
from .files import FileHashes, read_json, write_for_user, write_text
from .words import Refused

FORMAT = 1


@dataclasses.dataclass
class PlannedRun:
    """A simulation or a replay, made once and kept."""

    hash: str  # of all that the result depends on; a repetition's has its number behind it
    title: str
    argv: list[str]  # as if it left its files in the directory
    inputs: list[str]  # files that it reads; their hashes are in the plan
    after: list[str]  # hashes of runs whose results it reads
    directory: str  # of its result; it is there when the run has ended well
    resources: dict[str, float]  # cores: QEMU processes and the simulation; seconds: at most
    # What a good result has: console, program, region, and traffic, as of a row, or checkpoint.
    expects: dict[str, Any]
    qemu: list[str] = dataclasses.field(default_factory=list)  # programs, see Plan.qemu
    prepare: list[list[str]] = dataclasses.field(default_factory=list)  # commands before argv

    @property
    def name(self) -> str:
        """Of its directory."""
        return os.path.basename(self.directory)

    def is_checkpoint(self) -> bool:
        """Whether it is no row's, and only there for others to begin with what it saves."""
        return bool(self.expects["traffic"] == "checkpoint")

    def done(self) -> bool:
        """Whether the run has been made, by whomever."""
        return os.path.exists(os.path.join(self.directory, "result.json"))

    def result(self) -> dict[str, Any]:
        """What it has found."""
        return read_json(os.path.join(self.directory, "result.json"))


@dataclasses.dataclass
class Row:
    """A row of the table: one set of options, and the runs that were made with it."""

    workload: str
    interconnect: str  # kind
    slaves: int | str  # "": there are no such
    network: str | None  # the module whose figures are shown
    region: str | None  # in which region of interest; None: in the whole run
    observe: str | None
    traffic: str  # guests, recorded, replayed
    labels: list[tuple[str, str]]  # what tables and figures call it, besides these
    fields: dict[str, str]  # what was set or varied, as columns of the results
    params: list[tuple[str, str]]
    column: tuple[str, int | str]  # of the table by which it is sorted: what that is about, value
    seeds: str | None  # what has another value in each repetition
    runs: list[str]  # hashes, in the order of the repetitions

    def parameters(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.labels)

    def head(self) -> list[str]:
        """What is said of it before the parameters."""
        return [] if self.slaves == "" else [self.interconnect, f"slaves={self.slaves}"]

    def title(self) -> str:
        words = [self.workload, *self.head(), self.parameters(),
                 "" if self.traffic == "guests" else self.traffic]
        return " ".join(word for word in words if word)


@dataclasses.dataclass
class Plan:
    """All of a comparison. Paths are absolute, or relative to its working directory."""

    command: str  # as it was typed
    out: str  # directory of results, runs and claims
    cwd: str
    qemu: dict[str, str]  # program: version with which it was planned
    files: dict[str, str]  # input: SHA-256
    runs: list[PlannedRun]
    rows: list[Row]

    def __post_init__(self) -> None:
        self.by_hash = {run.hash: run for run in self.runs}
        self._hashes = FileHashes()

    def run_of(self, hash_or_name: str) -> PlannedRun:
        for run in self.runs:
            if hash_or_name in (run.hash, run.name):
                return run
        raise Refused(f"the plan has no run {hash_or_name}")

    def claim(self, run: PlannedRun) -> Claim:
        """Who is making the run."""
        return Claim(os.path.join(self.work(), run.name + ".claim"))

    def prepare(self) -> None:
        """Makes the directories. Claims of runs that are there, which one that was killed has left,
        go."""
        there = set(os.listdir(self.work()))
        for run in self.runs:
            if run.name + ".claim.0" in there and run.done():
                self.claim(run).forget()

    def todo(self) -> list[PlannedRun]:
        """Runs that have not been made; checkpoints only when one of these begins with it."""
        rows = [run for run in self.runs if not run.is_checkpoint() and not run.done()]
        needed = {hash_ for run in rows for hash_ in run.after}
        return [run for run in self.runs if run.is_checkpoint() and run.hash in needed and
                not run.done()] + rows

    def parents(self) -> set[str]:
        """The directories in which those of the runs are."""
        return {os.path.dirname(run.directory) for run in self.runs}

    def changed_input(self, run: PlannedRun) -> str | None:
        """An input of the run that is no longer what was planned."""
        for path in run.inputs:
            if self._hashes.of_input(os.path.join(self.cwd, path)) != self.files[path]:
                return path
        return None

    def text(self) -> str:
        """As JSON."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1) + "\n"

    def save(self, path: str) -> str:
        """Writes it to a file, and returns the path."""
        return write_for_user(path, self.text())

    def file(self) -> str:
        """The plan in its own directory, where all that make runs find it."""
        text = self.text()
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        path = os.path.join(self.work(), f"plan-{digest}.json")
        return path if os.path.exists(path) else write_text(path, text)

    def work(self) -> str:
        """Directory of claims and of runs that are not finished, on the results' file system."""
        path = os.path.join(self.out, "work")
        try:
            for directory in (path, *self.parents()):
                os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise Refused(f"{self.out} cannot be made: {error.strerror}") from None
        return path


def load_plan(path: str) -> Plan:
    """Of a file that --plan or Plan.save has written."""
    try:
        tree = read_json(path)
        if tree.pop("format") != FORMAT:
            raise Refused(f"{path} is a plan of another version of Tandem")
        tree["runs"] = [PlannedRun(**run) for run in tree["runs"]]
        for row in tree["rows"]:
            row.update(labels=[tuple(pair) for pair in row["labels"]],
                       params=[tuple(pair) for pair in row["params"]],
                       column=tuple(row["column"]))
        tree["rows"] = [Row(**row) for row in tree["rows"]]
        return Plan(**tree)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path} is no plan: {error}") from None
