"""Runs items with pytest's own protocol and sends one RESULT each."""
import _thread
import atexit
import gc
import json
import mmap
import os
import struct
import sys
import tempfile
import threading
import time
import traceback

import _fastest.bounds as bounds
import _fastest.children as children
import _fastest.costs as costs
import _fastest.junit as junit
import _fastest.limits as limits
import _fastest.native as native
import _fastest.quick as quick
import _fastest.report as report
import _fastest.sort as sort
import _fastest.trace as trace
import _fastest.verify as verify
import _fastest.wire as wire

import pytest


LOOK = 16  # so many items in the queue are enough not to look for more
HOLD_BACK_S = 0.003  # so long results wait for others that go with them
RUNNING_SLOTS = 1024
INTERNAL_ERROR = 3  # pytest's exit code
THREAD_ENDS_S = 0.01
KEEP_S = 0.03  # a process whose session fixtures took longer serves on


class Broken(Exception):
    """pytest has come to an internal error: it cannot be used any more."""


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
        self.warnings = []

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def pytest_warning_recorded(self, warning_message):
        self.warnings.append(report.warning(warning_message, True))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        start = time.perf_counter()
        yield
        if fixturedef.scope in ("session", "package"):
            took = time.perf_counter() - start
            self.worker.set_up += took
            self.worker.session.costs.note(fixturedef, took)

    @pytest.hookimpl(trylast=True)
    def pytest_runtestloop(self):
        self.worker.loop()
        return True


class Worker:
    def __init__(self, session, number, conn):
        self.session, self.conn, self.number = session, conn, number
        self.queue, self.last = [], False  # last: END has come
        self.failures = 0
        self.pid = os.getpid()
        self.plugin = RunPlugin(self)
        self.sent = {}     # module path -> deps entries already sent
        self.history = []  # entries of all that this process has run: what is kept from one module (caches,
        self.noted = set()  # fixtures) may serve the next. The same entries
        self.used = {}     # module path -> how much of it that has got
        self.spawned = False
        self.set_up = 0.0  # seconds in session and package fixtures
        self.told = None   # KEEP or SPENT
        self.retries = session.setup.get("retries", 0)
        self.idle = 0.0    # seconds without a test
        self.began = _spent()
        self.broken = ""   # pytest's internal error
        self.threads = _thread._count()
        self.categories = report.Categories(session.config)
        self.junit = junit.Recorder(session.config)
        self.later = Later.from_parent(session.session, name="fastest-later")
        self.verifies = session.setup.get("optimizer") == "verify"
        self.running = _running(session, number)
        self.flushed = time.perf_counter()
        self.looks = True  # there was time for an answer since it was looked for one
        self.native = native.Native(session.session, self.plugin, self.categories, session.setup.get("optimizer"))
        self.quick = quick.Quick(self)

    def load(self):
        """Whether its tests compute or wait: seconds of CPU, and of tests (without those for which a processor was
        waited for)."""
        wall, waited, cpu = (now - then for now, then in zip(_spent(), self.began))
        return {"cpu": round(cpu, 3), "busy": round(wall - waited - self.idle, 3)}

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
            if len(self.queue) < LOOK and (self.looks or len(self.queue) < 3):
                self.looks = False
                frame = self.conn.poll()
                while frame is not None:
                    self.take(frame)
                    frame = self.conn.poll()
            if not self.queue:
                self.native.leave()
                if self.last:
                    return
                self.conn.send(wire.IDLE)
                start = time.perf_counter()
                self.take(self.conn.recv())
                self.idle += time.perf_counter() - start
                continue
            if not self.quick.run(_path, LOOK):
                self.run_item(self.queue[0], self.next_item())
                del self.queue[0]
            if self.failures == self.session.maxfail > 0:
                self.halt()
                return

    def halt(self):
        """Nothing runs behind the failure with which the run stops: the pool has it, and will say END."""
        self.native.leave()
        while not self.last:
            self.take(self.conn.recv())
        self.queue = []

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

    def run_item(self, number, nextitem, called=None):
        """called: what came of it where it has been called (native.Called)."""
        item = self.session.items[number]
        if item.nodeid in self.session.needs.imports:
            self.session.needs.restore(self.session.needs.imports.pop(item.nodeid))
        self.running[0] = number + 1
        native = called is not None or number not in self.session.warned and self.native.takes(item)
        if native and self.verifies:
            pytests = self.of_pytest(number, nextitem) if called is None else called.pytests
        if self.set_up > costs.EXPENSIVE_S:
            passed, stop = self.session.costs.timed(item, lambda: self.execute(item, nextitem, native, called))
        else:
            passed, stop = self.execute(item, nextitem, native, called)
        if os.getpid() != self.pid:
            os._exit(any(r.failed for r in self.plugin.reports))  # a test's own child that came back
        if passed is None and self.retries:
            passed, stop = self.retry(number, nextitem, native, stop)
        debugged = self.session.terminal is not None and self.session.terminal.leave()
        self.look_for_leftovers(item, nextitem)
        code, document, deps, recorded = report.PASSED, None, self.deps(item), self.junit.take()
        if passed is None or deps or recorded or debugged or self.verifies:
            code, document = self.result(number, passed, stop)
            if native and self.verifies:
                code, document = verify.compare(pytests, (code, document))
            if deps:
                document["deps"] = deps
            document.update(recorded, worker=self.number)
            if debugged:  # a pass of it is no reason not to stop there again
                document.update(always=True, deps=deps or {})
        self.failures += code in (report.FAILED, report.ERROR)
        text = b'%s,"worker":%d}' % (passed[:-1].encode("ascii"), self.number) if document is None else wire.dump(document)
        self.conn.send_later(wire.RESULT, wire.U32.pack(number) + bytes((code,)) + wire.pack_str(text), number)
        self.running[0] = 0
        self.flush(time.perf_counter(), passed is None)
        self.tell()
        if stop and stop[0] == INTERNAL_ERROR:
            self.broken = stop[1]
            raise Broken
        if stop:
            self.conn.send(wire.ERROR, stop[1].encode("utf-8", "replace"), stop[0])

    def flush(self, now, at_once=False):
        if at_once or now - self.flushed > HOLD_BACK_S:
            self.conn.flush()
            self.flushed = now
            self.looks = True

    def execute(self, item, nextitem, native, called=None):
        """(JSON of the *result* of a silent pass, or None: the plugin has reports; why all is to stop, or None)"""
        self.plugin.reports, self.plugin.warnings = [], []
        passed = stop = None
        try:
            if native:
                passed = self.native.run(item, nextitem, called)
            else:
                self.native.leave()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            stop = self.asked_to_stop()
        except (pytest.exit.Exception, KeyboardInterrupt) as e:
            stop = (getattr(e, "returncode", None) or 2, "%s: %s" % (type(e).__name__, e))
        except wire.Closed:
            raise
        except BaseException as e:
            stop = (INTERNAL_ERROR, "INTERNALERROR> " + "".join(traceback.format_exception(type(e), e, e.__traceback__)))
        return passed, stop

    def retry(self, number, nextitem, native, stop):
        """Runs a test that has failed again, with --retries; the last attempt counts."""
        item, passed = self.session.items[number], None
        for _ in range(self.retries):
            code, document = self.result(number, passed, stop)
            if stop or code not in (report.FAILED, report.ERROR):
                break
            self.conn.send(wire.ATTEMPT, wire.dump(document), number)
            self.clear(item)
            passed, stop = self.execute(item, nextitem, native)
            if passed is not None:
                break
        return passed, stop

    def clear(self, item):
        """What a failed attempt leaves: sections of output, fixtures and collectors whose set-up has failed."""
        del item._report_sections[:], item.user_properties[:]
        state = self.session.session._setupstate
        info = getattr(item, "_fixtureinfo", None)
        cached = [d.cached_result for defs in info.name2fixturedefs.values() for d in defs] if info else []
        if any(failed for _, failed in state.stack.values()) or any(c is not None and c[2] is not None for c in cached):
            self.native.leave()
            try:
                state.teardown_exact(None)
            except BaseException:
                traceback.print_exc()
        if not getattr(item, "_request", True):
            item._initrequest()

    def result(self, number, passed, stop):
        """(outcome, *result*)"""
        plugin = self.plugin
        if passed is not None:
            return report.PASSED, json.loads(passed)
        if plugin.reports and (not stop or plugin.reports[-1].when == "teardown"):
            warnings = self.session.warned.get(number, []) + plugin.warnings
            code, document = report.result(plugin.reports, self.categories, warnings)
            if code in (report.FAILED, report.ERROR):
                document["after"] = [path for path in self.used if path != _path(self.session.items[number])]
            return code, document
        return report.FAILED, {"phases": [report.broken(stop and stop[1])]}

    def of_pytest(self, number, nextitem):
        return verify.of_pytest(lambda: self._alone(number, nextitem))

    def verified(self, pytests, code, text):
        """The outcome and the *result* of a test that passed in silence, or those that say how pytest's differ."""
        code, document = verify.compare(pytests, (code, json.loads(text)))
        return code, wire.dump(document)

    def _alone(self, number, nextitem):
        """In a child of this process: what pytest makes of the item."""
        self.native.leave()
        _own_capture_files(self.session.config)
        _, stop = self.execute(self.session.items[number], nextitem, False)
        return self.result(number, None, stop)

    def asked_to_stop(self):
        session = self.session.session
        if session.shouldfail:
            return 1, "Failed: %s" % session.shouldfail
        return (2, "Interrupted: %s" % session.shouldstop) if session.shouldstop else None

    def tell(self):
        """What the pool should know for the next module: whether a new process would cost much, and whether
        this one can have what would make the next module depend on too much."""
        if self.set_up > KEEP_S:
            tell = wire.KEEP
        elif self.spawned:
            tell = wire.SPENT
        else:
            return
        if tell != self.told:
            self.told = tell
            self.conn.send(tell)

    def look_for_leftovers(self, item, nextitem):
        """What threads and processes do that outlive their module is not known in time."""
        if nextitem is not None and nextitem.parent is item.parent or \
                getattr(nextitem, "module", None) is getattr(item, "module", None):
            return
        if trace.watches and children.alive(self.pid):
            trace.events.append(trace.SPAWN)
        if _thread._count() <= self.threads:
            return
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(THREAD_ENDS_S)  # it may just be about to end
        if _thread._count() > self.threads:
            trace.events.append(trace.SPAWN)

    def deps(self, item):
        fresh = trace.take()
        path = _path(item)
        if not fresh and self.used.get(path) == len(self.history) and _settings(item) is None:
            return None
        self.spawned = self.spawned or trace.SPAWN in fresh or trace.EXEC in fresh
        sorter = self.session.sorter
        for entry in sorter.all_entries(fresh):
            if entry not in self.noted:
                self.noted.add(entry)
                self.history.append(entry)
        noted = self.history[self.used.get(path, 0):]
        if getattr(_settings(item), "derandomize", False):
            noted += sorter.all_entries(trace.sampled)
        self.used[path] = len(self.history)
        sent = self.sent.setdefault(path, set())
        deps = sort.to_deps(entry for entry in noted if entry not in sent)
        sent.update(noted)
        if _settings(item) is not None:
            deps["random"] = True
        return deps


def _spent():
    """(now, seconds in the queue for a processor, seconds of CPU)"""
    times = os.times()
    try:
        with open("/proc/self/schedstat") as f:
            waited = int(f.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        waited = 0.0
    return time.perf_counter(), waited, sum(times[:4])


def _running(session, number):
    """Where the pool looks for what this worker runs: runtime/pool/running.h."""
    with open(os.path.join(session.setup["state_dir"], "running"), "r+b") as f:
        memory = mmap.mmap(f.fileno(), RUNNING_SLOTS * wire.U32.size)
    at = number % RUNNING_SLOTS
    return memoryview(memory).cast("I")[at:at + 1]


def _path(item):
    return str(getattr(item, "path", None) or item.fspath)


def _settings(item):
    """Hypothesis's, of a test that it draws examples for, else None. With derandomize they are the same each time,
    and depend on the constants of all sources (hypothesis/internal/conjecture/providers.py)."""
    return getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)


def _captures(config):
    """What pytest gathers output with, where that is in files."""
    manager = config.pluginmanager.getplugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    both = getattr(capture, "out", None), getattr(capture, "err", None)
    return [stream for stream in both if type(stream).__name__ in ("FDCapture", "FDCaptureBinary")]


def _own_capture_files(config):
    """Forked processes share the offset of the capture files: each worker gets files of its own,
    behind the same Python objects."""
    for stream in _captures(config):
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


def run(session, number, alone, wanted=None):
    """Serves as worker `number` until END or the pool's end; returns never. wanted: of FORK (PROTOCOL.md)."""
    if not alone:
        os.setpgid(0, 0)
        _own_capture_files(session.config)
        _own_basetemp(session.config, number)
    for stream in _captures(session.config):
        bounds.bound(stream)
    status = 1
    try:
        conn = wire.connect(session.setup["socket"], wire.ROLE_WORKER, session.setup["token"], number)
        limits.watch(session, number, conn)
        if wanted:
            session.maxfail = 0  # tests that the run has behind it
            session.needs.restore(wanted["imports"])
        worker = Worker(session, number, conn)
        try:
            worker.serve()
            worker.junit.leave()
        except Broken:
            pass  # another process runs the rest
        _finish(session)
        conn.send(wire.GONE, wire.dump(dict(worker.load(), text=worker.broken)))
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
        session.needs.note()
        session.costs.save()
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # a test has closed or replaced it
