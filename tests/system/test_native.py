"""The native run gives what pytest's protocol gives: outcomes, phases, sections, warnings, properties, tracebacks."""
import json
import pathlib
import subprocess
import sys

import pytest

PARITY = pathlib.Path(__file__).parents[1] / "parity"
MODERN = tuple(map(int, pytest.__version__.split(".")[:2])) >= (8, 4)

ZOO = {
    "pytest.ini": "[pytest]\nmarkers = mine\nfilterwarnings = default\n",
    "tests/conftest.py": """
import pytest
@pytest.fixture(scope="session")
def whole(): yield []
@pytest.fixture(scope="module")
def shared():
    print("shared is set up")
    yield {}
    print("shared is torn down")
@pytest.fixture(params=[1, 2])
def number(request): return request.param
@pytest.fixture
def marking(request): request.node.add_marker(pytest.mark.xfail(reason="by a fixture"))
""",
    "tests/test_plain.py": """
import os, sys, warnings
import pytest
def test_pass(): pass
def test_compare(): assert {"a": 1, "b": [1, 2]} == {"a": 1, "b": [1, 3]}
def test_text(): assert "one\\ntwo" == "one\\nthree"
def test_message(): assert 1 == 2, "a message"
def test_raises(): raise ValueError("text")
def inner(): raise KeyError("deep")
def test_deep():
    try:
        inner()
    except KeyError:
        raise RuntimeError("outer")
def test_exit(): sys.exit(3)
def test_skip(): pytest.skip("inside")
def test_xfail(): pytest.xfail("inside")
def test_importorskip(): pytest.importorskip("no_such_module_here")
def test_fail(): pytest.fail("short", pytrace=False)
def test_returns(): return 3
def test_output():
    print("out")
    print("err", file=sys.stderr)
def test_output_and_failure():
    print("before")
    os.write(1, b"raw")
    assert 0
def test_warns(): warnings.warn("one")
def test_warns_again():
    for i in range(2): warnings.warn("one")
def test_deprecated(): warnings.warn("old", DeprecationWarning)
def test_filters_changed(): warnings.simplefilter("error")
def test_filters_are_back(): warnings.warn("no error")
def test_current(): assert os.environ["PYTEST_CURRENT_TEST"] == "tests/test_plain.py::test_current (call)"
def test_keyword_only(*, x=1): assert x == 1
def test_default(x=2): assert x == 2
def test_no_such_fixture(nothing): pass
async def test_async(): pass
@pytest.mark.mine
def test_marked(): print("marked")
@pytest.mark.xfail
def test_xfail_mark(): assert 0
@pytest.mark.filterwarnings("error")
def test_filter_mark(): warnings.warn("error")
@pytest.mark.parametrize("a, b", [(1, 2), (3, 3)])
def test_parameters(a, b): assert a < b
def test_nested():
    def inside(): assert [] == [1]
    inside()
def helper(x): assert x == 5
def test_helper(): helper(4)
def test_group(): raise ExceptionGroup("two", [ValueError(1), TypeError(2)]) if sys.version_info >= (3, 11) else None
def test_last_is_forgotten(): assert not hasattr(sys, "last_value")
""",
    "tests/test_streams.py": """
import logging, os, sys, threading, gc
import pytest
def test_log():
    logging.getLogger("a").warning("told")
def test_log_and_failure():
    logging.getLogger("a").error("told before")
    assert 0
def test_root_has_handlers(): assert logging.getLogger().handlers
def test_handler_is_left(): logging.getLogger().addHandler(logging.NullHandler())
def test_level_is_left(): logging.getLogger().setLevel(10)
def test_debug_is_seen():
    logging.debug("low")
    assert 0
def test_apart():
    logger = logging.getLogger("apart")
    logger.propagate = False
def test_apart_is_seen():
    logging.getLogger("apart").error("from apart")
    assert 0
def test_stdout_is_replaced(): sys.stdout = open(os.devnull, "w")
def test_stdout_is_back():
    print("here")
    assert 0
def test_descriptor_is_replaced():
    fd = os.open(os.devnull, os.O_WRONLY)
    os.dup2(fd, 1)
def test_descriptor_is_back():
    os.write(1, b"there")
    assert 0
def test_thread():
    def run(): raise ValueError("in a thread")
    t = threading.Thread(target=run, name="odd"); t.start(); t.join()
class Odd:
    def __del__(self): raise ValueError("in a finalizer")
def test_finalizer(): Odd()
def test_capsys(capsys):
    print("taken")
    assert capsys.readouterr().out == "taken\\n"
    print("not taken")
def test_capfd(capfd):
    os.write(2, b"x")
    assert capfd.readouterr().err == "x"
def test_caplog(caplog):
    with caplog.at_level(logging.INFO):
        logging.info("hello")
    assert caplog.messages == ["hello"]
def test_caplog_phases(caplog):
    assert caplog.get_records("setup") == []
    logging.error("now")
    assert len(caplog.get_records("call")) == 1
def test_recwarn(recwarn):
    import warnings
    warnings.warn("kept")
    assert len(recwarn) == 1
""",
    "tests/test_fixtures.py": """
import warnings
import pytest
@pytest.fixture
def broken():
    print("on the way")
    raise RuntimeError("setup")
@pytest.fixture
def leaky():
    yield
    print("on the way back")
    raise RuntimeError("teardown")
@pytest.fixture
def skipping(): pytest.skip("by a fixture")
@pytest.fixture
def strict():
    warnings.simplefilter("error")
def test_error(broken): pass
def test_error_again(broken): pass
def test_teardown(leaky): print("call")
def test_both(leaky): assert 0
def test_skipped(skipping): pass
def test_strict(strict): warnings.warn("is an error")
def test_not_strict(): warnings.warn("is none")
def test_number(number): assert number == 1
def test_shared(shared): shared["x"] = 1
def test_shared_again(shared, whole):
    whole.append(1)
    assert shared == {"x": 1}
def test_tmp_path(tmp_path): (tmp_path / "x").write_text("x")
def test_monkeypatch(monkeypatch): monkeypatch.setenv("A", "b")
def test_property(record_property): record_property("key", 3)
def test_by_fixture(marking): assert 0
def test_by_fixture_passes(marking): pass
def test_by_test(request):
    request.node.add_marker(pytest.mark.xfail(reason="by the test"))
    assert 0
def test_dynamic(request):
    request.getfixturevalue("capsys")
    print("dynamic")
def test_finalizer(request):
    request.addfinalizer(lambda: print("final"))
@pytest.mark.usefixtures("leaky")
def test_used(): pass
""",
    "tests/test_classes.py": """
import unittest
import pytest
def setup_module(module): module.ready = True
def teardown_module(module): print("module is done")
def setup_function(function): function.set_up = True
def test_ready(): assert ready and test_ready.set_up
class TestPlain:
    def test_a(self): self.x = 1
    def test_b(self): assert not hasattr(self, "x")
    @staticmethod
    def test_static(): pass
    @classmethod
    def test_class(cls): assert cls is TestPlain
class TestSetup:
    @classmethod
    def setup_class(cls): cls.log = []
    def setup_method(self, method): self.log.append(method.__name__)
    def teardown_method(self):
        if self.log[-1] == "test_last": raise RuntimeError("teardown")
    def test_first(self): assert self.log == ["test_first"]
    def test_last(self): pass
    @pytest.fixture(autouse=True)
    def auto(self): self.auto_ran = True
    def test_auto(self): assert self.auto_ran
class TestBroken:
    @classmethod
    def setup_class(cls): raise RuntimeError("class")
    def test_a(self): pass
    def test_b(self): pass
class TestInherited(TestPlain):
    def test_c(self): pass
class TestUnit(unittest.TestCase):
    def setUp(self): self.x = 1
    def test_a(self): self.assertEqual(self.x, 1)
    def test_b(self): self.assertEqual(self.x, 2)
    def test_sub(self):
        for i in range(2):
            with self.subTest(i=i): assert i == 0
    @unittest.skip("no")
    def test_c(self): pass
""",
    "tests/pack/__init__.py": "def setup_module(module): print('package')\n",
    "tests/pack/test_p.py": "def test_a(): pass\ndef test_b(): assert 0\n",
    "tests/hooked/conftest.py": "def pytest_runtest_setup(item): print('hook for', item.name)\n",
    "tests/hooked/test_h.py": "def test_a(): assert 0\ndef test_b(): pass\n",
}


def plain(project):
    out = project.path("plain.json")
    project.run([sys.executable, "-m", "pytest", "-q", "-p", "outcomes", "-p", "no:cacheprovider", "tests"],
                env={"OUTCOMES": str(out), "PYTHONPATH": str(PARITY)})
    return json.loads(out.read_text())


def fill(project):
    for name, text in ZOO.items():
        project.write(name, text)


@pytest.mark.parametrize("optimizer", ["optimized", "parallel", "standard"])
def test_outcomes(project, optimizer):
    fill(project)
    project.fastest("--optimizer", optimizer, "-p", "no:cacheprovider", "tests")
    assert project.outcomes() == plain(project)


@pytest.mark.skipif(not MODERN, reason="not for pytest before 8.4")
def test_both_ways_are_the_same(project):
    fill(project)
    r = project.fastest("--optimizer", "verify", "-n", "1", "-p", "no:cacheprovider", "tests")
    assert "differs" not in r.out, r
    assert project.outcomes() == plain(project)


def test_nothing_runs_behind_the_failure_that_stops_the_run(project):
    """Plain functions of one module run in one loop: it ends there, too."""
    project.write("test_m.py", "import pathlib\ndef test_a(): pass\ndef test_b(): pass\ndef test_c(): assert 0\n"
                  "def test_d(): pathlib.Path('d').touch()\ndef test_e(): pathlib.Path('e').touch()\n")
    r = project.fastest("-n1", "-x", "--no-confirm", "-p", "no:cacheprovider")
    assert r.code == 1 and "2 passed" in r.out and "1 failed" in r.out, r
    assert not project.path("d").exists() and not project.path("e").exists()
