# SPDX-License-Identifier: Apache-2.0
"""--interactive: the user's terminal is the master's console, and is as before afterwards."""
import os
import pty
import signal
import subprocess
import termios

from platform_run import PLATFORM, QEMU_PREFIX, PlatformTest, children, ctest, main, read_text, \
    wait_for

ECHO = ("--master.image", "echo", "--slave.image", "idle")


class Session:
    """A platform whose standard streams are a terminal."""

    def __init__(self, test, *options):
        self.out = test.path("out")
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.before = termios.tcgetattr(self.slave)
        command = [PLATFORM, "--interactive", "--out", self.out, *map(str, options)]
        if QEMU_PREFIX:
            command += ["--qemu-prefix", QEMU_PREFIX]
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, cwd=test.directory)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self):
        try:
            self.text += os.read(self.master, 65536).decode(errors="replace").replace("\r", "")
        except BlockingIOError:
            pass
        return self.text

    def sees(self, words, timeout=120):
        return wait_for(lambda: words in self.read(), timeout)

    def type(self, text):
        os.write(self.master, text.encode())

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def status(self):
        ended = wait_for(lambda: self.read() and self.process.poll() is not None)
        self.read()
        return self.process.returncode if ended else "it does not end"


class Interactive(PlatformTest):
    def ready(self, session):
        self.assertTrue(session.sees("READY"), session.text)
        self.assertTrue(session.is_raw())

    def test_session(self):
        for machine in ("x86-pc", "arm", "aarch64", "cortexm", "riscv64"):
            with self.subTest(machine), Session(self, *ECHO, "--master.machine", machine) as s:
                self.ready(s)
                self.assertIn("this terminal is the console of master; ctrl-] leaves", s.text)
                s.type("hello\r")
                self.assertTrue(s.sees("you typed: hello"), s.text)
                s.type("again\x1dnot this")
                self.assertEqual(s.status(), 0, s.text)
                self.assertTrue(s.is_restored())
                self.assertIn("ended: the user has left", s.text)
                self.assertNotIn("TANDEM idle", s.text)  # the slave's console is its own
                self.assertNotIn("[master]", s.text)
                self.assertIn("you typed: hello", read_text(os.path.join(s.out, "master.log")))
                self.assertIn("TANDEM idle", read_text(os.path.join(s.out, "slave0.log")))

    def test_control_characters_are_the_guests(self):
        with Session(self, *ECHO) as s:
            self.ready(s)
            s.type("\x03\x1a\x1cx\r")
            self.assertTrue(s.sees("you typed: \x03\x1a\x1cx"), s.text)
            s.type("exit\r")
            self.assertEqual(s.status(), 0)
            self.assertTrue(s.is_restored())

    def test_other_consoles_when_asked_for(self):
        with Session(self, *ECHO, "--consoles", "on") as s:
            self.ready(s)
            self.assertTrue(s.sees("[slave0] TANDEM idle"), s.text)
            s.type("\x1d")
            self.assertEqual(s.status(), 0)
            self.assertNotIn("[master]", s.text)

    def test_restored_after_signals(self):
        for number, status in {signal.SIGTERM: 130, signal.SIGHUP: 130,
                               signal.SIGABRT: -signal.SIGABRT,
                               signal.SIGSEGV: -signal.SIGSEGV}.items():
            with self.subTest(number), Session(self, *ECHO) as s:
                self.ready(s)
                s.process.send_signal(number)
                self.assertEqual(s.status(), status, s.text)
                self.assertTrue(s.is_restored())

    def test_restored_after_an_error(self):
        with Session(self, *ECHO) as s:
            self.ready(s)
            for pid, name in children(s.process.pid).items():
                if name.startswith("qemu-system-x86"):
                    os.kill(pid, signal.SIGKILL)
            self.assertEqual(s.status(), 1)
            self.assertTrue(s.is_restored())
            self.assertIn("error: master: QEMU was killed by signal 9", s.text)

    def test_restored_after_a_bad_start(self):
        with Session(self, *ECHO, "--master.qemu-args", "-nonsense") as s:
            self.assertEqual(s.status(), 1)
            self.assertTrue(s.is_restored())

    def test_pipe(self):
        # No terminal: all bytes are the guest's, and the end of the input ends nothing.
        command = [PLATFORM, "--interactive", "--out", self.path("out"), *ECHO]
        if QEMU_PREFIX:
            command += ["--qemu-prefix", QEMU_PREFIX]
        shown, said = self.path("shown"), self.path("said")
        with open(shown, "wb") as stdout, open(said, "wb") as stderr:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout,
                                       stderr=stderr, cwd=self.directory)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(b"one\n\x1dtwo\n")
        process.stdin.close()
        self.assertTrue(wait_for(lambda: "you typed: \x1dtwo\n" in read_text(shown)),
                        read_text(shown) + read_text(said))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 130, read_text(said))
        self.assertIn("ended: interrupted", read_text(said))
        with open(shown, "rb") as all_of_it, \
                open(os.path.join(self.path("out"), "master.log"), "rb") as log:
            text = all_of_it.read()
            self.assertEqual(log.read(), text)
        self.assertIn(b"you typed: one\r\n", text)
        self.assertIn(b"you typed: \x1dtwo\r\n", text)

    @ctest(once=True)
    def test_refused(self):
        self.assertEqual(self.refused("--interactive", "--master.console", "pty"),
                         "--interactive and --master.console exclude each other")


if __name__ == "__main__":
    main()
