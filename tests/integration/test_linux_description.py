# SPDX-License-Identifier: Apache-2.0
"""A Linux finds the platform: by the ACPI table on a PC, by the device tree on Arm. Its user finds
its shell."""
import os
import re
import shutil
import time

from platform_run import ctest, main
from linux_guests import BOOT_TIMEOUT, LinuxTest, kit, program
from test_interactive import Session

LOOK = """
insmod /lib/tandem/tandem_idm.ko
try cat /proc/iomem
try cat /proc/interrupts
try cat /proc/cmdline
try ls /sys/bus/platform/devices
try dmesg
"""
OPTIONS = ("--slaves", 0, "--master.icount-shift", 2)


class LinuxDescription(LinuxTest):
    def look(self, machine, arch, console, *options, slaves=0, more="", files=None):
        script = self.write("look.sh", 'try() { echo "TRY $*"; "$@"; echo "STATUS $?"; }\n' + LOOK +
                            more + "poweroff -f\n")
        run = self.simulate(
            "--slaves", slaves, "--master.icount-shift", 2, "--master.machine", machine, "--master.image", kit(arch, "kernel"),
            "--master.initrd", self.initramfs("look", arch, {"etc/tandem.d/look.sh": script, **(files or {})}),
            "--master.append", "console=" + console, *options,
            timeout=BOOT_TIMEOUT)
        return self.tried(run)

    @ctest(timeout=900)
    def test_acpi(self):
        for machine in ("x86-pc", "x86-q35"):
            with self.subTest(machine):
                tried = self.look(machine, "amd64", "ttyS0", "--shared-memory", "64M")
                memory = tried["cat /proc/iomem"].output
                self.assertRegex(memory, r"(?m)^ *80000000-83ffffff : Reserved$")
                self.assertRegex(memory, r"(?m)^ *80000000-83ffffff : TNDM0001:00$")
                self.assertRegex(memory, r"(?m)^ *d0000000-d000ffff : TNDM0001:00$")
                self.assertIn("TNDM0001:00", tried["ls /sys/bus/platform/devices"].output)
                self.assertRegex(tried["cat /proc/interrupts"].output,
                                 r"(?m)^ *5:.*IO-APIC +5-fasteoi +TNDM0001:00")
                self.assertRegex(tried["cat /proc/cmdline"].output,
                                 r"cryptomgr\.notests memmap=0x4000000\$0x80000000 console=ttyS0")
                self.assertNotRegex(tried["dmesg"].output, r"(?i)conflict|TNDM0001.*(fail|error)")

    @ctest(timeout=600)
    def test_acpi_with_more_memory_than_the_low_window_shows(self):
        # A resource table has no addresses there.
        tried = self.look("x86-pc", "amd64", "ttyS0", "--shared-memory", "1G", "--slave.machine",
                          "arm", "--slave.boot", "master", "--slave.window", "64M", slaves=1, more="""
load-remoteproc
echo start > /sys/class/remoteproc/remoteproc0/state
try dmesg -r
""", files={"lib/firmware/tandem-slave0.elf": program("arm", "rpmsg_echo")})
        self.assertRegex(tried["cat /proc/iomem"].output,
                         r"(?m)^ *1000000000-103fffffff : TNDM0001:00$")
        self.assertRegex(tried["dmesg -r"].output, "the window is not all below 4 GiB for this guest")

    @ctest(timeout=600)
    def test_device_tree(self):
        tried = self.look("aarch64", "arm64", "ttyAMA0", "--shared-memory", "64M")
        self.assertIn("f000000.tandem-idm", tried["ls /sys/bus/platform/devices"].output)
        self.assertIn("cryptomgr.notests console=ttyAMA0", tried["cat /proc/cmdline"].output)
        self.assertRegex(tried["cat /proc/iomem"].output, r"(?m)^ *0f000000-0f00ffff : .*tandem")
        self.assertRegex(tried["cat /proc/interrupts"].output, r"GIC\S* 128 Level +f000000.tandem-idm")

    # ---- parts of a user's ----

    PARTS = ("--load", os.environ.get("TANDEM_PARTS", ""), "--add", "square=square@0x0a100000",
             "--add", "mover=mover@0x0a200000,irq=40,trigger=edge")

    @ctest(timeout=600)
    def test_parts_by_acpi(self):
        tried = self.look("x86-pc", "amd64", "ttyS0", *self.PARTS)
        for device in ("EXMP0001:00", "EXMP0002:00", "TNDM0001:00"):
            self.assertIn(device, tried["ls /sys/bus/platform/devices"].output)
        memory = tried["cat /proc/iomem"].output
        self.assertRegex(memory, r"(?m)^ *d2100000-d2100fff : EXMP0001:00$")
        self.assertRegex(memory, r"(?m)^ *d2200000-d2200fff : EXMP0002:00$")
        self.assertNotRegex(tried["dmesg"].output, r"(?i)ACPI (BIOS )?Error")

    @ctest(timeout=600)
    def test_parts_by_device_tree(self):
        tried = self.look("aarch64", "arm64", "ttyAMA0", *self.PARTS)
        for device in ("a100000.square", "a200000.mover", "f000000.tandem-idm"):
            self.assertIn(device, tried["ls /sys/bus/platform/devices"].output)

    def test_only_kernels_of_the_kit_are_told_not_to_try_out_their_ciphers(self):
        other = self.path("kernel")
        shutil.copy(kit("arm64", "kernel"), other)
        for image, line in ((kit("arm64", "kernel"), "cryptomgr.notests console=ttyAMA0"),
                            (other, "console=ttyAMA0")):
            run = self.simulate(*OPTIONS, "--dry-run", "--master.machine", "aarch64",
                                "--master.image", image, "--master.append", "console=ttyAMA0")
            told = re.search(r"-append ('[^']*'|\S+)", run.stdout)[1].strip("'")
            self.assertEqual(told, line)

    @ctest(timeout=600)
    def test_shell(self):
        options = (*OPTIONS, "--master.machine", "aarch64", "--master.image",
                   kit("arm64", "kernel"), "--master.initrd", kit("arm64", "initramfs.gz"),
                   "--master.append", "console=ttyAMA0")
        with Session(self, *options) as s:
            self.assertTrue(s.sees("\n# ", BOOT_TIMEOUT), s.text)
            s.type("echo $((6*7)) answers\r")
            self.assertTrue(s.sees("42 answers"), s.text)
            since = time.monotonic()
            s.type("sleep 2; echo $((7*8)) again\r")
            self.assertTrue(s.sees("56 again"), s.text)
            self.assertGreater(time.monotonic() - since, 1.8)  # seconds of the user's
            s.type("\x1d")
            self.assertEqual(s.status(), 0, s.text)
            self.assertTrue(s.is_restored())


if __name__ == "__main__":
    main()
