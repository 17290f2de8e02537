# SPDX-License-Identifier: Apache-2.0
"""A guest that ends its machine by means of the machine's own, as a program for bare QEMU does, ends
the run, and with the same status."""
import os
import subprocess

from platform_run import PlatformTest, ctest, main

COMPILER = {"arm": "arm-none-eabi-gcc", "riscv64": "riscv64-unknown-elf-gcc"}
# SYS_EXIT_EXTENDED of Arm's semihosting, which QEMU carries out itself.
SEMIHOSTING = ("mov r0, #0x20; ldr r1, =block; svc 0x123456\n1: b 1b\n"
               "block: .word 0x20026, {status}", "0x40200000", ("--master.qemu-args=-semihosting",))
# The device sifive_test.
DEVICE = ("li t0, 0x100000; li t1, {status} << 16 | 0x3333; sw t1, (t0)\n1: j 1b", "0x80000000", ())
# The same, with success.
POWEROFF = ("li t0, 0x100000; li t1, 0x5555; sw t1, (t0)\n1: j 1b", "0x80000000", ())
# A function in shared memory is executed, a DMA engine (docs/examples/parts/mover.cpp) writes another in
# its place, and that is executed: its result is the status.
OVERLAY = (""".arch armv7-a
    ldr r4, =0x80100000      @ 1 MiB into the shared memory
    ldr r0, =0xe3a00012      @ mov r0, #18
    ldr r1, =0xe12fff1e      @ bx lr
    ldr r7, =0xe3a00021      @ mov r0, #33
    str r0, [r4, #0x100]
    str r1, [r4, #0x104]
    str r7, [r4, #0x200]
    str r1, [r4, #0x204]
    add r5, r4, #0x100
    blx r5
    cmp r0, #18
    bne end
    ldr r6, =0x0a200000      @ the engine, which knows the platform's addresses
    ldr r0, =0x00100200
    str r0, [r6, #0]
    mov r0, #0x10
    str r0, [r6, #4]
    str r0, [r6, #12]
    ldr r0, =0x00100100
    str r0, [r6, #8]
    mov r0, #8
    str r0, [r6, #16]
    str r0, [r6, #20]
wait:
    ldr r0, [r6, #20]
    ldr r0, [r4, #0x100]
    cmp r0, r7
    bne wait
    ldr r0, [r6, #20]
    blx r5
end:
    ldr r1, =block
    str r0, [r1, #4]
    mov r0, #0x20
    svc 0x123456
1:  b 1b
block: .word 0x20026, 0
""", "0x40200000", ("--master.qemu-args=-semihosting", "--load",
                    os.environ.get("TANDEM_PARTS", ""), "--add", "mover=mover@0x0a200000"))
SLEEPS = (".arch armv7-a\n1: wfi; b 1b", "0x40200000", ())


class ExitStatus(PlatformTest):
    def image(self, machine, program, status=0):
        text, address, _ = program
        source, image = self.path(machine + ".S"), self.path(machine + ".elf")
        with open(source, "w", encoding="ascii") as file:
            file.write(f".global _start\n_start: {text.format(status=status)}\n")
        subprocess.run([COMPILER[machine], "-nostdlib", "-Wl,-Ttext=" + address, "-o", image,
                        source], check=True, env=dict(os.environ, TMPDIR=self.directory))
        return image

    def ends(self, machine, program, status, *options):
        return self.simulate("--slaves", 0, "--master.machine", machine, "--master.image",
                             self.image(machine, program, status), *program[2], *options,
                             "--time-limit", "1s", status=status)

    def test_by_semihosting(self):
        for status in (0, 7, 255):
            with self.subTest(status):
                self.ends("arm", SEMIHOSTING, status)

    def test_by_a_device(self):
        for mode in ("parallel", "serial", "free"):
            with self.subTest(mode):
                self.ends("riscv64", DEVICE, 3, "--mode", mode)
        self.ends("riscv64", POWEROFF, 0)

    def test_of_code_that_others_write(self):
        for mode in ("parallel", "serial"):
            with self.subTest(mode):
                self.ends("arm", OVERLAY, 33, "--mode", mode)

    @ctest(once=True)
    def test_the_first_ends_the_run(self):
        run = self.simulate(
            "--slaves", 1, "--master.machine", "riscv64", "--master.image",
            self.image("riscv64", POWEROFF), "--slave.machine", "arm", "--slave.image",
            self.image("arm", SLEEPS))
        self.assertEqual(run.statistics()["end"], "a guest has ended the run")

    @ctest(once=True)
    def test_another_that_fails_ends_the_run(self):
        run = self.simulate(
            "--slaves", 1, "--master.machine", "arm", "--master.image", self.image("arm", SLEEPS),
            "--slave.machine", "riscv64", "--slave.image", self.image("riscv64", DEVICE, 5),
            status=5)
        self.assertEqual(run.statistics()["end"], "a guest has ended the run")


if __name__ == "__main__":
    main()
