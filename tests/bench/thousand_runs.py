#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds for planning 1,000 runs, for finding all of them done, and for the report. Two real runs
stand in for all: their files are copied.

    PYTHONPATH=platforms/python python3 tests/bench/thousand_runs.py BUILD
"""
import os
import resource
import shutil
import sys
import tempfile
import time

import tandem

NUMBERS = [str(n) for n in range(1, 11)]
PLANS = {
    "2 systems x 100 parameters x 5 repetitions": {
        "interconnect": ["bus", "mesh"], "param": {"n": list(range(64, 164))}, "repeat": 5},
    "1000 systems": {
        "interconnect": "mesh", "param": {"n": 64},
        "set": {"width": NUMBERS}, "vary": {"idm.latency": [n + "ns" for n in NUMBERS],
                                            "run.quantum": [n + "0us" for n in NUMBERS]}}}


def seconds(begin):
    """Of the clock, and of processors."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [time.monotonic() - begin[0],
            sum(one.ru_utime + one.ru_stime for one in used) - begin[1]]


def measure(build, place, asked):
    def timed(what, function, *words, **more):
        begin = seconds([0, 0])
        result = function(*words, **more)
        clock, cpu = seconds(begin)
        total[0] += clock
        print(f"  {what}: {clock:.1f} s, {cpu:.1f} s of processors", flush=True)
        return result
    total = [0.0]
    out = os.path.join(place, "out")
    plan = timed("plan", tandem.plan, out=out, build=build, workload="triad", slaves=0, **asked)
    models: dict[str, str] = {}
    os.makedirs(os.path.join(out, "runs"))
    for run in plan.runs:
        kind = run.name.split("-")[1]
        if kind not in models:
            plan_of_one = tandem.plan(out=os.path.join(place, kind), build=build, slaves=0,
                                      workload="triad", interconnect=kind, param={"n": 64})
            tandem.run(plan_of_one)
            models[kind] = plan_of_one.runs[0].directory
        shutil.copytree(models[kind], run.directory)
    timed("find all done", tandem.run, plan)
    timed("report", tandem.report, plan)
    print(f"  all: {total[0]:.1f} s")


def main():
    for name, asked in PLANS.items():
        print(f"{name}:")
        place = tempfile.mkdtemp(prefix="tandem-thousand-")
        try:
            measure(os.path.abspath(sys.argv[1]), place, asked)
        finally:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
