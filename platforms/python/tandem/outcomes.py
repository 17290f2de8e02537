# SPDX-License-Identifier: Apache-2.0
"""What runs have found: of each its own, and of a row what its repetitions have in common."""
from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from .files import read_statistics
from .intervals import interval
from .plans import Plan, PlannedRun, Row

HOST = ("host_s", "node", "used")  # of a result, what need not be the same in repetitions
# With seeds: what tells more than its mean.
EXTREMES = {"latency_min_ns": min, "latency_max_ns": max}


def figures_of(interconnect: dict[str, Any]) -> dict[str, float]:
    """Of its statistics."""
    total = interconnect["total"]
    found = {"transactions": total["transactions"], "errors": total["errors"],
             "decode_errors": sum(interconnect["decode_errors"].values())}
    for name in ("mean", "min", "p50", "p95", "p99", "p999", "max"):
        found[f"latency_{name}_ns"] = round(total[f"latency_{name}_ns"], 3)
    found["waiting_ns"] = round(total["waiting_ns"], 3)
    wires = [interconnect, *interconnect.get("outputs", {}).values(),
             *interconnect.get("links", [])]
    shares = [wire["utilisation"] for wire in wires if "utilisation" in wire]
    if shares:
        found["utilisation"] = round(max(shares), 4)
    return found


class NoRegion(Exception):
    """Why a run has no figures of a region, as a sentence."""


def region_in(found: dict[str, Any], wanted: str) -> dict[str, Any]:
    """What the statistics have of a region, by its name or number."""
    regions: dict[str, dict[str, Any]] = found.get("regions", {})
    if wanted in regions:
        return regions[wanted]
    for region in regions.values():
        if str(region.get("number", "")) == wanted:
            return region
    raise NoRegion(f"there is no region '{wanted}'; there are {', '.join(regions) or 'none'}")


class Outcome:
    """A row of the table with what its runs have found."""

    def __init__(self, plan: Plan, row: Row) -> None:
        self.row = row
        self.runs = [plan.by_hash[hash_] for hash_ in row.runs]
        self._found: list[dict[str, Any]] = []
        self._result: dict[str, Any] = {}
        self._statistics: list[dict[str, Any]] = []

    def statistics(self, repetition: int = 0) -> dict[str, Any]:
        """Of the interconnect that is looked at; nothing in a system that has none."""
        if not self._statistics:
            self._statistics = [self._statistics_of(run) for run in self.runs]
        return self._statistics[repetition]

    def _statistics_of(self, run: PlannedRun) -> dict[str, Any]:
        found = read_statistics(run.directory)
        if self.row.region:
            found = region_in(found, self.row.region)
        return dict(found["modules"].get(self.row.network, {}))

    def found(self) -> list[dict[str, Any]]:
        """Of each repetition."""
        if not self._found:
            for number, run in enumerate(self.runs):
                figures = self.statistics(number)
                self._found.append({**run.result(), **(figures_of(figures) if figures else {})})
        return self._found

    def result(self) -> dict[str, Any]:
        """What the runs found, which is the same in all, or with seeds the mean. host_s is the
        median on the node that made most of them."""
        if not self._result:
            self._result = self._of_all()
        return dict(self._result)

    def _of_all(self) -> dict[str, Any]:
        found = self.found()
        nodes = Counter(one.get("node", "") for one in found)
        ranked = [node for node, _ in nodes.most_common()]
        host = [one["host_s"] for one in found if one.get("node", "") == ranked[0]]
        result = self._means() if self.row.seeds else dict(found[0])
        result.pop("used", None)
        return dict(result, host_s=round(statistics.median(host), 3), repeats=len(found),
                    host_min_s=min(host), host_max_s=max(host), node=" ".join(ranked))

    def _means(self) -> dict[str, Any]:
        found = self.found()
        result: dict[str, Any] = {}
        for name, value in found[0].items():
            values: list[Any] = [one.get(name) for one in found]
            if isinstance(value, (int, float)) and None not in values:
                result[name], half = interval(values)
                if name in EXTREMES:
                    result[name] = EXTREMES[name](values)
                elif half is not None and name not in HOST:
                    result[f"{name}_ci95"] = half
            elif name not in HOST and all(other == value for other in values):
                result[name] = value
        reported = [one.get("reported", {}) for one in found]
        result["reported"] = {name: value for name, value in reported[0].items()
                              if all(other.get(name) == value for other in reported)}
        return result

    def disagreement(self) -> str | None:
        """Why the runs are not repetitions of each other; None when they are."""
        found = self.found()
        for number, other in enumerate(found[1:] if not self.row.seeds else [], 2):
            for name, value in other.items():
                if name not in HOST and value != found[0].get(name):
                    where = "" if other.get("node") == found[0].get("node") else \
                        f" (on {found[0].get('node')} and {other.get('node')})"
                    return f"not the same in all runs: {name} is {found[0].get(name)} in run 1 " \
                           f"and {value} in run {number}{where}"
        return None


def outcomes_of(plan: Plan, failures: dict[str, str]) -> tuple[list[Outcome], dict[str, str]]:
    """The rows all of whose runs are there and agree; title and cause of failure of the others.
    failures: by hash."""
    jobs, lost = [], {}
    for row in plan.rows:
        causes = [failures[hash_] for hash_ in row.runs if hash_ in failures]
        job = Outcome(plan, row)
        if not causes and not all(run.done() for run in job.runs):
            causes = ["it has not been made"]
        cause = causes[0] if causes else job.disagreement()
        if cause:
            lost[row.title()] = cause
        else:
            jobs.append(job)
    return jobs, lost
