# SPDX-License-Identifier: Apache-2.0
"""Archives that Linux unpacks as its first file system: cpio in the "newc" format inside gzip.

The same contents give the same bytes: entries are sorted, belong to root and carry no times.
"""

import gzip
import lzma
import os
import stat
import zlib

from commands import KitError


UNPACK = {b"\x1f\x8b": gzip.decompress, b"\xfd7": lzma.decompress}  # by how such a file begins


class Initramfs:
    """A file tree that is collected first and then written as one archive. base: a file with the
    archives that the guest unpacks before, whose links to directories are followed, as a directory
    in the place of one would hide what is behind it."""

    def __init__(self, base=None):
        self._entries = {}  # path without leading slash -> (mode, device, contents)
        self._base = entries_of(base) if base else {}

    def directory(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, contents, executable=False):
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), contents=contents)

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, contents=os.fsencode(target))

    def character_device(self, path, major, minor):
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def copy(self, path, source):
        """Adds the file, link or directory tree `source` of the host as `path`."""
        status = os.lstat(source)
        if stat.S_ISLNK(status.st_mode):
            self.link(path, os.readlink(source))
        elif stat.S_ISDIR(status.st_mode):
            self.directory(path)
            for name in os.listdir(source):
                self.copy(f"{path}/{name}", os.path.join(source, name))
        elif stat.S_ISREG(status.st_mode):
            with open(source, "rb") as opened:
                self.file(path, opened.read(), bool(status.st_mode & stat.S_IXUSR))
        else:
            raise KitError(f"{source} is neither a file nor a link nor a directory")

    def write(self, path):
        """Writes the archive and replaces `path` at once. Stored, not compressed: the guest unpacks
        it under emulation."""
        unfinished = f"{path}.new"
        with open(unfinished, "wb") as raw:
            with gzip.GzipFile("", "wb", 0, raw, mtime=0) as packed:
                for number, (name, entry) in enumerate(sorted(self._entries.items()), 1):
                    _write_entry(packed, name, number, *entry)
                _write_entry(packed, "TRAILER!!!", 0, 0, (0, 0), b"")
        os.replace(unfinished, path)

    def _add(self, path, mode, device=(0, 0), contents=b""):
        parent, last = os.path.split(_plain(path))
        name = self._place(path) if stat.S_ISDIR(mode) else os.path.join(self._place(parent), last)
        parent = os.path.dirname(name)
        if parent and parent not in self._entries:
            self.directory(parent)
        if name in self._base:
            was = stat.S_ISDIR(self._base[name][0])
            if was and stat.S_ISDIR(mode):
                return
            if was or stat.S_ISDIR(mode):
                raise KitError(f"/{name} is {'a' if was else 'no'} directory in what is unpacked "
                               "before")
        self._entries[name] = (mode, device, contents)

    def _place(self, path, turns=0):
        """Where a path leads to in the guest."""
        place = ""
        for part in _plain(path).split("/"):
            place = os.path.join(place, part)
            mode, target = self._base.get(place, (0, ""))
            if stat.S_ISLNK(mode) and place not in self._entries:
                if turns == 40:
                    raise KitError(f"/{_plain(path)} leads in a circle in what is unpacked before")
                place = self._place(os.path.join("/", os.path.dirname(place), target), turns + 1)
        return place


def _plain(path):
    return os.path.normpath("/" + path).lstrip("/")


def entries_of(path):
    """{path: (mode, target of a link)} of what the archives in a file make together."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = {}, 0
    try:
        while at < len(data):
            if data[at:at + 5] == b"07070":
                at += _read_entry(data, at, found)
            elif data[at] == 0:
                at += 1
            else:
                data, at = UNPACK[data[at:at + 2]](data[at:]), 0
    except (KeyError, ValueError, EOFError, OSError, zlib.error, lzma.LZMAError):
        raise KitError(f"{path} is no cpio archive, nor one in gzip or xz, so that what is in it "
                       "is not known") from None
    return found


def _read_entry(data, at, found):
    """Returns its size."""
    mode, size, length = (int(data[at + field:at + field + 8], 16) for field in (14, 54, 94))
    body = 110 + length + 3 & ~3
    name = os.fsdecode(data[at + 110:at + 109 + length])
    if name != "TRAILER!!!":
        target = os.fsdecode(data[at + body:at + body + size]) if stat.S_ISLNK(mode) else ""
        found[_plain(name)] = mode, target
    return body + (size + 3 & ~3)


def _write_entry(out, name, number, mode, device, contents):
    encoded = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(contents), 0, 0, *device, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
    out.write(encoded + bytes(-(110 + len(encoded)) % 4))  # 110 bytes of magic and fields
    out.write(contents + bytes(-len(contents) % 4))
