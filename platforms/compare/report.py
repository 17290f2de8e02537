# SPDX-License-Identifier: Apache-2.0
"""What a comparison leaves: results.csv, results.md, report.html, and the figures that the page
shows, each as an SVG file and the gnuplot script with its data that made it."""
import csv
import html
import json
import math
import os
import re
import shutil
import subprocess

COLUMNS = ["workload", "interconnect", "slaves", "parameters", "guest_ns", "host_s",
           "transactions", "latency_mean_ns", "latency_p99_ns", "latency_min_ns",
           "latency_p50_ns", "latency_p95_ns", "latency_p999_ns", "latency_max_ns", "waiting_ns",
           "observe", "run"]
SHOWN = COLUMNS[:9]

COLOURS = ["#1f6fb4", "#e07b00", "#2e9a4b", "#b8312f", "#7b5bb0", "#7a5236", "#d264ae", "#6f6f6f",
           "#a5a81f", "#159eb0"]


class NoGnuplot(Exception):
    pass


def require_gnuplot():
    if not shutil.which("gnuplot"):
        raise NoGnuplot("the plots need gnuplot: install the Debian package gnuplot-nox")


# ---- tables ------------------------------------------------------------------


def row_of(job):
    row = {"workload": job.workload, "interconnect": job.interconnect, "slaves": job.slaves,
           "parameters": job.parameters(), "observe": job.observe,
           "run": os.path.basename(job.directory)}
    row.update(job.result())
    return row


def write_text(path, text):
    """All of it or nothing: an interruption does not leave half a file."""
    with open(path + ".part", "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(path + ".part", path)
    return path


def write_csv(path, rows):
    with open(path + ".part", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(path + ".part", path)
    return path


def series_names(jobs):
    """{job: its interconnect and those of its parameters that not all of the jobs share}"""
    def pairs(job):
        return job.sets + job.params
    return {job: " ".join([job.interconnect] + [
        f"{name}={value}" for name, value in pairs(job)
        if not all((name, value) in pairs(other) for other in jobs)]) for job in jobs}


def run_time_table(jobs):
    """Guest-measured times of one workload: heading and lines, a column for each number of
    slaves."""
    slaves = sorted({job.slaves for job in jobs})
    names = series_names(jobs)
    lines = []
    for name in dict.fromkeys(names.values()):
        times = {job.slaves: job.result()["guest_ns"] for job in jobs if names[job] == name}
        lines.append([name] + [times.get(n, "") for n in slaves])
    return ["guest ns"] + [f"{n} slave{'' if n == 1 else 's'}" for n in slaves], lines


def markdown_table(heading, lines):
    text = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    text += ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join(text)


def html_table(heading, lines):
    def row(tag, cells):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"
    return "<table>\n" + "\n".join([row("th", heading)] + [row("td", l) for l in lines]) + \
        "\n</table>"


def failure_lines(failures):
    return [f"{job.title()}: {cause}" for job, cause in failures.items()]


def write_markdown(path, command, rows, groups, failures):
    parts = ["# Comparison", f"    {command}"]
    for workload, jobs in groups.items():
        parts += [f"## {workload}: guest-measured run time",
                  markdown_table(*run_time_table(jobs))]
    parts += ["## All runs", markdown_table(SHOWN, [[r[c] for c in SHOWN] for r in rows])]
    if failures:
        parts += ["## Failed runs", "\n".join("- " + line for line in failure_lines(failures))]
    return write_text(path, "\n\n".join(parts) + "\n")


# ---- figures -----------------------------------------------------------------


def quoted(text):
    return '"' + re.sub(r'[\\"`]', "", str(text)) + '"'


def data_block(lines):
    return "\n".join(["$data << END", *(" ".join(map(str, line)) for line in lines), "END", ""])


class Figures:
    """Makes SVG figures in a directory."""

    def __init__(self, directory):
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)  # what an earlier comparison drew
        os.makedirs(directory)

    def draw(self, name, width, height, script):
        """Returns the SVG element."""
        source, picture = (os.path.join(self.directory, name + end) for end in (".gp", ".svg"))
        # Every figure of a page needs names of its own within the SVG.
        head = (f"set terminal svg size {width},{height} font 'sans-serif,13' noenhanced "
                f"name '{re.sub('[^A-Za-z0-9]', '_', name)}' background '#ffffff'\n"
                f"set output '{name}.svg'\n")
        write_text(source, head + script)
        done = subprocess.run(["gnuplot", name + ".gp"], cwd=self.directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"gnuplot does not take {source}: {done.stdout.strip()}")
        with open(picture, encoding="utf-8") as file:
            text = file.read()
        return text[text.index("<svg"):]


def run_time_figure(figures, workload, jobs):
    """Bars: a group for each number of slaves, a bar for each interconnect."""
    heading, lines = run_time_table(jobs)
    slaves = [column.split()[0] for column in heading[1:]]
    longest = max(job.result()["guest_ns"] for job in jobs)
    unit, scale = next((u, s) for u, s in (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1))
                       if longest >= s or s == 1)
    data = [[quoted(count)] + [line[column + 1] / scale if line[column + 1] != "" else "NaN"
                               for line in lines] for column, count in enumerate(slaves)]
    plots = [f"$data using {i + 2}:xtic(1) title {quoted(line[0])} "
             f"linecolor rgb '{COLOURS[i % len(COLOURS)]}'" for i, line in enumerate(lines)]
    script = data_block(data) + f"""set style data histograms
set style histogram clustered gap 1
set style fill solid 1.0 noborder
set xrange [-0.7:{len(slaves) - 0.3}]
set yrange [0:*]
set grid ytics linecolor rgb '#dddddd'
set border 3
set tics nomirror
set key outside right top
set xlabel 'slaves'
set ylabel 'guest-measured run time, {unit}'
plot """ + ", \\\n  ".join(plots) + "\n"
    return figures.draw(f"{workload}-run-time", max(820, 22 * len(lines) * len(slaves) + 320), 360,
                        script)


PERCENTILES = [("min", "min"), ("p50", "50 %"), ("p95", "95 %"), ("p99", "99 %"),
               ("p999", "99.9 %"), ("max", "max")]


def latency_figure(figures, workload, jobs):
    """The latency that so many of the transactions do not exceed, by interconnect."""
    names = series_names(jobs)
    data = [[quoted(text)] + [job.result()[f"latency_{key}_ns"] for job in jobs]
            for key, text in PERCENTILES]
    plots = [f"$data using 0:{i + 2}:xtic(1) with linespoints pointtype 7 pointsize 0.5 "
             f"linewidth 2 linecolor rgb '{COLOURS[i % len(COLOURS)]}' title {quoted(names[job])}"
             for i, job in enumerate(jobs)]
    script = data_block(data) + """set xrange [-0.3:5.3]
set yrange [0:*]
set grid linecolor rgb '#dddddd'
set border 3
set tics nomirror
set key outside right top
set xlabel 'of all transactions'
set ylabel 'take at most, ns'
plot """ + ", \\\n  ".join(plots) + "\n"
    return figures.draw(f"{workload}-latency", 820, 360, script)


def links_of(job):
    """What the statistics say of the links; nothing for an interconnect without."""
    with open(os.path.join(job.directory, "stats.json"), encoding="utf-8") as file:
        return json.load(file)["modules"]["interconnect"].get("links", [])


def node_position(name, ring):
    """Of a mesh's node "2,1", or of a ring's station "3" of so many; where there is room for text
    beside it, and how to align that."""
    numbers = [int(number) for number in name.split(",")]
    if len(numbers) == 2:
        x, y = numbers[0], -numbers[1]
        return (x, y), (x + 0.11, y - 0.2), "left"
    angle = 2 * math.pi * numbers[0] / ring
    radius = max(0.7, ring / 6)
    outside = radius + 0.35
    return ((radius * math.sin(angle), radius * math.cos(angle)),
            (outside * math.sin(angle), outside * math.cos(angle)), "center")


def link_map(links):
    """What there is to draw: nodes {name: see node_position}, wires [(from, to, busy µs)], and
    who is connected to which node {node: [name, ...]}."""
    ends = [link["link"].split(" to ") for link in links]
    is_node = re.compile(r"\d+(,\d+)*$").match
    names = dict.fromkeys(end for pair in ends for end in pair if is_node(end))
    ring = max((int(name) + 1 for name in names if "," not in name), default=1)
    nodes = {name: node_position(name, ring) for name in names}
    wires, users = [], {}
    for (source, target), link in zip(ends, links):
        if source in nodes and target in nodes:
            wires.append((nodes[source][0], nodes[target][0], link["busy_ns"] / 1000))
        elif source in nodes or target in nodes:
            node, user = (source, target) if source in nodes else (target, source)
            users.setdefault(node, [])
            # Every initiator has a target of its own at the IDM; they would hide the rest.
            if user not in users[node] and not user.startswith("idm_"):
                users[node].append(user)
    return nodes, wires, users


def heat_map(figures, name, nodes, wires, users):
    """Links as arrows, coloured by the time for which they were held."""
    data = []
    most = max(busy for _, _, busy in wires) or 1
    for (x1, y1), (x2, y2), busy in wires:
        length = math.hypot(x2 - x1, y2 - y1)
        dx, dy = (x2 - x1) / length, (y2 - y1) / length
        # The two directions of a link lie side by side, to the right of their way.
        aside, gap = 0.06, 0.16
        data.append([round(v, 4) for v in (
            x1 + gap * dx + aside * dy, y1 + gap * dy - aside * dx,
            (length - 2 * gap) * dx, (length - 2 * gap) * dy, busy)])
    labels = []
    for node, ((x, y), (text_x, text_y), side) in nodes.items():
        labels.append(f"set label {quoted(node)} at {x},{y} center font ',9' front")
        if users.get(node):
            labels.append(f"set label {quoted(' '.join(users[node]))} at {text_x},{text_y} {side} "
                          f"font ',9' textcolor rgb '#1f3f7f' front")
    xs, ys = zip(*(node[0] for node in nodes.values()))
    left, right, low, high = min(xs) - 0.7, max(xs) + 0.7, min(ys) - 0.7, max(ys) + 0.7
    script = data_block(data) + "\n".join(labels) + f"""
set xrange [{left}:{right}]
set yrange [{low}:{high}]
set size ratio -1
unset border
unset tics
unset key
set cbrange [0:{most}]
set colorbox
set cblabel 'time for which the link was held, µs'
set cbtics
set palette defined (0 '#e3e6ea', 0.3 '#f3c35b', 0.65 '#e0702a', 1 '#8f1414')
plot $data using 1:2:3:4:5 with vectors filled head size 0.09,20 linewidth 4 linecolor palette
"""
    scale = 110
    return figures.draw(name, int(min(900, 220 + scale * (right - left))),
                        int(min(760, 60 + scale * (high - low))), script)


def write_page(path, command, rows, groups, failures, figures):
    parts = []
    for workload, jobs in groups.items():
        most = max(job.slaves for job in jobs)
        largest = [job for job in jobs if job.slaves == most]
        parts += [f"<h2>{html.escape(workload)}: guest-measured run time</h2>",
                  run_time_figure(figures, workload, jobs), html_table(*run_time_table(jobs)),
                  f"<h2>{html.escape(workload)}: latency of the transactions, slaves: {most}</h2>",
                  latency_figure(figures, workload, largest)]
        for number, job in enumerate(largest):
            nodes, wires, users = link_map(links_of(job))
            if wires:
                parts += [f"<h2>{html.escape(job.title())}: load of the links</h2>",
                          heat_map(figures, f"{workload}-links-{number}", nodes, wires, users)]
    parts += ["<h2>All runs</h2>", html_table(SHOWN, [[row[c] for c in SHOWN] for row in rows])]
    if failures:
        parts += ["<h2>Failed runs</h2>", "<ul>"]
        parts += [f"<li>{html.escape(line)}</li>" for line in failure_lines(failures)]
        parts += ["</ul>"]
    body = "\n".join(parts)
    return write_text(path, f"""<!DOCTYPE html>
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
<p>Transactions and latencies are those of the whole run, with its preparation and its check; the
run time is what the guest has measured around its work.</p>
{body}
</body>
</html>
""")


def write(out, command, jobs, failures):
    """Returns the paths of what it wrote."""
    rows = [row_of(job) for job in jobs]
    groups = {}
    for job in jobs:
        groups.setdefault(job.workload, []).append(job)
    figures = Figures(os.path.join(out, "figures"))
    return [write_csv(os.path.join(out, "results.csv"), rows),
            write_markdown(os.path.join(out, "results.md"), command, rows, groups, failures),
            write_page(os.path.join(out, "report.html"), command, rows, groups, failures, figures)]
