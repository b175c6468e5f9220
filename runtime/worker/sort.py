"""Turns the events of trace.py into the *deps* of runtime/PROTOCOL.md."""
import functools
import os
import stat
import sys
import sysconfig
import tempfile
import time

import _fastest.codecache as codecache
import _fastest.trace as trace

_LOOKS = ("absent", "is_dir", "is_file", "link", "size")
_IMPORTS = ("import", "load")
_FLAGS = ("spawn", "exec", "blind", "unseen")
_CACHES = ("/.pytest_cache/", "/__pycache__/", "/.hypothesis/", "/.git/")


def _top_package(folder):
    top = None
    while os.path.exists(folder + "/__init__.py"):
        top, folder = folder, os.path.dirname(folder)
    return top


def _is_pytest(asker):
    return "/_pytest/" in asker or "/pluggy/" in asker


@functools.lru_cache(maxsize=None)  # asked for before the sessions are forked, which have it then
def _libraries():
    site = sys.modules.get("site")
    found = [sysconfig.get_paths().get(n) for n in ("stdlib", "platstdlib", "purelib", "platlib")]
    found += getattr(site, "getsitepackages", list)() or []
    if site is not None and getattr(site, "ENABLE_USER_SITE", False):
        found.append(site.getusersitepackages())
    return tuple({p.rstrip("/") + "/" for p in found if p})


class Sorter:
    def __init__(self, root, state_dir, planned):
        self.libraries = _libraries()
        self.ours = tuple({top + "/" for top in map(_top_package, {os.path.dirname(p) for p in planned}) if top})
        self.root = root.rstrip("/") + "/"
        self.temporary = tempfile.gettempdir().rstrip("/") + "/"
        self.left_out = ("/proc/", "/sys/", "/dev/", state_dir.rstrip("/") + "/", codecache.folder() + "/code/")
        self.known = {}
        self.files = {}   # file name of code -> path, or None
        self.askers = {}  # the same -> path, "" for code that is not the project's
        self.planned = set(planned)
        self.folder = os.getcwd()
        self.began = time.time()

    def leave_out(self, path, names=_CACHES, source=False):
        slashed = path + "/"
        if slashed.startswith(self.libraries) and not slashed.startswith(self.ours):
            return True
        if slashed.startswith(self.left_out) or any(n in slashed for n in names):
            return True
        return slashed.startswith(self.temporary) and not slashed.startswith(self.root) and \
            not (source and self._was_there(path))

    def _was_there(self, path):
        """A source beside rootdir, which is in the temporary directory, too: tests have not made it."""
        try:
            return os.stat(path).st_ctime < self.began
        except OSError:
            return False

    def asker(self, name):
        if name not in self.askers:
            path = os.path.normpath(os.path.join(self.folder, name))
            self.askers[name] = "" if name[:1] in ("", "<") or self.leave_out(path, (), True) else path
        return self.askers[name]

    def classify(self, kind, path):
        """((kind, path), ...) to record."""
        if kind == "name":
            return tuple(self.named(path))
        if path.endswith(".pyc"):
            folder, base = os.path.split(path)
            if os.path.basename(folder) == "__pycache__":
                path = os.path.join(os.path.dirname(folder), base.split(".", 1)[0] + ".py")
        path = os.path.normpath(path)
        if self.leave_out(path, source=kind in _IMPORTS):
            return ()
        if kind == "is_dir" and self.root.startswith(path + "/"):
            return ()
        if kind in _LOOKS:
            return (("is_file", path), ("open", path)) if kind == "size" else ((kind, path),)
        try:
            mode = os.stat(path).st_mode
        except OSError:
            return (("absent", path),)
        if kind == "dir":
            return (("dir", path),) if stat.S_ISDIR(mode) else ()
        return ((kind, path),) if stat.S_ISREG(mode) else ()

    def named(self, dotted):
        """What import_module(dotted) is given, loaded before or not; where it would be, if there is none."""
        while dotted:
            path = getattr(sys.modules.get(dotted), "__file__", None)
            if isinstance(path, str):
                yield from self.classify("load", path)
            elif dotted not in sys.modules:
                up, _, tail = dotted.rpartition(".")
                for folder in list(getattr(sys.modules.get(up), "__path__", ())) if up else sys.path:
                    place = os.path.join(self.folder, str(folder), tail)
                    for path in (place, place + ".py"):
                        yield from self.classify("is_dir" if os.path.isdir(path) else "is_file" if os.path.exists(path) else "absent", path)
            dotted = dotted.rpartition(".")[0]

    def classify_code(self, name, line):
        """("code", path, line); of a planned module only that it was loaded, since it counts whole."""
        if name not in self.files:
            path = os.path.normpath(os.path.join(self.folder, name))
            self.files[name] = None if self.leave_out(path, (), True) else path
        path = self.files[name]
        if path is None:
            return None
        return ("code", path, 0 if path in self.planned else line)

    def loaded(self, deps):
        """Sources that deps, and all modules, are of."""
        paths = {path for part in [deps] + list(deps.get("by", {}).values()) for kind in _IMPORTS for path in part.get(kind, ())}
        for module in list(sys.modules.values()):
            name = getattr(module, "__file__", None)
            if isinstance(name, str) and name.endswith(".py") and name[0] != "<":
                paths.update(entry[1] for entry in [self.classify_code(name, 0)] if entry)
        return sorted(paths)

    def entries(self, event):
        """(kind, path, asker) or (kind, path, line) of an event."""
        kind, what, asker = event
        if kind == "code":
            entry = self.classify_code(what, asker)
            return (entry,) if entry else ()
        if kind in _FLAGS:
            return (event,)
        if asker.startswith("<fastest>") or _is_pytest(asker) and (kind in _LOOKS or kind == "name"):
            return ()
        if (kind, what) not in self.known:
            self.known[kind, what] = self.classify(kind, what)
        found = [e for e in self.known[kind, what] if e[0] in _IMPORTS or e[1] not in trace.written]
        if asker.endswith("/_pytest/pathlib.py") and kind in _IMPORTS:
            return ()  # modules, conftests, and the packages that they are in: the graph says who has them
        if asker.endswith("/_pytest/doctest.py"):
            asker = what
        return [e + (self.asker(asker),) for e in found]

    def all_entries(self, events):
        return [entry for event in events for entry in self.entries(event)]

    def sort(self, events):
        """deps of the events."""
        return to_deps(self.all_entries(events))


def to_deps(entries):
    deps = {}
    for entry in entries:
        _add(deps, *entry)
    return deps


def _add(deps, kind, path, more):
    """more: the line of code, else who asked."""
    if kind in _FLAGS:
        deps[kind] = True
        return
    if kind == "code":
        found, value = deps.setdefault("code", {}).setdefault(path, []), more
    else:
        place = deps.setdefault("by", {}).setdefault(more, {}) if more else deps
        found, value = place.setdefault(kind, []), path
    if value not in found:
        found.append(value)
