#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds.py DIRECTORY: makes the first inputs of the fuzzers, DIRECTORY/FUZZER/NAME. Small, and
each of a kind that a fuzzer would hardly come upon by itself."""
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EM_ARM, EM_X86_64, EM_AARCH64 = 40, 62, 183
PT_LOAD, PT_NOTE = 1, 4


def note(owner, kind, value):
    def padded(text):
        return text + bytes(-len(text) % 4)
    return struct.pack("<3I", len(owner) + 1, len(value), kind) + \
        padded(owner + b"\0") + padded(value)


def elf(machine, bits, address, notes=b"", code=b"\x90" * 32):
    """One segment to load, one of notes, and a section header with a name."""
    wide = bits == 64
    header, program, section = (64, 56, 64) if wide else (52, 32, 40)
    names = b"\0.resource_table\0.shstrtab\0"
    at = header + 2 * program
    code_at, notes_at = at, at + len(code)
    names_at = notes_at + len(notes)
    sections_at = names_at + len(names)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    image = ident + struct.pack("<HHI3QI6H" if wide else "<HHI3II6H", 2, machine, 1, address, header,
                                sections_at, 0, header, program, 2, section, 3, 2)
    for kind, offset, size in ((PT_LOAD, code_at, len(code)), (PT_NOTE, notes_at, len(notes))):
        where = address if kind == PT_LOAD else 0
        if wide:
            image += struct.pack("<2I6Q", kind, 7, offset, where, where, size, size, 4)
        else:
            image += struct.pack("<8I", kind, offset, where, where, size, size, 7, 4)
    image += code + notes + names
    for name, where, offset, size in ((0, 0, 0, 0), (1, address, code_at, 16),
                                      (17, 0, names_at, len(names))):
        image += struct.pack("<2I4Q2I2Q" if wide else "<10I", name, 1, 0, where, offset, size, 0, 0,
                             1, 0)
    return image


def zimage():
    words = [0xe1a00000] * 8 + [0xe1a00000, 0x016f2818, 0, 512, 0x04030201, 0x45454545]
    return struct.pack(f"<{len(words)}I", *words).ljust(512, b"\0")


def arm64_image():
    return struct.pack("<2I5Q", 0x91005a4d, 0x14000000, 0, 1024, 0xa, 0, 0).ljust(56, b"\0") + \
        b"ARM\x64" + bytes(964)


def bzimage():
    image = bytearray(2048)
    image[0x1f1] = 2  # sectors of the set-up program
    struct.pack_into("<I", image, 0x1f4, 32)
    struct.pack_into("<H", image, 0x1fe, 0xaa55)
    struct.pack_into("<H4sH", image, 0x200, 0x66eb, b"HdrS", 0x20f)
    image[0x211] = 1
    struct.pack_into("<I", image, 0x230, 0x200000)
    image[0x234] = 1
    struct.pack_into("<H", image, 0x236, 3)
    struct.pack_into("<I", image, 0x238, 255)
    struct.pack_into("<QII", image, 0x258, 0x100000, 0x10000, 0)
    return bytes(image)


TREE = """/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
    gic: interrupt-controller@8000000 { #interrupt-cells = <3>; interrupt-controller; };
    memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x800000>; };
    chosen { bootargs = "quiet"; linux,initrd-start = <1>; }; };
"""


def tree():
    return subprocess.run(["dtc", "-q", "-O", "dtb", "-"], input=TREE.encode(), check=True,
                          stdout=subprocess.PIPE).stdout


def log():
    """An empty one, in the smallest pages."""
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "log"
        to = sqlite3.connect(path)
        to.executescript("""PRAGMA page_size=512;
            CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
            CREATE TABLE initiators (id INTEGER PRIMARY KEY, name TEXT, transactions INTEGER);
            CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE ranges (id INTEGER PRIMARY KEY, name TEXT, address INTEGER, size INTEGER,
              target INTEGER, target_address INTEGER, initiator INTEGER, granule INTEGER,
              more_targets TEXT);
            CREATE TABLE transactions (id INTEGER PRIMARY KEY, start_ps INTEGER, end_ps INTEGER,
              initiator INTEGER, target INTEGER, command INTEGER, address INTEGER, length INTEGER,
              response INTEGER, waiting_ps INTEGER, target_ps INTEGER);
            INSERT INTO run VALUES('format', 'tandem transaction log 3');
            INSERT INTO initiators VALUES(0, 'a', 1);
            INSERT INTO targets VALUES(0, 'm');
            INSERT INTO ranges VALUES(0, 'm', 0, 4096, 0, 0, NULL, 0, '');
            INSERT INTO transactions VALUES(1, 0, 5, 0, 0, 0, 0, 4, 1, 0, 0);""")
        to.commit()
        to.close()
        return path.read_bytes()


INI = {
    "general": "quantum = 10us\ntime-limit = 1ms\nmode = serial\nseed = 7\nslaves = 2\n"
               "hang-timeout = 5\nlookahead = off\nrealtime = 0.5\nverbosity = quiet\n",
    "system": "interconnect = mesh\nset = width=8\ndefault-target = shm\nshared-memory = 16M\n"
              "observe = 0x1000+64k=cached\ncache = l1.size=32k\ncache = line=64\ndram = on\n"
              "read-latency = 20ns\nfifo-depth = 4\nroute = slave0=master\nparam = n=1\n",
    "instances": "slaves = 1\n[master]\nimage = smoke\nmachine = x86-q35\ncpus = 2\nmemory = 64\n"
                 "[slave]\nboot = master\nwindow = 2M\nshm = 0x80000000\nappend = a b\n"
                 "console = none\nqemu-args = -d int\nicount-shift = 2\n[slave0]\nmachine = arm\n",
    "wrong": "quantum = -1\nshared-memory = 010M\n[unknown]\n=\n[\n",
}


def seeds():
    pvh = note(b"Xen", 18, struct.pack("<I", 0x100000))
    images = {
        "arm.elf": elf(EM_ARM, 32, 0x40000000),
        "aarch64.elf": elf(EM_AARCH64, 64, 0x40000000),
        "x86.elf": elf(EM_X86_64, 64, 0x100000, pvh),
        "vmlinux": elf(EM_X86_64, 64, 0x100000, note(b"Linux", 257, b"6.1\0") + pvh),
        "zimage": zimage(), "image": arm64_image(), "bzimage": bzimage(),
    }
    for name, data in images.items():
        yield "images", name, data
        kind = {"arm.elf": 1, "zimage": 1, "aarch64.elf": 2, "image": 2}.get(name, 0)
        for more, suffix in ((b"", ""), (tree(), "+tree")):
            for options in (0, 0x10, 0x30):
                yield ("boot-plan", f"{name}{suffix}{options:x}",
                       bytes([kind | 4 | options]) + struct.pack("<H", len(data)) + data + more)
    yield "trees", "tree", tree()
    yield "log", "file", log()
    yield "log", "changes", bytes(range(48))
    yield "log", "killed", b"KILLED" + bytes([2, 1, 3, 9, 3, 4, 200, 7])
    for name, text in INI.items():
        yield "config", name, text.encode()
    for path in sorted(ROOT.glob("docs/examples/systems/*.toml")) + sorted(ROOT.glob("platforms/*/*.toml")):
        yield "config", path.name, path.read_bytes()
    # Windows, accesses, a sleep and cache lines; then interrupts, commands and the end.
    yield "bridge", "windows", bytes([16, 2, 8, 0, 1, 1, 0, 0, 0]) * 6
    yield "bridge", "accesses", bytes([16, 4, 8, 0, 2, 1, 1, 0, 0, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8]) * 6
    yield "bridge", "lines", bytes([16, 11, 8, 0, 2, 1, 0, 0, 4]) + bytes([8, 0, 64, 1, 6, 1, 0]) * 8
    yield "bridge", "events", bytes([6, 0, 7, 8, 1, 1, 1, 9, 16, 3, 8, 0, 2, 1, 0, 0, 0]) * 4
    yield "rpmsg-monitor", "messages", bytes([8, 0, 1, 2, 5, 0, 13, 9, 1, 2, 1, 5, 0, 14,
                                              12, 1, 0, 0, 0, 15]) * 4
    for side in (0, 1):
        yield "rpmsg", f"side{side}", bytes([side]) + bytes(i * 37 % 251 for i in range(400))


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    for fuzzer, name, data in seeds():
        (out / fuzzer).mkdir(parents=True, exist_ok=True)
        (out / fuzzer / name).write_bytes(data)
    # Inputs that once were findings.
    for kept in sorted((HERE / "findings").glob("*/*")):
        (out / kept.parent.name / f"finding-{kept.name}").write_bytes(kept.read_bytes())


if __name__ == "__main__":
    main()
