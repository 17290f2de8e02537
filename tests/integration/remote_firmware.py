# SPDX-License-Identifier: Apache-2.0
"""Firmware with a resource table (ELF32, tandem/rpmsg_layout.h), changed for the tests."""
import struct

# Offsets in the ELF header, a program header and a section header of 32 bits.
PROGRAMS_AT, SECTIONS_AT, PROGRAM_COUNT, SECTION_COUNT, NAMES = 28, 32, 44, 48, 50
PROGRAM_ADDRESS = 12
SECTION_ADDRESS, SECTION_OFFSET, SECTION_SIZE = 12, 16, 20
# Numbers of the entries in the table of sw/include/tandem-sw/resource_table.h.
WINDOW, VDEV, WATCHDOG = 0, 1, 2
# Offsets in a table and in its entries.
COUNT, TABLE_OFFSETS = 0x04, 0x10
TYPE, CARVEOUT_DA, CARVEOUT_LENGTH, CARVEOUT_NAME = 0x00, 0x04, 0x0c, 0x18
TRACE, TRACE_DA, TRACE_LENGTH = 2, 0x04, 0x08  # the type first
VDEV_ID, VDEV_CONFIG_LENGTH, VDEV_STATUS, VRING0, VRING1 = 0x04, 0x14, 0x18, 0x1c, 0x30
VRING_DA, VRING_ALIGN, VRING_COUNT = 0x00, 0x04, 0x08


class Firmware:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        names = self.section_header(self._read(NAMES, "H"))
        for number in range(self._read(SECTION_COUNT, "H")):
            header = self.section_header(number)
            name = self.word(names + SECTION_OFFSET) + self.word(header)
            if self.data[name:].startswith(b".resource_table\0"):
                self.section = header
                self.table = self.word(header + SECTION_OFFSET)

    def _read(self, offset, kind):
        return struct.unpack_from("<" + kind, self.data, offset)[0]

    def word(self, offset):
        return self._read(offset, "I")

    def section_header(self, number):
        return self.word(SECTIONS_AT) + number * 40

    def program_header(self, number):
        return self.word(PROGRAMS_AT) + number * 32

    def put(self, offset, value):
        """A word, or bytes."""
        if isinstance(value, bytes):
            self.data[offset:offset + len(value)] = value
        else:
            struct.pack_into("<I", self.data, offset, value)
        return self

    def put_segment(self, number, field, value):
        return self.put(self.program_header(number) + field, value)

    def put_section(self, field, value):
        """Of the resource table's section header."""
        return self.put(self.section + field, value)

    def put_table(self, field, value):
        return self.put(self.table + field, value)

    def put_entry(self, number, fields):
        """{offset in the entry: value}."""
        start = self.table + self.word(self.table + TABLE_OFFSETS + 4 * number)
        for offset, value in fields.items():
            self.put(start + offset, value)
        return self
