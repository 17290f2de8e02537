# SPDX-License-Identifier: Apache-2.0
"""The Linux guest kit itself: it is verified, repaired without the network, and reproducible."""
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from linux_guests import LINUX, OVERLAY, SOURCE
from platform_run import PlatformTest, ctest, main

SETUP = os.path.join(SOURCE, "sw", "linux", "kit", "setup")
# Of the kit's workloads: what readelf calls the machine, and where the guest's loader looks.
MACHINES = {"amd64": ("X86-64", "lib/x86_64-linux-gnu"), "arm64": ("AArch64", "lib/aarch64-linux-gnu"),
            "armhf": ("ARM", "lib/arm-linux-gnueabihf")}
OWN = {"chase", "copy", "triad"}


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
                              check=False, timeout=2000)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line[2:] for line in done.stderr.splitlines() if line.startswith("+ ")]

    def overlay(self, *pairs, options=(), out="overlay.gz"):
        out = self.path(out)
        done = subprocess.run([OVERLAY, *options, out, *pairs], stderr=subprocess.PIPE, text=True,
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

    @staticmethod
    def elf(path):
        """The machine, the loader, and the libraries that the file asks for."""
        shown = subprocess.run(["readelf", "--wide", "--file-header", "--program-headers",
                                "--dynamic", path], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
        machine = re.search(r"Machine: .*?([\w-]+)$", shown, re.M)[1]
        return machine, re.findall(r"program interpreter: /(.*)\]", shown), \
            re.findall(r"\(NEEDED\).*\[(.*)\]", shown)

    @ctest(once=True)
    def test_workloads(self):
        for architecture, (machine, libraries) in MACHINES.items():
            with open(os.path.join(LINUX, architecture, "workloads.json"), encoding="utf-8") as file:
                programs = json.load(file)
            self.assertEqual(set(programs), OWN | {"lz4", "mbw", "openssl", "sqlite3"})
            for name, files in programs.items():
                with self.subTest(architecture, name=name):
                    self.check_program(architecture, machine, libraries, name, files)

    def check_program(self, architecture, machine, libraries, name, files):
        tree = os.path.join(LINUX, architecture, "workloads")
        found = {file: self.elf(os.path.join(tree, file)) for file in files}
        self.assertEqual({machine}, {of for of, _, _ in found.values()})
        _, loaders, needed = found[f"bin/{name}"]
        self.assertTrue(os.access(os.path.join(tree, "bin", name), os.X_OK))
        if name in OWN:
            self.assertEqual((loaders, needed), ([], []))
            return
        self.assertIn("libc.so.6", needed)
        self.assertTrue(os.access(os.path.join(tree, loaders[0]), os.X_OK))
        wanted = {f"bin/{name}", loaders[0]}
        wanted |= {f"{libraries}/{library}" for _, _, names in found.values() for library in names
                   if library != os.path.basename(loaders[0])}
        self.assertEqual(set(files), wanted)

    @ctest(once=True)
    def test_workload_without_its_library(self):
        self.addCleanup(sys.path.remove, os.path.dirname(SETUP))
        sys.path.insert(0, os.path.dirname(SETUP))
        import workloads  # pylint: disable=import-outside-toplevel,import-error
        tree = os.path.join(LINUX, "amd64", "workloads")
        for inside in "usr/bin/openssl", "lib64/ld-linux-x86-64.so.2":
            os.makedirs(os.path.dirname(self.path("deb/" + inside)), exist_ok=True)
            shutil.copy(os.path.join(tree, inside.removeprefix("usr/")), self.path("deb/" + inside))
        with self.assertRaisesRegex(Exception, r"^openssl needs libssl\.so\.3, which no package of "
                                    "linux_workload_packages in packages.conf has$"):
            workloads.collect(self.path("deb"), "x86_64-linux-gnu", self.path("made"))

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
    def test_overlay_behind_links_to_directories(self):
        # As in a distribution's archive, where /lib is usr/lib.
        os.makedirs(self.path("root/usr/lib"))
        for link, target in ("lib", "usr/lib"), ("usr/old", "/root/lib"), ("self", "self"):
            os.symlink(target, self.path("root/" + link))
        file = self.path("file")
        with open(file, "w", encoding="utf-8") as opened:
            opened.write("text")
        base = self.overlay("root=" + self.path("root"), out="base.gz")
        behind = ("--behind", self.path("base.gz"))
        for added, names in (
                ("root/lib/new", [b"root/usr/lib/new"]),
                ("root/usr/old/deep/new", [b"root/usr/lib/deep", b"root/usr/lib/deep/new"]),
                ("root/self", [b"root/self"]), ("other/new", [b"other", b"other/new"])):
            with self.subTest(added):
                out = self.overlay(f"{added}={file}", options=behind)
                self.assertEqual(out[:len(base)], base)
                unpacked = gzip.decompress(out[len(base):])
                self.assertEqual([entry.split(b"\0")[0][104:] for entry in
                                  unpacked.split(b"070701")[1:-1]], names)
        for added, sentence in (
                ("root/usr", "/root/usr is a directory"),
                ("root/self/new", "/root/self leads in a circle")):
            self.assertEqual(self.overlay(f"{added}={file}", options=behind),
                             f"overlay: {sentence} in what is unpacked before\n")
        self.assertRegex(self.overlay(f"a={file}", options=("--behind", file)),
                         "file is no cpio archive, nor one in gzip or xz")

    @ctest(once=True)
    def test_overlay_refused(self):
        self.assertEqual(self.overlay("data"), "overlay: 'data' is not of the form DEST=SRC\n")
        self.assertEqual(self.overlay("a=/nonexistent"),
                         "overlay: /nonexistent: No such file or directory\n")
        self.assertEqual(self.overlay("a=/dev/null"),
                         "overlay: /dev/null is neither a file nor a link nor a directory\n")


if __name__ == "__main__":
    main()
