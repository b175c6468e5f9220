"""fastest doctor on environments with one thing wrong each."""
import fcntl
import json
import os
import sys
import tempfile

from conftest import FASTEST


def examine(project, *args, **env):
    r = project.run([FASTEST, "doctor", "--json", "--python", sys.executable, *args], env=env)
    return r.code, {row["name"]: row for row in json.loads(r.out)}


def test_a_sound_environment(project):
    project.write("test_a.py", "def test_a(): pass\n")
    code, found = examine(project)
    assert code == 0 and {row["verdict"] for row in found.values()} <= {"ok", "warning"}, found
    for name in ("python", "pytest", "bytecode", "ninja", "state", "cache", "sockets", "pool", "project"):
        assert found[name]["verdict"] == "ok", found[name]
    assert found["project"]["finding"] == "1 modules, 1 of them would run"
    text = project.run([FASTEST, "doctor", "--python", sys.executable]).out
    assert "\n0 errors, " in text and "ok       pytest" in text


def test_what_is_wrong_is_named_with_its_remedy(project, tmp_path):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("conftest.py", "def pytest_collect_file(file_path, parent): return None\n")
    (tmp_path / "file").write_text("")
    code, found = examine(project, NINJA="no-such-ninja", PYTHONDONTWRITEBYTECODE="1", FASTEST_CACHE_DIR=str(tmp_path / "file/x"))
    assert code == 1
    assert found["ninja"]["verdict"] == "error" and "NINJA=no-such-ninja" in found["ninja"]["finding"]
    assert found["bytecode"]["verdict"] == "warning" and found["bytecode"]["remedy"].startswith("unset it")
    assert found["cache"]["verdict"] == "warning" and "FASTEST_CACHE_DIR" in found["cache"]["remedy"]
    assert found["project"]["verdict"] == "warning" and "pytest_collect_file" in found["project"]["remedy"]
    project.write("conftest.py", "import nonsense_x\n")
    with tempfile.TemporaryDirectory() as short:  # a long path is not used
        with open(os.path.join(short, "fastest-%d" % os.getuid()), "w"):
            pass
        code, found = examine(project, "--state-dir", str(tmp_path / "file/state"), XDG_RUNTIME_DIR=short)
    assert code == 1
    assert found["state"]["verdict"] == "error" and "--state-dir" in found["state"]["remedy"]
    assert found["sockets"]["verdict"] == "error", found
    assert found["project"]["verdict"] == "error" and "nonsense_x" in found["project"]["finding"]


def test_a_pool_that_does_not_answer(project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write(".fastest/pool.lock", "%d\n" % os.getpid())
    with open(str(project.path(".fastest/pool.lock"))) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, found = examine(project)
    assert code == 1 and found["pool"]["verdict"] == "error", found
    assert "kill %d" % os.getpid() in found["pool"]["remedy"]


def test_an_interpreter_without_pytest_or_none(project, tmp_path):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    r = project.run([FASTEST, "doctor", "--json", "--python", str(fake)])
    found = {row["name"]: row for row in json.loads(r.out)}
    assert r.code == 1 and found["python"]["verdict"] == "error" and "--python" in found["python"]["remedy"]
    fake.write_text("#!/bin/sh\nexec %s -S -E \"$@\"\n" % getattr(sys, "_base_executable", sys.executable))
    r = project.run([FASTEST, "doctor", "--json", "--python", str(fake)])
    found = {row["name"]: row for row in json.loads(r.out)}
    assert r.code == 1 and "pip install pytest" in found["pytest"]["remedy"], found
