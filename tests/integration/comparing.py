# SPDX-License-Identifier: Apache-2.0
"""Calls tandem compare as ./tandem does, and reads what it leaves."""
import csv
import os
import re
import signal
import subprocess
import sys

from platform_run import RUN_TIMEOUT, PlatformTest, read_text, wait_for

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PYTHON = os.path.join(ROOT, "platforms", "python")
BUILD = os.environ.get("TANDEM_BUILD", "")
os.environ["PYTHONPATH"] = PYTHON
COMPARISON_TIMEOUT = 1000  # seconds of host time, also where each run begins with a Linux

# In place of a program: before each run of a comparison it does something.
WRAPPED = """#!/bin/sh
case " $* " in *" --stats "*) ;; *) exec {program} "$@" ;; esac
{before}
exec {program} "$@"
"""
WRAPPED_PROGRAMS = ("x86-arm", "tandem-system", "tandem-traffic")
# Three runs begin and end, the others wait.
HELD = """for number in 1 2 3; do mkdir {place}/$number 2>/dev/null && exec {program} "$@"; done
touch {place}/waits
while [ ! -e {place}/go ]; do sleep 0.1; done"""


def processes_of(directory):
    """Processes whose command line names the directory."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and \
                directory in read_text(f"/proc/{entry}/cmdline"):
            found.append(int(entry))
    return found


class ComparisonTest(PlatformTest):
    def command(self, *options, out="out", build=BUILD):
        return [sys.executable, "-m", "tandem", "compare", "--build", build,
                "--out", self.path(out), *(str(o) for o in options)]

    def wrapped_build(self, before, **values):
        """The build with programs that execute these lines of a shell before each run."""
        build = self.path("build")
        os.makedirs(os.path.join(build, "bin"))
        for name in ("lib", "guests"):
            os.symlink(os.path.join(BUILD, name), os.path.join(build, name))
        for name in os.listdir(os.path.join(BUILD, "bin")):
            program, path = (os.path.join(place, "bin", name) for place in (BUILD, build))
            if name not in WRAPPED_PROGRAMS:
                os.symlink(program, path)
                continue
            with open(path, "w", encoding="ascii") as file:
                file.write(WRAPPED.format(program=program,
                                          before=before.format(program=program, **values)))
            os.chmod(path, 0o755)
        return build

    def compare(self, *options, status=0, out="out", environment=None, build=BUILD):
        done = subprocess.run(self.command(*options, out=out, build=build),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=COMPARISON_TIMEOUT, check=False, env=environment)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def rows(self, out="out"):
        with open(self.path(os.path.join(out, "results.csv")), newline="",
                  encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def run_file(self, row, name):
        """Text of a file of the row's first run."""
        return read_text(self.path(os.path.join("out", "runs", row["run"], name)))

    def refused_with(self, sentence, *options):
        done = self.compare(*options, status=2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(sentence, done.stderr)

    def check_nothing_runs(self):
        """A platform that does not end when it is told to is killed, and the kernel ends its QEMUs
        a moment later."""
        self.assertTrue(wait_for(lambda: not processes_of(self.path("out"))), "a run goes on")

    def check_interruption(self, rows, total, *options):
        """Interrupts a comparison that makes two runs at a time after the second of so many, and
        has it go on."""
        log, place = self.path("log"), self.path("held")
        os.mkdir(place)
        build = self.wrapped_build(HELD, place=place)
        with open(log, "wb") as stderr:
            process = subprocess.Popen(self.command(*options, "--jobs", 2, build=build),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=stderr)
        try:
            some = re.compile(rf"^[23]/{total} ", re.M)
            self.assertTrue(wait_for(lambda: some.search(read_text(log)) and
                                     os.path.exists(os.path.join(place, "waits")), RUN_TIMEOUT),
                            read_text(log))
            process.send_signal(signal.SIGINT)
            status = process.wait(120)
        finally:
            process.kill()
            process.wait()
        self.assertEqual(status, 130, read_text(log))
        self.assertEqual(read_text(log).splitlines()[-1],
                         "interrupted; the same command goes on where this one was")
        self.check_nothing_runs()
        runs = self.path("out/runs")
        kept = {name: os.stat(os.path.join(runs, name, "result.json")).st_mtime_ns
                for name in os.listdir(runs)}
        self.assertIn(len(kept), (2, 3))
        with open(os.path.join(place, "go"), "w", encoding="ascii"):
            pass
        done = self.compare(*options, "--jobs", 2, build=build)
        self.assertIn(f"{len(kept)} of {total} runs are there already", done.stderr)
        self.assertEqual(len(self.rows()), rows)
        for name, written in kept.items():
            self.assertEqual(os.stat(os.path.join(runs, name, "result.json")).st_mtime_ns,
                             written)
