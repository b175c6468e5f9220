"""The outcomes of a zoo of tests are plain pytest's, node id by node id."""
import json
import pathlib
import subprocess
import sys

import pytest
from conftest import FASTEST

PARITY = pathlib.Path(__file__).parents[1] / "parity"

ZOO = {
    "pytest.ini": "[pytest]\nmarkers = slow\n",
    "conftest.py": """
import pytest
@pytest.fixture(scope="session")
def db():
    return []
@pytest.fixture(scope="package")
def pack():
    return {}
@pytest.fixture(params=[1, 2], scope="module")
def number(request):
    return request.param
def pytest_collection_modifyitems(items):
    for item in items:
        if "unwanted" in item.name:
            item.add_marker(pytest.mark.skip(reason="by hook"))
collect_ignore = ["test_ignored.py"]
""",
    "test_ignored.py": "def test_x(): assert 0\n",
    "test_basic.py": """
import pytest, sys
pytest_plugins = []
def test_pass(): pass
def test_fail(): assert [1, 2, 3] == [1, 2, 4]
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
def test_skip_inside(): pytest.skip("inside")
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_xpass_strict(): pass
@pytest.mark.xfail(run=False)
def test_not_run(): assert 0
def test_unwanted(): assert 0
@pytest.mark.parametrize("v", ["a/b", "x::y", "", "é", "[z]", None, 1.5, b"\\xff"])
def test_ids(v): pass
@pytest.mark.slow
def test_marked(): pass
async def test_async(): pass
def test_missing_fixture(nope): pass
def test_db(db): db.append(1)
def test_number(number, db): assert number
def test_other_number(number): assert number < 2
""",
    "test_unit.py": """
import unittest
class T(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.x = 1
    def test_x(self): self.assertEqual(self.x, 1)
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    @unittest.skip("no")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise ValueError("class")
    def test_1(self): pass
    def test_2(self): pass
""",
    "test_fixtures.py": """
import logging, os, sys, warnings, pytest
def setup_module(module): module.ready = True
class TestC:
    @pytest.fixture(autouse=True, scope="class")
    def klass(self, request): request.cls.value = 5
    def setup_method(self): self.m = 1
    def test_1(self): assert self.value == 5 and self.m == 1 and ready
    class TestInner:
        def test_deep(self): pass
def test_capsys(capsys):
    print("out")
    assert capsys.readouterr().out == "out\\n"
def test_capfd(capfd):
    os.system("echo hello")
    assert capfd.readouterr().out == "hello\\n"
def test_caplog(caplog):
    logging.getLogger().warning("w")
    assert caplog.messages == ["w"]
def test_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text("x")
    assert os.listdir(".") == ["f"]
def test_recwarn(recwarn):
    warnings.warn("w")
    assert len(recwarn) == 1
def test_stdin():
    with pytest.raises(OSError): sys.stdin.read()
def test_argv(): assert os.path.basename(sys.argv[0]) == "pytest"
def test_path(): assert "" not in sys.path
def test_order_a(): globals()["state"] = 1
def test_order_b(): assert state == 1
""",
    "test_module_skip.py": "import pytest\npytest.skip('whole', allow_module_level=True)\n",
    "test_importorskip.py": "import pytest\npytest.importorskip('no_such_module_here')\ndef test_x(): pass\n",
    "test_generated.py": "for i in range(3):\n    exec('def test_%d(): assert %d != 1' % (i, i))\n",
    "test_doc.txt": ">>> 1 + 1\n2\n>>> 2 + 2\n5\n",
    "sub/__init__.py": "",
    "sub/conftest.py": "import pytest\n@pytest.fixture\ndef db(db): return db + ['sub']\n",
    "sub/test_sub.py": "from . import helper\ndef test_db(db): assert 'sub' in db\ndef test_pack(pack): pack['x'] = helper.X\n",
    "sub/helper.py": "X = 1\n",
    "sub/test_sub2.py": "def test_pack(pack): assert isinstance(pack, dict)\n",
}
COLLECTOR = {
    "conftest.py": """
import pytest
class F(pytest.File):
    def collect(self):
        for line in self.path.read_text().split():
            yield I.from_parent(self, name=line)
class I(pytest.Item):
    def runtest(self): assert self.name != "bad"
def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".yaml": return F.from_parent(parent, path=file_path)
""",
    "rows.yaml": "good bad\n",
    "test_a.py": "def test_a(): pass\n",
}


def plain(project, *args):
    out = project.root.parent / "plain.json"
    env = {"OUTCOMES": str(out), "PYTHONPATH": str(PARITY)}
    r = project.run([str(pathlib.Path(sys.executable).parent / "pytest"), "-p", "outcomes", "-p", "no:cacheprovider", *args], env=env)
    return r.code, json.loads(out.read_text())


def same(project, *args, n=3):
    code, outcomes = plain(project, *args)
    r = project.fastest("-n", str(n), "-p", "no:cacheprovider", *args)
    assert project.outcomes() == outcomes, r
    assert len(project.json()["tests"]) == len(outcomes)
    assert r.code == code, r
    return outcomes


def fill(project, files):
    for name, text in files.items():
        project.write(name, text)
    return project


@pytest.mark.parametrize("args", [
    (), ("-k", "not fail and not both"), ("-m", "slow"), ("test_basic.py::test_pass", "test_fixtures.py::TestC"),
    ("--deselect", "test_basic.py::test_fail"), ("--ignore=test_basic.py",), ("sub",), ("-p", "no:terminal", "-o", "xfail_strict=true"),
    ("-k", "nothing_of_this_name"),
], ids=" ".join)
def test_the_zoo(project, args):
    if args[:2] == ("-p", "no:terminal"):
        args = args[2:]
    assert same(fill(project, ZOO), *args) or "nothing" in args[-1]


def test_one_worker(project):
    same(fill(project, ZOO), n=1)


def test_custom_collector(project):
    outcomes = same(fill(project, COLLECTOR))
    assert outcomes["rows.yaml::bad"] == "failed" and len(outcomes) == 3


def test_doctest_modules(project):
    fill(project, {"m.py": "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\n", "test_m.py": "'''\n>>> 1\n2\n'''\ndef test_1(): pass\n"})
    assert len(same(project, "--doctest-modules")) == 3


BROKEN = {"test_a.py": "def test_a(: pass\n", "test_b.py": "import no_such_module_here\n",
          "test_c.py": "def test_c(): open('ran', 'w')\n",
          "test_d.py": "def test_d(): pass\nclass Test:\n    def __getattr__(self, name): pass\n"}


def test_after_a_collection_error_nothing_runs(project):
    fill(project, BROKEN)
    code, _ = plain(project)
    for _ in range(2):
        r = project.fastest()
        assert r.code == code == 2, r
        assert project.outcomes() == {} and not project.path("ran").exists()
        assert [(c["nodeid"], c["outcome"]) for c in project.json()["collectors"]] == [
            ("test_a.py", "failed"), ("test_b.py", "failed")]
        assert "ERROR test_a.py" in r.out and "ERROR test_b.py" in r.out and "2 errors" in r.out
        assert "! Interrupted: 2 errors during collection !" in r.out
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("test_b.py", "")
    r = project.fastest()
    assert r.code == 0 and "3 passed" in r.out and "Interrupted" not in r.out, r
    project.write("test_b.py", "import no_such_module_here\n")
    r = project.fastest()
    assert r.code == 2 and "3 passed (3 cached), 1 error" in r.out and "! Interrupted: 1 error during" in r.out, r


@pytest.mark.parametrize("place", ["command line", "ini"])
def test_continue_on_collection_errors(project, place):
    option = "--continue-on-collection-errors"
    fill(project, BROKEN)
    if place == "ini":
        project.write("pytest.ini", "[pytest]\naddopts = %s\n" % option)
    args = [option] if place == "command line" else []
    code, outcomes = plain(project, *args)
    r = project.fastest(*args)
    errors = {"test_a.py": "error", "test_b.py": "error"}
    assert r.code == code == 1 and dict(project.outcomes(), **errors) == outcomes and len(outcomes) == 4, r
    assert "2 passed (0 cached), 2 errors" in r.out and "Interrupted" not in r.out, r


def test_an_error_in_ninja_test(project):
    fill(project, BROKEN)
    assert project.run([FASTEST, "init", "--python", sys.executable]).code == 0
    r = project.run(["ninja", "test"])
    assert r.code != 0 and "! Interrupted: 2 errors during collection !" in r.out, r
    assert not project.path("ran").exists()


def test_same_basename_in_two_directories(project):
    fill(project, {"a/test_x.py": "def test_1(): pass\n", "b/test_x.py": "def test_2(): pass\n"})
    for _ in range(2):
        r = project.fastest()
        assert r.code == 2 and "import file mismatch" in r.out, r
        assert project.outcomes() == {}


NEXTITEM = """
def pytest_runtest_teardown(item, nextitem):
    if nextitem is None or nextitem.module is not item.module:
        item.module.resource.clear()
"""


def test_a_hook_that_looks_at_the_next_item(project):
    """Long tests are run without knowing the next: what that breaks is not the project's failure."""
    project.write("conftest.py", NEXTITEM)
    for name in "ab":
        project.write("test_%s.py" % name, "import time\nresource = {1}\n" + "".join(
            "def test_%d():\n    time.sleep(0.1)\n    assert resource\n" % i for i in range(6)))
    assert set(same(project, n=2).values()) == {"passed"}


def test_a_split_must_not_cause_a_failure(project):
    project.write("test_state.py", "import time\nseen = []\n" + "".join(
        "def test_%02d():\n    time.sleep(0.02)\n    seen.append(%d)\n    assert seen == list(range(%d))\n" % (i, i, i + 1) for i in range(30)))
    r = project.fastest("-n", "4")
    assert r.code == 0, r


def test_an_option_that_reports_on_the_whole_run_is_left_to_pytest(project):
    project.write("conftest.py", "def pytest_addoption(parser): parser.addoption('--cov', dest='cov_source')\n")
    project.write("test_a.py", "def test_a(): assert 0\ndef test_b(): assert 0\n")
    r = project.fastest("--cov=lib", "-x", "--junitxml=j.xml")
    assert r.code == 1 and "--cov is plain pytest's" in r.out and "test session starts" in r.out, r
    assert project.path("j.xml").read_text().count("<testcase ") == 1
    project.init("--cov=lib")
    r = project.run(["ninja", "test"])
    assert r.code != 0 and "--cov reports on a whole run in one process" in r.out, r
