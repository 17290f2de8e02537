# SPDX-License-Identifier: Apache-2.0
"""The figures of a comparison, each as an SVG file and the gnuplot script with its data that made
it."""
import contextlib
import errno
import math
import os
import re
import shutil
import subprocess

from .files import unique, write_text

AXES = """set border 3
set tics nomirror
set key outside right top
"""
COLOURS = ["#1f6fb4", "#e07b00", "#2e9a4b", "#b8312f", "#7b5bb0", "#7a5236", "#d264ae", "#6f6f6f",
           "#a5a81f", "#159eb0"]


class NoGnuplot(Exception):
    pass


def require_gnuplot():
    if not shutil.which("gnuplot"):
        raise NoGnuplot("the plots need gnuplot: install the Debian package gnuplot-nox")


def series_names(jobs, columns=False):
    """{job: its interconnect, those of its parameters that not all of the jobs share, and whether
    it was recorded}. columns: without the one that makes the columns of a table"""
    shared = set.intersection(*(set(job.row.labels) for job in jobs))

    def name(job):
        words = job.row.head()[:1] + [
            f"{name}={value}" for name, value in job.row.labels
            if (name, value) not in shared and
            not (columns and (name, value) == job.row.column)]
        return " ".join((words or [job.row.workload]) +
                        ["(recorded)"] * (job.row.traffic == "recorded"))
    return {job: name(job) for job in jobs}


def time_shown(jobs):
    """Which of a result's times a comparison is about, and what that is: a replay has no guest
    that could measure one, and not every program does."""
    if any(job.row.traffic == "replayed" for job in jobs):
        return "end_ns", "end of the last transaction"
    if jobs[0].row.region:
        return "region_ns", f"simulated time of region {jobs[0].row.region}"
    if all("guest_ns" in job.result() for job in jobs):
        return "guest_ns", "guest-measured run time"
    return "simulated_ns", "simulated time of the run"


def columns_of(jobs):
    """Values of what makes the columns, in order: as they were given, or numbers."""
    values = list(dict.fromkeys(job.row.column[1] for job in jobs))
    return sorted(values) if all(isinstance(value, int) for value in values) else values


def column_title(job_column, workload):
    name, value = job_column
    if name == "slaves":
        return f"{value} slave{'' if str(value) == '1' else 's'}"
    return f"{name}={value}" if name else workload


def run_times(jobs):
    """{name of a series: {value of the column: (time, half of its 95 % interval or None)}}"""
    column, _ = time_shown(jobs)
    names = series_names(jobs, columns=True)
    times: dict[str, dict[int | str, tuple[float, float | None]]] = {}
    for job in jobs:
        result = job.result()
        times.setdefault(names[job], {})[job.row.column[1]] = \
            (result[column], result.get(f"{column}_ci95"))
    return times


def run_time_table(jobs):
    """Times of one workload: heading and lines, a column for each number of slaves, or for what
    else makes the columns."""
    def cell(time, half=None):
        return time if half is None else f"{time} ± {half}"
    values, times = columns_of(jobs), run_times(jobs)
    lines = [[name, *(cell(*own.get(value, ("",))) for value in values)]
             for name, own in times.items()]
    titles = [column_title((jobs[0].row.column[0], value), jobs[0].row.workload)
              for value in values]
    return [time_shown(jobs)[0]] + titles, lines


def below_noise(jobs):
    """Sentences on neighbours in a column whose intervals overlap."""
    said = []
    times = run_times(jobs)
    for value in columns_of(jobs):
        column = sorted((*own[value], name) for name, own in times.items()
                        if value in own and own[value][1] is not None)
        where = column_title((jobs[0].row.column[0], value), jobs[0].row.workload)
        said += [f"{where}: the difference between {one} and {other} is below the noise."
                 for (low, below, one), (high, above, other) in zip(column, column[1:])
                 if below + above > 0 and low + below >= high - above]
    return said


def size_with_key(names, width):
    """Of a figure so wide with names of the usual length, to the right of it."""
    return width + 9 * max(0, max(map(len, names)) - 22), max(360, 19 * len(names) + 30)


def quoted(*lines):
    return '"' + "\\n".join(re.sub(r'[\\"`]', "", str(line)) for line in lines) + '"'


def data_block(lines):
    return "\n".join(["$data << END", *(" ".join(map(str, line)) for line in lines), "END", ""])


class Figures:
    """Makes SVG figures in a directory, which is replaced as a whole by those of this comparison,
    whoever else makes them. with: when it ends, they are there."""

    def __init__(self, directory):
        self.directory, self.part = directory, unique(directory)
        self.names, self._elements = [], {}

    def __enter__(self):
        os.makedirs(self.part)
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self.names:
                self._plot()
            while kind is None:
                with contextlib.suppress(FileNotFoundError):
                    os.rename(self.directory, self.part + ".old")
                    shutil.rmtree(self.part + ".old")
                try:
                    os.rename(self.part, self.directory)
                    break
                except OSError as error:
                    if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                        raise
        finally:
            shutil.rmtree(self.part, ignore_errors=True)

    def draw(self, name, width, height, script):
        """Returns a mark for filled() to replace."""
        name = re.sub("[^A-Za-z0-9._-]", "_", name)
        # Every figure of a page needs names of its own within the SVG.
        head = (f"set terminal svg size {width},{height} font 'sans-serif,13' noenhanced "
                f"name '{re.sub('[^A-Za-z0-9]', '_', name)}' background '#ffffff'\n"
                f"set output '{name}.svg'\n")
        write_text(os.path.join(self.part, name + ".gp"), head + script)
        self.names.append(name)
        return f"<!-- figure {name} -->"

    def _plot(self):
        """One process for all."""
        words = [word for name in self.names for word in ("-e", "reset", name + ".gp")]
        done = subprocess.run(["gnuplot", *words], cwd=self.part, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True, check=False)
        if done.returncode:
            raise RuntimeError(f"gnuplot does not take a script of {self.directory}: "
                               f"{done.stdout.strip()}")
        for name in self.names:
            with open(os.path.join(self.part, name + ".svg"), encoding="utf-8") as file:
                text = file.read()
            self._elements[name] = text[text.index("<svg"):]

    def filled(self, page):
        """The page with the SVG elements in place of their marks."""
        return re.sub("<!-- figure (.*?) -->", lambda mark: self._elements[mark[1]], page)


def run_time_figure(figures, workload, jobs):
    """Bars: a group for each number of slaves, or column, and a bar for each interconnect."""
    times, groups = run_times(jobs), columns_of(jobs)
    column, meaning = time_shown(jobs)
    longest = max(job.result()[column] for job in jobs)
    unit, scale = next((u, s) for u, s in (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1))
                       if longest >= s or s == 1)
    bars = any(job.row.seeds for job in jobs)

    def entry(time, half=0):
        return [time / scale, (half or 0) / scale] if bars else [time / scale]
    data = [[quoted(value)] + [number for own in times.values() for number in (
                entry(*own[value]) if value in own else ["NaN"] * len(entry(0)))]
            for value in groups]
    step = 2 if bars else 1
    plots = [f"$data using {step * i + 2}{f':{2 * i + 3}' if bars else ''}:xtic(1) "
             f"title {quoted(name)} linecolor rgb '{COLOURS[i % len(COLOURS)]}'"
             for i, name in enumerate(times)]
    style = "errorbars gap 1 linewidth 1.5" if bars else "clustered gap 1"
    title = "bars: 95 % confidence intervals" + \
        ("; not all differences are above the noise" if below_noise(jobs) else "")
    script = data_block(data) + f"""set style data histograms
set style histogram {style}
set title {quoted(title if bars else "")}
set style fill solid 1.0 noborder
set xrange [-0.7:{len(groups) - 0.3}]
set yrange [0:*]
set grid ytics linecolor rgb '#dddddd'
{AXES}set xlabel {quoted(jobs[0].row.column[0])}
set ylabel '{meaning}, {unit}'
plot """ + ", \\\n  ".join(plots) + "\n"
    width = max(820, 22 * len(times) * len(groups) + 320)
    return figures.draw(f"{workload}-run-time", *size_with_key(list(times), width),
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
    script = data_block(data) + f"""set xrange [-0.3:5.3]
set yrange [0:*]
set grid linecolor rgb '#dddddd'
{AXES}set xlabel 'share of all transactions that take no longer'
set ylabel 'latency, ns'
plot """ + ", \\\n  ".join(plots) + "\n"
    shown = [names[job] for job in jobs]
    return figures.draw(f"{workload}-latency", *size_with_key(shown, 820), script)


def links_of(job):
    """What the statistics say of the links; nothing for an interconnect without."""
    return job.statistics().get("links", [])


def node_position(name, ring):
    """Of a mesh's node "2,1", or of a ring's station "3" of so many; where there is room for text
    beside it, and how to align that."""
    numbers = [int(number) for number in name.split(",")]
    if len(numbers) == 2:
        x, y = numbers[0], -numbers[1]
        return (x, y), (x + 0.14, y - 0.2), "left"
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
    wires: list[tuple[tuple[float, float], tuple[float, float], float]] = []
    users: dict[str, list[str]] = {}
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


MOST_NAMES = 6  # at a node: no more fit between the links
LINE_HEIGHT = 0.115  # of the small letters, where 1 is the length of a link


def names_label(users, position, side):
    """The names one below the other: from the position down, or around it when centred."""
    x, y = position
    lines = users if len(users) <= MOST_NAMES else \
        users[:MOST_NAMES - 1] + [f"and {len(users) - MOST_NAMES + 1} more"]
    if side == "center":
        y += LINE_HEIGHT * (len(lines) - 1) / 2
    return f"set label {quoted(*lines)} at {x},{y} {side} font ',9' textcolor rgb '#1f3f7f' front"


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
    for node, ((x, y), beside, side) in nodes.items():
        labels.append(f"set label {quoted(node)} at {x},{y} center font ',9' front")
        if users.get(node):
            labels.append(names_label(users[node], beside, side))
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
