# SPDX-License-Identifier: Apache-2.0
"""Runs commands and prints each before it, so that it can be typed by hand."""

import os
import shlex
import subprocess
import sys


class KitError(Exception):
    """One sentence for the user."""


def sentence(error):
    """What the user is told of a KitError or an OSError."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def say(text):
    print(f"+ {text}", file=sys.stderr, flush=True)


def run(command, environment=None, directory=None):
    """Runs a command; its output goes where errors go, as the kit prints no result."""
    _say_command(command, environment, directory)
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, cwd=directory,
                          stdin=subprocess.DEVNULL, stdout=sys.stderr, close_fds=False, check=False)
    if done.returncode:
        raise _failure(command, done)


def output_of(command, environment=None, quiet=False, may_fail=False):
    if not quiet:
        _say_command(command, environment, None)
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode and not may_fail:
        raise _failure(command, done)
    return done.stdout


def filtered(command, data):
    """What the command makes of `data`."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise _failure(command, done)
    return done.stdout


def _failure(command, done):
    return KitError(f"{command[0]} failed with status {done.returncode}; what it said is above")


def _say_command(command, environment, directory):
    words = [f"{name}={shlex.quote(value)}" for name, value in (environment or {}).items()]
    words.append(shlex.join(command))
    say((f"cd {shlex.quote(directory)} && " if directory else "") + " ".join(words))
