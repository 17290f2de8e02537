# SPDX-License-Identifier: Apache-2.0
"""Makes the runs of a comparison, several at a time, and keeps those that end well."""
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from job import NoRegion, region_in
from plan import WORKLOADS
from subject import error_in, quiet_environment

PERIOD = 0.05  # seconds between two looks at what runs
PATIENCE = 10  # seconds for a platform that was asked to end


class Interrupted(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.status = 128 + number


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def results_on(console):
    lines = (line.split(" ", 2) for line in console.splitlines())
    return {words[1]: words[2] for words in lines if len(words) == 3 and words[0] == "RESULT"}


class Running:
    """A platform or a replay at work in a directory that becomes the run's own when all went
    well."""

    def __init__(self, run, timeout):
        self.run, self.timeout = run, timeout
        # With the process in its name: nobody who was left behind by a killed comparison has it.
        self.part = f"{run.directory}.{os.getpid()}.part"
        os.makedirs(self.part)
        with open(self._file("command"), "w", encoding="utf-8") as file:
            file.write(shlex.join(run.job.command(run.directory)) + "\n")
        self.begin = time.monotonic()
        with open(self._file("messages"), "wb") as messages:
            # A session of its own: Ctrl-C at the terminal is for this script to handle. Should the
            # script be killed, the kernel ends the platform.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *run.job.command(self.part)],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, start_new_session=True,
                env=quiet_environment())

    def _file(self, name):
        return os.path.join(self.part, name)

    def ended(self):
        if self.process.poll() is not None:
            return True
        if time.monotonic() - self.begin < self.timeout:
            return False
        self.stop()
        return True

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def discard(self):
        shutil.rmtree(self.part, ignore_errors=True)

    def conclude(self):
        """Keeps what is left; why the run is no good, or None."""
        seconds = time.monotonic() - self.begin
        cause = f"no end within {self.timeout:g} s" if seconds >= self.timeout else self._fault()
        failed = self.run.directory + ".failed"
        shutil.rmtree(failed, ignore_errors=True)
        if cause:
            os.rename(self.part, failed)
            return f"{cause} (see {failed})"
        with open(self._file("result.json"), "w", encoding="ascii") as file:
            json.dump(self._result(seconds), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.part, self.run.directory)
        return None

    def _fault(self):
        consoles = [read(self._file(name)) for name in sorted(os.listdir(self.part))
                    if name.endswith(".log")]
        status = self.process.returncode
        if status == 0:
            return self._missing_result() or self._missing_region()
        error = error_in(read(self._file("messages")))
        if error:
            return error
        for console in consoles:
            lines = console.splitlines()
            said = [line for line in lines if not re.match("RESULT |EXIT |TANDEM ", line)]
            if said and any(line.startswith("EXIT ") for line in lines):
                return f"a guest says: {said[-1]}"
        return f"ended with status {status}"

    def _missing_result(self):
        job, results = self.run.job, self._reported()
        if job.recording or (job.program not in WORKLOADS and results.get("ok", "1") == "1") or \
                (results.get("ok") == "1" and "ns" in results):
            return None
        return "the master reports a wrong result" if results.get("ok") == "0" else \
            "the master has not reported a result"

    def _missing_region(self):
        try:
            self._region()
        except NoRegion as cause:
            return str(cause)
        return None

    def _region(self):
        """The statistics of the region that the figures are of; nothing: they are of all."""
        wanted = self.run.job.region
        return region_in(self._statistics(), wanted) if wanted else {}

    def _statistics(self):
        with open(self._file("stats.json"), encoding="utf-8") as file:
            return json.load(file)

    def _reported(self):
        return results_on(read(self._file(self.run.job.console())))

    def _result(self, seconds):
        statistics = self._statistics()
        modules, job = statistics["modules"], self.run.job
        result = {"host_s": round(seconds, 3),
                  "simulated_ns": without_zeros(statistics["simulated_ns"])}
        if job.region:
            result["region_ns"] = without_zeros(self._region()["simulated_ns"])
        if job.traffic != "replayed":
            reported = self._reported()
            if reported.get("ns", "").isdecimal():
                result["guest_ns"] = int(reported["ns"])
            result["reported"] = {name: value for name, value in reported.items()
                                  if name not in ("ns", "ok")}
        if job.traffic == "recorded":
            result["end_ns"] = last_end_ns(self._file("run.db"))
        elif job.traffic == "replayed":
            result["end_ns"] = without_zeros(modules["replayer"]["end_ns"])
        return result


def without_zeros(number):
    return int(number) if number == int(number) else round(number, 3)


def last_end_ns(log):
    database = sqlite3.connect(log)
    try:
        last = database.execute("SELECT max(end_ps) FROM transactions").fetchone()[0]
        return without_zeros((last or 0) / 1000)
    finally:
        database.close()


class Progress:
    """A bar on a terminal, a line for each finished run elsewhere."""

    def __init__(self, total, found):
        self.total, self.done, self.found, self.failed = total, found, found, 0
        self.bar = sys.stderr.isatty()
        self.begin = time.monotonic()
        if found:
            self.say(f"{found} of {total} runs are there already")

    def say(self, line):
        print(("\r\x1b[K" if self.bar else "") + line, file=sys.stderr, flush=True)

    def finished(self, run, cause):
        self.done += 1
        if cause:
            self.failed += 1
            self.say(f"{self.done}/{self.total} {run.title()}: failed: {cause}")
        elif not self.bar:
            result = run.result()
            found = f"{result['guest_ns']} ns" if "guest_ns" in result else \
                f"ends at {result.get('end_ns', result['simulated_ns'])} ns"
            self.say(f"{self.done}/{self.total} {run.title()}: {found}, "
                     f"{result['host_s']:.1f} s of host time")

    def show(self, running):
        if not self.bar:
            return
        width = 30
        filled = width * self.done // self.total
        spent = time.monotonic() - self.begin
        text = f"[{'#' * filled}{'.' * (width - filled)}] {self.done}/{self.total} runs, " \
               f"{running} at work, {spent:.0f} s"
        made = self.done - self.found
        if made and self.done < self.total:
            text += f", about {spent / made * (self.total - self.done):.0f} s left"
        if self.failed:
            text += f", {self.failed} failed"
        print("\r\x1b[K" + text, end="", file=sys.stderr, flush=True)

    def close(self):
        if self.bar:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def remove_parts(runs):
    """What a killed comparison has left."""
    for name in os.listdir(runs):
        if name.endswith(".part"):
            shutil.rmtree(os.path.join(runs, name), ignore_errors=True)


def on_signals(handler):
    """For Ctrl-C and the like; returns the handler before."""
    return [signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)][0]


def take_ready(waiting):
    """The next run that can start, which is taken from the list; None when all that are left wait
    for the log of one that is at work."""
    ready = next((run for run in waiting if run.job.can_start()), None)
    if ready:
        waiting.remove(ready)
    return ready


def take_replays_of(run, waiting):
    """Those that will never have a log, taken from the list."""
    lost = [other for other in waiting if other.job.recording is run.job and run.number == 1]
    for other in lost:
        waiting.remove(other)
    return lost


def run_all(jobs, arguments):
    """The causes of failure: {job: sentence}. An interruption takes effect between two looks at
    what runs, so that no process is lost sight of."""
    caught = []
    before = on_signals(lambda number, _: caught.append(number))
    # All jobs once before the first is repeated.
    runs = [job.runs[i] for i in range(arguments.repeat) for job in jobs]
    waiting = [run for run in runs if not run.result()]
    progress = Progress(len(runs), len(runs) - len(waiting))
    failures, running = {}, []

    def finished(run, cause):
        if cause:
            failures.setdefault(run.job, cause)
            for lost in take_replays_of(run, waiting):
                finished(lost, "the run that it would replay has failed")
        progress.finished(run, cause)

    try:
        while waiting or running:
            while len(running) < arguments.jobs and (run := take_ready(waiting)):
                running.append(Running(run, arguments.timeout))
            for one in [r for r in running if r.ended()]:
                running.remove(one)
                finished(one.run, one.conclude())
            progress.show(len(running))
            if caught:
                raise Interrupted(caught[0])
            if running:
                time.sleep(PERIOD)
    finally:
        for one in running:
            one.process.terminate()
        for one in running:
            one.stop()
            one.discard()
        progress.close()
        on_signals(before)
    return failures


def find_disagreements(jobs, failures):
    """Adds the jobs whose runs did not find the same."""
    for job in jobs:
        cause = None if job in failures else job.disagreement()
        if cause:
            failures[job] = cause
            print(f"{job.title()}: {cause}", file=sys.stderr)
