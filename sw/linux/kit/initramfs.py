# SPDX-License-Identifier: Apache-2.0
"""Archives that Linux unpacks as its first file system: cpio in the "newc" format inside gzip.

The same contents give the same bytes: entries are sorted, belong to root and carry no times.
"""

import gzip
import os
import stat

from commands import KitError


class Initramfs:
    """A file tree that is collected first and then written as one archive."""

    def __init__(self):
        self._entries = {}  # path without leading slash -> (mode, device, contents)

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
        name = os.path.normpath("/" + path).lstrip("/")
        parent = os.path.dirname(name)
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[name] = (mode, device, contents)


def _write_entry(out, name, number, mode, device, contents):
    encoded = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(contents), 0, 0, *device, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
    out.write(encoded + bytes(-(110 + len(encoded)) % 4))  # 110 bytes of magic and fields
    out.write(contents + bytes(-len(contents) % 4))
