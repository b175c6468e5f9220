"""Collection and the search for fixtures look only at what can be one.

pytest asks a hook about each entry of a directory, where ours leaves out what is not to be collected before anybody
else is asked (session.py), and at a session's start it unwraps each attribute of each plugin. Both are most of what a
session costs that collects one module of many. What is passed over here comes to nothing there.
"""
import builtins
import types

from _pytest import fixtures, main, python

_Fixture = getattr(fixtures, "FixtureFunctionDefinition", None)  # of pytest 8.4 and later


def _is_inert(value):
    """It is no fixture, and hides none."""
    try:
        return type(value) is not _Fixture and not hasattr(value, "__wrapped__")
    except Exception:
        return False


def _raw(holder):
    """What FixtureManager.parsefactories looks up, by name; None where more than that may be there."""
    if type(holder) is types.ModuleType:
        found = holder.__dict__
        return None if "__dir__" in found or "__getattr__" in found else found
    kind = holder if isinstance(holder, type) else type(holder)
    if type(kind) is not type:
        return None
    found = {}
    for base in reversed(kind.__mro__):
        found.update(base.__dict__)
    return found


def _names(*holder):
    """dir(holder), without what parsefactories would pass over."""
    names = builtins.dir(*holder)
    raw = _raw(*holder) if holder else None
    if raw is None:
        return names
    return [name for name in names if name in raw and not _is_inert(raw[name])]


def _only(scandir, plugin, session):
    """scandir without what the plugin ignores; what is named on the command line is not asked about."""
    def narrowed(*args, **kw):
        named = session._initialpaths_with_parents
        named = {str(path) for path in named}
        return [entry for entry in scandir(*args, **kw) if not plugin.ignores(entry.path) or entry.path in named]
    return narrowed


def install(plugin, session):
    """From now on in this process."""
    if hasattr(session, "_initialpaths_with_parents"):  # pytest 8 and later
        main.scandir = _only(main.scandir, plugin, session)
        python.scandir = _only(python.scandir, plugin, session)
    if _Fixture is not None:
        fixtures.dir = _names
