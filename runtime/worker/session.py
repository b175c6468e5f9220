"""One pytest session: configured, started, collected; then workers are forked from it."""
import gc
import json
import os
import struct
import sys
import threading
import traceback

import _fastest.bytecode as bytecode
import _fastest.costs as costs
import _fastest.lanes as lanes
import _fastest.lean as lean
import _fastest.limits as limits
import _fastest.narrow as narrow
import _fastest.native as native
import _fastest.needs as needs
import _fastest.report as report
import _fastest.sort as sort
import _fastest.terminal as terminal
import _fastest.trace as trace
import _fastest.wire as wire
import _fastest.worker as worker

import pytest

OTHER = "@other"


class Fatal(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class CollectPlugin:
    """Leaves clean modules out, and notes what collection reports."""

    def __init__(self, request):
        self.clean = set(request["clean"])
        self.planned = request["planned"]
        self.wanted = set(self.planned) - self.clean
        self.prune = not request.get("other", True)
        self.folders = {parent for path in self.wanted for parent in _parents(path)}
        self.reports = []
        self.warned = []  # warnings before the tests

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path, config):
        return True if self.ignores(str(collection_path)) else None

    def ignores(self, path):
        return path in self.clean or self.prune and path not in self.wanted and path not in self.folders

    def pytest_collectreport(self, report):
        if report.failed or report.skipped:
            self.reports.append(report)

    def pytest_warning_recorded(self, warning_message, when):
        if when != "runtest":
            self.warned.append(report.warning(warning_message, False))


def _parents(path):
    while len(path) > 1:
        path = os.path.dirname(path)
        yield path


_null = []  # the terminal reporter's file, once


def _silence_terminal(config):
    """Keeps the terminal reporter for plugins that look it up, without its work per test and at the end: a summary
    that nobody reads, for which plugins import what they need (hypothesis: all of itself)."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        return
    if not _null:
        _null.append(open(os.devnull, "w"))
    reporter._tw._file = _null[0]
    for name in ("pytest_runtest_logreport", "pytest_runtest_logstart", "pytest_runtest_logfinish",
                 "pytest_sessionfinish"):
        try:
            getattr(config.hook, name)._remove_plugin(reporter)
        except (AttributeError, ValueError):
            pass  # replaced by a plugin of the project's


def _own_options(config):
    """Options of the project's own configuration that are the pool's work, or the reports'."""
    for name, value in (("maxfail", 0), ("cacheclear", False), ("xmlpath", None), ("numprocesses", None), ("dist", "no"),
                        ("tx", []), ("looponfail", False)):
        if hasattr(config.option, name):
            setattr(config.option, name, value)


def _command_line_hooks(config):
    """pytest_cmdline_main of everybody but pytest's own main loop."""
    main = config.pluginmanager.getplugin("main")
    hook = config.pluginmanager.subset_hook_caller("pytest_cmdline_main", [main])
    _own_options(config)
    code = hook(config=config)
    if code is not None:
        raise Fatal(int(code) or 4, "a plugin's pytest_cmdline_main took over: run plain pytest for that")
    _own_options(config)


def _groups(items):
    """Equal numbers for items that share fixtures below session scope (see PROTOCOL.md)."""
    scopes = []
    for item in items:
        info = getattr(item, "_fixtureinfo", None)
        if not isinstance(item, pytest.Function) or info is None:
            return [0] * len(items)
        found = set()
        for name in info.names_closure:
            for definition in info.name2fixturedefs.get(name) or ():
                found.add(definition.scope)
        if "module" in found or "package" in found:
            return [0] * len(items)
        scopes.append(item.parent.nodeid if "class" in found else None)
    numbers, groups = {}, []
    for i, scope in enumerate(scopes):
        groups.append(i if scope is None else numbers.setdefault(scope, i))
    return groups


def _narrow(session, only, first):
    """What --lf, --ff and the like leave, and its order (generator/narrow.h)."""
    items, files = session.items, {nodeid.split("::", 1)[0] for nodeid in only}
    left_out = [i for i in items if i.nodeid not in only and i.nodeid.split("::", 1)[0] in files]
    if left_out:
        items[:] = [i for i in items if i.nodeid in only or i.nodeid.split("::", 1)[0] not in files]
        session.config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda item: item.nodeid not in first)


class Session:
    def __init__(self, config, setup, request):
        self.config, self.setup = config, setup
        self.only, self.first = set(request.get("only", ())), set(request.get("first", ()))
        self.maxfail = request.get("maxfail", 0)
        self.terminal = terminal.Terminal(request["tty"], setup["state_dir"]) if request.get("tty") else None
        self.sorter = sort.Sorter(setup["root"], setup["state_dir"], request["planned"])
        trace.planned.update(request["planned"])
        self.plugin = CollectPlugin(request)
        self.run_id = int(request["run_id"], 16)
        self.needs = needs.Needs(setup["state_dir"], request["planned"])
        self.costs = costs.Costs(setup["state_dir"], request.get("run_id", "-"))
        self.lanes = lanes.Lanes(request, self.needs.alone, self.costs)
        self.items = []  # by number
        self.warned = {}  # number of an item -> those that it tells of
        self.interrupted = False  # by errors, after which pytest_runtestloop runs nothing

    def collect(self):
        config = self.config
        if self.setup.get("optimizer") in native.OPTIMIZERS:
            lean.install()
        _command_line_hooks(config)
        config._do_configure()
        self.limits = limits.Limits(config)
        if self.terminal is not None:
            self.terminal.install()
        config.pluginmanager.register(self.plugin, "fastest-collect")
        for name in ("lfplugin", "lfplugin-collwrapper", "nfplugin", "stepwiseplugin", "stepwise"):
            if config.pluginmanager.has_plugin(name):
                config.pluginmanager.unregister(name=name)
        _silence_terminal(config)
        self.session = pytest.Session.from_config(config)
        if self.setup.get("optimizer") in native.OPTIMIZERS:
            narrow.install(self.plugin, self.session)
        config.hook.pytest_sessionstart(session=self.session)
        _silence_terminal(config)
        helpers = bytecode.Helpers(self.setup["bytecode"], config, [p for p in self.plugin.planned if p in self.plugin.wanted])
        trace.late.append(True)
        try:
            config.hook.pytest_collection(session=self.session)
        finally:
            helpers.stop()
        if self.only or self.first:
            _narrow(self.session, self.only, self.first)
        self.interrupted = bool(self.session.testsfailed) and not config.option.continue_on_collection_errors

    def _credit_warnings(self, path, first):
        """A module's own warnings are told with its first test."""
        own = [w for w in self.plugin.warned if w[1] == path]
        if own:
            self.warned[first] = own

    def _save_warnings(self, modules):
        """Those of other files have no record that could keep them: they are told in this run only."""
        told = {path for path, items in modules.items() if items}
        self.untold = rest = [w for w in self.plugin.warned if w[1] not in told]
        if rest:
            path = os.path.join(self.setup["state_dir"], "warnings")
            with open(path, "wb") as f:
                f.write(b"%016x\n" % self.run_id + wire.dump({"warnings": rest}))

    # ---- MODULE frames ----

    def _by_module(self):
        modules = {path: [] for path in self.plugin.planned if path in self.plugin.wanted}
        for item in self.session.items:
            path = str(getattr(item, "path", None) or item.fspath)
            modules.setdefault(path if path in modules else OTHER, []).append(item)
        return modules

    def _report_path(self, nodeid):
        return os.path.normpath(os.path.join(str(self.config.rootpath), nodeid.split("::")[0]))

    def _collect_reports(self, modules):
        """module path -> [error phases, skip phases]; a folder's error is that of all below it."""
        found = {}
        for r in self.plugin.reports:
            path = self._report_path(r.nodeid)
            below = [m for m in modules if m == path]
            if not below:
                below = [m for m in modules if m.startswith(path.rstrip("/") + "/") and not modules[m]]
            for module in below or [OTHER]:
                entry = report.phase(r, "collect")
                entry["id"] = r.nodeid
                found.setdefault(module, ([], []))[r.outcome == "skipped"].append(entry)
        return found

    def _save_deps(self):
        """What has run and was read so far, in a file: it is the same for every module. Unwatched, what was loaded."""
        deps = self.sorter.sort(trace.take())
        if not trace.watching:
            deps["code"] = dict.fromkeys(self.sorter.loaded(deps), ())
        parts = [deps] + list(deps.get("by", {}).values())
        self.read = {path for part in parts for paths in part.values() if isinstance(paths, list) for path in paths}
        self.started = "spawn" in deps or "exec" in deps
        path = os.path.join(self.setup["state_dir"], "code", "%d.json" % os.getpid())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(wire.dump(deps))
        return path

    def _module_json(self, path, items, errors, skips):
        listed, always = self.listing.rows(items)
        rest = wire.dump({"path": path, "rel": self._rel(path),
                          "error": errors[0] if errors else None, "skip": skips[0] if skips and not items else None,
                          "deps": {"shared": self.deps_path}, "always": always})
        return b'{"items":' + listed.encode("ascii") + b"," + rest[1:]

    def _rel(self, path):
        return os.path.relpath(path, self.setup["root"]) if path != OTHER else path

    def number(self, numbers):
        """Gives items the numbers that they have in another session: {module path: [first number, count]}."""
        found = self._by_module()
        self.items = {}
        for path, (first, count) in numbers.items():
            items = found.get(path, ())
            if len(items) != count:
                raise Fatal(3, "%d tests where %d are wanted: %s" % (len(items), count, path))
            if items:
                self._credit_warnings(path, first)
            self.items.update(enumerate(items, first))
            self.limits.of(items)

    def send_modules(self, conn):
        modules = self._by_module()
        self.listing = lean.Listing(self.session)
        found = self._collect_reports(modules)
        if OTHER in found:
            modules.setdefault(OTHER, [])
        self.deps_path = self._save_deps()
        for path, items in modules.items():
            if items:
                self._credit_warnings(path, len(self.items))
            self.items += items
            whole = path == OTHER or any(item.nodeid in self.needs.order for item in items)
            groups = _groups(items) if not whole else [0] * len(items)
            errors, skips = found.get(path, ((), ()))
            document = self._module_json(path, items, errors, skips)
            payload = wire.pack_str(os.fsencode(path)) + wire.U32.pack(len(items))
            payload += struct.pack("<%dI" % len(groups), *groups)
            for column in (self.limits.of(items), self.lanes.of(self._rel(path), items)):
                payload += struct.pack("<%dI" % (1 + len(column)), len(column), *column)
            conn.send(wire.MODULE, payload + wire.pack_str(document))
        self._save_warnings(modules)


    def for_again(self):
        """"again" and "loaded" of COLLECTED: whether another run may use this session, while what it has read is as it is."""
        again = self.setup["persistent"] and not self.started and not self.plugin.reports and not self.untold and \
            all(_is_lasting(impl, self.sorter) for name in _ORDERING for impl in getattr(self.config.hook, name).get_hookimpls())
        loaded = set(self.read)
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        loaded.add(os.path.join(self.setup["state_dir"], "needs"))  # lanes depend on it
        loaded.update(f for f in files if isinstance(f, str) and os.path.isabs(f) and not self.sorter.leave_out(f))
        return {"again": again, "loaded": sorted(loaded) if again else []}


_ORDERING = ("pytest_sessionstart", "pytest_collection", "pytest_collection_modifyitems", "pytest_collection_finish",
             "pytest_generate_tests", "pytest_itemcollected")
_LASTING = ("_pytest.", "_fastest.", "_hypothesis_pytestplugin", "xdist.", "anyio.", "pytest_asyncio.", "pytest_mock.",
            "pytest_timeout", "pytest_cov.", "pytest_subtests")


def _is_lasting(impl, sorter):
    """Whether a hook does the same for each run: pytest's do, known plugins', the project's own while its files are the same."""
    name = impl.function.__module__
    path = getattr(sys.modules.get(name), "__file__", None)
    return name.startswith(_LASTING) or isinstance(path, str) and not sorter.leave_out(path)


def why_not_fork(own_fds, own_pids=()):
    """Text when a fork would break what import or configuration has started, else ""."""
    if threading.active_count() > 1:
        names = ", ".join(t.name for t in threading.enumerate()[1:])
        return "threads run after collection: " + names
    try:
        kinds = [os.readlink("/proc/self/fd/" + n) for n in os.listdir("/proc/self/fd")
                 if int(n) not in own_fds and os.path.lexists("/proc/self/fd/" + n)]
        with open("/proc/self/task/%d/children" % os.getpid()) as f:
            children = set(map(int, f.read().split())) - set(own_pids)
    except (OSError, ValueError):
        return ""
    if any(k.startswith("socket:") for k in kinds):
        return "sockets are open after collection"
    return "processes were started before the tests" if children else ""


def _explain(config, error):
    """(exit code, text) of an exception as pytest's main would print it."""
    if isinstance(error, Fatal):
        return error.code, error.text
    if isinstance(error, pytest.UsageError):
        return 4, "\n".join("ERROR: %s" % part for part in error.args)
    if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
        return getattr(error, "returncode", None) or 2, "Interrupted: %s" % error
    return 3, "INTERNALERROR> " + "".join(traceback.format_exception(type(error), error, error.__traceback__))


def run(config, setup, request, reap, own_fds=()):
    """The session's life; returns never. own_fds: our other sockets."""
    replica = request.get("replica")
    if replica:
        return _replica(Session(config, setup, request), replica, reap)
    conn = wire.connect(setup["socket"], wire.ROLE_SESSION, setup["token"])
    session = Session(config, setup, request)
    try:
        session.collect()
    except BaseException as e:
        code, text = _explain(config, e)
        conn.send(wire.ERROR, text.encode("utf-8", "replace"), code)
        os._exit(code)
    session.send_modules(conn)
    session.needs.note()
    why = why_not_fork((conn.fd,) + tuple(own_fds))
    gc.collect()
    gc.freeze()
    gc.enable()
    document = {"modules": len(session.plugin.wanted), "items": len(session.items), "text": why}
    document.update(session.for_again())
    conn.send(wire.COLLECTED, wire.dump(document), (0 if why else 1) | (2 if session.interrupted else 0))
    try:
        _serve(session, conn, reap, own_fds)
    except wire.Closed:
        pass
    os._exit(0)


def _replica(session, replica, reap):
    """Collects what another session has collected, and is a worker of it."""
    try:
        session.collect()
        session.number(replica["numbers"])
    except BaseException as e:
        code, text = _explain(session.config, e)
        sys.stderr.write("fastest: a worker could not collect the tests: %s\n" % text)
        os._exit(code or 1)
    gc.collect()
    gc.freeze()
    gc.enable()
    reap.restore()
    worker.run(session, replica["worker"], True, replica["imports"])


def _serve(session, conn, reap, own_fds):
    """Forks a worker for each FORK, tells how each ended."""
    ids = {}
    while True:
        for pid, status in reap.ended():
            conn.send(wire.EXITED, wire.U32.pack(ids.pop(pid, 0)) + wire.U32.pack(status), pid)
        frame = conn.poll()
        if frame is None:
            conn.wait(reap.fd)
            continue
        kind, tag, payload = frame
        if kind == wire.SERVE:
            reap.restore()
            worker.run(session, tag, True, payload and json.loads(payload.decode()))
        elif kind == wire.FORK:
            sys.stdout.flush()
            sys.stderr.flush()
            pid = trace.fork()
            if pid == 0:
                reap.restore()
                conn.close()
                for fd in own_fds:
                    os.close(fd)
                worker.run(session, tag, False, payload and json.loads(payload.decode()))
            ids[pid] = tag
