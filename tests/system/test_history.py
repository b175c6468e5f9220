"""fastest history, after real runs."""
import json

from conftest import FASTEST

TESTS = """
import os, time

def test_slow():
    time.sleep(0.05)

def test_flips():
    assert os.path.exists("there")  # nothing tells of it

class TestC:
    def test_in_class(self): pass
"""


def test_durations_outcomes_and_flips(project):
    project.write("sub/test_a.py", TESTS)
    assert project.run([FASTEST, "history"]).code == 4  # nothing has run
    project.fastest()
    project.write("there", "")
    assert project.fastest().code == 0
    assert project.fastest().code == 0  # cached: adds nothing
    project.replace("sub/test_a.py", "0.05", "0.06")
    project.path("there").unlink()
    project.fastest()

    def ask(*args, **kw):
        r = project.run([FASTEST, "history", *args], **kw)
        assert r.code == 0, r
        return r.out

    rows = {row["nodeid"]: row for row in json.loads(ask("--json"))}
    assert sorted(rows) == ["sub/test_a.py::TestC::test_in_class", "sub/test_a.py::test_flips", "sub/test_a.py::test_slow"]
    slow, flips = rows["sub/test_a.py::test_slow"], rows["sub/test_a.py::test_flips"]
    assert [r["outcome"] for r in flips["runs"]] == ["failed", "passed", "failed"] and flips["flips"] == 1
    assert [r["outcome"] for r in slow["runs"]] == ["passed"] * 3 and slow["mean"] >= 0.05
    first = ask("--slowest", "1").splitlines()
    assert "sub/test_a.py::test_slow" in first[0] and len(first) == 2
    text = ask("--flaky")
    assert "test_flips  (3 runs, 2 failed, 1 flip)" in text and "test_slow" not in text
    text = ask("test_a.py::TestC", cwd=project.path("sub"))
    assert "test_in_class" in text and "test_slow" not in text and "its sources had changed" in text
    assert ask("nothing.py").startswith("0 tests")
