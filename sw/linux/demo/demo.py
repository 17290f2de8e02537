# SPDX-License-Identifier: Apache-2.0
"""What the demos with Linux have in common."""

import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
DEMO = os.path.join(ROOT, "sw", "linux", "demo")
OVERLAY = os.path.join(ROOT, "sw", "linux", "kit", "overlay")
LINUX = os.environ.get("TANDEM_LINUX") or os.path.join(ROOT, "build", "linux")
X86_CONFIG = os.path.join(ROOT, "platforms", "x86-arm", "linux.ini")


def say(*words):
    print("+", *words, file=sys.stderr, flush=True)


def run(*command, **how):
    say(*command)
    return subprocess.run(command, check=True, **how)


def guest(build, arch, file):
    """A program that comes with Tandem, of a build directory or an installation."""
    built = os.path.join(build, "guests", arch, file)
    installed = os.path.join(build, "share", "tandem", "guests", arch, file)
    return installed if os.path.exists(installed) else built


def simulate(platform, initramfs, out):
    """Runs the platform with its master's initramfs; returns its exit status."""
    command = [*platform, "--master.initrd", initramfs, "--out", out]
    for name in os.listdir(out) if os.path.isdir(out) else []:
        if name.endswith(".log"):
            os.remove(os.path.join(out, name))  # of an earlier run
    say(*command)
    return subprocess.run(command, check=False).returncode


def initramfs(out, architecture, files):
    """The kit's initramfs with more files: {path in the guest: path here}."""
    run(OVERLAY, "--behind", os.path.join(LINUX, architecture, "initramfs.gz"), out,
        *(f"{inside}={here}" for inside, here in files.items()))
    return out


def console(out, instance):
    with open(os.path.join(out, instance + ".log"), "rb") as file:
        return file.read().decode(errors="replace").replace("\r", "")


def missing(text, steps):
    """The first step that a console does not show, or None; prints those that it does. A step is
    what it shows, and how the console shows it."""
    at = 0
    for what, pattern in steps:
        found = re.compile(pattern, re.M).search(text, at)
        if not found:
            return what
        print("seen:", what)
        at = found.end()
    return None


def check(out, status, steps):
    """Ends the program unless each instance's console shows its steps and the status is 0."""
    for instance, wanted in steps.items():
        if not os.path.exists(os.path.join(out, instance + ".log")):
            sys.exit(f"demo: the platform did not start, status {status}")
        gap = missing(console(out, instance), wanted)
        if gap:
            ended = f"; the platform ended with status {status}" if status else ""
            sys.exit(f"demo: not seen: {gap}{ended}; see {out}/{instance}.log")
    if status:
        sys.exit(f"demo: the platform ended with status {status}")
