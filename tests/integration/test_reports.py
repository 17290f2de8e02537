# SPDX-License-Identifier: Apache-2.0
"""What parts of users report, throw and name, and what becomes of it."""
import os

from platform_run import PlatformTest, ctest, main

REPORTER = os.environ.get("TANDEM_REPORTER", "")
SYSTEM = os.path.join(os.environ.get("TANDEM_BIN", ""), "tandem-system")
ASLEEP = ("--load", REPORTER, "--slaves", 0, "--master.machine", "arm", "--master.image", "idle",
          "--param", "ns=1000000", "--time-limit", "100us")


class Reports(PlatformTest):
    @ctest(once=True)
    def test_reports_of_a_part(self):
        for what, line in (("info", "info: /test/reporter: all is well in said.later"),
                           ("warning", "warning: /test/reporter: less is well in said.later")):
            with self.subTest(what):
                run = self.simulate(*ASLEEP, "--add", f"said=reporter,what={what}")
                self.assertIn(line + "\n", run.stderr)
                self.assertIn("the time limit is reached", run.stderr)
        for what, line in (("error", "/test/reporter: little is well in said.later"),
                           ("fatal", "/test/reporter: nothing is well in said.later"),
                           ("exception", "thrown by a part"), ("number", "UNKNOWN EXCEPTION")):
            with self.subTest(what):
                self.assertIn(line, self.refused(*ASLEEP, "--add", f"said=reporter,what={what}"))

    @ctest(once=True)
    def test_error_at_the_end_of_the_simulation(self):
        for what, line in (("error", "/test/reporter: little is well"),
                           ("exception", "thrown by a part")):
            with self.subTest(what):
                self.assertIn(line, self.refused(*ASLEEP, "--add",
                                                 f"said=reporter,at_end=on,what={what}"))

    @ctest(once=True)
    def test_part_that_stops_the_simulation(self):
        run = self.simulate(*ASLEEP, "--add", "said=reporter,what=stop")
        self.assertEqual(run.statistics()["end"], "a part has stopped the simulation")

    @ctest(once=True)
    def test_numbers_of_a_description_are_not_rounded(self):
        for text in ("3.14159265358979", "1234567.5", "1e-12", "0.5"):
            with self.subTest(text):
                path = self.path("numbers.toml")
                with open(path, "w", encoding="ascii") as f:
                    f.write("base = 'x86-arm'\n"
                            f"[part.said]\nkind = 'reporter'\nnumber = {text}\n")
                run = self.simulate(*ASLEEP[:2], "--set", "master.machine=arm", "--master.image",
                                    "idle", "--param", "ns=1000", platform=(SYSTEM, path))
                self.assertEqual(float(run.module("said")["number"]), float(text))

    @ctest(once=True)
    def test_interrupts_that_would_have_one_name(self):
        text = self.refused(*ASLEEP, "--add", "a=ringer2", "--add", "a_err=ringer1")
        self.assertIn("a.err", text)
        self.assertIn("a_err.irq", text)
        self.assertIn("would have one name, 'a_err'", text)


if __name__ == "__main__":
    main()
