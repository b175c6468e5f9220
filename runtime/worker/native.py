"""Runs plain test functions without the hooks that nobody but pytest implements.

For each test pytest calls about twenty hooks in three phases (_pytest/runner.py: runtestprotocol). With only its own
plugins behind them, and without marks that they act on, what they come to is little: the fixtures are filled,
the function is called, output, log records and warnings are taken from where they gather, the fixtures are torn
down. Here the places where things gather are set up once for many tests, and looked at after each. What is
not plain success in silence is told by pytest's own CallInfo, TestReport and hooks, from what was found.

Whatever is not known to be the same is left to pytest: other versions, plugins, kinds of item, marks.
"""
import contextlib
import logging
import os
import sys
import types
import warnings
from os import fstat
from time import perf_counter, time  # before tests put others in their place

import _fastest.build as build

import pytest
from _pytest import assertion, nodes, python, runner
from _pytest._code import ExceptionInfo

OPTIMIZERS = ("optimized", "aggressive", "verify")
_HOOKS = ("protocol", "setup", "call", "teardown", "makereport", "logreport", "logstart", "logfinish")
_HOOKS = tuple("pytest_runtest_" + name for name in _HOOKS) + ("pytest_pyfunc_call",)
# Whose part in these hooks is done here, or is nothing for the items that are taken.
_KNOWN = {"_pytest." + name for name in (
    "assertion", "cacheprovider", "capture", "debugging", "faulthandler", "fixtures", "legacypath", "logging", "main",
    "python", "runner", "setuponly", "setupplan", "skipping", "stepwise", "subtests", "terminal", "threadexception",
    "tmpdir", "unittest", "unraisableexception", "warnings")} | {"_fastest.worker"}
_HYPOTHESIS = "_hypothesis_pytestplugin"  # acts on functions that have attributes of its own
_MARKS = {"skip", "skipif", "xfail", "filterwarnings"}
ASYNC = 0x80 | 0x100 | 0x200  # CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR
NOTHING_S = 1e-06  # of a phase in which nothing is to be done
CURRENT = "PYTEST_CURRENT_TEST"
_PASSED = ('{"phases":[{"when":"setup","o":"passed","d":%.6f,"t":%.6f},{"when":"call","o":"passed","d":%.6f,"t":%.6f},'
           '{"when":"teardown","o":"passed","d":%.6f,"t":%.6f}]}')


def _version():
    return tuple(map(int, pytest.__version__.split(".")[:2]))


def _supported(config):
    """Whether this pytest, configured like this, is one whose steps are known here."""
    option = config.option
    if not (8, 4) <= _version() < (10, 0) or not hasattr(warnings, "_filters_mutated"):
        return False
    if any(getattr(option, name, False) for name in ("setupshow", "setuponly", "setupplan", "fulltrace", "usepdb",
                                                     "trace", "collectonly")):
        return False
    if option.tbstyle == "native":
        return False  # the frames of pytest's runner are shown
    plugin = config.pluginmanager.getplugin
    manager, log = plugin("capturemanager"), plugin("logging-plugin")
    if getattr(manager, "_method", "") not in ("fd", "sys") or log is None or log._log_cli_enabled():
        return False
    if not all(plugin(name) for name in ("warnings", "skipping", "assertion", "threadexception", "tmpdir",
                                         "unraisableexception", "runner", "python", "unittest", "fixtures")):
        return False
    try:
        return not float(config.getini("faulthandler_timeout") or 0)
    except ValueError:
        return True


class _Deques:
    """What exceptions in threads and in finalizers have left (pytest 8.4: a queue of each kind)."""

    def __init__(self, config):
        from _pytest import threadexception, unraisableexception
        self.config = config
        self.kinds = [(config.stash[unraisableexception.unraisable_exceptions], unraisableexception.collect_unraisable),
                      (config.stash[threadexception.thread_exceptions], threadexception.collect_thread_exception)]

    def any(self):
        return bool(self.kinds[0][0] or self.kinds[1][0])

    def warn(self):
        for queue, collect in self.kinds[::-1]:
            collect(self.config)


class _Output:
    """The files behind standard output and error, as pytest's capture has made them."""

    def __init__(self, manager):
        self.manager = manager
        self.streams = sys.stdout, sys.stderr
        self.files = [fstat(fd)[:3] for fd in (1, 2)] if manager._method == "fd" else None
        self.library = build.library if self.files else None
        if self.library:
            self.library.outputs()

    def silent(self):
        """Nothing was written, and nothing was put in their place."""
        if (sys.stdout, sys.stderr) != self.streams or sys.stdout.closed or sys.stderr.closed:
            return False
        try:
            if self.library:
                return bool(self.library.silent())
            if self.files is None:
                return not any(stream.buffer.tell() for stream in self.streams)
            out, err = fstat(1), fstat(2)
            return not out.st_size and not err.st_size and [out[:3], err[:3]] == self.files
        except (OSError, ValueError):
            return False


class _Warnings:
    """A record of warnings under the filters that pytest sets for every test."""

    def __init__(self, config, hook, stack):
        from _pytest.warnings import catch_warnings_for_item
        stack.enter_context(catch_warnings_for_item(config=config, ihook=hook, when="runtest", item=None))
        self.log = stack.enter_context(warnings.catch_warnings(record=True))
        self.filters, self.copy = warnings.filters, list(warnings.filters)
        self.show = warnings.showwarning, warnings._showwarnmsg_impl

    def unchanged(self):
        return warnings.filters is self.filters and self.filters == self.copy and \
            (warnings.showwarning, warnings._showwarnmsg_impl) == self.show


class _Log:
    """The two handlers that pytest adds to the root logger in each phase."""

    def __init__(self, plugin, stack):
        from _pytest.logging import caplog_handler_key, caplog_records_key, catching_logs
        self.keys = caplog_records_key, caplog_handler_key
        self.caplog = stack.enter_context(catching_logs(plugin.caplog_handler, level=plugin.log_level))
        context = catching_logs(plugin.report_handler, level=plugin.log_level)
        self.report = stack.enter_context(context)
        self.attached = getattr(context, "attached_loggers", None)
        self.root = logging.getLogger()
        self.state = list(self.root.handlers), self.root.level if plugin.log_level is not None else None
        self.apart = self._apart()

    def _apart(self):
        """Loggers that do not propagate: pytest 9.2 attaches its handlers to them, too."""
        if self.attached is None:
            return None
        loggers = self.root.manager.loggerDict
        return [logger for logger in loggers.values() if not getattr(logger, "propagate", True)] if loggers else []

    def unchanged(self):
        handlers, level = self.state
        return self.root.handlers == handlers and level in (None, self.root.level) and self._apart() == self.apart

    def reset(self):
        self.caplog.reset()
        self.report.reset()


class Called:
    """What came of a test function: it is called once. pytests: Worker.of_pytest's, where that was asked for."""

    def __init__(self, start, took, result, error, pytests):
        self.start, self.took, self.result, self.error, self.pytests = start, took, result, error, pytests

    def again(self):
        if self.error is not None:
            raise self.error
        return self.result


def _outside(traceback):
    """Without the frames of ours that it begins with."""
    while traceback.tb_next and traceback.tb_frame.f_code.co_filename.startswith("<fastest>"):
        traceback = traceback.tb_next
    return traceback


class _Returned:
    """An item whose function has been called: pytest says what it has to say of its result."""

    def __init__(self, item, result):
        self.nodeid, self._fixtureinfo, self.funcargs = item.nodeid, item._fixtureinfo, item.funcargs
        self.obj = lambda **_: result


class Native:
    def __init__(self, session, plugin, categories, optimizer):
        """session: pytest's; plugin: has the list `reports`, and gets what is not a silent pass there."""
        config = session.config
        self.session, self.config, self.plugin = session, config, plugin
        self.on = optimizer in OPTIMIZERS and categories.plain and _supported(config)
        self.parents = {}  # of items -> what _others says
        self.proxies = {}  # id of a hook proxy -> (the proxy, the same)
        self.stack = None  # what stands while native tests run: filters of warnings, ...
        self.inner = None  # ... and what is renewed after each phase that has meddled with it: output, log
        self.item = None
        if self.on:
            self.deques = _Deques(config)
            self.manager = config.pluginmanager.getplugin("capturemanager")

    # ---- which ----

    def _others(self, item):
        """Whether hypothesis has a part in the hooks; None: somebody has who is not known here."""
        if item.parent in self.parents:
            return self.parents[item.parent]
        self.parents[item.parent] = found = self._of_hooks(item.ihook)
        return found

    def _of_hooks(self, proxy):
        known = self.proxies.get(id(proxy))
        if known is None:
            modules = {impl.function.__module__ for name in _HOOKS for impl in getattr(proxy, name).get_hookimpls()}
            fine = modules <= _KNOWN | {_HYPOTHESIS} and not proxy.pytest_assertion_pass.get_hookimpls()
            known = self.proxies[id(proxy)] = (proxy, (_HYPOTHESIS in modules) if fine else None)
        return known[1]

    def takes(self, item):
        if not self.on or type(item) is not pytest.Function:
            return False
        function = getattr(item.obj, "__func__", item.obj)
        if type(function) is not types.FunctionType or function.__code__.co_flags & ASYNC:
            return False
        hypothesis = self._others(item)
        if hypothesis is None or hypothesis and not function.__dict__.keys() <= {"pytestmark", "__wrapped__"}:
            return False
        names = item._fixtureinfo.names_closure
        if "subtests" in names or self.deques.any():
            return False
        for mark in item.iter_markers():
            if mark.name in _MARKS:
                return False
        return bool(names) or self._stands(item.parent)

    def _stands(self, parent):
        """Its collectors are set up: they have nothing to do that could fail."""
        state = self.session._setupstate
        if state.stack and next(reversed(state.stack)) is parent:
            return True
        chain = parent.listchain()
        if list(state.stack) != chain[:len(state.stack)] or any(failed for _, failed in state.stack.values()) or \
                any(type(node).setup is not nodes.Node.setup for node in chain[len(state.stack):]):
            return False
        state.setup(parent)
        return True

    # ---- where things gather ----

    def enter(self):
        """From now on each test's output, warnings and log records are looked for, until leave()."""
        if self.stack is None:
            self._enter()
        elif self.log.report.records:
            self.log.reset()  # of a thread's

    def _enter(self):
        self.stack = contextlib.ExitStack()
        self.stack.callback(os.environ.pop, CURRENT, None)
        self.warnings = _Warnings(self.config, self.config.hook, self.stack)
        self._own_comparisons(self.stack)
        self._attach()

    def _attach(self):
        self.inner = contextlib.ExitStack()
        self.log = _Log(self.config.pluginmanager.getplugin("logging-plugin"), self.inner)
        self.log.reset()
        self.manager.resume_global_capture()
        self.inner.callback(self.manager.suspend_global_capture, in_=False)
        self.output = _Output(self.manager)

    def leave(self):
        """As it is between two tests of pytest's."""
        if self.stack is not None:
            stack, self.stack = self.stack, None
            self.inner.close()
            stack.close()

    def _own_comparisons(self, stack):
        """A failing comparison asks the hooks of its test what to say."""
        util = assertion.util
        saved = util._reprcompare, util._config

        def compare(op, left, right):
            ours, steps = util._reprcompare, assertion.pytest_runtest_protocol(self.item)
            next(steps)
            try:
                return util._reprcompare(op, left, right)
            finally:
                steps.close()
                util._reprcompare, util._config = ours, self.config

        def restore():
            util._reprcompare, util._config = saved

        util._reprcompare, util._config = compare, self.config
        stack.callback(restore)

    # ---- a test ----

    def run(self, item, nextitem, called=None):
        """JSON of its *result* when it has passed in silence; else None, and the plugin has its reports.
        called: what came of a test without fixtures that has been called."""
        if called is None:
            self.enter()
            warnings._filters_mutated()
        self.item = item
        self.silent = []  # phases without a report yet
        self.told = False
        try:
            if item._fixtureinfo.names_closure:
                self._fixtured(item, nextitem)
            else:
                self._bare(item, nextitem, called)
        finally:
            item._request = False
            item.funcargs = None
            self._warned(item)
        if self.told or item.user_properties or self.plugin.warnings:
            self._tell()
            return None
        return _PASSED % tuple(value for phase in self.silent for value in (phase[3], phase[1]))

    def _warned(self, item):
        log = self.warnings.log
        if log:
            for message in log:
                item.ihook.pytest_warning_recorded.call_historic(
                    kwargs={"warning_message": message, "nodeid": item.nodeid, "when": "runtest", "location": None})
            log.clear()
        if self.stack is not None and not self.warnings.unchanged():
            self.leave()

    def silent_after(self):
        """Whether a test without fixtures, whose function has returned None, has left nothing that is to be told or undone."""
        (unraisable, _), (in_thread, _) = self.deques.kinds
        if unraisable or in_thread or self.log.report.records or self.warnings.log or self.session.shouldfail or self.session.shouldstop:
            return False
        return self.output.silent() and self.log.unchanged() and self.warnings.unchanged()

    def _bare(self, item, nextitem, called):
        """Without fixtures: in its setup nothing happens, in its teardown only what the next item needs."""
        now = time() if called is None else called.start
        self.silent.append(("setup", now, now, NOTHING_S, None))
        if called is None:
            self._phase(item, "call", self._call)
        else:
            self._phase(item, "call", lambda item: self._returned(item, called.again, {}), called=called)
        if nextitem is None or nextitem.parent is not item.parent or self.session.shouldfail or self.session.shouldstop:
            self._phase(item, "teardown", lambda item: self._teardown(nextitem))
        else:
            self.silent.append(("teardown", now, now, NOTHING_S, None))

    def _fixtured(self, item, nextitem):
        records, handler = self.log.keys
        item.stash[records] = {}
        marks = sum(1 for _ in item.iter_markers())
        passed = self._phase(item, "setup", self.session._setupstate.setup)
        if passed and sum(1 for _ in item.iter_markers()) != marks:
            self._rest(item, nextitem)
            return
        if passed:
            self._phase(item, "call", self._call, marks)
        self._phase(item, "teardown", lambda item: self._teardown(nextitem))
        del item.stash[records], item.stash[handler]

    def _rest(self, item, nextitem):
        """A fixture has added a mark, on which pytest's hooks may act."""
        self._tell()
        runner.call_and_report(item, "call")
        if self.session.shouldfail or self.session.shouldstop:
            nextitem = None
        runner.call_and_report(item, "teardown", nextitem=nextitem)
        self.leave()

    def _call(self, item):
        if hasattr(sys, "last_type"):
            for name in ("last_type", "last_value", "last_traceback", "last_exc"):
                if hasattr(sys, name):
                    delattr(sys, name)
        names, values = item._fixtureinfo.argnames, item.funcargs
        arguments = {name: values[name] for name in names} if names else {}
        self._returned(item, item.obj, arguments)

    def _returned(self, item, function, arguments):
        try:
            result = function(**arguments)
            if result is not None:
                python.pytest_pyfunc_call(_Returned(item, result))
        except Exception as e:
            sys.last_type, sys.last_value, sys.last_traceback = type(e), e, _outside(e.__traceback__.tb_next)
            if sys.version_info >= (3, 12):
                sys.last_exc = e
            raise

    def _teardown(self, nextitem):
        if self.session.shouldfail or self.session.shouldstop:
            nextitem = None
        self.session._setupstate.teardown_exact(nextitem)

    def _phase(self, item, when, step, marks=None, called=None):
        os.environ[CURRENT] = "%s (%s)" % (item.nodeid.replace("\0", "(null)"), when)
        if item._fixtureinfo.names_closure:
            records, handler = self.log.keys
            self.log.reset()
            item.stash[records][when] = self.log.caplog.records
            item.stash[handler] = self.log.caplog
            self.manager.activate_fixture()
        failure = None
        start, began = time(), perf_counter()
        try:
            step(item)
            if self.deques.any():
                self.deques.warn()
        except (pytest.exit.Exception, KeyboardInterrupt):
            self._tell()
            self.leave()
            raise
        except BaseException as e:
            e.__traceback__ = _outside(e.__traceback__)  # shown where all of a traceback is inside pytest
            failure = ExceptionInfo.from_exception(e)
        took = perf_counter() - began
        if called is not None:
            start, took = called.start, called.took
        if marks is not None and sum(1 for _ in item.iter_markers()) != marks:
            from _pytest.skipping import evaluate_xfail_marks, xfailed_key
            item.stash[xfailed_key] = evaluate_xfail_marks(item)
            self.told = True
        self._done(item, (when, start, start + took, took, failure))
        return failure is None

    def _done(self, item, phase):
        when, failure = phase[0], phase[4]
        if item._fixtureinfo.names_closure:
            self.manager.deactivate_fixture()
        odd = not self.output.silent()
        if odd or failure is not None or self.log.report.records:
            self._tell()  # what came before, without what is added now
            out, err = self.manager.read_global_capture()
            item.add_report_section(when, "stdout", out)
            item.add_report_section(when, "stderr", err)
            item.add_report_section(when, "log", self.log.report.stream.getvalue().strip())
            self.log.reset()
            self.told = True
        if (odd and not self.output.silent()) or not self.log.unchanged():
            self.inner.close()
            self._attach()
        self.silent.append(phase)
        if self.told:
            self._tell()
        elif item._fixtureinfo.names_closure:
            from _pytest.tmpdir import tmppath_result_key
            item.stash.setdefault(tmppath_result_key, {})[when] = True

    def _tell(self):
        """Reports of the phases that have none, as runner.call_and_report makes them."""
        phases, self.silent, self.told = self.silent, [], True
        hook = self.item.ihook
        for when, start, stop, took, failure in phases:
            call = runner.CallInfo(None, failure, start, stop, took, when, _ispytest=True)
            report = hook.pytest_runtest_makereport(item=self.item, call=call)
            hook.pytest_runtest_logreport(report=report)
            if runner.check_interactive_exception(call, report):
                hook.pytest_exception_interact(node=self.item, call=call, report=report)
