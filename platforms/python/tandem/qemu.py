# SPDX-License-Identifier: Apache-2.0
"""Which QEMU a node has."""
from __future__ import annotations

import functools
import re
import subprocess


@functools.lru_cache(maxsize=None)
def version_of(program: str) -> str:
    """As in "QEMU emulator version 7.2.17 (Debian ...)"; "" where there is no such program."""
    try:
        said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version (\S+)", said)
    return found[1] if found else ""
