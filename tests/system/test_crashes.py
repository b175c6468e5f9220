"""Every planned id is accounted for, whatever a test does to its process."""
import os

import pytest
from test_pool import wait_for

CRASHES = {
    "exit 0": "os._exit(0)",
    "exit 3": "os._exit(3)",
    "abort": "os.abort()",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "closed descriptors": "os.closerange(3, 1024)",
}
TEXT = """
import os, signal

def test_before():
    pass

def test_crash():
    %s

def test_after():
    pass
"""


@pytest.mark.parametrize("name", CRASHES)
def test_a_lost_worker_names_its_test_and_the_others_run(project, name):
    project.write("test_crash.py", TEXT % CRASHES[name])
    project.write("test_other.py", "def test_other(): pass\n")
    r = project.fastest()
    assert r.code == 1, r
    assert project.outcomes() == {
        "test_crash.py::test_before": "passed",
        "test_crash.py::test_crash": "failed",
        "test_crash.py::test_after": "passed",
        "test_other.py::test_other": "passed",
    }
    assert "FAILED test_crash.py::test_crash" in r.out
    assert "3 passed (0 cached), 1 failed" in r.out
    r = project.fastest()
    assert "3 passed (1 cached), 1 failed" in r.out, r


def test_results_that_were_held_back_are_made_again(project):
    """Quick tests are told of together: a crash takes with it what had not been told."""
    project.write("test_many.py", "import os\n" + "".join(
        "def test_%02d(): %s\n" % (i, "os._exit(0)" if i == 37 else "pass") for i in range(50)))
    r = project.fastest("-n", "1")
    assert r.code == 1, r
    assert [t for t, outcome in project.outcomes().items() if outcome != "passed"] == ["test_many.py::test_37"]
    assert "49 passed (0 cached), 1 failed" in r.out, r


def test_every_test_crashes(project):
    project.write("test_all.py", "import os\n" + "".join("def test_%d(): os._exit(0)\n" % i for i in range(6)))
    r = project.fastest("-n", "2")
    assert r.code == 1, r
    assert set(project.outcomes().values()) == {"failed"} and len(project.outcomes()) == 6


def test_crash_in_a_session_fixture(project):
    project.write("conftest.py", "import os, pytest\n@pytest.fixture(scope='session')\ndef s(): os._exit(5)\n")
    project.write("test_s.py", "def test_1(s): pass\ndef test_2(): pass\ndef test_3(s): pass\n")
    r = project.fastest()
    assert r.code == 1, r
    assert project.outcomes() == {"test_s.py::test_1": "failed", "test_s.py::test_2": "passed", "test_s.py::test_3": "failed"}


def test_sys_exit_in_a_test_and_in_a_fixture(project):
    project.write("test_e.py", "import sys, pytest\n@pytest.fixture\ndef f(): sys.exit(0)\n"
                               "def test_1(): sys.exit(0)\ndef test_2(f): pass\ndef test_3(): pass\n")
    r = project.fastest()
    assert r.code == 1, r
    assert project.outcomes() == {"test_e.py::test_1": "failed", "test_e.py::test_2": "error", "test_e.py::test_3": "passed"}


def test_crash_while_collecting(project):
    project.write("test_bad.py", "import os\nos._exit(0)\n")
    project.write("test_good.py", "def test_1(): pass\n")
    r = project.fastest()
    assert r.code not in (0, 5), r
    assert "pytest" in r.out


def test_threads_of_a_conftest_run_in_one_process(project):
    project.write("conftest.py", "import threading, time\nt = threading.Thread(target=threading.Event().wait, daemon=True)\nt.start()\n")
    project.write("test_t.py", "import threading\ndef test_alive(): assert threading.active_count() == 2\n")
    for option in ((), ("--persistent-workers",)):
        r = project.fastest(*option)
        assert r.code == 0, r
    project.run([__import__("conftest").FASTEST, "pool", "stop"])


def test_a_session_fixture_that_fails_at_its_end(project):
    project.write("conftest.py", "import pytest\n@pytest.fixture(scope='session')\ndef s():\n    yield\n    assert 0, 'at the end'\n")
    project.write("test_s.py", "def test_1(s): pass\ndef test_2(): pass\n")
    r = project.fastest("-n", "1")
    assert r.code == 1, r
    assert project.outcomes() == {"test_s.py::test_1": "passed", "test_s.py::test_2": "error"}
    assert "at the end" in r.out


NASTY = {
    "test_closed.py": """
import os, sys
def test_1(): os.close(1); os.close(2)
def test_2(): print("hi")
def test_closed(): sys.stdout.close()
def test_4(): print("x")
""",
    "test_output.py": """
def test_1():
    for i in range(30): print("x" * 999999)
def test_output():
    for i in range(30): print("y" * 999999)
    assert 0, "z" * 5000000
""",
    "test_bomb.py": """
import os, time
def test_1(): pass
def test_bomb():
    for i in range(30):
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
    with open("bomb", "w") as f: f.write(str(os.getpgid(0)))
    os._exit(3)
def test_3(): pass
""",
    "test_group.py": """
import os, signal
def test_1(): pass
def test_group(): os.killpg(0, signal.SIGKILL)
def test_3(): pass
""",
    "test_stop.py": """
import os, signal
def test_stop(): os.kill(os.getpid(), signal.SIGSTOP)
def test_2(): pass
""",
    "test_memory.py": """
import os, resource, signal
def test_memory():
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
    try:
        [bytearray(10 << 20) for i in range(100)]
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does it
def test_2(): pass
""",
    "test_exit.py": """
import pytest, sys
@pytest.fixture(scope="session")
def leaves(): sys.exit(0)
def test_exit(leaves): pass
def test_2(): pass
""",
}


def group_exists(number):
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_that_a_test_does_takes_others_with_it(project):
    for name, text in NASTY.items():
        project.write(name, text)
    project.write("test_all.py", "import os\n" + "".join("def test_%d(): os._exit(0)\n" % i for i in range(40)))
    r = project.fastest("-n", "4")
    assert r.code == 1, r.out[-3000:]
    outcomes = project.outcomes()
    for name, text in NASTY.items():
        case = name[:-3]
        found = {k.split("::")[1]: v for k, v in outcomes.items() if k.startswith(name)}
        assert len(found) == text.count("def test_")
        bad = {test for test, outcome in found.items() if outcome != "passed"}
        assert bad == {case}, (name, found)
    texts = {t["nodeid"]: (t.get("call") or t.get("setup")).get("longrepr", "") for t in project.json()["tests"]}
    assert "stopped" in texts["test_stop.py::test_stop"]
    assert "INTERNALERROR" in texts["test_closed.py::test_closed"]
    assert sum("20 processes in a row" in text for text in texts.values()) >= 15
    assert "fastest left out 2" in r.out and len(r.out) < 6e6
    assert project.path(".fastest/m/test_output.rec").stat().st_size < 1e7
    wait_for(lambda: not group_exists(int(project.path("bomb").read_text())), "what the bomb has left")
