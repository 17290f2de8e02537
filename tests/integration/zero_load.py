# SPDX-License-Identifier: Apache-2.0
"""What docs/interconnects.md says that an access takes which meets no other, for a system of cluster
buses with caches on a network with channels of DRAM. Times are in ps. Written from the document and
not from the models."""

PS = {"ps": 1, "ns": 1000, "us": 1000000, "ms": 1000000000}


def time_of(text):
    """ "10ns" in ps."""
    number = text.rstrip("unmps")
    return round(float(number) * PS[text[len(number):] or "ns"]) if text != "0" else 0


class Clocked:
    """What the formulae of bus, crossbar, mesh and ring begin with."""

    def __init__(self, parameters):
        self.clock = time_of(parameters["clock"])
        self.width, self.overhead = int(parameters["width"]), int(parameters["overhead"])

    def edge(self, t):
        return -(-t // self.clock) * self.clock

    def cycles(self, size):
        return self.overhead + -(-size // self.width)


class Bus(Clocked):
    def carried(self, t, size):
        """When the target is reached."""
        return self.edge(t) + self.clock * self.cycles(size)


class Network(Clocked):
    def __init__(self, kind, parameters, initiators, targets):
        super().__init__(parameters)
        self.router, self.link = int(parameters["router"]), int(parameters["link"])
        if kind == "mesh":
            self.columns, rows = int(parameters["columns"]), int(parameters["rows"])
            nodes = self.columns * rows
        else:
            self.columns = 0
            nodes = int(parameters["stations"]) or len(initiators) + len(targets)
        self.nodes = nodes
        self.place = {name: i % nodes for i, name in enumerate(initiators)}
        self.place.update({name: nodes - 1 - i % nodes for i, name in enumerate(targets)})
        for entry in filter(None, parameters["place"].split(";")):
            name, at = entry.split("@")
            x, _, y = at.replace(":", ",").partition(",")
            self.place[name] = int(x) + self.columns * int(y or 0)

    def hops(self, initiator, target):
        a, b = self.place[initiator], self.place[target]
        if not self.columns:
            return min(abs(a - b), self.nodes - abs(a - b))
        return (abs(a % self.columns - b % self.columns) +
                abs(a // self.columns - b // self.columns))

    def delivered(self, t, hops, size):
        """A packet with so many bytes of data that sets out at t."""
        flits = self.cycles(size) if size else self.overhead
        return self.edge(t) + self.clock * (
            (hops + 1) * self.router + hops * self.link + flits)


class Dram:
    """One channel. What it has open, it has since the last refresh."""

    def __init__(self, parameters):
        self.p = {name: time_of(value) for name, value in parameters.items()
                  if name not in ("row", "banks", "burst")}
        self.row, self.banks, self.burst = (int(parameters[name])
                                            for name in ("row", "banks", "burst"))
        self.open = {}  # bank: row, number of refreshes before
        self.seen = set()

    def done(self, t, address, size):
        interval, begin, number = self.p["refresh_interval"], t, 0
        if interval:
            number = t // interval
            if number and t < number * interval + self.p["refresh_time"]:
                begin = number * interval + self.p["refresh_time"]
        row, bank = address // self.row // self.banks, address // self.row % self.banks
        was, epoch = self.open.get(bank, (None, -1))
        self.open[bank] = (row, number)
        bursts = (address + size - 1) // self.burst - address // self.burst + 1
        time = self.p["column"] + bursts * self.p["transfer"]
        if epoch != number:
            time += self.p["activate"]
            self.seen.add("miss")
        elif was != row:
            time += self.p["precharge"] + self.p["activate"]
            self.seen.add("conflict")
        else:
            self.seen.add("hit")
        return begin + time


class Cache:
    def __init__(self, line, size, ways):
        self.line, self.ways, self.sets = line, ways, size // line // ways
        self.lines = {}  # set: [line, dirty], the next to go at the end

    def transfers(self, address, write):
        """What an access within a line has the cache do: (command, address)."""
        number = address // self.line
        items = self.lines.setdefault(number % self.sets, [])
        found = [item for item in items if item[0] == number]
        result = []
        if not found:
            if len(items) == self.ways:
                victim = items.pop()
                if victim[1]:
                    result.append(("write", victim[0] * self.line))
            found = [[number, False]]
            result.append(("read", number * self.line))
        else:
            items.remove(found[0])
        found[0][1] |= write
        items.insert(0, found[0])
        return result
