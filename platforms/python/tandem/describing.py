# SPDX-License-Identifier: Apache-2.0
"""What system each combination of options comes to. The program says it, and refuses what it
refuses; that is a process for each. Of many combinations it is asked for those in which one key
differs from another combination, and the others are put together of what that changes."""
import concurrent.futures as futures
import copy
import os
import threading

from .job import Job

EXACT = 100  # combinations up to which the program is asked for all
SAMPLES = 16  # of those that were put together, to be compared with what the program says
ABSENT = object()


def _changes(tree, other, path=()):
    """[(keys, value or ABSENT), ...] that make the other out of the tree."""
    found = []
    for key in {**tree, **other}:
        here, there = tree.get(key, ABSENT), other.get(key, ABSENT)
        if isinstance(here, dict) and isinstance(there, dict):
            found += _changes(here, there, (*path, key))
        elif here != there:
            found.append(((*path, key), there))
    return found


def _changed(tree, changes):
    tree = copy.deepcopy(tree)
    for path, value in changes:
        at = tree
        for key in path[:-1]:
            at = at.setdefault(key, {})
        if value is ABSENT:
            at.pop(path[-1], None)
        else:
            at[path[-1]] = value
    return tree


def _ask(jobs, subject, known):
    """Several at a time."""
    stop = threading.Event()
    with futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        asked = {job.words(): pool.submit(
            lambda words: None if stop.is_set() else subject.described(words), job.words())
            for job in jobs if job.words() not in known}
        try:
            for words, answer in asked.items():
                known[words] = answer.result()
        finally:
            stop.set()


def _group(job):
    """Jobs whose systems have the same things in them, and their keys with other values."""
    def is_key(name):
        return "." in name and not name.endswith(".kind")
    kind = job.interconnect_options[:2]
    return (job.program, *kind, job.slaves, job.observe, *(
        name if is_key(name) else (name, value) for name, value in job.fields.items()))


def _parts(jobs):
    """{job: jobs that differ from the first of its group in one key each, and as this one does}"""
    groups: dict[tuple, list[Job]] = {}
    parts: dict[Job, list[Job]] = {}
    for job in jobs:
        groups.setdefault(_group(job), []).append(job)
    for group in groups.values():
        first = group[0]
        differing = {job: [pair for pair in job.fields.items() if pair not in first.fields.items()]
                     for job in group}
        single = {pairs[0]: job for job, pairs in differing.items() if len(pairs) == 1}
        for job, pairs in differing.items():
            if len(pairs) > 1 and all(pair in single for pair in pairs):
                parts[job] = [first, *(single[pair] for pair in pairs)]
    return parts


def describe(jobs, subject):
    """Tells each job its system."""
    known: dict[tuple[str, ...], dict] = {}
    distinct = list({job.words(): job for job in jobs}.values())
    parts = _parts(distinct) if len(distinct) > EXACT else {}
    _ask([job for job in distinct if job not in parts], subject, known)
    composed = {}
    for job, (first, *others) in parts.items():
        base = known[first.words()]
        composed[job.words()] = _changed(base, [
            change for other in others for change in _changes(base, known[other.words()])])
    samples = list(parts)[::len(parts) // SAMPLES + 1]
    _ask(samples, subject, known)
    if any(known[job.words()] != composed[job.words()] for job in samples):
        _ask(distinct, subject, known)  # the keys are not independent of each other
    for job in jobs:
        job.describe(known.get(job.words()) or composed[job.words()])
