# SPDX-License-Identifier: Apache-2.0
"""The demo with Linux, as ./tandem demo --linux runs it."""
import os
import subprocess

from platform_run import QEMU_PREFIX, ctest, install, main
from linux_guests import BIN, BOOT_TIMEOUT, SOURCE, LinuxTest

DEMO = os.path.join(SOURCE, "sw", "linux", "demo", "run")


class LinuxDemo(LinuxTest):
    def demo(self, name):
        out = self.path(name)
        command = [DEMO, "--build", os.path.dirname(BIN), "--out", out, "--progress", "off"]
        if QEMU_PREFIX:
            command += ["--qemu-prefix", QEMU_PREFIX]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BOOT_TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-6000:])
        self.assertIn(b"All steps were seen", done.stdout)
        return out

    @ctest(timeout=1300)
    def test_twice_the_same(self):
        first, second = self.demo("first"), self.demo("second")
        for name in ("master.log", "slave0.log", "trace.vcd"):
            with open(os.path.join(first, name), "rb") as a, \
                    open(os.path.join(second, name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name + " differs")

    @ctest(timeout=900, once=True)
    def test_installed(self):
        """As tandem demo --linux of the Debian packages: nothing of the source tree but what is
        installed, and the kit is found where TANDEM_LINUX says."""
        prefix, out = self.path("prefix"), self.path("out")
        install(prefix)
        command = [os.path.join(prefix, "bin", "tandem"), "demo", "--linux", "--out", out]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BOOT_TIMEOUT, check=False,
                              cwd=self.directory)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text[-6000:])
        self.assertIn("All steps were seen", text)
        self.assertNotIn(SOURCE + "/sw/", text)


if __name__ == "__main__":
    main()
