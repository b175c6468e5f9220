"""More Ninja scenarios: what a test notices though no import statement names it, and parents that CMake or Meson made.
What is killed, and two runs at once: test_pool.py."""
import shutil
import sys

import pytest

from conftest import FASTEST, FILES, MODULE, Project, ninjas

MORE = {  # module d: its imports and body
    "shadow": ("import colorsys", "assert colorsys"),
    "glob": ("import pathlib", "assert list((pathlib.Path(__file__).parents[1] / 'data').glob('*.json'))"),
    "process": ("import subprocess, sys", "subprocess.run([sys.executable, '-m', 'core'], check=True, env=dict(os.environ, PYTHONPATH='src'))"),
    "computed": ("import importlib", "assert importlib.import_module('ex' + 'tra').X"),
    "constant": ("import second", "assert second.value() > 0"),
}
SOURCES = {"src/extra.py": "X = 1\n", "src/base.py": "LIMIT = 1\n", "src/second.py": "import base\ndef value():\n    return base.LIMIT\n"}
EDITS = {
    "shadow": ("src/colorsys.py", "X = 1\n", "d"),
    "glob": ("data/y.json", "{}\n", "d"),
    "process": ("src/util.py", "def one():\n    return 0 + 1\n", "ad"),
    "computed": ("src/extra.py", "X = 2\n", "d"),
    "constant": ("src/base.py", "LIMIT = 2\n", "d"),
}


@pytest.mark.parametrize("name", MORE)
def test_noticed_without_an_import_statement(passed, name):
    imports, body = MORE[name]
    for path, text in SOURCES.items():
        passed.write(path, text)
    passed.write("tests/test_d.py", MODULE.format(letter="d", imports=imports, body=body))
    assert passed.ninja().ran == "d"
    assert passed.ninja().ran == ""
    path, text, ran = EDITS[name]
    passed.write(path, text)
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ran), r
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r


def test_configuration_changes(passed):
    passed.write("pytest.ini", "[pytest]\npythonpath = src\nxfail_strict = true\n")
    assert passed.ninja().ran == "abc"
    assert passed.ninja().ran == ""


def test_another_version_of_pytest(passed):
    site = passed.root.parent / "site"
    site.mkdir()
    env = {"PYTHONPATH": str(site)}
    for version, ran in (("9.1.7", "abc"), ("9.1.7", ""), ("9.1.8", "abc"), ("9.1.8", "")):
        (site / "sitecustomize.py").write_text("import _pytest\n_pytest.__version__ = '%s'\n" % version)
        r = passed.ninja(env=env)
        assert (r.code, r.ran) == (0, ran), r


def test_an_unused_function_changes(passed):
    passed.write("src/util.py", "def one():\n    # a comment\n    return 1\ndef more():\n    return 2\n")
    assert passed.ninja().ran == "a"
    passed.replace("src/util.py", "return 2", "return 3")
    r = passed.ninja("-v")
    assert (r.code, r.ran) == (0, ""), r
    assert passed.started(passed.ninja("-v")) == []


CMAKE = """cmake_minimum_required(VERSION 3.13)
project(parent NONE)
add_custom_target(pytest COMMAND "%s" --python "%s" WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" USES_TERMINAL)
"""
MESON = "project('parent')\nrun_target('pytest', command: ['%s', '--python', '%s', '--rootdir', meson.project_source_root(), meson.project_source_root() / 'tests'])\n"


@pytest.fixture(params=["cmake", "meson"])
def parent(request, tmp_path):
    """(project, its target, what makes build.ninja again)"""
    tool = shutil.which(request.param) or shutil.which(request.param, path=str(tmp_path.__class__(sys.executable).parent))
    if tool is None:
        pytest.skip("%s is not here" % request.param)
    project = Project(tmp_path / "project", tmp_path / "run.log", FILES)
    if request.param == "cmake":
        project.write("CMakeLists.txt", CMAKE % (FASTEST, sys.executable))
        make = [tool, "-G", "Ninja", "-S", ".", "-B", "out", "-DCMAKE_MAKE_PROGRAM=" + ninjas()[0]]
    else:
        project.write("meson.build", MESON % (FASTEST, sys.executable))
        project.env["NINJA"] = ninjas()[0]
        make = [tool, "setup", "out"]
    assert project.run(make).code == 0
    return project, lambda: project.run([ninjas()[0], "-C", "out", "pytest"]), lambda: project.later(
        "CMakeLists.txt" if request.param == "cmake" else "meson.build")


def test_a_parent_that_regenerates_its_build(parent):
    project, run, regenerate = parent
    first = run()
    assert first.code == 0 and first.ran == "abc", first
    assert run().ran == ""
    regenerate()
    r = run()
    assert r.code == 0 and r.ran == "", r
    project.replace("src/util.py", "return 1", "return 0 + 1")
    regenerate()
    assert run().ran == "a"
    project.write("tests/test_b.py", "def test_b(): assert 0\n")
    assert run().code != 0
