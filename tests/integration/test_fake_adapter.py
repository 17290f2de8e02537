# SPDX-License-Identifier: Apache-2.0
"""A QEMU that speaks the wire wrongly ends the simulation with one sentence, whatever it does."""
import os

from platform_run import PlatformTest, children, ctest, guest, main, wait_for

FAKE = os.environ.get("TANDEM_FAKE_PREFIX", "")
HANG_SECONDS = 2  # of those that never answer; the others are given what the platform gives QEMU


class FakeAdapter(PlatformTest):
    def play(self, mode, *options, status=1):
        started = self.start("--slaves", 0, "--master.image", guest("x86_64", "smoke"), *options,
                             prefix=FAKE, environment={"TANDEM_FAKE": mode})
        fake = []
        wait_for(lambda: fake.extend(children(started.pid)) or fake or not started.running())
        run = self.finish(started, status)
        for pid in fake:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), "the fake QEMU is still there")
        return run

    def sentence(self, mode, *options):
        run = self.play(mode, *options)
        self.assertEqual(len(run.errors()), 1, run.stderr)
        text = run.errors()[0]
        self.assertIn("master: ", text)
        # One sentence, and nothing that would spoil a terminal.
        self.assertTrue(text.isprintable(), repr(text))
        return text

    @ctest(once=True)
    def test_good_is_accepted(self):
        run = self.play("good", status=0)
        self.assertEqual(run.errors(), [])
        self.assertIn("switched off", run.stderr)
        self.assertEqual(run.module("master")["requests"]["window"], 3)

    @ctest(once=True)
    def test_bad_requests(self):
        for mode, words in {
                "unknown_kind": "unknown kind 77",
                "kind_0": "unknown kind 0",
                "size_3": "of 3 bytes",
                "size_0": "of 0 bytes",
                "size_huge": "of 4294967295 bytes",
                "outside": "address 0xcffffffc, which is in no window",
                "across_the_end": "address 0xd000fffe, which is in no window",
                "address_wraps": "address 0xfffffffffffffffe, which is in no window",
                "write_outside": "address 0x1234567890, which is in no window",
                "ready_twice": "at the wrong time",
                "not_ready_first": "at the wrong time",
                "timer_in_the_past": "timer in the past",
                "more_unasked": "rest of a reply that was complete",
                "out_of_turn": "out of turn"}.items():
            with self.subTest(mode):
                self.assertIn(words, self.sentence(mode))

    @ctest(once=True)
    def test_bad_times(self):
        for mode in ("backwards", "just_ahead", "far_ahead", "never"):
            with self.subTest(mode):
                self.assertRegex(self.sentence(mode), "time of [0-9]+ ns, outside its window")

    @ctest(once=True)
    def test_ends_by_itself(self):
        for mode, words in {
                "exit": "exited with status 0",
                "exit_3": "exited with status 3",
                "garbage_exit": "exited with status 3.*last words",
                "garbage_last": "exited with status 3.*red.*bell",
                "error_garbage": "one.*two.*three",
                "segv": "killed by signal 11",
                "error_unterminated": "x{500}"}.items():
            with self.subTest(mode):
                self.assertRegex(self.sentence(mode), words)

    @ctest(once=True)
    def test_hangs(self):
        for mode in ("hang", "garbage_hang", "closed_socket", "flood"):
            with self.subTest(mode):
                self.assertIn(f"has not answered for {HANG_SECONDS} s",
                              self.sentence(mode, "--hang-timeout", HANG_SECONDS))


if __name__ == "__main__":
    main()
