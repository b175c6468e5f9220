"""What is printed is what pytest prints: the sections, with the options that shape them."""
import os
import pty
import re
import subprocess
import sys

import pytest
from conftest import FASTEST
from test_reports import PYTEST

LOUD = {
    "pytest.ini": "[pytest]\naddopts = -ra\n",
    "test_loud.py": """
import sys, logging, warnings, pytest
warnings.warn("at import")
@pytest.fixture
def noisy():
    print("set up")
    yield
    print("torn down")
@pytest.fixture
def broken(): raise ValueError("no fixture")
def test_passes(noisy):
    print("to stdout")
    print("to stderr", file=sys.stderr)
def test_warns():
    warnings.warn("one thing")
def test_warns_too():
    warnings.warn("another\\nof two lines")
@pytest.mark.parametrize("i", range(11))
def test_many(i): warnings.warn("the same")
def test_fails(noisy):
    logging.getLogger("x").warning("logged")
    value = [1, 2, 3]
    assert value == [1, 2, 4], "a reason"
def test_error(broken): pass
@pytest.mark.skip(reason="not now")
def test_skipped(): pass
@pytest.mark.skip(reason="not now")
def test_skipped_too(): pass
@pytest.mark.xfail(reason="known")
def test_xfails(noisy): assert 0
@pytest.mark.xfail
def test_xpasses(): print("unexpected")
""",
}


def sections(text):
    """What stands between the progress and the last line, without what differs from run to run."""
    lines = text.splitlines()[:-1]
    first = next((i for i, line in enumerate(lines) if re.match(r"=+ (?!test session)", line)), len(lines))
    kept = [line for line in lines[first:] if not line.startswith("-- Docs: ")]
    return re.sub(r"0x[0-9a-f]+|\d+\.\d+s|\.{3}Full output truncated.*", "#", "\n".join(kept))


@pytest.mark.parametrize("options", [(), ("-rA",), ("-rPX", "--tb=short"), ("--tb=line",), ("--tb=no", "-rN"), ("--tb=native", "-rxX", "-k", "not error"),
                                     ("--show-capture=no", "--xfail-tb"), ("--no-fold-skipped", "-rs", "--show-capture=log"),
                                     ("--disable-warnings", "-q"), ("--no-summary",)], ids=" ".join)
def test_sections_are_pytests(project, options):
    for name, text in LOUD.items():
        project.write(name, text)
    theirs = project.run([PYTEST, "-p", "no:cacheprovider", *options])
    ours = project.fastest("-p", "no:cacheprovider", *options)
    assert ours.code == theirs.code
    assert sections(theirs.out) == sections(ours.out)
    cached = project.fastest("-p", "no:cacheprovider", *options)  # the module fails: it runs again
    assert sections(theirs.out) == sections(cached.out)


def test_warnings_of_cached_modules_stay(project):
    project.write("test_a.py", "import warnings\ndef test_1(): warnings.warn('kept')\n")
    project.write("test_b.py", "def test_2(): pass\n")
    first, second, third = project.fastest(), project.fastest(), None
    project.write("test_b.py", "def test_2(): assert True\n")
    third = project.fastest()
    for r in (first, second, third):
        assert "test_a.py::test_1\n  %s:2: UserWarning: kept\n" % project.path("test_a.py") in r.out, r
        assert "2 passed" in r.last and "1 warning " in r.last, r


def test_slowest_durations(project):
    project.write("test_a.py", "import time\ndef test_slow(): time.sleep(0.05)\ndef test_fast(): pass\n")
    r = project.fastest("--durations=2")
    assert re.search(r"=+ slowest 2 durations =+\n0\.0\ds call     test_a.py::test_slow\n\n"
                     r"\(1 durations < 0.005s hidden.  Use -vv to show these durations.\)\n", r.out), r
    assert "hidden" not in project.fastest("--durations=1", "--durations-min=0").out
    assert len(re.findall(r"(setup|call|teardown) +test_a.py", project.fastest("--durations=0", "-vv").out)) == 6


def test_head_and_letters(project):
    project.write("tests/test_a.py", "def test_1(): pass\ndef test_2(): assert 0\n")
    project.write("pytest.ini", "[pytest]\ntestpaths = tests\n")
    r = project.fastest()
    theirs = project.run([PYTEST, "-p", "no:cacheprovider"])
    head = [line for line in theirs.out.splitlines() if line.startswith(("=== test", "platform", "rootdir", "configfile", "testpaths", "plugins"))]
    assert [line for line in r.out.splitlines() if line in head] == head
    assert "modules: 1, 1 to run\ncollected 2 items\n\ntests/test_a.py .F " in r.out
    assert "test session starts" not in project.fastest("-q").out
    assert "\nplatform" not in project.fastest("--no-header").out


def test_verbose_shows_failures_at_once(project):
    project.write("test_a.py", "def test_1(): assert 0, 'first'\ndef test_2(): pass\n")
    r = project.fastest("-v")
    assert re.search(r"test_1 FAILED +\[ 50%\]\n_+ test_1 _+\n(.*\n)+.*test_2 PASSED +\[100%\]\n", r.out), r
    assert "= FAILURES =" not in r.out and r.out.count("E   AssertionError: first") == 1, r
    assert "= FAILURES =" in project.fastest().out


def read_all(fd):
    text = b""
    while True:
        try:
            part = os.read(fd, 1 << 16)
        except OSError:
            return text.decode()
        if not part:
            return text.decode()
        text += part


def test_a_terminal_gets_a_bar_on_one_line(project):
    project.write("test_a.py", "import pytest, time\n@pytest.mark.parametrize('i', range(8))\ndef test_1(i): time.sleep(0.05)\n")
    ours, theirs = pty.openpty()
    env = dict(project.env, TERM="xterm", COLUMNS="70", LANG="C.UTF-8")
    child = subprocess.Popen([FASTEST, "--python", sys.executable], cwd=project.root, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = read_all(ours)
    assert child.wait() == 0, text
    assert "collecting ..." in text and re.search(r"\d+/8", text), text
    bars = re.findall(r"[^\n\r]*\d+/8[^\n\r]*", text)
    assert all(len(re.sub(r"\x1b\[[0-9;]*[mJ]", "", bar)) < 70 for bar in bars), bars
    assert "\n" not in "".join(re.findall(r"\d+/8[^\r]*\r", text)), "a bar that was left behind"
    assert "\x1b[J" not in text.split("8 passed")[1]
