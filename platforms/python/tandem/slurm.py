# SPDX-License-Identifier: Apache-2.0
"""Has a Slurm cluster make the runs. See docs/scaling.md."""
from __future__ import annotations

import argparse
import contextlib
import functools
import math
from typing import Any

from .backends import Instead, Interrupted, command, interrupt, needed_failed, on_signals
from .local import Progress
from .plans import Plan, PlannedRun, Row
from .slurm_comparison import Comparison
from .slurm_limits import Options, Task
from .words import Refused


def add_options(parser: Any) -> None:
    add = parser.add_argument
    add("--memory", type=int, metavar="MIB",
        help="memory of a run; default: half as much again as the first of its kind takes")
    add("--time", type=float, metavar="S",
        help="seconds of a run, rounded up to minutes; default: four times what the first of its "
             "kind takes")
    add("--submitted", type=int, metavar="N",
        help="runs in Slurm's queue at a time; default: as many as Slurm accepts")
    add("--sbatch", action="append", default=[], metavar="OPTION",
        help="an option for sbatch, as in --sbatch=--partition=long; may be repeated")
    add("--cancel", action="store_true",
        help="end the jobs that the same command has left to Slurm, and make no run")


def tasks_of(plan: Plan, todo: list[PlannedRun]) -> list[Task]:
    words, environment = command(plan)
    rows = {hash_: row for row in plan.rows for hash_ in row.runs}
    return [Task(run.hash, [*words, run.hash], plan.cwd, run.done, after=run.after,
                 kind=_kind(rows.get(run.hash), run), cores=math.ceil(run.resources["cores"]),
                 environment=environment, why=functools.partial(_cause, run),
                 needed_failed=functools.partial(needed_failed, run))
            for run in todo]


def _kind(row: Row | None, run: PlannedRun) -> str:
    """Of those that take about as much: each guest has memory of its own."""
    return f"{row.workload if row else ''} {run.expects['traffic']} {run.resources['cores']:g}"


def _cause(run: PlannedRun, said: str) -> str | None:
    """Why the run is no good, in what run-one has printed."""
    start = f"error: {run.title}: "
    return said[len(start):] if said.startswith(start) else None


def _checked(plan: Plan, options: argparse.Namespace) -> Options:
    for name in ("memory", "time", "submitted"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise Refused(f"--{name} must be more than 0")
    return Options(plan.work(), options.memory, options.time, options.submitted,
                   sbatch=list(options.sbatch))


def run(plan: Plan, todo: list[PlannedRun], options: argparse.Namespace) -> dict[str, str]:
    """See backends.py. What is submitted when it is interrupted goes on."""
    checked = _checked(plan, options)
    if not todo and not options.cancel:
        Progress(len(plan.runs), len(plan.runs)).close()
        return {}  # on a host without Slurm too
    comparison = Comparison(tasks_of(plan, todo), checked,
                            lambda task, cause: progress.finished(plan.by_hash[task.id], cause))
    if options.cancel:
        raise Instead(f"{comparison.cancel()} runs were ended")

    with on_signals(interrupt), \
            contextlib.closing(Progress(len(plan.runs), len(plan.runs) - len(todo))) as progress:
        try:
            return comparison.run()
        except Interrupted as interrupted:
            raise Interrupted(interrupted.number, comparison.left()) from None
