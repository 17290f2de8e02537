# SPDX-License-Identifier: Apache-2.0
"""Fetches Debian packages of any architecture and leaves the system's apt as it is.

All of it happens in an apt tree of its own; mirror and keys are the machine's. Called as a program
with the name of a suite, it prints the mirror.
"""

import collections
import hashlib
import os
import re
import shutil
import sys

from commands import KitError, output_of, run, sentence

# packages: all, each NAME or NAME:ARCHITECTURE; workloads: names of those that are for workloads
Wish = collections.namedtuple("Wish", "suite release packages workloads")

APT_CONFIGURATION = """\
Dir::State "{tree}";
Dir::State::Lists "{tree}/lists";
Dir::State::status "{tree}/status";
Dir::Cache "{tree}/cache";
Dir::Etc::SourceList "{tree}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
APT::Architecture "amd64";
APT::Architectures {{ {architectures} }};
"""


def read_wish(path, architectures):
    """What packages.conf, a shell file, asks for; workloads come for each of the architectures."""
    script = '. "$0"; printf "%s\\n%s\\n" "$linux_suite" "$linux_release"; echo $linux_packages; ' \
             'echo $linux_workload_packages'
    suite, release, packages, workloads = \
        output_of(["sh", "-euc", script, path], quiet=True).splitlines()
    packages, workloads = packages.split(), workloads.split()
    packages += [f"{name}:{architecture}" for name in workloads for architecture in architectures]
    return Wish(suite, release, packages, workloads)


def sha256_of(path):
    with open(path, "rb") as opened:
        digest = hashlib.sha256()
        while block := opened.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def is_intact(package, directory):
    path = os.path.join(directory, package["file"])
    return os.path.isfile(path) and sha256_of(path) == package["sha256"]


def fetch(wish, scratch, directory, is_present):
    """Downloads into `directory` the packages that `is_present` denies; returns the kernel release
    and the packages."""
    environment = _make_apt_tree(wish, scratch)
    run(["apt-get", "update", "-q"], environment=environment)
    release, packages = _choose(wish, environment)
    os.makedirs(directory, exist_ok=True)
    missing = [package for package in packages if not is_present(package)]
    if missing:
        size = sum(int(package["size"]) for package in missing) / 1e6
        print(f"tandem: {len(missing)} packages of the Linux guest kit come: {size:.0f} MB to fetch, "
              "unpacked and built 1300 MB on disk, a few minutes", file=sys.stderr, flush=True)
        run(["apt-get", "download", "-q", *(f"{package['name']}:{package['architecture']}="
                                            f"{package['version']}" for package in missing)],
            environment=environment, directory=directory)
    for package in packages:
        if not is_present(package):
            raise KitError(f"{package['file']} was fetched and does not have its checksum")
    wanted = {package["file"] for package in packages}
    for name in set(os.listdir(directory)) - wanted:
        os.remove(os.path.join(directory, name))
    shutil.rmtree(scratch)
    return release, packages


def _make_apt_tree(wish, tree):
    # What an interrupted call left is used: apt fetches only what has changed.
    for name in "lists/partial", "cache/archives/partial":
        os.makedirs(os.path.join(tree, name), exist_ok=True)
    architectures = {name.partition(":")[2] or "amd64" for name in wish.packages}
    contents = {
        "status": "",
        "sources.list": "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                        f"{mirror(wish.suite)} {wish.suite} main\n",
        "apt.conf": APT_CONFIGURATION.format(
            tree=tree, architectures=" ".join(f'"{name}";' for name in sorted(architectures))),
    }
    for name, text in contents.items():
        with open(os.path.join(tree, name), "w", encoding="utf-8") as file:
            file.write(text)
    return {"APT_CONFIG": os.path.join(tree, "apt.conf")}


def mirror(suite):
    """The machine's mirror of the suite, or else of any Debian release: it has all of them."""
    targets = _targets("$(SITE) $(CODENAME) $(LABEL)")
    sites = [(target[1] != suite, target[0]) for target in targets if target[2:] == ["Debian"]]
    if not sites:
        # Without apt's lists only what sources.list says is known.
        targets = _targets("$(SITE) $(RELEASE)", "--no-release-info")
        sites = [(False, site) for site, release in targets if release == suite]
    if not sites:
        raise KitError(f"apt knows no Debian mirror from which {suite} could be fetched; "
                       "see its sources.list, and run apt-get update")
    return min(sites)[1]


def _targets(columns, *options):
    listed = output_of(["apt-get", "indextargets", *options, "--format", columns,
                        "Created-By: Packages"])
    return [line.split() for line in listed.splitlines()]


def _choose(wish, environment):
    """The newest kernel release that has every package, and the packages' records."""
    def named(release):
        return [name.replace("RELEASE", release) for name in wish.packages]

    pattern = re.escape(wish.release).replace(r"\*", r"[0-9]+")
    image = next(name.partition(":")[0] for name in wish.packages if "RELEASE" in name)
    matches = [re.fullmatch(image.replace("RELEASE", f"({pattern})"), name) for name in
               output_of(["apt-cache", "pkgnames"], environment=environment).split()]
    releases = [match[1] for match in matches if match]
    for release in sorted(releases, reverse=True,
                          key=lambda text: [int(digits) for digits in re.findall("[0-9]+", text)]):
        names = named(release)
        shown = output_of(["apt-cache", "show", "--no-all-versions", *names],
                          environment=environment, may_fail=True)
        records = [_record(paragraph) for paragraph in shown.strip().split("\n\n") if paragraph]
        found = {(record["name"], record["architecture"]) for record in records}
        if all(_is_among(name, found) for name in names):
            return release, records
    raise KitError(f"the suite {wish.suite} has no kernel release {wish.release} with all of: "
                   + " ".join(wish.packages))


def _record(paragraph):
    fields = dict(re.findall(r"^([A-Za-z0-9]+): (.*)$", paragraph, re.MULTILINE))
    version = fields["Version"]
    architecture = fields["Architecture"]
    return {
        "name": fields["Package"],
        "architecture": architecture,
        "version": version,
        # The name that apt-get download gives the file.
        "file": f"{fields['Package']}_{version.replace(':', '%3a')}_{architecture}.deb",
        "sha256": fields["SHA256"],
        "size": fields["Size"],
    }


def _is_among(name, found):
    package, _, architecture = name.partition(":")
    return any(pair in found for pair in ((package, architecture or "amd64"), (package, "all")))


if __name__ == "__main__":
    try:
        print(mirror(sys.argv[1]))
    except (KitError, OSError) as error:
        sys.exit(f"packages: {sentence(error)}")
