# SPDX-License-Identifier: Apache-2.0
"""What the documents have to be followed word for word: the blocks of a Markdown file.

A block that is indented by four spaces is typed at a shell, in the top directory. So that it can be
tested, what is none is fenced:
  ```output            what the commands before it print: these lines, in this order, among
                       others; ... stands for anything
  ```text              a picture, a formula: nothing to test
  ```c, cpp, cmake     equal to the file that the nearest link above leads to, less its comments at
                       the top
  ```python, sql       run after the commands before it; sql with the database run.db
A comment <!-- not run: WHY --> above a block says that a test cannot run it. Then what it calls must
be there, and its options must be known."""
import os
import re

MARK = re.compile(r"<!-- not run: (.+) -->$")
LINK = re.compile(r"\]\((?!http)([^)#]+\.\w+|[^)#]*CMakeLists\.txt)\)")


class Block:
    def __init__(self, kind, line, lines, why, link):
        self.kind, self.line, self.why, self.link = kind, line, why, link
        self.text = "\n".join(lines) + "\n"

    def commands(self):
        """Its commands as typed, one string each."""
        whole = re.sub(r"\\\n\s*", " ", self.text)
        lines = (re.sub(r"(^|\s)#\s.*", "", line).strip() for line in whole.splitlines())
        return [line for line in lines if line]


def blocks(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    at, why, link, before = 0, None, None, ""
    while at < len(lines):
        line = lines[at]
        begin = at
        if line.startswith("```"):
            at += 1
            while not lines[at].startswith("```"):
                at += 1
            yield Block(line[3:] or "unnamed", begin + 1, lines[begin + 1:at], why, link)
            why = None
        elif line.startswith("    ") and not before.strip():
            while at + 1 < len(lines) and lines[at + 1].startswith("    "):
                at += 1
            yield Block("shell", begin + 1, [text[4:] for text in lines[begin:at + 1]], why, link)
            why = None
        elif MARK.match(line):
            why = MARK.match(line)[1]
        elif line.strip() and why:
            raise ValueError(f"{path}:{at + 1}: a block was to follow that is not run: {why}")
        for found in LINK.findall(line) if begin == at else ():
            link = found
        before = lines[at]
        at += 1


def without_head(text):
    """A listing's file less the comment lines at its top."""
    lines = text.splitlines(keepends=True)
    while lines and (re.match(r"(//|# )", lines[0]) or re.match(r"/\*.*\*/$", lines[0])):
        lines.pop(0)
    return "".join(lines)


def missing_line(expected, output):
    """The first line of the block that the output does not have behind those before it."""
    at = 0
    for line in expected.splitlines():
        pattern = "^(?:" + ".*".join(map(re.escape, line.split("..."))).rstrip() + r")\s*$"
        found = re.compile(pattern, re.M).search(output, at)
        if not found:
            return line
        at = found.end()
    return None


def program_of(words):
    """The words of a simple command from the program on."""
    at = 0
    while at < len(words) and re.match(r"\w+=", words[at]):
        at += 1
    return words[at:]


def options_of(words):
    """Names of the long options; those behind -- are another program's."""
    words = words[:words.index("--")] if "--" in words else words
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def tools_of_guests(root):
    """Commands that Tandem brings into a Linux guest."""
    tools = os.path.join(root, "sw", "linux", "tools")
    names = {name[:-2] for name in os.listdir(tools) if name.endswith(".c")}
    return names | {"load-remoteproc"}
