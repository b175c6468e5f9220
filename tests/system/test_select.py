"""An edited dependency reruns the modules that can notice it, whatever the import looks like."""
import sys

import pytest

from conftest import FASTEST


def module(letter, body):
    """Its tests note that they ran; `body` is the module's own text."""
    return "import os\n%s\ndef test_note_%s():\n    open(os.environ['RUNLOG'], 'a').write('%s\\n')\n" % (body, letter, letter)


# name: (files, the file that is edited, its new text). Module a depends on it, module z does not.
CASES = {
    "absolute": ({"lib.py": "X = 1\n", "test_a.py": module("a", "import lib\ndef test(): assert lib.X")}, "lib.py", "X = 2\n"),
    "from": ({"lib.py": "X = 1\n", "test_a.py": module("a", "from lib import X\ndef test(): assert X")}, "lib.py", "X = 2\n"),
    "star": ({"lib.py": "X = 1\n", "test_a.py": module("a", "from lib import *\ndef test(): assert X")}, "lib.py", "X = 2\n"),
    "dotted as": ({"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/deep.py": "X = 1\n",
                   "test_a.py": module("a", "import pkg.sub.deep as d\ndef test(): assert d.X")}, "pkg/sub/deep.py", "X = 2\n"),
    "package init": ({"pkg/__init__.py": "Y = 1\n", "pkg/m.py": "X = 1\n",
                      "test_a.py": module("a", "import pkg.m\ndef test(): assert pkg.m.X")}, "pkg/__init__.py", "Y = 2\n"),
    "from package import module": ({"pkg/__init__.py": "", "pkg/m.py": "X = 1\n",
                                    "test_a.py": module("a", "from pkg import m\ndef test(): assert m.X")}, "pkg/m.py", "X = 2\n"),
    "relative": ({"t/__init__.py": "", "t/helper.py": "X = 1\n", "t/test_a.py": module("a", "from .helper import X\ndef test(): assert X")},
                 "t/helper.py", "X = 2\n"),
    "from dot": ({"t/__init__.py": "", "t/helper.py": "X = 1\n", "t/test_a.py": module("a", "from . import helper\ndef test(): assert helper.X")},
                 "t/helper.py", "X = 2\n"),
    "from two dots": ({"t/__init__.py": "", "t/helper.py": "X = 1\n", "t/s/__init__.py": "",
                       "t/s/test_a.py": module("a", "from ..helper import X\ndef test(): assert X")}, "t/helper.py", "X = 2\n"),
    "in a function": ({"lib.py": "X = 1\n", "test_a.py": module("a", "def test():\n    import lib\n    assert lib.X")}, "lib.py", "X = 2\n"),
    "in a function of a source": ({"lib.py": "def f():\n    from inner import X\n    return X\n", "inner.py": "X = 1\n",
                                   "test_a.py": module("a", "import lib\ndef test(): assert lib.f()")}, "inner.py", "X = 2\n"),
    "try and except": ({"lib.py": "try:\n    import no_such_speedups as s\nexcept ImportError:\n    import slow as s\nX = s.X\n", "slow.py": "X = 1\n",
                        "test_a.py": module("a", "import lib\ndef test(): assert lib.X")}, "slow.py", "X = 2\n"),
    "src layout": ({"pytest.ini": "[pytest]\npythonpath = src\n", "src/pkg/__init__.py": "", "src/pkg/m.py": "X = 1\n",
                    "tests/test_a.py": module("a", "from pkg.m import X\ndef test(): assert X")}, "src/pkg/m.py", "X = 2\n"),
    "pythonpath by toml": ({"pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['a', 'b']\n", "a/x.py": "import y\n", "b/y.py": "X = 1\n",
                            "tests/test_a.py": module("a", "import x\ndef test(): assert x.y.X")}, "b/y.py", "X = 2\n"),
    "namespace package": ({"ns/deep/m.py": "X = 1\n", "test_a.py": module("a", "import ns.deep.m\ndef test(): assert ns.deep.m.X")}, "ns/deep/m.py", "X = 2\n"),
    "importlib import mode": ({"pytest.ini": "[pytest]\naddopts = --import-mode=importlib\npythonpath = .\n", "lib.py": "X = 1\n",
                               "t/test_a.py": module("a", "import lib\ndef test(): assert lib.X")}, "lib.py", "X = 2\n"),
    "import_module with a literal": ({"lib.py": "X = 1\n", "test_a.py": module("a", "import importlib\ndef test(): assert importlib.import_module('lib').X")},
                                     "lib.py", "X = 2\n"),
    "import_module with a computed name": ({"lib.py": "X = 1\n", "test_a.py": module(
        "a", "import importlib\ndef test(): assert importlib.import_module('l' + 'ib').X")}, "lib.py", "X = 2\n"),
    "lazy attribute of a package": ({"pkg/__init__.py": "def __getattr__(n):\n    import importlib\n    return importlib.import_module('pkg.' + n)\n",
                                     "pkg/lazy.py": "X = 1\n", "test_a.py": module("a", "import pkg\ndef test(): assert pkg.lazy.X")}, "pkg/lazy.py", "X = 2\n"),
    "plugin by -p": ({"pytest.ini": "[pytest]\naddopts = -p plug\npythonpath = .\n", "plug.py": "import pytest\n@pytest.fixture\ndef five(): return 5\n",
                      "test_a.py": module("a", "def test(five): assert five == 5")}, "plug.py", "import pytest\n@pytest.fixture\ndef five(): return 2 + 3\n"),
    "pytest_plugins": ({"conftest.py": "pytest_plugins = ['plug']\n", "plug.py": "import pytest\n@pytest.fixture\ndef five(): return 5\n",
                        "test_a.py": module("a", "def test(five): assert five == 5")}, "plug.py", "import pytest\n@pytest.fixture\ndef five(): return 2 + 3\n"),
    "conftest in its directory": ({"t/conftest.py": "import pytest\n@pytest.fixture\ndef five(): return 5\n",
                                   "t/test_a.py": module("a", "def test(five): assert five == 5")},
                                  "t/conftest.py", "import pytest\n@pytest.fixture\ndef five(): return 2 + 3\n"),
    "import of a conftest": ({"t/conftest.py": "import five\n", "five.py": "X = 5\n", "pytest.ini": "[pytest]\npythonpath = .\n",
                              "t/test_a.py": module("a", "def test(): pass")}, "five.py", "X = 6\n"),
    "open": ({"d/x.txt": "1\n", "test_a.py": module("a", "def test():\n    with open(os.path.join(os.path.dirname(__file__), 'd/x.txt')) as f: assert f.read()")},
             "d/x.txt", "2\n"),
    "read_text": ({"d/x.txt": "1\n", "test_a.py": module("a", "import pathlib\ndef test(): assert (pathlib.Path(__file__).parent / 'd/x.txt').read_text()")},
                  "d/x.txt", "2\n"),
    "read while importing": ({"d/x.txt": "1\n", "lib.py": "import os\nX = open(os.path.join(os.path.dirname(__file__), 'd/x.txt')).read()\n",
                              "test_a.py": module("a", "import lib\ndef test(): assert lib.X")}, "d/x.txt", "2\n"),
    "read by a session fixture": ({"d/x.txt": "1\n", "conftest.py": "import pytest, os\n@pytest.fixture(scope='session')\ndef x():\n"
                                   "    return open(os.path.join(os.path.dirname(__file__), 'd/x.txt')).read()\n",
                                   "test_a.py": module("a", "def test(x): assert x")}, "d/x.txt", "2\n"),
    "open of a file that was absent": ({"test_a.py": module("a", "import pathlib\ndef test():\n    try: open('opt.txt')\n    except OSError: pass")}, "opt.txt", "1\n"),
    "glob": ({"d/x.json": "1\n", "test_a.py": module("a", "import pathlib\ndef test(): assert list((pathlib.Path(__file__).parent / 'd').glob('*.json'))")},
             "d/y.json", "2\n"),
    "listdir": ({"d/x.json": "1\n", "test_a.py": module("a", "def test(): assert os.listdir('d')")}, "d/y.json", "2\n"),
    "os.walk": ({"d/x/y/z": "1\n", "test_a.py": module("a", "def test(): assert list(os.walk('d'))")}, "d/x/y/new", "2\n"),
    "subprocess": ({"lib.py": "X = 1\n", "test_a.py": module(
        "a", "import subprocess, sys\ndef test(): subprocess.run([sys.executable, '-c', 'import lib'], check=True)")}, "lib.py", "X = 2\n"),
    "subprocess -m": ({"lib.py": "X = 1\n", "test_a.py": module(
        "a", "import subprocess, sys\ndef test(): subprocess.run([sys.executable, '-m', 'lib'], check=True)")}, "lib.py", "X = 2\n"),
    "os.system": ({"lib.py": "X = 1\n", "test_a.py": module(
        "a", "import sys\ndef test(): assert os.system('%s -m lib' % sys.executable) == 0")}, "lib.py", "X = 2\n"),
    "multiprocessing": ({"lib.py": "X = 1\n", "work.py": "def f(q):\n    import lib\n    q.put(lib.X)\n", "test_a.py": module(
        "a", "import multiprocessing\nimport work\ndef test():\n    c = multiprocessing.get_context('spawn')\n    q = c.Queue()\n"
             "    p = c.Process(target=work.f, args=(q,))\n    p.start()\n    assert q.get(timeout=60)\n    p.join()")}, "lib.py", "X = 2\n"),
    "a base class in another test module": ({"t/__init__.py": "", "t/test_base.py": "class TestBase:\n    def test_x(self): pass\n",
                                             "t/test_a.py": module("a", "from .test_base import TestBase\nclass TestMore(TestBase): pass")},
                                            "t/test_base.py", "class TestBase:\n    def test_x(self): assert 1\n"),
    "a new file that shadows the standard library": ({"test_a.py": module("a", "import colorsys\ndef test(): assert colorsys")}, "colorsys.py", "X = 2\n"),
    "a new package that shadows a module": ({"lib.py": "X = 1\n", "test_a.py": module("a", "import lib\ndef test(): assert lib.X")}, "lib/__init__.py", "X = 2\n"),
    "a constant through a second module": ({"base.py": "X = 1\n", "lib.py": "from base import X\n", "test_a.py": module("a", "import lib\ndef test(): assert lib.X")},
                                           "base.py", "X = 2\n"),
    "a docstring": ({"lib.py": "def f():\n    'one'\n", "test_a.py": module("a", "import lib\ndef test(): assert lib.f.__doc__")}, "lib.py", "def f():\n    'two'\n"),
    "a symbolic link": ({"real/lib.py": "X = 1\n", "@lib.py": "real/lib.py", "test_a.py": module("a", "import lib\ndef test(): assert lib.X")},
                        "real/lib.py", "X = 2\n"),
    "configuration": ({"pytest.ini": "[pytest]\n", "test_a.py": module("a", "def test(): pass")}, "pytest.ini", "[pytest]\nxfail_strict = true\n"),
}
# z may run, too: the hooks of every conftest see every item
ALL = {"configuration", "plugin by -p", "pytest_plugins", "conftest in its directory", "import of a conftest"}


def fill(project, files):
    for name, text in files.items():
        if name.startswith("@"):
            project.path(name[1:]).symlink_to(text)
        else:
            project.write(name, text)
    project.write("z/unrelated.py", "X = 1\n")
    project.write("z/test_z.py", module("z", "def test(): pass"))


@pytest.mark.parametrize("case", CASES)
def test_edit_of(project, case):
    files, edited, text = CASES[case]
    fill(project, files)
    # Each in a process of its own: what one executes counts for those after it there.
    apart, first = project.fastest("z/test_z.py"), project.fastest()
    assert (apart.code, first.code, apart.ran + first.ran) == (0, 0, "za"), (apart, first)
    again = project.fastest()
    assert again.code == 0 and again.ran == "", (again, project.run([FASTEST, "why", "--python", sys.executable, "test_a.py"]).out)
    project.write(edited, text)
    r = project.fastest()
    assert r.code == 0, r
    assert r.ran == "a" or case in ALL and r.ran == "az", r
    settled = project.fastest()
    assert settled.code == 0 and settled.ran == "", settled


def test_unrelated_edits_run_nothing(project):
    fill(project, {"lib.py": "X = 1\n", "test_a.py": module("a", "import lib\ndef test(): assert lib.X")})
    project.write("README.md", "one\n")
    project.write("docs/a.py", "X = 1\n")
    assert project.fastest().ran == "az"
    project.write("README.md", "two\n")
    project.write("z/unrelated.py", "X = 2\n")
    project.write("docs/a.py", "X = 2\n")
    project.write("docs/new.py", "X = 2\n")
    r = project.fastest()
    assert r.code == 0 and r.ran == "", r


def test_ids_of_the_command_line_reuse_the_records_of_the_whole_run(project):
    fill(project, {"test_a.py": module("a", "def test(): pass")})
    assert project.fastest().ran == "az"
    r = project.fastest("z/test_z.py")
    assert r.code == 0 and r.ran in ("", "z"), r
    assert set(project.outcomes()) == {"z/test_z.py::test", "z/test_z.py::test_note_z"}
    r = project.fastest()
    assert r.code == 0 and r.ran in ("", "z"), r
    assert len(project.outcomes()) == 4


def test_a_narrowed_run_never_stands_for_a_whole_one(project):
    project.write("test_a.py", "def test_good(): pass\ndef test_bad(): assert 0\n")
    assert project.fastest("-k", "good").code == 0
    r = project.fastest()
    assert r.code == 1 and len(project.outcomes()) == 2, r
    assert project.fastest("test_a.py::test_good").code == 0
    assert project.fastest().code == 1


def test_a_file_that_a_test_wrote_itself(project):
    """A test that writes and reads its own output settles, and does not depend on it for ever."""
    project.write("test_a.py", module("a", "def test(tmp_path):\n    (tmp_path / 'o').write_text('x')\n    assert (tmp_path / 'o').read_text()\n"))
    assert project.fastest().ran == "a"
    assert project.fastest().ran == ""


def test_an_output_beside_the_sources_settles(project):
    project.write("test_a.py", module("a", "def test():\n    with open('out.txt', 'w') as f: f.write('x')\n    assert open('out.txt').read() == 'x'\n"))
    project.fastest()
    project.fastest()
    r = project.fastest()
    assert r.code == 0 and r.ran == "", r


def test_an_environment_with_another_version_of_a_package(project):
    """What is installed is part of every key: here a package that a .pth file adds to the path."""
    site = project.root.parent / "site"
    info = site / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "thing.py").write_text("X = 1\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    project.write("test_a.py", module("a", "import thing\ndef test(): assert thing.X"))
    env = {"PYTHONPATH": str(site)}
    assert project.fastest(env=env).ran == "a"
    assert project.fastest(env=env).ran == ""
    info.rename(site / "thing-2.0.dist-info")
    (site / "thing-2.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 2.0\n")
    (site / "thing.py").write_text("X = 22\n")
    assert project.fastest(env=env).ran == "a"


def test_another_interpreter_runs_everything(project):
    project.write("test_a.py", module("a", "def test(): pass"))
    assert project.fastest().ran == "a"
    link = project.root.parent / "bin"
    link.mkdir()
    other = link / "python"
    other.write_text("#!/bin/sh\nexec '%s' \"$@\"\n" % sys.executable)
    other.chmod(0o755)
    r = project.fastest("--python", str(other))
    assert r.code == 0 and r.ran in ("", "a"), r


def test_a_file_that_a_test_only_looks_for(project):
    project.write("test_a.py", module("a", "def test(): os.path.exists('opt.txt')"))
    assert project.fastest().ran == "a"
    project.write("opt.txt", "1\n")
    assert project.fastest().ran == "a"
