# SPDX-License-Identifier: Apache-2.0
"""Kernels as they boot soonest. Debian's for x86 and 32-bit Arm unpack themselves, under emulation:
half of an x86 boot, and nine tenths of an Arm one. Here it is done once."""

import os
import struct
import tempfile

from commands import KitError, filtered, run

# What the packaged kernel is called in the kit, where another one is made of it.
UNPACKED = {"amd64": "bzImage", "armhf": "zImage"}
# By the first bytes of what is compressed.
UNPACKERS = {
    b"\xfd7zXZ": ["xz", "-dc"],
    b"\x02\x21\x4c\x18": ["lz4", "-dc"],
}

ZIMAGE_MAGIC_AT, ZIMAGE_MAGIC = 0x24, 0x016f2818
ZIMAGE_TABLE_AT, ZIMAGE_TAG_KERNEL = 0x38, 0x5a534c4b
# What kernel_arm.S copies in a turn.
ARM_UNIT = 28


def unpacked_kernel(architecture, path):
    """What is in the kernel at the path, as a file that the same loaders take."""
    with open(path, "rb") as file:
        image = file.read()
    return (elf_of_bzimage if architecture == "amd64" else zimage_of_zimage)(path, image)


def unpacked(path, packed):
    unpacker = next((unpacker for magic, unpacker in UNPACKERS.items()
                     if packed.startswith(magic)), None)
    if not unpacker:
        raise KitError(f"the kernel in {path} is compressed neither with xz nor with lz4")
    return filtered(unpacker, packed)


def elf_of_bzimage(path, image):
    """The ELF file inside; QEMU starts it by its PVH note."""
    if image[0x202:0x206] != b"HdrS":
        raise KitError(f"{path} is no x86 bzImage")
    setup_sectors, = struct.unpack_from("<B", image, 0x1f1)
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    # The last four bytes are the size of what was packed.
    kernel = unpacked(path, image[start:start + length - 4])
    if kernel[:4] != b"\x7fELF":
        raise KitError(f"what {path} contains is no ELF file")
    return kernel


def zimage_of_zimage(path, image):
    """One whose program copies where the packaged one's decompresses."""
    magic, = struct.unpack_from("<I", image, ZIMAGE_MAGIC_AT)
    table, = struct.unpack_from("<I", image, ZIMAGE_TABLE_AT)
    # Words in this entry, its tag; where the size of the kernel is, which follows the kernel; what
    # the kernel clears behind itself; its place in RAM.
    _, tag, end, bss, text_offset = struct.unpack_from("<5I", image, table)
    if magic != ZIMAGE_MAGIC or tag != ZIMAGE_TAG_KERNEL:
        raise KitError(f"{path} is no Arm zImage that says what is in it")
    size, = struct.unpack_from("<I", image, end)
    # The program that unpacks knows these bytes, too; it is in front. The shorter ones come by
    # chance in what is compressed, and so last.
    places = (image.rfind(first, 0, end) for first in UNPACKERS)
    kernel = unpacked(path, image[next((at for at in places if at >= 0), 0):end])
    if len(kernel) != size:
        raise KitError(f"what {path} contains has {len(kernel)} bytes, and is to have {size}")
    kernel += bytes(-size % ARM_UNIT)
    return arm_program(size, len(kernel), bss, text_offset) + kernel


def arm_program(size, copied, bss, text_offset):
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel_arm.S")
    with tempfile.TemporaryDirectory() as directory:
        assembled, program = (os.path.join(directory, name) for name in ("a.o", "a"))
        run(["arm-linux-gnueabihf-gcc-12", "-c", f"-DKERNEL_BYTES={size}",
             f"-DCOPIED_BYTES={copied}", f"-DBSS_BYTES={bss}", f"-DTEXT_OFFSET={text_offset}",
             source, "-o", assembled])
        run(["arm-linux-gnueabihf-objcopy", "-O", "binary", "-j", ".text", assembled, program])
        with open(program, "rb") as file:
            return file.read()
