# SPDX-License-Identifier: Apache-2.0
"""The Linux guest kit itself: it is verified, repaired without the network, and reproducible."""
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile

from linux_guests import LINUX, OVERLAY, SOURCE
from platform_run import PlatformTest, ctest, main

SETUP = os.path.join(SOURCE, "sw", "linux", "kit", "setup")


def checksum(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Kit(PlatformTest):
    def copy_of_kit(self):
        """A copy that may be damaged: of links to the same files, none of which is written to."""
        directory = tempfile.mkdtemp(prefix="kit-", dir=os.path.dirname(LINUX))
        self.addCleanup(shutil.rmtree, directory)
        subprocess.run(["cp", "-al", LINUX, os.path.join(directory, "linux")], check=True)
        return os.path.join(directory, "linux")

    def setup_kit(self, out):
        """Brings the kit up to date; returns the commands that it has run."""
        done = subprocess.run([SETUP, "--out", out], stderr=subprocess.PIPE, text=True,
                              check=False, timeout=500)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line[2:] for line in done.stderr.splitlines() if line.startswith("+ ")]

    def overlay(self, *pairs):
        out = self.path("overlay.gz")
        done = subprocess.run([OVERLAY, out, *pairs], stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode:
            return done.stderr
        with open(out, "rb") as file:
            return file.read()

    @ctest(timeout=600, once=True)
    def test_repaired(self):
        kit = self.copy_of_kit()
        self.setup_kit(kit)
        self.assertEqual(self.setup_kit(kit), [])
        lost = os.path.join(kit, "armhf", "initramfs.gz")
        damaged = os.path.join(kit, "amd64", "kernel")
        wanted = {path: checksum(path) for path in (lost, damaged)}
        os.remove(lost)
        os.remove(damaged)
        with open(damaged, "wb") as file:
            file.write(b"no kernel")
        commands = self.setup_kit(kit)
        self.assertEqual([c for c in commands if c.startswith(("apt", "APT", "cd "))], [])
        self.assertEqual({path: checksum(path) for path in wanted}, wanted)
        self.assertEqual(self.setup_kit(kit), [])

    @ctest(once=True)
    def test_overlay(self):
        for name, moment in ("one", 1), ("two", 2):
            os.makedirs(self.path(name))
            for file in ("a", "b") if name == "one" else ("b", "a"):
                with open(os.path.join(self.path(name), file), "w", encoding="utf-8") as opened:
                    opened.write(file)
                os.utime(opened.name, (moment, moment))
            os.symlink("a", os.path.join(self.path(name), "link"))
        one = self.overlay("data=" + self.path("one"))
        self.assertEqual(one, self.overlay("/data/=" + self.path("two")))
        unpacked = gzip.decompress(one)
        names = [entry.split(b"\0")[0][104:] for entry in unpacked.split(b"070701")[1:]]
        self.assertEqual(names, [b"data", b"data/a", b"data/b", b"data/link", b"TRAILER!!!"])

    @ctest(once=True)
    def test_overlay_refused(self):
        self.assertEqual(self.overlay("data"), "overlay: 'data' is not of the form DEST=SRC\n")
        self.assertEqual(self.overlay("a=/nonexistent"),
                         "overlay: /nonexistent: No such file or directory\n")
        self.assertEqual(self.overlay("a=/dev/null"),
                         "overlay: /dev/null is neither a file nor a link nor a directory\n")


if __name__ == "__main__":
    main()
