# SPDX-License-Identifier: Apache-2.0
"""What a Linux of the guest kit can run: the commands of its initramfs, and the kit's workloads,
which are put into the guest when they are asked for (docs/linux-guests.md)."""
import gzip
import json
import os
import re

from .words import Refused

# What busybox's shell has itself, besides what its --list shows as commands.
SHELL = set("""! . : [ [[ { ( alias bg break case cd command continue echo eval exec exit export
    false fg for function getopts hash help if jobs kill let local printf pwd read readonly return
    set shift source test times trap true type ulimit umask unalias unset until wait
    while""".split())
# e_machine of the programs that the kit's kernels run: their own, and on 64 bits those of 32.
RUNS = {"amd64": (62, 3), "arm64": (183, 40), "armhf": (40,)}
PATH = ("bin", "sbin", "usr/bin", "usr/sbin")
PLAIN = re.compile(r"[\w./+-]+")


class GuestPrograms:
    def __init__(self, initramfs):
        self._initramfs = initramfs
        self._tree = os.path.join(os.path.dirname(initramfs), "workloads")
        try:
            with open(self._tree + ".json", encoding="utf-8") as file:
                self._files = json.load(file)
        except OSError:
            self._files = {}  # of a kit that was made before it had any

    def files(self, command, added):
        """{path in the guest: file here} of the programs that the command names, or a script among
        the files that are added."""
        texts = [command, *map(script_in, added.values())]
        names = {name for text in texts for name in re.findall(r"[\w.+-]+", text)}
        return {inside: os.path.join(self._tree, inside)
                for name in names & set(self._files) for inside in self._files[name]}

    def check(self, word, added, directory):
        """Refuses a first word that the shell, in that directory of the guest, would not find. One
        with a special character is the shell's business."""
        own = added.get(f"{directory}/{word}", "")
        guest = os.path.basename(os.path.dirname(self._initramfs))
        machine = elf_machine(own)
        if machine is not None and machine not in RUNS.get(guest, (machine,)):
            raise Refused(f"'{own}' is a program for another machine (ELF machine {machine}) than "
                          f"the guest's, which is {guest}")
        if not PLAIN.fullmatch(word) or word in SHELL or word in self._files:
            return
        if "/" in word:
            places = [os.path.normpath(os.path.join("/", directory, word)).lstrip("/")]
        else:
            places = [f"{place}/{word}" for place in (directory, *PATH)]
        there = {inside.strip("/") for inside in added} | names_in(self._initramfs)
        there.update(*self._files.values())
        trees = [inside.strip("/") + "/" for inside, here in added.items() if os.path.isdir(here)]
        if not any(place in there or place.startswith(tuple(trees)) for place in places):
            known = ", ".join(sorted(self._files)) or "none; ./tandem setup --linux makes them"
            raise Refused(f"there is no '{word}': it is no file here, no command of the guest, and "
                          f"none of the guest kit's programs, which are {known}")


def elf_machine(path):
    """The e_machine of a file if it is a little-endian ELF, else None."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        head = file.read(20)
    return head[18] | head[19] << 8 if len(head) == 20 and head[:4] == b"\x7fELF" else None


def script_in(path):
    """The text of a file if it is a script."""
    if not os.path.isfile(path):
        return ""
    with open(path, "rb") as file:
        return file.read().decode(errors="replace") if file.read(2) == b"#!" else ""


def names_in(initramfs):
    """The paths of what an archive of the kit has."""
    with gzip.open(initramfs) as file:
        archive = file.read()
    names, at = set(), 0
    while archive[at:at + 6] == b"070701":
        size, length = (int(archive[at + field:at + field + 8], 16) for field in (54, 94))
        names.add(archive[at + 110:at + 109 + length].decode())
        at += (110 + length + 3 & ~3) + (size + 3 & ~3)
    return names
