# SPDX-License-Identifier: Apache-2.0
"""Makes one run of a plan, and keeps it when it ends well. All back ends call this, in a process of
its own or not: tandem run-one PLAN HASH."""
from __future__ import annotations

import glob
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from typing import Any

from .claim import Claim, start_of
from .files import node, read_json, unique
from .plans import Plan, PlannedRun
from .qemu import version_of
from .outcomes import NoRegion, region_in
from .subject import error_in, quiet_environment
from .words import WORKLOADS

PERIOD = 0.05  # seconds between two looks at what runs
PATIENCE = 10  # seconds for a platform that was asked to end
WAIT = 0.2  # seconds between two looks at what another one makes


class Busy(Exception):
    """Another one is making the run."""


class Stopped(Exception):
    """The run was to be given up."""


def run_one(plan: Plan, run: PlannedRun, stop: threading.Event, shared: bool = False) -> str | None:
    """Why the run is no good; None: it is there. Raises Busy and Stopped. shared: it was busy
    before, so that the failure of who made it is the failure of this call as well."""
    if run.done():
        return None
    claim = plan.claim(run)
    if not claim.take():
        raise Busy
    running = _Running(plan, run, claim)
    try:
        if run.done():
            return None
        cause = _failure_of(run) if shared else None
        return cause or _unfit(plan, run) or running.make(stop)
    finally:
        running.discard()
        claim.release(run.done())


def wait_for_one(plan: Plan, run: PlannedRun, stop: threading.Event) -> str | None:
    """The same, for those who have nothing else to do."""
    shared = False
    while not stop.is_set():
        try:
            return run_one(plan, run, stop, shared)
        except Busy:
            shared = True
            stop.wait(WAIT)
    raise Stopped


def _failed(run: PlannedRun) -> str:
    return run.directory + ".failed"


def _failure_of(run: PlannedRun) -> str | None:
    return read(os.path.join(_failed(run), "cause")).strip() or None


def _unfit(plan: Plan, run: PlannedRun) -> str | None:
    """Why the run cannot be made here, or now."""
    for program in run.qemu:
        here = version_of(program)
        if here != plan.qemu[program]:
            return f"node {os.uname().nodename} has {here or 'no'} {program}; the plan was made " \
                   f"with {plan.qemu[program]}"
    for hash_ in run.after:
        if not plan.by_hash[hash_].done():
            return f"it needs {plan.by_hash[hash_].title}, which has not been made"
    changed = plan.changed_input(run)
    return f"{changed} is no longer what it was when the plan was made" if changed else None


def read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def results_on(console: str) -> dict[str, str]:
    lines = (line.split(" ", 2) for line in console.splitlines())
    return {words[1]: words[2] for words in lines if len(words) == 3 and words[0] == "RESULT"}


def remove_lost(plan: Plan) -> None:
    """What killed processes of this node have left of any run."""
    for parent in plan.parents():
        for name in os.listdir(parent):
            owner = re.search(rf"@\.{re.escape(node())}\.(\d+)\.\d+\.part$", name)
            if owner and not start_of(int(owner[1])):
                shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


class _Running:
    """A platform or a replay at work in a directory that becomes the run's own when all went
    well."""

    def __init__(self, plan: Plan, run: PlannedRun, claim: Claim) -> None:
        self.plan, self.run, self.claim = plan, run, claim
        self.timeout, self.expects = run.resources["seconds"], run.expects
        self.part = unique(run.directory + "@")
        self.usage: Any = None
        # Beside the results, so that NFS looks anew what is there, should another node have just
        # finished.
        os.mkdir(self.part)

    def _file(self, name: str) -> str:
        return os.path.join(self.part, name)

    def make(self, stop: threading.Event) -> str | None:
        shutil.rmtree(_failed(self.run), ignore_errors=True)
        try:
            return self._conclude(*self._wait(stop))
        except FileNotFoundError:
            if os.path.exists(self.part):
                raise
            raise Busy from None  # another one took this one for lost

    def discard(self) -> None:
        """What is not kept, and what those have left that were killed."""
        for left in glob.glob(glob.escape(self.run.directory) + "@*.part"):
            shutil.rmtree(left, ignore_errors=True)

    def _wait(self, stop: threading.Event) -> tuple[int, float]:
        """Status and seconds."""
        commands = [*self.run.prepare, self.run.argv]
        with open(self._file("command"), "w", encoding="utf-8") as file:
            file.writelines(shlex.join(argv) + "\n" for argv in commands)
        begin, status = time.monotonic(), 0
        for argv in commands:
            self.usage = None
            status = self._call(argv, begin + self.timeout, stop)
            if status:
                break
        return status, time.monotonic() - begin

    def _call(self, argv: list[str], end: float, stop: threading.Event) -> int:
        with open(self._file("messages"), "ab") as messages:
            # A session of its own: Ctrl-C at the terminal is for this program to handle. Should
            # it be killed, the kernel ends the platform.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM",
                 *(word.replace(self.run.directory, self.part) for word in argv)],
                cwd=self.plan.cwd, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
                start_new_session=True, env=quiet_environment())
        try:
            while not self._ended(process) and time.monotonic() < end:
                if stop.wait(PERIOD):
                    raise Stopped
                self.claim.touch()
        finally:
            if process.returncode is None:
                _end(process)
        assert process.returncode is not None
        return process.returncode

    def _ended(self, process: subprocess.Popen[bytes]) -> bool:
        """Popen.poll(), which does not tell what the process has used."""
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode, self.usage = os.waitstatus_to_exitcode(status), usage
        return bool(pid)

    def _conclude(self, status: int, seconds: float) -> str | None:
        """Keeps what is left; why the run is no good, or None."""
        cause = self._fault(status) if self.usage else f"no end within {self.timeout:g} s"
        if cause:
            cause = f"{cause.replace(self.part, _failed(self.run))} (see {_failed(self.run)})"
            with open(self._file("cause"), "w", encoding="utf-8") as file:
                file.write(cause + "\n")
            os.rename(self.part, _failed(self.run))
            return cause
        with open(self._file("result.json"), "w", encoding="ascii") as file:
            json.dump(self._result(seconds), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.rename(self.part, self.run.directory)
        except OSError:
            if not self.run.done():  # by one that took this one for lost, and found the same
                raise
        return None

    def _fault(self, status: int) -> str | None:
        consoles = [read(self._file(name)) for name in sorted(os.listdir(self.part))
                    if name.endswith(".log")]
        if status == 0:
            return self._missing()
        messages = read(self._file("messages"))
        error = error_in(messages)
        if self.run.prepare and not consoles:  # what prepares it has failed
            error = error or messages.strip().rpartition("\n")[2]
        if error:
            return error
        for console in consoles:
            lines = console.splitlines()
            said = [line for line in lines if not re.match("RESULT |EXIT |TANDEM ", line)]
            if said and any(line.startswith("EXIT ") for line in lines):
                return f"a guest says: {said[-1]}"
        return f"ended with status {status}"

    def _missing(self) -> str | None:
        """What a run that has ended well lacks."""
        results = self._reported()
        good = results.get("ok", "1") == "1" if self.expects["program"] not in WORKLOADS else \
            results.get("ok") == "1" and "ns" in results
        if not good and self.expects["traffic"] != "replayed":
            return "the master reports a wrong result" if results.get("ok") == "0" else \
                "the master has not reported a result"
        if "exit_status" in results:  # of a Linux that could not end with it
            return f"ended with status {results['exit_status']}"
        try:
            self._region()
        except NoRegion as cause:
            return str(cause)
        return None

    def _region(self) -> dict[str, Any]:
        """The statistics of the region that the figures are of; nothing: they are of all."""
        wanted = self.expects["region"]
        return region_in(self._statistics(), wanted) if wanted else {}

    def _statistics(self) -> dict[str, Any]:
        return read_json(self._file("stats.json"))

    def _reported(self) -> dict[str, str]:
        return results_on(read(self._file(self.expects["console"])))

    def _result(self, seconds: float) -> dict[str, Any]:
        statistics, traffic = self._statistics(), self.expects["traffic"]
        result: dict[str, Any] = {
            "host_s": round(seconds, 3), "node": os.uname().nodename,
            # Of the process that needed most, in KiB; seconds of all processors.
            "used": {"memory_kib": self.usage.ru_maxrss,
                     "cpu_s": round(self.usage.ru_utime + self.usage.ru_stime, 3)},
            "simulated_ns": without_zeros(statistics["simulated_ns"])}
        if self.expects["region"]:
            result["region_ns"] = without_zeros(self._region()["simulated_ns"])
        if traffic != "replayed":
            reported = self._reported()
            if reported.get("ns", "").isdecimal():
                result["guest_ns"] = int(reported["ns"])
            result["reported"] = {name: value for name, value in reported.items()
                                  if name not in ("ns", "ok")}
        if traffic == "recorded":
            result["end_ns"] = last_end_ns(self._file("run.db"))
        elif traffic == "replayed":
            result["end_ns"] = without_zeros(statistics["modules"]["replayer"]["end_ns"])
        return result


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def without_zeros(number: float) -> float:
    return int(number) if number == int(number) else round(number, 3)


def last_end_ns(log: str) -> float:
    database = sqlite3.connect(log)
    try:
        last = database.execute("SELECT max(end_ps) FROM transactions").fetchone()[0]
        return without_zeros((last or 0) / 1000)
    finally:
        database.close()
