# SPDX-License-Identifier: Apache-2.0
"""Prints "NAME FILE CLASS.METHOD TIMEOUT ONCE" for each test of the given files, for
CMakeLists.txt: test_delay_felt.DelayFelt.test_x86 becomes delay_felt_x86."""
import importlib.util
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


for path in sys.argv[1:]:
    module = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(module, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    for case in cases(unittest.defaultTestLoader.loadTestsFromModule(loaded)):
        method = case._testMethodName
        about = getattr(getattr(case, method), "ctest", {"timeout": 300, "once": False})
        name = module[len("test_"):] + "_" + method[len("test_"):]
        print(name, os.path.basename(path), f"{type(case).__name__}.{method}", about["timeout"],
              int(about["once"]))
