# SPDX-License-Identifier: Apache-2.0
"""What cannot work is refused with one clear sentence and an exit status, and never hangs."""
import os
import socket
import struct
import subprocess

from platform_run import PlatformTest, QEMU_PREFIX, ctest, free_port, guest, main

CHECK_CONFIG = os.environ.get("TANDEM_CHECK_CONFIG", "")
SMOKE = {"--slaves": 0, "--master.image": "smoke"}


class Refused(PlatformTest):
    def check(self, words, *options, **how):
        """Refused with a sentence in which these words come in this order."""
        with self.subTest(" ".join(str(o) for o in options)):
            usual = [word for name, value in SMOKE.items()
                     if not any(str(o).startswith(name) for o in options)
                     for word in (name, value)]
            sentence = self.refused(*usual, *options, **how)
            self.assertRegex(sentence, ".*".join(words.split("|")))
            return sentence

    def file(self, name, content=b""):
        path = self.path(name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    @ctest(once=True)
    def test_images(self):
        self.check("master: image '/no/such.elf'|does not exist", "--master.image", "/no/such.elf")
        self.check("master: image 'no_such_program'|does not exist", "--master.image",
                   "no_such_program")
        self.check("master: image|is no file", "--master.image", self.directory)
        self.check("master: image|is empty", "--master.image", self.file("empty"))
        self.check("master: image|another architecture", "--master.image",
                   guest("arm", "smoke"))
        self.check("slave0: image|another architecture", "--slaves", 1, "--slave.image",
                   guest("x86_64", "smoke"))
        self.check("master: image|another architecture", "--master.machine", "arm",
                   "--master.image", guest("aarch64", "smoke"))
        for name, head in (("zImage", bytes(0x24) + b"\x18\x28\x6f\x01"),
                           ("Image", bytes(0x38) + b"ARM\x64"),
                           ("bzImage", bytes(0x202) + b"HdrS")):
            kernel = self.file(name, head + bytes(1000))
            for machine, own in (("arm", "zImage"), ("aarch64", "Image"), ("x86-pc", "bzImage"),
                                 ("riscv64", "")):
                if name != own:
                    self.check(f"master: image|another architecture .a Linux for|{machine}",
                               "--master.machine", machine, "--master.image", kernel)
        self.check("master: image|is compressed with gzip, unpack it first", "--master.machine",
                   "aarch64", "--master.image", self.file("Image.gz", b"\x1f\x8b\x08" + bytes(99)))
        self.check("master: image|compressed kernel in it", "--master.machine", "aarch64",
                   "--master.image", self.file("vmlinuz.efi", b"MZ\0\0zimg" + bytes(99)))
        self.check("master: image|is a Linux wrapped for U-Boot", "--master.machine", "arm",
                   "--master.image", self.file("uImage", b"\x27\x05\x19\x56" + bytes(24) + b"\5" +
                                               bytes(99)))
        for machine, name, most in (("arm", "zImage", 1023), ("aarch64", "Image", 2047)):
            self.check(f"master: the command line of its Linux has {most + 1} bytes|{most}$",
                       "--master.machine", machine, "--master.image", self.path(name),
                       "--master.append", "x" * (most + 1))
            self.simulate("--dry-run", "--slaves", 0, "--master.machine", machine,
                          "--master.image", self.path(name), "--master.append", "x" * most)
        if os.geteuid() != 0:
            path = self.file("secret", b"x")
            os.chmod(path, 0)
            self.check("master: image|cannot be read", "--master.image", path)
        self.check("master: initrd '/no/initrd'", "--master.initrd", "/no/initrd")
        self.check("master: device tree '/no/dtb'", "--master.dtb", "/no/dtb")

    def test_images_that_only_qemu_understands(self):
        self.check("master: QEMU exited with status 1", "--master.image",
                   self.file("text", b"this is no program\n" * 100))
        self.check("master: QEMU was killed by signal 6|fatal: Lockup", "--master.machine",
                   "cortexm", "--master.image", self.file("zeros", bytes(64)))

    @ctest(once=True)
    def test_images_that_are_cut_off(self):
        for arch, machine in (("x86_64", "x86-pc"), ("arm", "arm"), ("aarch64", "aarch64"),
                              ("cortexm", "cortexm"), ("riscv64", "riscv64")):
            with open(guest(arch, "smoke"), "rb") as f:
                whole = f.read()
            for size in (4, 20, 60, 100, 5000):
                self.check("master: image .*cut' is cut off", "--master.machine", machine,
                           "--master.image", self.file("cut", whole[:size]))

    def test_guest_that_traps_for_ever(self):
        # jr zero, where nothing is, and the trap handler is there as well.
        code = struct.pack("<I", 0x00000067)
        segment = struct.pack("<IIQQQQQQ", 1, 5, 120, 0x80000000, 0x80000000, 4, 4, 1)
        header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 243, 1, 0x80000000, 64,
                             0, 0, 64, 56, 1, 0, 0, 0)
        self.check("master: the guest has made 100000 accesses without executing an instruction",
                   "--master.machine", "riscv64", "--master.image",
                   self.file("trap", header + segment + code), "--time-limit", "1ms")

    @ctest(once=True)
    def test_images_for_memory_of_the_platform(self):
        with open(guest("arm", "smoke"), "rb") as f:
            image = bytearray(f.read())
        table, = struct.unpack_from("<I", image, 28)
        struct.pack_into("<I", image, table + 12, 0x80001000)  # p_paddr of the first segment
        self.check("master: image .*moved' has something to be loaded at 0x80001000 to 0x8.*, where "
                   "the platform's shm is", "--master.machine", "arm", "--master.image",
                   self.file("moved", bytes(image)))

    @ctest(once=True)
    def test_windows(self):
        image = guest("arm", "smoke")

        def check(case):
            done = subprocess.run([CHECK_CONFIG, case, image], capture_output=True, text=True,
                                  timeout=60, check=False)
            return done.returncode, done.stdout
        self.assertEqual(check("good"), (0, ""))
        for case, words in {
                "overlap": "windows 'first' and 'second' overlap",
                "inside": "windows 'first' and 'second' overlap",
                "same": "overlap",
                "overlap_at_the_top": "windows 'first' and 'second' overlap",
                "wraps": "window 'second' passes the end of the address space",
                "unaligned": "window 'second' .*not aligned",
                "unaligned_size": "window 'second' .*not aligned",
                "unaligned_platform": "window 'second' .*not aligned",
                "empty": "window 'second' is empty",
                "too_many": "more than 16 windows",
                "pin": "no interrupt input 224"}.items():
            with self.subTest(case):
                status, text = check(case)
                self.assertEqual(status, 1)
                self.assertEqual(text.count("\n"), 1)
                self.assertRegex(text, "^guest: .*" + words)

    @ctest(once=True)
    def test_interconnects(self):
        self.check("unknown interconnect 'torus'|bus|router", "--interconnect", "torus")
        self.check("'speed'|latency", "--set", "speed=1")
        self.check("latency|soon", "--set", "latency=soon")
        self.check("latency|-1ns", "--set", "latency=-1ns")
        self.check("impossible parameter 'latency'|NAME=VALUE", "--set", "latency")
        self.check("clock|0ns", "--interconnect", "bus", "--set", "clock=0ns")
        self.check("width|0", "--interconnect", "bus", "--set", "width=0")
        self.check("arbitration|dice|fifo|priority|round_robin|weighted", "--interconnect", "bus",
                   "--set", "arbitration=dice")
        self.check("weights|1,2,3", "--interconnect", "crossbar", "--set", "weights=1,2,3")
        self.check("'shm' is placed at 4,0|4 columns", "--interconnect", "mesh", "--set",
                   "place=shm@4,0")
        self.check("'disk'|master|shm", "--interconnect", "ring", "--set", "place=disk@0")
        self.check("row|1000|interleave", "--dram", "row=1000")
        self.check("impossible parameter 'off'|NAME=VALUE", "--dram", "off")
        self.check("the rest leads to target 'disk' that does not exist", "--default-target", "disk")
        self.check("columns is '0'|1 to 64", "--interconnect", "mesh", "--set", "columns=0")
        self.check("'shm' is placed at 5|ring of 3 stations", "--interconnect", "ring", "--set",
                   "place=shm@5")
        self.check("/no/lib.so", "--load", "/no/lib.so")
        self.check("lib.so", "--load", self.file("lib.so", b"no library"))

    @ctest(once=True)
    def test_times(self):
        for quantum in ("0", "0ns", "1ps", "1500ps", "2s", "abc", "-1us", "10", "", "1e99s",
                        "nan us", "18446744073709551616ns"):
            self.check("impossible quantum", "--quantum", quantum)
        self.check("impossible quantum '2s'|from 1 ns to 1 s", "--dry-run", "--quantum", "2s")
        for name in ("time-limit", "read-latency", "write-latency", "idm-latency"):
            given = "impossible {}" if name == "time-limit" else "--{}: .*but must be a time"
            self.check(given.format(name), f"--{name}", "later")
            self.check(given.format(name), f"--{name}=-5ns")

    @ctest(once=True)
    def test_names(self):
        self.check("unknown machine 'z80'|x86-pc, x86-q35, arm, aarch64, cortexm, cortexm33, riscv64",
                   "--master.machine", "z80")
        self.check("unknown mode 'fast'|parallel, serial, free", "--mode", "fast")
        self.check("lookahead 'maybe'", "--lookahead", "maybe")
        self.check("verbosity 'loud'", "--verbosity", "loud")
        self.check("console 'screen'", "--master.console", "screen")
        self.check("--quantums", "--quantums", "1us")
        self.check("--slave16.image|", "--slave16.image", "smoke")
        self.check("--master.colour", "--master.colour", "red")
        self.check("--quantum", "--quantum")
        self.check("positional", "stray")

    @ctest(once=True)
    def test_numbers(self):
        self.check("--slaves: impossible count '16'|from 0 to 15", "--slaves", 16)
        for slaves in ("-1", "many", "99999999999999999999"):
            self.check("slaves", f"--slaves={slaves}")
        self.check("CPUs", "--master.cpus", 0)
        self.check("CPUs", "--master.cpus", 9)
        self.check("master.cpus 'two'", "--master.cpus", "two")
        self.check("icount shift", "--master.icount-shift", 11)
        self.check("master.memory '-5'", "--master.memory=-5")
        for depth in (0, 65536, -1, "064", "1e3"):
            self.check(f"--fifo-depth: .*is '{depth}' but must be|1 to 65535", f"--fifo-depth={depth}")
        for locks in (257, -1, "0x101", "4294967296"):
            self.check(f"--locks: .*is '{locks}' but must be|0 to 256", f"--locks={locks}")
        for seed in ("x", -1, "18446744073709551616", "1.5", " 1"):
            self.check(f"impossible seed '{seed}'|from 0 to 18446744073709551615",
                       f"--seed={seed}")
        for seconds in (-1, "010", "1000001", "1m"):
            self.check(f"impossible hang-timeout '{seconds}'|from 0 to 1000000",
                       f"--hang-timeout={seconds}")
        for name in ("memory", "cpus", "gdb", "icount-shift"):
            for value in (-1, "01", "many", "99999999999999999999"):
                self.check(f"impossible master.{name} '{value}'|from 0 to",
                           f"--master.{name}={value}")
        self.check("impossible master.memory|from 0 to 1048576", "--master.memory", 1048577)
        for factor in (-1, "1e6", "nan", "inf", "0.0001", "1000001", "1.2.3"):
            self.check(f"impossible realtime '{factor}'|from 0.001 to 1000000",
                       f"--realtime={factor}")

    @ctest(once=True)
    def test_routes(self):
        self.check("impossible route 'idm_master'", "--route", "idm_master")
        self.check("nobody", "--route", "nobody>master")
        self.check("nowhere", "--route", "idm_master>nowhere")
        self.check("sometimes", "--route", "idm_master>master:sometimes")

    @ctest(once=True)
    def test_memory(self):
        for size in ("12X", "99999999999999999999G", "-4096", "M", "010M", "0x", "1 M", "1.5G", "64MB",
                     "17179869184G"):
            self.check(f"--shared-memory: memory shm: parameter size is '{size}' but must be bytes",
                       f"--shared-memory={size}")
        self.check("impossible master.shm '010'", "--master.shm", "010")
        self.check("impossible slave0.window '-1'", "--slave0.window=-1", "--slaves", 1)
        self.check("impossible observe '010'", "--observe", "010+4096=every")
        self.check("impossible cache l1.size '-1'", "--cache", "l1.size=-1")
        self.check("impossible cache l1.size '2G'|at most", "--cache", "l1.size=2G")
        for size in ("0", "17G", "1000", "4097"):
            self.check("memory shm: size", "--shared-memory", size)
        self.check("unknown backing 'tape'|memfd, hugetlbfs, file:PATH", "--backing", "tape")
        self.check("/no/dir/memory", "--backing", "file:/no/dir/memory")

    @ctest(once=True)
    def test_inputs(self):
        self.check("input '/no/input' cannot be read", "--input", "/no/input")
        self.check("cannot be read", "--input", self.directory)
        big = self.file("big", bytes((1 << 20) - 0x10000 + 1))
        for endless in (big, "/dev/zero"):
            self.check("does not fit into the 983040 bytes of the shared memory|--shared-memory",
                       "--input", endless, "--shared-memory", "1M")
        fits = self.file("fits", bytes((1 << 20) - 0x10000))
        self.simulate("--slaves", 0, "--master.image", "smoke", "--input", fits, "--shared-memory", "1M")
        self.check("parameters|longer", "--param", "x=" + "y" * 5000)
        self.check("impossible param 'n'; give NAME=VALUE", "--param", "n")
        self.check("--param 1.n=5 is for participant 1, and there is none", "--param", "1.n=5")

    @ctest(once=True)
    def test_ini_files(self):
        self.check("'/no/config.ini' cannot be read", "--config", "/no/config.ini")
        self.check("'/dev/zero' cannot be read", "--config", "/dev/zero")
        self.check("config", "--config", self.directory)
        self.check("a.ini.*colour", "--config", self.file("a.ini", b"colour = red\n"))
        self.check("the configuration file '.*c.ini' names another one", "--config",
                   self.file("c.ini", b"config = other.ini\n"))
        self.check("impossible dry-run 'maybe'; give on or off", "--config",
                   self.file("m.ini", b"dry-run = maybe\n"))
        self.check("unrecognised option 'a%canonical_option%'", "--config",
                   self.file("p.ini", b"a%canonical_option%=b\n"))
        self.check("unrecognised option '--a%canonical_option%'", "--a%canonical_option%=b")
        self.check("impossible quantum 'never'", "--config",
                   self.file("b.ini", b"quantum = never\n"))
        self.check(".", "--config", self.file("c.ini", bytes(range(256)) * 10))

    @ctest(once=True)
    def test_output(self):
        self.check("cannot be made", "--out", self.file("file"), out=False)
        self.check("/no/dir/x.vcd", "--vcd", "/no/dir/x.vcd", "--out", self.path("o"), out=False)
        self.check("/no/dir/x.json", "--stats", "/no/dir/x.json", out=False)
        same = self.path("same")
        self.check("--log and --stats name the same file, '.*/same'", "--stats", same, "--log",
                   os.path.join(self.directory, ".", "same"), out=False)
        ini = self.file("run.ini", b"seed = 2\n")
        self.check("--log and --config name the same file", "--config", ini, "--log", ini)
        self.check("--stats and master.image name the same file", "--master.image", ini,
                   "--stats", ini, out=False)

    @ctest(once=True)
    def test_ports_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.check(f"master: gdb port {port} cannot be used|in use", "--master.gdb", port)
            self.check(f"master: console port {port} cannot be used|in use", "--master.console",
                       f"tcp:{port}")
        self.check("gdb port 70000 does not exist", "--master.gdb", 70000)

    def test_ports_used_twice(self):
        port = free_port()
        self.check(f"{port}", "--slaves", 1, "--slave.image", "smoke", "--master.gdb", port,
                   "--slave0.gdb", port)

    def test_what_qemu_refuses(self):
        self.check("master: QEMU exited with status 1|nonsense", "--master.qemu-args",
                   "-device nonsense")
        self.check("master: QEMU exited with status 1|/no/dir", "--master.qmp", "/no/dir/socket")
        self.check("master: QEMU exited with status 1", "--master.cpu", "abacus")
        self.check("master: QEMU exited with status 1|CPU", "--master.machine", "cortexm",
                   "--master.cpus", 4)

    def test_qemu_too_old(self):
        self.check("master: QEMU 6\\.[0-9]+ is too old|7\\.2",
                   environment={"TANDEM_TEST_QEMU_MAJOR": "6"})

    def test_qemu_newer_than_those_tried(self):
        # It is tried, with a warning that names both versions.
        run = self.simulate("--slaves", 0, "--master.image", "smoke",
                            environment={"TANDEM_TEST_QEMU_MAJOR": "99"})
        self.assertRegex(run.stderr, r"(?m)^warning: master: QEMU 99\.[0-9.]+ is newer than "
                                     r"[0-9]+\.[0-9]+, the newest")
        run = self.simulate("--slaves", 0, "--master.image", "smoke")
        self.assertNotIn("newer", run.stderr)

    def test_qemu_with_another_plugin_interface(self):
        for interface in (-1, 1000):
            sentence = self.check(
                f"master: QEMU [0-9.]+ does not take version {interface} of the plugin interface|"
                "use QEMU 7.2 to [0-9.]+ |--qemu-prefix",
                environment={"TANDEM_TEST_PLUGIN_INTERFACE": str(interface)})
            self.assertNotIn("adapter", sentence)

    def test_qemu_without_a_function(self):
        for name in ("qemu_set_irq", "timers_state", "use_icount"):
            self.check(f"master: this QEMU does not export '{name}'",
                       environment={"TANDEM_TEST_HIDE_SYMBOL": name})

    def test_qemu_whose_translation_has_other_flags(self):
        self.check("master: QEMU [0-9.]+ keeps the flags of its translation in a way that",
                   environment={"TANDEM_TEST_HIDE_FLAGS": "1"})

    def test_qemu_with_other_icount(self):
        self.check("master: QEMU runs with icount shift 3 instead of 0", "--master.qemu-args",
                   "-icount shift=3,align=off,sleep=off")

    @ctest(once=True)
    def test_qemu_not_installed(self):
        self.check("master: cannot start|qemu-system-x86_64|No such file", prefix=self.directory)
        self.check("master: cannot start|qemu-system-x86_64|No such file", prefix="",
                   environment={"PATH": self.directory})

    def test_adapter_not_found(self):
        self.check("master: QEMU exited with status 1|/no/adapter.so",
                   environment={"TANDEM_ADAPTER": "/no/adapter.so"})

    @ctest(once=True)
    def test_caches(self):
        for pair in ("line", "=64", "l3.size=1M"):
            self.check(f"impossible cache parameter '{pair}'|known are line, replacement",
                       "--cache", pair)
        self.check("impossible cache l1.size 'big'", "--cache", "l1.size=big")

    @ctest(once=True)
    def test_dry_run_refuses_the_same(self):
        self.check("row|1000|interleave", "--dry-run", "--dram", "row=1000")
        self.check("unknown interconnect 'torus'", "--dry-run", "--interconnect", "torus")
        self.check("does not exist", "--dry-run", "--master.image", "/no/such.elf")
        self.check("impossible quantum", "--dry-run", "--quantum", "0")
        self.assertEqual(QEMU_PREFIX, "")


if __name__ == "__main__":
    main()
