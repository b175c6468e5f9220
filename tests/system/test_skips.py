"""Modules whose tests are all certain to be skipped start no worker, and are reported as pytest reports them."""
import os
import pathlib
import re
import subprocess
import sys

import pytest
from lxml import etree

from conftest import FASTEST
from test_reports import PYTEST, cases

SOURCE = pathlib.Path(__file__).parents[2] / "generator" / "collect" / "clean.c"
HEAD = "import pytest, sys, os\n"
MODERN = int(pytest.__version__.split(".")[0]) >= 8  # older ones: nothing is folded

FOLDED = {
    "marks": {"test_a.py": HEAD + '''
"""Not a docstring."""
LIMIT = (3, 8)
needs_windows = pytest.mark.skipif(sys.platform == "win32" or sys.version_info >= LIMIT, reason="not <here>")
@pytest.mark.skip
def test_a(): pass
@pytest.mark.skip(reason='why')
@pytest.mark.parametrize('v', [1, "x-y", None])
def test_b(v, monkeypatch): 1 / 0
@needs_windows
def test_c(missing_fixture): pass
@pytest.mark.xfail(run=False)
@pytest.mark.skip("first")
@pytest.mark.skip("second")
def test_d(): pass
@pytest.mark.skip
class TestX:
    LIMIT = 4
    @pytest.fixture(autouse=True)
    def broken(self): 1 / 0
    def test_h(self): pass
    class TestY:
        @pytest.mark.parametrize("a, b", [(1, 2), pytest.param(3, 4, marks=pytest.mark.skip("mine"), id="é")])
        def test_i(self, a, b): pass
@pytest.mark.skip("base")
class TestBase:
    def test_j(self: int) -> None: pass
@pytest.mark.usefixtures("missing_fixture")
class TestZ(TestBase):
    def test_k(self): pass
'''},
    "module": {"sub/test_a.py": HEAD + "pytestmark = [pytest.mark.skip(reason='m')]\ndef test_a(): pass\n",
               "sub/deep/test_b.py": HEAD + "pytestmark = pytest.mark.skipif(True, reason='t')\n"
                                            "class TestK:\n    def test_b(self): pass\n"},
    "package": {"pkg/__init__.py": "", "pkg/in/__init__.py": "'''docs'''\n",
                "pkg/in/test_a.py": HEAD + "pytestmark = pytest.mark.skip('p')\ndef test_a(): pass\n"},
    "whole": {"test_a.py": HEAD + "pytest.skip('whole & <all>', allow_module_level=True)\nimport no_such_mod_xyz\n"
                                  "def test_a(): pass\n",
              "test_b.py": HEAD + "if sys.platform != 'none':\n    pytest.skip(reason='if', allow_module_level=True)\n"},
    "conftest": {"conftest.py": "import pytest\n@pytest.fixture(scope='session', autouse=True)\ndef f(): 1 / 0\n",
                 "test_a.py": HEAD + "@pytest.mark.skip('c')\ndef test_a(f): pass\n"},
    "imports": {"test_a.py": "from __future__ import annotations\nfrom pytest import (mark, param as p)\n"
                             "import os.path, itertools as it\nfrom functools import wraps\n"
                             "@mark.skip('i')\ndef test_a(x: not_there = None): pass\n"},
}
SKIP = HEAD + "pytestmark = pytest.mark.skip('all')\ndef test_a(): pass\n"
RUN = {  # each is skipped by its marks, but what it takes to be sure is missing
    "missing import": {"test_a.py": SKIP + "import no_such_mod_xyz\n"},
    "name before it is bound": {"test_a.py": HEAD + "@pytest.mark.skipif(LATE, reason='r')\ndef test_a(): pass\nLATE = True\n"},
    "not allowed": {"test_a.py": HEAD + "pytest.skip('not allowed')\n"},
    "absent module": {"test_a.py": HEAD + "np = pytest.importorskip('no_such_mod_xyz')\ndef test_a(): pass\n"},
    "environment": {"test_a.py": HEAD + "@pytest.mark.skipif(os.environ.get('NOPE') is None, reason='e')\ndef test_a(): pass\n"},
    "string condition": {"test_a.py": HEAD + "@pytest.mark.skipif('True', reason='s')\ndef test_a(): pass\n"},
    "no reason": {"test_a.py": HEAD + "@pytest.mark.skipif(True)\ndef test_a(): pass\n"},
    "unittest": {"test_a.py": "import unittest\n@unittest.skip('u')\ndef test_a(): pass\n"},
    "one that runs": {"test_a.py": HEAD + "@pytest.mark.skip\ndef test_a(): pass\ndef test_b(): pass\n"},
    "hook that clears marks": {"conftest.py": "def pytest_collection_modifyitems(items):\n"
                                              "    for i in items: i.own_markers.clear()\n",
                               "test_a.py": HEAD + "@pytest.mark.skip\ndef test_a(): pass\n"},
    "hook around tests": {"conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
                                         "def pytest_runtest_setup(item): raise ValueError\n", "test_a.py": SKIP},
    "hook in a folder beside": {"b/conftest.py": "def pytest_collection_modifyitems(items):\n"
                                                 "    for i in items: i.parent.own_markers.clear()\n",
                                "b/test_b.py": "def test_b(): pass\n", "test_a.py": SKIP},
    "broken package": {"p/__init__.py": "1 / 0\n", "p/test_a.py": SKIP},
    "syntax error in a body": {"test_a.py": SKIP + "def test_b():\n    return = 3\n"},
    "what only the compiler rejects": {"test_a.py": SKIP + "def test_b():\n    nonlocal x\n"},
    "warning of the compiler": {"test_a.py": SKIP + "def test_b():\n    return 1 is 1\n"},
    "unknown mark": {"test_a.py": HEAD + "@pytest.mark.skip\n@pytest.mark.sowl\ndef test_a(): pass\n"},
    "unknown scope": {"test_a.py": SKIP + "@pytest.fixture(scope='sesion')\ndef f(): pass\n"},
    "default that raises": {"test_a.py": SKIP + "def test_b(x=1/0): pass\n"},
    "base that raises": {"test_a.py": SKIP + "class TestA(1): pass\n"},
    "class that cannot be collected": {"test_a.py": SKIP + "class TestA:\n    def __init__(self): pass\n"},
    "fixture with a mark": {"test_a.py": SKIP + "@pytest.mark.skip\n@pytest.fixture\ndef f(): pass\n"},
    "constant that raises": {"test_a.py": SKIP + "X = [1, 2][5]\n"},
    "import of the project's": {"helper.py": "raise ValueError\n", "test_a.py": SKIP + "import helper\n"},
    "name of another module": {"test_a.py": SKIP + "from collections import no_such_name\n"},
    "the same name twice": {"a/test_a.py": SKIP, "b/test_a.py": SKIP},
    "rebound name": {"test_a.py": "import pytest\nclass sys: platform = 'win32'\n"
                                  "@pytest.mark.skipif(sys.platform == 'linux', reason='x')\ndef test_a(): pass\n"},
    "doctests": {"pytest.ini": "[pytest]\naddopts = --doctest-modules\n", "test_a.py": SKIP + "'''\n>>> 1\n2\n'''\n"},
    "yield": {"test_a.py": SKIP + "def test_b(): yield\n"},
}
RUN_WITH = {"plugin by name": ["-p", "no:skipping"], "selection": ["-k", "test_a"]}


def fill(project, files):
    project.write("pytest.ini", "[pytest]\n")
    for name, text in files.items():
        project.write(name, text)


def worker_started(project):
    return (project.root / ".fastest" / "pool.log").exists()


def short_summary(out):
    out = re.split(r"^=+ .* in [\d.]+s", out.partition("short test summary info")[2], flags=re.M)[0]
    return re.findall(r"^(?:SKIPPED|ERROR|FAILED|XFAIL) .*", out, re.M)


def compare(project, args=()):
    """JUnit, the short summary and the exit status of one run each."""
    runs = []
    for run in lambda *a: project.run([PYTEST, *a]), project.fastest:
        out = project.root.parent / ("%d.xml" % len(runs))
        done = run("-rfEsxX", "-p", "no:cacheprovider", "--junitxml", str(out), *args)
        runs.append((cases(etree.parse(str(out)).getroot()), sorted(short_summary(done.out)), done.code))
    (expected, expected_lines, code), (found, lines, found_code) = runs
    assert (list(found - expected), list(expected - found)) == ([], [])
    assert (lines, found_code) == (expected_lines, code)


@pytest.mark.skipif(not MODERN, reason="pytest 7")
@pytest.mark.parametrize("name", FOLDED)
def test_no_worker_starts(project, name):
    fill(project, FOLDED[name])
    compare(project)
    assert not worker_started(project)


def said(report):
    return [[t[k] for k in ("nodeid", "lineno", "outcome", "keywords")] + [t["setup"].get("longrepr")]
            for t in report["tests"]] + report.get("collectors", [])


def folded_and_run(project, name, python):
    """What is written without a worker, and what a worker says when a conftest has a hook."""
    fill(project, FOLDED[name])
    project.run([FASTEST, "--python", python, "-p", "no:cacheprovider"])
    assert not worker_started(project)
    folded = project.json()
    old = project.path("conftest.py").read_text() if project.path("conftest.py").exists() else ""
    project.write("conftest.py", old + "def pytest_configure(): pass\n")
    project.run([FASTEST, "--python", python, "-p", "no:cacheprovider"])
    assert worker_started(project)
    return said(folded), said(project.json())


@pytest.mark.skipif(not MODERN, reason="pytest 7")
@pytest.mark.parametrize("name", FOLDED)
def test_what_is_written_is_what_a_worker_says(project, name):
    folded, run = folded_and_run(project, name, sys.executable)
    assert folded == run


ALONE = [name for name, files in RUN.items() if set(files) != {"test_a.py"}]


@pytest.mark.parametrize("name", ALONE)
def test_without_certainty_a_worker_runs_it(project, name):
    fill(project, RUN[name])
    compare(project)
    assert worker_started(project)


@pytest.mark.skipif(not MODERN, reason="pytest 7")
def test_without_certainty_a_worker_runs_them(project):
    names = [name for name in RUN if name not in ALONE] + ["certain"]
    fill(project, {"test_%d.py" % i: RUN.get(name, {"test_a.py": SKIP})["test_a.py"] for i, name in enumerate(names)})
    compare(project, ["--continue-on-collection-errors"])
    records = [project.path(".fastest/m/test_%d.rec" % i).read_bytes() for i in range(len(names))]
    assert [name for name, record in zip(names, records) if b'"always":' not in record] == ["certain"]


def test_a_broken_conftest_is_an_error(project):
    fill(project, {"conftest.py": "1 / 0\n", "test_a.py": SKIP})
    assert project.fastest().code == project.run([PYTEST]).code == 4


@pytest.mark.parametrize("name", RUN_WITH)
def test_options_that_may_decide_otherwise(project, name):
    fill(project, {"test_a.py": SKIP})
    compare(project, RUN_WITH[name])
    assert worker_started(project)


@pytest.mark.skipif(not MODERN, reason="pytest 7")
def test_a_change_folds_again_and_others_run_beside(ninja_project):
    p = ninja_project
    p.write("tests/test_s.py", SKIP)
    first = p.ninja()
    assert first.code == 0 and first.ran == "abc"
    assert p.outcomes()["tests/test_s.py::test_a"] == "skipped"
    p.run(["rm", "-f", ".fastest/pool.log"])
    p.write("tests/test_s.py", SKIP.replace("'all'", "'other'"))
    again = p.ninja()
    assert again.code == 0 and again.ran == ""
    assert not worker_started(p)
    said = {t["nodeid"]: (t["cached"], t["setup"]["longrepr"]) for t in p.json()["tests"] if t["outcome"] == "skipped"}
    cached, why = said["tests/test_s.py::test_a"]
    assert not cached and "Skipped: other" in why, again
    assert p.ninja().ran == "" and p.json()["summary"]["cached"] == 4


def test_pytest_has_loaded_what_clean_imports_may_name(tmp_path):
    names = re.findall(r'"([\w.]+)"', re.search(r"loaded\[\] = \{(.*?)\}", SOURCE.read_text(), re.S).group(1))
    (tmp_path / "test_a.py").write_text("import sys\nkept = set(sys.modules)\ndef test_a():\n"
                                        "    missing = set(%r) - kept\n    assert not missing\n" % (names,))
    (tmp_path / "pytest.ini").touch()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "FASTEST"))}
    done = subprocess.run([sys.executable, "-c", "import sys, pytest; sys.exit(pytest.console_main())", "-q",
                           "-p", "no:cacheprovider"], cwd=str(tmp_path), env=dict(env, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
