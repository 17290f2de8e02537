#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who gets what only one may get, over a real NFS 4.1: claims of runs, and pieces of what was
submitted to Slurm. A host whose kernel has no NFS has two guests of QEMU mount it, with three
processes each: Debian's kernel and modules from the guest kit's packages, this host's files over
9p, and nfs-ganesha on this host as the server (packages nfs-ganesha and nfs-ganesha-vfs). As root:

    tests/bench/nfs_claims.py build/linux DIR
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys
import time

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROCESSES, CLAIMS, PIECES = 3, 100, 20
BOOT, END = 150, 900  # seconds until all of them begin, and until all are through
PORT = 20490
MODULES = ("fs/nfs", "fs/9p", "fs/lockd", "fs/netfs", "fs/fscache", "net/sunrpc", "net/9p",
           "net/core", "net/dns_resolver", "drivers/virtio", "drivers/net/virtio_net",
           "drivers/net/net_failover", "lib", "crypto")
GANESHA = """
NFS_CORE_PARAM {{ NFS_Port = {port}; Bind_addr = 127.0.0.1; Protocols = 4; Enable_NLM = false;
                  Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {directory}/recovery; }}
EXPORT {{ Export_Id = 1; Path = {directory}/export; Pseudo = /shared; Access_Type = RW;
          Squash = No_Root_Squash; SecType = sys; Protocols = 4; Transports = TCP;
          FSAL {{ Name = VFS; }} }}
"""
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for word in $(cat /proc/cmdline); do case $word in node=*) hostname ${{word#node=}};; esac; done
depmod -a
for module in virtio_pci virtio_net 9pnet_virtio 9p nfsv4; do modprobe $module; done
ifconfig eth0 10.0.2.15 up
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro root /host
mount -t nfs4 -o vers=4.1,port={port},addr=10.0.2.2,clientaddr=10.0.2.15,sec=sys,proto=tcp,hard \
    10.0.2.2:/shared /host{directory}/mounted
mount --bind /proc /host/proc; mount --bind /dev /host/dev
for i in {numbers}; do chroot /host {python} -B {script} guest {directory} {start} $i & done
wait
poweroff -f
"""


class Task:
    argv, directory, environment = (), "/", {}

    def __init__(self, name):
        self.id = name


def in_guest(directory, start, number):
    """One of the processes; all try for the same at the same time."""
    sys.path.insert(0, os.path.join(SOURCE, "platforms", "python"))
    from tandem.claim import Claim
    from tandem.files import write_text
    from tandem.slurm_ledger import Ledger

    def wait_until(second):
        time.sleep(max(0, int(start) + second - time.time()))
    place, name = os.path.join(directory, "mounted"), f"{os.uname().nodename}.{number}"
    late, claimed, pieces, tries = time.time() > int(start), [], [], 0
    for i in range(CLAIMS):
        wait_until(i)
        if Claim(os.path.join(place, f"run{i}.claim")).take():
            claimed.append(i)
    wait_until(CLAIMS + 5)
    ledger = Ledger(place)
    while len(pieces) < PIECES:
        ledger.refresh()
        tries += 1
        piece = ledger.append({0: Task(f"{name}.{len(pieces)}")}, {}, {})
        if piece and ledger.settle(piece, f"{name}.{len(pieces)}"):
            pieces.append(piece.number)
    write_text(os.path.join(place, f"result.{name}"), json.dumps(
        {"late": late, "claimed": claimed, "pieces": pieces, "tries": tries, "name": ledger.name}))
    while len(glob.glob(os.path.join(place, "result.*"))) < 2 * PROCESSES:
        time.sleep(1)  # the claims of a process that has ended are void


def unpack(kit, directory):
    """The kernel, and an initramfs with its modules."""
    packages = os.path.join(kit, "packages")
    for package, wanted in (
            ("linux-image-*_amd64.deb", ["./boot/vmlinuz*", "./lib/modules/*/modules.*", *(
                f"./lib/modules/*/kernel/{name}*" for name in MODULES)]),
            ("busybox-static_*_amd64.deb", ["./bin/busybox"])):
        path, = glob.glob(os.path.join(packages, package))
        archive = subprocess.Popen(["dpkg", "--fsys-tarfile", path], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", directory, "--wildcards", *wanted], stdin=archive.stdout,
                       check=True)
        archive.wait()
    start = int(time.time()) + BOOT
    init = os.path.join(directory, "init")
    with open(init, "w", encoding="ascii") as file:
        file.write(INIT.format(directory=directory, port=PORT, start=start, python=sys.executable,
                               script=os.path.realpath(__file__),
                               numbers=" ".join(map(str, range(PROCESSES)))))
    os.chmod(init, 0o755)
    empty = os.path.join(directory, "empty")
    os.mkdir(empty)
    subprocess.run([os.path.join(SOURCE, "sw/linux/kit/overlay"), os.path.join(directory, "initrd"),
                    f"init={init}", f"bin={directory}/bin", f"lib={directory}/lib",
                    *(f"{name}={empty}" for name in ("proc", "sys", "dev", "host"))], check=True)
    return glob.glob(os.path.join(directory, "boot", "vmlinuz*"))[0]


def run(kit, directory):
    for name in ("export", "mounted", "recovery"):
        os.makedirs(os.path.join(directory, name))
    kernel = unpack(kit, directory)
    with open(os.path.join(directory, "ganesha.conf"), "w", encoding="ascii") as file:
        file.write(GANESHA.format(directory=directory, port=PORT))
    commands = {"server": ["ganesha.nfsd", "-F", "-f", file.name, "-L", directory + "/ganesha.log",
                           "-p", directory + "/ganesha.pid"]}
    for name in ("node1", "node2"):
        commands[name] = [
            "qemu-system-x86_64", "-m", "700", "-nographic", "-no-reboot", "-kernel", kernel,
            "-initrd", os.path.join(directory, "initrd"), "-append", f"console=ttyS0 node={name}",
            "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile=", "-virtfs",
            "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"]
    processes = {}
    try:
        for name, command in commands.items():
            with open(os.path.join(directory, name), "wb") as out:
                processes[name] = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.DEVNULL,
                    stdout=out, stderr=out)
        for name in ("node1", "node2"):
            processes[name].wait(END)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def report(directory):
    results = {}
    for path in glob.glob(os.path.join(directory, "export", "result.*")):
        with open(path, encoding="ascii") as file:
            results[re.sub(".*/result.", "", path)] = json.load(file)
    for name, result in sorted(results.items()):
        print(f"{name}{' (late)' * result['late']}: {len(result['claimed'])} claims, "
              f"{len(result['pieces'])} pieces in {result['tries']} tries")
    claims = collections.Counter(i for one in results.values() for i in one["claimed"])
    pieces = collections.Counter(i for one in results.values() for i in one["pieces"])
    good = len(results) == 2 * PROCESSES and len({one["name"] for one in results.values()}) == 1 \
        and sorted(claims.elements()) == list(range(CLAIMS)) \
        and sorted(pieces.elements()) == list(range(2 * PROCESSES * PIECES))
    print("each claim and each piece had one owner" if good else
          f"wrong: claims {claims}, pieces {pieces}")
    return 0 if good else 1


def main(*words):
    if words[0] == "guest":
        return in_guest(*words[1:])
    run(words[0], os.path.abspath(words[1]))
    return report(os.path.abspath(words[1]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
