# SPDX-License-Identifier: Apache-2.0
"""Workloads that are commands of a Linux guest. It boots once, is saved where the command begins,
and every run of the comparison goes on from there (checkpoints.py)."""
import argparse
import functools
import hashlib
import json
import os
import re
import shlex

from .guest_programs import GuestPrograms
from .subject import Subject
from .words import Refused

PREFIX = "linux:"
HERE = os.path.dirname(os.path.realpath(__file__))
# The source tree, or the piece of it that the package tandem-linux-src has.
ROOTS = [os.path.join(HERE, "..", "..", ".."),
         os.path.join(HERE, "..", "..", "..", "..", "share", "tandem", "source")]
OVERLAY = os.path.join("sw", "linux", "kit", "overlay")
PLACE = "work"  # directory of the workload in the guest
REGION = "1"
FIRST_WORD = re.compile(r"""\s*([^\s\\'"]|\\.|'[^']*'|"(\\.|[^"\\])*")+""")

# Without a region of its own the whole command is one. In a shell of its own, it may exit. A master
# without slaves has nobody to tell that it ends, nor how.
SCRIPT = """insmod /lib/tandem/tandem_idm.ko
mkdir -p /{place}; cd /{place}
export PATH=/{place}:$PATH
({begin}
{command}
)
status=$?
{end}
[ $status = 0 ] || echo "RESULT exit_status $status"
idmctl end $status || poweroff -f
"""


def source_tree():
    for root in ROOTS:
        if os.path.exists(os.path.join(root, OVERLAY)):
            return os.path.realpath(root)
    raise Refused("Linux workloads need the package tandem-linux-src, of the same version as "
                  "tandem")


def is_linux(workload):
    return (workload or "").startswith(PREFIX)


class LinuxWorkload:
    """A command of the shell of the first instance. Its first word may be a file here, a script or
    a static program, which is then put into the guest, as are the kit's programs that it names.
    others: options of the platform."""

    def __init__(self, arguments, build, others):
        if arguments.param or arguments.replay:
            raise Refused("--param and --replay are not for a Linux workload: its command has its "
                          "own words, and a checkpoint cannot be replayed from")
        self.command = arguments.workload.removeprefix(PREFIX)
        self.region, self._own_region = arguments.region or REGION, bool(arguments.region)
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise Refused(f"--workload '{arguments.workload}' is no command: {error}") from None
        if not words:
            raise Refused("--workload linux: names no command")
        if self._own_region and not self.region.isdecimal():
            raise Refused("--region of a Linux workload is the number that its program marks")
        self.name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(words[0]))
        self._files = dict(self._pair(text) for text in arguments.add_file)
        if os.path.isfile(words[0]):
            self._files[f"{PLACE}/{self.name}"] = words[0]
            # What follows stays as it is: it may have && or > in it.
            self.command = self.name + FIRST_WORD.sub("", self.command, count=1)
        self._root = source_tree()
        self.subject = self._subject(build, arguments, others)
        self.subject.name = f"{self.name}-{self._digest()}"

    @staticmethod
    def _pair(text):
        inside, equals, here = text.partition("=")
        if not (inside.strip("/") and equals and os.path.exists(here)):
            raise Refused(f"--add-file '{text}' is not of the form PATH_IN_THE_GUEST=FILE, or "
                          "there is no such file")
        return inside, here

    def asked(self, arguments):
        """The same, of the system that boots it."""
        slaves = [f"slaves={arguments.slaves}"] if "," in (arguments.slaves or "") else []
        return argparse.Namespace(**{
            **vars(arguments), "workload": None, "region": self.region,
            "vary": slaves + arguments.vary, "observe": arguments.observe or "cached"})

    def _subject(self, build, arguments, others):
        platform, slaves = arguments.platform or "x86-arm", arguments.slaves or "0"
        config = os.path.join(self._root, "platforms", platform, "linux.ini")
        options = ["--config", config] if os.path.exists(config) else []
        if "," not in slaves:
            options += ["--slaves", slaves]
        subject = Subject(build, platform, [*options, *others])
        # All that Linux does is to be seen, so its RAM lies on the platform.
        memory = f"--{subject.instances[0]}.memory"
        if not any(word.split("=")[0] == memory for word in others):
            subject.options += [memory, "platform"]
        return subject

    def _digest(self):
        """Of what the table calls by one name, whatever varies."""
        words = tuple(self.subject.options)
        everything = [self.command, self.region, self._own_region, words,
                      sorted(self.files(words).items()), self.subject.digest()]
        return hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:12]

    @functools.lru_cache(maxsize=None)
    def _kit(self, words):
        """The initramfs that these options of the platform take, which knows it, and files that are
        put behind it: {path in the guest: file here}."""
        found = re.search(r" -initrd (\S+)", self.subject.call([*words, "--dry-run"]))
        if not found:
            raise Refused(f"the first instance of {os.path.basename(self.subject.path)} runs no "
                          "Linux of the guest kit with these options")
        programs = GuestPrograms(found[1])
        programs.check(shlex.split(self.command)[0], self._files, PLACE)
        return found[1], {**programs.files(self.command, self._files), **self._files}

    def files(self, words):
        """{file here: hash} of all that such a boot takes besides what the options name. The kit's
        manifest has those of all that was made."""
        initramfs, inside = self._kit(words)
        kit = os.path.dirname(os.path.dirname(initramfs))
        manifest = os.path.join(kit, "manifest.json")
        if not os.path.exists(manifest):
            raise Refused(f"there is no guest kit in {kit}: ./tandem setup --linux makes it")
        here = [initramfs, manifest, *inside.values()]
        for directory in filter(os.path.isdir, inside.values()):
            here.remove(directory)
            here += [os.path.join(path, name)
                     for path, _, names in os.walk(directory) for name in names]
        return {path: self.subject.hashes.of_input(path) for path in here}

    def prepare(self, words, directory):
        """The command that makes the guest's initramfs there."""
        mark = {end: "" if self._own_region else f"idmctl region {end} {self.region}"
                for end in ("begin", "end")}
        initramfs, inside = self._kit(words)
        script = SCRIPT.format(place=PLACE, command=self.command, **mark)
        return [os.path.join(self._root, OVERLAY), "--behind", initramfs,
                "--text", "etc/tandem.d/workload.sh=" + script, self._initramfs(directory),
                *(f"{path}={here}" for path, here in sorted(inside.items()))]

    def options(self, directory):
        """Those by which a platform takes it, at the start and from a checkpoint."""
        return [f"--{self.subject.instances[0]}.initrd", self._initramfs(directory)]

    @staticmethod
    def _initramfs(directory):
        return os.path.join(directory, "initramfs.gz")
