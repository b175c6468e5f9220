"""A failure that plain pytest would not give is none: what fails runs once more, alone."""
import pytest

COUNT = """
import os
def count(name):
    with open(name + ".count", "a") as f: f.write("x")
    return os.path.getsize(name + ".count")
"""
FILES = {
    "conftest.py": COUNT + """
import pytest
@pytest.fixture(scope="module")
def shared(): pass
""",
    # Fails while test_b runs.
    "test_a.py": """
import os, time
from conftest import count
def test_a():
    wait = 20 if count("a") == 1 else 0
    open("a.on", "w").close()
    end = time.time() + wait
    while not os.path.exists("b.on") and time.time() < end: time.sleep(0.01)
    assert not os.path.exists("b.on"), "somebody is beside me"
""",
    "test_b.py": """
import os, time
def test_b():
    open("b.on", "w").close()
    end = time.time() + 20
    while not os.path.exists("a.on") and time.time() < end: time.sleep(0.01)
    time.sleep(0.2)
    os.unlink("b.on")
""",
    "test_flaky.py": "from conftest import count\ndef test_flaky(): assert count('flaky') not in (1, 4)\n",
    # In pytest, too: what came before in the module has spoiled it.
    "test_real.py": """
import pytest
from conftest import count
state = []
def test_spoils(shared): state.append(1)
def test_spoiled(shared): assert not state
def test_real(shared): count("real"); assert 0
@pytest.mark.parametrize("n", range(20))
def test_many(shared, n): count("many"); assert n < 0
""",
    "test_order.py": """
import time, pytest
state = []
@pytest.mark.parametrize("n", range(40))
def test_order(n):
    time.sleep(0.02)
    state.append(n)
    assert 0 in state
""",
}


def counted(project, name):
    return len(project.path(name + ".count").read_text())


def test_failures_are_confirmed(project):
    for name, text in FILES.items():
        project.write(name, text)
    r = project.fastest("-n", "3", "test_flaky.py", "test_real.py", "test_order.py")
    outcomes = project.outcomes()
    failed = {name.split("::")[1].split("[")[0] for name, outcome in outcomes.items() if outcome != "passed"}
    assert failed == {"test_spoiled", "test_real", "test_many"} and len(outcomes) == 64 and r.code == 1, r
    assert "fastest: test_flaky.py::test_flaky is flaky" in r.out, r
    assert "1 flaky" in r.last, r
    assert counted(project, "real") == 2, "a real failure runs once more"
    assert counted(project, "many") == 23, "of many failures of the same kind a few run once more"
    assert not project.path(".fastest/needs").exists() or "test_order" in project.path(".fastest/needs").read_text()


def test_a_test_that_needs_to_be_alone(project):
    for name in ("conftest.py", "test_a.py", "test_b.py"):
        project.write(name, FILES[name])
    r = project.fastest("-n", "2")
    assert r.code == 0 and "fastest: test_a.py::test_a needs exclusive" in r.out, r
    assert project.path(".fastest/needs").read_text() == "exclusive\ttest_a.py::test_a\n"
    # That is remembered: alone from the start, and passed at once.
    project.replace("test_a.py", "import os, time", "import os, time, sys")
    project.replace("test_b.py", "import os, time", "import os, time, sys")
    before = counted(project, "a")
    r = project.fastest("-n", "2")
    assert r.code == 0 and "fastest: test_a" not in r.out and counted(project, "a") == before + 1, r
    r = project.fastest("-n", "2")
    assert r.code == 0 and "2 passed (2 cached)" in r.out, r


def test_imports_of_others(project):
    project.write("test_a.py", "def test_a():\n    import xml.dom.minidom\n")
    project.write("test_b.py", "import xml\ndef test_b(): xml.dom.minidom.parseString('<a/>')\n")
    assert project.fastest("-n", "1").code == 0
    project.path(".fastest/needs").unlink() if project.path(".fastest/needs").exists() else None
    project.replace("test_b.py", "<a/>", "<b/>")
    r = project.fastest("test_b.py")
    assert r.code == 0 and "fastest: test_b.py::test_b needs imports of xml.dom" in r.out, r
    project.replace("test_b.py", "<b/>", "<c/>")
    r = project.fastest("test_b.py")
    assert r.code == 0 and "fastest:" not in r.out and "1 passed (0 cached)" in r.out, r
    project.path(".fastest/needs").unlink()
    project.replace("test_b.py", "<c/>", "<d/>")
    r = project.fastest("--no-confirm", "test_b.py")
    assert r.code == 1 and "has no attribute 'dom'" in r.out, r


def test_ninja_test_confirms_too(project):
    project.write("conftest.py", COUNT)
    project.write("test_a.py", "from conftest import count\ndef test_a(): assert count('a') > 1\n")
    project.init()
    r = project.run(["ninja", "test"])
    assert r.code == 0 and "needs exclusive" in r.out and "1 passed" in r.out, r
    r = project.run(["ninja", "test"])
    assert r.code == 0 and "1 passed (1 cached)" in r.out, r


def test_fail_fast_goes_on_after_a_failure_that_is_none(project):
    project.write("conftest.py", COUNT)
    project.write("test_a.py", "from conftest import count\ndef test_a(): assert count('a') > 1\n")
    for name in "bcdefg":
        project.write("test_%s.py" % name, "def test_%s(): pass\n" % name)
    project.write("test_h.py", "from conftest import count\ndef test_h(): count('h')\n")
    r = project.fastest("-x", "-n", "1")
    assert r.code == 0 and "8 passed" in r.out and "test_a is flaky" in r.out, r
    project.replace("test_a.py", "> 1", "> 1, 'again'")
    project.path("a.count").unlink()
    r = project.fastest("-x", "-n", "1", "--no-confirm")
    assert r.code == 1 and "again" in r.out, r
