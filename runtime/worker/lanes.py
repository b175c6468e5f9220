"""Which tests must not run beside others: a lane for each (runtime/PROTOCOL.md, MODULE)."""
import fnmatch
import os

import _fastest.limits as limits

ANY, ALONE, FIRST = 0, 1, 2


def _matches(rel, globs):
    """Whether one names the module, or a folder above it."""
    while rel:
        if any(fnmatch.fnmatchcase(rel, os.path.normpath(glob)) for glob in globs):
            return True
        rel = os.path.dirname(rel)
    return False


class Lanes:
    def __init__(self, request, alone, costs):
        """alone: node ids of tests that need it."""
        self.costs = costs
        self.serial = request.get("serial", ())
        self.groups = request.get("groups", ())  # [name, glob]
        self.alone = alone
        self.closest = limits.Closest("xdist_group")
        self.numbers = {}

    def _number(self, kind, name):
        return self.numbers.setdefault((kind, name), FIRST + len(self.numbers))

    def _of_module(self, rel):
        if _matches(rel, self.serial):
            return ALONE
        for name, glob in self.groups:
            if _matches(rel, (glob,)):
                return self._number("group", name)
        return ANY

    def _of_item(self, item, lane):
        if lane == ALONE or item.nodeid in self.alone:
            return ALONE
        mark = self.closest.of(item)
        if mark is None:
            shared = self.costs.shared(item) if lane == ANY else None
            return self._number("fixture", shared) if shared else lane
        return self._number("mark", str(mark.args[0] if mark.args else mark.kwargs.get("name", "default")))

    def of(self, rel, items):
        """The lane of each, or an empty list where all have none."""
        lane = self._of_module(rel)
        found = [self._of_item(item, lane) for item in items]
        return found if any(found) else []
