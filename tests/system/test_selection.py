"""What a change of a part of a source runs: the functions that a test executed, and what may not be told apart."""
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig

import pytest

from conftest import FASTEST

LIB = "K = 1\ndef used():\n    return 1\ndef other():\n    return 2\ndef unused():\n    return 3\n"


def module(letter, body, head="import lib"):
    return ("import os\n%s\ndef test_%s():\n    %s\n\ndef test_note():\n"
            "    with open(os.environ['RUNLOG'], 'a') as f: f.write('%s\\n')\n" % (head, letter, body.replace("\n", "\n    "), letter))


@pytest.fixture
def two(project):
    """Two modules: a executes lib.used, b executes lib.other."""
    project.write("pytest.ini", "[pytest]\npythonpath = .\nmarkers = always\n")
    project.write("lib.py", LIB)
    project.write("tests/test_a.py", module("a", "assert lib.used()"))
    project.write("tests/test_b.py", module("b", "assert lib.other()"))
    return project


def settle(project, expected="ab", *args, **kw):
    """Each in a process of its own, unless args say otherwise: what one executes counts for those after it there."""
    apart = [["tests/test_%s.py" % letter] for letter in expected] if len(expected) > 1 and not args else [[]]
    ran = ""
    for paths in apart:
        r = project.fastest(*args, *paths, **kw)
        assert r.code == 0, r
        ran += r.ran
    assert ran == expected, r
    r = project.fastest(*args, **kw)
    assert r.code == 0 and r.ran == "", r


EDITS = {
    "a body": ("return 1", "return 0 + 1", "a"),
    "another body": ("return 2", "return 1 + 1", "b"),
    "a body that nobody ran": ("return 3", "return 4", ""),
    "a line more in a body that nobody ran": ("return 3", "x = 3\n    return x", ""),
    "a comment": ("    return 3", "    # three\n    return 3", ""),
    "a constant": ("K = 1", "K = 2", "ab"),
    "a default": ("def unused()", "def unused(x=1)", "ab"),
    "a decorator": ("def unused()", "@staticmethod\ndef unused()", "ab"),
    "a docstring": ("    return 3", "    'three'\n    return 3", "ab"),
    "a new function": ("def unused", "def more():\n    pass\ndef unused", "ab"),
    "a function less": ("def unused():\n    return 3\n", "", "ab"),
    "a name": ("def unused", "def not_used", "ab"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edit_of(two, edit):
    old, new, ran = EDITS[edit]
    settle(two)
    two.replace("lib.py", old, new)
    settle(two, ran)


# name: (files, edited file, old, new): a and b both depend on it, though only one of them, or neither, called it.
BOTH = {
    "a result that lib keeps": ({"lib.py": "import functools\n@functools.lru_cache(None)\ndef used():\n    return 1\nother = used\n"}, "lib.py", "return 1", "return 0 + 1"),
    "a session fixture": ({"conftest.py": "import pytest\n@pytest.fixture(scope='session', autouse=True)\ndef s():\n    import lib\n    return lib.unused()\n"},
                          "lib.py", "return 3", "return 1 + 2"),
    "what import calls": ({"lib.py": LIB + "V = unused()\n"}, "lib.py", "return 3", "return 1 + 2"),
    "what a decorator calls": ({"lib.py": "def deco(f):\n    return f\n@deco\ndef used():\n    return 1\n@deco\ndef other():\n    return 2\n"},
                               "lib.py", "return f", "return (f)"),
    "a class body's call": ({"lib.py": LIB + "class C:\n    v = unused()\n"}, "lib.py", "return 3", "return 1 + 2"),
    "a metaclass": ({"lib.py": "class M(type):\n    def __new__(m, *a):\n        return type.__new__(m, *a)\n" + LIB + "class C(metaclass=M):\n    pass\n"},
                    "lib.py", "return type.__new__(m, *a)", "return (type.__new__(m, *a))"),
    "a hook of a conftest": ({"conftest.py": "import lib\ndef pytest_runtest_setup(item):\n    lib.unused()\n"}, "lib.py", "return 3", "return 1 + 2"),
    "a lambda of the module": ({"lib.py": "used = lambda: 1\nother = lambda: 2\n"}, "lib.py", "lambda: 2", "lambda: 1 + 1"),
    "a re-export": ({"lib/__init__.py": "from lib.impl import used, other, extra as more\n", "lib/impl.py": LIB + "def extra(): pass\n", "lib.py": None},
                    "lib/__init__.py", "extra as more", "extra as moore"),
    "a new file that shadows": ({}, "lib/__init__.py", None, LIB),
    "a word for compilers of functions": ({"lib.py": "import dis\n" + LIB}, "lib.py", "return 3", "return 4"),
}


@pytest.mark.parametrize("case", BOTH)
def test_both_run_after_an_edit_of(two, case):
    files, edited, old, new = BOTH[case]
    for name, text in files.items():
        if text is None:
            two.path(name).unlink()
        else:
            two.write(name, text)
    settle(two, "ab", "-n", "1")
    if old is None:
        two.write(edited, new)
    else:
        two.replace(edited, old, new)
    settle(two, "ab", "-n", "1")


# name: (module a's head, its body, runs after an edit of a function that it did not call): fail open
OPEN = {
    "a thread": ("import lib, threading", "t = threading.Thread(target=lib.used)\nt.start()\nt.join()", False),
    "a generator": ("import lib", "assert list(lib.used() for _ in 'ab') == [1, 1]", False),
    "a coroutine": ("import lib, asyncio", "async def main(): return lib.used()\nassert asyncio.run(main()) == 1", False),
    "a child that was forked": ("import lib", "pid = os.fork()\nif pid == 0:\n    lib.used()\n    os._exit(0)\nos.waitpid(pid, 0)", True),
    "a process of multiprocessing": ("import lib, multiprocessing", "p = multiprocessing.get_context('fork').Process(target=lib.used)\np.start()\np.join()", True),
    "a program": ("import subprocess, sys", "subprocess.run([sys.executable, '-c', 'import lib; lib.used()'], check=True)", True),
    "its source is read": ("import lib, inspect", "assert lib.used() and inspect.getsource(lib.used)", True),
    "its source is executed": ("import lib", "exec(open(lib.__file__).read(), {})", True),
    "a computed import": ("import importlib", "assert importlib.import_module('l' + 'ib').used()", True),
    "a computed import of a source": ("import helper", "assert helper.load('l' + 'ib').used()", True),
}


@pytest.mark.parametrize("case", OPEN)
def test_what_a_module_executes_is_seen_or_it_runs(two, case):
    head, body, always = OPEN[case]
    two.write("helper.py", "import importlib\ndef load(name):\n    return importlib.import_module(name)\n")
    two.write("tests/test_a.py", module("a", body, head))
    settle(two)
    two.replace("lib.py", "return 1", "return int(1)")
    settle(two, "a")
    two.replace("lib.py", "return 3", "return 4")
    settle(two, "a" if always else "")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sys.monitoring needs no compiler")
def test_without_a_compiler_sources_count_whole(two, tmp_path):
    env = {"CC": "false", "FASTEST_CACHE_DIR": str(tmp_path / "cache")}
    settle(two, env=env)
    two.replace("lib.py", "return 3", "return 4")
    settle(two, "ab", env=env)
    assert not list((tmp_path / "cache").glob("tracer*"))


def test_a_function_that_an_instruction_enters_is_seen(two):
    """CPython 3.11.0 to 3.11.3 call no frame evaluation function for such a __getitem__ (tracer.c, keep_general)."""
    two.write("box.py", "class Box:\n    def __getitem__(self, i):\n        return i\n")
    two.write("tests/test_a.py", module("a", "assert [get(Box(), n > 20) for n in range(30)][-1] == 1",
                                        "from box import Box\ndef get(o, now):\n    return o[1] if now else 0"))
    settle(two)
    two.replace("box.py", "return i", "return int(i)")
    settle(two, "a")


def test_where_nothing_is_seen_every_file_counts(two):
    env = {"FASTEST_NO_TRACE": "1"}
    two.write("docs/a.txt", "1")
    assert two.fastest(env=env).ran == "ab"
    assert two.fastest(env=env).ran == "ab"  # only now it is known what every file is
    assert two.fastest(env=env).ran == ""
    for name, text in (("docs/a.txt", "2"), ("docs/b.txt", ""), ("lib.py", LIB + "def more(): pass\n")):
        two.write(name, text)
        r = two.run([FASTEST, "why", "--python", sys.executable], env=env)
        assert "tests/test_a.py would run" in r.out and "tests/test_b.py would run" in r.out, r
        settle(two, "ab", env=env)


def test_deep_recursion_is_as_without_tracing(two):
    two.write("lib.py", LIB + "def down(n):\n    return n and down(n - 1)\n")
    two.write("tests/test_a.py", module("a", "sys.setrecursionlimit(25000)\nassert lib.used() and lib.down(20000) == 0", "import lib, sys"))
    settle(two)
    two.replace("lib.py", "return n and", "return 0 or n and")
    assert "a" in two.fastest().ran
    two.replace("lib.py", "return 1", "return int(1)")
    assert "a" in two.fastest().ran


def test_no_trace_function_is_taken(two):
    """Coverage and debuggers own sys.settrace and sys.setprofile."""
    two.write("tests/test_a.py", module("a", "assert lib.used() and sys.gettrace() is None and sys.getprofile() is None\n"
                                             "seen = []\nsys.settrace(lambda f, e, a: seen.append(f.f_code.co_name))\nlib.used()\nsys.settrace(None)\n"
                                             "assert 'used' in seen", "import lib, sys"))
    settle(two)
    two.replace("lib.py", "return 1", "return int(1)")
    assert two.fastest().ran == "a"


def test_a_root_behind_a_symbolic_link(two):
    link = two.root.parent / "link"
    link.symlink_to(two.root)
    settle(two, "ab", cwd=link)
    two.replace("lib.py", "return 1", "return int(1)")
    settle(two, "a", cwd=link)


def test_random_inputs_unite_what_runs_executed(two):
    """Hypothesis may draw another branch each time: what an earlier run executed still counts."""
    pytest.importorskip("hypothesis")
    two.write("tests/test_a.py", module("a", "pass", "import lib, hypothesis, hypothesis.strategies as st\n@hypothesis.given(st.just(1))\n"
                                        "def test_h(x):\n    lib.used() if not os.path.exists('flip') else lib.unused()\n    lib.other()"))
    settle(two)
    two.write("flip", "")
    two.replace("lib.py", "return 2", "return int(2)")
    settle(two, "ab")
    two.replace("lib.py", "return 1", "return int(1)")
    settle(two, "a")


def test_docstrings_can_be_left_out(two):
    two.write("lib.py", "'''lib'''\n" + LIB.replace("    return 1", "    '''One.'''\n    return 1"))
    settle(two, "ab", "--ignore-docstrings")
    two.replace("lib.py", "One.", "One, or\n    more.")
    two.replace("lib.py", "'''lib'''", "'''lib,\nin short'''")
    settle(two, "", "--ignore-docstrings")
    two.replace("lib.py", "return 1", "return int(1)")
    settle(two, "a", "--ignore-docstrings")
    settle(two, "ab")


def test_another_checkout_of_the_same_tree(two, tmp_path):
    """State from a CI cache: another path, all mtimes new."""
    two.write("data/x.txt", "1\n")
    two.write("tests/test_a.py", module("a", "assert lib.used() and open('data/x.txt').read() and os.listdir('data') and os.listdir('.')\n"
                                             "assert not os.path.exists('no') and os.path.isdir('.') and os.path.isfile('data/x.txt')"))
    settle(two)
    other = two.root.parent / "elsewhere"
    shutil.copytree(str(two.root), str(other), ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    shutil.rmtree(str(two.root))
    two.root = other
    for path in other.rglob("*"):
        if path.is_file() and ".fastest" not in path.parts:
            two.later(str(path.relative_to(other)))
    r = two.fastest()
    assert r.code == 0 and r.ran == "", r
    two.write("data/x.txt", "2\n")
    settle(two, "a")
    two.replace("lib.py", "return 2", "return int(2)")
    settle(two, "b")


# ---- what tests declare ----

def test_always(two):
    two.write("tests/test_a.py", module("a", "pass", "import pytest\npytestmark = pytest.mark.always"))
    assert two.fastest().ran == "ab"
    assert two.fastest().ran == "a"
    r = two.run([FASTEST, "why", "--python", sys.executable])
    assert r.out == "tests/test_a.py would run: it always runs\n", r


@pytest.mark.parametrize("glob", ["tests/test_a.py", "tests/*_a.py", "slow"])
def test_always_by_configuration(two, glob):
    two.write("pyproject.toml", "[tool.fastest]\nalways = ['%s']\n" % glob)
    if glob == "slow":
        two.path("slow").mkdir()
        two.path("tests/test_a.py").rename(two.path("slow/test_a.py"))
    assert two.fastest().ran == "ab"
    assert two.fastest().ran == "a"


def test_declared_inputs(two):
    """A glob, of which a new file is part, and a variable."""
    two.write("pyproject.toml", "[tool.fastest]\ninputs = ['schema/**/*.sql', '$DATABASE']\n")
    two.write("schema/v1/a.sql", "1")
    settle(two)
    two.write("schema/v1/a.sql", "2")
    settle(two)
    two.write("schema/v2/b.sql", "1")
    settle(two)
    settle(two, env={"DATABASE": "test"})
    two.write("schema/v2/b.txt", "1")
    settle(two, "", env={"DATABASE": "test"})


# ---- what is no source ----

def test_a_module_of_bytecode_alone(two):
    def compiled(text):
        two.write("made/tmp.py", text)
        py_compile.compile(str(two.path("made/tmp.py")), cfile=str(two.path("bare.pyc")))
    compiled("X = 1\n")
    two.write("tests/test_a.py", module("a", "assert bare.X", "import bare"))
    settle(two, "ab", "-n", "2")
    compiled("X = 22\n")
    settle(two, "ab", "-n", "2")  # its code says that it is of made/tmp.py, which nobody imports: b may have it, too


EXTENSION = """#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "ext", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_ext(void) { PyObject *m = PyModule_Create(&module); PyModule_AddIntConstant(m, "X", VALUE); return m; }
"""


def test_a_c_extension(two):
    two.write("ext.c", EXTENSION)
    out = str(two.path("ext" + sysconfig.get_config_var("EXT_SUFFIX")))

    def build(value):
        argv = ["cc", "-DVALUE=%d" % value, "-shared", "-fPIC", "-I" + sysconfig.get_path("include"), str(two.path("ext.c")), "-o", out]
        if subprocess.run(argv, stderr=subprocess.DEVNULL).returncode:
            pytest.skip("no compiler for extensions")
    build(1)
    two.write("tests/test_a.py", module("a", "assert ext.X", "import ext"))
    settle(two)
    build(2)
    settle(two, "a")
