# SPDX-License-Identifier: Apache-2.0
"""As much of gdb's remote protocol as it takes to look at a guest."""
import socket
import struct

TIMEOUT = 60  # seconds for one answer
PC = {"arm": (15 * 4, "<I"), "x86_64": (16 * 8, "<Q"), "aarch64": (32 * 8, "<Q"),
      "cortexm": (15 * 4, "<I"), "riscv64": (32 * 8, "<Q")}


def symbol(elf, name):
    """Address and size of an object or a function of an ELF file."""
    with open(elf, "rb") as f:
        data = f.read()
    wide = data[4] == 2
    table, = struct.unpack_from("<Q" if wide else "<I", data, 0x28 if wide else 0x20)
    size, count = struct.unpack_from("<HH", data, 0x3A if wide else 0x2E)
    for i in range(count):
        at = table + i * size
        if struct.unpack_from("<I", data, at + 4)[0] != 2:  # SHT_SYMTAB
            continue
        offset, length, link = struct.unpack_from("<QQI" if wide else "<III", data,
                                                  at + (0x18 if wide else 0x10))
        strings, = struct.unpack_from("<Q" if wide else "<I", data,
                                      table + link * size + (0x18 if wide else 0x10))
        for s in range(offset, offset + length, 24 if wide else 16):
            if wide:
                word, _, _, value, extent = struct.unpack_from("<IBxHQQ", data, s)
            else:
                word, value, extent, _, _ = struct.unpack_from("<IIIBxH", data, s)
            end = data.index(0, strings + word)
            if data[strings + word:end].decode() == name:
                return value, extent
    raise KeyError(f"{elf} has no symbol {name}")


class Remote:
    """A debugger that has attached: the guest has stopped."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._bytes = b""
        self.ask("?")

    def _byte(self):
        if not self._bytes:
            self._bytes = self._socket.recv(65536)
            if not self._bytes:
                raise ConnectionError("QEMU has hung up")
        byte, self._bytes = self._bytes[:1], self._bytes[1:]
        return byte

    def ask(self, text):
        self._socket.sendall(f"${text}#{sum(text.encode()) & 255:02x}".encode())
        answer = self._packet()
        # QEMU also says by itself that the guest has stopped when a debugger attaches.
        while answer.startswith("T") and text not in ("?", "c", "s"):
            answer = self._packet()
        return answer

    def _packet(self):
        while self._byte() != b"$":
            pass  # acknowledgements
        answer = b""
        while (byte := self._byte()) != b"#":
            answer += byte
        self._byte(), self._byte()
        self._socket.sendall(b"+")
        return answer.decode()

    def registers(self):
        return bytes.fromhex(self.ask("g").replace("x", "0"))

    def memory(self, address, size):
        got = b""
        while len(got) < size:
            part = min(1024, size - len(got))
            got += bytes.fromhex(self.ask(f"m{address + len(got):x},{part:x}"))
        return got

    def detach(self):
        """Its guest goes on."""
        self.ask("D")
        self._socket.close()

    def close(self):
        self._socket.close()


def pc_of(arch, registers):
    at, form = PC[arch]
    return struct.unpack_from(form, registers, at)[0]
