# SPDX-License-Identifier: Apache-2.0
"""A Slurm cluster of one node, this host, in a directory of its own: own key, ports, logs and
state; as root or as any user; without systemd and cgroups, and with accounting where it is asked
for and Debian's packages slurmdbd and mariadb-server-core are there.

What such a cluster does not do as one with cgroups: a job that uses more memory than it asked for
is seen by sampling, once a second, killed, and FAILED rather than OUT_OF_MEMORY."""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess

from platform_run import alive, children, free_port, read_text, wait_for

DAEMONS = ("munged", "slurmctld", "slurmd")
OF_ACCOUNTING = ("mariadbd", "slurmdbd")
START = 300  # seconds for all of them to be ready
END = 60  # seconds for one to end
ANSWER = 120  # seconds for a command
LONGEST_SOCKET = 107  # bytes of a path

CONFIGURATION = """
ClusterName=tandem
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={directory}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# The host may have fewer cores: what is tested is what Slurm does, not how fast.
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=1
MinJobAge={remembered}
MaxArraySize={array}
SchedulerParameters=batch_sched_delay=1,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES DefMemPerCPU=200 DefaultTime=10 MaxTime=60 State=UP
"""

# And a partition whose jobs take the place of the others'.
WITH_ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={directory}/munge.socket
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=first Nodes=ALL DefMemPerCPU=200 PriorityTier=10 State=UP
"""

OF_SLURMDBD = """
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
SlurmUser={user}
PidFile={directory}/slurmdbd.pid
LogFile={directory}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=accounting
"""


class NoSlurm(Exception):
    """Why there is no cluster, as a sentence."""


class SlurmCluster:
    """cpus: tasks at a time; memory: MiB of the node; array: MaxArraySize; remembered: seconds for
    which the controller knows jobs that have ended; accounting: whether sacct knows them then."""

    def __init__(self, directory, cpus=4, memory=4000, array=1001, remembered=3600,
                 accounting=False):
        self._daemons = (DAEMONS[0], *(OF_ACCOUNTING if accounting else ()), *DAEMONS[1:])
        self.directory = os.path.abspath(directory)
        self.node = socket.gethostname().split(".")[0]
        self._values = {"cpus": cpus, "memory": memory, "array": array, "remembered": remembered}
        self._processes = {}

    @property
    def environment(self):
        """For Slurm's commands."""
        return dict(os.environ, SLURM_CONF=self._file("slurm.conf"), PATH=self._path())

    @staticmethod
    def _path():
        return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

    def _file(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        missing = [name for name in (*self._daemons, "sbatch", "setpriv")
                   if not shutil.which(name, path=self._path())]
        if missing:
            packages = "slurmdbd and mariadb-server-core" if missing[0] in OF_ACCOUNTING else \
                "slurm-wlm and munge"
            raise NoSlurm(f"there is no {missing[0]}; Debian's packages {packages} have what a "
                          "Slurm cluster needs")
        if len(self._file(f"spool/{self.node}_100000.4294967291")) > LONGEST_SOCKET:
            raise NoSlurm(f"{self.directory} is too long a name for Slurm's sockets")
        try:
            self._configure()
            for daemon in self._daemons:
                self._launch(daemon)
            self._await_node()
        except BaseException:
            self.stop()
            raise

    def _configure(self):
        try:
            user = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            raise NoSlurm(f"user {os.getuid()} has no name, and Slurm wants one") from None
        for name in ("state", "spool"):
            os.makedirs(self._file(name))
        os.chmod(self.directory, 0o755)  # munge's clients pass through
        key = os.open(self._file("munge.key"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(key, os.urandom(128))
        os.close(key)
        values = dict(self._values, directory=self.directory, host=self.node, user=user,
                      controller_port=free_port(), node_port=free_port())
        text = CONFIGURATION
        if "slurmdbd" in self._daemons:
            text += WITH_ACCOUNTING
            self._database_port = free_port()
            values.update(port=free_port(), database_port=self._database_port)
            self._make_database(user)
            self._write("slurmdbd.conf", OF_SLURMDBD.format(**values))
            os.chmod(self._file("slurmdbd.conf"), 0o600)
        self._write("slurm.conf", text.format(**values))
        # slurmd loads a plugin for cgroups although nothing here uses one: that for version 1 asks
        # nothing of the host; since 23.11 there is a word for none.
        self._write("cgroup.conf", "CgroupPlugin=" +
                    ("disabled" if self.version() >= (23, 11) else "cgroup/v1") + "\n")

    def _make_database(self, user):
        self._write("grants.sql", "CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';\n"
                                  "CREATE DATABASE accounting;\n"
                                  "GRANT ALL ON accounting.* TO slurm@'127.0.0.1';\n")
        made = subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--skip-test-db", f"--user={user}",
             "--auth-root-authentication-method=normal", "--datadir=" + self._file("database")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        if made.returncode:
            raise NoSlurm(f"mariadb-install-db fails: {made.stdout.strip()[-300:]}")

    def _write(self, name, text):
        with open(self._file(name), "w", encoding="ascii") as file:
            file.write(text)

    def version(self):
        said = self.call("sbatch", "--version")  # which wants a configuration
        return tuple(int(number) for number in re.findall(r"\d+", said)[:2])

    def _launch(self, daemon):
        options = ["-D"]
        if daemon == "munged":
            options = ["--foreground", "--force", "--key-file=" + self._file("munge.key"),
                       *(f"--{what}=" + self._file(name) for what, name in (
                           ("socket", "munge.socket"), ("pid-file", "munged.pid"),
                           ("log-file", "munged.log"), ("seed-file", "munge.seed")))]
        elif daemon == "mariadbd":
            options = ["--no-defaults", "--user=" + pwd.getpwuid(os.getuid()).pw_name,
                       "--datadir=" + self._file("database"), "--bind-address=127.0.0.1",
                       "--skip-name-resolve", "--init-file=" + self._file("grants.sql"),
                       f"--port={self._database_port}", "--socket=" + self._file("db.socket"),
                       "--pid-file=" + self._file("db.pid"), "--innodb-flush-method=fsync"]
        with open(self._file(daemon + ".out"), "ab") as out:
            # Whoever kills the test does not leave a cluster behind.
            self._processes[daemon] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", daemon, *options], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=self.environment, cwd=self.directory,
                start_new_session=True)
        answers = {"munged": lambda: os.path.exists(self._file("munge.socket")),
                   "mariadbd": lambda: os.path.exists(self._file("db.socket")),
                   "slurmdbd": lambda: self.call("sacctmgr", "-i", "add", "cluster", "tandem")}
        if daemon in answers and not wait_for(lambda: answers[daemon]() or self._ended(), START):
            raise NoSlurm(f"{daemon} does not answer")
        self._check()

    def _ended(self):
        return next((name for name, process in self._processes.items()
                     if process.poll() is not None), None)

    def _check(self):
        ended = self._ended()
        if ended:
            lines = read_text(self._file(ended + ".out")).splitlines()
            errors = [line for line in lines if re.search("error|fatal", line, re.I)]
            raise NoSlurm(f"{ended} does not start: {(errors or lines or ['it says nothing'])[-1]}")

    def _await_node(self):
        if not wait_for(lambda: self._ended() or self.state() == "idle", START, period=0.2):
            raise NoSlurm(f"the node is {self.state() or 'unknown'} after {START} s")
        self._check()

    def state(self):
        """Of the node, as sinfo has it; empty while the controller does not answer."""
        return self.call("sinfo", "--noheader", "--format=%T").strip()

    def call(self, *command):
        """What one of Slurm's commands prints."""
        try:
            return subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=ANSWER, check=True).stdout
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return ""

    def kill_node(self):
        """As when its power fails: slurmd and all that its jobs run."""
        slurmd = self._processes.pop("slurmd")
        slurmd.kill()
        slurmd.wait()
        self._kill_steps()

    def restart_node(self):
        self._launch("slurmd")

    def _kill_steps(self):
        """slurmstepd lives on without slurmd. It goes first: it would write down how its job
        ended."""
        while steps := self._steps():
            for step in steps:
                processes = [step, *descendants(step)]  # which nobody is a parent of afterwards
                for pid in processes:
                    kill(pid)
                wait_for(lambda pid=step: not alive(pid), END)

    def _steps(self):
        """Processes of slurmstepd whose sockets are in this cluster's directory: it has nothing
        else of it open all the time."""
        spool = self._file("spool/")
        sockets = {"socket:[" + words[6] + "]"
                   for words in map(str.split, read_text("/proc/net/unix").splitlines())
                   if len(words) > 7 and words[7].startswith(spool)}
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and
                read_text(f"/proc/{entry}/comm").startswith("slurmstepd") and
                not sockets.isdisjoint(open_files(entry))]

    def stop(self):
        """Ends all jobs and daemons."""
        if "slurmd" in self._processes:
            self.kill_node()
        for process in reversed(self._processes.values()):
            process.terminate()
            try:
                process.wait(END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        self._kill_steps()  # one that slurmd had only begun to start


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def open_files(pid):
    try:
        entries = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return  # ended, or another user's
    for entry in entries:
        try:
            yield os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            pass  # closed meanwhile


def descendants(pid):
    """Parents first."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found
