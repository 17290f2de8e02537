# SPDX-License-Identifier: Apache-2.0
"""What a comparison leaves: results.csv, results.md and report.html."""
import csv
import html
import io
import os

from .figures import Figures, below_noise, heat_map, latency_figure, link_map, links_of, \
    run_time_figure, run_time_table, time_shown
from .files import write_text
from .outcomes import Outcome

COLUMNS = ["workload", "interconnect", "slaves", "parameters", "guest_ns", "host_s",
           "transactions", "latency_mean_ns", "latency_p99_ns", "latency_min_ns",
           "latency_p50_ns", "latency_p95_ns", "latency_p999_ns", "latency_max_ns", "waiting_ns",
           "traffic", "end_ns", "repeats", "host_min_s", "host_max_s", "observe", "run", "of",
           "utilisation", "simulated_ns", "node", "seeds", "errors", "decode_errors"]
MOST_MAPS = 50  # of links, of a workload: no page is read that has more


def row_of(job):
    """By column: those above, each thing that was set or varied by its name, and what else the
    program has reported."""
    result, about = job.result(), job.row
    row = {"workload": about.workload, "interconnect": about.interconnect, "slaves": about.slaves,
           "parameters": about.parameters(), "observe": about.observe, "traffic": about.traffic,
           "run": job.runs[0].name, "of": about.network, "seeds": about.seeds}
    row.update(about.fields)
    row.update({f"param.{name}": value for name, value in about.params})
    row.update({f"result.{name}": value for name, value in result.pop("reported", {}).items()})
    row.update(result)
    return row


def write_csv(path, rows):
    more = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS + sorted(more, key=order), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_text(path, text.getvalue())


def order(name):
    """Of a column behind the fixed ones: what was set, parameters, results."""
    return name.startswith("result."), name.startswith("param.")


def markdown_table(heading, lines):
    text = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    text += ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join(text)


def html_table(heading, lines):
    def row(tag, cells):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"
    return "<table>\n" + "\n".join([row("th", heading)] + [row("td", line) for line in lines]) + \
        "\n</table>"


def all_runs_table(rows):
    """What there is to say of every run; the rest is in results.csv."""
    shown = COLUMNS[:9]
    if len({row["node"] for row in rows}) > 1:
        shown += ["node"]
    if any(row["repeats"] > 1 for row in rows):
        shown += ["repeats", "host_min_s", "host_max_s"]
    if any(row["traffic"] != "guests" for row in rows):
        shown += ["traffic", "end_ns"]
    shown += ["utilisation", "simulated_ns", "region_ns"]
    shown = [name for name in shown if not rows or any(row.get(name, "") != "" for row in rows)]
    return shown, [[row.get(column, "") for column in shown] for row in rows]


def remarks(jobs):
    """How the figures of these jobs were found, as sentences."""
    whole = "Transactions and latencies are those of the whole run, with its preparation and its " \
            "check; guest_ns is what the guest has measured around its work."
    region = jobs[0].row.region if jobs else None
    said = [f"Transactions, latencies and region_ns are those of the region {region}." if region
            else whole]
    if any(job.row.network not in ("interconnect", None) for job in jobs):
        said.append(f"They are those of the interconnect {jobs[0].row.network}.")
    repeats = len(jobs[0].runs) if jobs else 1
    if repeats > 1 and jobs[0].row.seeds:
        said.append(f"Every run was made {repeats} times, with {jobs[0].row.seeds}=1 to {repeats}: "
                    "figures are means, ± is their 95 % confidence interval (Student's t), and "
                    "host_s is the median.")
    elif repeats > 1:
        said.append(f"Every run was made {repeats} times and found the same each time; host_s is "
                    "the median.")
    for job in jobs:
        if " " in job.result()["node"]:
            said.append(f"{job.row.title()} ran on several nodes ({job.result()['node']}); its "
                        "host times are those of the first.")
    if any(job.row.traffic == "replayed" for job in jobs):
        said.append("The guests ran over the interconnect marked as recorded only; its "
                    "transactions were replayed through the others. end_ns is the end of the last "
                    "transaction.")
    return said


def failure_lines(failures):
    return [f"{title}: {cause}" for title, cause in failures.items()]


def write_markdown(path, command, jobs, rows, groups, failures):
    parts = ["# Comparison", f"    {command}", " ".join(remarks(jobs))]
    for workload, own in groups.items():
        parts += [f"## {workload}: {time_shown(own)[1]}", markdown_table(*run_time_table(own)),
                  *below_noise(own)]
    parts += ["## All runs", markdown_table(*all_runs_table(rows))]
    if failures:
        parts += ["## Failed runs", "\n".join("- " + line for line in failure_lines(failures))]
    return write_text(path, "\n\n".join(parts) + "\n")


def with_most_slaves(jobs):
    """Whose latencies and links are shown, and that in words."""
    if jobs[0].row.slaves == "":
        return jobs, f" on {html.escape(jobs[0].row.network or '')}"
    most = max(job.row.slaves for job in jobs)
    return [job for job in jobs if job.row.slaves == most], f", slaves: {most}"


def page_of(command, jobs, rows, groups, failures, figures):
    parts = []
    for workload, own in groups.items():
        parts += [f"<h2>{html.escape(workload)}: {time_shown(own)[1]}</h2>",
                  run_time_figure(figures, workload, own), html_table(*run_time_table(own)),
                  *(f"<p>{html.escape(said)}</p>" for said in below_noise(own))]
        largest, which = with_most_slaves(own)
        if own[0].row.network:
            parts += [f"<h2>{html.escape(workload)}: latency of the transactions{which}</h2>",
                      latency_figure(figures, workload, largest)]
        for number, job in enumerate(largest[:MOST_MAPS]):
            nodes, wires, users = link_map(links_of(job))
            if wires:
                parts += [f"<h2>{html.escape(job.row.title())}: load of the links</h2>",
                          heat_map(figures, f"{workload}-links-{number}", nodes, wires, users)]
        if len(largest) > MOST_MAPS:
            parts += [f"<p>Maps of links are those of the first {MOST_MAPS} rows.</p>"]
    parts += ["<h2>All runs</h2>", html_table(*all_runs_table(rows))]
    if failures:
        parts += ["<h2>Failed runs</h2>", "<ul>"]
        parts += [f"<li>{html.escape(line)}</li>" for line in failure_lines(failures)]
        parts += ["</ul>"]
    body = "\n".join(parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Comparison of interconnects</title>
<style>
body {{ font-family: sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; color: #222; }}
h2 {{ font-size: 1.1em; margin-top: 2em; }}
pre {{ background: #f3f3f3; padding: 0.7em; white-space: pre-wrap; }}
table {{ border-collapse: collapse; font-size: 0.85em; margin: 1em 0; }}
th, td {{ border: 1px solid #ccc; padding: 0.25em 0.6em; text-align: right; }}
th {{ background: #f3f3f3; }}
td:first-child, th:first-child {{ text-align: left; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<h1>Comparison of interconnects</h1>
<pre>{html.escape(command)}</pre>
<p>{html.escape(" ".join(remarks(jobs)))}</p>
{body}
</body>
</html>
"""


def write(plan, outcomes, lost):
    """Returns the paths of what it wrote. outcomes: of the rows that are good; lost: cause of
    failure of the others by title."""
    rows = [row_of(job) for job in outcomes]
    groups: dict[str, list[Outcome]] = {}
    for job in outcomes:
        groups.setdefault(job.row.workload, []).append(job)
    with Figures(os.path.join(plan.out, "figures")) as figures:
        page = page_of(plan.command, outcomes, rows, groups, lost, figures)
    return [write_csv(os.path.join(plan.out, "results.csv"), rows),
            write_markdown(os.path.join(plan.out, "results.md"), plan.command, outcomes, rows,
                           groups, lost),
            write_text(os.path.join(plan.out, "report.html"), figures.filled(page))]
