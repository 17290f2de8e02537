# SPDX-License-Identifier: Apache-2.0
"""The cache of docs/observing-memory.md once more, to check the adapter's against: caches of one
CPU, fed with (address, bytes, is a store) in order."""
import collections


class Level:
    """Sets of lines, each in the order in which they are replaced: the first one goes."""

    def __init__(self, size, ways, line, replacement):
        self.sets = [collections.OrderedDict() for _ in range(size // ways // line)]
        self.ways, self.replacement = ways, replacement

    def look_up(self, line, dirty):
        """(hit, the dirty line that had to go or None)"""
        lines = self.sets[line % len(self.sets)]
        if line in lines:
            lines[line] |= dirty
            if self.replacement == "lru":
                lines.move_to_end(line)
            return True, None
        gone = None
        if len(lines) == self.ways:
            old, was_dirty = lines.popitem(last=False)
            gone = old if was_dirty else None
        lines[line] = dirty
        return False, gone


def simulate(accesses, line=64, l1=(32768, 4), l2=None, replacement="lru"):
    """The counts as the statistics have them."""
    count = collections.Counter(l1_hits=0, l1_misses=0, l2_hits=0, l2_misses=0, write_backs=0)
    first = Level(*l1, line, replacement)
    second = Level(*l2, line, replacement) if l2 else None

    def lower(number, dirty):
        if not second:
            count["write_backs"] += dirty
            return
        hit, gone = second.look_up(number, dirty)
        count["write_backs"] += gone is not None
        if not dirty:
            count["l2_hits" if hit else "l2_misses"] += 1

    for address, size, store in accesses:
        for number in range(address // line, (address + size - 1) // line + 1):
            hit, gone = first.look_up(number, store)
            count["l1_hits" if hit else "l1_misses"] += 1
            if hit:
                continue
            if gone is not None:
                lower(gone, True)
            lower(number, False)
    return dict(count)
