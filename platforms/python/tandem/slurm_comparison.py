# SPDX-License-Identifier: Apache-2.0
"""Has a Slurm cluster make runs: as arrays, with the memory and time that they need, again when a
node was lost, and found again by whoever goes on. See docs/scaling.md."""
from __future__ import annotations

import dataclasses
import math
import os
import shlex
import sys
import time
from collections import Counter
from typing import Any, Callable, Iterable

from .backends import module
from .slurm_commands import NO_MEMORY, Later, NoAnswer, Slurm, State, ranges
from .slurm_ledger import NEVER, Ledger, Piece, Place
from .slurm_limits import Estimates, Limits, Options, Task
from .words import Refused

REPEATS = 3  # of a task that was lost
LOST = ("NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "REVOKED")
LONGEST_PERIOD = 60  # seconds between two questions to Slurm
FULL = 600  # seconds to the next sbatch after one that was too many, unless a job ends
LAG = 90  # seconds until all hosts see a file that one has made
SUBMISSION = 60  # seconds for another process between a piece and its job
SUBMISSION_OF_DEAD = 10  # the same, when the process has ended: its sbatch may be at work still
SILENCE = 1800  # seconds without an answer of Slurm's
# Statuses of what Slurm ended, for whatever reason, as a process and as a shell has them.
BY_SIGNAL = (-15, -9, 143, 137)
# Why a job may never start, in Slurm's words.
STUCK = ("AccountNotAllowed", "BadConstraints", "InvalidAccount", "InvalidQOS", "JobHeldAdmin",
         "JobHeldUser", "PartitionDown", "PartitionInactive", "PartitionNodeLimit",
         "PartitionTimeLimit", "QOSNotAllowed")


class Comparison:
    """Of which Slurm makes the runs. concluded(task, cause) is called when one has ended, with None
    when well."""

    def __init__(self, tasks: Iterable[Task], options: Options,
                 concluded: Callable[[Task, str | None], None] = lambda task, cause: None) \
            -> None:
        self.tasks = {task.id: task for task in tasks}
        self.options, self._concluded = options, concluded
        self.slurm, self.ledger = Slurm(), Ledger(options.directory)
        self.causes: dict[str, str | None] = {}  # of all tasks that have ended
        self._pending: dict[str, Limits | None] = {}  # to be submitted; Limits: other ones
        self._lost: dict[str, int] = {}  # how often a pending task was
        self._active: set[str] = set()
        self._at_work = 0  # tasks, after the last look
        self._queued = 0  # jobs of the user's, these and others
        self._full: tuple[float, float] = (math.inf, 0)  # queued, and when, at a sbatch too many
        self._answer = 0.0  # seconds that Slurm took for the last one
        self._unseen: dict[tuple[str, int], float] = {}  # since when a task's result is looked for
        self._estimates = Estimates(options)
        self._stuck: set[str] = set()  # reasons that were told

    def run(self) -> dict[str, str]:
        """{id: why it failed}. Whatever interrupts it leaves the jobs at work."""
        for task in self.tasks.values():
            if task.finished():
                self._conclude(task, None)
        self._watch()
        for piece in self.ledger.pieces:
            if not any(task in self._active for task in piece.tasks.values()):
                self.ledger.tell(piece)
        return {task: cause for task, cause in self.causes.items() if cause}

    def left(self) -> str:
        """What becomes of the runs when run() is interrupted, as a sentence."""
        return f"{self._at_work} runs are left to Slurm; the same command goes on with them, " \
               "and with --cancel it ends them"

    def cancel(self) -> int:
        """Ends all jobs of this directory, whoever submitted them; how many."""
        try:
            jobs = [job for (name, job, _), state in self.slurm.jobs().items()
                    if name.startswith(self.ledger.name + ".") and state.active]
            self.slurm.cancel(set(jobs))
        except NoAnswer as error:
            raise Refused(str(error)) from None
        for piece in self.ledger.pieces:
            self.ledger.tell(piece)
        return len(jobs)

    def _watch(self) -> None:
        period = 0.0
        silent_since: float | None = None
        before: tuple[int, int] | None = None
        while len(self.causes) < len(self.tasks):
            time.sleep(period)
            begin = time.monotonic()
            try:
                self._look()
                silent_since = None
            except NoAnswer as error:
                silent_since = silent_since or begin
                if begin - silent_since > SILENCE:
                    raise Refused(f"{error}; its jobs go on, and the same command goes on with "
                                  "them") from None
            else:
                self._submit()
                self._at_work = len(self._active)
            # No load for the controller: less often than it can answer, and when nothing happens.
            least = max(self.options.period, 10 * self._answer)
            longest = max(least, min(LONGEST_PERIOD, self.slurm.remembers / 3))
            now = (len(self.causes), len(self.ledger.pieces))
            period = least if now != before else min(longest, 1.5 * period)
            before = now

    # What has become of those that were submitted.

    def _look(self) -> None:
        self.ledger.refresh()
        begin = time.monotonic()
        jobs = self.slurm.jobs()
        self._answer = time.monotonic() - begin
        self._queued = sum(state.active for state in jobs.values())
        self._settle(jobs)
        ended: list[tuple[Task, Piece, int, State | None]] = []
        unknown: set[str] = set()
        self._active, self._pending = set(), {}
        for task in self._left():
            place = self.ledger.place(task.id)
            if not place:
                self._pending[task.id] = None
                continue
            piece, index = place
            if piece.job is None:
                self._active.add(task.id)
                continue
            state = jobs.get((self.ledger.name_of(piece), piece.job, index))
            if state and state.active:
                self._active.add(task.id)
                self._tell_if_stuck(state)
                continue
            ended.append((task, piece, index, state))
            if not state:
                unknown.add(piece.job)
        accounts = self.slurm.ended(unknown)
        for task, piece, index, state in ended:
            state = state or accounts.get((piece.job or NEVER, index))
            if state and state.active:
                self._active.add(task.id)
            else:
                self._judge(task, piece, index, state)

    def _tell_if_stuck(self, state: State) -> None:
        if state.reason in STUCK and state.reason not in self._stuck:
            self._stuck.add(state.reason)
            print(f"Slurm lets jobs wait because of {state.reason}; with --cancel the same command "
                  "ends them", file=sys.stderr, flush=True)

    def _left(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.id not in self.causes]

    def _settle(self, jobs: Iterable[tuple[str, str, int | None]]) -> None:
        """Pieces without a number: by another process, at work or ended in between."""
        numbers = {name: job for name, job, _ in jobs}
        for piece in self.ledger.pieces:
            if piece.job is not None:
                continue
            job = numbers.get(self.ledger.name_of(piece))
            now = time.monotonic()
            piece.seen_without_job = piece.seen_without_job or now
            dead = piece.host == os.uname().nodename and \
                not os.path.exists(f"/proc/{piece.process}")
            if job:
                self.ledger.settle(piece, job)
            elif now - piece.seen_without_job > (SUBMISSION_OF_DEAD if dead else SUBMISSION):
                self.ledger.settle(piece, NEVER)

    def _judge(self, task: Task, piece: Piece, index: int, state: State | None) -> None:
        """What to do about a task that does not run any more."""
        record = self.ledger.end_of(piece, index)
        name = state.name if state else None
        if task.finished():
            self._estimates.learn(task, (record["seconds"], record["memory"]) if record else None)
            self._conclude(task, None)
        elif name == "TIMEOUT" or name == "OUT_OF_MEMORY" or self._without_memory(piece, index):
            self._exceeded(task, piece, "time" if name == "TIMEOUT" else "memory")
        elif name in LOST:
            self._repeat(task, piece, index, name)
        elif state and name == "CANCELLED" and self._waited_in_vain(task, state):
            self._pending[task.id] = None
            self._lost[task.id] = piece.lost[index]
        elif name in ("COMPLETED", "FAILED", None) and record and \
                not (name is None and record["status"] in BY_SIGNAL):
            if record["status"] or self._missed(task, piece):
                self._conclude(task, task.why(record.get("said", "")) or
                               self._own_error(record, piece, index))
        elif name in ("COMPLETED", "FAILED", None):
            # A run says why it fails: this is the node, or a job that Slurm has forgotten.
            if self._missed(task, piece):
                self._repeat(task, piece, index, f"its job is {name or 'unknown'}, and the run "
                                                 "said nothing")
        else:
            self._conclude(task, f"its job was ended: {name}")

    def _waited_in_vain(self, task: Task, state: State) -> bool:
        """For one that has not ended well. The accounting does not know reasons."""
        return state.reason == "DependencyNeverSatisfied" or not state.reason and any(
            one in self._pending or self.causes.get(one) for one in task.after)

    def _missed(self, task: Task, piece: Piece) -> bool:
        """Whether what the node has written, which may be on its way, is late."""
        since = self._unseen.setdefault((task.id, piece.number), time.monotonic())
        if time.monotonic() - since > LAG:
            return True
        self._active.add(task.id)
        return False

    def _without_memory(self, piece: Piece, index: int) -> bool:
        try:
            with open(self.ledger.log_of(piece, index), encoding="utf-8", errors="replace") as file:
                return any(line.startswith("slurmstepd") and NO_MEMORY.search(line) is not None
                           for line in file)
        except FileNotFoundError:
            return False

    def _own_error(self, record: dict[str, Any], piece: Piece, index: int) -> str:
        status = record["status"]
        said = record.get("said") or (f"ended with status {status}" if status >= 0 else
                                      f"ended by signal {-status}")
        if not status:
            return f"ended well on {record['node']}, and its result is not there"
        return f"{said} (on {record['node']}; see {self.ledger.log_of(piece, index)})"

    def _exceeded(self, task: Task, piece: Piece, what: str) -> None:
        limits = Limits(**piece.limits)
        had = getattr(limits, what)
        if limits.estimated and not limits.doubled and getattr(self.options, what) is None:
            self._pending[task.id] = dataclasses.replace(
                limits, **{"doubled": True, what: 2 * had})
            return
        unit = "min" if what == "time" else "MiB of memory"
        asked = f"the {had} {unit} that were asked for" if had else f"the cluster's limit of {what}"
        verb = "no end within" if what == "time" else "needs more than"
        self._conclude(task, f"{verb} {asked}; --{what} asks for more")

    def _repeat(self, task: Task, piece: Piece, index: int, cause: str) -> None:
        lost = piece.lost[index] + 1
        if lost > REPEATS:
            self._conclude(task, f"lost {lost} times, at last: {cause}")
            return
        self._pending[task.id], self._lost[task.id] = None, lost

    def _conclude(self, task: Task, cause: str | None) -> None:
        self.causes[task.id] = cause
        self._pending.pop(task.id, None)
        self._concluded(task, cause)

    # What is to be submitted next.

    def _submit(self) -> None:
        for task in self._left():
            failed = [cause for cause in map(self.causes.get, task.after) if cause]
            if failed and task.id in self._pending:
                self._conclude(task, task.needed_failed(failed[0]))
        queued, since = self._full
        if self._queued >= queued and time.monotonic() - since < FULL:
            return
        most = min(self.slurm.most_jobs, self.options.submitted or self.slurm.most_jobs)
        for limits, behind, tasks in self._arrays():
            room = most - self._queued
            if room < min(len(tasks), max(1, most // 4)):
                return  # later, more of them at once
            if not self._submit_piece(limits, behind, dict(list(tasks.items())[:room])):
                return

    def _ready(self) -> list[tuple[Task, Limits, Place | None]]:
        """What can be submitted, and which element it waits for."""
        ready = []
        probing = {self.tasks[task].kind for task in self._active if self._is_probe(task)}
        tried = {self.tasks[task].kind for task in self.causes}
        for task in self._left():
            if task.id not in self._pending:
                continue
            left = [one for one in task.after if one in self.tasks and one not in self.causes]
            place = self.ledger.place(left[0]) if left and left[0] in self._active else None
            limits = self._pending[task.id] or \
                self._estimates.limits(task, task.kind in probing, task.kind in tried)
            if limits is None or len(left) > 1 or left and not (place and place[0].job):
                continue
            ready.append((task, limits, place))
            if limits.probe:
                probing.add(task.kind)
        return ready

    def _arrays(self) -> list[tuple[Limits, str, dict[int, Task]]]:
        """[(limits, dependency, {index: task})] of what can be submitted, in as few as can be:
        behind an array element by element, as replays of different recordings, or all of them
        behind one element, as what begins with a checkpoint."""
        ready = self._ready()
        waiting = Counter(place for _, _, place in ready if place)
        arrays: dict[tuple[Limits, str, int], dict[int, Task]] = {}
        for task, limits, place in ready:
            behind, index = "", None
            if place:
                of_piece = [count for (piece, _), count in waiting.items() if piece is place[0]]
                if max(of_piece) > len(of_piece):
                    behind = f"afterok:{place[0].job}_{place[1]}"
                else:
                    behind, index = f"aftercorr:{place[0].job}", place[1]
            number = 0
            while self._is_full(arrays.get((limits, behind, number), {}), index):
                number += 1
            array = arrays.setdefault((limits, behind, number), {})
            array[len(array) if index is None else index] = task
        return [(limits, behind, tasks) for (limits, behind, _), tasks in arrays.items()]

    def _is_probe(self, task: str) -> bool:
        place = self.ledger.place(task)
        return place is not None and Limits(**place[0].limits).probe

    def _is_full(self, array: dict[int, Task], index: int | None) -> bool:
        return index in array or len(array) >= self.slurm.largest_array

    def _submit_piece(self, limits: Limits, behind: str, tasks: dict[int, Task]) -> bool:
        """Whether it was done; otherwise all is to be looked at again."""
        piece = self.ledger.append(tasks, dataclasses.asdict(limits), self._lost)
        if not piece:
            return False
        log = os.path.join(self.ledger.directory, f"{piece.number}-").replace("%", "%%") + "%a.log"
        options = [f"--job-name={self.ledger.name_of(piece)}", f"--array={ranges(tasks)}",
                   f"--output={log}", f"--chdir={self.ledger.directory}",
                   f"--cpus-per-task={limits.cores}", *self.options.sbatch]
        if limits.memory:
            options.append(f"--mem={limits.memory}M")
        if limits.time:
            options.append(f"--time={limits.time}")
        if behind:
            options.append(f"--dependency={behind}")
        try:
            job = self.slurm.submit(options, script(self.ledger.directory, piece.number))
        except Later as error:
            self.ledger.settle(piece, NEVER)
            if not self._active:
                raise Refused(str(error)) from None
            self._full = (self._queued, time.monotonic())
            return False
        except Refused:
            self.ledger.settle(piece, NEVER)
            raise
        if not self.ledger.settle(piece, job):  # too slow: another process has given it up
            self.slurm.cancel([job])
            return False
        for task in tasks.values():
            self._active.add(task.id)
            self._pending.pop(task.id)
        self._queued += len(tasks)
        return True


def script(directory: str, number: int) -> str:
    words, environment = module(f"{__package__}.slurm_task", directory, str(number))
    return "#!/bin/sh\nexec " + shlex.join(
        ["env", *(f"{name}={value}" for name, value in environment.items()), *words]) + "\n"
