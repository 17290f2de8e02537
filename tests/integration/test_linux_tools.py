# SPDX-License-Identifier: Apache-2.0
"""The Linux side refuses what cannot work with one sentence of the tools and an errno of the
module, leaves the slave as it was, and bears what is rare but right."""
import errno
import os
import struct
import subprocess

from platform_run import ctest, main
from linux_guests import BIN, MASTER_PRELUDE, SOURCE, LinuxTest, kit, program

LONG = 900  # seconds for ctest

# An arm64 master boots in the fewest cycles of all.
ARM64_MASTER = ["--master.machine", "aarch64", "--master.append", "console=ttyAMA0"]
INSMOD = "insmod /lib/tandem/tandem_idm.ko\n"
LOADERS = ["load-bin-boot", "/arm32/load-bin-boot"]  # of 64 and of 32 bits
COMPILERS = {"arm64": "aarch64-linux-gnu-gcc-12", "armhf": "arm-linux-gnueabihf-gcc-12"}


def contents(path, size=-1):
    with open(path, "rb") as file:
        return file.read(size)


def patched(data, words):
    """The data with other 32-bit words: {offset: word}."""
    data = bytearray(data)
    for offset, word in words.items():
        struct.pack_into("<I", data, offset, word)
    return bytes(data)


def script_of(commands):
    return "".join(f"try {command}\n" for command in commands)


# Offsets in 32-bit ELF files whose program headers follow the header.
ELF_ENTRY, ELF_SECTIONS_AT, ELF_SECTIONS = 24, 32, 48
ELF_FIRST_FILE_OFFSET, ELF_FIRST_MEMORY_SIZE = 52 + 4, 52 + 20
IMAGE_MEMORY_SIZE, IMAGE_PE_HEADER_AT = 16, 60  # in the header of an arm64 Image

SLAVE0_MEMORY = "from 0x40000000 to 0x43ffffff"
TRUNCATED = r"/boot/{} is truncated: it has {} bytes of \d+"
CUT = 100000  # bytes that are left of a truncated image

# Slave 0 is an arm with 64 MiB, 1 an aarch64, 2 a cortexm, 3 an x86_64, and 4 starts by itself.
SLAVES = ["--slaves", 5, "--slave.window", "64M", "--slave1.machine", "aarch64",
          "--slave1.window", "16M", "--slave2.machine", "cortexm", "--slave2.window", "16M",
          "--slave3.machine", "x86-pc", "--slave4.boot", "self", "--slave4.image", "idle"]

# {what load-bin-boot is given: what it says}
REFUSED_IMAGES = {
    # Truncated.
    "0 /boot/cut.zImage /boot/slave0.dtb": TRUNCATED.format("cut.zImage", CUT),
    "1 /boot/cut.Image /boot/slave1.dtb": TRUNCATED.format("cut.Image", CUT),
    "3 /boot/cut.bzImage": TRUNCATED.format("cut.bzImage", CUT),
    "0 /boot/head.elf": "/boot/head.elf is truncated: the headers are not all in it",
    "0 /boot/cut.elf": "/boot/cut.elf is truncated: the section headers are not all in it",
    "0 /boot/half.elf": "/boot/half.elf is truncated: the segments are not all in it",
    "0 /boot/empty": "/boot/empty is empty",
    # For others.
    "0 /boot/aarch64.elf":
        "/boot/aarch64.elf is a program for aarch64, but slave 0 executes arm",
    "1 /boot/arm.elf": "/boot/arm.elf is a program for arm, but slave 1 executes aarch64",
    "3 /boot/arm.elf": "/boot/arm.elf is a program for arm, but slave 3 executes x86_64",
    "0 /boot/x86_64.elf": "/boot/x86_64.elf is a program for x86_64, but slave 0 executes arm",
    "2 /boot/arm.elf": "a segment of the image needs 0x[0-9a-f]+ bytes at 0x40200000, but "
                       "slave 2 has memory from 0x21000000 to 0x21ffffff only",
    "0 /boot/big-endian.elf": "/boot/big-endian.elf is no little-endian ELF program",
    "1 /boot/zImage /boot/slave1.dtb":
        "/boot/zImage is an Arm zImage, but slave 1 executes aarch64",
    "2 /boot/zImage /boot/slave0.dtb":
        "/boot/zImage is an Arm zImage, which cannot run on slave 2: its memory starts at "
        "0x21000000, not at a multiple of 128 MiB",
    "0 /boot/cut.Image /boot/slave0.dtb":
        "/boot/cut.Image is an arm64 Image, but slave 0 executes arm",
    "0 /boot/cut.bzImage": "/boot/cut.bzImage is an x86 bzImage, but slave 0 executes arm",
    "3 /boot/no-pvh.elf": "/boot/no-pvh.elf has no PVH note, .*",
    # Larger than the window, or not in it.
    "0 /boot/large.elf": "a segment of the image needs 0x4000000 bytes at 0x40200000, but slave 0 "
                         f"has memory {SLAVE0_MEMORY} only",
    "1 /boot/large.Image /boot/slave1.dtb":
        "the kernel needs 0x1000001 bytes at 0x40000000, but slave 1 has memory from 0x40000000 "
        "to 0x40ffffff only",
    "-i /tmp/64M 0 /boot/zImage /boot/slave0.dtb":
        "the initial RAM disk needs 0x4000000 bytes at 0x4[0-9a-f]{7}, but slave 0 has memory "
        f"{SLAVE0_MEMORY} only",
    "-i /tmp/64M 3 /boot/x86_64.elf":
        "the initial RAM disk needs 0x4000000 bytes at 0x0, but slave 3 has no memory from "
        "0xa0000 to 0xfffff",
    "0 /boot/outside.elf": "the entry point 0x3ffffffc is outside the memory of slave 0, which is "
                           + SLAVE0_MEMORY,
    # Device trees.
    "0 /boot/zImage": "/boot/zImage is a Linux kernel for Arm, which needs a device tree as well",
    "0 /boot/zImage /boot/arm.elf": "/boot/arm.elf is no device tree",
    "0 /boot/arm.elf /boot/zImage": "/boot/zImage is no device tree",
    "0 /boot/zImage /tmp/cut.dtb": "the device tree /tmp/cut.dtb is truncated",
    "0 /boot/zImage /tmp/bad.dtb":
        "the device tree /tmp/bad.dtb is damaged: FDT_ERR_BADSTRUCTURE",
    "0 /boot/zImage /boot/slave4.dtb":
        "/boot/slave4.dtb has memory from 0x40000000 to 0x47ffffff, but slave 0 has it "
        + SLAVE0_MEMORY,
    "3 /boot/x86_64.elf /boot/slave0.dtb":
        "/boot/x86_64.elf is an x86 image, which takes no device tree",
    f"-a {1024 * 'x'} 0 /boot/zImage /boot/slave0.dtb":
        "the command line for /boot/zImage has 1024 bytes, of which the kernel would take 1023",
    # No image at all.
    "0 /init": "/init is no zImage, Image, bzImage or ELF program",
    "0 /boot/zImage.gz": "/boot/zImage.gz is compressed with gzip, unpack it first",
    "0 /dev/zero": "/dev/zero is no regular file",
    "0 /no/image": "/no/image cannot be read: No such file or directory",
    "0 /boot/arm.elf /no/dtb": "/no/dtb cannot be read: No such file or directory",
    "-i /boot/zImage 0 /boot/arm.elf":
        "/boot/arm.elf is a bare-metal program, which takes no initial RAM disk",
    # No such slave or CPU.
    "5 /boot/arm.elf": "there is no slave 5, they are 0 to 4",
    "4 /boot/arm.elf": "slave 4 starts by itself, no master boots it",
    "31 /boot/arm.elf": "the slave '31' is not a number from 0 to 30",
    "-c 1 0 /boot/arm.elf": "slave 0 has no CPU 1, its last one is 0",
    "-c all 0 /boot/arm.elf": "the CPU 'all' is not a number from 0 to 255",
    "0": "SLAVE, IMAGE and at most one DTB are wanted, see load-bin-boot -h",
    "-z 0 /boot/arm.elf": "invalid option -- 'z'",
}

# {what idmctl is given while all are held: what it says}
REFUSED_COMMANDS = {
    "": "a command is missing, see idmctl -h",
    "dance 0": "'dance' is no command, see idmctl -h",
    "boot": "boot takes 1 arguments, not 0, see idmctl -h",
    "status 5": "there is no slave 5, they are 0 to 4",
    "send x y": "the slave 'x' is not a number from 0 to 30",
    "boot 4": "slave 4 starts by itself, no master boots it",
    "reset 4": "slave 4 starts by itself, no master boots it",
    "wait 4 off": "slave 4 starts by itself, no master boots it",
    "halt 0": "slave 0 cannot be halted: it is held",
    "wait 0 asleep": "'asleep' is no state: held, running, halted, off or crashed",
    "wait 0 off -t soon": "'soon' is no number of seconds from 0 to 1000000",
    "boot 0 -t 1": "boot takes no timeout",
    "end 256": "exit status '256' is not a number from 0 to 255",
}

# What idm_errors.c shows of a slave that is held.
ERRORS = {
    "empty window": "EINVAL",
    "window with a broken page": "EINVAL",
    "window behind the memory": "EINVAL",
    "window that wraps around": "EINVAL",
    "no such CPU": "EINVAL",
    "reserved field in use": "EINVAL",
    "entry outside the window": "0",
    "boot": "EINVAL",
    "halt": "EBUSY",
    "info to nowhere": "EFAULT",
    "exit with status 256": "EINVAL",
    "unknown request": "ENOTTY",
    "private mapping": "EINVAL",
    "mapping": "0",
    "mapping of too much": "EINVAL",
    "write of too much": "EMSGSIZE",
    "write from nowhere": "EFAULT",
    "read of nothing": "EAGAIN",
}
COMMANDS = list(ERRORS)[:9]  # which only masters may give, to slaves that are booted by them
MAPPINGS = ["mapping", "mapping of too much"]
ERRORS_OF_RUNNING = {**ERRORS, **dict.fromkeys(COMMANDS, "EBUSY"), "halt": "0"}
ERRORS_OF_OTHERS = {**ERRORS, **dict.fromkeys(COMMANDS, "EOPNOTSUPP"),
                    **dict.fromkeys(MAPPINGS, "ENXIO")}
ERRORS_OF_NO_MASTER = {**ERRORS_OF_OTHERS, **dict.fromkeys(COMMANDS, "EPERM")}


class LinuxTools(LinuxTest):
    def file(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def run_arm64(self, script, files, options):
        return self.run_linux("arm-arm", "arm64", script, files, ARM64_MASTER + options)

    def check_refused(self, tried, tool, table, status=1):
        """Each command has printed this one line and nothing else, and has failed."""
        name = os.path.basename(tool)
        for words, sentence in table.items():
            with self.subTest(f"{tool} {words}"):
                done = tried[f"{tool} {words}".rstrip()]
                self.assertRegex(done.output, rf"\A\S*{name}: {sentence}\Z")
                self.assertEqual(done.status, status)

    def check_said(self, tried, command, words, status=0):
        """It has printed these words and nothing else."""
        with self.subTest(command):
            self.assertRegex(tried[command].output, rf"\A{words}\Z")
            self.assertEqual(tried[command].status, status)

    def wrong_images(self):
        """{path in the guest: file} of the images of REFUSED_IMAGES."""
        arm = contents(program("arm", "boot_report"))
        x86 = contents(program("x86_64", "boot_report"))
        zimage = contents(kit("armhf", "kernel"))
        image = contents(kit("arm64", "kernel"), CUT)
        half, = struct.unpack_from("<I", arm, ELF_FIRST_FILE_OFFSET)
        images = {
            "zImage": zimage,
            "cut.zImage": zimage[:CUT],
            "cut.Image": image,
            "cut.bzImage": contents(kit("amd64", "bzImage"), CUT),
            "head.elf": arm[:40],
            "cut.elf": arm[:-100],
            "half.elf": patched(arm[:half + 16], {ELF_SECTIONS_AT: 0, ELF_SECTIONS: 0}),
            "empty": b"",
            "arm.elf": arm,
            "aarch64.elf": contents(program("aarch64", "boot_report")),
            "x86_64.elf": x86,
            "cortexm.elf": contents(program("cortexm", "boot_report")),
            "big-endian.elf": arm[:5] + b"\2" + arm[6:],
            "no-pvh.elf": x86.replace(b"Xen\0", b"Yen\0"),
            "large.elf": patched(arm, {ELF_FIRST_MEMORY_SIZE: 64 << 20}),
            "large.Image": patched(image, {IMAGE_MEMORY_SIZE: (16 << 20) + 1,
                                           IMAGE_PE_HEADER_AT: 0}),
            "outside.elf": patched(arm, {ELF_ENTRY: 0x3ffffffc}),
            "zImage.gz": b"\x1f\x8b" + bytes(100),
        }
        return {f"boot/{name}": self.file(name, data) for name, data in images.items()}

    @ctest(timeout=LONG, once=True)
    def test_wrong_input(self):
        # What was loaded before is still there when all those are refused, and can be started.
        script = INSMOD + """
truncate -s 64M /tmp/64M
head -c 2000 /boot/slave0.dtb > /tmp/cut.dtb
cp /boot/slave0.dtb /tmp/bad.dtb
dd if=/dev/zero of=/tmp/bad.dtb bs=64 seek=1 count=1 conv=notrunc 2> /dev/null
try load-bin-boot -n -a tag=kept 0 /boot/arm.elf
"""
        for loader in LOADERS:
            script += script_of(f"{loader} {words}" for words in REFUSED_IMAGES)
        script += script_of(f"idmctl {words}" for words in REFUSED_COMMANDS)
        script += "try idmctl status\nidmctl boot 0\n"
        for slave, machine in (1, "aarch64"), (2, "cortexm"), (3, "x86_64"):
            script += f"{LOADERS[slave % 2]} -a tag=for{slave} {slave} /boot/{machine}.elf\n"
        script += script_of(f"idmctl receive {slave} -t 10" for slave in range(4))
        script += """
try load-bin-boot 0 /boot/arm.elf
try idmctl boot 0
idmctl send 0 "still there?"
try idmctl receive 0 -t 11
try idmctl status 0
"""
        files = {"arm32/load-bin-boot": kit("armhf", "tools/load-bin-boot"), **self.wrong_images()}
        run = self.run_arm64(script, files, SLAVES)
        tried = self.tried(run)
        self.check_said(tried, "load-bin-boot -n -a tag=kept 0 /boot/arm.elf", "")
        for loader in LOADERS:
            self.check_refused(tried, loader, REFUSED_IMAGES)
        self.check_refused(tried, "idmctl", REFUSED_COMMANDS)

        lines = tried["idmctl status"].output.splitlines()
        self.assertEqual([line.split()[2:5] for line in lines[1:5]], [["held", "-", "0"]] * 4)
        for slave, tag in enumerate(("kept", "for1", "for2", "for3")):
            self.check_said(tried, f"idmctl receive {slave} -t 10", tag)
        self.check_refused(tried, "load-bin-boot",
                           {"0 /boot/arm.elf": "slave 0 is running, reset or halt it first"})
        self.check_refused(tried, "idmctl", {"boot 0": "slave 0 cannot be booted: it is running"})
        self.check_said(tried, "idmctl receive 0 -t 11", r"echo: still there\?")
        self.assertRegex(tried["idmctl status 0"].output, r"\n0 +1 +running +- +1 ")

    def errors_program(self, arch):
        """idm_errors.c for the guests of this architecture."""
        out = self.path("idm_errors-" + arch)
        subprocess.run([COMPILERS[arch], "-O2", "-D_GNU_SOURCE", "-static", "-s", "-I",
                        os.path.join(SOURCE, "sw", "linux", "include"),
                        os.path.join(os.path.dirname(__file__), "idm_errors.c"), "-o", out],
                       check=True, timeout=120)
        return out

    def check_errors(self, tried, command, wanted):
        with self.subTest(command):
            shown = dict(line.split(": ") for line in tried[command].output.splitlines())
            self.assertEqual(shown, wanted)

    @ctest(timeout=LONG, once=True)
    def test_errors_of_the_module(self):
        # By programs of 64 and of 32 bits, on a master and on a Linux slave, which is no master.
        programs = {"bin/errors64": self.errors_program("arm64"),
                    "bin/errors32": self.errors_program("armhf")}
        slave_script = self.write("no-master.sh", MASTER_PRELUDE + INSMOD + """
try errors64 /dev/idm0
try errors32 /dev/idm0
try idmctl status
try idmctl boot 0
try idmctl halt 0
try load-bin-boot 0 /init
idmctl send 0 ready
idmctl receive 0
idmctl end 3
""")
        initramfs = self.initramfs("no-master", "arm64",
                                   {"etc/tandem.d/test.sh": slave_script, **programs})
        files = {"boot/kernel": kit("arm64", "kernel"), "boot/initramfs.gz": initramfs,
                 "boot/report.elf": program("arm", "boot_report"), **programs}
        script = INSMOD + """
load-bin-boot -i /boot/initramfs.gz 1 /boot/kernel /boot/slave1.dtb
try errors64 /dev/idm0
try errors32 /dev/idm2
try idmctl status 0
load-bin-boot 0 /boot/report.elf
idmctl receive 0 -t 10
try errors32 /dev/idm0
try idmctl receive 1 -t 60
idmctl send 1 end
try idmctl wait 1 off -t 10
try idmctl status
"""
        run = self.run_arm64(script, files, [
            "--slaves", 3, "--slave.window", "64M", "--slave1.machine", "aarch64",
            "--slave1.window", "128M", "--slave2.boot", "self", "--slave2.image", "idle"])
        tried = self.tried(run)
        self.check_errors(tried, "errors64 /dev/idm0", ERRORS)
        self.check_errors(tried, "errors32 /dev/idm2", ERRORS_OF_OTHERS)
        self.assertRegex(tried["idmctl status 0"].output, r"\n0 +1 +held +- +0 ")
        self.check_errors(tried, "errors32 /dev/idm0", ERRORS_OF_RUNNING)
        self.check_said(tried, "idmctl receive 1 -t 60", "ready")
        self.check_said(tried, "idmctl wait 1 off -t 10", "")
        self.assertRegex(tried["idmctl status"].output, r"\n0 +1 +halted +- +1 ")
        self.assertRegex(tried["idmctl status"].output, r"\n1 +2 +off +ended with status 3 +1 ")

        tried = self.tried(run, "slave1")
        self.check_errors(tried, "errors64 /dev/idm0", ERRORS_OF_NO_MASTER)
        self.check_errors(tried, "errors32 /dev/idm0", ERRORS_OF_NO_MASTER)
        self.assertRegex(tried["idmctl status"].output, r"\n0 +0 +unknown, this guest is no master")
        no_master = "this guest is no master of the IDM, only masters boot slaves"
        self.check_refused(tried, "idmctl", {"boot 0": no_master, "halt 0": no_master})
        self.check_refused(tried, "load-bin-boot", {"0 /init": no_master})

    @ctest(timeout=LONG, once=True)
    def test_no_device(self):
        trees = self.path("master-tree")
        self.simulate("--dump-dtb", trees, *ARM64_MASTER, "--slaves", 0,
                      platform=os.path.join(BIN, "arm-arm"), out=False)
        tree = os.path.join(trees, "master.dtb")
        subprocess.run(["fdtput", "-r", tree, "/tandem-idm@f000000"], check=True, timeout=60)
        script = """
try insmod /lib/tandem/tandem_idm.ko
dmesg | grep tandem_idm: | tail -n 1
try lsmod
try idmctl status
try idmctl receive 0
try load-bin-boot 0 /init
"""
        run = self.run_arm64(script, {}, ["--slaves", 0, "--master.dtb", tree])
        tried = self.tried(run)
        self.assertRegex(run.console(), r"tandem_idm: no IDM: there is neither a device tree node "
                         r'"tandem,idm" nor an ACPI device TNDM0001\n')
        self.check_refused(tried, "insmod", {
            "/lib/tandem/tandem_idm.ko":
                "can't insert '/lib/tandem/tandem_idm.ko': No such device"}, errno.ENODEV)
        self.assertNotIn("tandem_idm", tried["lsmod"].output)
        absent = "the kernel module tandem_idm is not loaded"
        self.check_refused(tried, "idmctl", {"status": absent, "receive 0": absent})
        self.check_refused(tried, "load-bin-boot", {"0 /init": absent})

    @ctest(timeout=LONG)
    def test_lives(self):
        # Each way to end a life, and what is left of it.
        script = INSMOD + """
try idmctl wait 0 running -t 0.1
load-bin-boot -a tag=first 0 /boot/report.elf
try idmctl receive 0 -t 1
idmctl ring 0
sleep 0.1
try idmctl wait 0 held -t 0.2
try idmctl rings 0
idmctl ring 0
idmctl ring 0
sleep 0.1
idmctl send 0 lost
sleep 0.1
echo HALT; idmctl halt 0; idmctl status 0
idmctl boot 0
try idmctl receive 0 -t 2
sleep 0.1
idmctl rings 0 > /tmp/rings
try cat /tmp/rings
echo RESET; idmctl reset 0; idmctl status 0
idmctl reset 0
load-bin-boot -a tag=third 0 /boot/report.elf
try idmctl receive 0 -t 3
(sleep 0.5; idmctl send 0 "exit 7") &
try idmctl wait 0 off -t 10
echo EXIT; idmctl status 0
load-bin-boot 0 /boot/report.elf
idmctl send 0 off
idmctl wait 0 off -t 10
echo OFF; idmctl status 0
load-bin-boot 0 /boot/report.elf
idmctl send 0 reset
idmctl wait 0 off -t 10
echo RESTARTED; idmctl status 0
load-bin-boot 0 /boot/report.elf
try idmctl wait 0 off -t 0.1
try idmctl receive 0 -t 4
"""
        run = self.run_arm64(script, {"boot/report.elf": program("arm", "boot_report")},
                             ["--slave.window", "64M"])
        tried = self.tried(run)
        self.check_said(tried, "idmctl wait 0 running -t 0.1",
                        "idmctl: slave 0 is held and did not become running in time", status=2)
        self.check_said(tried, "idmctl receive 0 -t 1", "first")
        # Who waits for a state takes no ring from others.
        self.assertEqual(tried["idmctl wait 0 held -t 0.2"].status, 2)
        self.check_said(tried, "idmctl rings 0", "1")
        # The message and the rings of the life before are gone.
        self.check_said(tried, "idmctl receive 0 -t 2", "first")
        self.check_said(tried, "cat /tmp/rings", "0")
        self.check_said(tried, "idmctl receive 0 -t 3", "third")
        self.check_said(tried, "idmctl wait 0 off -t 10", "")
        self.check_said(tried, "idmctl wait 0 off -t 0.1",
                        "idmctl: slave 0 is running and did not become off in time", status=2)
        self.check_said(tried, "idmctl receive 0 -t 4", "none")
        for event, state in {"HALT": "halted +- +1", "RESET": "held +- +2",
                             "EXIT": r"off +ended with status 7 +3", "OFF": "off +powered off +4",
                             "RESTARTED": "off +asked for a reset +5"}.items():
            with self.subTest(event):
                self.assertRegex(run.console(), rf"\n{event}\nslave .*\n0 +1 +{state} ")

    @ctest(timeout=LONG, once=True)
    def test_messages(self):
        texts = {"long": 65530, "longest": 65536, "too-long": 65537}
        files = {f"boot/{name}": self.file(name, b"".join(b"%d " % n for n in range(20000))[:size])
                 for name, size in texts.items()}
        files["boot/report.elf"] = program("arm", "boot_report")
        script = INSMOD + """
try idmctl send 0 "for none" -t 0.1
try sh -c 'idmctl send 0 "$(cat /boot/long)" -t 0.2'
try idmctl send 0 "one more" -t 0.3
load-bin-boot -a tag= 0 /boot/report.elf
try idmctl receive 0 -t 1
try idmctl receive 0 -t 0.1
idmctl send 0 ""
try idmctl receive 0 -t 2
idmctl send 0 -hello -t 5
try idmctl receive 0 -t 2.5
idmctl send 0 "$(cat /boot/long)"
idmctl receive 0 -t 60 > /tmp/echo
echo "echo: $(cat /boot/long)" > /tmp/wanted
try cmp /tmp/echo /tmp/wanted
idmctl send 0 "$(cat /boot/longest)"
try idmctl receive 0 -t 61
idmctl send 0 "after it"
try idmctl receive 0 -t 62
try sh -c 'idmctl send 0 "$(cat /boot/too-long)"'
"""
        # The module may go while nobody has a device open; the slave does not notice, and what it
        # says meanwhile waits in the FIFO.
        script += """
idmctl reset 0
load-bin-boot -a tag=patient 0 /boot/report.elf
exec 3<> /dev/idm0
try rmmod tandem_idm
exec 3>&-
rmmod tandem_idm
sleep 0.1
try idmctl status 0
insmod /lib/tandem/tandem_idm.ko
try idmctl receive 0 -t 3
idmctl send 0 "welcome back"
try idmctl receive 0 -t 4
try idmctl status
"""
        run = self.run_arm64(script, files, ["--slave.window", "64M"])
        tried = self.tried(run)
        # The first fits into the FIFO of a slave that is held, the second one does not.
        self.check_said(tried, "idmctl send 0 for none -t 0.1", "")
        self.check_said(tried, 'sh -c idmctl send 0 "$(cat /boot/long)" -t 0.2',
                        "idmctl: the message goes on its way only when slave 0 reads what was "
                        "sent before", status=2)
        self.check_said(tried, "idmctl send 0 one more -t 0.3",
                        "idmctl: slave 0 takes no message: the one before has not been read yet",
                        status=2)
        self.check_said(tried, "idmctl receive 0 -t 1", "")
        self.check_said(tried, "idmctl receive 0 -t 0.1",
                        "idmctl: slave 0 has sent no message in time", status=2)
        self.check_said(tried, "idmctl receive 0 -t 2", "echo: ")
        self.check_said(tried, "idmctl receive 0 -t 2.5", "echo: -hello")
        self.check_said(tried, "cmp /tmp/echo /tmp/wanted", "")
        self.check_said(tried, "idmctl receive 0 -t 61",
                        "idmctl: slave 0 has sent a message of more than 65536 bytes, or words "
                        "that are no message", status=1)
        self.check_said(tried, "idmctl receive 0 -t 62", "echo: after it")
        self.check_said(tried, 'sh -c idmctl send 0 "$(cat /boot/too-long)"',
                        "idmctl: a message has at most 65536 bytes, not 65537", status=1)
        self.check_said(tried, "rmmod tandem_idm", "rmmod: can't unload module 'tandem_idm': "
                        "Resource temporarily unavailable", status=1)
        self.check_said(tried, "idmctl status 0",
                        "idmctl: the kernel module tandem_idm is not loaded", status=1)
        self.check_said(tried, "idmctl receive 0 -t 3", "patient")
        self.check_said(tried, "idmctl receive 0 -t 4", "echo: welcome back")
        self.assertRegex(tried["idmctl status"].output, r"\n0 +1 +running +- +2 ")


if __name__ == "__main__":
    main()
