# SPDX-License-Identifier: Apache-2.0
"""What a task may take on a node: what the user says, or what the first of its kind took."""
from __future__ import annotations

import dataclasses
import math
from typing import Callable

from .backends import NEEDED_FAILED

# What is asked for is what one took, times so much, and no less than so much.
MEMORY_FACTOR, LEAST_MEMORY = 1.5, 256  # MiB
TIME_FACTOR, LEAST_TIME = 4, 600  # seconds


@dataclasses.dataclass
class Task:
    """One command. id: a word; after: ids of those that must have ended well before; kind: those
    that take about the same; environment: what the command needs besides that of whoever
    submits."""
    id: str
    argv: list[str]
    directory: str
    finished: Callable[[], bool]
    after: list[str] = dataclasses.field(default_factory=list)
    kind: str = ""
    cores: int = 1
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    # The error in the last line that it printed, if that is one.
    why: Callable[[str], str | None] = lambda said: None
    # Why it is not made, when one that it needs has failed for that cause.
    needed_failed: Callable[[str], str] = lambda cause: NEEDED_FAILED


@dataclasses.dataclass
class Options:
    """directory: on all nodes; memory: MiB; time: seconds, which Slurm rounds up to minutes;
    submitted: jobs in the queue at a time; period: seconds between two questions to Slurm; sbatch:
    more options for it."""
    directory: str
    memory: int | None = None
    time: float | None = None
    submitted: int | None = None
    period: float = 5
    sbatch: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Limits:
    """memory: MiB; time: minutes; None: what the cluster gives. estimated: from what others took;
    doubled: after these were not enough; probe: others wait for what this one takes."""
    cores: int
    memory: int | None
    time: int | None
    estimated: bool = False
    doubled: bool = False
    probe: bool = False


class Estimates:
    """Of the limits of tasks, by their kind."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._took: dict[str, tuple[float, float]] = {}  # of a kind: seconds, MiB

    def learn(self, task: Task, took: tuple[float, float] | None) -> None:
        """took: seconds and MiB."""
        if took:
            seconds, memory = self._took.get(task.kind, (0.0, 0.0))
            self._took[task.kind] = (max(seconds, took[0]), max(memory, took[1]))

    def limits(self, task: Task, probing: bool, tried: bool) -> Limits | None:
        """None: when it is known what others of its kind take. probing: whether one that will tell
        is at work; tried: whether one has ended."""
        options = self._options
        asked = math.ceil(options.time / 60) if options.time else None
        if options.memory and asked:
            return Limits(task.cores, options.memory, asked)
        if task.kind in self._took:
            seconds, memory = self._took[task.kind]
            estimate = math.ceil(max(LEAST_TIME, TIME_FACTOR * seconds) / 60)
            return Limits(
                task.cores, options.memory or math.ceil(max(LEAST_MEMORY, MEMORY_FACTOR * memory)),
                asked or estimate, estimated=True)
        if probing:
            return None
        return Limits(task.cores, options.memory, asked, probe=not tried)
