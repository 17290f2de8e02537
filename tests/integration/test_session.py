# SPDX-License-Identifier: Apache-2.0
"""The conversation between SystemC and one QEMU: what is granted as direct memory reaches the
guest as far as QEMU can map it, and nothing gets lost on the way."""
import json
import os
import subprocess

from platform_run import MACHINES, PlatformTest, QEMU_PREFIX, RUN_TIMEOUT, ctest, guest, main, \
    read_text

SESSION = os.environ.get("TANDEM_SESSION", "")
FAKE = os.environ.get("TANDEM_FAKE_PREFIX", "")
BASE, PAGE = 0x90000000, 4096


def content(offset):
    return f"{offset ^ 0x5A5A5A5A:#x}"


class Session(PlatformTest):
    def play(self, scene, machine="arm", image="probe", words="", status=0, prefix=QEMU_PREFIX,
             fake=""):
        """One run: (report, lines of the console, standard error)."""
        log = self.path("guest.log")
        if os.path.exists(log):
            os.unlink(log)
        done = subprocess.run(
            [SESSION, scene, machine, guest(MACHINES[machine], image), log, words, prefix],
            capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False, cwd=self.directory,
            env=dict(os.environ, TANDEM_FAKE=fake))
        console = read_text(log)
        self.assertEqual(done.returncode, status, done.stderr + console)
        report = json.loads(done.stdout[done.stdout.index("{"):]) if status == 0 else None
        return report, console.splitlines(), done.stderr

    def warnings(self, error):
        """But for the guest's search for an IDM, which is not there."""
        return [line for line in error.splitlines() if "outside all windows" not in line]

    def answers(self, console):
        return [line.split()[-1] for line in console
                if line.startswith(("RESULT read", "RESULT write"))]

    @ctest(once=True)
    def test_lines_rise_while_a_reply_has_more(self):
        # 64 pieces are told in four parts; in each of the deltas meanwhile a line rises.
        report, _, _ = self.play("instant=64", "x86-pc", "smoke", prefix=FAKE, fake="lines")
        self.assertEqual(report["guest"]["interrupts"]["delivered"], 8)
        self.assertEqual(report["guest"]["dmi"], {"maps": 64, "unmaps": 0})

    @ctest(once=True)
    def test_rest_of_a_reply_is_asked_for(self):
        _, _, error = self.play("instant=64", "x86-pc", "smoke", status=1, prefix=FAKE,
                                fake="more_not_asked_for")
        self.assertIn("guest: the adapter does not ask for the rest of a reply", error)

    def check_pieces(self, machine, number):
        """So many pieces of a page, with as much between them."""
        last = 2 * (number - 1) * PAGE
        offsets = (0, 4, PAGE, last, last + PAGE)
        words = " ".join(f"addr{i or ''}={BASE + offset:#x}" for i, offset in enumerate(offsets))
        report, console, error = self.play(f"pieces={number}", machine, words=words)
        self.assertEqual(self.answers(console), [content(offset) for offset in offsets])
        self.assertEqual(report["guest"]["dmi"], {"maps": number, "unmaps": 0})
        self.assertEqual(report["reads"], 2)  # between pieces
        self.assertEqual(self.warnings(error), [])

    def test_many_pieces(self):
        for machine in ("arm", "x86-pc"):
            self.check_pieces(machine, 500)

    def test_more_pieces_than_qemu_takes(self):
        # The machine with the smallest pages, as a large number of pieces takes QEMU long.
        report, console, error = self.play("pieces=400", "cortexm")
        self.assertIn("RESULT alive yes", console)
        self.assertEqual(report["guest"]["dmi"], {"maps": 384, "unmaps": 0, "unmappable": 16})
        self.assertEqual(len(self.warnings(error)), 1, error)
        self.assertIn("QEMU has 384 pieces of direct memory already", error)

    def test_read_only(self):
        # Reads are direct; a write reaches the memory, and its answer the guest.
        for machine in ("arm", "aarch64", "x86-pc", "riscv64"):
            with self.subTest(machine):
                words = f"addr={BASE + 8:#x} addr1={BASE + 0x8000:#x}"
                report, console, error = self.play("read-only", machine, words=words)
                self.assertEqual(self.answers(console), [content(8), content(0x8000)])
                self.assertEqual((report["reads"], report["writes"]), (0, 0))
                self.assertEqual(report["guest"]["dmi"], {"maps": 1, "unmaps": 0})
                report, console, error = self.play("read-only", machine, words=words + " write=1")
                self.assertEqual(self.answers(console),
                                 2 * ["ok" if machine == "x86-pc" else "fault"])
                self.assertEqual((report["reads"], report["writes"]), (0, 2))
                self.assertEqual(report["guest"]["access_errors"], 2)
                self.assertEqual(self.warnings(error), [])

    def test_pointer_without_a_descriptor(self):
        words = f"addr={BASE + 8:#x} addr1={BASE + 0x8000:#x}"
        report, console, error = self.play("foreign", words=words)
        self.assertEqual(self.answers(console), [content(8), content(0x8000)])
        self.assertEqual(report["reads"], 2)
        self.assertEqual(report["guest"]["dmi"], {"maps": 0, "unmaps": 0, "unmappable": 1})
        self.assertEqual(len(self.warnings(error)), 1, error)
        self.assertRegex(self.warnings(error)[0], "guest: direct access .* without a descriptor .*transactions")

    def test_any_delay(self):
        # Longer than windows and than all of the guest's run otherwise.
        for ns in (20_000_000, 3_000_000_000):
            report, console, _ = self.play(f"delay={ns}", words=f"addr={BASE:#x} addr1={BASE:#x}")
            self.assertEqual(self.answers(console), 2 * [content(0)])
            self.assertEqual(report["guest"]["stall_ns"], 2 * ns)
            self.assertGreater(report["end_ns"], 2 * ns)

    def test_switched_off_at_its_own_time(self):
        # Not at the end of a window. One instruction takes 1 ns and the guest never waits.
        for machine in ("arm", "aarch64", "x86-pc"):
            with self.subTest(machine):
                reports = [self.play("plain", machine)[0] for _ in range(2)]
                self.assertEqual(reports[0]["end"], "all instances are switched off")
                self.assertEqual(reports[0]["end_ns"], reports[1]["end_ns"])
                guest_ = reports[0]["guest"]
                self.assertEqual(guest_["virtual_ns"], reports[0]["end_ns"])
                self.assertEqual(guest_["instructions"], reports[0]["end_ns"])


if __name__ == "__main__":
    main()
