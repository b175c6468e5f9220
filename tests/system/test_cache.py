"""The parse cache that checkouts share, the cache command, and what discover says of malformed input."""
import json
import os
import re
import shutil
import sys

import pytest

from conftest import FASTEST, Project

FILES = {
    "pytest.ini": "[pytest]\n",
    "test_a.py": "def test_a(): pass\n",
    "sub/test_b.py": "import os\n\nclass TestB:\n    def test_b(self): pass\n",
    "sub/test_c.py": "VALUES = [1, 2]\n\ndef test_c(): pass\n",
}


@pytest.fixture
def cached(tmp_path):
    """A maker of checkouts with one cache."""
    def make(name, files=FILES):
        project = Project(tmp_path / name, tmp_path / "run.log", files)
        project.env["FASTEST_CACHE_DIR"] = str(tmp_path / "cache")
        project.env.pop("FASTEST_CACHE_SIZE", None)
        project.state = str(tmp_path / (name + "-state"))
        return project
    return make


def discover(project, *args, fresh=False):
    if fresh:
        shutil.rmtree(project.state, ignore_errors=True)
    return project.run([FASTEST, "discover", "--python", sys.executable, "--state-dir", project.state, *args])


def cache(project, *args):
    return project.run([FASTEST, "cache", *args])


def stats(project):
    r = cache(project, "stats", "--json")
    assert r.code == 0, r
    return json.loads(r.out)


def ids(result):
    return [line for line in result.out.splitlines() if "::" in line and not line.startswith("ERROR")]


EXPECTED = ["sub/test_b.py::TestB::test_b", "sub/test_c.py::test_c", "test_a.py::test_a"]


def test_misses_then_hits(cached, tmp_path):
    project = cached("one")
    assert stats(project)["entries"] == 0
    r = discover(project)
    assert r.code == 0 and sorted(ids(r)) == EXPECTED, r
    first = stats(project)
    assert first["path"] == str(tmp_path / "cache" / "parse.bin")
    assert (first["entries"], first["hits"]) == (first["misses"], 0) and first["entries"] >= 3, first
    assert first["size_bytes"] == os.path.getsize(first["path"]) <= first["limit_bytes"]
    r = discover(project, fresh=True)
    assert r.code == 0 and sorted(ids(r)) == EXPECTED, r
    second = stats(project)
    assert second["misses"] == first["misses"] and second["hits"] >= 3, second
    assert second["hit_rate"] == pytest.approx(second["hits"] / (second["hits"] + second["misses"]), abs=1e-3)
    lines = cache(project, "stats").out
    for word in ("path", "entries", "size", "limit", "hits", "misses", "hit rate", "evicted"):
        assert re.search("^%s +\\S" % word, lines, re.M), lines


def test_checkouts_share_entries(cached):
    one, two = cached("one"), cached("two")
    discover(one)
    before = stats(one)
    r = discover(two)
    assert sorted(ids(r)) == EXPECTED, r
    after = stats(two)
    assert after["entries"] == before["entries"] and after["misses"] == before["misses"], (before, after)
    assert after["hits"] >= before["hits"] + 3


@pytest.mark.parametrize("damage", ["flip", "cut", "zero", "text", "empty"])
def test_a_damaged_file_is_a_miss(cached, damage):
    project = cached("one")
    discover(project)
    path = stats(project)["path"]
    data = bytearray(open(path, "rb").read())
    if damage == "flip":
        for i in range(0, len(data), 7):
            data[i] ^= 0x55
    data = {"cut": data[:len(data) // 2], "zero": bytes(len(data)), "text": b"no cache\n" * 99, "empty": b""}.get(damage, data)
    open(path, "wb").write(data)
    for _ in range(2):
        r = discover(project, fresh=True)
        assert r.code == 0 and sorted(ids(r)) == EXPECTED, r
    assert stats(project)["hits"] >= 1


def test_clear(cached):
    project = cached("one")
    discover(project)
    size = stats(project)["size_bytes"]
    r = cache(project, "clear")
    assert r.code == 0 and "freed %d bytes" % size in r.out, r
    assert stats(project)["entries"] == 0
    r = cache(project, "clear")
    assert r.code == 0 and "freed 0 bytes" in r.out, r
    assert sorted(ids(discover(project, fresh=True))) == EXPECTED


def test_dump_is_json(cached):
    project = cached("one", dict(FILES, **{"test_d.py": 'def test_d(a="\\"ü\\n"): pass\n'}))
    assert json.loads(cache(project, "dump").out) == []
    discover(project)
    entries = json.loads(cache(project, "dump").out)
    assert len(entries) == stats(project)["entries"]
    for e in entries:
        assert re.fullmatch("[0-9a-f]{32}", e["key"]) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["used"])
        assert isinstance(e["size_bytes"], int)
    told = [(s["kind"], s["depth"], s["line"], s["text"]) for e in entries for s in e["statements"]]
    assert ("class", 0, 3, "class TestB") in told and ("def", 1, 4, "def test_b(self)") in told
    assert ("def", 0, 1, 'def test_d(a="\\"ü\\n")') in told


@pytest.mark.parametrize("args", [(), ("frob",), ("stats", "--xml"), ("clear", "now")])
def test_wrong_words(cached, args):
    r = cache(cached("one"), *args)
    assert r.code == 4, r
    assert len(r.out.splitlines()) == 1 and all(w in r.out for w in ("stats", "clear", "dump")), r


def malformed(cached, name, content):
    project = cached("one", dict(FILES, **{name: content}))
    return project, discover(project)


def test_a_syntax_error_has_line_and_caret(cached):
    project, r = malformed(cached, "test_x.py", "def test_x():\n    pass\n\ndef test_y(:\n    pass\n")
    assert r.code == 2 and sorted(ids(r)) == EXPECTED, r
    assert re.search(r"test_x\.py:4:\d+: ", r.out) and re.search(r"^ +def test_y\(:\n +\^$", r.out, re.M), r
    assert "1 error" in r.out, r


def test_nul_bytes(cached):
    project, r = malformed(cached, "test_x.py", b"x = 1\ndef test_x(): pass\0\n")
    assert r.code == 2 and sorted(ids(r)) == EXPECTED, r
    assert re.search(r"test_x\.py:2:\d+: .*null bytes", r.out), r


def test_latin_1(cached):
    project, r = malformed(cached, "test_x.py", b"# coding: latin-1\n\ndef test_x(a='\xe9'): pass\n")
    assert r.code == 0 and sorted(ids(r)) == EXPECTED + ["test_x.py::test_x"], r
    project.write("test_x.py", b"\ndef test_x(a='\xe9'): pass\n")
    r = discover(project)
    assert r.code == 2 and re.search(r"test_x\.py:2:\d+: .*UTF-8", r.out), r


def test_two_megabytes_of_brackets(cached):
    project, r = malformed(cached, "test_x.py", "x = " + "[" * (2 << 20) + "\n")
    assert r.code == 2 and sorted(ids(r)) == EXPECTED and "test_x.py:" in r.out, r
    project.write("test_x.py", "def test_x(): pass\nx = " + "[" * (1 << 20) + "]" * (1 << 20) + "\n")
    r = discover(project)
    assert [i for i in ids(r) if "test_x" not in i] == [i for i in EXPECTED if i in ids(r)] and len(ids(r)) >= 3, r


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_directory(cached):
    project = cached("one", FILES)
    closed = project.path("closed")
    closed.mkdir()
    closed.chmod(0)
    try:
        r = discover(project)
    finally:
        closed.chmod(0o700)
    assert sorted(ids(r)) == EXPECTED and "closed" in r.out, r


def test_a_loop_of_links(cached):
    project = cached("one", FILES)
    project.path("sub/loop").symlink_to("..")
    project.path("sub/self").symlink_to("self")
    project.path("sub/test_gone.py").symlink_to("nowhere.py")
    r = discover(project)
    assert set(EXPECTED) <= set(ids(r)), r
    assert r.code in (0, 2), r


@pytest.mark.parametrize("broken", [False, True])
def test_the_kept_answer_is_the_answer(cached, broken):
    project = cached("kept")
    project.write("test_p.py", "import pytest\n@pytest.mark.parametrize('v', [1, 'é'])\ndef test_p(v): pass\n"
                               "@pytest.mark.parametrize('v', open)\ndef test_q(v): pass\n")
    if broken:
        project.write("test_bad.py", "def test_x(:\n")

    def said(*args):
        r = discover(project, *args)
        return r.code, re.sub(r"in \d+\.\d\ds|.*from the cache.*\n|nothing has changed.*\n", "", r.out)
    while "nothing has changed" not in discover(project, "-v").out:
        pass  # files that changed two seconds ago may change again unseen: nothing is kept of them
    for args in [], ["-qq"], ["--format", "json"], ["-k", "test_a"]:
        first = said(*args, "--no-cache")
        assert said(*args) == first and said(*args) == first
    project.write("sub/test_c.py", "def test_other(): pass\n")
    assert "test_other" in said()[1]
