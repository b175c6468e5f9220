"""Runs items with pytest's own protocol and sends one RESULT each."""
import atexit
import gc
import os
import struct
import sys
import tempfile
import traceback

import _fastest.report as report
import _fastest.trace as trace
import _fastest.wire as wire

import pytest


class Later(pytest.Item):
    """Stands for an unknown next item of another module: session fixtures stay, the rest is torn down.
    Hooks that ask it what they may ask a pytest.Function see that it is none of theirs."""
    module = cls = instance = function = obj = None
    fixturenames = ()

    def runtest(self):
        raise NotImplementedError


class RunPlugin:
    def __init__(self, worker):
        self.worker = worker
        self.reports = []
        self.warnings = 0

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def pytest_warning_recorded(self):
        self.warnings += 1

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        start = len(trace.events)
        yield
        if fixturedef.scope in ("session", "package") and len(trace.events) > start:
            self.worker.shared += trace.events[start:]

    @pytest.hookimpl(trylast=True)
    def pytest_runtestloop(self):
        self.worker.loop()
        return True


class Worker:
    def __init__(self, session, number, conn):
        self.session, self.conn = session, conn
        self.queue, self.last = [], False  # last: END has come
        self.pid = os.getpid()
        self.plugin = RunPlugin(self)
        self.sent = {}     # module path -> deps entries already sent
        self.shared = []   # events of session and package fixtures
        self.used = {}     # module path -> how much of shared it has got
        self.categories = report.Categories(session.config)
        self.later = Later.from_parent(session.session, name="fastest-later")

    def take(self, frame):
        kind, _, payload = frame
        if kind == wire.RUN:
            self.queue += struct.unpack("<%dI" % (len(payload) // 4 - 1), payload[4:])
        elif kind == wire.END:
            self.last = True
        return kind

    def serve(self):
        """The hook pytest_runtestloop, with our loop in the place of pytest's own."""
        manager, hook = self.session.config.pluginmanager, self.session.config.hook.pytest_runtestloop
        manager.register(self.plugin, "fastest-run")
        hook._remove_plugin(manager.getplugin("main"))
        hook(session=self.session.session)
        if not (self.last and not self.queue):
            self.loop()  # another plugin's loop came first, and had nothing to do

    def loop(self):
        while True:
            frame = self.conn.poll()
            while frame is not None:
                self.take(frame)
                frame = self.conn.poll()
            if not self.queue:
                if self.last:
                    return
                self.conn.send(wire.IDLE)
                self.take(self.conn.recv())
                continue
            self.run_item(self.queue[0], self.next_item())
            del self.queue[0]

    def next_item(self):
        if len(self.queue) == 1 and not self.last:
            self.conn.send(wire.NEED)
            while True:
                kind = self.take(self.conn.recv())
                if kind == wire.HOLD:
                    return self.later
                if len(self.queue) > 1 or self.last:
                    break
        if len(self.queue) > 1:
            return self.session.items[self.queue[1]]
        return None

    def run_item(self, number, nextitem):
        item = self.session.items[number]
        plugin = self.plugin
        plugin.reports, plugin.warnings = [], 0
        stop = None
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            stop = self.asked_to_stop()
        except (pytest.exit.Exception, KeyboardInterrupt) as e:
            stop = (getattr(e, "returncode", None) or 2, "%s: %s" % (type(e).__name__, e))
        except wire.Closed:
            raise
        except BaseException as e:
            stop = (3, "INTERNALERROR> " + "".join(traceback.format_exception(type(e), e, e.__traceback__)))
        if os.getpid() != self.pid:
            os._exit(any(r.failed for r in plugin.reports))  # a test's own child that came back
        if plugin.reports and (not stop or plugin.reports[-1].when == "teardown"):
            warnings = plugin.warnings + self.session.warned.get(number, 0)
            code, document = report.result(plugin.reports, self.categories, warnings)
        else:
            code, document = report.FAILED, {"phases": [report.broken(stop and stop[1])]}
        self.add_deps(str(getattr(item, "path", None) or item.fspath), document)
        payload = wire.U32.pack(number) + bytes((code,)) + wire.pack_str(wire.dump(document))
        self.conn.send(wire.RESULT, payload, number)
        if stop:
            self.conn.send(wire.ERROR, stop[1].encode("utf-8", "replace"), stop[0])

    def asked_to_stop(self):
        session = self.session.session
        if session.shouldfail:
            return 1, "Failed: %s" % session.shouldfail
        return (2, "Interrupted: %s" % session.shouldstop) if session.shouldstop else None

    def add_deps(self, path, document):
        seen = self.used.get(path, 0)
        if not trace.events and seen == len(self.shared):
            return
        noted = self.shared[seen:] + trace.events
        self.used[path] = len(self.shared)
        del trace.events[:]
        deps = self.session.sorter.sort(noted, self.sent.setdefault(path, set()))
        if deps:
            document["deps"] = deps


def _own_capture_files(config):
    """Forked processes share the offset of the capture files: each worker gets files of its own,
    behind the same Python objects."""
    manager = config.pluginmanager.getplugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    for stream in (getattr(capture, "out", None), getattr(capture, "err", None)):
        if type(stream).__name__ not in ("FDCapture", "FDCaptureBinary"):
            continue
        fd = stream.tmpfile.fileno()
        with tempfile.TemporaryFile(buffering=0) as fresh:
            os.dup2(fresh.fileno(), fd, inheritable=False)
        if getattr(stream, "_state", "") == "started":
            os.dup2(fd, stream.targetfd)


def _own_basetemp(config, number):
    factory = getattr(config, "_tmp_path_factory", None)
    given = getattr(factory, "_given_basetemp", None)
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        factory._given_basetemp = given / ("worker%d" % number)


def run(session, number, alone):
    """Serves as worker `number` until END or the pool's end; returns never."""
    if not alone:
        os.setpgid(0, 0)
        _own_capture_files(session.config)
        _own_basetemp(session.config, number)
    status = 1
    try:
        conn = wire.connect(session.setup["socket"], wire.ROLE_WORKER, session.setup["token"], number)
        worker = Worker(session, number, conn)
        worker.serve()
        _finish(session)
        conn.send(wire.GONE, wire.dump({"text": ""}))
        status = 0
    except wire.Closed:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _finish(session):
    try:
        gc.enable()
        session.session.exitstatus = 1 if session.session.testsfailed else 0
        session.config.hook.pytest_sessionfinish(session=session.session, exitstatus=session.session.exitstatus)
        session.config._ensure_unconfigure()
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # a test has closed or replaced it
