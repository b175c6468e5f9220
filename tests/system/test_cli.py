"""The command line: what comes from the table, configuration, suggestions."""
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import FASTEST


def out(*args, **kw):
    done = subprocess.run([FASTEST, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **kw)
    return done.returncode, done.stdout, done.stderr


def commands():
    text = out("--help")[1]
    part = text.split("commands:\n")[1].split("\noptions:")[0]
    return re.findall(r"^  (\w+)", part, re.M)


def test_every_command_has_help():
    for name in commands() + ["scan", "batch", "summary"]:
        code, text, err = out(name, "--help")
        assert code == 0 and not err and text.startswith("usage: fastest "), name
        assert max(map(len, text.splitlines())) <= 80
        assert out("help", name)[1] == text


def test_unknown_options_and_commands_suggest(project):
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.fastest("--workes=3", "--durationss", "2")
    assert r.code == 4 and "unrecognized arguments: --workes=3 --durationss" in r.out, r
    assert "did you mean --workers --durations?" in r.out
    assert not (project.root / ".fastest" / "m").exists()
    r = project.run([FASTEST, "dicover"])
    assert r.code == 4 and r.out == "fastest: dicover: no such command, file or directory; did you mean `fastest discover`?\n"


def test_configuration_is_shown_with_its_sources(project):
    project.write("pyproject.toml", '[tool.fastest]\nworkers = 3\nenv = ["HOME", "LANG"]\n\n[tool.pytest.ini_options]\naddopts = "-x"\n')
    project.write("sub/test_a.py", "def test_a(): pass\n")
    r = project.run([FASTEST, "config", "--json", "--python", sys.executable, "--state-dir", "s"], cwd=project.path("sub"), env={"FASTEST_COLOR": "no"})
    assert r.code == 0, r
    rows = {row["name"]: (row["value"], row["from"]) for row in json.loads(r.out)}
    assert rows["rootdir"] == (str(project.root), "../pyproject.toml")
    assert rows["workers"] == ("3", "../pyproject.toml:2")
    assert rows["env"] == ("HOME LANG", "../pyproject.toml:3")
    assert rows["fail-fast"] == ("true", "../pyproject.toml")
    assert rows["color"] == ("no", "FASTEST_COLOR")
    assert rows["state-dir"] == (str(project.path("sub/s")), "the command line")
    assert rows["python"] == (sys.executable, "the command line")
    project.replace("pyproject.toml", "workers", "wokers")
    for args in (["config"], [], ["discover"], ["why"]):
        r = project.run([FASTEST, *args])
        assert r.code == 4 and "pyproject.toml:2: [tool.fastest] wokers: no such key; did you mean workers?" in r.out, r


MARKED = "import pytest\n@pytest.mark.slow\ndef test_slow(): pass\ndef test_quick(): pass\nclass TestC:\n    def test_in_class(self): assert 0\n"


@pytest.mark.parametrize("args", [
    ["-k", "quick or TestC", "-m", "not slow", "--ignore=sub", "-p", "no:doctest", "-o", "xfail_strict=true"],
    ["-k", "--not-an-option or slow", "--ignore-glob=*/test_[bc].py", "-vv"],
    ["-c", "conf/other.ini", "--rootdir", ".", "--deselect=sub/check_d.py::test_quick", "sub"],
    ["-o", "python_functions=check_*", "-q", "test_a.py", "--override-ini=python_classes=None"],
    ["sub/../test_a.py::TestC", "test_a.py::test_quick", "--strict-markers", "-rA", "--tb=line", "--durations=2"],
], ids=["k-m-ignore", "k-glob-vv", "c-rootdir-deselect", "o", "ids"])
def test_options_mean_what_they_mean_in_pytest(project, args):
    project.write("pytest.ini", "[pytest]\nmarkers = slow\n")
    project.write("conf/other.ini", "[pytest]\nmarkers = slow\npython_files = check_*.py\n")
    for name in ("test_a.py", "sub/test_b.py", "sub/test_c.py", "sub/check_d.py"):
        project.write(name, MARKED)
    project.write("sub/__init__.py", "")

    def seen(r):
        words = [(i, o) for i, o in re.findall(r"^(\S+::\S+) (PASSED|FAILED|ERROR|SKIPPED)\b", r.out, re.M)]
        return r.code, sorted(words)

    verbose = [] if "-vv" in args else ["-vv"] if "-q" in args else ["-v"]
    ours = project.fastest(*args, *verbose)
    theirs = project.run([sys.executable, "-m", "pytest", *args, *verbose])
    assert seen(ours) == seen(theirs) and (seen(ours)[1] or ours.code == 5), "%r\n%r" % (ours, theirs)


def test_collect_only_as_pytest(project):
    project.write("test_a.py", "import pytest\n@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x): pass\nclass TestB:\n    def test_b(self): pass\n")
    for args in (["--co", "-q"], ["--collect-only", "-qq"], ["--co", "-q", "-k", "test_b"], ["--co"]):
        r = project.fastest(*args)
        p = project.run([sys.executable, "-m", "pytest", *args])
        assert r.code == p.code == 0
        plain = "fastest: --collect-only is plain pytest's: running it without fastest\n"
        assert (plain in r.out) == (args == ["--co"])
        tidy = lambda text: re.sub(r" in [\d.]+s|^=+ | =+$", "", text.replace(plain, ""), flags=re.M)
        assert tidy(r.out) == tidy(p.out)
    project.write("test_a.py", "def pytest_generate_tests(metafunc):\n    metafunc.parametrize('x', list(range(3)))\ndef test_a(x): pass\n")
    r = project.fastest("--co", "-q")
    assert r.code == 0 and "test_a.py::test_a[2]" in r.out, r


def test_nothing_runs_behind_the_failure_that_stops_the_only_worker(project):
    project.write("test_a.py", """
import os, pytest

@pytest.mark.parametrize("i", range(30))
def test_x(i):
    with open(os.environ["RUNLOG"], "a") as f:
        f.write("%s\\n" % "abcdefghijklmnopqrstuvwxyz01234"[i])
    assert i not in (3, 5)
""")
    r = project.fastest("-n1", "-x", "--no-confirm")
    assert (r.code, r.ran) == (1, "abcd"), r
    r = project.fastest("-n1", "--maxfail=2", "--no-confirm")
    assert (r.code, r.ran) == (1, "abcdef"), r


def test_addopts_of_the_configuration_count(project):
    project.write("pytest.ini", "[pytest]\naddopts = -v -x\n")
    project.write("test_a.py", "def test_a(): assert 0\ndef test_b(): pass\n")
    r = project.fastest()
    assert r.code == 1 and "test_a.py::test_a FAILED" in r.out, r
    assert "stopping after 1 failures" in r.out and "test_a.py::test_b" not in r.out, r
