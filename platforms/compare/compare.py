#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Behind ./tandem compare: runs a workload over all combinations of interconnects, numbers of
slaves and parameter values, and leaves a table and a page of plots. See
docs/comparing-interconnects.md.

A run that has ended well lies complete in DIR/runs/NAME-HASH; the hash is of all that the result
depends on. So a comparison that was interrupted goes on where it was, and a changed one runs what
is new in it."""
import argparse
import fcntl
import hashlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import report

WORKLOADS = {  # name: the least number of slaves
    "chase": 0,
    "contend": 0,
    "matmul": 1,
    "pipeline": 1,
    "triad": 0,
}
OBSERVATIONS = ("direct", "every", "cached")
MAX_SLAVES = 15
PERIOD = 0.05  # seconds between two looks at what runs
PATIENCE = 10  # seconds for a platform that was asked to end


class Refused(Exception):
    """What is wrong, as a sentence."""


class Interrupted(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.status = 128 + number


# ---- what to run -------------------------------------------------------------


class Platform:
    """The executable, and what it says of itself."""

    def __init__(self, build, name, options):
        self.path = os.path.join(build, "bin", name)
        self.options = options  # of every run
        if not os.access(self.path, os.X_OK):
            raise Refused(f"there is no platform {self.path}; ./tandem build makes it")
        listing = self._ask("--help").partition("\nInterconnects,")[2]
        self.interconnects = {}  # kind: names of its parameters
        for line in listing.splitlines()[1:]:
            kind = re.match(r"([\w.-]+): ", line)
            parameter = re.match(r"  ([\w.-]+) = ", line)
            if kind:
                names = self.interconnects[kind[1]] = []
            elif parameter:
                names.append(parameter[1])

    def _ask(self, *options):
        done = subprocess.run([self.path, *self.options, *options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=quiet_environment(), start_new_session=True, check=False)
        if done.returncode:
            raise Refused(error_in(done.stderr) or f"{self.path} {' '.join(options)} fails")
        return done.stdout

    def check(self, options):
        """Refuses what the platform refuses, without a run."""
        self._ask(*options, "--dry-run")

    def digest(self):
        """Of all that a result depends on beside the options: programs that guests and host run."""
        build = os.path.dirname(os.path.dirname(self.path))
        files = [self.path]
        for directory in ("lib", "guests"):
            for folder, _, names in os.walk(os.path.join(build, directory)):
                files += [os.path.join(folder, name) for name in names
                          if name.endswith((".so", ".elf"))]
        total = hashlib.sha256()
        for path in sorted(files):
            with open(path, "rb") as file:
                total.update(hashlib.sha256(file.read()).digest())
        return total.hexdigest()


class Job:
    """One run, to be made or made before."""

    def __init__(self, workload, interconnect, slaves, sets, params, arguments):
        self.workload, self.interconnect, self.slaves = workload, interconnect, slaves
        self.sets, self.params, self.observe = sets, params, arguments.observe
        self.options = ["--interconnect", interconnect]
        for name, value in sets:
            self.options += ["--set", f"{name}={value}"]
        self.options += ["--slaves", str(slaves), "--observe", arguments.observe]
        for cache in arguments.cache:
            self.options += ["--cache", cache]
        self.guest_options = ["--master.image", workload, "--slave.image", workload]
        for name, value in params:
            self.guest_options += ["--param", f"{name}={value}"]
        self.directory = None

    def parameters(self):
        return " ".join(f"{name}={value}" for name, value in self.sets + self.params)

    def title(self):
        words = [self.workload, self.interconnect, f"slaves={self.slaves}", self.parameters()]
        return " ".join(word for word in words if word)

    def place(self, runs, platform, digest):
        everything = json.dumps([platform.path, platform.options, self.options,
                                 self.guest_options, digest])
        name = f"{self.workload}-{self.interconnect}-{self.slaves}"
        self.directory = os.path.join(
            runs, f"{name}-{hashlib.sha256(everything.encode()).hexdigest()[:12]}")

    def result(self):
        """What the run found; None when it has not been made."""
        try:
            with open(os.path.join(self.directory, "result.json"), encoding="ascii") as file:
                return json.load(file)
        except FileNotFoundError:
            return None


def split_list(text, what):
    items = text.split(",")
    if not all(items):
        raise Refused(f"{what} '{text}' has an empty entry")
    repeated = next((item for item in items if items.count(item) > 1), None)
    if repeated is not None:
        raise Refused(f"{what} '{text}' has '{repeated}' twice")
    return items


def known(names, choice, what):
    for name in names:
        if name not in choice:
            raise Refused(f"unknown {what} '{name}'; known are {', '.join(choice)}")
    return names


def slave_counts(text):
    counts = []
    for item in split_list(text, "--slaves"):
        if not item.isascii() or not item.isdigit() or int(item) > MAX_SLAVES:
            raise Refused(f"impossible number of slaves '{item}'; it must be 0 to {MAX_SLAVES}")
        counts.append(int(item))
    return counts


def axes(entries, option):
    """[("width", ["4", "8"]), ...] of ["width=4,8", ...]"""
    found = []
    for entry in entries:
        name, equals, values = entry.partition("=")
        if not name or not equals:
            raise Refused(f"{option} '{entry}' is not of the form NAME=VALUE,...")
        if name in (other for other, _ in found):
            raise Refused(f"{option} names '{name}' twice")
        found.append((name, split_list(values, f"{option} {name}")))
    return found


def combinations(choices):
    names = [name for name, _ in choices]
    return [list(zip(names, values)) for values in itertools.product(*(v for _, v in choices))]


def plan(arguments, platform):
    """All runs, in the order of the tables."""
    workloads = known(split_list(arguments.workload, "--workload"), sorted(WORKLOADS), "workload")
    interconnects = known(split_list(arguments.interconnect, "--interconnect"),
                          sorted(platform.interconnects), "interconnect")
    slaves = slave_counts(arguments.slaves)
    known([arguments.observe], OBSERVATIONS, "way to observe memory")
    sets, params = axes(arguments.set, "--set"), axes(arguments.param, "--param")
    for name, _ in sets:
        if not any(name in platform.interconnects[kind] for kind in interconnects):
            raise Refused(f"no interconnect of this comparison has a parameter '{name}'")
    jobs = []
    for workload, kind, count in itertools.product(workloads, interconnects, slaves):
        if count < WORKLOADS[workload]:
            raise Refused(f"{workload} needs at least {WORKLOADS[workload]} slave")
        own = [axis for axis in sets if axis[0] in platform.interconnects[kind]]
        for values, words in itertools.product(combinations(own), combinations(params)):
            jobs.append(Job(workload, kind, count, values, words, arguments))
    return jobs


def check(jobs, platform):
    """Every distinct set of options, before the first run."""
    for options in dict.fromkeys(tuple(job.options) for job in jobs):
        platform.check(options)


# ---- running -----------------------------------------------------------------


def quiet_environment():
    return dict(os.environ, SYSTEMC_DISABLE_COPYRIGHT_MESSAGE="1")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def error_in(messages):
    for line in messages.splitlines():
        if line.startswith("error: "):
            return line[len("error: "):]
    return None


def results_on(console):
    lines = (line.split(" ", 2) for line in console.splitlines())
    return {words[1]: words[2] for words in lines if len(words) == 3 and words[0] == "RESULT"}


class Running:
    """A platform at work in a directory that becomes the job's own when all went well."""

    def __init__(self, job, platform, timeout):
        self.job, self.timeout = job, timeout
        # With the process in its name: nobody who was left behind by a killed comparison has it.
        self.part = f"{job.directory}.{os.getpid()}.part"
        os.makedirs(self.part)
        command = [platform.path, *platform.options, *job.options, *job.guest_options,
                   "--progress", "off", "--consoles", "off", "--vcd", "off", "--out"]
        with open(self._file("command"), "w", encoding="utf-8") as file:
            file.write(shlex.join(command + [job.directory]) + "\n")
        self.begin = time.monotonic()
        with open(self._file("messages"), "wb") as messages:
            # A session of its own: Ctrl-C at the terminal is for this script to handle. Should the
            # script be killed, the kernel ends the platform.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command, self.part], stdin=subprocess.DEVNULL,
                stdout=messages, stderr=messages, start_new_session=True, env=quiet_environment())

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
        failed = self.job.directory + ".failed"
        shutil.rmtree(failed, ignore_errors=True)
        if cause:
            os.rename(self.part, failed)
            return f"{cause} (see {failed})"
        with open(self._file("result.json"), "w", encoding="ascii") as file:
            json.dump(self._result(seconds), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.part, self.job.directory)
        return None

    def _fault(self):
        consoles = [read(self._file(name)) for name in sorted(os.listdir(self.part))
                    if name.endswith(".log")]
        status = self.process.returncode
        if status == 0:
            results = results_on(read(self._file("master.log")))
            if results.get("ok") == "1" and "ns" in results:
                return None
            return "the master has not reported a result"
        error = error_in(read(self._file("messages")))
        if error:
            return error
        for console in consoles:
            lines = console.splitlines()
            said = [line for line in lines if not re.match("RESULT |EXIT |TANDEM ", line)]
            if said and any(line.startswith("EXIT ") for line in lines):
                return f"a guest says: {said[-1]}"
        return f"ended with status {status}"

    def _result(self, seconds):
        with open(self._file("stats.json"), encoding="utf-8") as file:
            network = json.load(file)["modules"]["interconnect"]
        total = network["total"]
        result = {"guest_ns": int(results_on(read(self._file("master.log")))["ns"]),
                  "host_s": round(seconds, 3),
                  "transactions": total["transactions"]}
        for name in ("mean", "min", "p50", "p95", "p99", "p999", "max"):
            result[f"latency_{name}_ns"] = round(total[f"latency_{name}_ns"], 3)
        result["waiting_ns"] = round(total["waiting_ns"], 3)
        return result


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

    def finished(self, job, cause):
        self.done += 1
        if cause:
            self.failed += 1
            self.say(f"{self.done}/{self.total} {job.title()}: failed: {cause}")
        elif not self.bar:
            result = job.result()
            self.say(f"{self.done}/{self.total} {job.title()}: {result['guest_ns']} ns, "
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


def run_all(jobs, platform, arguments):
    """The causes of failure: {job: sentence}. An interruption takes effect between two looks at
    what runs, so that no process is lost sight of."""
    caught = []
    before = on_signals(lambda number, _: caught.append(number))
    waiting = [job for job in jobs if not job.result()]
    progress = Progress(len(jobs), len(jobs) - len(waiting))
    failures, running = {}, []
    try:
        while waiting or running:
            while waiting and len(running) < arguments.jobs:
                running.append(Running(waiting.pop(0), platform, arguments.timeout))
            for one in [r for r in running if r.ended()]:
                running.remove(one)
                cause = one.conclude()
                if cause:
                    failures[one.job] = cause
                progress.finished(one.job, cause)
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


# ---- command line ------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message + "; see ./tandem compare --help")


def parse(words):
    own, others = words, []
    if "--" in words:
        own, others = words[:words.index("--")], words[words.index("--") + 1:]
    cores = len(os.sched_getaffinity(0))
    parser = Parser(
        prog="tandem compare", formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description="Runs a workload over several interconnects and parameter values.",
        epilog="Options after -- are passed to each run of the platform.\n"
               "Workloads: " + ", ".join(WORKLOADS))
    parser.add_argument("--workload", required=True, metavar="NAME,...")
    parser.add_argument("--interconnect", required=True, metavar="A,B,...")
    parser.add_argument("--slaves", default="1", metavar="N,...", help="default: 1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=V1,V2,...",
                        help="parameter of those interconnects that have it; may be repeated; "
                             "write a list within a value with ':' instead of ','")
    parser.add_argument("--observe", default="every", metavar="MODE",
                        help="what the interconnects see of the shared memory: direct, every, "
                             "cached (default: every)")
    parser.add_argument("--cache", action="append", default=[], metavar="NAME=VALUE",
                        help="of the caches, with --observe cached; may be repeated")
    parser.add_argument("--param", action="append", default=[], metavar="K=V1,V2,...",
                        help="parameter of the workload; may be repeated")
    parser.add_argument("--platform", default="x86-arm", metavar="NAME",
                        help="default: x86-arm")
    parser.add_argument("--jobs", type=int, default=cores, metavar="J",
                        help=f"runs at a time (default: the number of cores, {cores})")
    parser.add_argument("--timeout", type=float, default=1800, metavar="S",
                        help="seconds after which a run counts as failed (default: 1800)")
    parser.add_argument("--out", required=True, metavar="DIR",
                        help="for results.csv, results.md, report.html, figures and runs")
    parser.add_argument("--build", default=os.path.join("build", "release"), metavar="DIR",
                        help="build directory (default: build/release)")
    arguments = parser.parse_args(own)
    if arguments.jobs < 1:
        raise Refused("--jobs must be at least 1")
    if not arguments.timeout > 0:
        raise Refused("--timeout must be more than 0")
    return arguments, others


def lock(directory):
    """Held until the process ends."""
    file = open(os.path.join(directory, "lock"), "w", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"another comparison is at work in {directory}") from None
    return file


def compare(words):
    arguments, others = parse(words)
    platform = Platform(os.path.abspath(arguments.build), arguments.platform, others)
    jobs = plan(arguments, platform)
    report.require_gnuplot()
    check(jobs, platform)
    out = os.path.abspath(arguments.out)
    runs = os.path.join(out, "runs")
    try:
        os.makedirs(runs, exist_ok=True)
    except OSError as error:
        raise Refused(f"{runs} cannot be made: {error.strerror}") from None
    held = lock(out)
    remove_parts(runs)
    digest = platform.digest()
    for job in jobs:
        job.place(runs, platform, digest)
    failures = run_all(jobs, platform, arguments)
    done = [job for job in jobs if job not in failures]
    # As it was typed: ./tandem puts the build directory first.
    command = shlex.join(["./tandem", "compare", *words[2 * (words[:1] == ["--build"]):]])
    for path in report.write(out, command, done, failures):
        print(path)
    held.close()
    if failures:
        print(f"error: {len(failures)} of {len(jobs)} runs failed", file=sys.stderr)
    return 1 if failures else 0


def main():
    def interrupt(number, _):
        raise Interrupted(number)
    on_signals(interrupt)
    try:
        return compare(sys.argv[1:])
    except Refused as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except report.NoGnuplot as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("interrupted; the same command goes on where this one was", file=sys.stderr)
        return interrupted.status


if __name__ == "__main__":
    sys.exit(main())
