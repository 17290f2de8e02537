# SPDX-License-Identifier: Apache-2.0
"""The kernel's own remoteproc and rpmsg on slaves of the IDM, with packaged kernels."""
import os
import re
import signal

import remote_firmware as fw
from linux_guests import BOOT_TIMEOUT, LinuxTest, program
from platform_run import ctest, main, wait_for
from remote_firmware import Firmware

LONG = 900  # seconds for ctest
LONGER = 3600  # with TANDEM_MESSAGES
FIRMWARE = "lib/firmware/"
ARM64_MASTER = ["--master.machine", "aarch64", "--master.append", "console=ttyAMA0"]

PRELUDE = """
load-remoteproc
cd /sys/class/remoteproc
start() { echo start > remoteproc$1/state; }
stop() { echo stop > remoteproc$1/state; }
# raw SLAVE: the /dev/rpmsgN of its firmware's rpmsg-raw, once it is there
raw() {
  for attempt in $(seq 500); do
    for found in remoteproc$1/rproc-virtio.*/virtio*/*rpmsg-raw*/rpmsg/rpmsg*; do
      [ ! -c "/dev/${found##*/}" ] || { echo "/dev/${found##*/}"; return; }
    done
    usleep 2000
  done
  echo /dev/none
}
# wait_for TEXT COUNT: until the kernel's log has so many lines with the text
wait_for() {
  for attempt in $(seq 3000); do
    [ $(dmesg | grep -c "$1") -lt $2 ] || return 0
    usleep 10000
  done
  echo "NEVER $1"
}
"""

# The carve-out of a cortexm slave of arm-cortexm: the last MiB of its 16 MiB. The first two vrings
# follow each other there. Free buffers of the master and of the slave are what is between the
# index of the available ring and that of the used one.
RINGS = """
rings() {
  base=$((0x82f00000 + $1 * 0x1000000))
  in=$(($(devmem $((base + 0x402)) 16) - $(devmem $((base + 0x1002)) 16)))
  out=$(($(devmem $((base + 0x2402)) 16) - $(devmem $((base + 0x3002)) 16)))
  echo "RINGS $1 $((in & 0xffff)) $((out & 0xffff))"
}
"""
BUFFERS = 64  # in each direction, as sw/programs/rpmsg_echo.c has them

# Each cycle starts and stops both in another order, with traffic on one while the other starts,
# and on both while one of them stops.
CYCLES = """
quiet() { "$@" > /dev/null || echo "FAILED in cycle $cycle: $*"; }
for cycle in $(seq {count}); do
  first=$((cycle % 2)); second=$((1 - first))
  start $first
  devices="$(raw $first)"
  quiet rpmsg-ping -n 200 -w 8 $devices &
  start $second
  set -- $devices $(raw $second)
  quiet rpmsg-ping -n 50 -w 8 $2
  wait
  [ $((cycle % 10)) != 0 ] || { rings 0; rings 1; }
  [ $((cycle / 2 % 2)) = 0 ] || { set -- $2 $1; first=$((1 - first)); }
  rpmsg-ping -n 1000000 -w 8 $1 > /dev/null 2>&1 && echo "FAILED in cycle $cycle: no end" &
  quiet rpmsg-ping -n 100 -w 8 $2 &
  usleep 2000
  stop $first
  wait
  stop $((1 - first))
done
"""

# Ends of the remote processor, each followed by traffic that must go well.
CRASHES = """
start 0
try rpmsg-ping -n 100 $(raw 0)
crashes=0
for how in undefined hang exit; do
  echo -n tandem:$how > $(raw 0)
  crashes=$((crashes + 1))
  wait_for "crash detected in slave0" $crashes
  wait_for "processor slave0 is now up" $((crashes + 1))
  try rpmsg-ping -n 10$crashes $(raw 0)
done
"""


# A firmware that ends itself, in each of the ways, and is stopped at about the same time. What
# remoteproc notices first is a crash (of which nobody recovers it) or not; a stop that it takes must
# go well.
RACES = """
dmesg -n 1
echo disabled > remoteproc0/recovery
stopped=0; crashed=0
for race in $(seq {count}); do
  start 0 || echo "FAILED to start in race $race"
  device=$(raw 0)
  set -- {ends}
  shift $((race % $#))
  echo -n tandem:$1 > $device
  [ $((race % 3)) != 0 ] || usleep $((race % 7 * 40))
  if stop 0 2> /dev/null; then
    stopped=$((stopped + 1))
  else
    [ $(cat remoteproc0/state) = crashed ] || echo "FAILED to stop in race $race"
    crashed=$((crashed + 1))
    echo recover > remoteproc0/recovery
    stop 0 || echo "FAILED to stop after a recovery in race $race"
  fi
done
echo "RACES $stopped stopped $crashed crashed"
dmesg | grep "cannot be reset" && echo "FAILED to reset"
try idmctl status
"""


def messages(usual):
    """How many messages to send; docs/performance.md has figures for more of them."""
    return int(os.environ.get("TANDEM_MESSAGES", usual))


def echo_of(arch):
    return program(arch, "rpmsg_echo")


class RemoteprocTest(LinuxTest):
    def check_clean(self, run):
        """The kernel has met nothing that it did not expect."""
        trouble = re.compile("Oops|BUG:|WARNING:|[Cc]all [Tt]race|detected stall|NEVER|FAILED")
        self.assertEqual([l for l in run.console().splitlines() if trouble.search(l)], [])

    def check_ping(self, ping, count):
        self.assertEqual(ping.status, 0)
        self.assertIn(f"{count} messages of 1 to 496 bytes and back", ping.output)
        if "TANDEM_MESSAGES" in os.environ:
            print(ping.output)

    def check_pings(self, tried, counts):
        for count in counts:
            found = [t for line, t in tried.items() if line.startswith(f"rpmsg-ping -n {count} ")]
            self.assertEqual(len(found), 1)
            self.check_ping(found[0], count)


class Remoteproc(RemoteprocTest):
    def check_races(self, platform, arch, slave, ends):
        count = int(os.environ.get("TANDEM_RACES", "12"))
        script = PRELUDE + RACES.replace("{count}", str(count)).replace("{ends}", ends)
        run = self.finish(self.start_linux(platform, arch, script, {
            FIRMWARE + "tandem-slave0.elf": echo_of(slave)}), timeout=LONGER)
        self.check_clean(run)
        stopped, crashed = map(int, re.search(r"(?m)^RACES (\d+) stopped (\d+) crashed$",
                                              run.console()).groups())
        self.assertEqual(stopped + crashed, count)
        self.assertGreater(stopped, 0)
        self.assertRegex(self.tried(run)["idmctl status"].output, r"(?m)^0 +1 +held\b")
        if "TANDEM_RACES" in os.environ:
            print(f"{stopped} stopped, {crashed} had crashed before")

    @ctest(timeout=LONGER)
    def test_races_of_stop_and_end(self):
        self.check_races("arm-cortexm", "armhf", "cortexm", "end exit reset undefined")

    @ctest(timeout=LONGER, once=True)
    def test_races_of_stop_and_end_x86(self):
        self.check_races("x86-arm", "amd64", "arm", "end exit off reset undefined")

    @ctest(timeout=LONG)
    def test_started_and_stopped_with_traffic(self):
        count = 20
        script = (PRELUDE + RINGS + "dmesg -n 1\n" + CYCLES.replace("{count}", str(count)) + """
try idmctl status
try rmmod tandem_remoteproc
""")
        files = {FIRMWARE + f"tandem-slave{n}.elf": echo_of("cortexm") for n in (0, 1)}
        run = self.run_linux("arm-cortexm", "armhf", script, files)
        self.check_clean(run)
        rings = [tuple(map(int, m)) for m in
                 re.findall(r"(?m)^RINGS (\d) (\d+) (\d+)$", run.console())]
        self.assertEqual(rings, [(0, BUFFERS, 0), (1, BUFFERS, 0)] * (count // 10))
        tried = self.tried(run)
        self.assertEqual(len(re.findall(rf"\bheld +- +{count} ",
                                        tried["idmctl status"].output)), 2)
        self.assertEqual(tried["rmmod tandem_remoteproc"].status, 0)

    @ctest(timeout=LONGER, once=True)
    def test_messages(self):
        # Both slaves at once, half of the messages each.
        count = messages(8000) // 2
        script = PRELUDE + RINGS + f"""
for n in 0 1; do
  start $n
  device=$(raw $n)
  (rpmsg-ping -n {count} -w 32 $device > /tmp/$n; echo $? > /tmp/status$n) &
done
wait
for n in 0 1; do
  try sh -c ": rpmsg-ping -n {count} ; cat /tmp/$n; exit $(cat /tmp/status$n)"
  rings $n
  stop $n
done
"""
        files = {FIRMWARE + f"tandem-slave{n}.elf": echo_of("cortexm") for n in (0, 1)}
        run = self.finish(self.start_linux("arm-cortexm", "armhf", script, files), timeout=LONGER)
        self.check_clean(run)
        for n in (0, 1):
            self.assertIn(f"\nRINGS {n} {BUFFERS} 0\n", run.console())
        pings = [t for line, t in self.tried(run).items() if f"rpmsg-ping -n {count} " in line]
        self.assertEqual(len(pings), 2)
        for ping in pings:
            self.check_ping(ping, count)

    @ctest(timeout=LONG)
    def test_crashes_are_recovered(self):
        script = PRELUDE + CRASHES + """
echo disabled > remoteproc0/recovery
echo -n tandem:undefined > $(raw 0)
wait_for "crash detected" 4
usleep 100000
try cat remoteproc0/state
try idmctl boot 0
echo enabled > remoteproc0/recovery
wait_for "is now up" 5
try rpmsg-ping -n 104 $(raw 0)
rpmsg-ping -n 1000000 -w 16 $(raw 0) &
usleep 20000
kill -9 $!
usleep 100000
try rpmsg-ping -n 105 $(raw 0)
rpmsg-ping -n 1000000 -w 16 $(raw 0) 2> /tmp/ended &
usleep 20000
try rmmod tandem_remoteproc
wait
try cat /tmp/ended
try idmctl status
try insmod /lib/tandem/tandem_remoteproc.ko
start 0
try rpmsg-ping -n 106 $(raw 0)
try rpmsg-ping -n 107 -e other,1024 /dev/rpmsg_ctrl0
cp /boot/report.elf /lib/firmware/tandem-slave0.elf
echo -n tandem:undefined > $(raw 0)
wait_for "has no resource table" 1
usleep 100000
try grep . remoteproc0/state
for turn in 108 109; do
  cp /boot/echo.elf /lib/firmware/tandem-slave0.elf
  rmmod tandem_remoteproc
  load-remoteproc
  start 0
  try rpmsg-ping -n $turn $(raw 0)
  [ $turn = 108 ] || continue
  cp /boot/other.elf /lib/firmware/tandem-slave0.elf
  echo -n tandem:undefined > $(raw 0)
  wait_for "has another resource table than when it was started" 1
  usleep 100000
done
"""
        other = self.path("other.elf")
        with open(other, "wb") as file:
            file.write(Firmware(echo_of("cortexm")).put_entry(fw.VDEV, {
                ring + fw.VRING_COUNT: 32 for ring in (fw.VRING0, fw.VRING1)}).data)
        run = self.run_linux("arm-cortexm", "armhf", script,
                             {FIRMWARE + "tandem-slave0.elf": echo_of("cortexm"),
                              "boot/echo.elf": echo_of("cortexm"), "boot/other.elf": other,
                              "boot/report.elf": program("cortexm", "boot_report")})
        self.check_clean(run)
        console, tried = run.console(), self.tried(run)
        kinds = re.findall(r"crash detected in slave0: type (.*)", console)
        self.assertEqual(kinds, ["fatal error", "watchdog"] + 4 * ["fatal error"])
        self.assertEqual(tried["grep . remoteproc0/state"].output, "offline")
        self.assertIn("no heartbeat within", console)
        self.assertEqual(tried["cat remoteproc0/state"].output, "crashed")
        self.assertEqual(tried["idmctl boot 0"].output,
                         "idmctl: slave 0 cannot be booted: remoteproc has it")
        self.check_pings(tried, range(100, 110))
        self.assertRegex(tried["cat /tmp/ended"].output,
                         "rpmsg-ping: .*(Broken pipe|No such device)")
        self.assertEqual(tried["rmmod tandem_remoteproc"].status, 0)
        self.assertRegex(tried["idmctl status"].output, r"(?m)^0 +1 +held\b")

    @ctest(timeout=LONG)
    def test_services(self):
        # The addresses are those that the firmware announces, in order.
        script = PRELUDE + """
start 0
device=$(raw 0)
# The node is there a moment before Linux lets it be opened.
for attempt in $(seq 500); do stty -F /dev/ttyRPMSG0 raw -echo 2>/dev/null && break; usleep 2000; done
stty -F /dev/ttyRPMSG0
timeout 2 cat /dev/ttyRPMSG0 > /tmp/tty &
usleep 100000
echo add 1234 4321 > /dev/ttyRPMSG0
wait
try cat /tmp/tty
try rpmsg-ping -n 100 $device
try sha256sum /bin/busybox
try rpmsg-sha256 -e sha,1026 /dev/rpmsg_ctrl0 /bin/busybox
try rpmsg-matmul -e matmul,1027 /dev/rpmsg_ctrl0
try rpmsg-ping -n 1 -t 1 -e nobody,9999 /dev/rpmsg_ctrl0
rpmsg-ping -n 1 -e ended,9999 /dev/rpmsg_ctrl0 &
usleep 200000
try grep -c ended /sys/class/rpmsg/*/name
kill $!
wait
try cat /sys/class/rpmsg/*/name
"""
        run = self.run_linux("arm-cortexm", "armhf", script,
                             {FIRMWARE + "tandem-slave0.elf": program("cortexm", "rpmsg_services")})
        self.check_clean(run)
        tried = self.tried(run)
        self.check_pings(tried, [100])
        self.assertIn("5555", tried["cat /tmp/tty"].output)
        sha = tried["rpmsg-sha256 -e sha,1026 /dev/rpmsg_ctrl0 /bin/busybox"]
        self.assertEqual(sha.output.split()[:1], tried["sha256sum /bin/busybox"].output.split()[:1])
        self.assertEqual(tried["rpmsg-matmul -e matmul,1027 /dev/rpmsg_ctrl0"].status, 0)
        # No endpoint is left, of whoever has failed neither.
        self.assertEqual(tried["rpmsg-ping -n 1 -t 1 -e nobody,9999 /dev/rpmsg_ctrl0"].status, 2)
        names = next(t for line, t in tried.items() if line.startswith("cat /sys/class/rpmsg/"))
        self.assertNotRegex(names.output, "sha|matmul|nobody|ended")
        self.assertTrue(any(":1" in t.output for line, t in tried.items() if "-c ended" in line))

    @ctest(timeout=LONGER)
    def test_x86_master_and_killed_slave(self):
        count = messages(2000)
        script = PRELUDE + CRASHES.replace("undefined hang exit", "undefined hang") + """
rpmsg-ping -n 1000000 -w 16 $(raw 0) &
usleep 20000
echo KILL IT
wait_for "crash detected" 3
wait
wait_for "is now up" 4
try rpmsg-ping -n COUNT -w 32 $(raw 0)
stop 0
try cat remoteproc0/state
try idmctl status
""".replace("COUNT", str(count))
        # Paced, so that the master's time does not run away while the host is slow to kill.
        started = self.start_linux("x86-arm", "amd64", script,
                                   {FIRMWARE + "tandem-slave0.elf": echo_of("arm")},
                                   options=["--realtime", 1])
        pid = started.qemu("qemu-system-arm")
        self.assertTrue(wait_for(lambda: "KILL IT" in started.log("master") or
                                 not started.running(), BOOT_TIMEOUT))
        os.kill(pid, signal.SIGKILL)
        run = self.finish(started, timeout=LONGER)
        self.check_clean(run)
        tried = self.tried(run)
        self.check_pings(tried, [100, 101, 102, count])
        self.assertIn("the slave is crashed: killed by signal 9", run.console())
        self.assertRegex(run.console(), "rpmsg-ping: .*(Broken pipe|No such device)")
        self.assertEqual(tried["cat remoteproc0/state"].output, "offline")
        self.assertRegex(tried["idmctl status"].output, r"\bheld +- +4 ")

    @ctest(timeout=LONG)
    def test_same_in_every_run(self):
        script = PRELUDE + """
for n in 0 1; do start $n; done
for n in 0 1; do
  try rpmsg-ping -n 300 $(raw $n)
  try rpmsg-ping -n 301 -w 32 $(raw $n)
done
for n in 1 0; do stop $n; done
"""
        files = {FIRMWARE + f"tandem-slave{n}.elf": echo_of("cortexm") for n in (0, 1)}
        runs, logs = [], []
        for number in range(2):
            log = self.path(f"log{number}.sqlite")
            runs.append(self.run_linux("arm-cortexm", "armhf", script, files,
                                       options=["--mode", "serial", "--log", log]))
            with open(log, "rb") as file:
                logs.append(file.read())
        self.check_clean(runs[0])
        self.assert_same(*runs)
        self.assertEqual(len(re.findall("none lost", runs[0].console())), 4)
        self.assertEqual(logs[0], logs[1], "the transaction logs differ")


# {name: (what is changed in the echo firmware of a cortexm, what the kernel says)}
def refused_firmware():
    window, end, carve_out = 0x21000000, 0x21ffffff, 0x21f00000
    echo = lambda: Firmware(echo_of("cortexm"))
    vring = lambda ring, **fields: echo().put_entry(fw.VDEV, {
        ring + getattr(fw, "VRING_" + name.upper()): value for name, value in fields.items()})
    outside = rf"not in the carve-out from {carve_out:#x} to {end:#x}, or overlapping"
    both = {fw.VRING0 + fw.VRING_DA: carve_out, fw.VRING1 + fw.VRING_DA: carve_out + 0x1000}
    counts = lambda count: echo().put_entry(fw.VDEV, {
        ring + fw.VRING_COUNT: count for ring in (fw.VRING0, fw.VRING1)})
    return {
        "outside": (echo().put_segment(1, fw.PROGRAM_ADDRESS, 0x30000000),
                    rf"has a segment from 0x30000000 to \S+, the window is from {window:#x} to "
                    rf"{end:#x}"),
        "below": (echo().put_segment(1, fw.PROGRAM_ADDRESS, window - 0x1000),
                  "has a segment from 0x20fff000 to "),
        "in-carve-out": (echo().put_segment(1, fw.PROGRAM_ADDRESS, carve_out - 0x1000),
                         rf"has a segment from {carve_out - 0x1000:#x} to \S+, in the carve-out "
                         rf"at {carve_out:#x}"),
        "table-elsewhere": (echo().put_section(fw.SECTION_ADDRESS, carve_out),
                            rf"has its resource table at {carve_out:#x}, outside of its segments"),
        "entries": (echo().put_section(fw.SECTION_SIZE, 0x400).put_table(fw.COUNT, 33),
                    r"resource table: 33 entries, at most 32"),
        "offset": (echo().put_table(fw.TABLE_OFFSETS + 4 * fw.VDEV, 0x1000),
                   r"entry 1: its offset 0x1000 is outside of the table"),
        "truncated": (echo().put_entry(fw.VDEV, {fw.VDEV_CONFIG_LENGTH: 0xffffffff}),
                      r"entry 1: the virtio device is truncated"),
        "three": (echo().put_entry(fw.VDEV, {fw.VDEV_STATUS: b"\0\3"}),
                  r"entry 1: the virtio device (is truncated|has 3 vrings, remoteproc knows 2)"),
        "one": (echo().put_entry(fw.VDEV, {fw.VDEV_ID: 3, fw.VDEV_STATUS: b"\0\1"}),
                r"entry 1: the virtio device has 1 vrings, remoteproc knows 2"),
        "vring-outside": (vring(fw.VRING1, da=window + 0x8000),
                          rf"vdev0vring1 from 0x21008000, 0x2000 bytes: {outside}"),
        "vring-behind": (vring(fw.VRING1, da=end - 0xfff),
                         rf"vdev0vring1 from 0x21fff000, 0x2000 bytes: {outside}"),
        "overlap": (echo().put_entry(fw.VDEV, both),
                    rf"vdev0vring1 from {carve_out + 0x1000:#x}, 0x2000 bytes: {outside}"),
        "num": (counts(65), "vdev0vring0 has 65 descriptors, which is no power"),
        "none": (counts(0), "vdev0vring0 has 0 descriptors, which is no power"),
        "unequal": (vring(fw.VRING0, count=32), "rpmsg needs two vrings with equally many"),
        "align": (vring(fw.VRING1, align=24), "vdev0vring1 has alignment 24, which is no power"),
        "large-align": (vring(fw.VRING1, align=8192), "vdev0vring1 has alignment 8192, which"),
        "address": (vring(fw.VRING0, da=carve_out + 4), "is not at the start of a page"),
        "room": (counts(32768), r"no room for vdev0vring1 of \S+ bytes"),
        "carveout": (echo().put_entry(fw.WINDOW, {fw.CARVEOUT_NAME: b"heap\0\0",
                                                  fw.CARVEOUT_LENGTH: 0x200000}),
                     "the carveout heap has 0x200000 bytes, there are 0x100000"),
        "fixed": (echo().put_entry(fw.WINDOW, {fw.CARVEOUT_NAME: b"heap\0\0",
                                               fw.CARVEOUT_DA: window + 0x100000,
                                               fw.CARVEOUT_LENGTH: 0x1000}),
                  rf"heap from 0x21100000, 0x1000 bytes: {outside}"),
        "format": (echo().put_entry(fw.WINDOW, {fw.CARVEOUT_NAME: b"heap%s\0",
                                                fw.CARVEOUT_LENGTH: 0x1000}),
                   "the name of a carveout has a % in it"),
        "trace": (echo().put_entry(fw.WINDOW, {fw.TYPE: fw.TRACE, fw.TRACE_DA: carve_out - 4,
                                               fw.TRACE_LENGTH: 0x1000}),
                  rf"the trace buffer from {carve_out - 4:#x} is in the carve-out"),
        "device": (echo().put_entry(fw.WINDOW, {fw.TYPE: 1}), "there is no IOMMU to map it"),
    }


class Refused(RemoteprocTest):
    def write_firmware(self, refused):
        files = {}
        for name, (firmware, _) in refused.items():
            with open(self.path(name), "wb") as file:
                file.write(firmware.data)
            files[FIRMWARE + name] = self.path(name)
        return files

    @ctest(timeout=LONG, once=True)
    def test_refused_firmware(self):
        refused = refused_firmware()
        files = self.write_firmware(refused)
        files.update({FIRMWARE + "aarch64": echo_of("aarch64"),
                      FIRMWARE + "plain": program("cortexm", "boot_report"),
                      FIRMWARE + "echo": echo_of("cortexm"),
                      FIRMWARE + "tandem-slave1.elf": echo_of("aarch64"),
                      FIRMWARE + "tandem-slave2.elf": echo_of("x86_64"),
                      "boot/report.elf": program("cortexm", "boot_report")})
        said = {name: sentence for name, (_, sentence) in refused.items()}
        said["aarch64"] = ("is for machine 183 of 64 bits, the slave executes machine 40 of "
                           "32 bits")
        said["plain"] = r"has no resource table, which is the section \.resource_table"
        script = PRELUDE + """
refuse() { echo $1 > remoteproc0/firmware; start 0; }
for name in """ + " ".join(said) + """; do
  try refuse $name
done
try cat remoteproc0/state
load-bin-boot -a tag=first 0 /boot/report.elf
echo echo > remoteproc0/firmware
try start 0
idmctl reset 0
start 0
try rpmsg-ping -n 100 $(raw 0)
try idmctl halt 0
try load-bin-boot 0 /boot/report.elf
for n in 1 2; do
  start $n
  try rpmsg-ping -n 10$n $(raw $n)
done
"""
        # An arm64 master boots in the fewest cycles of all.
        run = self.run_linux("arm-cortexm", "arm64", script, files,
                             options=ARM64_MASTER + ["--slaves", 3, "--slave1.machine", "aarch64",
                                                     "--slave2.machine", "x86-pc"])
        parts = {part.partition("\n")[0]: part for part in run.console().split("\nTRY ")}
        for name, sentence in said.items():
            with self.subTest(name):
                part = parts[f"refuse {name}"]
                self.assertRegex(part, sentence)
                self.assertIn("STATUS 1", part)
        tried = self.tried(run)
        self.assertEqual(tried["cat remoteproc0/state"].output, "offline")
        self.assertIn("runs a program that was started by /dev/idm0", parts["start 0"])
        self.check_pings(tried, [100, 101, 102])
        self.assertIn("remoteproc has it", tried["idmctl halt 0"].output)
        self.assertEqual(tried["load-bin-boot 0 /boot/report.elf"].status, 1)
        self.check_clean(run)


if __name__ == "__main__":
    main()
