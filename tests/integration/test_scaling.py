# SPDX-License-Identifier: Apache-2.0
"""./tandem bench: the interval of a median and the model of --scaling for values that can be worked
out by hand, and that what the latter prints and keeps is complete. Not what was measured: tests do
not depend on the host's speed."""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

from platform_run import ctest, main

BENCH = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "bench"))
sys.path.insert(0, BENCH)
import bench  # noqa: E402
import scaling  # noqa: E402


class Scaling(unittest.TestCase):
    @ctest(once=True)
    def test_interval_of_a_median(self):
        """By the binomial distribution: of 9 samples the second is above the median with a
        probability of 10/512, of 8 with 9/256, which is too much."""
        for number, median, low, high in ((1, 0, 0, 0), (5, 2, 0, 4), (8, 3.5, 0, 7), (9, 4, 1, 7),
                                          (12, 5.5, 2, 9), (20, 9.5, 5, 14)):
            with self.subTest(samples=number):
                figure = bench.Figure([(7 * i) % number if number % 7 else i
                                       for i in range(number)])
                self.assertEqual((figure, figure.low, figure.high), (median, low, high))

    @ctest(once=True)
    def test_model(self):
        """2 us of SystemC's work and 50 us of a QEMU's for each instance."""
        for instances, cores, us in ((1, 1, 52), (1, 2, 52), (1, 64, 52),  # one waits for the other
                                     (2, 1, 104), (2, 2, 54),    # 52 by work; the last begins at 4
                                     (4, 2, 104), (4, 4, 58), (4, 64, 58),
                                     (32, 4, 416), (32, 16, 114), (32, 64, 114)):
            with self.subTest(instances=instances, cores=cores):
                self.assertEqual(scaling.round_us(instances, cores, 2, 50), us)
        self.assertEqual(scaling.round_us(8, 4, 10, 0), 80)  # SystemC has one thread
        self.assertEqual(scaling.gain(32, 64, 2, 50), 1664 / 114)
        self.assertEqual(scaling.gain(1, 64, 2, 50), 1)

    @ctest(once=True)
    def test_predictions_stand_beside_what_was_measured(self):
        row = scaling.with_predictions({"instances": 4, "us": 26.0, "one_core_us": 65.0,
                                        "systemc_us": 2.0, "qemu_us": 50.0}, 8)
        # An instance's share of a round; of this machine's 8 cores besides the others.
        self.assertEqual(row["predicted_us"], {"4": 14.5, "8": 14.5, "16": 14.5, "64": 14.5})
        self.assertEqual(row["gain"]["16"], 208 / 58)
        self.assertAlmostEqual(row["error"], 14.5 / 26 - 1)
        self.assertEqual(row["core_share"], 0.8)

    @ctest(once=True)
    def test_table_is_complete(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "scaling.json")
            done = subprocess.run([sys.executable, os.path.join(BENCH, "bench.py"), "--build",
                                   os.environ["TANDEM_BUILD"], "--scaling", "--instances", "2,1",
                                   "--windows", "1000", "--repeats", "1", "--json", path],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=1000, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(path, encoding="ascii") as file:
                kept = json.load(file)
        cores = len(os.sched_getaffinity(0))
        self.assertEqual(kept["cores"], cores)
        self.assertEqual([row["instances"] for row in kept["rows"]], [1, 2])
        for row in kept["rows"]:
            for name in (*scaling.FIGURES, *scaling.MEMORY, "error", "core_share"):
                self.assertTrue(math.isfinite(row[name]), name)
            self.check_memory(row)
            self.assertEqual(set(row["predicted_us"]), {"4", "16", "64", str(cores)})
            for number, us in row["predicted_us"].items():
                self.assertAlmostEqual(us * row["instances"], scaling.round_us(
                    row["instances"], int(number), row["systemc_us"], row["qemu_us"]))
        self.check_tables(done.stdout, cores)

    def check_memory(self, row):
        for name in ("qemu", "systemc"):
            self.assertGreater(row[name + "_pss_mib"], 1)
            self.assertLessEqual(row[name + "_pss_mib"], row[name + "_rss_mib"])
        # A QEMU: its main loop and the CPU's thread; SystemC: its own, and one that watches.
        self.assertGreaterEqual(row["qemu_threads"], 2)
        self.assertEqual(row["systemc_threads"], 2)

    def check_tables(self, text, cores):
        """Three, each with a title for every column and a line for either number of instances."""
        tables = [part.splitlines() for part in text.split("\n\n") if "instances  " in part]
        self.assertEqual(len(tables), 3, text)
        for table, columns in zip(tables, (7, 7, 1 + len({4, 16, 64, cores}))):
            titles, one, two = table[-3:]
            self.assertEqual(len([t for t in titles.split("  ") if t.strip()]), columns, titles)
            for line, number in ((one, "1"), (two, "2")):
                cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
                self.assertEqual((len(cells), cells[0]), (columns, number), line)


if __name__ == "__main__":
    main()
