#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it takes to save and to restore an x86_64 master and two Arm slaves, all Linux at their
prompts after they have talked, beside the boot. Needs the guest kit.

    tests/bench/restore.py [--build DIR] [--repeats N]
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LINUX = os.path.join(SOURCE, "build", "linux")
SLAVES = 2
SLAVE_INITRAMFS = "/boot/armhf/initramfs.gz"


def overlay(to, behind, files):
    """The kit's initramfs with more files in it."""
    subprocess.run([os.path.join(SOURCE, "sw/linux/kit/overlay"), "--behind",
                    os.path.join(LINUX, behind, "initramfs.gz"), to,
                    *(f"{place}={path}" for place, path in files.items())], check=True)
    return to


def master_script():
    lines = ["insmod /lib/tandem/tandem_idm.ko"]
    for slave in range(SLAVES):
        lines.append(f"load-bin-boot -i {SLAVE_INITRAMFS} {slave} /boot/armhf/kernel "
                     f"/boot/slave{slave}.dtb")
    for slave in range(SLAVES):
        lines += [f"idmctl receive {slave} -t 120", f"idmctl send {slave} hello",
                  f"idmctl receive {slave} -t 20"]
    return "\n".join([*lines, "idmctl checkpoint", ""])


class Restore:
    SYSTEM = ("--config", os.path.join(SOURCE, "platforms/x86-arm/linux.ini"), "--slaves",
              str(SLAVES))

    def __init__(self, build, directory):
        self.program = os.path.join(build, "bin", "x86-arm")
        self.directory = directory
        self.place = self.path("checkpoint")

    def path(self, name):
        return os.path.join(self.directory, name)

    def timed(self, *options):
        """Seconds of host time of a run, and what it said."""
        start = time.monotonic()
        done = subprocess.run(
            [self.program, *options, "--out", self.path("out"), "--progress", "off", "--consoles",
             "off"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, timeout=1200, check=False)
        if done.returncode:
            sys.exit(f"failed: {done.stderr}")
        return time.monotonic() - start, done.stderr

    def save(self):
        trees = self.path("trees")
        self.timed(*self.SYSTEM, "--dump-dtb", trees)
        files = {"etc/tandem.d/script.sh": self.path("script.sh"),
                 SLAVE_INITRAMFS.lstrip("/"): self.path("slave.gz"),
                 "boot/armhf/kernel": os.path.join(LINUX, "armhf", "kernel"),
                 **{"boot/" + name: os.path.join(trees, name) for name in os.listdir(trees)}}
        with open(self.path("script.sh"), "w", encoding="ascii") as script:
            script.write(master_script())
        overlay(self.path("slave.gz"), "armhf", {
            "etc/tandem.d/slave.sh": os.path.join(SOURCE, "sw/linux/demo/slave.sh")})
        initramfs = overlay(self.path("master.gz"), "amd64", files)
        return self.timed(*self.SYSTEM, "--master.initrd", initramfs, "--checkpoint", self.place,
                          "--checkpoint-exit")

    def restore(self, until):
        return self.timed("--restore", self.place, "--time-limit", until)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--repeats", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as directory:
        bench = Restore(os.path.abspath(options.build), directory)
        seconds, said = bench.save()
        at_s = float(re.findall(r"simulated ([0-9.]+) s", said)[0])
        used = subprocess.run(["du", "-sk", bench.place], capture_output=True, text=True,
                              check=True)
        print(f"boot, talk and save {seconds:.1f} s, until {at_s} s of simulated time")
        print(f"the checkpoint {int(used.stdout.split()[0]) / 1024:.0f} MiB on disk")
        times = [bench.restore(f"{round(at_s * 1e6) + 10}us") for _ in range(options.repeats)]
        print(f"restore, run 10 us, end: {min(times):.2f} to {max(times):.2f} s, median "
              f"{statistics.median(times):.2f} s of {len(times)}")


if __name__ == "__main__":
    main()
