"""What tests read, look for and import in ways that only a run can see: an edit of it is noticed by each module that
may depend on it, whoever was the first to ask. All cases share one project and one run: what would run after an edit,
`fastest why` tells without running it."""
import json
import os
import subprocess
import sys

import pytest

from conftest import FASTEST, Project

HERE = "os.path.join(os.path.dirname(__file__), %r)"
CONFTEST = """import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, 'shared'))
def pytest_generate_tests(metafunc):
    if 'p4' in metafunc.fixturenames:
        with open('d/p4') as f: metafunc.parametrize('p4', f.read().split())
"""
HOOK = """import importlib.abc, importlib.util, os, sys
class Foo(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        place = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, name + '.foo')
        return importlib.util.spec_from_loader(name, self, origin=place) if os.path.exists(place) else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        with open(module.__spec__.origin) as f: exec(f.read(), module.__dict__)
sys.meta_path.insert(0, Foo())
"""


class Case:
    """head and body of two modules, or of one of them; what is edited: (path, new text), None: it is removed;
    a text that begins with @ is a link's target."""

    def __init__(self, files, edit, head="", body="pass", other=None):
        self.files, self.edit, self.head, self.body, self.other = files, edit, head, body, other


CASES = {
    # ---- read on behalf of all who use the code that reads ----
    "data_of_an_import": Case({"l1.py": "import os\nX = open(%s).read()\n" % HERE % "d/l1", "d/l1": "1"}, ("d/l1", "2"), "import l1", "assert l1.X"),
    "data_of_an_import_in_a_package": Case({"p2/__init__.py": "", "p2/m.py": "import os\nX = open('d/l2').read()\n", "d/l2": "1"}, ("d/l2", "2"),
                                           "import p2.m", "assert p2.m.X"),
    "data_kept_at_collection": Case({"l3.py": "import functools, os\n@functools.lru_cache(None)\ndef x():\n    return open(%s).read()\n" % HERE % "d/l3",
                                     "d/l3": "1"}, ("d/l3", "2"), "import l3\nY = l3.x()", "assert Y"),
    "data_of_pytest_generate_tests": Case({"conftest.py": CONFTEST, "d/p4": "1 2"}, ("d/p4", "1 2 3"), "def test_p(p4): pass"),
    # ---- imports ----
    "a_source_beside_the_root": Case({"../shared/out5.py": "import out5b\n", "../shared/out5b.py": "def f():\n    return 1\n"},
                                     ("../shared/out5b.py", "def f():\n    return 2\n"), "import out5", "assert out5.out5b.f()"),
    "a_loader": Case({"l6.py": "X = 1\n"}, ("l6.py", "X = 2\n"), "import importlib.machinery, sys\nl = sys.modules.get('l' + '6') or "
                     "importlib.machinery.SourceFileLoader('l' + '6', 'l' + '6.py').load_module()", "assert l.X"),
    "a_name_that_was_loaded": Case({"l7.py": "import l7b\n", "l7b.py": "X = 1\n"}, ("l7b.py", "X = 2\n"), "import l7", "assert l7.l7b",
                                   ("import importlib", "assert getattr(importlib, 'import_' + 'module')('l' + '7').l7b.X")),
    "a_name_of_a_library": Case({"l8.py": "X = 1\n"}, ("l8.py", "X = 2\n"), "import l8", "assert l8",
                                ("from unittest import mock", "with mock.patch('l' + '8' + '.X', 3): pass")),
    "run_path": Case({"l9.py": "X = 1\n"}, ("l9.py", "X = 2\n"), "import runpy", "assert runpy.run_path('l' + '9.py')['X']"),
    "run_module": Case({"l10.py": "X = 1\n"}, ("l10.py", "X = 2\n"), "import runpy", "assert runpy.run_module('l' + '10')['X']"),
    "a_pickle": Case({"l11.py": "class C:\n    x = 1\n", "d/p11": "cl11\nC\n."}, ("l11.py", "class C:\n    x = 2\n"), "import l11", "assert l11",
                     ("import pickle", "with open('d/p11', 'rb') as f: assert pickle.load(f).x")),
    "unittest_by_name": Case({"l12.py": "import unittest\nclass T(unittest.TestCase):\n    x = 1\n    def test(self): pass\n"},
                             ("l12.py", "import unittest\nclass T(unittest.TestCase):\n    x = 2\n    def test(self): pass\n"), "import l12", "assert l12",
                             ("import unittest", "assert unittest.TestLoader().loadTestsFromName('l' + '12').countTestCases() == 1")),
    "an_import_hook": Case({"spam13.foo": "X = 1\n", "tests/hooked/conftest.py": HOOK}, ("spam13.foo", "X = 2\n"), "import spam13", "assert spam13.X"),
    "a_name_that_is_not_there": Case({}, ("l14.py", ""), "import importlib", "try: importlib.import_module('l' + '14')\nexcept ImportError: pass"),
    "a_spec_that_is_not_there": Case({}, ("l15.py", ""), "import importlib.util", "assert importlib.util.find_spec('l' + '15') is None"),
    # ---- looked for ----
    "exists": Case({}, ("new20", ""), "", "assert not os.path.exists('new20')"),
    "is_dir": Case({}, ("new21/x", ""), "import pathlib", "assert not pathlib.Path('new21').is_dir()"),
    "is_file": Case({"d/f22": ""}, ("d/f22", None), "", "assert os.path.isfile(%s)" % HERE.replace("__file__", "os.path.dirname(__file__)") % "d/f22"),
    "access": Case({}, ("new23", ""), "", "assert not os.access('new23', os.R_OK)"),
    "size": Case({"d/f24": "1"}, ("d/f24", "22"), "", "assert os.path.getsize('d/f24') == 1"),
    "stat": Case({"d/f25": "1"}, ("d/f25", "22"), "", "assert os.stat('d/f25').st_size == 1"),
    "pathlib_stat": Case({"d/f26": "1"}, ("d/f26", "22"), "import pathlib", "assert pathlib.Path('d/f26').stat().st_size == 1"),
    "readlink": Case({"link27": "@d/f24"}, ("link27", "@d/f25"), "", "assert os.readlink('link27')"),
    "realpath": Case({"link28": "@d/f24"}, ("link28", "@d/f25"), "", "with open(os.path.realpath('link28')) as f: assert f.read()"),
    # ---- read ----
    "os_open": Case({"d/f30": "1"}, ("d/f30", "2"), "", "fd = os.open('d/f30', os.O_RDONLY)\nassert os.read(fd, 9)\nos.close(fd)"),
    "dir_fd": Case({"d/f31": "1"}, ("d/f31", "2"), "", "d = os.open('d', os.O_RDONLY)\nfd = os.open('f31', os.O_RDONLY, dir_fd=d)\nassert os.read(fd, 9)\n"
                   "os.close(fd)\nos.close(d)"),
    "list_of_a_descriptor": Case({"e32/x": ""}, ("e32/y", ""), "", "d = os.open('e32', os.O_RDONLY)\nassert os.listdir(d)\nos.close(d)"),
    "chdir": Case({"e33/x": ""}, ("e33/x", "2"), "", "os.chdir('e33')\ntry:\n    with open('x') as f: f.read()\nfinally: os.chdir('..')"),
    "sqlite": Case({"d/db34": ""}, ("d/db34", "x"), "import sqlite3", "sqlite3.connect('d/db34').close()"),
    "ctypes": Case({"d/so35": ""}, ("d/so35", "x"), "import ctypes", "try: ctypes.CDLL('d/so35')\nexcept OSError: pass"),
    "a_zip": Case({"d/z36": "z"}, ("d/z36", "zz"), "import zipfile", "assert not zipfile.is_zipfile('d/z36')"),
    # ---- processes and threads ----
    "a_script": Case({"d/s40.sh": "exit 0\n"}, ("d/s40.sh", "exit 0 \n"), "import subprocess", "subprocess.run(['sh', 'd/s40.sh'], check=True)"),
    "cat": Case({"d/f41": "1"}, ("d/f41", "2"), "", "assert os.system('cat d/f41 >/dev/null') == 0"),
    "python_that_reads": Case({"s42.py": "open('d/f42').read()\n", "d/f42": "1"}, ("d/f42", "2"), "import subprocess, sys",
                              "subprocess.run([sys.executable, 's42.py'], check=True)"),
    "python_that_imports": Case({"l43.py": "X = 1\n"}, ("l43.py", "X = 2\n"), "import subprocess, sys", "subprocess.run([sys.executable, '-m', 'l43'], check=True)"),
    "python_that_lists": Case({"e44/x": ""}, ("e44/y", ""), "import subprocess, sys", "subprocess.run([sys.executable, '-c', 'import os; os.listdir(\"e44\")'], check=True)"),
    "python_shadowed": Case({}, ("colorsys.py", ""), "import subprocess, sys", "subprocess.run([sys.executable, '-c', 'import colorsys'], check=True)"),
    "a_fork_that_reads": Case({"d/f46": "1"}, ("d/f46", "2"), "", "pid = os.fork()\nif pid == 0:\n    open('d/f46').read()\n    os._exit(0)\n"
                              "assert os.waitpid(pid, 0)[1] == 0"),
    "a_fork_that_calls": Case({"l47.py": "def f():\n    pass\n"}, ("l47.py", "def f():\n    return 1\n"), "import l47",
                              "pid = os.fork()\nif pid == 0:\n    l47.f()\n    os._exit(0)\nassert os.waitpid(pid, 0)[1] == 0"),
    "a_process_that_lives_on": Case({"l48.py": ""}, ("l48.py", "X = 1\n"), "import subprocess, sys",
                                    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(2); import l48'])"),
    "a_thread_that_lives_on": Case({"l49.py": "def f():\n    pass\n"}, ("l49.py", "def f():\n    return 1\n"), "import l49, threading",
                                   "threading.Thread(target=lambda: (threading.Event().wait(2), l49.f()), daemon=True).start()"),
}


def places(name):
    folder = "tests/hooked" if name == "an_import_hook" else "tests"
    return ["%s/test_%s_%s.py" % (folder, name, letter) for letter in "ab"]


def module(head, body):
    return "import os\n%s\ndef test():\n    %s\n" % (head, body.replace("\n", "\n    "))


def put(project, name, text):
    path = project.path(name)
    if text is None:
        path.unlink()
    elif text.startswith("@"):
        if path.is_symlink():
            path.unlink()
        path.symlink_to(text[1:])
    else:
        project.write(name, text)


def would_run(project):
    done = project.run([FASTEST, "why", "--json", "--python", sys.executable])
    assert done.code == 0, done
    return {m["module"]: m["why"] for m in json.loads(done.out) if m["runs"]}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    top = tmp_path_factory.mktemp("reads")
    project = Project(top / "project", top / "run.log", {"pytest.ini": "[pytest]\npythonpath = .\n"})
    for name, case in CASES.items():
        for path, text in case.files.items():
            put(project, path, text)
        for place, text in zip(places(name), [(case.head, case.body), case.other or (case.head, case.body)]):
            project.write(place, module(*text))
    project.write("tests/test_z.py", module("", "pass"))
    r = project.fastest("-n", "4")
    assert r.code == 0, r
    r = project.fastest("-n", "4")
    assert r.code == 0, r
    assert would_run(project) == {}, project.fastest("-n", "4")
    return project


@pytest.mark.parametrize("name", CASES)
def test_edit_of(ran, name):
    path, new = CASES[name].edit
    place = ran.path(path)
    old = "@" + os.readlink(place) if place.is_symlink() else place.read_text() if place.exists() else None
    before = place.stat() if old is not None else None
    made = [p for p in place.parents if not p.exists()]
    put(ran, path, new)
    try:
        runs = would_run(ran)
        assert set(places(name)) <= set(runs), runs
    finally:
        put(ran, path, old)
        for folder in made:
            folder.rmdir()
        if before is not None and not place.is_symlink():
            os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert would_run(ran) == {}
