# SPDX-License-Identifier: Apache-2.0
"""Accesses that QEMU makes by itself, as its devices and debuggers do, reach the platform whatever
the guest is doing. They are made here through QEMU's interface for tests of its own."""
import os
import signal
import socket

from platform_run import IDM_ADDRESS, PlatformTest, SHM_ADDRESS, ctest, main, wait_for

ANSWER_BOUND = 60
OFFSET = 0x200000


class BusMaster:
    """One connection to an instance that was started with arguments()."""

    @staticmethod
    def arguments(path):
        return f"-qtest unix:{path},server=on,wait=off -qtest-log none"

    def __init__(self, path):
        assert wait_for(lambda: os.path.exists(path))
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_BOUND)
        assert wait_for(lambda: self._socket.connect_ex(path) == 0)
        self._file = self._socket.makefile("r", encoding="ascii")

    def command(self, text):
        self._socket.sendall(text.encode() + b"\n")
        words = self._file.readline().split()
        assert words[:1] == ["OK"], words
        return int(words[1], 16) if len(words) > 1 else None

    def read(self, address):
        return self.command(f"readl {address:#x}")

    def write(self, address, value):
        self.command(f"writel {address:#x} {value:#x}")

    def close(self):
        self._file.close()
        self._socket.close()


class BusMasterTest(PlatformTest):
    def check(self, image, *options):
        """Memory without direct access: what one QEMU writes by itself, the other reads."""
        paths = [self.path(f"{image}-{name}") for name in ("master", "slave0")]
        started = self.start("--master.image", image, "--slave.image", image, *options,
                             "--param", "count=100000000", "--param", "n=100000000000",
                             "--observe", f"{OFFSET}+4096=every", "--vcd", "off",
                             *(word for name, path in zip(("master", "slave0"), paths) for word in
                               (f"--{name}.qemu-args", BusMaster.arguments(path))))
        self.assertTrue(wait_for(lambda: image in started.log("master") and
                                 image in started.log("slave0")))
        masters = [BusMaster(path) for path in paths]
        places = [SHM_ADDRESS[arch] + OFFSET for arch in ("x86_64", "arm")]
        for number in range(20):
            for here, there in ((0, 1), (1, 0)):
                masters[here].write(places[here] + 4 * number, 1000 * number + here)
                self.assertEqual(masters[there].read(places[there] + 4 * number),
                                 1000 * number + here)
        # A register is read without a side effect.
        self.assertEqual(masters[0].read(IDM_ADDRESS["x86_64"]), 0x4D444954)
        for master in masters:
            master.close()
        started.signal(signal.SIGINT)
        run = self.finish(started, 130)
        self.assertEqual(run.errors(), [])
        self.assertGreaterEqual(run.module("master")["host"]["debug_accesses"], 41)
        # They are no transactions.
        self.assertEqual(run.module("shm")["writes"], 0)

    def test_guests_that_compute(self):
        self.check("compute")

    def test_guests_that_exchange_messages(self):
        self.check("messages")

    def test_guest_that_sleeps(self):
        self.check("idle", "--master.console", "pty")

    @ctest(timeout=300)
    def test_serial_mode(self):
        self.check("compute", "--mode", "serial")


if __name__ == "__main__":
    main()
