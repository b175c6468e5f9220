"""What must not run beside something else does not; failing tests are tried again when that is asked for."""
import sys

NOTE = """
import os, time, pytest
@pytest.fixture(autouse=True)
def note(request):
    start = time.monotonic()
    yield
    with open("log", "a") as f: f.write("%s %d %f %f\\n" % (request.node.nodeid, os.getpid(), start, time.monotonic()))
"""
MODULE = "import time, pytest\n%s\n@pytest.mark.parametrize('n', range(4))\ndef test_%s(n): time.sleep(0.05)\ndef test_x(): pass\n"


def log(project):
    """[(node id, process, start, end)] by start"""
    rows = [line.split() for line in project.path("log").read_text().splitlines()]
    return sorted([(r[0], int(r[1]), float(r[2]), float(r[3])) for r in rows], key=lambda r: r[2])


def test_groups_marks_and_serial_modules(project):
    project.write("conftest.py", NOTE)
    project.write("pyproject.toml", '[tool.pytest.ini_options]\nmarkers = ["xdist_group"]\n[tool.fastest]\nserial = ["alone/*.py"]\n'
                                    '[tool.fastest.groups]\ndb = ["db", "test_db.py"]\n')
    for name in ("db/test_1.py", "db/test_2.py", "test_db.py", "alone/test_s1.py", "alone/test_s2.py", "test_free1.py", "test_free2.py"):
        project.write(name, MODULE % ("", "f"))
    for name in ("test_m1.py", "test_m2.py"):
        project.write(name, MODULE % ("@pytest.mark.xdist_group('g')", "m"))
    r = project.fastest("-n", "3", "--import-mode=importlib")
    assert r.code == 0 and "45 passed (0 cached)" in r.out, r
    rows = log(project)
    assert len({row[1] for row in rows if row[0].startswith(("db/", "test_db"))}) == 1
    assert len({row[1] for row in rows if "::test_m" in row[0]}) == 1
    assert len({row[1] for row in rows}) > 2
    last = 0
    for name, _, start, end in rows:
        assert start >= last or "alone/" not in name, "%s ran beside another" % name
        last = max(last, end)
    first = next(i for i, row in enumerate(rows) if "alone/" in row[0])
    assert all("alone/" in row[0] for row in rows[first:]) and len(rows) - first == 10
    r = project.fastest("-n", "3", "--import-mode=importlib")
    assert r.code == 0 and "45 passed (45 cached)" in r.out, r


def test_retries(project):
    project.write("test_r.py", """
import os, pytest
def count(name):
    with open(name, "a") as f: f.write("x")
    return os.path.getsize(name)
@pytest.fixture(scope="module")
def broken():
    if count("broken") < 2: raise ValueError("not yet")
def test_third(record_property):
    record_property("try", count("third"))
    print("try", os.path.getsize("third"))
    assert os.path.getsize("third") == 3
def test_fixture(broken): pass
def test_crash():
    if count("crash") == 1: os._exit(3)
def test_never():
    count("never")
    assert 0
def test_plain(): count("plain")
""")
    r = project.fastest("--retries", "2", "-n", "1", "--no-confirm")
    assert r.code == 1 and "3 flaky" in r.last, r
    assert project.outcomes() == {"test_r.py::test_" + n: "failed" if n == "never" else "passed"
                                  for n in ("third", "fixture", "crash", "never", "plain")}
    assert [len(project.path(n).read_text()) for n in ("third", "never", "plain")] == [3, 3, 1]
    third = next(t for t in project.json()["tests"] if "third" in t["nodeid"])
    assert third["call"]["stdout"] == "try 3\n", third


PIDS = """
import os, pytest
@pytest.fixture(scope="session")
def shared():
    with open("shared", "a") as f: f.write("x")
@pytest.fixture(autouse=True)
def note(request):
    with open("pids", "a") as f: f.write("%d\\n" % os.getpid())
"""


def pids(project):
    lines = project.path("pids").read_text().split()
    project.path("pids").unlink()
    return len(set(lines)), len(lines)


def test_isolation(project):
    project.write("conftest.py", PIDS)
    for name in "abc":
        project.write("test_%s.py" % name, "state = []\ndef test_1(shared): state.append(1)\ndef test_2(shared): pass\n")
    for isolation, processes in (("session", 1), ("test", 6), ("process", 3)):
        r = project.fastest("--isolation", isolation, "-n", "1")
        assert r.code == 0 and "6 passed (0 cached)" in r.out, r
        assert pids(project) == (processes, 6), isolation
        assert project.path("shared").stat().st_size == processes
        project.path("shared").unlink()
    project.write("test_a.py", "def test_1(): assert 0\n")
    r = project.fastest("--isolation", "process", "test_a.py")
    assert r.code == 1 and "1 failed" in r.out and pids(project) == (2, 2), r


def test_an_expensive_session_fixture_is_set_up_once(project):
    project.write("conftest.py", PIDS.replace("    with open(\"shared\"", "    import time; time.sleep(0.6)\n    with open(\"shared\""))
    for name in "abcd":
        project.write("test_%s.py" % name, "import time\ndef test_1(shared): time.sleep(0.02)\ndef test_2(): time.sleep(0.2)\n")
    assert project.fastest("-n", "3").code == 0
    assert "::shared\t0.6" in project.path(".fastest/fixtures").read_text()
    project.path("shared").unlink()
    for name in "abcd":
        project.replace("test_%s.py" % name, "0.02", "0.03")
    pids(project)
    assert project.fastest("-n", "3").code == 0
    assert project.path("shared").stat().st_size == 1 and pids(project)[0] > 1


def test_what_cannot_be_forked_runs_in_several_interpreters(project):
    project.write("conftest.py", PIDS + "import threading\n"
                                        "threading.Thread(target=threading.Event().wait, daemon=True, name='busy').start()\n")
    for name in "abcd":
        project.write("test_%s.py" % name, """
import threading, time
def test_wait():
    end = time.time() + 60
    while len(set(open("pids").read().split())) < 2 and time.time() < end: time.sleep(0.01)
def test_alive(): assert threading.active_count() == 2
""")
    r = project.fastest("-n", "2")
    assert r.code == 0 and "8 passed" in r.out, r
    assert pids(project) == (2, 8)
    assert r.out.count("fastest: threads run after collection: busy: the tests run in interpreters of their own") == 1, r
