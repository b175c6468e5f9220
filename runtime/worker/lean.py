"""Collects plain test functions, and tells of them, without the steps of pytest's that have no effect on them.

pytest asks a hook for each name of a module, makes a FunctionDefinition and a Metafunc for each function, resolves
its fixtures and calls pytest_generate_tests (_pytest/python.py: PyCollector.collect, pytest_pycollect_makeitem,
_genfunctions). For a function without attributes, marks and parametrized fixtures, and with only pytest's own
implementations of these hooks, what comes out is Function.from_parent(collector, name, fixtureinfo), where
fixtureinfo depends on the collector and the argument names alone. Everything else takes pytest's way.
"""
import types

import pytest
from _pytest import python
from _pytest.mark.structures import NodeKeywords

_VARIABLE = 0x04 | 0x08 | 0x20  # CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR
_HOOKS = ("pytest_pycollect_makeitem", "pytest_generate_tests")
_collect = python.PyCollector.collect


def install():
    """From now on in this process. pytest before 8.4 makes its items in other ways."""
    if tuple(map(int, pytest.__version__.split(".")[:2])) >= (8, 4):
        python.PyCollector.collect = _lean_collect


def only_pytests(hook, name):
    """Whether nobody else implements the hook."""
    return all(impl.function.__module__.startswith("_pytest.") for impl in getattr(hook, name).get_hookimpls())


def _plain_class(collector):
    """pytest's own kind of collector, with the methods that decide what is collected."""
    kind = type(collector)
    return kind is pytest.Module or kind is pytest.Class


def _eligible(collector):
    if not _plain_class(collector):
        return False
    module = collector.getparent(pytest.Module)
    owner = collector.getparent(pytest.Class)
    if hasattr(module.obj, "pytest_generate_tests") or owner and hasattr(owner.obj, "pytest_generate_tests"):
        return False
    marks = {mark.name for mark in collector.iter_markers()}
    return not marks & {"parametrize", "usefixtures"} and all(only_pytests(collector.ihook, name) for name in _HOOKS)


def _argument_names(function, method):
    """What compat.getfuncargnames gives for this function, None where it would have to look closer."""
    code = function.__code__
    if function.__dict__ or code.co_flags & _VARIABLE or code.co_kwonlyargcount or code.co_posonlyargcount or \
            function.__defaults__ or method and not code.co_argcount:
        return None
    return code.co_varnames[1 if method else 0:code.co_argcount]


class _Lean:
    """What stands in for the collector's _genfunctions while it collects."""

    def __init__(self, collector):
        self.collector = collector
        self.method = collector.getparent(pytest.Class) is not None
        self.infos = {}  # argument names -> what a new FuncFixtureInfo is made of, None where functions differ

    def info(self, names, name, function):
        if names not in self.infos:
            definition = python.FunctionDefinition.from_parent(self.collector, name=name, callobj=function)
            info = definition._fixtureinfo
            alike = info.argnames == names and \
                all(d.params is None for defs in info.name2fixturedefs.values() for d in defs)
            self.infos[names] = (type(info), info) if alike else None
        if self.infos[names] is None:
            return None
        kind, info = self.infos[names]
        return kind(info.argnames, info.initialnames, list(info.names_closure), dict(info.name2fixturedefs))

    def item(self, name, function):
        """None: it is not one of those."""
        names = _argument_names(function, self.method)
        info = self.info(names, name, function) if names is not None else None
        return info and pytest.Function.from_parent(self.collector, name=name, fixtureinfo=info)


def _prefixes(collector):
    """Of python_functions, None where one is a pattern."""
    found = tuple(collector.config.getini("python_functions"))
    return None if any(set(prefix) & set("*?[") for prefix in found) else found


def _lean_collect(collector):
    if not _eligible(collector):
        return _collect(collector)
    if not getattr(collector.obj, "__test__", True):
        return []
    prefixes = _prefixes(collector)
    if prefixes is None:
        return _collect(collector)
    lean, makeitem = _Lean(collector), collector.ihook.pytest_pycollect_makeitem
    imported = collector.config.getini("collect_imported_tests")
    own = collector.obj.__name__ if not imported and isinstance(collector, pytest.Module) else None
    # A namespace, then those of the bases; each keeps its order, and bases come first.
    spaces = [getattr(collector.obj, "__dict__", {})]
    if isinstance(collector.obj, type):
        spaces += [base.__dict__ for base in collector.obj.__mro__]
    seen, found = set(), []
    for space in spaces:
        values = []
        for name, obj in list(space.items()):
            if name in python.IGNORED_ATTRIBUTES or name in seen:
                continue
            seen.add(name)
            if own and isinstance(obj, (types.FunctionType, type)) and obj.__module__ != own:
                continue
            result = None
            if type(obj) is types.FunctionType and not obj.__dict__:
                if not name.startswith(prefixes):
                    continue
                result = lean.item(name, obj)
            if result is None:
                result = makeitem(collector=collector, name=name, obj=obj)
            if isinstance(result, list):
                values += result
            elif result is not None:
                values.append(result)
        found.append(values)
    return [node for values in reversed(found) for node in values]


class Listing:
    """What a MODULE frame says of items, with what their parents have in common looked up once."""

    def __init__(self, session):
        self.session = session
        self.parents = {}  # parent -> (its keywords, whether it has the mark `always`)
        self.files = {}    # path -> location's file

    def _location(self, item):
        function = getattr(item, "_obj", None)
        function = getattr(function, "__func__", function)
        if type(item) is not pytest.Function or type(function) is not types.FunctionType or \
                "__wrapped__" in function.__dict__ or "place_as" in function.__dict__:
            return item.location
        path = str(item.path)
        if function.__code__.co_filename != path:
            return item.location
        if path not in self.files:
            self.files[path] = item.location[0]
        location = (self.files[path], function.__code__.co_firstlineno - 1, item.getmodpath())
        item.__dict__["location"] = location  # a cached_property
        return location

    def _keywords(self, item, inherited):
        own = item.keywords
        if type(own) is not NodeKeywords or own.parent is not item.parent:
            return list(own)
        return [*own._markers, *(k for k in inherited if k not in own._markers)]

    def rows(self, items):
        """(the items of a *module* document, whether one has the mark `always`)"""
        rows, always = [], False
        for item in items:
            parent = item.parent
            if parent not in self.parents:
                self.parents[parent] = (list(parent.keywords), parent.get_closest_marker("always") is not None)
            inherited, whole = self.parents[parent]
            always = always or whole or any(mark.name == "always" for mark in item.own_markers)
            file, line, name = self._location(item)
            rows.append({"id": item.nodeid, "line": line, "file": file, "name": name,
                         "kw": self._keywords(item, inherited)})
        return rows, always
