"""runtime/worker/ against runtime/PROTOCOL.md: a zygote on a socketpair, with this file as its pool."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = ROOT / "runtime" / "worker"
(HELLO, MODULE, RESULT, ERROR, CONFIG, READY, SESSION, EXITED, COLLECTED, FORK, SERVE, RUN, NEED, HOLD, END, IDLE,
 GONE, SOURCE, KEEP, SPENT) = (1, 3, 4, 7) + tuple(range(16, 32))
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
# The zygote's end of the socketpair becomes descriptor 3.
LAUNCH = """import os, sys
fd = int(sys.argv[2])
if fd != 3:
    os.dup2(fd, 3)
    os.close(fd)
os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])"""
LIMIT_S = 60
LOOK = pathlib.Path(os.environ.get("FASTEST") or ROOT / "build" / "fastest").parent / "embed" / "runtime" / "worker" / "look.so"


def text(data):
    return struct.pack("<I", len(data)) + data


def unpack_text(data, at):
    n, = struct.unpack_from("<I", data, at)
    return data[at + 4:at + 4 + n], at + 4 + n


class Peer:
    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(LIMIT_S)

    def send(self, kind, payload=b"", tag=0):
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        self.sock.sendall(struct.pack("<IHHI", len(payload), kind, 0, tag) + payload)

    def _read(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def recv(self):
        n, kind, zero, tag = struct.unpack("<IHHI", self._read(12))
        assert zero == 0
        return kind, tag, self._read(n)

    def expect(self, wanted):
        kind, tag, payload = self.recv()
        while kind in (IDLE, NEED, SPENT):  # it was sooner than our RUN or END
            kind, tag, payload = self.recv()
        assert kind == wanted, (kind, tag, payload)
        return tag, payload

    def result(self):
        """(item, outcome, document)"""
        tag, payload = self.expect(RESULT)
        item, code = struct.unpack_from("<IB", payload)
        assert item == tag
        return item, OUTCOMES[code], json.loads(unpack_text(payload, 5)[0].decode())

    def run(self, *items):
        self.send(RUN, struct.pack("<%dI" % (len(items) + 1), len(items), *items))

    def at_end(self):
        with pytest.raises((EOFError, ConnectionResetError)):
            self.recv()


class Pool:
    """A project, its zygote, and what a session of it collected."""

    def __init__(self, root, args=()):
        self.root, self.args = root, list(args)
        self.home = tempfile.mkdtemp(prefix="fw")  # short: the name of a socket has 107 bytes at most
        (root / ".fastest").mkdir(exist_ok=True)
        (root / ".fastest" / "running").write_bytes(bytes(4096))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.home + "/s")
        self.listener.listen(16)
        self.listener.settimeout(LIMIT_S)
        ours, theirs = socket.socketpair()
        self.log = open(self.home + "/log", "w+")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHONDONT"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, (WORKER / "bootstrap.py").read_text(), str(theirs.fileno())],
            pass_fds=[theirs.fileno()], env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        theirs.close()
        self.zygote = Peer(ours)
        sources = [p for p in sorted(WORKER.glob("*.py")) if p.stem != "bootstrap"] + [WORKER / "tracer.c", LOOK]
        sources.append(ROOT / "generator" / "config" / "standin.py")
        self.zygote.send(SOURCE, struct.pack("<I", len(sources)) + b"".join(
            text(p.name.replace(".py", "").encode()) + text(p.read_bytes()) for p in sources))
        self.zygote.send(CONFIG, {
            "cwd": str(root), "args": self.args, "root": str(root), "socket": self.home + "/s", "token": "tok",
            "persistent": True, "state_dir": str(root / ".fastest")})

    def accept(self, role, worker=0):
        peer = Peer(self.listener.accept()[0])
        tag, payload = peer.expect(HELLO)
        version, peer.pid, number = struct.unpack_from("<III", payload)
        assert (version, tag, number, payload[12:]) == (1, role, worker, text(b"tok"))
        return peer

    def session(self, fork=1, clean=(), other=True):
        """Collects; leaves modules, items (node ids by number), documents and groups by path."""
        planned = sorted(str(p) for p in self.root.rglob("test_*.py"))
        clean = [str(self.root / name) for name in clean]
        self.zygote.send(SESSION, {"run_id": "1", "clean": clean, "planned": planned, "other": other}, fork)
        self.peer = self.accept(2)
        self.modules, self.groups, self.limits, self.lanes, self.items = {}, {}, {}, {}, []
        kind, tag, payload = self.peer.recv()
        while kind == MODULE:
            path, at = unpack_text(payload, 0)
            n, = struct.unpack_from("<I", payload, at)
            name = os.path.relpath(path.decode(), str(self.root)) if path != b"@other" else "@other"
            self.groups[name] = struct.unpack_from("<%dI" % n, payload, at + 4)
            at += 4 + 4 * n
            count, = struct.unpack_from("<I", payload, at)
            self.limits[name] = struct.unpack_from("<%dI" % count, payload, at + 4)
            at += 4 + 4 * count
            count, = struct.unpack_from("<I", payload, at)
            self.lanes[name] = struct.unpack_from("<%dI" % count, payload, at + 4)
            self.modules[name] = json.loads(unpack_text(payload, at + 4 + 4 * count)[0].decode())
            assert len(self.modules[name]["items"]) == n
            self.items += [item["id"] for item in self.modules[name]["items"]]
            kind, tag, payload = self.peer.recv()
        self.last = kind, tag, payload
        return self

    def worker(self, number=1, kind=FORK):
        self.peer.send(kind, tag=number)
        return self.accept(3, number)

    def run_all(self, kind=FORK):
        """{node id: (outcome, document)} of everything, by one worker."""
        worker = self.worker(kind=kind)
        worker.run(*range(len(self.items)))
        worker.send(END)
        results = [worker.result() for _ in self.items]
        worker.expect(GONE)
        worker.at_end()
        assert [item for item, _, _ in results] == list(range(len(self.items)))
        return {self.items[item]: (outcome, document) for item, outcome, document in results}

    def number(self, name):
        return next(i for i, node in enumerate(self.items) if node.endswith(name))

    def close(self):
        self.zygote.sock.close()
        if hasattr(self, "peer"):
            self.peer.sock.close()
        self.listener.close()
        assert self.process.wait(LIMIT_S) in (0, 1, 2, 3, 4)
        self.log.seek(0)
        print(self.log.read())
        self.log.close()
        shutil.rmtree(self.home)


@pytest.fixture
def start(tmp_path, request):
    """start(files, *args): a project and its zygote, which is READY unless ready=False."""
    def make(files, *args, ready=True):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        pool = Pool(tmp_path, args)
        request.addfinalizer(pool.close)
        if ready:
            pool.ready = json.loads(pool.zygote.expect(READY)[1].decode())
        return pool
    return make


def phases(document):
    return [(p["when"], p["o"]) for p in document["phases"]]


# ---- outcomes ----

ZOO = {
    "test_a.py": """
import pytest, sys, unittest
def test_pass(): pass
def test_fail(): assert [1, 2] == [1, 3]
@pytest.fixture
def broken(): raise RuntimeError("setup")
@pytest.fixture
def leaky():
    yield
    raise RuntimeError("teardown")
def test_error(broken): pass
def test_teardown(leaky): pass
def test_both(leaky): assert 0
@pytest.mark.skip(reason="why")
def test_skip(): pass
@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
def test_exits(): sys.exit(3)
def test_output(record_property):
    record_property("k", 1)
    print("hello")
def test_warns():
    import warnings
    warnings.warn("w")
@pytest.mark.parametrize("v", ["a::b", "\\udc80", b"\\xff"])
def test_ids(v): pass
async def test_async(): pass
class T(unittest.TestCase):
    def test_unit(self): self.assertEqual(1, 1)
    @unittest.expectedFailure
    def test_expected(self): self.fail()
""",
    "conftest.py": """
import json, os
seen = {}
def pytest_runtest_logreport(report):
    status = report.outcome, hasattr(report, "wasxfail")
    seen.setdefault(report.nodeid, []).append([report.when, *status])
def pytest_sessionfinish():
    with open(os.environ["SEEN"], "w") as f: json.dump(seen, f)
""",
}


def of_plain_pytest(root):
    env = dict(os.environ, SEEN=str(root.parent / "seen.json"))
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=str(root), env=env,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return json.loads((root.parent / "seen.json").read_text())


@pytest.mark.parametrize("kind", [FORK, SERVE])
def test_reports_and_outcomes_are_pytests(start, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("SEEN", str(tmp_path.parent / "ours.json"))
    pool = start(ZOO).session()
    found = pool.run_all(kind)
    plain = of_plain_pytest(tmp_path)
    assert list(found) == list(plain)
    for node, (_, document) in found.items():
        assert [[p["when"], p["o"], "xfail" in p] for p in document["phases"]] == plain[node], node
    outcomes = {node.split("::")[-1]: outcome for node, (outcome, _) in found.items()}
    assert {k: v for k, v in outcomes.items() if v != "passed" and k != "test_async"} == {
        "test_fail": "failed", "test_error": "error", "test_teardown": "error", "test_both": "failed",
        "test_skip": "skipped", "test_xfail": "xfailed", "test_xpass": "xpassed", "test_strict": "failed",
        "test_exits": "failed", "test_expected": "xfailed"}


def test_a_passed_test_costs_three_small_phases(start):
    found = start(ZOO).session().run_all()
    outcome, document = found["test_a.py::test_pass"]
    assert outcome == "passed" and sorted(document) in (["phases", "worker"], ["deps", "phases", "worker"])
    assert list(document.get("deps", ())) in ([], ["code"])
    assert all(set(p) == {"when", "o", "d", "t"} for p in document["phases"])
    assert phases(document) == [(w, "passed") for w in ("setup", "call", "teardown")]


def test_what_a_result_tells(start):
    found = {k.split("::")[-1]: v[1] for k, v in start(ZOO).session().run_all().items()}
    failed = found["test_fail"]["phases"][1]
    assert "[1, 2] == [1, 3]" in failed["repr"] and "\x1b" not in failed["repr"]
    assert failed["crash"]["line"] == failed["tb"][-1]["line"] == 4
    assert found["test_both"]["counts"] == {"failed": 1, "error": 1}
    assert found["test_teardown"]["counts"] == {"passed": 1, "error": 1}
    assert found["test_output"]["props"] == [["k", 1]]
    assert ["Captured stdout call", "hello\n"] in found["test_output"]["phases"][1]["sections"]
    assert found["test_warns"]["counts"]["warnings"] == 1
    assert found["test_skip"]["phases"][0]["skip"][2] == "Skipped: why"
    assert found["test_xfail"]["phases"][1]["xfail"] in ("known", "reason: known")


# ---- collection ----

def test_modules_errors_skips_and_what_is_left_out(start):
    pool = start({
        "test_a.py": "def test_1(): pass\n",
        "test_b.py": "import no_such_module_here\n",
        "test_c.py": "import pytest\npytest.skip('whole', allow_module_level=True)\n",
        "test_d.py": "def test_1(): pass\n",
        "test_empty.py": "",
        "doc/test_x.txt": ">>> 1\n1\n",
    }).session(clean=["test_d.py"])
    assert pool.items == ["test_a.py::test_1", "doc/test_x.txt::test_x.txt"]
    assert "test_d.py" not in pool.modules and list(pool.modules)[-1] == "@other"
    assert "no_such_module_here" in pool.modules["test_b.py"]["error"]["repr"]
    assert pool.modules["test_b.py"]["error"]["id"] == "test_b.py"
    assert "whole" in pool.modules["test_c.py"]["skip"]["skip"][2]
    assert pool.modules["test_empty.py"]["items"] == [] and pool.modules["test_empty.py"]["error"] is None
    assert pool.last[:2] == (COLLECTED, 1 | 2)
    document = pool.modules["test_a.py"]["items"][0]
    assert (document["line"], document["file"], document["name"]) == (0, "test_a.py", "test_1")


def test_without_other_nothing_else_is_collected(start):
    pool = start({"test_a.py": "def test_1(): pass\n", "doc/test_x.txt": ">>> 1\n1\n"}).session(other=False)
    assert list(pool.modules) == ["test_a.py"]


def test_groups(start):
    pool = start({
        "conftest.py": "import pytest\n@pytest.fixture(scope='session')\ndef s(): return 1\n",
        "test_free.py": "def test_1(s): pass\ndef test_2(tmp_path): pass\n",
        "test_module.py": "def setup_module(): pass\ndef test_1(): pass\ndef test_2(): pass\n",
        "test_fixture.py": "import pytest\n@pytest.fixture(scope='module')\ndef m(): pass\n"
                           "def test_1(m): pass\ndef test_2(): pass\n",
        "test_class.py": "class TestA:\n    @classmethod\n    def setup_class(cls): pass\n"
                         "    def test_1(self): pass\n    def test_2(self): pass\n"
                         "class TestB:\n    def test_1(self): pass\n    def test_2(self): pass\n",
        "test_unit.py": "import unittest\nclass T(unittest.TestCase):\n    @classmethod\n"
                        "    def setUpClass(cls): pass\n    def test_1(self): pass\n    def test_2(self): pass\n",
    }).session()
    together = {name: len(set(groups)) for name, groups in pool.groups.items()}
    assert together == {"test_free.py": 2, "test_module.py": 1, "test_fixture.py": 1, "test_class.py": 3,
                        "test_unit.py": 1}
    a1, a2, b1, b2 = pool.groups["test_class.py"]
    assert a1 == a2 and len({a1, b1, b2}) == 3


def test_warnings_of_an_import_count_with_the_modules_first_test(start):
    pool = start({"test_a.py": "import warnings\nwarnings.warn('at import')\ndef test_1(): pass\n"}).session()
    assert pool.run_all()["test_a.py::test_1"][1]["counts"] == {"passed": 1, "warnings": 1}


@pytest.mark.parametrize("conftest, why", [
    ("import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True, name='mine').start()\n", "mine"),
    ("import socket\ns = socket.socket()\n", "sockets"),
    ("import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n", "processes"),
], ids=["thread", "socket", "child"])
@pytest.mark.parametrize("fork", [0, 1])
def test_what_cannot_be_forked_serves_itself(start, conftest, why, fork):
    pool = start({"conftest.py": conftest, "test_a.py": "def test_1(): pass\n"}).session(fork)
    kind, tag, payload = pool.last
    assert (kind, tag) == (COLLECTED, 0) and why in json.loads(payload.decode())["text"]
    assert pool.run_all(SERVE)["test_a.py::test_1"][0] == "passed"
