#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rpmsg with bare metal on both sides: rpmsg_traffic is the master and virtio driver, rpmsg_echo
the firmware and virtio device (docs/rpmsg.md). The master checks every answer and all buffers.

TANDEM_MESSAGES=100000 in the environment sets the number of messages for each slave in
test_arm_and_cortexm."""
import os

import bundle
from platform_run import MACHINES, PlatformTest, ctest, guest, main

MESSAGES = int(os.environ.get("TANDEM_MESSAGES", "20000"))


class Rpmsg(PlatformTest):
    def options(self, machines, *options, firmware="rpmsg_echo", arch=None, **parameters):
        path = self.path("bundle")
        bundle.write(path, [guest(arch or MACHINES[machine],
                                  firmware + (".slave" if machine == "cortexm" else ""))
                            for machine in machines])
        kinds = [word for i, machine in enumerate(machines)
                 for word in (f"--slave{i}.machine", machine)]
        words = [word for name, value in parameters.items()
                 for word in ("--param", f"{name}={value}")]
        return ("--master.image", "rpmsg_traffic", "--slaves", len(machines), *kinds,
                "--slave.boot", "master", "--input", path, *words, *options)

    def exchange(self, machines, *options, cycles=1, messages=500, **parameters):
        run = self.simulate(*self.options(machines, *options, cycles=cycles, messages=messages,
                                          **parameters))
        self.assertEqual(run.number("errors"), 0)
        self.assertEqual(run.number("cycles"), cycles)
        boots = [p["boots"] for p in run.module("idm")["participants"][1:]]
        self.assertEqual(boots, [cycles] * len(machines))
        return run

    @ctest(timeout=900)
    def test_arm_and_cortexm(self):
        """Messages of 1 to 496 bytes: none lost, changed or out of order; all buffers are back."""
        self.exchange(("arm", "cortexm"), messages=MESSAGES)

    def test_aarch64_and_x86(self):
        self.exchange(("aarch64", "x86-pc"))

    def test_riscv64_and_arm(self):
        self.exchange(("riscv64", "arm"))

    def test_by_any_master(self):
        for master in ("arm", "aarch64", "cortexm", "x86-q35", "riscv64"):
            with self.subTest(master=master):
                self.exchange(("cortexm", "arm"), "--master.machine", master)

    def test_started_again(self):
        self.exchange(("arm", "cortexm"), cycles=20, messages=100)

    def test_undefined_instruction(self):
        """The firmware ends with the status of an unexpected fault, and starts again."""
        run = self.exchange(("arm", "cortexm", "aarch64", "x86-pc", "riscv64"), cycles=3, messages=50,
                            end="undefined")
        for slave in range(5):
            self.assertEqual(run.console(f"slave{slave}").count("FAULT"), 3)

    def test_ends_itself(self):
        self.exchange(("arm", "cortexm"), cycles=3, messages=50, end="exit")

    def test_same_again(self):
        """Serial mode has no races through shared memory: two runs leave the same."""
        options = self.options(("arm", "cortexm"), "--mode", "serial", messages=300)
        self.assert_same(self.simulate(*options), self.simulate(*options))

    def test_image_without_table(self):
        run = self.simulate(*self.options(("arm",), firmware="boot_report"), status=1)
        self.assertIn("the firmware has no resource table with an rpmsg device", run.console())

    def test_firmware_for_another_machine(self):
        run = self.simulate(*self.options(("aarch64",), arch="arm"), status=1)
        self.assertIn("the image is for another architecture", run.console())


if __name__ == "__main__":
    main()
