# SPDX-License-Identifier: Apache-2.0
"""Linux masters boot slaves of other architectures, with packaged kernels."""
import os
import re
import signal

from platform_run import ctest, main, wait_for
from linux_guests import BOOT_ARM, BOOT_TIMEOUT, TALK, LinuxTest, kit, program

LONG = 900  # seconds for ctest

BOOT_ARM64 = "load-bin-boot -i /boot/arm64/initramfs.gz {0} /boot/arm64/kernel /boot/slave{0}.dtb\n"


# For slaves that answer before their shells are at the prompt.
PROMPTS = "sleep 2\n"


class Linux(LinuxTest):
    def check_talk(self, run, slave, up):
        """The dialogue of TALK with a Linux slave."""
        console = run.console()
        self.assertRegex(console, up)
        self.assertIn(f"\necho: hello {slave}\n", console)
        self.assertIn(f"received: hello {slave}\n", run.console(f"slave{slave}"))
        self.assertRegex(run.console(f"slave{slave}"), r"(?m)^# ")

    @ctest(timeout=LONG)
    def test_arm_boots_arm(self):
        # The demo of 2015: the upper half of the master's 1 GiB is the slave's. The slave's kernel
        # is one that decompresses itself, as one of the user's may.
        script = ("insmod /lib/tandem/tandem_idm.ko\ncat /proc/iomem\nidmctl time\n" +
                  BOOT_ARM.format(0) + TALK.format(0) +
                  "try idmctl status 0\nidmctl time\n" + PROMPTS)
        run = self.run_linux("arm-arm", "armhf", script,
                             {**self.slave_files("armhf"),
                              "boot/armhf/kernel": kit("armhf", "zImage")})
        self.check_talk(run, 0, r"(?m)^Linux is up: Linux \S+-armmp armv7l with 1 CPUs$")
        console = run.console()
        self.assertRegex(console, r"(?m)^40000000-5fffffff : System RAM$")
        self.assertNotRegex(console, r"(?m)^6.......-........ : System RAM$")
        self.assertRegex(self.tried(run)["idmctl status 0"].output,
                         r"\brunning\b.*512 MiB at 0x0\b")
        memory = re.search(r"Memory: \d+K/(\d+)K available", run.console("slave0"))
        self.assertEqual(int(memory.group(1)), 512 * 1024)

    @ctest(timeout=LONG)
    def test_x86_boots_arm_and_arm64(self):
        files = {**self.slave_files("armhf"), **self.slave_files("arm64")}
        script = ("insmod /lib/tandem/tandem_idm.ko\ntry cat /proc/iomem\n" +
                  BOOT_ARM.format(0) + BOOT_ARM64.format(1) + TALK.format(0) + TALK.format(1) +
                  "try idmctl status\n" + PROMPTS)
        run = self.run_linux("x86-arm", "amd64", script, files,
                             options=["--slaves", 2, "--slave1.machine", "aarch64",
                                      "--slave1.cpus", 2])
        self.check_talk(run, 0, r"(?m)^Linux is up: Linux \S+-armmp armv7l with 1 CPUs$")
        self.check_talk(run, 1, r"(?m)^Linux is up: Linux \S+-arm64 aarch64 with 2 CPUs$")
        tried = self.tried(run)
        self.assertRegex(tried["cat /proc/iomem"].output, r"(?m)^ *80000000-9fffffff : Reserved$")
        self.assertEqual(len(re.findall(r"\brunning\b", tried["idmctl status"].output)), 2)

    @ctest(timeout=LONG)
    def test_arm_boots_two_microcontrollers(self):
        files = {"boot/report.elf": program("cortexm", "boot_report")}
        script = """
insmod /lib/tandem/tandem_idm.ko
try nproc
for n in 0 1; do
  load-bin-boot -a tag=first$n $n /boot/report.elf
done
for n in 1 0; do
  try idmctl receive $n -t 10
  try idmctl send $n "hello $n"
  try idmctl receive $n -t 11
done
try idmctl reset 0
try idmctl status
load-bin-boot -a tag=again 0 /boot/report.elf
try idmctl receive 0 -t 12
"""
        run = self.run_linux("arm-cortexm", "armhf", script, files)
        tried = self.tried(run)
        self.assertEqual(tried["nproc"].output, "2")
        for n in (0, 1):
            self.assertEqual(tried[f"idmctl receive {n} -t 10"].output, f"first{n}")
            self.assertEqual(tried[f"idmctl receive {n} -t 11"].output, f"echo: hello {n}")
            self.assertIn(f"TANDEM boot_report cortexm participant {n + 1} of 3",
                          run.console(f"slave{n}"))
        lines = tried["idmctl status"].output.splitlines()
        self.assertRegex(lines[-2], r"^0 .*\bheld\b")
        self.assertRegex(lines[-1], r"^1 .*\brunning\b")
        self.assertEqual(tried["idmctl receive 0 -t 12"].output, "again")

    @ctest(timeout=LONG)
    def test_slave_that_is_killed(self):
        files = {"boot/report.elf": program("arm", "boot_report")}
        script = """
insmod /lib/tandem/tandem_idm.ko
load-bin-boot -a tag=first 0 /boot/report.elf
try idmctl receive 0 -t 10
echo KILL IT
try idmctl wait 0 crashed
try idmctl status 0
try ls /
load-bin-boot -a tag=second 0 /boot/report.elf
try idmctl receive 0 -t 11
try idmctl status
"""
        # Paced, so that the master's time does not run away while the host is slow to kill.
        started = self.start_linux("x86-arm", "amd64", script, files, options=["--realtime", 1])
        pid = started.qemu("qemu-system-arm")
        self.assertTrue(wait_for(lambda: "KILL IT" in started.log("master") or
                                 not started.running(), BOOT_TIMEOUT))
        os.kill(pid, signal.SIGKILL)
        run = self.finish(started, timeout=BOOT_TIMEOUT)
        tried = self.tried(run)
        self.assertEqual(tried["idmctl receive 0 -t 10"].output, "first")
        self.assertRegex(tried["idmctl status 0"].output, r"\bcrashed +killed by signal 9\b")
        self.assertIn("lib", tried["ls /"].output.split())
        self.assertEqual(tried["idmctl receive 0 -t 11"].output, "second")
        self.assertRegex(tried["idmctl status"].output, r"\brunning\b.* 2 ")
        self.assertRegex(run.stderr, r"(?m)^warning: slave0: QEMU was killed by signal 9")

    @ctest(timeout=LONG)
    def test_clocks_agree_with_the_time_of_boot(self):
        # The kernel's clock counts from early in its boot on; simulation time less this clock is
        # the same whenever it is read, and, for the slave, just behind the time of its boot.
        slave = self.write("clock.sh", "insmod /lib/tandem/tandem_idm.ko\n"
                           "idmctl time\nsleep 2\nidmctl time\nidmctl send 0 done\n")
        initramfs = self.initramfs("clock", "armhf", {"etc/tandem.d/clock.sh": slave})
        files = {"boot/armhf/kernel": kit("armhf", "kernel"),
                 "boot/armhf/initramfs.gz": initramfs}
        script = ("insmod /lib/tandem/tandem_idm.ko\nidmctl time\n" + BOOT_ARM.format(0) +
                  "idmctl time\ntry idmctl receive 0 -t 120\n")
        run = self.run_linux("arm-arm", "armhf", script, files)
        starts = {}
        for name in ("master", "slave0"):
            text = run.console(name)
            times = [float(t) for t in re.findall(r"(?m)^simulation (\S+) s$", text)]
            clocks = [float(t) for t in re.findall(r"(?m)^clock (\S+) s$", text)]
            self.assertEqual(len(times), 2)
            self.assertEqual(len(clocks), 2)
            starts[name] = [t - c for t, c in zip(times, clocks)]
            self.assertAlmostEqual(starts[name][0], starts[name][1], delta=2e-6)
        booted = [t for t, state in run.vcd().signals["idm.p1.boot_status"] if int(state, 2) == 1]
        booted = booted[0] * 1e-12
        # Between: the unpacking of the kernel, the same for both.
        unpacking = starts["master"][0]
        self.assertAlmostEqual(starts["slave0"][0] - booted, unpacking, delta=0.5)


if __name__ == "__main__":
    main()
