"""The build around us says how many tests run at once: Ninja's -j, make's jobserver as a fifo and as a pipe."""
import os
import pathlib
import shutil
import sys

import pytest
from conftest import FASTEST

TESTS = """
import os, time
def test_%s():
    start = time.monotonic()
    time.sleep(0.15)
    with open("log", "a") as f: f.write("%%f %%f\\n" %% (start, time.monotonic()))
"""


@pytest.fixture
def tree(project):
    for name in "abcdefgh":
        project.write("test_%s.py" % name, TESTS % name)
    return project


def at_once(project):
    """How many tests ran beside each other, at most; the log is gone then."""
    rows = [tuple(map(float, line.split())) for line in project.path("log").read_text().splitlines()]
    project.path("log").unlink()
    assert len(rows) == 8
    return max(sum(start <= at < end for start, end in rows) for at, _ in rows)


def again(project):
    for name in "abcdefgh":
        project.later("test_%s.py" % name)
    shutil.rmtree(str(project.path(".fastest/m")))


def test_a_fifo_of_make(tree, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(str(fifo))
    fd = os.open(str(fifo), os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, b"+-")
    flags = {"MAKEFLAGS": " -j3 --jobserver-auth=fifo:" + str(fifo)}
    r = tree.fastest("-n", "6", env=flags)
    assert r.code == 0 and at_once(tree) <= 3, r
    assert sorted(os.read(fd, 9)) == sorted(b"+-"), "the tokens have not come back"
    again(tree)
    r = tree.fastest("-n", "6", env=flags)  # not one
    assert r.code == 0 and at_once(tree) == 1, r
    os.close(fd)


def test_a_pipe_of_make(tree):
    make = shutil.which("gmake") or shutil.which("make")
    tree.write("Makefile", "all:\n\t+@'%s' --python '%s' -n 6\nnot:\n\t@'%s' --python '%s' -n 6\n" % ((FASTEST, sys.executable) * 2))
    r = tree.run([make, "-j2", "all"])
    assert r.code == 0 and "8 passed" in r.out and at_once(tree) <= 2, r
    again(tree)
    r = tree.run([make, "-j2", "not"])
    assert r.code == 0 and at_once(tree) > 2, r
    assert "jobserver cannot be reached" in r.out and r.out.count("begin the recipe's line with +") == 1, r


def test_ninjas_jobs(tree):
    tree.init("-n", "6")
    r = tree.run(["ninja", "-j2", "test"])
    assert r.code == 0 and at_once(tree) <= 2, r
    again(tree)
    r = tree.run(["ninja", "-j", "8", "test"])
    assert r.code == 0 and at_once(tree) > 2, r


def test_a_fifo_of_make_under_ninja(tree, tmp_path):
    """Ninja 1.13 takes a token for each edge; an older one takes none, and the pool does."""
    fifo = tmp_path / "fifo"
    os.mkfifo(str(fifo))
    fd = os.open(str(fifo), os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, b"++")
    tree.init("-n", "6")
    for ninja in {str(pathlib.Path(sys.executable).parent / "ninja"), "/usr/bin/ninja"}:
        if not os.path.exists(ninja):
            continue
        r = tree.run([ninja, "test"], env={"MAKEFLAGS": " -j3 --jobserver-auth=fifo:" + str(fifo)})
        assert r.code == 0 and "8 passed" in r.out, r
        assert 1 < at_once(tree) <= 3, ninja
        assert os.read(fd, 9) == b"++"
        os.write(fd, b"++")
        again(tree)
    os.close(fd)
