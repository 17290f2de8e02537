# SPDX-License-Identifier: Apache-2.0
"""A run goes back to a time: what debuggers see there is what they see when the run is stopped there
on its way from time 0 (docs/checkpoints.md)."""
import os
import random
import re
import shutil
import signal
import sys

from platform_run import (MACHINES, PLATFORM, QEMU_PREFIX, RUN_TIMEOUT, SHM_ADDRESS, PlatformTest,
                          ctest, free_port, guest, main, wait_for)
from remote_debugger import Remote, pc_of, symbol
from test_chain import made_at, manifest, members, two

BUILD = os.environ.get("TANDEM_BUILD", "")
PYTHON = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "platforms", "python"))
TIMES = int(os.environ.get("TANDEM_RERUNS", "2"))
SEED = int(os.environ.get("TANDEM_SEED", "5"))
COMPUTE = ("product", "left")
MESSAGES = ("counts", "outgoing", "incoming", "numbers")


class Rerun(PlatformTest):
    def standing(self, started, at):
        """Waits until it stands; {instance: (port, kind of machine)}."""
        text = f"standing still at {at}"
        self.assertTrue(wait_for(lambda: "Ctrl-C ends" in started.stderr() or not started.running(),
                                 RUN_TIMEOUT), started.stderr())
        self.assertIn(text, started.stderr())
        found = re.findall(r"^(\w+): gdb on 127\.0\.0\.1:(\d+), (.*)$", started.stderr(), re.M)
        return {name: (int(port), machine) for name, port, machine in found}

    def look(self, guests, program, symbols):
        """What there is to see of each guest."""
        debuggers = {name: Remote(port) for name, (port, _) in guests.items()}
        seen = {}
        for name, (_, machine) in guests.items():
            arch, debugger = MACHINES[machine], debuggers[name]
            registers = debugger.registers()
            seen[name] = {"registers": registers.hex(), "pc": pc_of(arch, registers),
                          "shared": debugger.memory(SHM_ADDRESS[arch], 4096).hex()}
            for one in symbols:
                seen[name][one] = debugger.memory(*symbol(guest(arch, program), one)).hex()
        return seen, debuggers

    def from_start(self, options, at, program, symbols):
        """At that time, or soon after when a guest is in the middle of an access."""
        while True:
            ports = ("--master.gdb", free_port(), "--slave0.gdb", free_port())
            started = self.start(*options, "--stop-at", f"{at}ns", *ports)
            guests = self.standing(started, "")
            if "in the middle of an access" not in started.stderr():
                break
            self.end(started, {})
            at += 31
        seen, debuggers = self.look(guests, program, symbols)
        self.end(started, debuggers)
        return at, seen

    def rerun(self, place, at, *options, **how):
        words = (sys.executable, "-m", "tandem", "rerun", "--build", BUILD, place, "--to",
                 f"{at}ns")
        environment = dict(PYTHONPATH=PYTHON, **how.pop("environment", {}))
        return self.start(*options, platform=words, environment=environment, **how)

    def gone_back(self, place, at, program, symbols):
        started = self.rerun(place, at, "--master.gdb", free_port())
        guests = self.standing(started, "")
        self.assertEqual(sorted(guests), ["master", "slave0"])
        seen, debuggers = self.look(guests, program, symbols)
        return started, seen, debuggers

    def end(self, started, debuggers):
        started.signal(signal.SIGINT)
        self.finish(started, status=130)
        for debugger in debuggers.values():
            debugger.close()

    def check(self, options, program, symbols, count=TIMES, same=True):
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        chain = self.path("chain")
        self.simulate(*options, "--checkpoint-every", f"{length // 6}ns", "--checkpoint", chain)
        first = manifest(members(chain)[0])["reached_ns"]
        chance = random.Random(f"{self.id()} {SEED}")
        times = [chance.randrange(first + 1, length - length // 50) for _ in range(count)]
        times += [times[0], min(times) - 1, first + 1, first // 2]  # twice, and back, and before it
        known, pcs, moved = {}, set(), {}
        for wanted in times:
            if wanted not in moved:
                moved[wanted], seen = self.from_start(options, wanted, program, symbols)
                known[moved[wanted]] = seen
            at = moved[wanted]
            started, seen, debuggers = self.gone_back(chain, at, program, symbols)
            self.assertIn("from time 0" if at <= first else f"from {chain}/", started.stderr())
            self.end(started, debuggers)
            self.assertEqual(seen, known[at], f"at {at} ns")
            pcs.add(tuple((name, s["registers"]) for name, s in seen.items()))
        self.assertEqual(len(pcs), len(known), "each time has other registers")
        # Whoever looks and goes away has changed nothing.
        started, _, debuggers = self.gone_back(chain, moved[times[0]], program, symbols)
        for debugger in debuggers.values():
            debugger.detach()
        if same:
            self.assert_same(full, self.finish(started))
        else:
            self.finish(started)
        return known

    @ctest(timeout=900)
    def test_x86_and_arm_that_compute(self):
        options = ("--master.machine", "x86-pc", "--slave.machine", "arm", "--master.image",
                   "compute", "--slave.image", "compute", "--param", "kind=matrix", "--param",
                   "n=60", "--param", "1.n=40")
        known = self.check(options, "compute", COMPUTE)
        products = {seen["slave0"]["product"] for seen in known.values()}
        self.assertGreater(len(products), 3)

    @ctest(timeout=900)
    def test_x86_and_arm_that_talk(self):
        self.check((*two("x86-q35", "messages", "count=100"), "--fifo-depth", 8), "messages",
                   MESSAGES)

    @ctest(timeout=600)
    def test_debuggers_are_answered_wherever_it_stands(self):
        # Both at once, at the moment at which all stand.
        options = (*two("x86-q35", "messages", "count=100"), "--fifo-depth", 8)
        chain = self.path("chain")
        self.simulate(*options, "--checkpoint-every", "3ms", "--checkpoint", chain)
        chance = random.Random(f"{self.id()} {SEED}")
        for _ in range(5 * TIMES):
            member = chance.choice(members(chain)[:-1])
            at = manifest(member)["reached_ns"] + chance.randrange(1000, 2500000)
            started = self.start("--restore", member, "--stop-at", f"{at}ns", "--master.gdb",
                                 free_port(), "--slave0.gdb", free_port())
            guests = self.standing(started, "")
            debuggers = {}
            if "in the middle of an access" not in started.stderr():
                debuggers = {name: Remote(port) for name, (port, _) in guests.items()}
            for name, debugger in debuggers.items():
                self.assertTrue(debugger.registers(), f"{name} at {at} ns")
            self.end(started, debuggers)

    @ctest(timeout=600)
    def test_on_a_host_that_wakes_threads_late(self):
        # Debuggers stop both and let them go on, also one that sleeps since it was restored.
        options = (*two("x86-q35", "messages", "count=100"), "--fifo-depth", 8)
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        chain = self.path("chain")
        self.simulate(*options, "--checkpoint-every", f"{length // 6}ns", "--checkpoint", chain)
        late = {"LD_PRELOAD": os.environ["TANDEM_LATE_CPU"]}
        for member in members(chain)[1:-1] * TIMES:
            at = manifest(member)["reached_ns"] + length // 9
            started = self.start("--restore", member, "--stop-at", f"{at}ns", "--master.gdb",
                                 free_port(), "--slave0.gdb", free_port(), environment=late)
            _, debuggers = self.look(self.standing(started, ""), "messages", ())
            for debugger in debuggers.values():
                debugger.detach()
            self.assert_same(full, self.finish(started))

    @ctest(timeout=900)
    def test_serial_on_a_bus(self):
        self.check((*two("arm", "messages", "count=60", slave="cortexm"), "--interconnect", "bus",
                    "--mode", "serial"), "messages", MESSAGES, count=2, same=False)

    def test_stops_at_exactly_that_time(self):
        # The clock of the guest, in one of its registers or not, is one instruction's at most late.
        options = ("--slaves", 0, "--master.machine", "arm", "--master.image", "compute",
                   "--param", "n=100k", "--master.icount-shift", 3)
        for at in (1000, 123456, 123457, 200000, 1234567):
            run = self.simulate(*options, "--stop-at", f"{at}ns", "--stop-exit")
            self.assertEqual(run.statistics()["simulated_ns"], at)
            self.assertIn("--stop-at", run.statistics()["end"])
            clock = run.module("master")["virtual_ns"]
            self.assertGreaterEqual(clock, at)
            self.assertLess(clock, at + 16)
            self.assertEqual(run.module("master")["instructions"] * 8 // 16, clock // 16)

    def test_a_breakpoint_from_there_on(self):
        options = ("--master.machine", "arm", "--master.image", "clock", "--slave.image", "clock",
                   "--param", "n=400", "--param", "1.seed=5")  # else they end at the same time
        chain = self.path("chain")
        full = self.simulate(*options, "--checkpoint-every", "300us", "--checkpoint", chain)
        at = full.statistics()["simulated_ns"] // 2
        port = free_port()
        started = self.rerun(chain, at, "--master.gdb", port)
        self.assertEqual(self.standing(started, "")["master"], (port, "arm"))
        debugger = Remote(port)
        place, _ = symbol(guest("arm", "clock"), "console_printf")
        self.assertEqual(debugger.ask(f"Z0,{place:x},4"), "OK")
        self.assertTrue(debugger.ask("c").startswith("T05"))
        self.assertEqual(pc_of("arm", debugger.registers()), place)
        self.assertEqual(debugger.ask(f"z0,{place:x},4"), "OK")
        debugger.detach()
        self.assert_same(full, self.finish(started))

    def test_without_a_terminal_it_ends_there(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        single, chain = self.path("single"), self.path("chain")
        self.simulate(*options, "--checkpoint-at", f"{length // 3}ns", "--checkpoint", single)
        self.simulate(*options, "--checkpoint-every", f"{length // 5}ns", "--checkpoint", chain)
        for place, at, origin in ((single, length // 2, single),
                                  (single, length // 10, "from time 0"),
                                  (chain, length // 2, members(chain)[1]),
                                  (chain, length // 10, "from time 0")):
            plain = self.simulate(*options, "--stop-at", f"{at}ns", "--stop-exit")
            run = self.finish(self.rerun(place, at))
            self.assertIn(origin, run.stderr)
            self.assert_same(plain, run)
            self.assertEqual(run.statistics()["simulated_ns"], at)
        # What was said of the chain's run holds, and this call's options before it.
        run = self.finish(self.rerun(chain, length // 2, "--set", "interconnect.kind=bus", "--exit",
                                     "--master.gdb", free_port()))
        self.assertEqual(run.statistics()["interconnect"], "bus")

    def test_of_a_run_that_ends_before(self):
        options = two("arm", "ring", "n=100")
        full = self.simulate(*options)
        at = full.statistics()["simulated_ns"] * 2
        self.assert_same(full, self.simulate(*options, "--stop-at", f"{at}ns", "--master.gdb",
                                             free_port()))

    @ctest(once=True)
    def test_refused(self):
        options = two("arm", "ring", "n=100")
        chain = self.path("chain")
        self.simulate(*options, "--checkpoint-every", "20us", "--checkpoint", chain)
        for words, sentence in (((self.directory, "--to", "5ms"), "neither a checkpoint nor"),
                                ((chain, "--to", "5"), "impossible time '5'"),
                                ((chain, "--to", "0ms"), "impossible time"),
                                ((chain,), "required: --to"),
                                (("--to", "5ms"), "the directory comes first")):
            run = self.finish(self.start(platform=(sys.executable, "-m", "tandem", "rerun",
                                                   "--build", BUILD, *words), out=False,
                                         environment=dict(PYTHONPATH=PYTHON)), status=2)
            self.assertEqual(len(run.errors()), 1, run.stderr)
            self.assertIn(sentence, run.errors()[0])
        place, reached = members(chain)[0], manifest(members(chain)[0])["reached_ns"]
        self.assertIn("its guests are at", self.refused("--restore", place, "--stop-at",
                                                        f"{reached}ns", "--stop-exit"))
        for bad, sentence in ((("--stop-exit",), "of no use"), (("--stop-at", "0"), "impossible"),
                              (("--stop-at", "1.5ns"), "impossible"),
                              (("--stop-at", "1ms", "--mode", "free"), "mode free"),
                              (("--stop-at", "1ms", "--time-limit", "1ms"), "the time limit is"),
                              (("--stop-at", "1ms", "--checkpoint", self.path("x")), "exclude")):
            self.assertIn(sentence, self.refused(*options, *bad))


if __name__ == "__main__":
    main()
