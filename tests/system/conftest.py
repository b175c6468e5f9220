"""The project of the Ninja scenarios, and helpers that run the real binary and the real ninja."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

FASTEST = os.environ.get("FASTEST") or str(pathlib.Path(__file__).parents[2] / "build" / "fastest")
LIMIT = 120  # seconds: a hang is a failure

MODULE = """
import os, pytest
{imports}

@pytest.fixture(scope="module", autouse=True)
def note_run():
    with open(os.environ["RUNLOG"], "a") as f:
        f.write("{letter}\\n")

def test_{letter}():
    {body}
"""

FILES = {
    "pytest.ini": "[pytest]\npythonpath = src\n",
    # A failed test would run once more, and what ran is counted here.
    "pyproject.toml": "[tool.fastest]\nno-confirm = true\n",
    "src/util.py": "def one():\n    # a comment\n    return 1\n",
    "src/core.py": "import util\n\ndef two():\n    return util.one() + 1\n",
    "src/loop_a.py": "import loop_b\n\ndef a():\n    return 3\n",
    "src/loop_b.py": "def b():\n    import loop_a\n    return loop_a.a()\n",
    "data/x.json": '{"x": 1}\n',
    "tests/test_a.py": MODULE.format(letter="a", imports="import core", body="assert core.two() == 2"),
    "tests/test_b.py": MODULE.format(letter="b", imports="import loop_a", body="assert loop_a.loop_b.b() == 3"),
    "tests/test_c.py": MODULE.format(
        letter="c", imports="import json, pathlib",
        body="assert json.loads((pathlib.Path(__file__).parents[1] / 'data' / 'x.json').read_text())['x'] >= 1"),
}


def ninjas():
    found = []
    for path in (pathlib.Path(sys.executable).parent / "ninja", shutil.which("ninja", path="/usr/bin:/usr/local/bin")):
        if path and os.path.exists(path):
            found.append(str(path))
    return found


class Result:
    def __init__(self, done, ran):
        self.code, self.stdout, self.out, self.ran = done.returncode, done.stdout, done.stdout + done.stderr, ran

    @property
    def last(self):
        lines = [line for line in self.out.splitlines() if " passed" in line or " failed" in line or " in " in line]
        return lines[-1] if lines else ""

    def __repr__(self):
        return "exit %s, ran %r\n%s" % (self.code, self.ran, self.out)


class Project:
    """A tree with tests; `ran` of a result is the letters of the modules whose tests really ran."""

    def __init__(self, root, log, files=()):
        self.root, self.log = root, log
        root.mkdir(parents=True, exist_ok=True)
        self.env = dict(os.environ, RUNLOG=str(log), COLUMNS="100")
        for name in ("PYTHONDONTWRITEBYTECODE", "FASTEST_ADDOPTS", "PYTEST_ADDOPTS", "VIRTUAL_ENV",
                     "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "NO_COLOR", "FORCE_COLOR", "MAKEFLAGS"):
            self.env.pop(name, None)
        for name, text in dict(files).items():
            self.write(name, text)

    def path(self, name):
        return self.root / name

    def write(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.later(name)

    def replace(self, name, old, new):
        text = self.path(name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def later(self, name):
        """An mtime that is newer than every output, whatever the clock's grain."""
        now = time.time_ns()
        os.utime(self.path(name), ns=(now, now))

    def run(self, argv, **kw):
        before = self.log.read_text() if self.log.exists() else ""
        env = dict(self.env, **kw.pop("env", {}))
        done = subprocess.run(argv, cwd=kw.pop("cwd", self.root), env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=LIMIT, **kw)
        after = self.log.read_text() if self.log.exists() else ""
        return Result(done, "".join(sorted(after[len(before):].split())))

    def fastest(self, *args, **kw):
        return self.run([FASTEST, "--python", sys.executable, *args], **kw)

    def init(self, *args):
        done = self.run([FASTEST, "init", "--python", sys.executable, *args])
        assert done.code == 0, done
        return done

    def json(self):
        return json.loads((self.root / ".fastest" / "report.json").read_text())

    def outcomes(self):
        return {t["nodeid"]: t["outcome"] for t in self.json()["tests"]}


class NinjaProject(Project):
    ninja_path = None

    def ninja(self, *args, **kw):
        return self.run([self.ninja_path, *args, "test"], **kw)

    def started(self, result):
        """Names of the batches that Ninja started in a verbose run."""
        marker = " batch "
        return sorted(line.rsplit(None, 1)[1].strip("'\"") for line in result.out.splitlines()
                      if FASTEST in line and marker in line)


@pytest.fixture(params=ninjas(), ids=lambda p: "newest" if p.startswith(str(pathlib.Path(sys.executable).parent)) else "system")
def ninja_project(request, tmp_path):
    project = NinjaProject(tmp_path / "project", tmp_path / "run.log", FILES)
    project.ninja_path = request.param
    project.init()
    return project


@pytest.fixture
def passed(ninja_project):
    """The project of the scenarios after its first run."""
    first = ninja_project.ninja()
    assert first.code == 0 and first.ran == "abc", first
    return ninja_project


@pytest.fixture
def project(tmp_path):
    """An empty tree: write() fills it."""
    return Project(tmp_path / "project", tmp_path / "run.log")
