"""What takes too long is ended and named, and the rest runs."""
import os
import pathlib
import signal
import sys

import pytest
from conftest import FASTEST

TESTS = """
import os, pytest, re, signal, subprocess, sys, threading, time

def test_before(): pass

@pytest.mark.timeout(0.5)
def test_threads():
    threading.Thread(target=time.sleep, args=(60,), daemon=True, name="other").start()
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; echo $$ >child.pid; while :; do sleep 60; done"])
    time.sleep(60)

@pytest.mark.timeout(timeout=0.5)
def test_in_c(): re.match("(a+)+$", "a" * 60 + "b")

@pytest.mark.timeout(0.5)
def test_stopped(): os.kill(os.getpid(), signal.SIGSTOP)

@pytest.fixture
def slow(): time.sleep(0.8)

@pytest.mark.timeout(0.5, func_only=True)
def test_slow_fixture(slow): pass

@pytest.mark.timeout(0.5, func_only=True)
def test_function(slow): time.sleep(60)

@pytest.mark.timeout(0)
def test_without_limit(): time.sleep(1.2)

def test_over_the_option(): time.sleep(60)

def test_after(): pass
"""


def alive(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif("timeout" in {e.name for e in __import__("importlib.metadata").metadata.distributions()
                                  for e in e.entry_points if e.group == "pytest11"}, reason="pytest-timeout does it")
def test_limits_of_tests(project):
    project.write("test_a.py", TESTS)
    r = project.fastest("--timeout=1", "--slow-after=300ms", "--strict-markers", "-n2")
    assert r.code == 1, r
    failed = {"threads", "in_c", "stopped", "function", "over_the_option"}
    passed = {"before", "slow_fixture", "without_limit", "after"}
    assert project.outcomes() == dict([("test_a.py::test_" + n, "failed") for n in failed] +
                                      [("test_a.py::test_" + n, "passed") for n in passed]), r
    texts = {t["nodeid"][16:]: t["call"]["longrepr"] for t in project.json()["tests"] if t["outcome"] == "failed"}
    assert "Timeout (>0.5s)" in texts["threads"] and "Timeout (>1.0s)" in texts["over_the_option"], texts
    assert "in test_threads" in texts["threads"] and texts["threads"].count("Thread 0x") + \
        texts["threads"].count("Current thread") == 2 and "_pytest" not in texts["threads"], texts
    assert "in test_in_c" in texts["in_c"] and "in test_function" in texts["function"], texts
    assert "fastest: test test_a.py::test_without_limit has been running for" in r.out, r
    child = int(project.path("child.pid").read_text())
    if alive(child):
        os.kill(child, signal.SIGKILL)
        assert False, "the test's own child, deaf to TERM, is still there"
    assert not os.listdir(str(project.path(".fastest/stacks")))


def test_ini_and_environment(project):
    project.write("test_a.py", "import time\ndef test_a(): time.sleep(60)\n")
    project.write("pytest.ini", "[pytest]\ntimeout = 60\n")
    r = project.fastest(env={"PYTEST_TIMEOUT": "0.3"})
    assert r.code == 1 and "Timeout (>0.3s)" in r.out, r
    r = project.fastest(env={"PYTEST_TIMEOUT": "soon"})
    assert r.code == 4 and "Invalid timeout soon from PYTEST_TIMEOUT" in r.out, r


def test_an_option_of_the_project_stays_its_own(project):
    project.write("conftest.py", "def pytest_addoption(parser): parser.addoption('--timeout', action='store_true')\n")
    project.write("test_a.py", "def test_a(pytestconfig): assert pytestconfig.option.timeout is True\n")
    r = project.fastest("--timeout")
    assert r.code == 0, r


def test_limit_of_a_batch(project):
    project.write("pyproject.toml", "[tool.fastest]\nbatch-timeout = \"700ms\"\n")
    project.write("test_a.py", "import time\ndef test_1(): pass\ndef test_2(): time.sleep(60)\ndef test_3(): pass\n")
    project.write("test_b.py", "def test_4(): pass\n")
    r = project.fastest("-n1")
    assert r.code == 1, r
    assert project.outcomes() == {"test_a.py::test_1": "passed", "test_a.py::test_2": "failed",
                                  "test_a.py::test_3": "failed", "test_b.py::test_4": "passed"}
    assert "Timeout (>0.7s for its batch)" in r.out and "in test_2" in r.out, r
    assert "not run: its batch took longer than 0.7 s" in r.out, r
    r = project.fastest("-n1", "--batch-timeout", "soon")
    assert r.code == 4 and "--batch-timeout: 'soon' is no time" in r.out, r
