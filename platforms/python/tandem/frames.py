# SPDX-License-Identifier: Apache-2.0
"""What runs have left, as pandas frames. Times are in ns of simulated time unless a column says
otherwise."""
from __future__ import annotations

import os
import sqlite3
import urllib.parse
from typing import Any

from .files import read_statistics
from .plans import Plan, PlannedRun
from .reports import row_of
from .outcomes import outcomes_of
from .words import Refused


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise Refused("frames need pandas: install the Debian package python3-pandas") from None
    return pandas


def _statistics(run: PlannedRun | str) -> dict[str, Any]:
    return read_statistics(run if isinstance(run, str) else run.directory)


def _columns(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if not isinstance(value, (dict, list))}


def results(plan: Plan) -> Any:
    """A pandas.DataFrame of shape (rows of the plan that are good, columns of results.csv); see
    docs/comparing-interconnects.md for the columns and their units. Rows whose runs have failed, or
    have not been made, are not in it."""
    outcomes, _ = outcomes_of(plan, {})
    return _pandas().DataFrame([row_of(outcome) for outcome in outcomes])


def repetitions(plan: Plan) -> Any:
    """A pandas.DataFrame of shape (runs that have been made, columns): the same for each run, with
    its hash and the number of the repetition, from 1 on. host_s: seconds on that node."""
    rows = []
    for outcome in outcomes_of(plan, {})[0]:
        for number, (run, found) in enumerate(zip(outcome.runs, outcome.found()), 1):
            row = row_of(outcome)
            used = found.get("used", {})
            rows.append({**{name: row[name] for name in ("workload", "interconnect", "slaves",
                                                         "parameters", "traffic")},
                         **outcome.row.fields, "hash": run.hash, "repetition": number,
                         **{name: value for name, value in found.items()
                            if name not in ("used", "reported")}, **used})
    return _pandas().DataFrame(rows)


def regions(run: PlannedRun | str) -> Any:
    """A pandas.DataFrame of shape (regions of interest, columns), indexed by their names: number,
    simulated_ns. run: of a plan, or a directory with stats.json, such as that of --out."""
    found = _statistics(run).get("regions", {})
    return _pandas().DataFrame([*map(_columns, found.values())],
                               index=_pandas().Index(list(found), name="region"))


def links(run: PlannedRun | str, interconnect: str = "interconnect", region: str | None = None) \
        -> Any:
    """A pandas.DataFrame of shape (links of a mesh or ring, columns): source and target - nodes
    "x,y" or "n", or what is connected to one -, busy_ns, utilisation (0 to 1) and what else the
    statistics have of a link. Empty: the interconnect has no links. region: by its name."""
    found = _statistics(run)
    if region is not None:
        if region not in found.get("regions", {}):
            raise Refused(f"there is no region '{region}'")
        found = found["regions"][region]
    if interconnect not in found["modules"]:
        raise Refused(f"there is no interconnect '{interconnect}'; there are "
                      f"{', '.join(found['modules'])}")
    rows = []
    for link in found["modules"][interconnect].get("links", []):
        source, _, target = link["link"].partition(" to ")
        rows.append({"source": source, "target": target, **_columns(link)})
    return _pandas().DataFrame(rows).drop(columns="link", errors="ignore")


def log(path: PlannedRun | str, where: str = "1") -> Any:
    """The transactions of a log (--log FILE, or the recorded run of a comparison with --replay): a
    pandas.DataFrame of shape (transactions, columns of the view log), ordered by id. start_ps,
    end_ps, latency_ps and waiting_ps are in ps, address and length in bytes. where: a condition of
    SQL, such as "initiator = 'master' AND latency_ps > 100000"."""
    file = path if isinstance(path, str) else os.path.join(path.directory, "run.db")
    if not os.path.exists(file):
        raise Refused(f"there is no log {file}")
    connection = sqlite3.connect(f"file:{urllib.parse.quote(file)}?mode=ro", uri=True)
    query = f"SELECT * FROM log WHERE {where} ORDER BY id"
    try:
        connection.execute(f"EXPLAIN {query}")
        return _pandas().read_sql_query(query, connection)
    except sqlite3.Error as error:
        raise Refused(f"{file} where {where}: {error}") from None
    finally:
        connection.close()
