# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/*.md can be followed word for word; documents.py tells how. A document's
commands run in a directory of their own that looks like the tree with a build in build/release."""
import glob
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys

from documents import (blocks, missing_line, options_of, program_of, tools_of_guests,
                       without_head)
from platform_run import PlatformTest, ctest, main

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BLOCK_TIMEOUT = 2000
# Of the shell, of busybox in a guest, and of packages.
OTHERS = {"cd", "echo", "export", "insmod", "cmake", "make", "perf", "qemu-system-aarch64", "ctest",
          "snakemake"}
# Files that the reader has.
OWN_FILES = ("FILE",)
# The build is there already, and nothing of it may change while tests run.
CMAKE = """#!/bin/sh
case "$*" in
*--preset*) exit 0 ;;
esac
PATH=${PATH#*:}
exec "%s" "$@"
""" % shutil.which(os.environ.get("TANDEM_CMAKE", "cmake"))


class Documents(PlatformTest):
    def make_tree(self):
        tree = self.path("tree")
        os.makedirs(os.path.join(tree, "build"))
        for name in os.listdir(ROOT):
            if not name.startswith(".") and name not in ("build", "out"):
                os.symlink(os.path.join(ROOT, name), os.path.join(tree, name))
        os.symlink(os.environ["TANDEM_BUILD"], os.path.join(tree, "build", "release"))
        for name in OWN_FILES:
            shutil.copy(os.path.join(ROOT, "README.md"), os.path.join(tree, name))
        os.makedirs(self.path("programs"))
        with open(self.path("programs/cmake"), "w", encoding="ascii") as file:
            file.write(CMAKE)
        os.chmod(file.name, 0o755)
        return tree

    def sh(self, tree, text, where):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("TANDEM_")}
        environment["PATH"] = self.path("programs") + ":" + environment["PATH"]
        done = subprocess.run(["sh", "-ec", text], cwd=tree, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BLOCK_TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, f"{where}:\n{text}\n{done.stdout[-3000:]}")
        return done.stdout.replace("\r", "")

    def check_document(self, name):
        path = os.path.join(ROOT, name)
        tree, output = None, None
        for block in blocks(path):
            where = f"{name}:{block.line}"
            tree = tree or self.make_tree()
            if block.kind == "shell" and block.why:
                self.check_known(tree, block, where)
            elif block.kind == "shell":
                output = self.sh(tree, block.text, where)
            elif block.kind == "output":
                gap = missing_line(block.text, output)
                self.assertIsNone(gap, f"{where}: the commands above print:\n{output}")
            elif block.kind in ("c", "cpp", "cmake"):
                self.check_listing(os.path.dirname(path), block, where)
            elif block.kind == "python":
                compile(block.text, where, "exec")
                if not block.why:
                    self.sh(tree, shlex.join([sys.executable, "-c", block.text]), where)
            elif block.kind == "sql":
                self.check_sql(os.path.join(tree, "run.db"), block, where)
            else:
                self.assertEqual(block.kind, "text", f"{where}: what kind of block is it?")

    def check_listing(self, directory, block, where):
        self.assertIsNotNone(block.link, f"{where}: no link to the listing's file")
        with open(os.path.join(directory, block.link), encoding="utf-8") as file:
            self.assertEqual(without_head(file.read()), block.text, f"{where}, {block.link}")

    def check_sql(self, database, block, where):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        for statement in block.text.split(";"):
            with self.subTest(where=where, statement=statement):
                connection.execute(statement).fetchall()
        connection.close()

    def check_known(self, tree, block, where):
        """Without running it: there is the program, and its help knows the options."""
        for command in block.commands():
            # What a substitution calls is a guest's business.
            for part in re.sub(r"\w+=\$\(.*\)$", "", command).split(" && "):
                words = program_of(shlex.split(part, comments=True))
                if words:
                    self.check_call(tree, words, f"{where}: {part}")

    def check_call(self, tree, words, where):
        program = words[0]
        if words[:2] == ["perf", "record"]:
            self.check_call(tree, words[2:], where)
        if program in OTHERS | tools_of_guests(ROOT):
            return
        self.assertTrue(os.access(os.path.join(tree, program), os.X_OK), f"{where}: no {program}")
        if program == "./tandem":
            help_text = self.sh(tree, "./tandem help", where)
            self.assertIn(f"\n  {words[1]}", help_text, where)
            program = " ".join(words[:2])
        if options_of(words):
            help_text = self.sh(tree, f"{program} --help 2>&1 || true", where)
            for option in options_of(words):
                # --slave1.machine is told of as --INSTANCE.machine
                _, dot, rest = option.partition(".")
                known = option in help_text or (dot and "." + rest in help_text)
                self.assertTrue(known, f"{where}: the help does not know {option}")


def add_tests():
    paths = [os.path.join(ROOT, "README.md"), *glob.glob(os.path.join(ROOT, "docs", "*.md"))]
    for path in sorted(paths):
        name = os.path.relpath(path, ROOT)
        if not list(blocks(path)):
            continue
        word = os.path.basename(name)[:-3].lower().replace("-", "_")
        test = ctest(timeout=1500, once=True)(lambda self, name=name: self.check_document(name))
        setattr(Documents, "test_" + word, test)


add_tests()

if __name__ == "__main__":
    main()
