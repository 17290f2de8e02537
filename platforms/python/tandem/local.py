# SPDX-License-Identifier: Apache-2.0
"""Makes runs on this machine, several at a time."""
from __future__ import annotations

import argparse
import concurrent.futures as futures
import contextlib
import sys
import threading
import time
from typing import Any

from .backends import Interrupted, needed_failed, on_signals
from .one import WAIT, Busy, Stopped, remove_lost, run_one
from .plans import Plan, PlannedRun


class Progress:
    """A bar on a terminal, a line for each finished run elsewhere."""

    def __init__(self, total: int, found: int) -> None:
        self.total, self.done, self.failed = total, found, 0
        self.bar = self._bar(total, found) if sys.stderr.isatty() else None
        if found:
            self.say(f"{found} of {total} runs are there already")

    @staticmethod
    def _bar(total: int, found: int) -> Any:
        try:
            from tqdm import tqdm
        except ImportError:  # Debian: python3-tqdm
            return None
        return tqdm(total=total, initial=found, unit="run", file=sys.stderr, leave=False)

    def say(self, line: str) -> None:
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def finished(self, run: PlannedRun, cause: str | None) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        if cause:
            self.failed += 1
            self.say(f"{self.done}/{self.total} {run.title}: failed: {cause}")
            if self.bar is not None:
                self.bar.set_postfix(failed=self.failed)
        elif self.bar is None:
            result = run.result()
            found = f"{result['guest_ns']} ns" if "guest_ns" in result else \
                f"ends at {result.get('end_ns', result['simulated_ns'])} ns"
            self.say(f"{self.done}/{self.total} {run.title}: {found}, "
                     f"{result['host_s']:.1f} s of host time")

    def tick(self) -> None:
        """Has the bar's clock go on."""
        if self.bar is not None:
            self.bar.refresh()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class _Pool:
    """Runs that wait for others, and those at work."""

    def __init__(self, plan: Plan, todo: list[PlannedRun], jobs: int) -> None:
        self.plan, self.jobs = plan, jobs
        self.waiting = dict.fromkeys(run.hash for run in todo)
        self.left = set(self.waiting)  # neither made nor failed
        self.failures: dict[str, str] = {}
        self.shared: dict[str, float] = {}  # runs of another one, and when to look again
        self.at_work: dict[futures.Future[str | None], str] = {}
        self.stop = threading.Event()
        self.executor = futures.ThreadPoolExecutor(jobs)
        self.progress = Progress(len(plan.runs), len(plan.runs) - len(todo))

    def start(self) -> None:
        now = time.monotonic()
        ready = [hash_ for hash_ in self.waiting if self.shared.get(hash_, 0) <= now and
                 self.left.isdisjoint(self.plan.by_hash[hash_].after)] \
            if len(self.at_work) < self.jobs else []
        for hash_ in ready[:self.jobs - len(self.at_work)]:
            del self.waiting[hash_]
            future = self.executor.submit(run_one, self.plan, self.plan.by_hash[hash_], self.stop,
                                          hash_ in self.shared)
            self.at_work[future] = hash_

    def collect(self) -> None:
        self.progress.tick()
        done, _ = futures.wait(self.at_work, WAIT, futures.FIRST_COMPLETED)
        for future in done:
            hash_ = self.at_work.pop(future)
            try:
                self._finished(hash_, future.result())
            except OSError as error:  # of the file system, not of the run
                self._finished(hash_, f"{error.filename}: {error.strerror}")
            except Busy:
                self.waiting[hash_] = None
                self.shared[hash_] = time.monotonic() + WAIT

    def _finished(self, hash_: str, cause: str | None) -> None:
        self.left.discard(hash_)
        self.progress.finished(self.plan.by_hash[hash_], cause)
        if cause:
            self.failures[hash_] = cause
            for other in [h for h in self.waiting if hash_ in self.plan.by_hash[h].after]:
                del self.waiting[other]
                self._finished(other, needed_failed(self.plan.by_hash[other], cause))

    def close(self) -> None:
        self.stop.set()
        futures.wait(self.at_work)
        self.executor.shutdown()
        self.progress.close()


def run(plan: Plan, todo: list[PlannedRun], options: argparse.Namespace) -> dict[str, str]:
    """See backends.py. An interruption takes effect between two looks at what runs, so that no
    process is lost sight of."""
    remove_lost(plan)
    caught: list[int] = []
    with on_signals(lambda number, _: caught.append(number)), \
            contextlib.closing(_Pool(plan, todo, options.jobs)) as pool:
        while pool.waiting or pool.at_work:
            pool.start()
            with contextlib.suppress(Stopped):
                pool.collect()
            if caught:
                raise Interrupted(caught[0])
            if not pool.at_work:
                time.sleep(WAIT)
    return pool.failures
