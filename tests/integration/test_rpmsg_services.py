#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rpmsg firmware of sw/programs, asked by the bare-metal master rpmsg_ask, which sends what
this writes and prints the answers (docs/rpmsg.md)."""
import hashlib
import random
import re
import struct

import bundle
from platform_run import MACHINES, PlatformTest, guest, main

FIRST, LAST = 1, 2  # sw/include/tandem-sw/rpmsg_offload.h
OK, BAD_REQUEST, BAD_ORDER = 0, 1, 2


class RpmsgServices(PlatformTest):
    def ask(self, machine, program, questions, *options):
        """Each question is (channel, bytes), of a channel with ! in front without an answer. The
        run, and the answers as bytes (None: no answer came)."""
        script, images = self.path("script"), self.path("bundle")
        with open(script, "w") as f:
            f.writelines(f"{channel} {data.hex()}\n" for channel, data in questions)
        suffix = ".slave" if machine == "cortexm" else ""
        bundle.write(images, [guest(MACHINES[machine], program + suffix), script])
        run = self.simulate("--master.image", "rpmsg_ask", "--slave.machine", machine,
                            "--slave.boot", "master", "--input", images, *options)
        self.assertNotIn("ERROR", run.console())
        answers = re.findall(r"^ANSWER (.*)$", run.console(), re.M)
        return run, [None if a == "none" else bytes.fromhex(a) for a in answers]

    def texts(self, machine, program, questions):
        run, answers = self.ask(machine, program, [(c, t.encode()) for c, t in questions])
        return run, [a.decode() for a in answers]

    def announcements(self, run):
        return re.findall(r"^ANNOUNCED (. \S+)$", run.console(), re.M)

    # ---- names

    def check_names(self, machine):
        run, answers = self.texts(machine, "rpmsg_names", [
            ("tandem-two", "hello"),
            ("rpmsg-raw", "create extra"),
            ("extra", "there"),
            ("rpmsg-raw", "create extra"),
            ("rpmsg-raw", "create " + 32 * "x"),
            ("rpmsg-raw", "destroy tandem-one"),
            ("rpmsg-raw", "destroy tandem-one"),
            ("rpmsg-raw", "destroy"),
            ("rpmsg-raw", "list"),
            ("rpmsg-raw", "create tandem-one"),
            ("tandem-one", "again"),
            ("rpmsg-raw", "anything"),
        ])
        self.assertEqual(answers, [
            "tandem-two: hello", "created extra at 1028", "extra: there", "refused", "refused",
            "destroyed tandem-one", "refused", "refused",
            "tandem-two at 1026, tandem-three at 1027, extra at 1028",
            "created tandem-one at 1029", "tandem-one: again", "refused"])
        self.assertEqual(self.announcements(run), [
            "+ rpmsg-raw", "+ tandem-one", "+ tandem-two", "+ tandem-three", "+ extra",
            "- tandem-one", "+ tandem-one"])

    def test_names_arm(self):
        self.check_names("arm")

    def test_names_cortexm(self):
        self.check_names("cortexm")

    def test_more_names_than_there_is_room_for(self):
        _, answers = self.texts("cortexm", "rpmsg_names",
                                [("rpmsg-raw", f"create n{i}") for i in range(12)])
        self.assertEqual(answers, [f"created n{i} at {1028 + i}" for i in range(9)]
                         + 3 * ["refused"])

    # ---- console

    def check_tty(self, machine):
        run, answers = self.texts(machine, "rpmsg_tty", [
            ("rpmsg-tty", "name\n"),
            ("!rpmsg-tty", "add 123456789"),
            ("!rpmsg-tty", "0123 "),
            ("rpmsg-tty", "877\r\n"),
            ("rpmsg-tty", "what is this\n"),
            ("rpmsg-tty", 300 * "z" + "\n"),
            ("rpmsg-tty", "\n"),
            ("rpmsg-tty", "lines\n"),
        ])
        self.assertEqual(answers, [
            f"tandem {MACHINES[machine]}\n", "1234567891000\n", "slave heard: what is this\n",
            "slave heard: " + 200 * "z" + "\n", "slave heard: \n", "6\n"])
        self.assertEqual(self.announcements(run), ["+ rpmsg-tty"])

    def test_tty_cortexm(self):
        self.check_tty("cortexm")

    def test_tty_x86(self):
        self.check_tty("x86-pc")

    # ---- offloads

    def hash_questions(self, data, part):
        parts = [data[i:i + part] for i in range(0, len(data), part)] or [b""]
        for i, piece in enumerate(parts):
            flags = (FIRST if i == 0 else 0) | (LAST if i == len(parts) - 1 else 0)
            yield "tandem-sha256", struct.pack("<II", i, flags) + piece

    def check_sha256(self, machine, program="rpmsg_sha256"):
        numbers = random.Random(1)
        for size, part in ((0, 488), (55, 488), (64, 1), (20000, 488)):
            data = numbers.randbytes(size)
            with self.subTest(size=size):
                _, answers = self.ask(machine, program, list(self.hash_questions(data, part)))
                heads = [struct.unpack("<II", a[:8]) for a in answers]
                self.assertEqual(heads, [(i, OK) for i in range(len(heads))])
                self.assertEqual(answers[-1][8:], hashlib.sha256(data).digest())

    def test_sha256_arm(self):
        self.check_sha256("arm")

    def test_sha256_aarch64(self):
        self.check_sha256("aarch64")

    def test_sha256_riscv64(self):
        self.check_sha256("riscv64")

    def test_sha256_cortexm(self):
        self.check_sha256("cortexm")

    def test_sha256_wrong_requests(self):
        part = lambda number, flags: ("tandem-sha256", struct.pack("<II", number, flags) + b"abc")
        _, answers = self.ask("cortexm", "rpmsg_sha256", [
            part(0, 0), part(0, FIRST), part(2, 0), part(1, 4), ("tandem-sha256", b"1234567"),
            part(1, LAST), part(2, 0), part(0, FIRST | LAST)])
        status = [struct.unpack("<II", a[:8])[1] for a in answers]
        self.assertEqual(status, [BAD_ORDER, OK, BAD_ORDER, BAD_REQUEST, BAD_REQUEST, OK,
                                  BAD_ORDER, OK])
        self.assertEqual(answers[5][8:], hashlib.sha256(b"abcabc").digest())
        self.assertEqual(answers[7][8:], hashlib.sha256(b"abc").digest())

    def check_matmul(self, machine, program="rpmsg_matmul"):
        numbers = random.Random(2)
        questions, expected = [], []
        for side in (1, 2, 7, 7):
            a, b = ([numbers.getrandbits(32) for _ in range(side * side)] for _ in range(2))
            questions.append(("tandem-matmul", struct.pack(f"<{2 + 2 * side * side}I",
                                                           len(questions), side, *a, *b)))
            product = [sum(a[i * side + k] * b[k * side + j] for k in range(side)) % 2**32
                       for i in range(side) for j in range(side)]
            expected.append(struct.pack(f"<{2 + side * side}I", len(expected), OK, *product))
        for side, words in ((0, 0), (8, 100), (2, 7), (2, 9), (0xffffffff, 2)):
            questions.append(("tandem-matmul", struct.pack(f"<{2 + words}I", 77, side,
                                                           *range(words))))
            expected.append(struct.pack("<II", 77, BAD_REQUEST))
        _, answers = self.ask(machine, program, questions)
        self.assertEqual(answers, expected)

    def test_matmul_arm(self):
        self.check_matmul("arm")

    def test_matmul_cortexm(self):
        self.check_matmul("cortexm")

    # ---- all of them, and the watchdog

    def test_several_services_in_one_firmware(self):
        self.check_sha256("cortexm", "rpmsg_services")
        self.check_matmul("cortexm", "rpmsg_services")
        run, answers = self.texts("arm", "rpmsg_services",
                                  [("rpmsg-tty", "name\n"), ("rpmsg-raw", "echo")])
        self.assertEqual(answers, ["tandem arm\n", "echo"])
        self.assertEqual(self.announcements(run), ["+ rpmsg-raw", "+ rpmsg-tty",
                                                   "+ tandem-sha256", "+ tandem-matmul"])

    def test_heartbeat_counts_while_idle_and_stops_when_hung(self):
        """Every 250 ms of the guest's time, a quarter of the watchdog's timeout."""
        unanswered = ("rpmsg-tty", b"no end of a line")
        idle, answers = self.ask("cortexm", "rpmsg_services", 3 * [unanswered],
                                 "--param", "timeout=1000000000")
        self.assertEqual(answers, [None, None, None])
        hung, answers = self.ask("cortexm", "rpmsg_services", [("rpmsg-raw", b"tandem:hang")])
        self.assertEqual(answers, [None])
        self.assertGreaterEqual(idle.number("heartbeats") - hung.number("heartbeats"), 10)


if __name__ == "__main__":
    main()
