# SPDX-License-Identifier: Apache-2.0
"""Runs platforms for the integration tests and reads what they leave.

The environment says what is under test:
  TANDEM_PLATFORM     the executable (x86-arm)
  TANDEM_GUESTS       directory with ARCH/PROGRAM.elf
  TANDEM_QEMU_PREFIX  passed on as --qemu-prefix; empty: the installed QEMU

No test depends on how fast the host is: every wait is bounded, generously, and
passing a bound is a failure that shows command, messages and consoles.
"""
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PLATFORM = os.environ.get("TANDEM_PLATFORM", "")
GUESTS = os.environ.get("TANDEM_GUESTS", "")
QEMU_PREFIX = os.environ.get("TANDEM_QEMU_PREFIX", "")

MACHINES = {  # kind of machine: directory of its guest programs
    "x86-pc": "x86_64",
    "x86-q35": "x86_64",
    "arm": "arm",
    "aarch64": "aarch64",
    "cortexm": "cortexm",
    "cortexm33": "cortexm33",
    "riscv64": "riscv64",
}

# Where the windows lie for a guest; sw/include/tandem-sw/guest_map.h.
IDM_ADDRESS = {"x86_64": 0xD0000000, "arm": 0x0F000000, "aarch64": 0x0F000000,
               "cortexm": 0xA0000000, "cortexm33": 0xA0000000, "riscv64": 0x0F000000}
SHM_ADDRESS = {"x86_64": 0x80000000, "arm": 0x80000000, "aarch64": 0x80000000,
               "cortexm": 0x60000000, "cortexm33": 0x60000000, "riscv64": 0xC0000000}

# For programs that give up when nothing comes: in free mode the host may keep anybody waiting.
FREE = ("--mode", "free", "--param", "timeout=20000000000")

RUN_TIMEOUT = 600  # seconds of host time; a run takes well under ten on an idle host


def ctest(timeout=300, once=False):
    """What ctest has to know about a test: its bound in seconds, of which hosts that are slow are
    given several times as many (CMakeLists.txt), and whether it has nothing to do with QEMU's
    version and runs once only."""
    def mark(function):
        function.ctest = {"timeout": timeout, "once": once}
        return function
    return mark


def guest(arch, program):
    return os.path.join(GUESTS, arch, program + ".elf")


def install(prefix):
    """What is built, as an installation below that directory."""
    subprocess.run([os.environ.get("TANDEM_CMAKE", "cmake"), "--install",
                    os.environ["TANDEM_BUILD"], "--prefix", prefix], check=True,
                   stdout=subprocess.DEVNULL, timeout=RUN_TIMEOUT)


def copy_sparse(source, destination):
    """A directory, holes of its files as holes: shutil would write out all of a guest's memory."""
    subprocess.run(["cp", "-rT", source, destination], check=True, timeout=RUN_TIMEOUT)


def ephemeral_ports():
    """The first of those that the kernel gives to whoever asks for any."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            return int(f.read().split()[0])
    except OSError:
        return 32768


_claims = []  # sockets, whose names go with this process


def free_port():
    """A port of 127.0.0.1 that no other test is given while this one runs, nor anybody who connects
    to something: whoever is told of it may take it later."""
    while True:
        port = random.SystemRandom().randrange(min(10000, ephemeral_ports() // 2),
                                               ephemeral_ports())
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0tandem-test-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


def children(pid):
    """Processes whose parent is pid: {child: name}."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                head, tail = f.read().rsplit(")", 1)
            if int(tail.split()[1]) == pid:
                found[int(entry)] = head.split("(", 1)[1]
        except (OSError, IndexError):
            pass  # ended meanwhile
    return found


def state_of(pid):
    """Of a process, or of its first thread: the letter in /proc; empty: there is none."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def alive(pid):
    """Whether the process exists and is no zombie."""
    return state_of(pid) not in ("", "Z", "X")


def read_text(path):
    """Without carriage returns; empty when there is no such file yet, or no such process now."""
    try:
        with open(path, "rb") as f:
            return f.read().decode(errors="replace").replace("\r", "")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(condition, timeout=120, period=0.02):
    """True as soon as condition() is; False when it is not within the timeout."""
    end = time.monotonic() + timeout
    while True:
        if condition():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(period)


def without_host(statistics):
    """The statistics without everything that depends on the host."""
    if isinstance(statistics, dict):
        return {k: without_host(v) for k, v in statistics.items() if k != "host"}
    if isinstance(statistics, list):
        return [without_host(v) for v in statistics]
    return statistics


class Vcd:
    """A VCD file: signals["master.state"] is a list of (time in ps, value as text). Raises
    ValueError on a file that is cut off or otherwise not as it should be."""

    def __init__(self, path):
        with open(path, encoding="ascii") as f:
            text = f.read()
        if not text.endswith("\n"):
            raise ValueError("the last line is not complete")
        head, _, body = text.partition("$enddefinitions")
        if not body:
            raise ValueError("the definitions do not end")
        if "1 ps" not in head.split("$timescale")[1].split("$end")[0]:
            raise ValueError("the time scale is not 1 ps")
        self.signals = {}
        names = self._names(head)
        now = 0
        body = re.sub(r"\$comment.*?\$end", "", body.partition("$end")[2], flags=re.S)
        for line in body.splitlines():
            line = line.strip()
            if not line or line in ("$dumpvars", "$end"):
                continue
            if line[0] == "#":
                if int(line[1:]) < now:
                    raise ValueError(f"time goes backwards at {line}")
                now = int(line[1:])
            else:
                vector = line[0] == "b"
                value, key = line[1:].split() if vector else (line[0], line[1:])
                self.signals[names[key]].append((now, value))
        self.end = now

    def _names(self, head):
        scope, names = [], {}
        for words in (line.split() for line in head.splitlines()):
            if words[:1] == ["$scope"]:
                scope.append(words[2])
            elif words[:1] == ["$upscope"]:
                scope.pop()
            elif words[:1] == ["$var"]:
                names[words[3]] = ".".join(scope[1:] + [words[4]])
                self.signals[names[words[3]]] = []
        return names

    def scopes(self):
        return {name.split(".")[0] for name in self.signals if "." in name}

    def values(self, name):
        return [int(value, 2) for _, value in self.signals[name]]


class Run:
    """A run of a platform that has ended."""

    def __init__(self, command, status, stdout, stderr, out, seconds):
        self.command, self.status, self.seconds = command, status, seconds
        self.stdout, self.stderr, self.out = stdout, stderr, out

    def file(self, name):
        with open(os.path.join(self.out, name), "rb") as f:
            return f.read()

    def logs(self):
        return sorted(f for f in os.listdir(self.out) if f.endswith(".log"))

    def console(self, instance="master"):
        return read_text(os.path.join(self.out, instance + ".log"))

    def results(self, instance="master"):
        """The program's RESULT lines: {key: rest of the line}."""
        lines = (line.split(" ", 2) for line in self.console(instance).splitlines())
        return {words[1]: words[2] for words in lines
                if len(words) == 3 and words[0] == "RESULT"}

    def number(self, key, instance="master"):
        return int(self.results(instance)[key], 0)

    def statistics(self):
        return json.loads(self.file("stats.json"))

    def module(self, name):
        return self.statistics()["modules"][name]

    def vcd(self):
        return Vcd(os.path.join(self.out, "trace.vcd"))

    def errors(self):
        return [line for line in self.stderr.splitlines() if line.startswith("error:")]

    def fingerprint(self, guests_only=False):
        """All that must be the same in every run: {name: bytes}."""
        parts = {name: self.file(name) for name in self.logs()}
        if not guests_only:
            parts["trace.vcd"] = self.file("trace.vcd")
            parts["stats.json"] = json.dumps(without_host(self.statistics()), indent=1).encode()
        return parts

    def describe(self):
        text = [f"command: {' '.join(self.command)}", f"exit status: {self.status}",
                f"host time: {self.seconds:.1f} s", "--- standard error", self.stderr.rstrip()]
        if self.out and os.path.isdir(self.out):
            for name in self.logs():
                text += [f"--- {name}", self.console(name[:-4]).rstrip()[-4000:]]
        else:
            text += ["--- standard output", self.stdout.rstrip()[-4000:]]
        return "\n".join(text)


class Started:
    """A platform that runs."""

    def __init__(self, command, out, environment, directory, number):
        self.command, self.out = command, out
        self._paths = [os.path.join(directory, f"{name}{number}") for name in ("stdout", "stderr")]
        self.begin = time.monotonic()
        with open(self._paths[0], "wb") as stdout, open(self._paths[1], "wb") as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout,
                                            stderr=stderr, env=environment, cwd=directory)
        self.pid = self.process.pid

    def running(self):
        return self.process.poll() is None

    def stdout(self):
        return read_text(self._paths[0])

    def stderr(self):
        return read_text(self._paths[1])

    def log(self, instance):
        """What its console has shown so far."""
        return read_text(os.path.join(self.out, instance + ".log"))

    def qemu(self, program, timeout=60):
        """The pid of the child that runs this program (the first 15 letters count)."""
        found = []

        def look():
            found[:] = [p for p, name in children(self.pid).items() if name == program[:15]]
            return found or not self.running()
        wait_for(look, timeout, 0.005)
        return found[0] if found else None

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def wait(self, timeout=RUN_TIMEOUT):
        """The Run; status None when it did not end in time (it is killed then)."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.monotonic() - self.begin
        self.stop()
        return Run(self.command, status, self.stdout(), self.stderr(), self.out, seconds)

    def stop(self):
        if self.running():
            self.process.kill()
            self.process.wait()


class Hogs:
    """Processes that keep cores busy while the with block runs, and never for long."""

    def __init__(self, count=2, seconds=200):
        self._count, self._seconds = count, seconds

    def __enter__(self):
        loop = f"import time\nend = time.time() + {self._seconds}\nwhile time.time() < end: pass"
        self._processes = [subprocess.Popen([sys.executable, "-c", loop])
                           for _ in range(self._count)]
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()


class PlatformTest(unittest.TestCase):
    """A test with a directory of its own, which shows the runs concerned when it fails."""
    maxDiff = 4000

    def run(self, result=None):
        result = self.defaultTestResult() if result is None else result
        bad = len(result.failures) + len(result.errors)
        self.directory = tempfile.mkdtemp(prefix="tandem-test-")
        self._runs, self._started = [], []
        self._numbers = itertools.count()  # tests start runs from several threads
        try:
            super().run(result)
            if len(result.failures) + len(result.errors) > bad:
                for run in self._runs[-2:]:
                    print(run.describe(), "\n", file=sys.stderr)
        finally:
            for started in self._started:
                started.stop()
            shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *options, environment=None, prefix=QEMU_PREFIX, out=True, platform=PLATFORM):
        """Starts the platform, a path or words that begin with one, with --out DIR, and nothing on
        its standard output. Threads of a test may call this at the same time: each run has files
        of its own."""
        number = next(self._numbers)
        command = [*([platform] if isinstance(platform, str) else platform), "--progress", "off"]
        if "--check" not in options:
            command += ["--check", "on"]
        directory = None
        if out:
            directory = self.path(f"out{number}")
            command += ["--out", directory, "--consoles", "off"]
        if prefix:
            command += ["--qemu-prefix", prefix]
        command += [str(o) for o in options]
        everything = dict(os.environ, TMPDIR=self.directory, **(environment or {}))
        started = Started(command, directory, everything, self.directory, number)
        self._started.append(started)
        return started

    def finish(self, started, status=0, timeout=RUN_TIMEOUT):
        run = started.wait(timeout)
        self._runs.append(run)
        self.assertIsNotNone(run.status, f"the platform hangs: no end within {timeout} s")
        if status is not None:
            self.assertEqual(run.status, status, run.stderr)
        return run

    def simulate(self, *options, status=0, timeout=RUN_TIMEOUT, **how):
        """Runs to the end and checks the exit status (None: any)."""
        return self.finish(self.start(*options, **how), status, timeout)

    def assert_same(self, first, second, guests_only=False):
        """All that the two runs left is the same, the host's part aside."""
        a, b = first.fingerprint(guests_only), second.fingerprint(guests_only)
        self.assertEqual(sorted(a), sorted(b))
        for name in a:
            if a[name] != b[name]:
                self._runs += [first, second]
                self.assertEqual(a[name].decode(errors="replace"),
                                 b[name].decode(errors="replace"), name + " differs")

    def refused(self, *options, **how):
        """A run that must be refused: the sentence after "error: ", of which there is one."""
        run = self.simulate(*options, status=None, **how)
        errors = run.errors()
        self.assertEqual(len(errors), 1, run.stderr)
        self.assertNotEqual(run.status, 0)
        self.assertGreater(run.status, 0, "ended by a signal")
        return errors[0][len("error: "):]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that finally blocks run
    unittest.main(verbosity=2)
