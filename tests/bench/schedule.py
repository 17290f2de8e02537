#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a comparison of many runs takes on a cluster, by simulating its schedule. See docs/scaling.md.

Its runs are those of a comparison that was made, drawn at random with their times: RESULTS is its
results.csv. The cluster starts jobs as Slurm does: in passes, of which each starts so many at most,
no more than so many are submitted at a time, and each costs something to launch. A first run may
have to be made before all others (the boot that leaves a checkpoint), whose result every node reads
once; the shared file system carries so much in all, in the order in which it is asked."""
import argparse
import csv
import heapq
import random


def times_of(path):
    """Seconds of host time of each run of that comparison."""
    with open(path, newline="", encoding="utf-8") as file:
        return [float(row["host_s"]) for row in csv.DictReader(file) for _ in range(
            int(row.get("repeats") or 1))]


class Cluster:
    """Events in the order of their times: (time, number, what happens then, of which node, MB)."""

    def __init__(self, arguments, times):
        self.options, self.waiting = arguments, list(reversed(times))
        slots = arguments.cores // arguments.cores_of_run
        self.free = [node for _ in range(slots) for node in range(arguments.nodes)]
        del self.free[arguments.submitted:]
        self.events, self.count = [], 0
        self.has_first, self.channel, self.carried = set(), 0.0, 0.0
        self.end = self.busy = 0.0

    def at(self, time, what, *about):
        self.count += 1
        heapq.heappush(self.events, (time, self.count, what, about))

    def carry(self, now, mb):
        """When that is through the shared file system, which serves one after the other."""
        self.channel = max(self.channel, now) + mb / self.options.mb_per_s
        self.carried += mb
        return self.channel

    def run(self):
        first = self.options.launch + self.options.first if self.options.first else 0
        self.at(self.carry(first, self.options.first_mb), self.schedule)
        while self.events:
            time, _, what, about = heapq.heappop(self.events)
            what(time, *about)

    def schedule(self, now):
        """A pass of the scheduler."""
        for _ in range(min(self.options.depth, len(self.free), len(self.waiting))):
            self.at(now + self.options.launch, self.launched, self.free.pop(), now,
                    self.waiting.pop())
        if self.waiting:
            self.at(now + self.options.interval, self.schedule)

    def launched(self, now, node, since, seconds):
        ready = now
        if self.options.first and node not in self.has_first:
            self.has_first.add(node)
            ready = self.carry(now, self.options.first_mb)
        self.at(ready + seconds, self.ended, node, since)

    def ended(self, now, node, since):
        self.busy += now - since
        self.free.append(node)
        self.end = max(self.end, self.carry(now, self.options.run_mb))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("results", metavar="RESULTS")
    add("--runs", type=int, default=1000)
    add("--nodes", type=int, default=100)
    add("--cores", type=int, default=16, help="of a node (default: 16)")
    add("--cores-of-run", type=int, default=2, help="what a job asks for (default: 2)")
    add("--launch", type=float, default=0.3, help="seconds from a job's start to ours (default: 0.3)")
    add("--interval", type=float, default=3, help="seconds between two passes (default: 3)")
    add("--depth", type=int, default=100, help="jobs that a pass starts at most (default: 100)")
    add("--submitted", type=int, default=10000, help="at a time (default: 10000)")
    add("--first", type=float, default=0, help="seconds of the run before all others")
    add("--first-mb", type=float, default=0, help="what that leaves")
    add("--run-mb", type=float, default=0.1, help="what a run leaves (default: 0.1)")
    add("--mb-per-s", type=float, default=500, help="of the shared file system (default: 500)")
    arguments = parser.parse_args()
    if arguments.cores_of_run > arguments.cores:
        parser.error("a run needs more cores than a node has")
    known = times_of(arguments.results)
    chance = random.Random(1)
    times = [chance.choice(known) for _ in range(arguments.runs)]
    cluster = Cluster(arguments, times)
    cluster.run()
    slots = arguments.nodes * (arguments.cores // arguments.cores_of_run)
    print(f"{arguments.runs} runs of {sum(times) / len(times):.1f} s on {arguments.nodes} nodes: "
          f"{cluster.end:.0f} s; one after the other {sum(times) + arguments.first:.0f} s; "
          f"cores at work {100 * cluster.busy / (cluster.end * slots):.0f} %; "
          f"{cluster.carried:.0f} MB over the file system")


if __name__ == "__main__":
    main()
