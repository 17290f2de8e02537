#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes images one after the other into a file that boot_cycle takes as the platform's input;
sw/include/tandem-sw/bundle.h says how it looks. By hand: bundle.py FILE IMAGE..."""
import os
import struct
import sys

MAGIC = 0x4C444E42
IMAGES = 8  # in the header
ALIGNMENT = 16


def write(path, images):
    """`images` are files; an image is named after its file up to the first dot."""
    if not 1 <= len(images) <= IMAGES:
        raise ValueError(f"a bundle holds 1 to {IMAGES} images")
    entries, body = [], b""
    begin = 8 + IMAGES * 32
    for image in images:
        with open(image, "rb") as f:
            data = f.read()
        body += bytes(-(begin + len(body)) % ALIGNMENT)
        name = os.path.basename(image).split(".")[0].encode()
        entries.append(struct.pack("<24sII", name[:23], begin + len(body), len(data)))
        body += data
    header = struct.pack("<II", MAGIC, len(images)) + b"".join(entries)
    with open(path, "wb") as f:
        f.write(header.ljust(begin, b"\0") + body)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2:])
