"""Debuggers: a test that stops has the terminal of the run."""
import sys

from conftest import FASTEST
from terminal import Tty

STOPS = """
import os

def test_stops():
    x = %d
    breakpoint()
    with open(os.environ["RUNLOG"], "a") as f:
        f.write("%s\\n")
    assert x
"""
PROMPT = r"\(Pdb\) "


def start(project, *args, **env):
    return Tty([FASTEST, "--python", sys.executable, *args], project.root, dict(project.env, **env))


def test_breakpoint_has_the_terminal(project):
    project.write("test_a.py", STOPS % (41, "a"))
    project.write("test_b.py", STOPS % (41, "b"))
    project.write("test_c.py", "def test_c(): pass\n")
    for _ in range(2):  # a pass of it is not kept: it stops again
        t = start(project)
        t.wait(r"PDB set_trace \(IO-capturing turned off\)")
        t.wait(PROMPT)
        t.send("p x + 1\n")
        t.wait(r"\b42\r\n")
        t.wait(PROMPT)
        t.interrupt("--KeyboardInterrupt--")  # it is the debugger's, and ends no run
        t.wait(PROMPT)
        t.send("!x = 0\n")
        t.wait(PROMPT)
        t.send("c\n")
        t.wait(PROMPT)  # the other module waits for its turn
        t.send("c\n")
        t.wait(r"1 failed")
        assert t.finish() == 1, t.all
        assert "2 passed" in t.all, t.all
    assert sorted(project.log.read_text().split()) == ["a", "a", "b", "b"]


def test_quitting_the_debugger_ends_the_run(project):
    project.write("test_a.py", STOPS % (41, "a"))
    t = start(project)
    t.wait(PROMPT)
    t.send("q\n")
    t.wait("Quitting debugger")
    assert t.finish() in (1, 2), t.all
    assert not project.log.exists()


def test_what_is_pytests_own_dialogue(project):
    project.write("test_a.py", "def test_a():\n    x = 41\n    assert x == input('how much? ')\n")
    t = start(project, "-s")
    t.wait(r"how much\? ")
    t.send("7\n")
    t.wait("1 failed")
    assert t.finish() == 1 and "-s is plain pytest's" in t.all, t.all
    t = start(project, "-x", "--pdb", "--capture=no")
    t.wait(r"how much\? ")
    t.send("7\n")
    t.wait(PROMPT)
    t.send("p x + 1\n")
    t.wait(r"\b42\r\n")
    t.send("q\n")
    assert t.finish() == 2, t.all


def test_output_that_the_configuration_wants_on_the_terminal(project):
    project.write("pytest.ini", "[pytest]\naddopts = --capture no\n")
    project.write("test_a.py", "def test_a(): print('on' + 'screen')\n")
    r = project.fastest()
    assert r.code == 0 and "onscreen" in r.out and "--capture=no is plain pytest's" in r.out, r
    r = project.fastest("--capture=fd")
    assert r.code == 0 and "plain pytest" not in r.out and "onscreen" not in r.out, r


def test_without_a_terminal_it_fails_at_once(project):
    project.write("test_a.py", STOPS % (41, "a"))
    r = project.fastest()
    assert r.code in (1, 2) and "1 passed" not in r.out, r
