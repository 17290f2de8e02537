# SPDX-License-Identifier: Apache-2.0
"""Programs of unpacked Debian packages with what they need to run, and nothing else."""

import os
import re
import shutil

from commands import KitError, output_of

PROGRAMS = ["bin", "usr/bin", "sbin", "usr/sbin"]


def collect(unpacked, triple, tree):
    """Copies to `tree` the programs, and those shared libraries that one needs, to where the
    loader looks for them. Returns {name of a program: its files, below the tree}."""
    libraries = _libraries(unpacked, triple)
    os.makedirs(os.path.join(tree, "bin"))
    programs = {}
    for path in _programs(unpacked):
        name = os.path.basename(path)
        files = {f"bin/{name}": path}
        _add_needed(files, path, libraries, unpacked, triple)
        for inside, source in files.items():
            copy = os.path.join(tree, inside)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(source, copy)
        programs[name] = sorted(files)
    return programs


def _programs(unpacked):
    """Compiled ones; scripts have interpreters that the guest lacks."""
    for directory in PROGRAMS:
        top = os.path.join(unpacked, directory)
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
            path = os.path.join(top, name)
            if not os.path.islink(path) and _is_elf(path):
                yield path


def _libraries(unpacked, triple):
    """{name by which it is asked for: file}"""
    found = {}
    for directory in f"usr/lib/{triple}", f"lib/{triple}":
        top = os.path.join(unpacked, directory)
        for name in os.listdir(top) if os.path.isdir(top) else ():
            if ".so" in name and os.path.exists(os.path.join(top, name)):
                found[name] = os.path.realpath(os.path.join(top, name))
    return found


def _add_needed(files, path, libraries, unpacked, triple):
    """The loader, and the libraries that a file needs, by those that these need."""
    shown = output_of(["readelf", "--wide", "--dynamic", "--program-headers", path], quiet=True)
    loader = re.search(r"program interpreter: /(\S+)\]", shown)
    if loader:
        files[loader[1]] = _loader(unpacked, loader[1], libraries)
    for name in re.findall(r"\(NEEDED\).*\[(.+)\]", shown):
        inside = f"lib/{triple}/{name}"
        # The loader is a library too, and there already.
        if inside in files or name in map(os.path.basename, files):
            continue
        if name not in libraries:
            raise KitError(f"{os.path.basename(path)} needs {name}, which no package of "
                           "linux_workload_packages in packages.conf has")
        files[inside] = libraries[name]
        _add_needed(files, libraries[name], libraries, unpacked, triple)


def _loader(unpacked, inside, libraries):
    name = os.path.basename(inside)
    # In the package its path may be a link that is right only at the root.
    if name in libraries:
        return libraries[name]
    path = os.path.join(unpacked, inside)
    if not os.path.isfile(path):
        raise KitError(f"no package of linux_workload_packages in packages.conf has /{inside}")
    return path


def _is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
