# SPDX-License-Identifier: Apache-2.0
"""What a comparison has submitted to Slurm, in its directory: whoever goes on with it finds it
there, and several at a time do not submit the same.

DIR/slurm/name        of the jobs, without the piece's number
DIR/slurm/N.piece     the tasks of the N-th array, as lines of JSON; written before it is submitted
DIR/slurm/N.job       its number in Slurm; "none": it was never submitted
DIR/slurm/N.told      its failures were told: whoever begins afterwards may make them again
DIR/slurm/N-I.end     how element I ended, as JSON; written on the node
DIR/slurm/N-I.log     what it said; removed when it ended well

A file appears whole or not at all, by link(), which is atomic on NFS too; a lock would not be. A
piece can only be added by who has read all those before it."""
from __future__ import annotations

import json
import os
import secrets
import socket
from typing import Any, Mapping

from .files import link_once, unique

NEVER = "none"


class Piece:
    """An array. tasks: {index: task's id}; lost: {index: how often the task had been lost before};
    limits: see slurm_limits.Limits; job: its number, None while it is being submitted."""

    def __init__(self, number: int, head: dict[str, Any],
                 lines: list[dict[str, Any]]) -> None:
        self.number = number
        self.tasks: dict[int, str] = {line["index"]: line["id"] for line in lines}
        self.lost: dict[int, int] = {line["index"]: line["lost"] for line in lines}
        self.limits: dict[str, Any] = head["limits"]
        self.host, self.process = head["host"], head["process"]
        self.job: str | None = None
        self.seen_without_job: float | None = None  # since when, by time.monotonic()

    @property
    def abandoned(self) -> bool:
        return self.job == NEVER


Place = tuple[Piece, int]  # an element by its index


class Ledger:
    def __init__(self, directory: str) -> None:
        self.directory = os.path.join(os.path.abspath(directory), "slurm")
        os.makedirs(self.directory, exist_ok=True)
        self._put("name", "tandem-" + secrets.token_hex(4))
        self.name = self._text("name") or ""
        self.pieces: list[Piece] = []  # those that were not told before
        # Of a task, the last one last.
        self.places: dict[str, list[Place]] = {}
        self._next = 0
        self.refresh(beginning=True)

    def refresh(self, beginning: bool = False) -> None:
        """Reads what others have added."""
        while True:
            text = self._text(f"{self._next}.piece")
            if text is None:
                break
            if not beginning or self._text(f"{self._next}.told") is None:
                head, *lines = (json.loads(line) for line in text.splitlines())
                self._add(Piece(self._next, head, lines))
            self._next += 1
        for piece in self.pieces:
            if piece.job is None:
                piece.job = self._text(f"{piece.number}.job")

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        for index, task in piece.tasks.items():
            self.places.setdefault(task, []).append((piece, index))

    def place(self, task: str) -> Place | None:
        """Where the task was submitted last; None when it was not."""
        return next(((piece, index) for piece, index in reversed(self.places.get(task, []))
                     if not piece.abandoned), None)

    def append(self, tasks: Mapping[int, Any], limits: dict[str, Any],
               lost: Mapping[str, int]) -> Piece | None:
        """The new piece of {index: task}; None when another one was added meanwhile, which is to be
        read first."""
        head = {"limits": limits, "host": socket.gethostname(), "process": os.getpid()}
        lines = [{"index": index, "id": task.id, "lost": lost.get(task.id, 0), "argv": task.argv,
                  "directory": task.directory, "environment": task.environment}
                 for index, task in tasks.items()]
        text = "".join(json.dumps(line) + "\n" for line in [head, *lines])
        if not self._put(f"{self._next}.piece", text):
            return None
        piece = Piece(self._next, head, lines)
        self._next += 1
        self._add(piece)
        return piece

    def settle(self, piece: Piece, job: str) -> bool:
        """Whether this is the piece's job from now on, rather than another that was settled."""
        self._put(f"{piece.number}.job", job)
        piece.job = self._text(f"{piece.number}.job")
        return piece.job == job

    def tell(self, piece: Piece) -> None:
        self._put(f"{piece.number}.told", "")

    def name_of(self, piece: Piece) -> str:
        return f"{self.name}.{piece.number}"

    def end_of(self, piece: Piece, index: int) -> dict[str, Any] | None:
        """The record of an element; None when there is none."""
        text = self._text(f"{piece.number}-{index}.end")
        return json.loads(text) if text else None

    def log_of(self, piece: Piece, index: int) -> str:
        return os.path.join(self.directory, f"{piece.number}-{index}.log")

    def _text(self, name: str) -> str | None:
        try:
            with open(os.path.join(self.directory, name), encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def _put(self, name: str, text: str) -> bool:
        return put(os.path.join(self.directory, name), text)


def put(path: str, text: str) -> bool:
    """Makes the file unless there is one; whether it did."""
    part = unique(path)
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        return link_once(part, path)
    finally:
        os.unlink(part)
