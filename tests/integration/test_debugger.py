# SPDX-License-Identifier: Apache-2.0
"""A debugger on one instance stops the whole platform, sees its memory and registers, and leaves no
trace in the results."""
import os
import shutil
import subprocess
import time

from platform_run import IDM_ADDRESS, PlatformTest, SHM_ADDRESS, ctest, free_port, guest, main, wait_for

GDB = shutil.which("gdb-multiarch") or shutil.which("gdb")
GDB_TIMEOUT = 300
# For an answer of QEMU's gdb waits for 2 s by itself, and says that the connection is bad then.
PATIENCE = ("set tcp connect-timeout 120", "set remotetimeout 120")


class Debugger(PlatformTest):
    def setUp(self):
        if not GDB:
            self.skipTest("there is no gdb-multiarch")
        self.port = free_port()

    def debug(self, image, *commands):
        """What gdb prints when it attaches and carries these commands out."""
        line = [GDB, "-nx", "-batch"]
        for command in ("set pagination off", "set confirm off", *PATIENCE,
                        f"target remote 127.0.0.1:{self.port}", *commands):
            line += ["-ex", command]
        done = subprocess.run([*line, image], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=GDB_TIMEOUT, check=False, cwd=self.directory)
        return done.stdout + done.stderr

    def demo(self, *options):
        path = self.path("input")
        if not os.path.exists(path):
            with open(path, "wb") as f:
                f.write(bytes(range(256)) * 800)
        return self.start("--input", path, *options)

    def attached(self, instance, *options):
        """The demo with an instance that waits for the debugger's "continue"."""
        return self.demo(f"--{instance}.gdb", self.port, f"--{instance}.qemu-args=-S", *options)

    def test_breakpoint_changes_nothing(self):
        plain = self.finish(self.demo())
        started = self.attached("slave0")
        idm, shm = IDM_ADDRESS["arm"], SHM_ADDRESS["arm"]
        text = self.debug(
            guest("arm", "demo_slave"),
            "break guest_main", "continue", "echo at-main\\n", "info registers pc",
            f"output/x *(unsigned *){idm:#x}", "echo \\n", f"output/x *(unsigned *){shm:#x}",
            "echo \\n", "break sha256_update", "continue", "echo at-sha\\n", "info registers pc",
            "backtrace 1", "continue", "echo again\\n", "delete", "detach")
        self.assertRegex(text, r"at-main\npc +0x[0-9a-f]+ +0x[0-9a-f]+ <guest_main")
        self.assertIn("0x4d444954", text)  # the IDM's identification
        self.assertIn("0x54504152", text)  # the parameter page's magic
        self.assertRegex(text, r"at-sha\npc +0x[0-9a-f]+ +0x[0-9a-f]+ <sha256_update")
        self.assertIn("again", text)
        debugged = self.finish(started)
        self.assert_same(plain, debugged)

    def test_looking_has_no_side_effect(self):
        # The data register of a mailbox hands out a word with each read of the guest's; not with
        # the debugger's. The second call finds words in the FIFO.
        plain = self.finish(self.demo())
        started = self.attached("slave0")
        box = IDM_ADDRESS["arm"] + 0x1000
        text = self.debug(
            guest("arm", "demo_slave"),
            "break message_rx_pull", "continue", "continue",
            f"output/x *(unsigned *){box + 0x24:#x}", "echo \\n",
            f"output/x *(unsigned *){box + 0x20:#x}", "echo \\n",
            f"output/x *(unsigned *){box + 0x20:#x}", "echo \\n",
            f"output/x *(unsigned *){box + 0x24:#x}", "echo \\n", "delete", "detach")
        words = [line for line in text.splitlines() if line.startswith("0x") and " " not in line]
        self.assertEqual(len(words), 4, text)
        self.assertGreater(int(words[0], 16) & 0xFFFF, 0, text)
        self.assertEqual(words[0], words[3])
        self.assertEqual(words[1:3], ["0x20", "0x20"])  # the length of the message
        debugged = self.finish(started)
        self.assert_same(plain, debugged)
        self.assertGreaterEqual(debugged.module("slave0")["host"]["debug_accesses"], 4)

    def test_stepping_changes_no_result(self):
        plain = self.finish(self.demo())
        started = self.attached("slave0")
        text = self.debug(guest("arm", "demo_slave"), "break sha256_update", "continue",
                          *["stepi"] * 25, "next", "info registers pc", "delete", "detach")
        self.assertIn("sha256.c", text)
        debugged = self.finish(started)
        self.assert_same(plain, debugged)

    def test_attach_in_the_middle(self):
        # To the master, which is in 64-bit mode by then. Paced, so that gdb comes before the end,
        # which is the master's: guests that sleep for ever do so at any pace.
        options = ("--master.image", "clock", "--slave.image", "clock", "--param", "n=4000",
                   "--param", "1.exit=0", "--realtime", "0.005")
        plain = self.simulate(*options)
        started = self.start(*options, "--master.gdb", self.port)
        self.assertTrue(wait_for(lambda: "CLOCK 2 " in started.log("master")))
        text = self.debug(guest("x86_64", "clock"), "break console_printf", "continue",
                          "info registers rip", "delete", "detach")
        self.assertRegex(text, r"rip +0x[0-9a-f]+ +0x[0-9a-f]+ <console_printf")
        debugged = self.finish(started)
        self.assert_same(plain, debugged)

    @ctest(timeout=300)
    def test_breakpoint_stops_the_whole_platform(self):
        # While the slave is at its breakpoint, the master's console stands still as well. Paced, so
        # that gdb comes before the end.
        started = self.start("--master.image", "clock", "--param", "0.n=100000", "--param",
                             "1.n=30000000", "--slave.image", "compute", "--param", "exit=0",
                             "--slave0.gdb", self.port, "--time-limit", "100ms", "--realtime",
                             "0.004", "--vcd", "off")
        self.assertTrue(wait_for(lambda: "CLOCK 2 " in started.log("master")))
        debugger = subprocess.Popen(
            [GDB, "-nx", "-batch", *(word for line in PATIENCE for word in ("-ex", line)), "-ex",
             f"target remote 127.0.0.1:{self.port}", "-ex", "shell touch held", "-ex",
             "shell n=0; while [ ! -e go ] && [ $n -lt 2000 ]; do sleep 0.1; n=$((n+1)); done",
             "-ex", "detach", guest("arm", "compute")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.directory)
        try:
            held = wait_for(lambda: os.path.exists(self.path("held")))
            self.assertTrue(held)

            def stands_still():
                before = started.log("master")
                time.sleep(2)
                return before == started.log("master")
            # Once the master has come to the end of its window.
            self.assertTrue(wait_for(stands_still))
            self.assertTrue(started.running(), "the run was over too early to tell")
            before = started.log("master")
            with open(self.path("go"), "w", encoding="ascii"):
                pass
            debugger.wait(GDB_TIMEOUT)
        finally:
            if debugger.poll() is None:
                debugger.kill()
            debugger.wait()
        run = self.finish(started)
        self.assertGreater(len(run.console()), len(before))


if __name__ == "__main__":
    main()
