"""What code reads at run time: files, sources imported, directories listed, paths looked for, processes started.

An audit hook (PEP 578) and the tracer (build.py) note events in a list; sort.py sorts them out when somebody asks,
so that the hooks stay cheap. Each says whose code has asked: what that has read it may have kept, for all who use it.
"""
import os
import stat
import sys

import _fastest.build as build
import _fastest.children as children

events = []  # (kind, what, file name of the code that asked: "" for anybody's)
sampled = []  # sources that Hypothesis took constants from; kept, since it reads them once for all tests
planned = set()  # paths of test modules
codes = []  # code objects that have begun to run, each once a process
told = set()  # what take() has said of them; test modules count whole
importers = []  # watches code that is loaded later, and imports what a name says: of CPython 3.8's mock.patch
watching = []  # asks whether code is watched; empty when it never was
written = set()  # paths that this process has opened for writing, or made
folders = []  # directories that were opened, for paths relative to them
own_forks = [0]  # our own os.fork() calls in progress
forked = set()  # what came of them
late = []  # not empty once something may have been loaded on behalf of another module
looks = []  # not empty when os.stat and the like are told of
looked = set()  # what they were noted for since take()
watches = []  # of what processes read, once one was started
roots = []  # rootdir, when something is watched
SPAWN = ("spawn", "", "")  # something may run any source
EXEC = ("exec", "", "")  # programs were started, and watched
_UNSEEN = ("unseen", "", "")
_EXEC = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")
_FORK = ("os.fork", "os.forkpty")
# They are imported by the first process that is started through them, which no audit event tells of.
_SPAWNERS = ("multiprocessing.popen_fork", "loky.backend.popen_loky_posix",
             "joblib.externals.loky.backend.popen_loky_posix")
_QUIET = ("/ctypes/util.py", "/platform.py")  # ldconfig, uname: nothing of the project
_HELPERS = ("/pathlib.py", "/pathlib/__init__.py", "/pathlib/_local.py", "/pathlib/_abc.py", "/glob.py",
            "<frozen os>", "/os.py", "<frozen glob>", "/tokenize.py", "<frozen codecs>", "/codecs.py",
            "/genericpath.py", "/posixpath.py", "<frozen genericpath>", "<frozen posixpath>", "/fnmatch.py",
            "<fastest>/bytecode.py", "<fastest>/codecache.py")
_LINES = ("/linecache.py",)
_PYTESTS = "/_pytest/pathlib.py"
_SAMPLERS = ("/hypothesis/internal/constants_ast.py",)
_IMPORTERS = ("_bootstrap_external>", "/assertion/rewrite.py")
_LOADERS = _HELPERS + _IMPORTERS + ("_bootstrap>", "/importlib/__init__.py", "/pkgutil.py", "<frozen zipimport>", "<frozen importlib.util>", "/importlib/util.py", "/pickle.py",
                         "<fastest>/trace.py", "/_pytest/outcomes.py", "/_pytest/monkeypatch.py")
_LISTERS = ("_bootstrap_external>", "/_pytest/pathlib.py", "/_pytest/config/__init__.py",
            "/importlib/metadata/__init__.py", "/importlib/metadata.py", "/importlib_metadata/__init__.py")
# The functions behind which only what kind of thing a path is counts, not how large it is or how old.
_KINDS = {"exists", "lexists", "isfile", "isdir", "islink", "ismount", "is_file", "is_dir", "is_symlink", "is_mount",
          "is_socket", "is_fifo", "is_block_device", "is_char_device", "realpath", "_joinrealpath", "resolve",
          "samefile", "walk", "_walk", "makedirs", "mkdir", "_exists", "_lexists"}


def absolute(path):
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


def _asker(helpers=_HELPERS, depth=3):
    """The file of the code that asked: of the first that is none of the helpers."""
    frame = sys._getframe(depth)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.endswith(helpers) or name.endswith(_PYTESTS):
            return name
        frame = frame.f_back
    return ""


def _in_folders(name):
    """What a name below a directory that was opened may be (os.open with dir_fd, which no event tells)."""
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            events.append(("open", path, ""))
            if os.path.isdir(path) and path not in folders:
                folders.append(path)


def _on_open(args):
    path, mode, flags = args
    if isinstance(path, int) or path is None:
        return
    given, path = path, absolute(path)
    if mode is None and folders and not os.path.isabs(os.fspath(given)):
        _in_folders(os.fsdecode(given))
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
        written.add(path)
        if flags & os.O_RDWR and not flags & os.O_TRUNC and os.path.exists(path):
            events.append(("open", path, _asker()))
    elif path.endswith((".py", ".pyc")) and _asked_by(_IMPORTERS):
        events.append(("load" if late else "import", path, _asker(_LOADERS)))
    elif _asked_by(_SAMPLERS):
        sampled.append(("open", path, ""))
    elif _asked_by(_LINES):
        events.append(("open", path, path))  # it keeps the lines for whoever runs what they say
    elif path not in written and not (path.endswith(".zip") and path in sys.path):
        events.append(("open", path, _asker()))
        if mode is None and os.path.isdir(path):
            folders.append(path)


def _on_dir(args):
    path = args[0]
    if _asked_by(_LISTERS):
        return
    if isinstance(path, int):
        path = _of_descriptor(path)
    events.append(("dir", absolute("." if path is None else path), _asker()))


def _of_descriptor(fd):
    try:
        return os.readlink("/proc/self/fd/%d" % fd)
    except OSError:
        return "/dev/null"


def _on_file(args):
    path = args[0]
    if isinstance(path, (str, bytes)) and path not in (":memory:", b":memory:", "", b""):
        path = os.fsdecode(path)
        if path.startswith("file:"):
            path = path[5:].split("?")[0]
        events.append(("open", absolute(path), _asker()))


def _on_made(args):
    written.update(absolute(path) for path in args[:2] if isinstance(path, (str, bytes, os.PathLike)))


def _on_class(args):
    events.append(("name", args[0], _asker(_LOADERS)))


def _watch():
    """What processes read, from now on, if it is not watched yet."""
    if not watches and roots:
        try:
            watches.append(children.Watch(roots[0]))
        except (OSError, ImportError):
            watches.append(None)


def _on_exec(args):
    if not own_forks[0] and not _frames(_QUIET, 8):
        _watch()
        events.append(EXEC)


def _on_fork(args):
    if not own_forks[0]:
        _watch()
        events.append(SPAWN)


def _on_import(args):
    if args[0] in _SPAWNERS:
        _watch()


_handlers = {"open": _on_open, "os.listdir": _on_dir, "os.scandir": _on_dir, "sqlite3.connect": _on_file,
             "ctypes.dlopen": _on_file, "os.mkdir": _on_made, "os.rename": _on_made, "os.link": _on_made,
             "os.symlink": _on_made, "pickle.find_class": _on_class, "import": _on_import}
_handlers.update((name, _on_exec) for name in _EXEC)
_handlers.update((name, _on_fork) for name in _FORK)


def _hook(event, args):
    handler = _handlers.get(event)
    if handler is not None:
        try:
            handler(args)
        except Exception:
            pass  # an odd argument: the call itself will complain


def _on_look(name, path, mode, folder=None):
    """After os.stat, lstat, access and readlink. mode: -1 for none."""
    frame = sys._getframe(1)
    if frame.f_code.co_filename.endswith(("_bootstrap_external>", "/linecache.py")):
        return
    if isinstance(path, int):
        return
    path = os.path.join(_of_descriptor(folder), os.fspath(path)) if folder is not None else absolute(path)
    if name == "access":
        mode = os.stat(path).st_mode if os.path.exists(path) else -1
    if name == "readlink" or mode != -1 and stat.S_ISLNK(mode):
        kind = "link"
    else:
        kind = "absent" if mode == -1 else "is_dir" if stat.S_ISDIR(mode) else "is_file"
    if kind == "is_file" and name != "access" and not _for_its_kind(frame):
        kind = "size"
    event = (kind, path, _asker(depth=2))
    if event not in looked:
        looked.add(event)
        events.append(event)


def _for_its_kind(frame):
    while frame is not None and frame.f_code.co_filename.endswith(_HELPERS):
        if frame.f_code.co_name in _KINDS:
            return True
        frame = frame.f_back
    return False


def _on_name(name, package=None, level=0):
    """importlib.import_module, also of what has been loaded before, and importlib.util.find_spec."""
    if isinstance(name, str):
        if name.startswith("."):
            level, name = len(name) - len(name.lstrip(".")), name.lstrip(".")
        if level and isinstance(package, str):
            name = ".".join(package.split(".")[:len(package.split(".")) - level + 1] + ([name] if name else []))
        events.append(("name", name, _asker(_LOADERS, 2)))


def install(root):
    if sys.implementation.name == "cpython" and not os.environ.get("FASTEST_NO_TRACE"):
        if hasattr(sys, "monitoring"):
            _monitor(sys.monitoring)
        else:
            _trace_frames()
        if build.look(_on_look, root):
            looks.append(True)
        roots.append(root)
    sys.addaudithook(_hook)


def _trace_frames():
    tracer = build.tracer()
    if tracer is not None:
        tracer.start(codes)
        watching.append(tracer.seeing)
        for code in _importers():
            tracer.watch(code, _on_name)
        importers.append(lambda code: tracer.watch(code, _on_name))


def _importers():
    """Code that imports, or looks for, what a name says, which is told of each time."""
    from importlib import _bootstrap, util

    return [_bootstrap._gcd_import.__code__, util.find_spec.__code__]


def _monitor(monitoring):
    """PEP 669: the first start of each code object costs a call, the others nothing."""
    free = [tool for tool in (4, 3) if monitoring.get_tool(tool) is None]
    if not free:
        return
    disable, add, importers = monitoring.DISABLE, codes.append, _importers()
    names = {code.co_name for code in importers}

    def on_start(code, offset):
        if code.co_filename[:1] != "<":
            add(code)
        if code.co_name in names and any(code is c for c in importers):
            given = sys._getframe(1).f_locals
            _on_name(given["name"], given["package"], given.get("level", 0))
            return None
        return disable

    monitoring.use_tool_id(free[0], "fastest")
    monitoring.register_callback(free[0], monitoring.events.PY_START, on_start)
    monitoring.set_events(free[0], monitoring.events.PY_START)
    watching.append(lambda: True)


def noted():
    """Whether take() may have anything to tell."""
    if events or not looks or watches or importers and "unittest.mock" in sys.modules:
        return True
    for name in _SPAWNERS:
        if name in sys.modules:
            return True
    for seeing in watching:
        if not seeing():
            return True
    for code in codes:
        name = code.co_filename
        if name not in planned or ("code", name, 0) not in told:
            return True
    del codes[:]  # their modules count whole
    return False


def take():
    """The events since the last call; of code ("code", file name, line): 0 is a module's own."""
    noted = events + _read_by_others()
    if not looks:
        noted.append(_UNSEEN)
    if not all(seeing() for seeing in watching):
        noted.append(("blind", "", ""))
    if any(name in sys.modules for name in _SPAWNERS):
        noted.append(SPAWN)
    if importers and hasattr(sys.modules.get("unittest.mock"), "_importer"):
        importers.pop()(sys.modules["unittest.mock"]._importer.__code__)
    for code in codes:
        name = code.co_filename
        place = ("code", name, 0 if code.co_name == "<module>" or name in planned else code.co_firstlineno)
        if place not in told:
            told.add(place)
            noted.append(place)
    looked.clear()
    del events[:], codes[:]
    return noted


def keep(sorter):
    """Leaves out what no module can depend on of what has been noted so far; it is noted once a process."""
    noted = take()
    events[:] = [event for event in noted if event[0] != "code" or sorter.entries(event)]


def _read_by_others():
    """What processes have read; without a watch it is unseen. What runs bytecode from elsewhere opens no source."""
    noted = []
    for watch in watches:
        if watch is None or watch.lost:
            noted += [SPAWN, _UNSEEN]
            continue
        files, folders = watch.take()
        noted += [("open", path, "") for path in files] + [("dir", path, "") for path in folders]
        if watch.lost:
            noted += [SPAWN, _UNSEEN]
        elif sys.pycache_prefix or os.environ.get("PYTHONPYCACHEPREFIX"):
            noted.append(SPAWN)
    return noted


def fork():
    """A fork of this process that goes on in its place, and has its events."""
    if watches:
        events.extend(_read_by_others())
        if children.alive(os.getpid(), forked):
            events.extend([SPAWN, _UNSEEN])
        for watch in filter(None, watches):
            watch.close()
        del watches[:]
    own_forks[0] += 1
    try:
        pid = os.fork()
    finally:
        own_forks[0] -= 1
    if pid:
        forked.add(pid)
    return pid
