# SPDX-License-Identifier: Apache-2.0
"""A plan as a workflow for Debian's Snakemake (7.21)."""
from __future__ import annotations

import shlex

from .backends import command
from .files import write_for_user
from .plans import Plan
from .words import Refused

# A run's result is what Snakemake looks for, so it makes none that is there. It prepares an empty
# directory for it, which the finished one replaces. Times of files say nothing here.
WORKFLOW = '''# Runs of: {typed}
# snakemake --snakefile {path} --cores N makes them; then the command above makes the report.
import json

with open({plan!r}) as file:
    runs = {{run["hash"]: run for run in json.load(file)["runs"]}}
by_name = {{run["directory"].rpartition("/")[2]: run for run in runs.values()}}


rule all:
    input:
        [run["directory"] + "/result.json" for run in runs.values()
         if run["expects"]["traffic"] != "checkpoint"]


rule run:
    wildcard_constraints:
        place="runs|checkpoints", name="[^/]+"
    input:
        lambda wanted: [ancient(runs[other]["directory"] + "/result.json")
                        for other in by_name[wanted.name]["after"]]
    output:
        {out!r} + "/{{place}}/{{name}}/result.json"
    threads:
        lambda wanted: int(by_name[wanted.name]["resources"]["cores"])
    params:
        hash=lambda wanted: by_name[wanted.name]["hash"]
    shell:
        {shell!r}
'''


def write(plan: Plan, path: str) -> str:
    if set("{}") & set(plan.out):
        raise Refused(f"--out {plan.out} has a brace, which Snakemake takes for a wildcard's")
    words, environment = command(plan)
    for_shell = " ".join([*(f"{name}={shlex.quote(value)}" for name, value in environment.items()),
                          *map(shlex.quote, words)])
    braces = for_shell.replace("{", "{{").replace("}", "}}")
    return write_for_user(path, WORKFLOW.format(
        typed=plan.command, path=shlex.quote(path), plan=plan.file(),
        out=plan.out, shell=braces + " {params.hash}"))
