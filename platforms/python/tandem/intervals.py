# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals of means."""
from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

# Student's t, two-sided 95 %, for 1 to 30 degrees of freedom.
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042)


def student_t95(degrees: int) -> float:
    """The quantile for a two-sided interval of 95 %. Above 30 degrees of freedom by the expansion
    around the normal distribution, which is good to 0.001 there."""
    if degrees <= len(_T95):
        return _T95[degrees - 1]
    z = 1.959964
    return z + (z ** 3 + z) / (4 * degrees) + \
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)


def _rounded(number: float) -> float:
    if number == int(number):
        return int(number)
    return round(number, 3 if abs(number) >= 1 else 6)


def interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and half the width of its 95 % confidence interval; None: one value has none."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return _rounded(mean), None
    half = student_t95(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return _rounded(mean), _rounded(half)
