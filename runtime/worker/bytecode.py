"""Compiled sources by content: what pytest rewrites, and what import compiles below rootdir.

Rewriting the asserts of a module takes 13 to 47 ms, many times what importing it takes, and a fresh checkout has no
__pycache__. So the code of pytest's own _rewrite_test, and of SourceLoader.source_to_code, is kept in the shared cache
by the hash of the text that it was made from. Everything around it (specs, loaders, files, __pycache__) is theirs. What
was told of warnings while it was compiled is compiled again each time.
"""
import importlib.util
import os
import pathlib
import signal
import sys
import warnings
from functools import partial
from importlib import _bootstrap_external

import _fastest.codecache as codecache
import _fastest.trace as trace

import pytest
from _pytest.assertion import rewrite

_rewrite_test = rewrite._rewrite_test
_compile = _bootstrap_external.SourceLoader.source_to_code
FEW = 8  # modules without bytecode are not worth a process that prepares them


class Cache:
    def __init__(self, root):
        self.root = root.rstrip("/") + "/"
        self.store = codecache.Store("pytest-%s-%d" % (pytest.__version__, sys.flags.optimize))

    # ---- test modules, conftests, plugins ----

    def rewrite(self, fn, config):
        """In the place of _rewrite_test: (os.stat_result or hash of the source, code)."""
        __tracebackhide__ = True
        try:
            with open(str(fn), "rb") as f:
                source = f.read()
                before = os.fstat(f.fileno())
        except OSError:
            return _rewrite_test(fn, config)
        key = codecache.hash_of(b"rewritten %d" % bool(config.getini("enable_assertion_pass_hook")), source)
        kind, code = self.store.get(key) or (None, None)
        code = code and codecache.named(code, str(fn))
        if code is not None:
            return (before if kind == "stat" else importlib.util.source_hash(source)), code
        (first, code), silent = _in_silence(partial(_rewrite_test, fn, config))
        kind = "stat" if isinstance(first, os.stat_result) else "hash" if first == importlib.util.source_hash(source) else None
        after = os.stat(str(fn))
        if silent and kind and (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size):
            self.store.put(key, (kind, code))
        return first, code

    # ---- other sources ----

    def compile(self, loader, data, path, **kw):
        """In the place of SourceLoader.source_to_code."""
        __tracebackhide__ = True
        if kw.get("_optimization", -1) != -1 or not isinstance(data, bytes) or not str(path).startswith(self.root):
            return _compile(loader, data, path, **kw)
        key = codecache.hash_of(b"compiled", data)
        code = self.store.get(key)
        code = code and codecache.named(code, str(path))
        if code is None:
            code, silent = _in_silence(partial(_compile, loader, data, path, **kw))
            if silent:
                self.store.put(key, code)
        return code


def _in_silence(make):
    """(what it makes, whether nothing was warned of, whatever the filters)"""
    __tracebackhide__ = True
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        made = make()
    return (make(), False) if log else (made, True)


def install(root):
    cache = Cache(root)
    rewrite._rewrite_test = cache.rewrite

    def source_to_code(loader, data, path, **kw):
        __tracebackhide__ = True
        return cache.compile(loader, data, path, **kw)

    _bootstrap_external.SourceLoader.source_to_code = source_to_code
    for function in source_to_code, Cache.compile, _in_silence:
        # An import statement takes the frames of import's own files from the traceback of a SyntaxError.
        function.__code__ = function.__code__.replace(co_filename=_compile.__code__.co_filename)
    return cache


def _lacks_bytecode(path):
    folder, name = os.path.split(path)
    return not os.path.exists(os.path.join(sys.pycache_prefix + folder if sys.pycache_prefix else folder + "/__pycache__",
                                           name[:-3] + rewrite.PYC_TAIL))


class Helpers:
    """Processes that rewrite the modules without bytecode while they are collected, the last ones first."""

    def __init__(self, cache, config, paths):
        missing = [path for path in paths if path.endswith(".py") and _lacks_bytecode(path)]
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = min(len(missing) // FEW, processors - 1)
        self.pids = []
        for i in range(count):
            pid = trace.fork()
            if pid == 0:
                _rewrite_all(cache, config, missing[::-1][i::count])
            self.pids.append(pid)

    def stop(self):
        """What is not done has been done without them."""
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass  # somebody has waited for all children
        self.pids = []


def _rewrite_all(cache, config, paths):
    try:
        warnings.simplefilter("ignore")
        for path in paths:
            try:
                cache.rewrite(pathlib.Path(path), config)
            except (SyntaxError, ValueError, OSError, RecursionError):
                pass  # the session will tell
        cache.store.trim()
    finally:
        os._exit(0)
