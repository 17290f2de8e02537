# SPDX-License-Identifier: Apache-2.0
"""Messages through the IDM in both directions at once: none lost, none twice, none out of order.

TANDEM_MESSAGES=1000000 in the environment sets the number of messages in each direction for
test_many (by hand; it takes long)."""
import os

from platform_run import FREE, RUN_TIMEOUT, PlatformTest, ctest, main

COUNT = int(os.environ.get("TANDEM_MESSAGES", "3000"))


class Messages(PlatformTest):
    def exchange(self, count, *options, timeout=RUN_TIMEOUT, instances=("master", "slave0")):
        run = self.simulate("--master.image", "messages", "--slave.image", "messages",
                            "--param", f"count={count}", *options, timeout=timeout)
        for instance in instances:
            results = run.results(instance)
            for key in ("sent", "received"):
                self.assertEqual(int(results[key]), count, f"{key} by {instance}")
            for key in ("lost", "duplicated", "disordered", "corrupt"):
                self.assertEqual(int(results[key]), 0, f"{key} at {instance}")
        return run

    def check_device(self, run, pairs, under_way=0):
        """What the device counted agrees with what the guests say; words that may still have been
        in a FIFO when the run ended are allowed for."""
        ports = run.module("idm")["participants"]
        for source, destination in pairs:
            sent = ports[source]["mailboxes"][destination]
            got = ports[destination]["mailboxes"][source]
            self.assertLessEqual(got["words_received"], sent["words_sent"])
            self.assertLessEqual(sent["words_sent"] - got["words_received"], under_way)
            self.assertEqual(sent["words_dropped"], 0)
            self.assertEqual(got["underruns"], 0)
            self.assertGreater(sent["words_sent"], 0)

    @ctest(timeout=max(500, COUNT // 20))
    def test_many(self):
        # Small FIFOs and short pauses, so that both sides run into full ones.
        run = self.exchange(COUNT, "--fifo-depth", 16, "--param", "max=100", "--param",
                            "pause=3000", timeout=max(RUN_TIMEOUT, COUNT // 25))
        self.check_device(run, [(0, 1), (1, 0)])
        for source, instance in ((0, "master"), (1, "slave0")):
            self.assertGreater(run.number("full_hits", instance), 0)
            box = run.module("idm")["participants"][source]["mailboxes"][1 - source]
            self.assertEqual(box["highest_level"], 16)
            # Every word that the guest sent: length, header of 3 words, payload.
            other = "slave0" if instance == "master" else "master"
            words, received = box["words_sent"], run.number("bytes", other)
            self.assertGreaterEqual(4 * words, received + 4 * COUNT)
            self.assertLess(4 * words, received + 8 * COUNT + 400)

    @ctest(timeout=500)
    def test_smallest_fifo(self):
        run = self.exchange(200, "--fifo-depth", 1, "--param", "max=40", "--param", "pause=0")
        self.check_device(run, [(0, 1), (1, 0)])
        self.assertGreater(run.number("full_hits"), 0)

    @ctest(timeout=500)
    def test_two_pairs_at_once(self):
        run = self.exchange(200, "--slaves", 3, "--slave.machine", "arm", "--slave2.machine",
                            "x86-pc", instances=("master", "slave0"))
        self.check_device(run, [(0, 1), (1, 0)])
        # The second pair knows nothing of the first, and need not have ended.
        self.check_device(run, [(2, 3), (3, 2)], under_way=64)
        self.assertIn("messages", run.console("slave1"))

    @ctest(timeout=500)
    def test_riscv64(self):
        # Doorbells and messages at the same time: its interrupt controller forgets levels.
        for mode in ((), FREE):
            run = self.exchange(200, *mode, "--master.machine", "riscv64",
                                "--slave.machine", "riscv64", "--fifo-depth", 4, "--param",
                                "pause=1000")
            self.check_device(run, [(0, 1), (1, 0)])

    @ctest(timeout=500)
    def test_serial_mode(self):
        self.exchange(200, "--mode", "serial", "--fifo-depth", 16, "--param", "pause=1000")


if __name__ == "__main__":
    main()
