"""What tests were found to need, and what was ever imported: two files of the state directory.

`needs` has a line for each test that failed beside others and passed alone (runtime/batch/confirm.c writes it):
"exclusive TAB node id", "order TAB node id" (the tests before it), or "imports TAB node id TAB module,…". `imports` has the names of the modules that sessions
and workers have loaded, by which a worker can have what plain pytest's one process would have.
"""
import importlib
import os
import sys
import warnings

_OURS = ("_pytest.", "_fastest.", "__main__", "__mp_main__")


def _lines(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            return f.read().splitlines()
    except OSError:
        return []


class Needs:
    def __init__(self, state_dir, planned):
        self.path = os.path.join(state_dir, "imports")
        self.planned = set(planned)
        self.alone, self.order, self.imports = set(), set(), {}
        self.seen = set()  # names that have been looked at
        for line in _lines(os.path.join(state_dir, "needs")):
            kind, _, rest = line.partition("\t")
            test, _, names = rest.partition("\t")
            if kind == "exclusive":
                self.alone.add(test)
            elif kind == "imports":
                self.imports[test] = names.split(",")
            elif kind == "order":
                self.order.add(test)
        self.known = set(_lines(self.path))

    def _counts(self, name, module):
        """Whether it can be imported again by that name, and is no test."""
        spec, path = getattr(module, "__spec__", None), getattr(module, "__file__", None) or ""
        return getattr(spec, "name", None) == name and not name.startswith(_OURS) and "\n" not in name and \
            path not in self.planned and not path.endswith("/conftest.py")

    def note(self):
        """Adds what is loaded now and was not known."""
        names = sys.modules.keys() - self.seen
        self.seen |= names
        fresh = [name for name in sorted(names - self.known) if self._counts(name, sys.modules.get(name))]
        if not fresh:
            return
        self.known.update(fresh)
        try:
            with open(self.path, "a", encoding="utf-8", errors="surrogateescape") as f:
                f.write("".join(name + "\n" for name in fresh))
        except OSError:
            pass

    def restore(self, names=None):
        """Imports these, or all that is known by now, where they are not loaded."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in _lines(self.path) if names is None else names:
                if name not in sys.modules:
                    try:
                        importlib.import_module(name)
                    except BaseException:
                        pass  # it was there under other circumstances
