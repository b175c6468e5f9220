"""Collects plain test functions, and tells of them, without the steps of pytest's that have no effect on them.

pytest asks a hook for each name of a module, makes a FunctionDefinition and a Metafunc for each function, resolves
its fixtures and calls pytest_generate_tests (_pytest/python.py: PyCollector.collect, pytest_pycollect_makeitem,
_genfunctions). For a function without attributes, marks and parametrized fixtures, and with only pytest's own
implementations of these hooks, what comes out is Function.from_parent(collector, name, fixtureinfo), where
fixtureinfo depends on the collector and the argument names alone. Everything else takes pytest's way.
"""
import marshal
import types
from json.encoder import encode_basestring_ascii as _quote

import _fastest.items as items

import pytest
from _pytest import fixtures, python
from _pytest.assertion import rewrite
from _pytest.mark.structures import NodeKeywords

_VARIABLE = 0x04 | 0x08 | 0x20  # CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR
_HOOKS = ("pytest_pycollect_makeitem", "pytest_generate_tests")
_collect = python.PyCollector.collect
_genitems = pytest.Session.genitems
_parsefactories = fixtures.FixtureManager.parsefactories
_reorder = fixtures.reorder_items


def install():
    """From now on in this process. pytest before 8.4 makes its items in other ways."""
    if (8, 4) <= tuple(map(int, pytest.__version__.split(".")[:2])) < (10, 0):
        items.install()
        python.PyCollector.collect = _lean_collect
        pytest.Session.genitems = _lean_genitems
        fixtures.FixtureManager.parsefactories = _lean_parsefactories
        fixtures.reorder_items = _lean_reorder
    # marshal.load calls the file's readinto for each few bytes.
    rewrite.marshal = types.SimpleNamespace(load=lambda file: marshal.loads(file.read()), dumps=marshal.dumps)


def _lean_genitems(session, node):
    """An item that nobody is told of is its own only one."""
    if type(node) is pytest.Function and not session.config.hook.pytest_itemcollected.get_hookimpls():
        return (node,)
    return _genitems(session, node)


def _lean_reorder(items):
    """Only items with parameters are moved (fixtures.py, get_param_argkeys)."""
    return _reorder(items) if any(hasattr(item, "callspec") for item in items) else list(dict.fromkeys(items))


_INERT = frozenset((types.FunctionType, types.ModuleType, types.BuiltinFunctionType, type(None), bool, int, float, str, bytes,
                    tuple, list, dict, set, frozenset))  # of exactly such a type no value is a fixture, or hides one


_VALUES = frozenset(_INERT) - {types.FunctionType, types.BuiltinFunctionType}  # neither classes nor callable: no tests


def _has_no_fixtures(module):
    """Its names are those of its dictionary, and none of them is a fixture or wraps one."""
    names = module.__dict__
    if type(module) is not types.ModuleType or "__dir__" in names or "__getattr__" in names:
        return False
    for name, value in names.items():
        kind = type(value)
        if kind is types.FunctionType:
            if value.__dict__ and "__wrapped__" in value.__dict__:
                return False
        elif kind not in _INERT and not (kind is type and not hasattr(value, "__wrapped__")) and \
                name not in ("__spec__", "__loader__"):
            return False
    return True


def _lean_parsefactories(manager, *args, **kw):
    if len(args) == 1 and not kw and type(args[0]) is pytest.Module and _has_no_fixtures(args[0].obj):
        return None
    return _parsefactories(manager, *args, **kw)


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


_empty = []  # what is known of the fixtures of a function that has none


class _Lean:
    """What stands in for the collector's _genfunctions while it collects."""

    def __init__(self, collector):
        self.collector = collector
        self.method = collector.getparent(pytest.Class) is not None
        self.infos = {}  # argument names -> what a new FuncFixtureInfo is made of, None where functions differ
        if _empty and not collector.config.getini("usefixtures") and \
                not any(collector.session._fixturemanager._getautousenames(collector)):
            self.infos[()] = _empty[0]

    def info(self, names, name, function):
        if names not in self.infos:
            definition = python.FunctionDefinition.from_parent(self.collector, name=name, callobj=function)
            info = definition._fixtureinfo
            alike = info.argnames == names and \
                all(d.params is None for defs in info.name2fixturedefs.values() for d in defs)
            self.infos[names] = (type(info), info) if alike else None
            if alike and not _empty and not (info.argnames or info.initialnames or info.names_closure or info.name2fixturedefs):
                _empty.append(self.infos[names])
        if self.infos[names] is None:
            return None
        kind, info = self.infos[names]
        return kind(info.argnames, info.initialnames, list(info.names_closure), dict(info.name2fixturedefs))

    def item(self, name, function):
        """None: it is not one of those."""
        names = _argument_names(function, self.method)
        info = self.info(names, name, function) if names is not None else None
        return info and (items.plain(self.collector, name, function, info) or
                         pytest.Function.from_parent(self.collector, name=name, fixtureinfo=info))


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
            result, kind = None, type(obj)
            if kind in _VALUES:
                continue
            if kind is types.FunctionType and not obj.__dict__:
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
        self.root = str(session.config.rootpath).rstrip("/") + "/"
        self.parents = {}  # parent -> what _parent says

    def _parent(self, parent):
        """(its keywords, the same as JSON, whether it has the mark `always`, its path, the same below the root as JSON,
        what stands before the names of its functions)"""
        found = self.parents.get(parent)
        if found is None:
            names, path = list(parent.keywords), str(parent.path)
            file = _quote(path[len(self.root):]) if path.startswith(self.root) else None
            before = "" if type(parent) is pytest.Module else parent.getmodpath() + "." if type(parent) is pytest.Class else None
            found = self.parents[parent] = (names, "".join("," + _quote(name) for name in names),
                                            parent.get_closest_marker("always") is not None, path, file, before)
        return found

    def _place(self, item, path, file, before):
        """"line", "file" and "name" of an item, as JSON."""
        function = getattr(item, "_obj", None)
        function = getattr(function, "__func__", function)
        if type(item) is pytest.Function and type(function) is types.FunctionType and before is not None and file and \
                not (function.__dict__ and ("__wrapped__" in function.__dict__ or "place_as" in function.__dict__)) and \
                function.__code__.co_filename == path:
            return '"line":%d,"file":%s,"name":%s' % (function.__code__.co_firstlineno - 1, file, _quote(before + item.name))
        file, line, name = item.location
        return '"line":%s,"file":%s,"name":%s' % ("null" if line is None else line, _quote(file), _quote(name))

    def _keywords(self, item, inherited, tail):
        own = item.keywords
        if type(own) is not NodeKeywords or own.parent is not item.parent:
            return ",".join(map(_quote, own))
        markers = own._markers
        if len(markers) == 1 and item.name in markers and item.name not in inherited:
            return _quote(item.name) + tail
        return ",".join(map(_quote, [*markers, *(k for k in inherited if k not in markers)]))

    def rows(self, items):
        """(the items of a *module* document as JSON, whether one has the mark `always`)"""
        rows, always = [], False
        for item in items:
            inherited, tail, whole, path, file, before = self._parent(item.parent)
            always = always or whole or any(mark.name == "always" for mark in item.own_markers)
            rows.append('{"id":%s,%s,"kw":[%s]}' % (
                _quote(item.nodeid), self._place(item, path, file, before), self._keywords(item, inherited, tail)))
        return "[" + ",".join(rows) + "]", always
