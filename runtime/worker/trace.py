"""What code reads at run time: files, sources imported, directories listed, processes started.

An audit hook (PEP 578) notes events in a list; they are sorted out when somebody asks, so that
the hook itself stays cheap. Events noted before a module is known belong to every module.
"""
import os
import stat
import sys
import sysconfig
import tempfile

events = []  # (kind, absolute path or "")
written = set()  # paths that this process has opened for writing
own_forks = [0]  # our own os.fork() calls in progress
_SPAWN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
          "os.forkpty", "pty.spawn")
_QUIET = ("/ctypes/util.py", "/platform.py")  # ldconfig, uname: nothing of the project
_HELPERS = ("/pathlib.py", "/pathlib/__init__.py", "/pathlib/_local.py", "/pathlib/_abc.py", "/glob.py",
            "<frozen os>", "/os.py", "<frozen glob>", "/tokenize.py", "<frozen codecs>")
_IMPORTERS = ("_bootstrap_external>", "/assertion/rewrite.py")
_LISTERS = ("_bootstrap_external>", "/_pytest/pathlib.py", "/_pytest/config/__init__.py",
            "/importlib/metadata/__init__.py", "/importlib/metadata.py", "/importlib_metadata/__init__.py")


def _absolute(path):
    path = os.fspath(path)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return path if path.startswith("/") else os.path.join(os.getcwd(), path)


def _frames(names, depth):
    frame = sys._getframe(3)
    for _ in range(depth):
        if frame is None:
            return False
        if frame.f_code.co_filename.endswith(names):
            return True
        frame = frame.f_back
    return False


def _asked_by(names):
    """Whether the code behind pathlib, glob and os is in one of these files."""
    frame = sys._getframe(3)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.endswith(names):
            return True
        if not name.endswith(_HELPERS):
            return False
        frame = frame.f_back
    return False


def _on_open(args):
    path, _, flags = args
    if isinstance(path, int) or path is None:
        return
    path = _absolute(path)
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
        written.add(path)
        if flags & os.O_RDWR and not flags & os.O_TRUNC and os.path.exists(path):
            events.append(("open", path))
    elif path.endswith((".py", ".pyc")) and _asked_by(_IMPORTERS):
        events.append(("import", path))
    elif path not in written and not (path.endswith(".zip") and path in sys.path):
        events.append(("open", path))


def _on_dir(args):
    path = args[0]
    if isinstance(path, int) or _asked_by(_LISTERS):
        return
    events.append(("dir", _absolute("." if path is None else path)))


def _on_database(args):
    path = args[0]
    if isinstance(path, (str, bytes)) and path not in (":memory:", b":memory:", "", b""):
        events.append(("open", _absolute(path)))


def _on_spawn(args):
    if not own_forks[0] and not _frames(_QUIET, 8):
        events.append(("spawn", ""))


_handlers = {"open": _on_open, "os.listdir": _on_dir, "os.scandir": _on_dir,
             "sqlite3.connect": _on_database}
_handlers.update((name, _on_spawn) for name in _SPAWN)


def _hook(event, args):
    handler = _handlers.get(event)
    if handler is not None:
        try:
            handler(args)
        except Exception:
            pass  # an odd argument: the call itself will complain


def install():
    sys.addaudithook(_hook)


def fork():
    own_forks[0] += 1
    try:
        return os.fork()
    finally:
        own_forks[0] -= 1


class Sorter:
    """Turns events into the *deps* of runtime/PROTOCOL.md."""

    def __init__(self, root, state_dir, planned):
        site = sys.modules.get("site")
        libraries = [sysconfig.get_paths().get(n) for n in ("stdlib", "platstdlib", "purelib", "platlib")]
        libraries += getattr(site, "getsitepackages", list)() or []
        if site is not None and getattr(site, "ENABLE_USER_SITE", False):
            libraries.append(site.getusersitepackages())
        self.libraries = tuple({p.rstrip("/") + "/" for p in libraries if p})
        self.ours = tuple({top + "/" for top in map(_top_package, planned) if top})
        self.root = root.rstrip("/") + "/"
        self.temporary = tempfile.gettempdir().rstrip("/") + "/"
        self.left_out = ("/proc/", "/sys/", "/dev/", state_dir.rstrip("/") + "/")
        self.known = {}

    def leave_out(self, path, names=("/.pytest_cache/", "/__pycache__/", "/.hypothesis/", "/.git/")):
        slashed = path + "/"
        if slashed.startswith(self.left_out) or any(n in slashed for n in names):
            return True
        if slashed.startswith(self.libraries) and not slashed.startswith(self.ours):
            return True
        return slashed.startswith(self.temporary) and not slashed.startswith(self.root)

    def classify(self, kind, path):
        """(kind, path) to record, or None."""
        if path.endswith(".pyc"):
            folder, base = os.path.split(path)
            if os.path.basename(folder) == "__pycache__":
                path = os.path.join(os.path.dirname(folder), base.split(".", 1)[0] + ".py")
        path = os.path.normpath(path)
        if self.leave_out(path):
            return None
        try:
            mode = os.stat(path).st_mode
        except OSError:
            return ("absent", path)
        if kind == "dir":
            return ("dir", path) if stat.S_ISDIR(mode) else None
        return (kind, path) if stat.S_ISREG(mode) else None

    def sort(self, noted, sent=None):
        """deps of the noted events, without what is in the set `sent`, which grows."""
        deps = {}
        for event in noted:
            if event[0] == "spawn":
                entry = event
            elif event in self.known:
                entry = self.known[event]
            else:
                entry = self.known[event] = self.classify(*event)
            if entry is None or entry[1] in written and entry[0] != "import":
                continue
            if sent is not None:
                if entry in sent:
                    continue
                sent.add(entry)
            if entry[0] == "spawn":
                deps["spawn"] = True
            elif entry[1] not in deps.setdefault(entry[0], []):
                deps[entry[0]].append(entry[1])
        return deps


def _top_package(path):
    top, folder = None, os.path.dirname(path)
    while os.path.exists(folder + "/__init__.py"):
        top, folder = folder, os.path.dirname(folder)
    return top
