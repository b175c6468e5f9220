"""Makes pytest.Function items in the way of their constructor, without its detours.

Function.from_parent (_pytest/python.py, nodes.py) goes through five constructors, looks the same parents up several
times and asks for marks where a function has none. What it leaves behind is some fifteen attributes. They are set here
at once, for pytest.Function itself, never for a subclass. The first items of each kind are made in both ways and
compared, attribute by attribute: where anything differs, pytest's own constructor makes them all.
"""
import types

import pytest
from _pytest import python
from _pytest.fixtures import TopRequest
from _pytest.mark.structures import NodeKeywords, get_unpacked_marks
from _pytest.stash import Stash

Function = pytest.Function
_new, _set = object.__new__, object.__setattr__
_from_parent = Function.__dict__["from_parent"].__func__
_KNOWN = {"name", "fixtureinfo", "callspec", "keywords", "originalname"}
_checked = {}  # kind of item -> whether both ways come to the same
_STRUCTURED = not hasattr(pytest.Session, "_nodeid") and hasattr(pytest.Session, "_id")  # ids: pytest 9.2


def install():
    Function.from_parent = classmethod(_fast_from_parent)


def _id(item, parent, base, callspec):
    if not _STRUCTURED:
        item._nodeid = parent.nodeid + "::" + item.name
        return
    above = parent.id
    item._id = own = _new(type(above))  # frozen: parent.id.child(base).with_params(…)
    _set(own, "path", above.path)
    _set(own, "names", (*above.names, base))
    _set(own, "params", callspec.id if callspec is not None and callspec._idlist else None)
    _set(own, "_str_cache", None)


def _request(item, fixtureinfo):
    request = _new(TopRequest)
    request.fixturename = None
    request._pyfuncitem = item
    request._arg2fixturedefs = fixtureinfo.name2fixturedefs
    request._fixture_defs = {}
    return request


def _keywords(item, name, parent):
    keywords = _new(NodeKeywords)
    keywords.node = item
    keywords.parent = parent
    keywords._markers = {name: True}
    return keywords


def _bind(item, parent, base):
    """Finds the function or method: its attributes, when it has some."""
    if isinstance(parent, pytest.Class):
        item._instance = instance = parent.newinstance()
        item._obj = obj = getattr(instance, base)
    else:
        item._instance = None
        item._obj = obj = getattr(parent.obj, base)
    plain = getattr(obj, "__func__", obj)
    if type(plain) is types.FunctionType and not plain.__dict__:
        return None
    item.own_markers.extend(get_unpacked_marks(obj))
    return obj.__dict__


def _mark(item, attributes, callspec, keywords):
    if callspec:
        item.callspec = callspec
        item.own_markers.extend(callspec.marks)
    if item.own_markers:
        item.keywords.update((mark.name, mark) for mark in item.own_markers)
    if attributes:
        item.keywords.update(attributes)
    if keywords:
        item.keywords.update(keywords)


def _make(parent, name, fixtureinfo, callspec=None, keywords=None, originalname=None, function=None):
    item = _new(Function)
    item.name = name
    item.parent = parent
    item.config = parent.config
    item.session = parent.session
    item.path = parent.path
    item.keywords = _keywords(item, name, parent)
    item.own_markers = []
    item.extra_keyword_matches = set()
    item.originalname = base = originalname or name
    _id(item, parent, base, callspec)
    item.stash = item._store = Stash()
    item._report_sections = []
    item.user_properties = []
    if function is None:
        _mark(item, _bind(item, parent, base), callspec, keywords)
    else:
        item._instance, item._obj = None, function
    item._fixtureinfo = fixtureinfo
    item.fixturenames = fixtureinfo.names_closure
    item.funcargs = {}
    item._request = _request(item, fixtureinfo)
    return item


def plain(parent, name, function, fixtureinfo):
    """Of a module's function without attributes, where that is known to come to the same; else None."""
    if type(parent) is pytest.Module and _checked.get((pytest.Module, False)):
        return _make(parent, name, fixtureinfo, function=function)
    return None


def _fast_from_parent(cls, parent, **kw):
    if cls is not Function or not kw.keys() <= _KNOWN or kw.get("fixtureinfo") is None:
        return _from_parent(cls, parent, **kw)
    kind = (type(parent), "callspec" in kw)
    same = _checked.get(kind)
    if same is None:
        if isinstance(parent, pytest.Class) and not _may_be_made_twice(parent.obj):
            return _from_parent(cls, parent, **kw)
        theirs = _from_parent(cls, parent, **kw)
        try:
            _checked[kind] = _alike(theirs, _make(parent, **kw), {})
        except Exception:
            _checked[kind] = False
        return theirs
    return _make(parent, **kw) if same else _from_parent(cls, parent, **kw)


def _may_be_made_twice(kind):
    """Nobody can tell: an instance is made for each item."""
    return type(kind) is type and kind.__new__ is object.__new__ and kind.__init__ is object.__init__


def _attributes(value):
    """Of an object, those of slots included."""
    found = dict(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return found


def _alike(a, b, seen):
    """Whether they are built alike; what they share is, and so is what each has of its own kind."""
    if a is b or seen.get(id(a)) is b:
        return True
    if type(a) is not type(b) or id(a) in seen:
        return False
    seen[id(a)] = b
    if isinstance(a, (str, bytes, int, float)) or callable(a) and not hasattr(a, "__self__"):
        return a == b
    if isinstance(a, types.MethodType):
        return a.__func__ is b.__func__ and _alike(a.__self__, b.__self__, seen)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_alike(x, y, seen) for x, y in zip(a, b))
    if isinstance(a, (set, frozenset)):
        return a == b
    if isinstance(a, dict):
        return list(a) == list(b) and all(_alike(a[key], b[key], seen) for key in a)
    left, right = _attributes(a), _attributes(b)
    return left.keys() == right.keys() and all(_alike(left[name], right[name], seen) for name in left)
