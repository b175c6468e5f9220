"""The pool: reused when asked for, never stale, and nothing is left behind."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import FASTEST, LIMIT

FILES = {
    "pytest.ini": "[pytest]\npythonpath = src\n",
    "conftest.py": "import pytest\n@pytest.fixture\ndef five(): return 5\n",
    "session.pid": "",
    "src/util.py": "def one(): return 1\n",
    "tests/test_a.py": "import util\ndef test_a(): assert util.one() == 1\n",
    "tests/test_b.py": "def test_b(five): assert five == 5\n",
    "tests/test_pid.py": "import os\ndef test_pid(): print(os.getppid(), file=open('session.pid', 'w'))\n",
}
SLOW = "import pathlib, time\ndef test_slow():\n    pathlib.Path('started').touch()\n    time.sleep(20)\n"
LATE = "def test_late():\n    for name in ('stop', 'error'):\n        open('.fastest/' + name, 'w').write('0123456789abcdef\\n3\\nof an earlier run')\n"


def processes(project):
    """{pid: command line} of everything that names the tree in its command line, runs in it or prints into it."""
    mark, found = str(project.root), {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            where = [os.readlink("/proc/%s/%s" % (pid, name)) for name in ("cwd", "fd/1")]
            line = pathlib.Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if line and int(pid) != os.getpid() and (mark in line or any(w.startswith(mark) for w in where)):
            found[int(pid)] = line
    return found


def wait_for(condition, what, seconds=15):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, what() if callable(what) else what
        time.sleep(0.02)


def nothing_is_left(project):
    wait_for(lambda: not processes(project), lambda: "left behind: %r" % processes(project))


def sockets():
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    place = pathlib.Path(base, "fastest-%d" % os.getuid())
    return set(place.iterdir()) if place.is_dir() else set()


@pytest.fixture
def tree(project):
    for name, text in FILES.items():
        project.write(name, text)
    yield project
    project.run([FASTEST, "pool", "stop"])
    for pid in processes(project):
        with contextlib.suppress(ProcessLookupError):  # it was ending
            os.kill(pid, signal.SIGKILL)


def warm(project, *args):
    return project.fastest("--persistent-workers", *args)


def start(project, argv):
    return subprocess.Popen(argv, cwd=str(project.root), env=project.env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def test_an_interpreter_that_starts_early_writes_to_the_log(tree):
    """It starts beside the one that is asked for pytest's configuration, before there is a log."""
    tree.write("tests/test_a.py", "import os\ndef test_a(capfd):\n    with capfd.disabled():\n        os.write(1, b'told early\\n')\n")
    assert tree.fastest().code == 0
    assert "told early" in tree.path(".fastest/pool.log").read_text()
    nothing_is_left(tree)


@pytest.mark.parametrize("ini, code", [("[pytest]\nminversion = 99\n", 4), ("[pytest]\naddopts = --pdb\n", 0)])
def test_an_interpreter_that_is_not_needed_ends(tree, ini, code):
    tree.write("pytest.ini", ini + "pythonpath = src\n")
    r = tree.fastest()
    assert r.code == code and "Traceback" not in r.out, r
    nothing_is_left(tree)


def test_an_interpreter_that_fails_early_says_why(tree):
    """The file is there for the second interpreter only: the first one is asked for the configuration."""
    tree.write("lib/sitecustomize.py", "import os, sys\nif 'starts the zygote' in ' '.join(getattr(sys, 'orig_argv', ['starts the zygote'])):\n"
                                       "    os.write(2, b'no such luck\\n')\n    os._exit(7)\n")
    r = tree.fastest(env={"PYTHONPATH": str(tree.path("lib"))})
    if sys.version_info >= (3, 10):
        assert r.code == 3 and "status 7" in r.out, r.out
        assert "no such luck" in tree.path(".fastest/pool.log").read_text()
    nothing_is_left(tree)


def test_an_interpreter_that_has_the_projects_code_early_is_replaced(tree):
    """How old that code is could not be told."""
    tree.write("lib/sitecustomize.py", "import os, sys\nif 'starts the zygote' in ' '.join(getattr(sys, 'orig_argv', [])):\n"
                                       "    open(os.environ['RUNLOG'], 'a').write('s\\n')\n")
    r = tree.fastest(env={"PYTHONPATH": str(tree.path("lib"))})
    assert r.code == 0 and "3 passed" in r.out and r.ran == ("ss" if sys.version_info >= (3, 10) else ""), r
    nothing_is_left(tree)


def test_a_second_run_uses_the_same_pool(tree):
    assert warm(tree).code == 0
    status = tree.run([FASTEST, "pool", "status"])
    assert status.code == 0, status
    before = set(processes(tree))
    assert before
    tree.replace("tests/test_a.py", "== 1", "== 2 - 1")
    r = warm(tree)
    assert r.code == 0 and "3 passed (2 cached)" in r.out, r
    assert before & set(processes(tree)), "no process of the first run is alive"


@pytest.mark.parametrize("name", ["src/util.py", "data.txt", "data/new.txt"])
def test_a_session_serves_on_while_what_it_has_read_is_as_it_was(tree, name):
    tree.write("data.txt", "1")
    tree.write("data/old.txt", "")
    tree.write("tests/test_b.py", "import os\nNAMES = os.listdir('data'), open('data.txt').read()\ndef test_b(): pass\n")
    sessions = []
    for again in range(3):
        assert "3 passed (0 cached)" in warm(tree, "--no-cache").out
        sessions.append(tree.path("session.pid").read_text())
        if again == 1:
            tree.write(name, "# changed\ndef one(): return 1\n")
    assert sessions[0] == sessions[1] != sessions[2], sessions


def test_status_and_stop(tree):
    none = tree.run([FASTEST, "pool", "status"])
    assert "Traceback" not in none.out and none.out.strip(), none
    assert warm(tree).code == 0
    status = tree.run([FASTEST, "pool", "status"])
    assert status.code == 0 and status.out.strip() != none.out.strip(), status
    stop = tree.run([FASTEST, "pool", "stop"])
    assert stop.code == 0, stop
    nothing_is_left(tree)
    again = tree.run([FASTEST, "pool", "stop"])
    assert again.code in (0, 1) and again.out.strip(), again


EDITS = {
    "source": ("src/util.py", "return 1", "return 2", "tests/test_a.py::test_a"),
    "conftest": ("conftest.py", "return 5", "return 6", "tests/test_b.py::test_b"),
    "test": ("tests/test_b.py", "== 5", "== 7", "tests/test_b.py::test_b"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_warm_pool_is_never_stale(tree, kind):
    name, old, new, test = EDITS[kind]
    assert warm(tree).code == 0
    for _ in range(2):
        tree.replace(name, old, new)
        r = warm(tree)
        assert r.code == 1, r
        assert tree.outcomes()[test] == "failed"
        tree.replace(name, new, old)
        r = warm(tree)
        assert r.code == 0, r


def test_a_warm_pool_sees_new_and_removed_files(tree):
    assert warm(tree).code == 0
    tree.write("tests/test_new.py", "import extra\ndef test_new(): assert extra.X == 1\n")
    tree.write("src/extra.py", "X = 1\n")
    r = warm(tree)
    assert r.code == 0 and "4 passed (3 cached)" in r.out, r
    tree.write("src/extra.py", "X = 2\n")
    assert warm(tree).code == 1
    tree.path("src/extra.py").unlink()
    r = warm(tree)
    assert r.code == 2 and "extra" in r.out, r
    tree.path("tests/test_new.py").unlink()
    assert warm(tree).code == 0


def test_a_warm_pool_sees_a_changed_configuration(tree):
    assert warm(tree).code == 0
    tree.write("pytest.ini", "[pytest]\npythonpath = src\nxfail_strict = true\n")
    tree.write("tests/test_x.py", "import pytest\n@pytest.mark.xfail\ndef test_x(): pass\n")
    r = warm(tree)
    assert r.code == 1 and tree.outcomes()["tests/test_x.py::test_x"] == "failed", r


def test_a_warm_pool_sees_the_environment(tree):
    tree.write("tests/test_env.py", "import os\ndef test_env(): assert os.environ['WANTED'] == 'b'\n")
    assert warm(tree, *()).code == 1
    r = tree.fastest("--persistent-workers", env={"WANTED": "a"})
    assert r.code == 1, r
    r = tree.fastest("--persistent-workers", env={"WANTED": "b"})
    assert r.code == 0, r


def test_other_arguments_with_a_warm_pool(tree):
    assert warm(tree).code == 0
    r = warm(tree, "-k", "test_b")
    assert r.code == 0 and set(tree.outcomes()) == {"tests/test_b.py::test_b"}, r
    r = warm(tree, "tests/test_a.py")
    assert r.code == 0 and set(tree.outcomes()) == {"tests/test_a.py::test_a"}, r
    assert warm(tree).code == 0 and len(tree.outcomes()) == 3


def test_nothing_left_after_a_run(tree):
    known = sockets()
    assert tree.fastest().code == 0
    nothing_is_left(tree)
    wait_for(lambda: sockets() <= known, lambda: "sockets: %r" % (sockets() - known))
    tree.write("tests/test_bad.py", "def test_bad(): assert 0\n")
    assert tree.fastest("-x").code == 1
    nothing_is_left(tree)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda s: s.name)
def test_a_signal_to_fastest_ends_everything(tree, number):
    tree.write("tests/test_slow.py", SLOW)
    run = start(tree, [FASTEST, "--python", sys.executable])
    wait_for(tree.path("started").exists, "the slow test did not start")
    run.send_signal(number)
    out, _ = run.communicate(timeout=LIMIT)
    if number == signal.SIGINT:
        assert run.returncode == 2, out
    assert run.returncode != 0
    nothing_is_left(tree)
    tree.path("tests/test_slow.py").unlink()
    r = tree.fastest()
    assert r.code == 0 and "3 passed" in r.out, r


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_a_run_right_after_a_killed_one(tree, number):
    """What the first left running must not meddle with the second."""
    tree.write("tests/test_slow.py", SLOW)
    first = start(tree, [FASTEST, "--python", sys.executable])
    wait_for(tree.path("started").exists, "the slow test did not start")
    first.send_signal(number)
    first.wait(timeout=LIMIT)
    tree.write("tests/test_slow.py", "def test_slow(): pass\n")
    for cached in ("", "4 cached"):
        r = tree.fastest()
        assert r.code == 0 and "4 passed" in r.out and cached in r.out, r
    first.stdout.close()


def test_what_a_client_of_a_killed_run_leaves_late(tree):
    tree.write("tests/test_late.py", LATE)
    for cached in ("", "4 cached"):
        r = tree.fastest()
        assert r.code == 0 and "4 passed" in r.out and cached in r.out, r


def test_control_c_at_the_terminal(tree):
    """SIGINT goes to the whole foreground group there; what has finished is told."""
    tree.write("tests/test_slow.py", "def test_first(): assert 0, 'early'\n" + SLOW)
    run = start(tree, [FASTEST, "--python", sys.executable, "--slow-after=0.1"])
    assert any("::test_slow has been running for" in line for line in run.stdout)  # then those before it have come
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=LIMIT)
    assert run.returncode == 2, out
    assert "FAILED tests/test_slow.py::test_first - AssertionError: early" in out and "1 test not run" in out, out
    nothing_is_left(tree)


def child_of(project, word):
    return next((pid for pid, line in processes(project).items() if word in line), None)


@pytest.mark.parametrize("victim", ["ninja", " batch ", "_zygote_", "_pool_"])
def test_a_killed_process_leaves_nothing_and_no_wrong_result(tree, victim):
    tree.write("tests/test_slow.py", SLOW.replace("20", "2"))
    run = start(tree, [FASTEST, "--python", sys.executable])
    wait_for(tree.path("started").exists, "the slow test did not start")
    lines = processes(tree)
    if victim == "_pool_":
        picked = [p for p, line in lines.items() if " pool" in line]
    elif victim == "_zygote_":
        picked = [p for p, line in lines.items() if "python" in line and p != run.pid and FASTEST not in line][:1]
    else:
        picked = [p for p, line in lines.items() if victim in line and p != run.pid]
    killed = []
    for pid in picked:
        try:
            if victim == "_pool_" or not killed:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        except ProcessLookupError:
            pass  # the client of another module, which has ended
    assert killed, lines
    out, _ = run.communicate(timeout=LIMIT)
    nothing_is_left(tree)
    r = tree.fastest()
    assert r.code == 0 and "4 passed" in r.out, (out, r)
    assert set(tree.outcomes().values()) == {"passed"}


def test_killed_ninja_of_a_ninja_test(tree):
    tree.write("tests/test_slow.py", SLOW)
    tree.init()
    ninja = os.environ.get("NINJA") or "ninja"
    run = start(tree, [ninja, "test"])
    wait_for(tree.path("started").exists, "the slow test did not start")
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=LIMIT)
    nothing_is_left(tree)
    tree.write("tests/test_slow.py", "def test_slow(): pass\n")
    r = tree.run([ninja, "test"])
    assert r.code == 0 and "4 passed" in r.out, r


def test_two_runs_at_once(tree):
    tree.write("tests/test_wait.py", "import time\ndef test_wait(): time.sleep(0.5)\n")
    runs = [start(tree, [FASTEST, "--python", sys.executable]) for _ in range(2)]
    outs = [run.communicate(timeout=LIMIT)[0] for run in runs]
    codes = [run.returncode for run in runs]
    assert 0 in codes, outs
    for code, out in zip(codes, outs):
        assert code == 0 and "4 passed" in out or "lock" in out or "another" in out, outs
    assert tree.fastest().code == 0
    nothing_is_left(tree)


def test_a_killed_warm_pool_is_replaced(tree):
    assert warm(tree).code == 0
    for pid in processes(tree):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    tree.replace("tests/test_a.py", "== 1", "== 2 - 1")
    r = warm(tree)
    assert r.code == 0 and "3 passed" in r.out, r


def test_a_worker_with_too_much_memory_is_replaced(tree):
    tree.write("tests/test_m.py", """
import os, pytest, time
keep = []
@pytest.mark.parametrize("n", range(6))
def test_m(n):
    keep.append(b"x" * (60 << 20))
    with open("pids", "a") as f: f.write("%d\\n" % os.getpid())
    time.sleep(0.3)
""")
    r = tree.fastest("--isolation=session", "-n1", "--worker-memory=120M", "tests/test_m.py")
    assert r.code == 0 and "6 passed" in r.out, r
    rows = tree.path("pids").read_text().split()
    assert len(rows) == 6 and 2 <= len(set(rows)) <= 4, rows
    assert "MB: it is replaced" in tree.path(".fastest/pool.log").read_text()


def test_status_shows_processes_and_their_memory(tree):
    tree.write("tests/test_slow.py", SLOW)
    run = start(tree, [FASTEST, "--python", sys.executable, "--persistent-workers", "--slow-after=0.1"])
    assert any("::test_slow has been running for" in line for line in run.stdout)
    status = tree.run([FASTEST, "pool", "status"])
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=LIMIT)
    lines = status.out.splitlines()
    assert any(line.startswith("  worker ") and line.endswith(" MB, runs tests/test_slow.py::test_slow") for line in lines), status
    assert any(line.startswith("  interpreter (process ") for line in lines) and " MB in all" in lines[-1], status


def test_a_pool_that_nobody_uses_ends(tree):
    assert warm(tree, "--pool-idle=0.2").code == 0
    nothing_is_left(tree)
