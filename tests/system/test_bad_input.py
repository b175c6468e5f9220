"""Bad input gives one clear message and pytest's exit code, or a silent full run; never a hang."""
import os
import shutil
import stat
import subprocess
import sys

import pytest

from conftest import FASTEST, FILES, Project


def fill(project):
    for name, text in FILES.items():
        project.write(name, text)
    return project


def test_no_tests(project):
    project.write("pytest.ini", "[pytest]\n")
    r = project.fastest()
    assert r.code == 5 and "no tests ran" in r.out, r


def test_missing_path(project):
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.fastest("nowhere/test_x.py")
    assert r.code == 4 and "file or directory not found: nowhere/test_x.py" in r.out, r


@pytest.mark.parametrize("name", [
    "with space", "quo'te", 'dou"ble', "dol$lar", "co:lon", "new\nline", "back\\slash", "per%cent", "pipe|", "ünï", "#hash", "-dash", "a=b", "st*r", "[x]",
])
def test_odd_directory_names(project, name):
    project.write(name + "/test_a.py", "import os\ndef test_a():\n    open(os.environ['RUNLOG'], 'a').write('a\\n')\n")
    r = project.fastest()
    assert (r.code, r.ran) == (0, "a"), r
    assert list(project.outcomes()) == [name.replace("\\", "/") + "/test_a.py::test_a"]  # as pytest does
    r = project.fastest()
    assert (r.code, r.ran) == (0, ""), r
    project.write(name + "/test_a.py", "import os\ndef test_a():\n    open(os.environ['RUNLOG'], 'a').write('b\\n')\n")
    r = project.fastest()
    assert (r.code, r.ran) == (0, "b"), r


def test_non_utf8_names(project):
    folder = os.fsencode(project.root) + b"/caf\xe9"
    os.makedirs(folder)
    with open(folder + b"/test_\xff.py", "w") as f:
        f.write("def test_a(): pass\n")
    r = project.fastest()
    assert r.code == 0 and "1 passed (0 cached)" in r.out, r
    r = project.fastest()
    assert r.code == 0 and "1 passed (1 cached)" in r.out, r
    assert len(project.json()["tests"]) == 1


def test_syntax_error_in_a_test(project):
    project.write("test_a.py", "def test_a(:\n    pass\n")
    project.write("test_b.py", "def test_b(): pass\n")
    r = project.fastest()
    assert r.code == 2, r
    assert "test_a.py" in r.out and "line 1" in r.out and "^" in r.out and "SyntaxError" in r.out
    assert "Interrupted: 1 error during collection" in r.out and "passed" not in r.out, r


def test_missing_interpreter(project):
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.run([FASTEST, "--python", "/nonexistent/python"])
    assert r.code == 4 and "/nonexistent/python" in r.out and "--python" in r.out, r


def test_no_pytest_in_the_interpreter(project):
    project.write("test_a.py", "def test_a(): pass\n")
    bare = project.root.parent / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    r = project.run([FASTEST, "--python", str(bare / "bin" / "python")])
    assert r.code == 4 and "pytest is not installed" in r.out and "-m pip install pytest" in r.out, r


def test_no_ninja(project):
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.fastest(env={"PATH": "/nonexistent"})
    assert r.code != 0 and "ninja: not found" in r.out and "install" in r.out, r


def test_bad_ini_file(project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    r = project.fastest()
    assert r.code == 4 and "--no-such-option" in r.out, r
    project.write("pytest.ini", "[pytest\n")
    r = project.fastest()
    assert r.code == 4 and "pytest.ini" in r.out, r


def test_broken_conftest(project):
    project.write("conftest.py", "import no_such_module_here\n")
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.fastest()
    assert r.code == 4 and "conftest.py" in r.out and "no_such_module_here" in r.out, r


def test_unknown_option(project):
    project.write("test_a.py", "def test_a(): pass\n")
    r = project.fastest("--no-such-option")
    assert r.code == 4 and "--no-such-option" in r.out, r


def test_read_only_tree(project, tmp_path):
    """Root may write anywhere: a regular file in the way stands for the missing right."""
    project.write("test_a.py", "def test_a(): pass\n")
    project.write(".fastest", "in the way")
    r = project.fastest()
    assert r.code != 0 and "--state-dir" in r.out, r
    state = tmp_path / "elsewhere" / "state"
    for cached in (0, 1):
        r = project.fastest("--state-dir", str(state))
        assert r.code == 0 and "1 passed (%d cached)" % cached in r.out, r
    assert not (project.root / "build.ninja").exists()


def test_init_leaves_a_foreign_build_ninja_alone(project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("build.ninja", "rule x\n  command = true\n")
    r = project.run([FASTEST, "init", "--python", sys.executable])
    assert r.code != 0 and "include" in r.out and ".fastest/rules.ninja" in r.out, r
    assert project.path("build.ninja").read_text() == "rule x\n  command = true\n"


def state_files(project):
    return sorted(p for p in project.path(".fastest").rglob("*") if p.is_file() and p.stat().st_size
                  and p.name not in ("pool.log", "pool.lock", "run.lock", "start.lock"))


def damage(path, kind):
    data = path.read_bytes()
    if kind == "empty":
        data = b""
    elif kind == "half":
        data = data[: len(data) // 2]
    elif kind == "garbage":
        data = bytes((i * 37 + 11) % 256 for i in range(len(data)))
    else:
        at = int(kind * (len(data) - 1))
        data = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["empty", "half", "garbage", 0.0, 0.03, 0.2, 0.5, 0.77, 1.0])
def test_damaged_state(project, kind):
    """Each file of the state directory in turn; the sources change, too, so that stale results show."""
    fill(project)
    kept = [] if kind in ("empty", "half", 0.5) else ["--persistent-workers"]  # a pool that is there is much quicker
    assert project.fastest(*kept).code == 0
    for number, name in enumerate([p.relative_to(project.root) for p in state_files(project)]):
        path = project.root / name
        if not path.exists():
            continue
        damage(path, kind)
        project.write("src/util.py", "def one():\n    return %s\n" % ("1" if number % 2 else "7"))
        r = project.fastest(*kept)
        want = (0, "3 passed") if number % 2 else (1, "1 failed")
        assert r.code == want[0] and want[1] in r.out, (str(name), r)
    project.run([FASTEST, "pool", "stop"])
    project.write("src/util.py", "def one():\n    return 1\n")
    assert project.fastest().code == 0


@pytest.mark.parametrize("name", ["rules.ninja", "graph.ninja", ".ninja_log", ".ninja_deps", "keys.bin", "index.bin"])
@pytest.mark.parametrize("kind", ["empty", "half", 0.5])
def test_damaged_state_under_ninja(project, name, kind):
    """Ninja may refuse a damaged file of its own; `fastest init` then mends it."""
    fill(project)
    project.init()
    ninja = str(shutil.which("ninja"))
    assert project.run([ninja, "test"]).code == 0
    damage(project.path(".fastest/" + name), kind)
    project.write("src/util.py", "def one():\n    return 7\n")
    r = project.run([ninja, "test"])
    assert r.code != 0, r
    project.init()
    r = project.run([ninja, "test"])
    assert r.code != 0 and "2 passed" in r.out and "1 failed" in r.out, r
    project.write("src/util.py", "def one():\n    return 1\n")
    r = project.run([ninja, "test"])
    assert r.code == 0 and "3 passed" in r.out, r
