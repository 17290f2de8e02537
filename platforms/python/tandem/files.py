# SPDX-License-Identifier: Apache-2.0
"""Files: each hashed once, and written as a whole."""
from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import threading
from collections.abc import Iterable
from typing import Any

from .words import Refused


def node() -> str:
    """Where a pid means one process: host name and name space of pids."""
    return f"{socket.gethostname()}.{os.stat('/proc/self/ns/pid').st_ino}"


def unique(path: str) -> str:
    """A name beside it that nobody else takes, on another node either."""
    return f"{path}.{node()}.{os.getpid()}.{threading.get_ident()}.part"


def write_text(path: str, text: str) -> str:
    """All of it or nothing, whoever else writes it or is interrupted."""
    part = unique(path)
    with open(part, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(part, path)
    return path


def write_for_user(path: str, text: str) -> str:
    """The same where the user wants it; refuses what the system refuses."""
    path = os.path.abspath(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return write_text(path, text)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from None


def link_once(own: str, path: str) -> bool:
    """Gives a file of one's own this name unless there is one, which only one can do, on NFS too;
    whether it did."""
    try:
        os.link(own, path)
    except OSError as error:
        # An answer may be lost on the way; what is then asked for again has been done.
        if os.stat(own).st_nlink == 2:
            return True
        if not isinstance(error, FileExistsError):
            raise
        return False
    return True


def read_json(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))


def read_statistics(directory: str) -> dict[str, Any]:
    """Of the run that has left them there."""
    path = os.path.join(directory, "stats.json")
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise Refused(f"{path} cannot be read: {cause}; without its directory the run is made "
                      "again") from None


class FileHashes:
    """SHA-256 of files as they were when first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def of(self, path: str) -> str:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def of_input(self, path: str) -> str | None:
        """None: there is no such file, and the program will say so, should it need it. A
        checkpoint is a directory with one file that has the fingerprints of the others."""
        if path not in self._known:
            try:
                file = os.path.join(path, "manifest.json") if os.path.isdir(path) else path
                self._known[path] = self.of(file) if os.path.isfile(file) else None
            except (OSError, ValueError):
                self._known[path] = None
        return self._known[path]

    def named_in(self, words: Iterable[str]) -> dict[str, str]:
        """{path: hash} of the files that words name, also as NAME=FILE."""
        paths = {part for word in words for part in (word, *re.split("[=, ]", word))}
        hashes = {path: self.of_input(path) for path in paths}
        return {path: found for path, found in hashes.items() if found}
