# SPDX-License-Identifier: Apache-2.0
"""tandem rerun: a run goes back to a time. It begins with the nearest checkpoint before, and all
its guests stand still at exactly that time, for debuggers. See docs/checkpoints.md."""
from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import socket
import sys
from decimal import Decimal
from typing import NamedTuple

from .words import Parser, Refused

UNITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}  # powers of ten, in ns
# What was for another way to run, behind which nobody waits here.
INSTEAD = {"realtime": "0", "time-limit": "0"}


class Member(NamedTuple):
    """A checkpoint: where it is, when it was made, how far its guests were, and who they are."""
    path: str
    time_ns: int
    reached_ns: int
    instances: list[str]


def time_of(text: str) -> int:
    """In ns."""
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz").rstrip()
    unit = text[len(digits):].strip()
    if digits.replace(".", "", 1).isdecimal() and unit in UNITS:
        ns = Decimal(digits).scaleb(UNITS[unit])
        if ns > 0 and ns == int(ns):
            return int(ns)
    raise Refused(f"impossible time '{text}'; give one such as 12.5ms, in whole nanoseconds")


def in_units(ns: int) -> str:
    unit = next(u for u, power in UNITS.items() if u == "ns" or ns >= 10 ** power)
    return f"{(Decimal(ns) / 10 ** UNITS[unit]).normalize():f} {unit}"


def member(path: str) -> Member | None:
    manifest = os.path.join(path, "manifest.json")
    if not os.path.isfile(manifest):  # a pipe would be waited for
        return None
    try:
        with open(manifest, encoding="utf-8") as file:
            saved = json.load(file)
        return Member(path, int(saved["time_ns"]), int(saved["reached_ns"]),
                      saved["common"]["instances"].split())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def members(place: str) -> list[Member]:
    """Of a chain, or the one checkpoint that it is; those of them that can be read."""
    if os.path.exists(os.path.join(place, "manifest.json")):
        found = [member(place)]
    elif os.path.exists(os.path.join(place, "chain.json")):
        found = [member(os.path.join(place, name)) for name in sorted(os.listdir(place))
                 if not name.endswith(".partial")]
    else:
        raise Refused(f"'{place}' is neither a checkpoint nor a chain of them")
    readable = [one for one in found if one]
    if not readable:
        raise Refused(f"'{place}' has no checkpoint that can be read")
    return readable


def nearest(those: list[Member], time_ns: int) -> Member | None:
    """Guests of a checkpoint are up to a window behind the time at which it was made."""
    before = [one for one in those if one.reached_ns < time_ns]
    return max(before, key=lambda one: one.time_ns) if before else None


def free_ports(count: int) -> list[int]:
    """Below those that the kernel gives to whoever connects: QEMU takes them later."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(10000, 32768)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def names_of(options: list[str]) -> set[str]:
    return {word[2:].partition("=")[0] for word in options if word.startswith("--")}


def gdb_options(instances: list[str], given: set[str]) -> list[str]:
    without = [name for name in instances if f"{name}.gdb" not in given]
    words: list[str] = []
    for name, port in zip(without, free_ports(len(without))):
        words += [f"--{name}.gdb", str(port)]
    return words


def command_of(arguments: argparse.Namespace, those: list[Member], origin: Member | None,
               time_ns: int, others: list[str]) -> list[str]:
    given = names_of(others)
    asked = any(name.endswith(".gdb") for name in given)
    stay = not arguments.exit and (asked or sys.stdin.isatty())
    words = [os.path.join(arguments.build, "bin", "tandem-system")]
    # All that was said of the run is in each of them.
    words += ["--restore", origin.path] if origin else \
        [os.path.join(those[0].path, "system.toml")]
    words += ["--stop-at", f"{time_ns}ns"]
    for name, value in INSTEAD.items():
        if name not in given:
            words += [f"--{name}", value]
    words += gdb_options(those[0].instances, given) if stay else ["--stop-exit"]
    return words + others


def parser_of_options() -> argparse.ArgumentParser:
    parser = Parser(
        prog="tandem rerun", formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False, usage="tandem rerun DIR --to TIME [OPTION...]",
        description="Runs a run again, from the nearest checkpoint before TIME, up to exactly "
                    "TIME, at which all\nguests stand still. A debugger can attach to each: a line "
                    "on standard error says where. The\nrun goes on when one continues or detaches,"
                    " and no other holds a guest; Ctrl-C ends it.",
        epilog="Other options are those of tandem-system, such as --out DIR, --vcd FILE or\n"
               "--INSTANCE.gdb PORT.")
    add = parser.add_argument
    add("place", metavar="DIR",
        help="what --checkpoint DIR has made: a chain (--checkpoint-every) or one checkpoint")
    add("--to", metavar="TIME", required=True,
        help="simulated time, such as 12.5ms; before the first checkpoint the run starts at 0")
    add("--exit", action="store_true",
        help="end the run there instead, with exit status 0; so it does without a terminal, unless "
             "a --INSTANCE.gdb says that somebody will attach")
    add("--build", default=os.path.join("build", "release"), metavar="DIR",
        help="build directory (default: build/release)")
    return parser


def rerun(words: list[str]) -> int:
    parser = parser_of_options()
    own = words[2 * (words[:1] == ["--build"]):]
    if not {"-h", "--help"} & set(own) and (not own or own[0].startswith("-")):
        parser.error("the directory comes first")
    arguments, others = parser.parse_known_args(words)
    time_ns = time_of(arguments.to)
    those = members(arguments.place)
    origin = nearest(those, time_ns)
    command = command_of(arguments, those, origin, time_ns, others)
    if not os.access(command[0], os.X_OK):
        raise Refused(f"there is no {command[0]}")
    print(f"from {origin.path}, made at {in_units(origin.time_ns)}" if origin else
          "from time 0: no checkpoint is before that time", file=sys.stderr)
    print("+ " + shlex.join(command), file=sys.stderr, flush=True)
    os.execv(command[0], command)
