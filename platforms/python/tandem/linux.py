# SPDX-License-Identifier: Apache-2.0
"""Workloads that are commands of a Linux guest. It boots once, is saved where the command begins,
and every run of the comparison goes on from there."""
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time

from .claim import HEARTBEAT
from .guest_programs import GuestPrograms
from .subject import error_in, quiet_environment
from .words import Refused

PREFIX = "linux:"
WAIT = 0.5  # seconds between two looks at a boot of another comparison
HERE = os.path.dirname(os.path.realpath(__file__))
# The source tree, or the piece of it that the package tandem-linux-src has.
ROOTS = [os.path.join(HERE, "..", "..", ".."),
         os.path.join(HERE, "..", "..", "..", "..", "share", "tandem", "source")]
OVERLAY = os.path.join("sw", "linux", "kit", "overlay")
PLACE = "work"  # directory of the workload in the guest
OF_THE_BOOT = ("cpus", "icount-shift", "machine", "memory")  # keys that a checkpoint fixes
REGION = "1"
FIRST_WORD = re.compile(r"""\s*([^\s\\'"]|\\.|'[^']*'|"(\\.|[^"\\])*")+""")

# Without a region of its own the whole command is one. A master without slaves has nobody to tell
# that it ends.
SCRIPT = """insmod /lib/tandem/tandem_idm.ko
mkdir -p /{place}; cd /{place}
export PATH=/{place}:$PATH
{begin}
{command}
status=$?
{end}
echo "RESULT ok $((status == 0))"
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
    a static program, which is then put into the guest, as are the kit's programs that it names."""

    def __init__(self, arguments, subject, others):
        self.command = arguments.workload.removeprefix(PREFIX)
        self.region, self.own_region = arguments.region or REGION, bool(arguments.region)
        self.subject, self.timeout = subject, arguments.timeout
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise Refused(f"--workload '{arguments.workload}' is no command: {error}") from None
        if not words:
            raise Refused("--workload linux: names no command")
        if self.own_region and not self.region.isdecimal():
            raise Refused("--region of a Linux workload is the number that its program marks")
        for name in (entry.partition("=")[0] for entry in arguments.set + arguments.vary):
            if name.rpartition(".")[2] in OF_THE_BOOT and "." in name:
                raise Refused(f"{name} cannot vary for a Linux workload: each value would need a "
                              "boot of its own; give one behind --, in a comparison of its own")
        self.name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(words[0]))
        self.files = dict(self._pair(text) for text in arguments.add_file)
        if os.path.isfile(words[0]):
            self.files[f"{PLACE}/{self.name}"] = words[0]
            # What follows stays as it is: it may have && or > in it.
            self.command = self.name + FIRST_WORD.sub("", self.command, count=1)
        platform = os.path.basename(subject.path)
        self.root = source_tree()
        config = os.path.join(self.root, "platforms", platform, "linux.ini")
        self.options = ["--config", config] if os.path.exists(config) else []
        self.options += ["--slaves", arguments.slaves or "0", *self._memory(others), *others]
        programs = GuestPrograms(self._initramfs_of_kit)
        programs.check(shlex.split(self.command)[0], self.files, PLACE)
        self.files = {**programs.files(self.command, self.files), **self.files}

    @staticmethod
    def _pair(text):
        inside, equals, here = text.partition("=")
        if not (inside.strip("/") and equals and os.path.exists(here)):
            raise Refused(f"--add-file '{text}' is not of the form PATH_IN_THE_GUEST=FILE, or "
                          "there is no such file")
        return inside, here

    def _memory(self, others):
        """All that Linux does is to be seen, so its RAM lies on the platform."""
        first = self.subject.instances[0]
        given = any(word.split("=")[0] == f"--{first}.memory" for word in others)
        return [] if given else [f"--{first}.memory", "platform"]

    def checkpoint(self, out, claim_of):
        """Where it is saved, after a boot if need be, which one does for all."""
        directory = os.path.join(out, "checkpoints")
        os.makedirs(directory, exist_ok=True)
        hashes = self.subject.hashes
        files = sorted((inside, hashes.of(here) if os.path.isfile(here) else self._tree(here))
                       for inside, here in self.files.items())
        everything = [self.command, self.region, self.own_region, files, self.options,
                      sorted(hashes.named_in(self.options).items()), self._hash_of_kit(),
                      self.subject.digest()]
        digest = hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:12]
        place = os.path.join(directory, f"{self.name}-{digest}")
        manifest = os.path.join(place, "manifest.json")
        while not os.path.exists(manifest):
            claim = claim_of(os.path.basename(place) + ".claim")
            if claim.take():
                try:
                    if not os.path.exists(manifest):
                        self._boot(place, claim)
                finally:
                    claim.release(os.path.exists(manifest))
            else:
                time.sleep(WAIT)
        return place

    def _tree(self, directory):
        return sorted((os.path.relpath(os.path.join(path, name), directory),
                       self.subject.hashes.of(os.path.join(path, name)))
                      for path, _, names in os.walk(directory) for name in names)

    @functools.cached_property
    def _initramfs_of_kit(self):
        """The platform knows which one its machine takes."""
        shown = self.subject.call([*self.options, "--dry-run"])
        found = re.search(r" -initrd (\S+)", shown)
        if not found:
            raise Refused(f"the first instance of {os.path.basename(self.subject.path)} runs no "
                          "Linux of the guest kit with these options")
        return found[1]

    def _hash_of_kit(self):
        """Its manifest has those of all that was made."""
        kit = os.path.dirname(os.path.dirname(self._initramfs_of_kit))
        try:
            return self.subject.hashes.of(os.path.join(kit, "manifest.json"))
        except OSError:
            raise Refused(f"there is no guest kit in {kit}: ./tandem setup --linux makes it") \
                from None

    def _boot(self, place, claim):
        mark = {end: "" if self.own_region else f"idmctl region {end} {self.region}"
                for end in ("begin", "end")}
        script, initramfs = place + ".sh", place + ".initramfs.gz"
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT.format(place=PLACE, command=self.command, **mark))
        files = dict(self.files, **{"etc/tandem.d/workload.sh": script})
        self._run([os.path.join(self.root, OVERLAY), "--behind", self._initramfs_of_kit, initramfs,
                   *(f"{inside}={here}" for inside, here in files.items())], place, claim)
        print(f"booting Linux for '{self.command}', once", file=sys.stderr, flush=True)
        self._run([self.subject.path, *self.options, f"--{self.subject.instances[0]}.initrd",
                   initramfs, "--checkpoint-at", f"region:{self.region}", "--checkpoint", place,
                   "--checkpoint-exit", "--progress", "off", "--consoles", "off", "--vcd", "off",
                   "--out", place + ".boot"], place, claim)

    def _run(self, command, place, claim):
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                   env=quiet_environment())
        end = time.monotonic() + self.timeout
        try:
            while True:
                try:
                    said = process.communicate(timeout=HEARTBEAT / 2)[0]
                    break
                except subprocess.TimeoutExpired:
                    claim.touch()
                    if time.monotonic() > end:
                        raise Refused(f"Linux has not come to '{self.command}' within "
                                      f"{self.timeout:g} s (see {place}.boot)") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            cause = error_in(said) or said.strip().rpartition("\n")[2] or \
                f"status {process.returncode}"
            raise Refused(f"Linux does not come to '{self.command}': {cause} (see {place}.boot)")
