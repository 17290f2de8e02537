# SPDX-License-Identifier: Apache-2.0
"""Platforms whose master is the Linux of the guest kit.

The environment says besides what platform_run.py reads:
  TANDEM_LINUX      the kit, build/linux
  TANDEM_BIN        directory of the platforms' executables
"""
import os
import re
import subprocess

from platform_run import QEMU_PREFIX, RUN_TIMEOUT, PlatformTest, guest

LINUX = os.environ.get("TANDEM_LINUX", "")
BIN = os.environ.get("TANDEM_BIN", "")
SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
OVERLAY = os.path.join(SOURCE, "sw", "linux", "kit", "overlay")
X86_LINUX = os.path.join(SOURCE, "platforms", "x86-arm", "linux.ini")

BOOT_TIMEOUT = 1800  # seconds of host time for a run with several Linux boots on a loaded host

# What a Linux slave does: reports, and answers messages.
SLAVE_SCRIPT = os.path.join(SOURCE, "sw", "linux", "demo", "slave.sh")

# In front of every master's script: `try` shows a command, its output and its exit status.
MASTER_PRELUDE = """
try() {
  echo "TRY $*"
  "$@"
  echo "STATUS $?"
}
"""
# Boots Linux on the slave of that number, of slave_files("armhf"); has it answer a message.
BOOT_ARM = "load-bin-boot -i /boot/armhf/initramfs.gz {0} /boot/armhf/kernel /boot/slave{0}.dtb\n"
TALK = """
try idmctl receive {0} -t 120
try idmctl send {0} "hello {0}"
try idmctl receive {0} -t 20
"""

MASTER_END = """
echo SCRIPT DONE
idmctl end 0 || poweroff -f
"""


def kit(arch, name):
    return os.path.join(LINUX, arch, name)


def without_clock(line):
    """A line of the kernel's log without its time stamp."""
    return re.sub(r"^\[ *\d+\.\d+\] ", "", line)


class Tried:
    """What a command of the master's script, run by `try`, has shown."""

    def __init__(self, output, status):
        self.output, self.status = output, status


class LinuxTest(PlatformTest):
    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def initramfs(self, name, arch, files):
        """The kit's initramfs with more files: {path in the guest: path here}."""
        out = self.path(name + ".gz")
        subprocess.run([OVERLAY, "--behind", kit(arch, "initramfs.gz"), out,
                        *(f"{inside}={here}" for inside, here in files.items())], check=True)
        return out

    def slave_files(self, arch):
        """What a master needs to boot a Linux of this architecture, below /boot/ARCH."""
        initramfs = self.initramfs("slave-" + arch, arch, {"etc/tandem.d/slave.sh": SLAVE_SCRIPT})
        return {f"boot/{arch}/kernel": kit(arch, "kernel"),
                f"boot/{arch}/initramfs.gz": initramfs}

    def device_trees(self, command):
        """{boot/INSTANCE.dtb: file} of all instances that have a tree."""
        directory = self.path("trees")
        subprocess.run(command + ["--dump-dtb", directory], check=True,
                       stdout=subprocess.DEVNULL, timeout=RUN_TIMEOUT)
        return {"boot/" + name: os.path.join(directory, name)
                for name in os.listdir(directory) if name != "master.dtb"}

    def start_linux(self, platform, master_arch, script, files=None, options=()):
        """Starts a platform whose master runs the script and then ends the run."""
        command = [os.path.join(BIN, platform)]
        if platform == "x86-arm":
            command += ["--config", X86_LINUX]
        if QEMU_PREFIX:
            command += ["--qemu-prefix", QEMU_PREFIX]
        command += [str(o) for o in options]
        inside = {"etc/tandem.d/test.sh":
                  self.write("test.sh", MASTER_PRELUDE + script + MASTER_END)}
        inside.update(files or {})
        inside.update(self.device_trees(command))
        initramfs = self.initramfs("master", master_arch, inside)
        return self.start(*command[1:], "--master.initrd", initramfs, platform=command[0],
                          prefix="")

    def run_linux(self, *how, **more):
        run = self.finish(self.start_linux(*how, **more), timeout=BOOT_TIMEOUT)
        self.assertIn("SCRIPT DONE", run.console())
        return run

    def tried(self, run, instance="master"):
        """{command line: Tried} of the instance's script."""
        found = {}
        for part in run.console(instance).split("\nTRY ")[1:]:
            line, _, rest = part.partition("\n")
            output, _, status = rest.partition("STATUS ")
            shown = [l for l in output.splitlines() if not re.match(r"\[ *\d+\.\d+\]", l)]
            found[line] = Tried("\n".join(shown), int(status.split()[0]))
        return found


def program(arch, name):
    """A bare-metal program that a master can boot."""
    return guest(arch, name + ".slave" if arch == "cortexm" else name)
