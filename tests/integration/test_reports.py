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
                path = self.description(f"\n[part.said]\nkind = 'reporter'\nnumber = {text}\n")
                run = self.simulate(*ASLEEP[:2], "--set", "master.machine=arm", "--master.image",
                                    "idle", "--param", "ns=1000", platform=(SYSTEM, path))
                self.assertEqual(float(run.module("said")["number"]), float(text))

    @ctest(once=True)
    def test_sockets_that_can_be_bound_several_times(self):
        for options in (["--add", "to=many_target@0xa100000", "--add", "by=many_initiator,address=0xa100000"],
                        ["--add", "by=many_initiator,address=0x1000000000"]):
            with self.subTest(options[-1]):
                run = self.simulate(*ASLEEP, *options)
                self.assertEqual(run.module("by")["word"], 42)

    @ctest(once=True)
    def test_targets_whose_names_run_into_each_other(self):
        text = self.refused(*ASLEEP[:2], platform=(SYSTEM, self.description("""
[interconnect.interconnect]
map = [ { at = 0xa101000, to = "one", name = "bank" }, { at = 0xa102000, to = "two", name = "bank" } ]
[part.one]
kind = "many_target"
[part.two]
kind = "many_target"
""")))
        self.assertRegex(text, r"own.toml:3: 'bank' of interconnect would be both one.socket and two.socket")

    @ctest(once=True)
    def test_place_for_guests_of_a_range_that_leads_to_another_interconnect(self):
        shown = self.simulate(*ASLEEP[:2], "--dry-run", out=False, platform=(SYSTEM, self.description("""
[interconnect.interconnect]
map = [ { at = 0xa101000, to = "far", size = "8k", offset = 0, guest = 0xa200000 } ]
[interconnect.far]
kind = "router"
map = [ { at = 0x1000, to = "one" } ]
[part.one]
kind = "many_target"
"""))).stdout
        self.assertIn("0x000a201000 to 0x000a201fff  one (", shown)

    @ctest(once=True)
    def test_two_targets_with_a_place_for_guests(self):
        shown = self.simulate(*ASLEEP, "--add", "x=two_targets@0xa100000,guest=0xa200000", "--dry-run",
                              out=False).stdout
        for place in ("0x000a200000 to", "0x000a201000 to"):
            self.assertIn(place, shown)

    def description(self, text):
        path = self.path("own.toml")
        with open(path, "w", encoding="ascii") as f:
            f.write("base = 'x86-arm'" + text)
        return path

    @ctest(once=True)
    def test_memory_that_cannot_be_kept_from_granting_dmi(self):
        text = self.refused(*ASLEEP, "--set", "shm.kind=plain_memory", "--observe", "every")
        self.assertIn("plain_memory shm has no parameter 'transactions', by which --observe", text)

    @ctest(once=True)
    def test_interrupts_that_would_have_one_name(self):
        text = self.refused(*ASLEEP, "--add", "a=ringer2", "--add", "a_err=ringer1")
        self.assertIn("a.err", text)
        self.assertIn("a_err.irq", text)
        self.assertIn("would have one name, 'a_err'", text)


if __name__ == "__main__":
    main()
