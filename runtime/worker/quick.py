"""Runs of plain test functions without fixtures, of one module or class: what native.py does for each of them, done once for all
where it cannot differ from one to the next, and the look at what a test has left done in one place.

A test that has not passed in silence goes from here to native.py, called as it has been.
"""
import os
import struct
import sys
import types
import warnings
from os import getpid
from time import perf_counter, time  # before tests put others in their place

import _fastest.native as native
import _fastest.report as report
import _fastest.trace as trace
import _fastest.wire as wire

import pytest

_HEAD = struct.Struct("<IBI")  # of RESULT: number, outcome, bytes of the *result*
_RESULT = (b'{"phases":[{"when":"setup","o":"passed","d":%.6f,"t":%%.6f},{"when":"call","o":"passed","d":%%.6f,"t":%%.6f},'
           b'{"when":"teardown","o":"passed","d":%.6f,"t":%%.6f}],"worker":%%d}' % (native.NOTHING_S, native.NOTHING_S))


def _function(item, parent):
    """That of an item which may run here, else None."""
    if type(item) is not pytest.Function or item.parent is not parent or item.own_markers or item._fixtureinfo.names_closure:
        return None
    called = item.obj
    function = called.__func__ if type(called) is types.MethodType else called
    if type(function) is not types.FunctionType or function.__dict__ or function.__code__.co_flags & native.ASYNC:
        return None
    return called


class Quick:
    def __init__(self, worker):
        self.worker, self.native = worker, worker.native
        self.on = self.native.on and worker.session.terminal is None

    def run(self, path, most):
        """Runs tests from the front of the worker's queue, and removes them from it, while the next is of the same
        module or class and there is nothing to be done between them. path: of an item, as text; most: with fewer in the queue
        the worker looks for others when it has time for that. Whether it has run any."""
        worker, session = self.worker, self.worker.session
        queue, items = worker.queue, session.items
        if not self.on or len(queue) < 2 or session.needs.imports:
            return False
        item = items[queue[0]]
        parent, following = item.parent, items[queue[1]]
        function = _function(item, parent)
        if function is None or following.parent is not parent or not self.native.takes(item):
            return False
        if worker.used.get(path(item)) != len(worker.history):
            return False  # it is to be told of what was used before
        self.native.enter()
        silent_after, noted, running, pid = self.native.silent_after, trace.noted, worker.running, worker.pid
        send, forget, number_of_worker = worker.conn.send_later, warnings._filters_mutated, worker.number
        known = sys.__dict__
        done = 0
        while function is not None and following.parent is parent and queue[done] not in session.warned and "last_type" not in known:
            number = queue[done]
            running[0] = number + 1
            pytests = worker.of_pytest(number, following) if worker.verifies else None
            forget()
            os.environ[native.CURRENT] = item.nodeid + " (call)"
            result = error = None
            start, began = time(), perf_counter()
            try:
                result = function()
            except BaseException as e:
                error = e
            took = perf_counter() - began
            done += 1
            if error is None and result is None and getpid() == pid and not item.user_properties and silent_after() and \
                    not noted() and not worker.junit.any():
                item._request = False
                item.funcargs = None
                code, text = report.PASSED, _RESULT % (start, took, start, start, number_of_worker)
                if worker.verifies:
                    code, text = worker.verified(pytests, code, text)
                send(wire.RESULT, _HEAD.pack(number, code, len(text)) + text, number)
                running[0] = 0
                worker.flush(began + took)
            else:
                worker.run_item(number, following, native.Called(start, took, result, error, pytests))
                break
            left = len(queue) - done
            if left < 2 or left < most and worker.looks:
                break
            item, following = following, items[queue[done + 1]]
            function = _function(item, parent)
        del queue[:done]
        return done > 0
