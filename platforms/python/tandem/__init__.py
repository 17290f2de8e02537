# SPDX-License-Identifier: Apache-2.0
"""Comparisons of interconnects from Python: plan, run, look at the results.

    import tandem
    plan = tandem.plan(out="out/mine", workload="triad", interconnect=["bus", "mesh"],
                       param={"n": [256, 1024]})
    failures = tandem.run(plan)
    frame = tandem.results(plan)

The command line of tandem compare is a thin user of this; docs/scaling.md has more. Errors that a
user can mend are tandem.Refused, with a sentence."""
from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from . import commandline as _commandline
from .backends import Interrupted, backend
from .frames import links, log, regions, repetitions, results
from .plans import Plan, PlannedRun, Row, load_plan
from .planning import plan_of as _plan_of
from .reports import write as _write
from .outcomes import outcomes_of as _outcomes_of
from .words import Refused, joined as _joined

__all__ = ["Interrupted", "Plan", "PlannedRun", "Refused", "Row", "links", "load_plan", "log",
           "plan", "regions", "repetitions", "report", "results", "run"]

Values = Union[str, int, float, Sequence[Union[str, int, float]]]


def _default_build() -> str:
    """The prefix of an installation, or the source tree's build."""
    here = os.path.dirname(os.path.abspath(__file__))
    prefix = os.path.realpath(os.path.join(here, "..", "..", "..", ".."))
    if os.path.exists(os.path.join(prefix, "bin", "tandem-system")):
        return prefix
    return os.path.realpath(os.path.join(here, "..", "..", "..", "build", "release"))


def plan(*, out: str, build: str | None = None, options: Iterable[str] = (),
         **asked: Union[Values, Mapping[str, Values], bool, None]) -> Plan:
    """Plans a comparison, and runs nothing.

    out: directory of results and runs. build: directory of the build or prefix of the
    installation; default: that of this package. options: words that are passed to each run. asked:
    options of tandem compare by their names, with _ for - and origin for --from: workload,
    interconnect, slaves and observe are a value or a list; set, vary, param and cache map a name to
    its value or list of values; repeat is a number; replay is True; timeout is in seconds."""
    words = ["--build", build or _default_build(), "--out", out]
    for name, value in asked.items():
        if isinstance(value, (list, tuple)) and not value:
            raise Refused(f"{name} has no value")
        option = "--from" if name == "origin" else "--" + name.replace("_", "-")
        if isinstance(value, Mapping):
            for key, values in value.items():
                words += [option, f"{key}={_joined(values)}"]
        elif value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [option, _joined(value)]
    options = list(options)
    words += ["--", *options] if options else []
    arguments, others = _commandline.parse(words)
    return _plan_of(arguments, others, _commandline.typed(words))


def run(plan: Plan, *, on: str = "local", jobs: int | None = None, **options: Any) \
        -> dict[str, str]:
    """Makes those runs of the plan that nobody has made, and returns {hash of a run: why it
    failed}. on: name of a back end. jobs: runs at a time; default: number of cores. options: others
    that the back end has on the command line. To be called from any number of processes, on any
    nodes that share plan.out: no run is made twice."""
    if jobs is not None and jobs < 1:
        raise Refused("jobs must be at least 1")
    defaults = _commandline.parser_of_options().parse_args([])
    more = dict(options, jobs=jobs or defaults.jobs)
    unknown = [name for name in more if not hasattr(defaults, name)]
    if unknown:
        raise Refused(f"unknown option '{unknown[0]}' of a back end")
    plan.prepare()
    found = backend(on).run(plan, plan.todo(),
                            argparse.Namespace(**{**vars(defaults), **more}))
    return dict(found)


def report(plan: Plan, failures: Mapping[str, str] | None = None) -> list[str]:
    """Writes results.csv, results.md, report.html and figures to plan.out, and returns the paths of
    the first three. failures: what run() returned. Needs gnuplot."""
    outcomes, lost = _outcomes_of(plan, dict(failures or {}))
    return list(_write(plan, outcomes, lost))
