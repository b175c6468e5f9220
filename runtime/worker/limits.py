"""Time limits of tests, by pytest-timeout's options, ini names and marker.

Without that plugin the pool enforces them: it ends the worker's process group (runtime/pool/limits.c). With it the
plugin does, in the process, and the pool is there for a test on which that has no effect: one that is stuck in C.
"""
import faulthandler
import fcntl
import math
import os

import _fastest.wire as wire

import pytest

GRACE_S = 10  # for pytest-timeout
MOST_MS = 2**32 - 1


class Closest:
    """item.get_closest_marker for many items, the parents looked at once."""

    def __init__(self, name):
        self.name = name
        self.parents = {}

    def of(self, item):
        for mark in item.own_markers:
            if mark.name == self.name:
                return mark
        parent = item.parent
        if parent not in self.parents:
            self.parents[parent] = parent.get_closest_marker(self.name)
        return self.parents[parent]


def _seconds(value, where):
    try:
        return None if value is None else float(value)
    except ValueError:
        raise pytest.UsageError("Invalid timeout %s from %s" % (value, where))


def _ini(config, name):
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return None


class Limits:
    def __init__(self, config):
        """Raises UsageError for what is no time."""
        self.theirs = config.pluginmanager.hasplugin("timeout")
        self.closest = Closest("timeout")
        self.seconds = _seconds(getattr(config.option, "timeout", None), "command line")
        if self.seconds is None:
            self.seconds = _seconds(os.environ.get("PYTEST_TIMEOUT"), "PYTEST_TIMEOUT environment variable")
        if self.seconds is None:
            self.seconds = _seconds(_ini(config, "timeout") or None, "config file")
        self.func_only = bool(_ini(config, "timeout_func_only"))
        self.calls = {}  # item -> ms of its function alone
        self.any = False

    def _of(self, item):
        """(seconds or None, whether for the function alone)"""
        seconds, func_only = self.seconds, self.func_only
        mark = self.closest.of(item)
        if mark is not None:
            given = mark.args[0] if mark.args else mark.kwargs.get("timeout")
            if given is not None:
                seconds = _seconds(given, "marker")
            if mark.kwargs.get("func_only") is not None:
                func_only = mark.kwargs["func_only"]
        return seconds if seconds and seconds > 0 else None, func_only

    def ms(self, item):
        """How long the pool lets it run, 0 for ever."""
        seconds, func_only = self._of(item)
        if seconds is None or self.theirs and func_only:
            return 0
        self.any = True
        ms = min(MOST_MS, math.ceil((seconds + (GRACE_S if self.theirs else 0)) * 1000))
        if func_only:
            self.calls[item] = ms
            return 0
        return ms

    def of(self, items):
        """ms of each, or an empty list where there are none."""
        found = [self.ms(item) for item in items]
        return found if any(found) else []


class CallPlugin:
    """Tells the pool when the function of a test begins whose limit is for that alone."""

    def __init__(self, calls, conn):
        self.calls, self.conn = calls, conn

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        if item in self.calls:
            self.conn.send(wire.LIMIT, tag=self.calls[item])
        yield
        if item in self.calls:
            self.conn.send(wire.LIMIT, tag=0)


def watch(session, number, conn):
    """In a worker: on the pool's signal the stacks of all threads go to a file, even while C code runs."""
    limits, setup = session.limits, session.setup
    if limits.calls:
        session.config.pluginmanager.register(CallPlugin(limits.calls, conn), "fastest-limits")
    if not limits.any and not setup.get("batch_timeout"):
        return
    try:
        folder = os.path.join(setup["state_dir"], "stacks")
        os.makedirs(folder, exist_ok=True)
        low = os.open(os.path.join(folder, str(number)), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, max(3, conn.fd))
        os.close(low)
        faulthandler.register(setup["stack_signal"], file=high, all_threads=True)
    except (OSError, ValueError, RuntimeError, AttributeError):
        pass  # then a limit shows no stacks
