# SPDX-License-Identifier: Apache-2.0
"""What is compared: a platform with a master and slaves, or a system that is described."""
import functools
import glob
import hashlib
import json
import os
import re
import subprocess
import tomllib

from .files import FileHashes
from .words import Refused, matching, options_among

# Libraries and guests, in a build directory or below the prefix of an installation.
PARTS_OF_BUILD = ("lib/*.so", "lib/libtandem-*", "lib/*/libtandem-*", "lib/tandem/*.so",
                  "lib/*/tandem/*.so", "guests/*/*.elf", "share/tandem/guests/*/*.elf")


def quiet_environment():
    return dict(os.environ, SYSTEMC_DISABLE_COPYRIGHT_MESSAGE="1")


def error_in(messages):
    for line in messages.splitlines():
        if line.startswith("error: "):
            return line[len("error: "):]
    return None


def texts_in(tree):
    """All values of a description."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [text for one in tree for text in texts_in(one)] if isinstance(tree, list) else \
        [str(tree)]


class Subject:
    """The executable, what it says of itself, and the options of every run. name: what tables call
    the system, where no workload gives them one."""

    def __init__(self, build, program, options, name=""):
        self.hashes, self.name = FileHashes(), name
        self.path = os.path.join(build, "bin", program)
        self.replayer = os.path.join(build, "bin", "tandem-traffic")
        self.options = options
        for path in (self.path, self.replayer):
            if not os.access(path, os.X_OK):
                raise Refused(f"there is no platform {path}")
        listing = self.call([*self.options, "--help"])
        self.interconnects = self._kinds(listing, "Interconnects")  # kind: names of its parameters
        self.parts = self._kinds(listing, "Parts")
        # Options of the system that take KEY=VALUE: those without a default.
        own = listing.partition("\nSystem:\n")[2].partition("\n\n")[0]
        self._lists = re.findall(r"^  --([\w-]+) arg +(?!\(=)", own, re.M)
        # As options name them: "slave" is all of slave0, slave1, ...
        line = re.search("^Each instance: (.*)", listing, re.M)
        self.instances = re.findall(r"([\w-]+)\.NAME", re.sub(
            r" \(all\), [\w-]+\.NAME, [\w-]+\.NAME, \.\.\.", "", line[1] if line else ""))
        self._parts, self.networks = [], []  # names

    @staticmethod
    def _kinds(listing, what):
        kinds: dict[str, list[str]] = {}
        for line in listing.partition(f"\n{what}, with")[2].partition("\n\n")[0].splitlines()[1:]:
            kind = re.match(r"([\w.-]+): ", line)
            parameter = re.match(r"  ([\w.-]+) = ", line)
            if kind:
                names = kinds[kind[1]] = []
            elif parameter:
                names.append(parameter[1])
        return kinds

    def call(self, words):
        """What the program says with these words; refuses what it refuses."""
        done = subprocess.run([self.path, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=quiet_environment(), start_new_session=True, check=False)
        if done.returncode:
            raise Refused(error_in(done.stderr) or f"{self.path} {' '.join(words)} fails")
        return done.stdout

    @functools.lru_cache(maxsize=None)
    def described(self, words):
        """The whole system with these options (a tuple), as a tree. Refuses what the program
        refuses, without a run."""
        text = self.call([*words, "--dump-system", "/dev/stdout"])
        try:
            return tomllib.loads(text)
        except ValueError as error:
            raise Refused(f"{self.path} describes its system so that nobody can read it: {error}") \
                from None

    @functools.lru_cache(maxsize=None)
    def common(self, words):
        """What runs must have in common with one with these words to begin with its checkpoint."""
        return json.loads(self.call([*words, "--dump-common", "/dev/stdout"]))

    def look(self, program, settings, more):
        """Learns what things there are, from a run of that program with these settings and more
        words."""
        words = [*self.options, *self.words_of(settings), *more]
        tree = self.described(tuple(words + self.images(words, program)))
        self._parts, self.networks = (list(tree.get(key, {})) for key in ("part", "interconnect"))

    def parameters_of(self, kind):
        """Names; none of a kind that there is not."""
        return self.interconnects.get(kind, []) + self.parts.get(kind, [])

    @functools.lru_cache(maxsize=None)
    def digest(self):
        """Of the programs that guests and host run."""
        build = os.path.dirname(os.path.dirname(self.path))
        files = [self.path, self.replayer]
        for pattern in PARTS_OF_BUILD:
            files += glob.glob(os.path.join(build, pattern))
        return hashlib.sha256("".join(map(self.hashes.of, sorted(files))).encode()).hexdigest()

    def named(self, name):
        """What the name of something that varies stands for: cache*.size is cache0.size and
        cache1.size."""
        owner, dot, key = name.partition(".")
        things = [*self.instances, *self._parts, *self.networks]
        return [one + dot + key for one in matching(owner, things)] if dot else [name]

    def words_of(self, settings):
        """The options that set these names to these values."""
        words = []
        for name, value in settings:
            owner, dot, key = name.partition(".")
            if not dot:
                words.append(f"--{name}={value}")
            # Such an option has its part be present; --cache is of the caches in QEMU.
            elif owner in self._lists or owner == "cache" and owner not in self._parts:
                words += [f"--{owner}", f"{key}={value}"]
            else:
                words += ["--set", f"{name}={value}"]
        return words

    def images(self, words, program):
        """The program for those instances that have none by another option."""
        given = [name for name, _ in options_among(words)]
        return [word for instance in self.instances
                if program and f"--{instance}.image" not in given
                for word in (f"--{instance}.image", program)]
