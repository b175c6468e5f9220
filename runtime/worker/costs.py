"""What session fixtures cost to set up, and what the tests take that use them: <state>/fixtures, a line for each worker
that has set up an expensive one: "run TAB fixture TAB seconds to set up TAB seconds of tests".

Where the set-up takes longer than all tests behind it, one worker runs these tests (lanes.py): to set it up in each
worker would take the processors from other tests."""
import os
import time

EXPENSIVE_S = 0.5
MANY = 500  # lines, after which the file is written anew


def _name(fixturedef):
    return "%s::%s" % (fixturedef.baseid, fixturedef.argname)


def _plain(name):
    return "\t" not in name and "\n" not in name


class Costs:
    def __init__(self, state_dir, run):
        self.path, self.run = os.path.join(state_dir, "fixtures"), run
        self.known = {}   # fixture -> [its set-up at most, its tests in the run in which they took longest]
        self.set_up = {}  # fixture -> seconds, in this process
        self.tests = {}   # fixture -> seconds, in this process
        self._read()

    def _read(self):
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as f:
                rows = [line.rstrip("\n").split("\t") for line in f]
        except OSError:
            return
        sums = {}
        for run, name, cost, tests in (row for row in rows if len(row) == 4):
            try:
                known = self.known.setdefault(name, [0.0, 0.0])
                known[0] = max(known[0], float(cost))
                sums[run, name] = sums.get((run, name), 0.0) + float(tests)
            except ValueError:
                continue
        for (_, name), tests in sums.items():
            self.known[name][1] = max(self.known[name][1], tests)
        if len(rows) > MANY:
            self._write("w", {n: ("-", c, t) for n, (c, t) in self.known.items()})

    def _write(self, mode, rows):
        try:
            with open(self.path, mode, encoding="utf-8", errors="surrogateescape") as f:
                f.write("".join("%s\t%s\t%.3f\t%.3f\n" % (run, name, cost, tests)
                                for name, (run, cost, tests) in rows.items()))
        except OSError:
            pass

    def shared(self, item):
        """The expensive fixture for which the item should run where others that use it do, or None."""
        info = getattr(item, "_fixtureinfo", None)
        if not self.known or info is None:
            return None
        names = {_name(d) for defs in info.name2fixturedefs.values() for d in defs}
        found = [(cost, name) for name, (cost, tests) in self.known.items() if name in names and tests <= cost]
        return max(found)[1] if found else None

    # ---- in a worker ----

    def note(self, fixturedef, seconds):
        if seconds >= EXPENSIVE_S and _plain(_name(fixturedef)):
            self.set_up[_name(fixturedef)] = seconds

    def timed(self, item, run):
        """run(), and the time counts for the expensive fixtures of the item."""
        start, before = time.perf_counter(), sum(self.set_up.values())
        try:
            return run()
        finally:
            info = getattr(item, "_fixtureinfo", None)
            names = {_name(d) for defs in info.name2fixturedefs.values() for d in defs} if info else ()
            took = time.perf_counter() - start - (sum(self.set_up.values()) - before)
            for name in self.set_up:
                if name in names:
                    self.tests[name] = self.tests.get(name, 0.0) + took

    def save(self):
        if self.set_up:
            self._write("a", {n: (self.run, s, self.tests.get(n, 0.0)) for n, s in self.set_up.items()})
