# SPDX-License-Identifier: Apache-2.0
"""Marks of a Linux guest: by idmctl, and by programs that include tandem_marks.h."""
import json
import os
import subprocess

from linux_guests import BIN, BOOT_ARM, SOURCE, TALK, LinuxTest
from platform_run import ctest, main

COMPILERS = {64: "aarch64-linux-gnu-gcc-12", 32: "arm-linux-gnueabihf-gcc-12"}
ARM64_MASTER = ["--master.machine", "aarch64", "--master.append", "console=ttyAMA0"]
NO_DEVICE = "there is no /dev/idm_marks: the kernel module tandem_idm is not loaded, or is older " \
            "than marks"

# {what idmctl is given: what it says}
REFUSED = {
    "mark": "mark takes 2 arguments at most, not 0, see idmctl -h",
    "mark x": "mark 'x' is not a number from 0 to 4294967295",
    "mark 1 4294967296": "value '4294967296' is not a number from 0 to 4294967295",
    "region start 1": "'start' is neither begin nor end",
    "region end one": "region 'one' is not a number from 0 to 4294967295",
}


class LinuxMarks(LinuxTest):
    def program(self, bits):
        out = self.path(f"marks{bits}")
        includes = [os.path.join(SOURCE, *path) for path in (
            ("sw", "linux", "include"), ("tlm-models", "guest", "include"))]
        subprocess.run([COMPILERS[bits], "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                        *(f"-I{path}" for path in includes),
                        os.path.join(os.path.dirname(__file__), "linux_marks.c"), "-o", out],
                       check=True, timeout=120)
        return out

    @ctest(timeout=900)
    def test_of_idmctl_and_programs(self):
        script = "try idmctl mark 1\ntry marks64 1\ninsmod /lib/tandem/tandem_idm.ko\n" + \
            "try idmctl mark 7\ntry idmctl mark 8 4294967295\ntry idmctl region begin 3\n" + \
            "try marks64 3\ntry marks32 2\ntry idmctl region end 3\ntry idmctl region end 3\n" + \
            "".join(f"try idmctl {words}\n" for words in REFUSED)
        # The slave needs no module: it makes marks 101 and 201 and two regions.
        run = self.run_linux("arm-arm", "arm64", script,
                             {"bin/marks64": self.program(64), "bin/marks32": self.program(32)},
                             [*ARM64_MASTER, "--slaves", 1, "--slave.boot", "self",
                              "--slave.image", "marks"])
        tried = self.tried(run)
        self.assertEqual(tried["idmctl mark 1"].output, "idmctl: " + NO_DEVICE)
        self.assertEqual(tried["idmctl mark 1"].status, 1)
        self.assertEqual(tried["marks64 1"].output, "no marks: No such file or directory")
        for words, sentence in REFUSED.items():
            self.assertEqual(tried["idmctl " + words].output, "idmctl: " + sentence)
            self.assertEqual(tried["idmctl " + words].status, 1)
        for words in ("idmctl mark 7", "marks64 3", "marks32 2", "idmctl region end 3"):
            self.assertEqual((tried[words].output, tried[words].status), ("", 0), words)
        self.check(run.statistics())

    def check(self, statistics):
        of = {by: [(m["kind"], m["number"], m["value"]) for m in statistics["marks"]["list"]
                   if m["by"] == by] for by in ("master", "slave0")}

        def rounds(count):
            return [entry for i in range(count) for entry in (
                ("begin", 40, 0), ("mark", 41, 1000 + i), ("end", 40, 0))] + [("mark", 42, 0)]
        self.assertEqual(of["master"], [
            ("mark", 7, 0), ("mark", 8, 4294967295), ("begin", 3, 0), *rounds(3), *rounds(2),
            ("end", 3, 0), ("end", 3, 0)])
        self.assertEqual([entry[1] for entry in of["slave0"]], [101, 201, 11, 11, 12, 12])
        self.assertEqual(statistics["marks"]["ends_without_begin"], 1)
        regions = statistics["regions"]
        self.assertEqual(regions["region 40"]["begun"], 5)
        self.assertGreater(regions["region 3"]["simulated_ns"],
                           regions["region 40"]["simulated_ns"])
        self.assertGreater(regions["region 40"]["modules"]["master"]["instructions"], 0)

    @ctest(timeout=900)
    def test_checkpoint_by_idmctl(self):
        """The run that saves because its Linux asks goes on as the one without, and the restored
        one ends like both."""
        place = self.path("checkpoint")
        script = "insmod /lib/tandem/tandem_idm.ko\ntry idmctl checkpoint\n" + \
            "try md5sum /bin/busybox\ntry cat /proc/uptime\n"
        options = [*ARM64_MASTER, "--master.cpus", 1, "--slaves", 1, "--slave.boot", "self",
                   "--slave.image", "marks"]
        plain = self.run_linux("arm-arm", "arm64", script, options=options)
        saver = self.run_linux("arm-arm", "arm64", script,
                               options=[*options, "--checkpoint", place])
        self.assertIn(f"checkpoint: {place}, at ", saver.stderr)
        self.assertEqual(self.tried(saver)["idmctl checkpoint"].status, 0)
        self.assert_same(plain, saver)
        again = self.simulate("--restore", place, platform=os.path.join(BIN, "arm-arm"), prefix="")
        self.assert_same(plain, again)
        with open(os.path.join(place, "manifest.json"), encoding="utf-8") as file:
            saved = json.load(file)["time_ns"]
        asked = next(m["time_ns"] for m in plain.statistics()["marks"]["list"]
                     if m["number"] == 0xffffffff)
        self.assertGreaterEqual(saved, asked)
        self.assertLess(saved, plain.statistics()["simulated_ns"])

    @ctest(timeout=900, once=True)
    def test_checkpoint_of_a_master_and_two_slaves_at_their_prompts(self):
        """They were booted and have talked before, and talk behind it."""
        place = self.path("checkpoint")
        script = ("insmod /lib/tandem/tandem_idm.ko\n" + BOOT_ARM.format(0) + BOOT_ARM.format(1) +
                  TALK.format(0) + TALK.format(1) + "try idmctl checkpoint\n" +
                  "".join(f"try idmctl send {i} behind\ntry idmctl receive {i} -t 20\n"
                          for i in (0, 1)))
        options = ("--slaves", 2)
        files = self.slave_files("armhf")
        plain = self.run_linux("x86-arm", "amd64", script, files, options=options)
        saver = self.run_linux("x86-arm", "amd64", script, files,
                               options=[*options, "--checkpoint", place])
        self.assert_same(plain, saver)
        again = self.simulate("--restore", place)
        self.assert_same(plain, again)
        self.assertEqual(again.console().count("\necho: behind\n"), 2)


if __name__ == "__main__":
    main()
