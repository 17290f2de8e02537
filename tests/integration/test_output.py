# SPDX-License-Identifier: Apache-2.0
"""What a run leaves and shows: trace, statistics, consoles, exit status, options from a file."""
import os
import re
import socket
import subprocess
import threading

from platform_run import PlatformTest, children, ctest, free_port, main, wait_for

BIN = os.environ.get("TANDEM_BIN", "")
SMOKE = ("--slaves", 0, "--master.machine", "arm", "--master.image", "smoke")


class Output(PlatformTest):
    def demo(self, *options, **how):
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(bytes(100000))
        return self.simulate("--input", path, *options, **how)

    def test_trace(self):
        run = self.demo()
        vcd = run.vcd()
        self.assertLessEqual({"master", "slave0", "idm", "fabric"}, vcd.scopes())
        for name in ("master.state", "slave0.state", "slave0.irq_0", "idm.p1.fifo_to_0",
                     "idm.p0.fifo_to_1", "fabric.out_slave0"):
            self.assertGreater(len(vcd.signals[name]), 2, name)
        # The slave has run, slept and run again; a FIFO was filled and emptied.
        states = vcd.values("slave0.state")
        self.assertIn([1, 2, 1], [states[i:i + 3] for i in range(len(states))])
        self.assertGreater(max(vcd.values("idm.p0.fifo_to_1")), 0)
        self.assertEqual(vcd.values("idm.p0.fifo_to_1")[-1], 0)
        self.assertEqual(vcd.end // 1000, run.statistics()["simulated_ns"])

    def test_trace_of_doorbells(self):
        run = self.simulate("--master.image", "ring", "--slave.image", "ring", "--param", "n=20")
        vcd = run.vcd()
        self.assertEqual(vcd.values("idm.p1.doorbells").count(1), 20)
        self.assertEqual(vcd.values("idm.p0.doorbells").count(2), 20)

    def test_trace_of_the_bus(self):
        run = self.demo("--interconnect", "bus")
        vcd = run.vcd()
        self.assertIn("interconnect", vcd.scopes())
        changing = [n for n, v in vcd.signals.items()
                    if n.startswith("interconnect.") and len(v) > 10]
        self.assertTrue(changing, list(vcd.signals))

    def test_statistics(self):
        run = self.demo()
        statistics = run.statistics()
        self.assertEqual(statistics["quantum_ns"], 100000)
        self.assertEqual(statistics["mode"], "parallel")
        self.assertEqual(statistics["end"], "a guest has ended the run")
        for instance in ("master", "slave0"):
            module = statistics["modules"][instance]
            self.assertGreater(module["instructions"], 10000)
            self.assertLessEqual(module["instructions"], module["virtual_ns"])
            self.assertLessEqual(module["virtual_ns"], statistics["simulated_ns"])
            self.assertRegex(module["qemu"], r"^\d+\.\d+\.\d+$")
            requests = module["requests"]
            accesses = requests["read"] + requests["write"]
            # Each access is one transaction on the way to the instance's port of the IDM.
            path = [p for p in statistics["modules"]["interconnect"]["paths"]
                    if (p["initiator"], p["target"]) == (instance, "idm_" + instance)][0]
            self.assertEqual(path["transactions"], accesses)
            self.assertEqual(path["bytes"], 4 * accesses)
        # One job of 65536 bytes, another of the rest: nine words each there, five back.
        boxes = statistics["modules"]["idm"]["participants"][0]["mailboxes"][1]
        self.assertEqual((boxes["words_sent"], boxes["words_received"]), (18, 10))

    def test_nothing_is_written_without_out(self):
        before = set(os.listdir(self.directory))
        self.simulate("--slaves", 0, "--master.image", "smoke", out=False)
        made = set(os.listdir(self.directory)) - before
        self.assertEqual(made, {"stdout0", "stderr0"})

    def test_consoles_are_prefixed(self):
        run = self.simulate("--master.image", "smoke", "--slave.image", "idle", out=False)
        lines = run.stdout.splitlines()
        self.assertIn("[master] RESULT arch x86_64", lines)
        self.assertTrue([line for line in lines if re.match(r"\[slave0\] TANDEM idle arm", line)])
        self.assertFalse([line for line in lines if not line.startswith("[")], run.stdout)

    def test_progress_line(self):
        # Runs without "--progress off", on no terminal: the last line sums up.
        run = self.demo()
        last = [line for line in run.stderr.splitlines() if line.startswith("ended: ")]
        self.assertEqual(len(last), 1)
        self.assertRegex(last[0], r"simulated [0-9.]+ s, [0-9.]+ of real time, master \w+, "
                                  r"slave0 \w+")

    def test_statuses(self):
        # By the guest's EXIT; by another's; by nobody's.
        self.simulate("--slaves", 0, "--master.image", "smoke", status=0)
        self.simulate("--slaves", 0, "--master.image", "latency", "--param", "n=x", status=2)
        self.simulate("--master.image", "probe", "--slaves", 0, "--param", "size=3", status=2)
        self.simulate("--master.image", "idle", "--slave.image", "probe", "--param", "size=3",
                      status=2)

    def test_time_limit(self):
        for mode in ("parallel", "serial"):
            run = self.simulate("--master.image", "compute", "--slave.image", "idle", "--param",
                                "0.n=100000000000", "--time-limit", "7300us", "--mode", mode)
            self.assertIn("the time limit is reached", run.stderr)
            self.assertEqual(run.statistics()["simulated_ns"], 7300000)
            self.assertEqual(run.vcd().end, 7300000000)

    def test_all_asleep(self):
        run = self.simulate("--master.image", "idle", "--slave.image", "idle", status=2)
        self.assertIn("all instances sleep and nothing can wake them", run.stderr)
        self.assertEqual(run.statistics()["end"],
                         "all instances sleep and nothing can wake them")

    def test_sleeping_costs_no_messages(self):
        # Ten seconds of sleep on either side: a handful of requests, and the exact time.
        run = self.simulate("--master.image", "idle", "--slave.image", "idle", "--param",
                            "ns=10000000000")
        self.assertGreaterEqual(run.number("ns"), 10000000000)
        self.assertLess(run.number("ns"), 10000100000)
        for instance in ("master", "slave0"):
            requests = run.module(instance)["requests"]
            self.assertLess(requests["halted"] + requests["window"], 200)

    def test_ini_file(self):
        path = self.path("platform.ini")
        with open(path, "w", encoding="ascii") as f:
            f.write("# comment\nquantum = 20us\nslaves = 0\nidm-latency = 40ns\nset = latency=3ns\n"
                    "[master]\nimage = latency\nmachine = x86-pc\nicount-shift = 1\n")
        run = self.simulate("--config", path, "--param", "n=100")
        self.assertEqual(run.statistics()["quantum_ns"], 20000)
        other = self.simulate("--config", path, "--param", "n=100", "--idm-latency", "50ns",
                              "--quantum", "30us")
        self.assertEqual(other.statistics()["quantum_ns"], 30000)
        self.assertEqual(other.number("ns") - run.number("ns"), 100 * 10)

    @ctest(once=True)
    def test_switches_of_an_ini_file(self):
        for value, runs in (("off", True), ("on", False)):
            path = self.path("switch.ini")
            with open(path, "w", encoding="ascii") as f:
                f.write(f"dry-run = {value}\n")
            run = self.simulate("--config", path, *SMOKE, out=False)
            self.assertEqual("ended: " in run.stderr, runs, value)

    @ctest(once=True)
    def test_of_a_parameter_given_twice_the_first_holds(self):
        # So the command line's does, of those in its configuration.
        triad = ("--slaves", 0, "--master.machine", "arm", "--master.image", "triad")
        path = self.path("parameter.ini")
        with open(path, "w", encoding="ascii") as f:
            f.write("param = n=2k\n")
        run = self.simulate(*triad, "--param", "n=1k", "--config", path)
        again = self.simulate(*triad, "--param", "n=1k", "--param", "n=2k")
        alone = self.simulate(*triad, "--param", "n=1k")
        for other in (run, again):
            self.assertEqual(other.results("master"), alone.results("master"))

    @ctest(once=True)
    def test_parameter_that_is_not_a_number_ends_the_run(self):
        for wrong, bits in (("n=1K", 64), ("n=18446744073709552640", 64), ("n=17179869184G", 64),
                            ("rounds=4294967297", 32)):
            run = self.simulate("--slaves", 0, "--master.machine", "arm", "--master.image", "triad",
                                "--param", wrong, status=2)
            self.assertIn(f"parameter {wrong} is not a number of {bits} bits\n",
                          run.console("master"))

    @ctest(once=True)
    def test_log_that_cannot_be_shown(self):
        log = self.path("run.db")
        self.simulate(*SMOKE, "--log", log)
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([os.path.join(BIN, "tandem-log"), "show", log], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: the output cannot be written: No space left on device", done.stderr)

    @ctest(once=True)
    def test_ini_from_a_pipe(self):
        # A pipe gives its text once.
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        threading.Thread(target=self.write_once, args=(pipe, "slaves = 3\nquantum = 7us\n"),
                         daemon=True).start()
        shown = self.simulate("--dry-run", "--config", pipe, "--dump-system",
                              self.path("system.toml"), out=False).stdout
        self.assertIn("slave2: ", shown)
        with open(self.path("system.toml"), encoding="ascii") as f:
            self.assertIn("quantum = '7us'", f.read())

    @staticmethod
    def write_once(path, text):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    @ctest(once=True)
    def test_help_and_dry_run(self):
        run = self.simulate("--help", out=False)
        for word in ("--quantum", "--interconnect", "--master", "x86-q35", "cortexm", "router",
                     "arbitration"):
            self.assertIn(word, run.stdout.replace("INSTANCE", "master"))
        run = self.simulate("--dry-run", "--master.gdb", 1, "--slave.memory", 77, "--slave.append",
                            "a b", out=False)
        self.assertRegex(run.stdout, r"(?m)^master: qemu-system-x86_64 .*-gdb tcp:127.0.0.1:1\b")
        self.assertRegex(run.stdout, r"(?m)^slave0: qemu-system-arm .*-m 77M.*-append 'a b'")
        self.assertRegex(run.stdout, r"0x00d0000000 to 0x00d000ffff +idm")
        self.assertEqual(children(os.getpid()), {})


class Consoles(PlatformTest):
    """Consoles elsewhere than in the log; the log has them as well."""
    # Paced, so that whoever connects is there long before the end.
    options = ("--master.image", "clock", "--param", "0.n=5000", "--slave.image", "idle",
               "--realtime", "0.005")

    def read_console(self, connect, console):
        started = self.start(*self.options, "--master.console", console, "--vcd", "off")
        self.assertTrue(wait_for(lambda: "CLOCK 1 " in started.log("master")), started.stderr())
        peer = connect(started)
        text = b""
        while b"CLOCK 4999 " not in text:
            part = peer.recv(65536)
            if not part:
                break
            text += part
        peer.close()
        run = self.finish(started)
        # From where we came in, every line. (A reader that is slow makes QEMU's serial port wait,
        # and write what waits into its log once more, so the log is no measure here.)
        numbers = [int(line.split()[1]) for line in text.decode().splitlines()[1:]
                   if line.startswith("CLOCK ")]
        self.assertEqual(numbers, list(range(numbers[0], 5000)))
        self.assertIn("CLOCK 0 ", run.console())
        self.assertEqual(run.console().splitlines()[-1], "EXIT 0")
        return run

    def test_tcp(self):
        port = free_port()
        self.read_console(lambda _: socket.create_connection(("127.0.0.1", port), 120),
                          f"tcp:{port}")

    def test_socket(self):
        path = self.path("con,sole")

        def connect(_):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(120)
            s.connect(path)
            return s
        self.read_console(connect, "socket:" + path)
        self.assertFalse(os.path.exists(path))

    def test_none(self):
        run = self.simulate("--slaves", 0, "--master.image", "smoke", "--master.console", "none")
        self.assertIn("RESULT doorbell ok", run.console())


if __name__ == "__main__":
    main()
