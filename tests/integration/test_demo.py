# SPDX-License-Identifier: Apache-2.0
"""The offload demo computes the digest of its input, whatever its size."""
import hashlib
import random

from platform_run import PlatformTest, ctest, main


class Demo(PlatformTest):
    def digest(self, data, *options):
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(data)
        run = self.simulate("--input", path, *options)
        lines = [line for line in run.console().splitlines() if line.startswith("sha256 ")]
        self.assertEqual(lines, ["sha256 " + hashlib.sha256(data).hexdigest()])
        return run

    def check(self, size, *options):
        return self.digest(random.Random(size).randbytes(size), *options)

    def test_empty(self):
        self.check(0)

    def test_small_sizes(self):
        for size in (1, 55, 56, 63, 64, 65):
            self.check(size)

    def test_around_a_job(self):
        for size, jobs in ((65535, 1), (65536, 1), (65537, 2)):
            run = self.check(size)
            self.assertIn(f"input of {size} bytes in {jobs} jobs", run.console())

    def test_odd_jobs(self):
        run = self.check(10007, "--param", "job=997", "--slaves", 2)
        self.assertIn("in 11 jobs for 2 slaves", run.console())

    @ctest(timeout=400)
    def test_three_megabytes(self):
        self.check(3 << 20, "--quantum", "1ms")

    def test_fills_the_memory(self):
        self.check((1 << 20) - 0x10000, "--shared-memory", "1M")

    def test_through_transactions(self):
        # Without DMI every byte of the input crosses the interconnect.
        run = self.check(2000, "--set", "dmi=false", "--set", "latency=20ns")
        paths = {(p["initiator"], p["target"]): p for p in run.module("interconnect")["paths"]}
        self.assertGreaterEqual(paths[("slave0", "shm")]["bytes"], 2000)
        self.assertEqual(run.module("slave0")["dmi"]["maps"], 0)

    def test_wrong_digest_is_a_wrong_status(self):
        # A slave that does other work: the master notices, and the platform's status tells.
        path = self.path("input")
        with open(path, "wb") as f:
            f.write(b"x")
        run = self.simulate("--input", path, "--slave.image", "idle", status=None)
        self.assertNotEqual(run.status, 0)
        self.assertNotIn("sha256 ", run.console())


if __name__ == "__main__":
    main()
