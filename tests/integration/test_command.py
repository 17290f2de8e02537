# SPDX-License-Identifier: Apache-2.0
"""The script ./tandem: what it says before it installs or builds, and that asking does neither. It
runs in a copy of its own, with programs in place of apt and CMake that note how they are called."""
import os
import shutil
import subprocess
import tempfile
import unittest

from platform_run import ctest, main

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PARTS = ("tandem", "packages.conf", "README.md", "platforms/command", "platforms/python",
         "tests/bench")

NOTED = """#!/bin/sh
echo "$(basename "$0") $*" >>"$TANDEM_TEST_CALLS"
"""
# One package is missing, and comes in two steps.
FAKES = {
    "id": "#!/bin/sh\necho 0\n",
    "dpkg-query": NOTED + 'for word; do :; done\n'
                  '[ "$word" = libfdt-dev ] || echo install ok installed\n',
    "apt-get": NOTED + """
case "$*" in
*--assume-no*)
  echo "0 upgraded, 3 newly installed, 0 to remove and 7 not upgraded."
  echo "Need to get 500 kB/1,012 MB of archives."
  echo "After this operation, 2.5 GB of additional disk space will be used."
  exit 1 ;;
update*) echo "lists read" ;;
*)
  echo "much that nobody reads"
  echo "dlstatus:1:20.5:Retrieving file 1 of 3" >&3
  echo "pmstatus:libc6:amd64:70.1:Unpacking" >&3
  echo "pmstatus:libfdt-dev:99.0:Configured" >&3
  exit "${TANDEM_TEST_APT:-0}" ;;
esac
""",
    "cmake": NOTED + "exit 3\n",
}


class Command(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tandem-command-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.tree = os.path.join(self.directory, "tree")
        for part in PARTS:
            there = os.path.join(self.tree, part)
            os.makedirs(os.path.dirname(there), exist_ok=True)
            copy = shutil.copytree if os.path.isdir(os.path.join(ROOT, part)) else shutil.copy
            copy(os.path.join(ROOT, part), there)
        self.calls_file = os.path.join(self.directory, "calls")
        programs = os.path.join(self.directory, "programs")
        os.makedirs(programs)
        for name, text in FAKES.items():
            with open(os.path.join(programs, name), "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        self.environment = dict(os.environ, PATH=programs + ":" + os.environ["PATH"],
                                TANDEM_TEST_CALLS=self.calls_file)

    def tandem(self, *words, **environment):
        """Returns status, output and the calls of the programs that stand in for others."""
        open(self.calls_file, "w", encoding="ascii").close()
        done = subprocess.run([os.path.join(self.tree, "tandem"), *words], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False,
                              env=dict(self.environment, **environment))
        with open(self.calls_file, encoding="ascii") as file:
            return done.returncode, done.stdout, file.read()

    @ctest(once=True)
    def test_asking_does_nothing(self):
        for words in ([], ["help"], ["--help"], ["setup", "--help"], ["build", "-h"],
                      ["demo", "--help"], ["demo", "--linux", "--help"],
                      ["demo", "--out", "x", "--help"], ["test", "--help"],
                      ["test", "-R", "x", "--help"], ["bench", "--help"], ["format", "--help"],
                      ["races", "--help"], ["fuzz", "-h"], ["package", "--help"],
                      ["compare", "--help"], ["rerun", "--help"], ["rerun", "x", "-h"]):
            with self.subTest(words=words):
                status, text, calls = self.tandem(*words)
                self.assertEqual(status, 0, text)
                self.assertIn("usage: ", text.lower())
                self.assertEqual(calls, "")
                self.assertFalse(os.path.exists(os.path.join(self.tree, "build")))
        # Each command tells of itself, by its own name.
        for name in ("setup", "build", "demo", "test", "races", "fuzz", "package", "bench", "format"):
            self.assertTrue(self.tandem(name, "--help")[1].startswith(f"Usage: ./tandem {name}"))
        self.assertIn("--scaling", self.tandem("bench", "--help")[1])

    @ctest(once=True)
    def test_wrong_options_are_one_sentence(self):
        for words, sentence in ((["compare"], "required: --workload"),
                                (["rerun"], "the directory comes first"),
                                (["setup", "--linus"], "'--linus'"),
                                (["demo", "--lunix"], "'--lunix'"),
                                (["demo", "no-such-file"], "'no-such-file' cannot be read"),
                                (["demo", "--rpmsg", "vax"], "'vax'"),
                                (["format", "--chek"], "'--chek'"),
                                (["bench", "--scalling"], "arguments: --scalling;"),
                                (["bench", "--scal"], "arguments: --scal;"),
                                (["bench", "much"], "arguments: much;"),
                                (["bench", "--only", "mmio,replai"], "unknown part 'replai'"),
                                (["bench", "--repeats", "0"], "'0' is no number from 1 on"),
                                (["bench", "--json", "no/such/file"], "'no/such/file' cannot be"),
                                (["bench", "--instances", "2"], "--instances is about --scaling"),
                                (["bench", "--scaling", "--instances", "2,,4"], "'2,,4' is no"),
                                (["bench", "--scaling", "--only", "mmio"], "--only is about")):
            with self.subTest(words=words):
                status, text, calls = self.tandem(*words)
                self.assertNotEqual(status, 0)
                lines = [line for line in text.splitlines() if not line.startswith("+ ")]
                self.assertEqual(len(lines), 1, text)
                self.assertIn(sentence, lines[0])
                self.assertEqual(calls, "")

    @ctest(once=True)
    def test_installed_asking_does_nothing(self):
        """The command of the Debian package, which has the parts below its own prefix."""
        prefix = os.path.join(self.directory, "usr")
        command = os.path.join(prefix, "bin", "tandem")
        os.makedirs(os.path.dirname(command))
        for part, there in (("command", ("share", "tandem", "command")),
                            ("python", ("lib", "python3", "dist-packages"))):
            shutil.copytree(os.path.join(ROOT, "platforms", part), os.path.join(prefix, *there))
        shutil.copy(os.path.join(ROOT, "platforms", "command", "installed"), command)
        environment = dict(self.environment, HOME=os.path.join(self.directory, "home"))
        environment.pop("TANDEM_LINUX", None)

        def tandem(*words):
            open(self.calls_file, "w", encoding="ascii").close()
            done = subprocess.run([command, *words], text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                  check=False, env=environment, cwd=self.directory)
            with open(self.calls_file, encoding="ascii") as file:
                self.assertEqual(file.read(), "")
            self.assertFalse(os.path.exists(environment["HOME"]))
            return done.returncode, done.stdout
        for words in ([], ["help"], ["--help"], ["demo", "--help"], ["demo", "--linux", "-h"],
                      ["setup", "--help"], ["compare", "--help"], ["rerun", "--help"]):
            with self.subTest(words=words):
                status, text = tandem(*words)
                self.assertEqual(status, 0, text)
                self.assertTrue(text.lower().startswith("usage: tandem"), text)
                self.assertNotIn("./tandem", text)
        for words, sentence in ((["compare"], "required: --workload"),
                                (["rerun", "x", "--to", "1ms"], "neither a checkpoint nor"),
                                (["setup"], "setup needs --linux"),
                                (["setup", "--linux"], "need the package tandem-linux-src"),
                                (["demo", "--linux"], "need the package tandem-linux-src"),
                                (["demo", "--lunix"], "'--lunix'")):
            with self.subTest(words=words):
                status, text = tandem(*words)
                self.assertNotEqual(status, 0)
                self.assertEqual(len(text.splitlines()), 1, text)
                self.assertIn(sentence, text)

    @ctest(once=True)
    def test_says_what_comes_and_where_it_is(self):
        status, text, calls = self.tandem("demo")
        self.assertEqual(status, 3, text)  # of what stands in for cmake
        said = [line for line in text.splitlines() if line.startswith("tandem: ")]
        # 2.5 GB at 20 MB in a second are 125 s.
        self.assertEqual(said[0], "tandem: 3 packages come: 0 MB to fetch, 2500 MB on disk, "
                                  "about 3 min")
        self.assertEqual(said[1:], ["tandem: fetching packages: 20 %",
                                    "tandem: installing packages: 70 %",
                                    "tandem: installing packages: 99 %"])
        self.assertNotIn("nobody reads", text)
        apt = [line for line in calls.splitlines() if line.startswith("apt-get")]
        self.assertEqual([line.split()[1] for line in apt], ["update", "install", "install"])
        self.assertIn("--assume-no", apt[1])
        # A demo needs no test's packages, and builds its own target without the tests.
        self.assertNotIn("gtest", calls)
        self.assertIn("-DTANDEM_TESTS=OFF", calls)

    @ctest(once=True)
    def test_shows_the_log_of_what_failed(self):
        status, text, calls = self.tandem("demo", TANDEM_TEST_APT="100")
        self.assertEqual(status, 1)
        self.assertIn("lists read\nmuch that nobody reads\n", text)
        self.assertIn("has failed; the lines above are build/packages.log", text)
        self.assertNotIn("--preset", calls)

    @ctest(once=True)
    def test_every_part_belongs_to_one_set_of_packages(self):
        script = '. "$0"; echo $demo_packages $tool_packages $test_packages'
        words = subprocess.run(["sh", "-euc", script, os.path.join(ROOT, "packages.conf")],
                               capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(sorted(words), sorted(set(words)))


if __name__ == "__main__":
    main()
