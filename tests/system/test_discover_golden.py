"""tests/golden: each file is a small project. What discovery calls exact is what pytest collects.

A file begins with its title, then `remark:`, `args:`, `needs: MODULE`, `python: 3.9`, `pytest: 8.3` (the oldest that it is about), `xfail:` (a known limit), and `exact:` lines (`all`: the source
gives every id, and with pytest 9.2 the order too; `some`: what it does not give is listed by function, class or module). Then come the
project's files, each after a line `# --- PATH`, byte for byte; after `# --- pytest says` what
pytest 9.2 collects, for the reader. The test asks the pytest that is installed.
"""
import importlib.util
import json
import os
import pathlib
import shlex
import subprocess
import sys

import pytest

from conftest import FASTEST

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
from nodeids import listed, owners  # noqa: E402

CASES = sorted((pathlib.Path(__file__).parents[1] / "golden").glob("*.txt"))
INI = ("pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")


def number(version):
    return tuple(int(n) for n in version.split(".")[:2])


NUMBER = number(pytest.__version__)
plain = {}  # what pytest says, by case


class Case:
    def __init__(self, path):
        head, *sections = path.read_bytes().split(b"\n# --- ")
        self.fields = {"args": "", "exact": "all", "needs": "", "python": "3.8", "pytest": "7.0"}
        for line in head.decode().splitlines()[1:]:
            key, _, value = line.partition(": ")
            self.fields[key] = value
        self.files = {}
        for section in sections:
            name, _, text = section.partition(b"\n")
            if name.decode() != "pytest says":
                self.files[name.decode()] = text + b"\n"
        self.args = shlex.split(self.fields["args"])

    def write(self, root):
        for name, text in self.files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        if not any(name in self.files for name in INI):
            (root / "pytest.ini").touch()


def pytest_says(root, args):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "FASTEST"))}
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"] + args,
                          cwd=str(root), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    errors = [line[6:].split(" - ")[0] for line in lines if line.startswith("ERROR ")]
    return listed(done.stdout), errors


def fastest_says(root, args, parser):
    env = dict(os.environ, FASTEST_CACHE_DIR=str(root / "cache"))
    done = subprocess.run([FASTEST, "discover", "--format", "json", "--no-cache", "--parser", parser, "--python",
                           sys.executable] + args, cwd=str(root), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("parser", ["ast", "regex"])
@pytest.mark.parametrize("path", CASES, ids=[p.stem for p in CASES])
def test_golden(path, parser, tmp_path):
    case = Case(path)
    limit = case.fields.get("xfail")
    try:
        check(case, path, parser, tmp_path)
    except AssertionError:
        if not limit:
            raise
        pytest.xfail(limit)
    assert not limit or NUMBER < (9, 2), "it passes: take xfail out of the case"


def check(case, path, parser, tmp_path):
    if case.fields["needs"] and importlib.util.find_spec(case.fields["needs"]) is None:
        pytest.skip("%s is not installed" % case.fields["needs"])
    if sys.version_info < number(case.fields["python"]) or NUMBER < number(case.fields["pytest"]):
        pytest.skip("about a newer Python or pytest")
    case.write(tmp_path)
    if path not in plain:
        plain[path] = pytest_says(tmp_path, case.args)
    ids, errors = plain[path]
    tests = fastest_says(tmp_path, case.args, parser)
    exact = [t["nodeid"] for t in tests if t["exact"] and not t["error"]]
    doubtful = {t["nodeid"] for t in tests if not t["exact"]}
    if case.fields["exact"] != "error":  # what only an import can tell: a module that fails
        assert [i for i in exact if i not in ids] == []
        order = list(dict.fromkeys(i for i in ids if i in exact))  # a doctest can have a test's id
        assert order == list(dict.fromkeys(exact)) or (NUMBER < (9, 2) and set(order) == set(exact))
    missed = [i for i in ids if i not in exact and not doubtful.intersection(owners(i))]
    assert missed == []
    if case.fields["exact"] == "all" and NUMBER >= (9, 2):
        assert [i for i in ids if i not in exact] == []
    seen = {owner for t in tests if t["error"] or not t["exact"] for owner in owners(t["nodeid"])}
    if case.fields["exact"] != "error":
        assert [e for e in errors if e not in seen] == []
