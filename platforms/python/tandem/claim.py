# SPDX-License-Identifier: Apache-2.0
"""Who is making a run: a file that only one can create, on NFS as well.

A claim is a file with a name of its owner's and, by a link that fails when there is one, the name
NAME.0; the owner touches it while working. It is void when its owner has removed the first name, or
is a process of this node that is no more, or when it is much older than a file that has just been
touched beside it, so that no two clocks are compared. Whoever finds NAME.0 void takes NAME.1, which
again only one can, and so on; the highest number counts. No name is ever used again, so none can be
taken from a new owner by mistake. They go when the run is there, and whoever has a claim looks for
that first. Those of an owner that was killed just then are left, until somebody forgets them."""
from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
import uuid
from typing import NamedTuple

from .files import link_once, node

HEARTBEAT = 10  # seconds between two touches
SILENCE = 120  # seconds without one after which the owner counts as lost; more than NFS caches


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def start_of(pid: int) -> str:
    """When a process has started, in ticks since the node did; "": there is none. With its pid it
    is told from all others that the node has had."""
    stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return "" if len(stat) < 20 or stat[0] in "ZX" else stat[19]


def _node() -> str:
    """With the boot, before which the same pid was another process."""
    return f"{node()} {_read('/proc/sys/kernel/random/boot_id').strip()}"


class _Found(NamedTuple):
    own: str
    node: str
    pid: int
    start: str
    touched: float
    released: bool


class Claim:
    """Of what the path says, held from take() to release()."""

    def __init__(self, path: str) -> None:
        self._base, self._number = path, 0
        self._own = f"{path}.{uuid.uuid4().hex}"
        self._touched = 0.0

    def _name(self, number: int) -> str:
        return f"{self._base}.{number}"

    def take(self) -> bool:
        """Whether the claim is this object's now; if not, another one's is valid."""
        pid = os.getpid()
        with open(self._own, "w", encoding="ascii") as file:
            json.dump([os.path.basename(self._own), _node(), pid, start_of(pid)], file)
        self._touched = time.monotonic()
        while True:
            before = None
            for self._number in itertools.count():
                found = self._found(self._number)
                if found is None:
                    break
                before = found
            if before and not self._is_void(before):
                os.unlink(self._own)
                return False
            if link_once(self._own, self._name(self._number)):
                if before:
                    self._remove(os.path.join(os.path.dirname(self._base), before.own))
                return True

    def _found(self, number: int) -> _Found | None:
        try:
            # Opened, because NFS may have what stat() says from before.
            with open(self._name(number), encoding="ascii") as file:
                about = os.fstat(file.fileno())
                own, node, pid, start = json.load(file)
                return _Found(own, node, pid, start, about.st_mtime, about.st_nlink < 2)
        except FileNotFoundError:
            return None

    def _is_void(self, found: _Found) -> bool:
        if found.released:
            return True
        if found.node == _node():
            return start_of(found.pid) != found.start
        os.utime(self._own)  # the server's clock
        return os.stat(self._own).st_mtime - found.touched > SILENCE

    def touch(self) -> None:
        """To be called every few seconds while working."""
        if time.monotonic() - self._touched >= HEARTBEAT:
            self._touched = time.monotonic()
            # It may have been silent for so long that another one has taken over.
            with contextlib.suppress(FileNotFoundError):
                os.utime(self._own)

    @staticmethod
    def _remove(path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def release(self, for_good: bool) -> None:
        """for_good: the run is there, and nobody needs to claim it any more."""
        self._remove(self._own)
        if for_good:
            self.forget()

    def forget(self) -> None:
        """The run is there: takes away all claims of it, whosoever they are."""
        names = []
        for number in itertools.count():
            found = self._found(number)
            if found is None:
                break
            names += [self._name(number), os.path.join(os.path.dirname(self._base), found.own)]
        for name in reversed(names):  # who is killed here leaves the first ones
            self._remove(name)
