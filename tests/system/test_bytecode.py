"""Compiled code is shared by checkouts, by content: what a test sees of it is what pytest would show."""

import pytest
from conftest import Project

FILES = {
    "pytest.ini": "[pytest]\npythonpath = src\n",
    "src/lib.py": "import inspect\ndef where(): return inspect.currentframe().f_code.co_filename\n",
    "tests/test_where.py": """
import lib, pathlib
def test_files():
    here = pathlib.Path.cwd()
    assert pathlib.Path(lib.where()) == here / "src" / "lib.py"
    assert pathlib.Path(test_files.__code__.co_filename) == here / "tests" / "test_where.py" == pathlib.Path(__file__)
    assert __spec__.origin == __file__ and type(__spec__.loader).__name__ == "AssertionRewritingHook" and __loader__ is __spec__.loader
def test_rewritten():
    left = [1, 2]
    assert left == [1, 3]
""",
    "tests/test_tuple.py": "def test_tuple(): assert (1, 'always true')\n",
}
FILES.update({"tests/test_more_%d.py" % i: "def test_%d(): assert %d\n" % (i, i + 1) for i in range(20)})


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def checkout(tmp_path, name, cache):
    project = Project(tmp_path / name, tmp_path / (name + ".log"), FILES)
    project.env.update(FASTEST_CACHE_DIR=str(cache), PYTHONDONTWRITEBYTECODE="1")
    return project


def check(project):
    r = project.fastest()
    assert r.code == 1 and "1 failed" in r.out and "22 passed" in r.out and "1 warning" in r.out, r
    assert "assert [1, 2] == [1, 3]" in r.out and "At index 1 diff: 2 != 3" in r.out, r
    assert "tests/test_where.py:10: AssertionError" in r.out, r
    return r


def entries(cache):
    return {p: p.read_bytes() for p in cache.glob("code/*-pytest-*/*")}


def test_another_checkout_uses_what_one_has_compiled(tmp_path, cache):
    check(checkout(tmp_path, "one", cache))
    found = entries(cache)
    assert len(found) == len([n for n in FILES if n.endswith(".py")]) - 1  # what is warned of is compiled again
    check(checkout(tmp_path, "two", cache))
    assert entries(cache) == found
    assert not list(tmp_path.glob("*/**/__pycache__"))


def test_damaged_entries_are_made_again(tmp_path, cache):
    check(checkout(tmp_path, "one", cache))
    found = entries(cache)
    for i, (path, data) in enumerate(found.items()):
        path.write_bytes((b"", b"garbage that is no code", data[:-7], b"\0" * len(data))[i % 4])
    check(checkout(tmp_path, "two", cache))
    assert {path: len(data) for path, data in entries(cache).items()} == {path: len(data) for path, data in found.items()}


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, cache):
    cache.write_text("a file")
    check(checkout(tmp_path, "one", cache))
