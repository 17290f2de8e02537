# SPDX-License-Identifier: Apache-2.0
"""What was typed: lists of values, and options among words."""
from __future__ import annotations

import argparse
import fnmatch
import itertools
import os
import re
from collections.abc import Collection, Iterator, Sequence

CALLED = os.environ.get("TANDEM_COMMAND", "./tandem")  # as the user calls it
WORKLOADS = {  # name: the least number of slaves
    "chase": 0,
    "contend": 0,
    "matmul": 1,
    "pipeline": 1,
    "triad": 0,
}
# What they read: each its own, and all of them.
PARAMETERS = {
    "chase": ("n", "rounds", "stride"),
    "contend": ("hold", "lock", "n"),
    "matmul": ("n", "seed", "tile"),
    "pipeline": ("items", "size", "slots"),
    "triad": ("kind", "n", "rounds"),
}
PARAMETERS_OF_ALL = ("cpus", "exit")


class Refused(Exception):
    """What is wrong, as a sentence."""


class Parser(argparse.ArgumentParser):
    """Of one command, which is the last word of its prog."""

    def error(self, message: str):  # type: ignore[override]
        raise Refused(message + f"; see {CALLED} {self.prog.split()[-1]} --help")


def split_list(text: str, what: str) -> list[str]:
    """Entries between commas; one that is written \\, is part of its entry."""
    items = [item.replace("\\,", ",") for item in re.split(r"(?<!\\),", text)]
    if not all(items):
        raise Refused(f"{what} '{text}' has an empty entry")
    repeated = next((item for item in items if items.count(item) > 1), None)
    if repeated is not None:
        raise Refused(f"{what} '{text}' has '{repeated}' twice")
    return items


def joined(values: str | float | Sequence[str | float]) -> str:
    """What split_list() takes apart: of a list, or of what is typed already."""
    if isinstance(values, (str, int, float)):
        return str(values)
    return ",".join(str(value).replace(",", "\\,") for value in values)


def known(names: list[str], choice: Collection[str], what: str) -> list[str]:
    for name in names:
        if name not in choice:
            raise Refused(f"unknown {what} '{name}'; known are {', '.join(choice) or 'none'}")
    return names


def axes(entries: list[str], option: str) -> list[tuple[str, list[str]]]:
    """[("width", ["4", "8"]), ...] of ["width=4,8", ...]"""
    found: list[tuple[str, list[str]]] = []
    for entry in entries:
        name, equals, values = entry.partition("=")
        if not name or not equals:
            raise Refused(f"{option} '{entry}' is not of the form NAME=VALUE,...")
        if name in (other for other, _ in found):
            raise Refused(f"{option} names '{name}' twice")
        found.append((name, split_list(values, f"{option} {name}")))
    return found


def combinations(choices: list[tuple[str, list[str]]]) -> list[list[tuple[str, str]]]:
    names = [name for name, _ in choices]
    return [list(zip(names, values)) for values in itertools.product(*(v for _, v in choices))]


def options_among(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, value) of each option, be it written --NAME VALUE or --NAME=VALUE."""
    for word, following in zip(words, [*words[1:], ""]):
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            yield name, value if equals else following


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Those names that A+B, each a name or a pattern such as cache*, means. One without a pattern
    need not be among them."""
    found: list[str] = []
    for one in pattern.split("+"):
        if re.search(r"[*?\[]", one):
            of_pattern = fnmatch.filter(names, one)
            if not of_pattern:
                raise Refused(f"nothing is called '{one}'; there are {', '.join(names) or 'none'}")
            found += of_pattern
        else:
            found.append(one)
    return found
