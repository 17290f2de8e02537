# SPDX-License-Identifier: Apache-2.0
"""What can make the runs of a plan. A back end is a module with

    run(plan, todo, options) -> {hash of a run: why it failed}

todo are runs of the plan, in an order in which each comes behind those that it needs. It has each
made by one.run_one(), or by the command line of command() on another node, which returns when the
run is there. options is the name space of the command line; a back end adds its own in
add_options(parser), if it has any. It raises Interrupted when it is told to end, and Instead when
an option of its own asks for something else than runs."""
from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from .plans import Plan, PlannedRun
from .words import known

BACKENDS = {"local": "local", "slurm": "slurm"}  # name: module of this package
NEEDED_FAILED = "the run that it would replay has failed"


def needed_failed(run: PlannedRun, cause: str) -> str:
    """Why a run is not made when one that it needs is no good, for that cause."""
    return NEEDED_FAILED if run.expects["traffic"] == "replayed" else \
        f"the checkpoint that it begins with is not there: {cause}"


class Interrupted(Exception):
    """By a signal; what runs has been ended, or goes on elsewhere."""

    def __init__(self, number: int, how: str = "the same command goes on where this one was") \
            -> None:
        super().__init__(how)
        self.number, self.status = number, 128 + number


class Instead(Exception):
    """No run was asked for; what was done, as a sentence."""


@contextlib.contextmanager
def on_signals(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Has it called for Ctrl-C and the like, where this is the main thread."""
    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, handled in before:
            signal.signal(number, handled)


def interrupt(number: int, _: Any) -> None:
    raise Interrupted(number)


def backend(name: str) -> ModuleType:
    known([name], BACKENDS, "back end")
    return importlib.import_module(f"{__package__}.{BACKENDS[name]}")


def command(plan: Plan) -> tuple[list[str], dict[str, str]]:
    """Words behind which comes the hash of a run to be made, and what they need in the
    environment."""
    return module(__package__, "run-one", plan.file())


def module(name: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """The words that call a module of this installation, on another node too, and what they need in
    the environment. -P: files of the user's directory are no modules."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [sys.executable, "-P", "-B", "-m", name, *words], {"PYTHONPATH": here}
