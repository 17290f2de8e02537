# SPDX-License-Identifier: Apache-2.0
"""Has Slurm make the tasks of a file, for test_slurm.py: each is a script of the shell, and has
ended well when there is something in DIR/ID.done. Called as: slurm_driver.py DIR
[OPTION=VALUE]... [cancel]"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "platforms", "python"))
from tandem import Refused  # noqa: E402
from tandem.slurm_comparison import Comparison  # noqa: E402
from tandem.slurm_limits import Options, Task  # noqa: E402


def tasks_in(directory):
    with open(os.path.join(directory, "tasks"), encoding="utf-8") as file:
        for entry in json.load(file):
            done = os.path.join(directory, entry["id"] + ".done")
            yield Task(entry["id"], ["/bin/sh", "-ec", entry["script"], entry["id"]], directory,
                       lambda path=done: os.path.exists(path) and os.path.getsize(path) > 0,
                       after=entry.get("after", []), kind=entry.get("kind", ""))


def main(directory, *words):
    values = dict(word.split("=", 1) for word in words if word != "cancel")
    numbers = {name: float(values[name]) for name in ("memory", "time", "submitted", "period")
               if name in values}
    options = Options(directory, **{
        name: value if name in ("period", "time") else int(value)
        for name, value in numbers.items()})
    options.sbatch = values.get("sbatch", "").split()
    try:
        comparison = Comparison(list(tasks_in(directory)), options)
        if "cancel" in words:
            print(json.dumps(comparison.cancel()))
        else:
            print(json.dumps(comparison.run()))
    except Refused as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(comparison.left(), file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
