# SPDX-License-Identifier: Apache-2.0
"""On a node: makes the task of one element of an array, and writes down how it ended and what it
took. Called by the job's script as: python3 -m tandem.slurm_task DIR/slurm N"""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import Any

from .slurm_ledger import put

PERIOD = 0.5  # seconds between two looks at the memory that is used


def task_of(path: str, index: int) -> dict[str, Any]:
    """The line of a piece."""
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            task: dict[str, Any] = json.loads(line)
            if task["index"] == index:
                return task
    raise LookupError(f"{path} has no task {index}")


def resident(root: int) -> float:
    """MiB that a process and its descendants hold; what they share counts for each, as it does for
    a Slurm without cgroups."""
    processes = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    words = file.read().rsplit(")", 1)[1].split()
                processes[int(entry)] = (int(words[1]), int(words[21]))
            except (OSError, IndexError):
                pass  # ended meanwhile

    def of_tree(process: int) -> bool:
        while process in processes and process != root:
            process = processes[process][0]
        return process == root
    pages = sum(size for process, (_, size) in processes.items() if of_tree(process))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Measured(threading.Thread):
    """Looks at the memory of a process from time to time. most: MiB"""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.most, self._process = 0.0, process
        self.start()

    def run(self) -> None:
        period = PERIOD / 10
        while self._process.poll() is None:
            self.most = max(self.most, resident(self._process.pid))
            time.sleep(period)
            period = min(PERIOD, 2 * period)


def last_words(path: str) -> str:
    """The last line of a task that is not Slurm's."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip() and not re.match("slurmstepd", line)]
    return lines[-1] if lines else ""


def main(directory: str, number: str) -> int:
    index = int(os.environ["SLURM_ARRAY_TASK_ID"])
    task = task_of(os.path.join(directory, number + ".piece"), index)
    stem = os.path.join(directory, f"{number}-{index}")
    begin = time.monotonic()
    try:
        process = subprocess.Popen(task["argv"], cwd=task["directory"], stdin=subprocess.DEVNULL,
                                   env=dict(os.environ, **task["environment"]))
        measured = Measured(process)
        status = process.wait()
        most = measured.most
    except OSError as error:  # as a shell has it
        print(f"{error.filename}: {error.strerror}", flush=True)
        status, most = 127, 0.0
    record = {"status": status, "seconds": round(time.monotonic() - begin, 3),
              "memory": round(most, 1), "node": os.uname().nodename}
    if status:
        record["said"] = last_words(stem + ".log")
    put(stem + ".end", json.dumps(record))
    if not status:
        os.unlink(stem + ".log")
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
