"""What code reads at run time: files, sources imported, directories listed, processes started.

An audit hook (PEP 578) notes events in a list; they are sorted out when somebody asks, so that
the hook itself stays cheap. Events noted before a module is known belong to every module.
"""
import hashlib
import importlib.machinery
import importlib.util
import os
import shlex
import stat
import subprocess
import sys
import sysconfig
import tempfile

import _fastest
import _fastest.codecache as codecache

events = []  # (kind, absolute path or "", the planned module whose own code asked, or "")
sampled = []  # sources that Hypothesis took constants from; kept, since it reads them once for all tests
planned = set()  # paths of test modules
codes = []  # code objects that have begun to run, each once a process
told = set()  # what take() has said of them; test modules count whole
watching = []  # asks whether code is watched; empty when it never was
written = set()  # paths that this process has opened for writing
own_forks = [0]  # our own os.fork() calls in progress
SPAWN = ("spawn", "", "")
_SPAWN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
          "os.forkpty", "pty.spawn")
# They are imported by the first process that is started through them, which no audit event tells of.
_SPAWNERS = ("multiprocessing.popen_fork", "loky.backend.popen_loky_posix",
             "joblib.externals.loky.backend.popen_loky_posix")
_QUIET = ("/ctypes/util.py", "/platform.py")  # ldconfig, uname: nothing of the project
_HELPERS = ("/pathlib.py", "/pathlib/__init__.py", "/pathlib/_local.py", "/pathlib/_abc.py", "/glob.py",
            "<frozen os>", "/os.py", "<frozen glob>", "/tokenize.py", "<frozen codecs>")
_SAMPLERS = ("/hypothesis/internal/constants_ast.py",)
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


def _asker():
    """The planned module whose code it is, else "": what other code has read it may have kept for the next module."""
    frame = sys._getframe(3)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.endswith(_HELPERS):
            return name if name in planned else ""
        frame = frame.f_back
    return ""


def _on_open(args):
    path, _, flags = args
    if isinstance(path, int) or path is None:
        return
    path = _absolute(path)
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
        written.add(path)
        if flags & os.O_RDWR and not flags & os.O_TRUNC and os.path.exists(path):
            events.append(("open", path, _asker()))
    elif path.endswith((".py", ".pyc")) and _asked_by(_IMPORTERS):
        events.append(("import", path, ""))
    elif _asked_by(_SAMPLERS):
        sampled.append(("open", path, ""))
    elif path not in written and not (path.endswith(".zip") and path in sys.path):
        events.append(("open", path, _asker()))


def _on_dir(args):
    path = args[0]
    if isinstance(path, int) or _asked_by(_LISTERS):
        return
    events.append(("dir", _absolute("." if path is None else path), _asker()))


def _on_database(args):
    path = args[0]
    if isinstance(path, (str, bytes)) and path not in (":memory:", b":memory:", "", b""):
        events.append(("open", _absolute(path), _asker()))


def _on_spawn(args):
    if not own_forks[0] and not _frames(_QUIET, 8):
        events.append(SPAWN)


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
    if sys.implementation.name == "cpython" and not os.environ.get("FASTEST_NO_TRACE"):
        if hasattr(sys, "monitoring"):
            _monitor(sys.monitoring)
        else:
            _hook_frames()
    sys.addaudithook(_hook)


def _compile(path):
    """tracer.c as an extension module at path; False without a compiler or Python's headers."""
    source = "%s.%d.c" % (path, os.getpid())
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(source, "w") as f:
            f.write(_fastest.tracer_source)
        command = compiler + ["-O2", "-fPIC", "-shared", "-DNDEBUG", "-I", sysconfig.get_path("include"),
                              "-o", source + ".so", source]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            os.replace(source + ".so", path)
            return True
        print("fastest: the tracer cannot be built, so that what runs is told by files, not by functions:\n"
              + done.stdout.decode("utf-8", "replace")[-2000:], file=sys.stderr)
    except OSError as e:
        print("fastest: the tracer cannot be built: %s" % e, file=sys.stderr)
    finally:
        if os.path.exists(source):
            os.unlink(source)
    return False


def _hook_frames():
    key = "%s %s %s" % (_fastest.tracer_source, sys.version, sysconfig.get_path("include"))
    path = os.path.join(codecache.folder(), "tracer-%s.so" % hashlib.sha256(key.encode()).hexdigest()[:20])
    if not os.path.exists(path) and not _compile(path):
        return
    loader = importlib.machinery.ExtensionFileLoader("_fastest_tracer", path)
    try:
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("_fastest_tracer", loader))
        loader.exec_module(module)
        module.start(codes)
        watching.append(module.seeing)
    except (ImportError, RuntimeError) as e:
        print("fastest: the tracer cannot be loaded: %s" % e, file=sys.stderr)


def _monitor(monitoring):
    """PEP 669: the first start of each code object costs a call, the others nothing."""
    free = [tool for tool in (4, 3) if monitoring.get_tool(tool) is None]
    if not free:
        return
    disable, add = monitoring.DISABLE, codes.append

    def on_start(code, offset):
        if code.co_filename[:1] != "<":
            add(code)
        return disable

    monitoring.use_tool_id(free[0], "fastest")
    monitoring.register_callback(free[0], monitoring.events.PY_START, on_start)
    monitoring.set_events(free[0], monitoring.events.PY_START)
    watching.append(lambda: True)


def take():
    """The events since the last call; of code ("code", file name, line): 0 is a module's own."""
    noted = events[:] if all(seeing() for seeing in watching) else events + [("blind", "", "")]
    if any(name in sys.modules for name in _SPAWNERS):
        noted.append(SPAWN)
    for code in codes:
        name = code.co_filename
        place = ("code", name, 0 if code.co_name == "<module>" or name in planned else code.co_firstlineno)
        if place not in told:
            told.add(place)
            noted.append(place)
    del events[:], codes[:]
    return noted


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
        self.left_out = ("/proc/", "/sys/", "/dev/", state_dir.rstrip("/") + "/", codecache.folder() + "/code/")
        self.known = {}
        self.files = {}  # file name of code -> path, or None
        self.planned = set(planned)
        self.folder = os.getcwd()

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

    def classify_code(self, name, line):
        """("code", path, line); of a planned module only that it was loaded, since it counts whole."""
        if name not in self.files:
            path = os.path.normpath(os.path.join(self.folder, name))
            self.files[name] = None if self.leave_out(path, ()) else path
        path = self.files[name]
        if path is None:
            return None
        return ("code", path, 0 if path in self.planned else line)

    def sort(self, noted, sent=None):
        """deps of the noted events, without what is in the set `sent`, which grows."""
        deps = {}
        for event in noted:
            if event[0] == "code":
                entry = self.classify_code(event[1], event[2])
            elif event[0] in ("spawn", "blind"):
                entry = event
            elif event[:2] in self.known:
                entry = self.known[event[:2]]
            else:
                entry = self.known[event[:2]] = self.classify(*event[:2])
            if entry is None or entry[1] in written and entry[0] not in ("import", "code"):
                continue
            if sent is not None:
                if entry in sent:
                    continue
                sent.add(entry)
            if entry[0] in ("spawn", "blind"):
                deps[entry[0]] = True
            elif entry[0] == "code":
                lines = deps.setdefault("code", {}).setdefault(entry[1], [])
                if sent is not None or entry[2] not in lines:
                    lines.append(entry[2])
            elif entry[1] not in deps.setdefault(entry[0], []):
                deps[entry[0]].append(entry[1])
        return deps


def _top_package(path):
    top, folder = None, os.path.dirname(path)
    while os.path.exists(folder + "/__init__.py"):
        top, folder = folder, os.path.dirname(folder)
    return top
