"""One small suite on every Python and pytest that can be had here: outcomes as plain pytest's.

Slow, so only with FASTEST_SLOW=1. Environments are kept in build/pythons."""
import glob
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import FASTEST
from test_outcomes import ZOO, fill
from test_skips import FOLDED, folded_and_run

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARITY = ROOT / "tests" / "parity"
VERSIONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
PYTESTS = {"7": "pytest==7.0.1", "7.4": "pytest==7.4.4", "8": "pytest>=8,<9", "9": "pytest>=9,<10"}
FIRST_PYTEST_9 = "3.10"

pytestmark = pytest.mark.skipif(not os.environ.get("FASTEST_SLOW"),
                                reason="set FASTEST_SLOW=1: makes virtual environments from the package index")


def interpreter(version):
    homes = [os.environ.get("PYENV_ROOT", ""), os.path.expanduser("~/.pyenv")]
    for home in filter(None, homes):
        for path in sorted(glob.glob("%s/versions/%s.*/bin/python" % (home, version))):
            return path
    return shutil.which("python" + version)


def quiet(argv):
    return subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def environment(version, which):
    if which == "9" and VERSIONS.index(version) < VERSIONS.index(FIRST_PYTEST_9):
        pytest.skip("pytest 9 needs Python %s" % FIRST_PYTEST_9)
    base = interpreter(version)
    if not base:
        pytest.skip("no Python %s here" % version)
    home = ROOT / "build" / "pythons" / ("%s-pytest%s" % (version, which))
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        shutil.rmtree(str(home), ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        made = quiet([base, "-m", "venv", home])
        if made.returncode == 0:
            made = quiet([python, "-m", "pip", "-q", "--disable-pip-version-check", "install", PYTESTS[which]])
        if made.returncode:
            pytest.skip("no %s on Python %s: %s" % (PYTESTS[which], version, made.stdout[-200:]))
        (home / "ready").touch()
    return python


@pytest.mark.parametrize("which", PYTESTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_zoo_on(project, version, which):
    python = environment(version, which)
    fill(project, ZOO)
    out = project.root.parent / "plain.json"
    plain = project.run([python.with_name("pytest"), "-p", "outcomes", "-p", "no:cacheprovider"],
                        env={"OUTCOMES": str(out), "PYTHONPATH": str(PARITY)})
    want = json.loads(out.read_text())
    for cached in (False, True):
        r = project.run([FASTEST, "--python", str(python), "-n", "2", "-p", "no:cacheprovider"])
        assert project.outcomes() == want, r
        assert r.code == plain.code, r
        assert any(t["cached"] for t in project.json()["tests"]) == cached
    changed = "sub/helper.py"
    project.write(changed, "X = 2\n")
    r = project.run([FASTEST, "--python", str(python), "-p", "no:cacheprovider"])
    assert project.outcomes() == want, r
    assert {t["nodeid"] for t in project.json()["tests"] if not t["cached"]} >= {"sub/test_sub.py::test_db"}


@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("which", ["8", "9"])
@pytest.mark.parametrize("version", VERSIONS)
def test_certain_skips_on(project, version, which, name):
    folded, run = folded_and_run(project, name, environment(version, which))
    assert folded == run


@pytest.mark.parametrize("which", PYTESTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_golden_cases_on(version, which):
    python = environment(version, which)
    done = subprocess.run([str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                           str(ROOT / "tests" / "system" / "test_discover_golden.py")],
                          env=dict(os.environ, FASTEST=FASTEST), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
