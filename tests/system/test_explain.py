"""What fastest says about a selection: why, affected, audit."""
import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import FASTEST, Project

FILES = {
    "pytest.ini": "[pytest]\npythonpath = src\n",
    "src/util.py": "def helper():\n    return 1\ndef unused():\n    return 5\n",
    "src/core.py": "import util\ndef f():\n    return util.helper()\n",
    "data/x.txt": "1\n",
    "tests/test_a.py": "import core\ndef test_a(): assert core.f() == 1\n",
    "tests/test_b.py": "import core\n\ndef test_b():\n    with open('data/x.txt') as f: assert f.read()\n",
    "tests/test_c.py": "def test_c(): pass\n",
}
A, B, C = "tests/test_a.py::test_a", "tests/test_b.py::test_b", "tests/test_c.py::test_c"


def say(project, command, *args, **kw):
    return project.run([FASTEST, command, "--python", sys.executable, *args], **kw)


@pytest.fixture
def tree(project):
    for name, text in FILES.items():
        project.write(name, text)
    return project


def run_apart(project):
    """Each module in a process of its own: what one executes counts for those after it in the same worker."""
    for letter in "abc":
        assert project.fastest("tests/test_%s.py" % letter).code == 0


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A tree that has passed; a state holds in a copy."""
    top = tmp_path_factory.mktemp("template")
    project = Project(top / "project", top / "run.log", FILES)
    run_apart(project)
    assert "3 cached" in project.fastest().last
    return project


@pytest.fixture
def passed(project, template):
    shutil.rmtree(str(project.root))
    shutil.copytree(str(template.root), str(project.root))
    return project


# ---- why ----

def test_why_of_a_tree_that_never_ran(tree):
    r = say(tree, "why")
    assert r.code == 0 and r.out.splitlines() == ["tests/test_%s.py would run: new" % c for c in "abc"], r


def test_why_names_the_function_and_the_imports_that_lead_to_it(passed):
    assert say(passed, "why").out == "nothing would run: 3 modules are as they passed\n"
    passed.replace("src/util.py", "return 1", "return 2 - 1")
    assert say(passed, "why").out.splitlines() == [
        "tests/test_a.py would run: changed src/util.py (helper)", "    tests/test_a.py imports src/core.py",
        "    src/core.py imports src/util.py"]
    found = json.loads(say(passed, "why", "--json").out)
    assert len(found) == 1 and found[0]["runs"] is True and found[0]["file"] == "src/util.py"
    assert found[0]["chain"] == ["tests/test_a.py", "src/core.py", "src/util.py"]
    assert passed.fastest().code == 0
    r = say(passed, "why", A)
    assert "would not run: it passed at " in r.out and "the last run ran it: changed src/util.py (helper)" in r.out, r


def test_why_leaves_everything_as_it_is(passed):
    passed.replace("src/util.py", "return 1", "return 2")
    before = {p: p.stat().st_mtime_ns for p in passed.path(".fastest").rglob("*") if p.is_file() and "probe" not in str(p)}
    for command in ("why", "affected"):
        assert say(passed, command).code == 0
    after = {p: p.stat().st_mtime_ns for p in passed.path(".fastest").rglob("*") if p.is_file() and "probe" not in str(p)}
    assert after == before or {p.name for p in before if after.get(p) != before[p]} <= {"run.lock"}
    assert passed.fastest().code == 1


def test_why_of_sources_and_data(passed):
    assert say(passed, "why", "src/util.py").out.splitlines() == [
        "tests/test_a.py executes helper", "    tests/test_a.py imports src/core.py", "    src/core.py imports src/util.py",
        "tests/test_b.py loads it", "    tests/test_b.py imports src/core.py", "    src/core.py imports src/util.py"]
    assert say(passed, "why", "data/x.txt").out == "tests/test_b.py reads it\n"
    assert "tests/test_b.py would not run" in say(passed, "why", "tests.test_b").out  # a batch
    passed.write("data/x.txt", "2\n")
    assert say(passed, "why").out == "tests/test_b.py would run: input data/x.txt changed\n"


def test_why_of_what_there_is_not(passed):
    r = say(passed, "why", "nothing.py")
    assert r.code == 4 and "nothing.py: no test, source, batch or file that a test reads" in r.out, r


def test_why_of_other_reasons(passed):
    passed.write("tests/test_c.py", "def test_c(): assert 0\n")
    assert passed.fastest().code == 1
    assert say(passed, "why").out == "tests/test_c.py would run: failed last time\n"
    passed.write("pytest.ini", "[pytest]\npythonpath = src\nxfail_strict = true\n")
    assert "test_a.py would run: the environment or the configuration changed" in say(passed, "why").out


# ---- affected ----

def git(project, *args):
    subprocess.run(["git", "-c", "user.email=a@b.c", "-c", "user.name=a", *args], cwd=str(project.root), check=True,
                   stdout=subprocess.DEVNULL)


@pytest.fixture
def repository(tree):
    tree.write(".gitignore", ".fastest\n__pycache__\n.pytest_cache\n")
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "one")
    return tree


def affected(project, *args, **kw):
    r = say(project, "affected", *args, **kw)
    assert r.code == 0, r
    return [line for line in r.out.splitlines() if "::" in line]


def test_affected_since_the_last_run(passed):
    assert affected(passed) == []
    passed.replace("src/util.py", "return 1", "return 2 - 1")
    assert affected(passed) == [A]
    assert say(passed, "affected", "--modules").out.splitlines()[0] == "tests/test_a.py"


@pytest.mark.parametrize("ran", ["never", "before the change", "after the change"])
def test_affected_since_a_revision(repository, ran):
    if ran == "before the change":
        run_apart(repository)
    repository.replace("src/util.py", "return 1", "return 2 - 1")
    git(repository, "commit", "-qam", "two")
    repository.replace("src/util.py", "return 5", "return 6")
    if ran == "after the change":
        run_apart(repository)
    imports = [A, B] if ran == "never" else [A]
    executed = {"never": [A, B], "before the change": [A], "after the change": []}[ran]  # before: of neither tree
    assert affected(repository, "--since", "HEAD~1") == imports
    assert affected(repository, "--since", "HEAD") == executed
    why = json.loads(say(repository, "affected", "--json", "--since", "HEAD~1").out)
    assert why[0]["module"] == "tests/test_a.py" and "src/util.py" in why[0]["why"] and why[0]["tests"] == [A]


def test_affected_by_files_that_are_no_sources(repository):
    assert repository.fastest().code == 0
    repository.write("README.md", "one\n")
    assert affected(repository, "--since", "HEAD") == []
    repository.write("data/x.txt", "2\n")
    assert affected(repository, "--since", "HEAD") == [B]
    repository.write("pytest.ini", "[pytest]\npythonpath = src\nxfail_strict = true\n")
    assert affected(repository, "--since", "HEAD") == [A, B, C]


def test_affected_without_a_record_by_what_nobody_has_seen_read(repository):
    repository.write("README.md", "one\n")
    assert affected(repository, "--since", "HEAD") == [A, B, C]


def test_affected_by_added_and_removed_sources(repository):
    repository.write("src/core.py", "try:\n    import extra\nexcept ImportError:\n    pass\nimport util\ndef f():\n    return util.helper()\n")
    git(repository, "commit", "-qam", "two")
    assert repository.fastest().code == 0
    repository.write("src/extra.py", "X = 1\n")
    assert affected(repository, "--since", "HEAD") == [A, B]
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "three")
    assert repository.fastest().code == 0
    repository.path("src/extra.py").unlink()
    assert affected(repository, "--since", "HEAD") == [A, B]
    assert repository.fastest().code == 0
    assert affected(repository, "--since", "HEAD") == [A, B]
    repository.write("tests/test_d.py", "def test_d(): pass\n")
    assert affected(repository, "--since", "HEAD") == [A, B, "tests/test_d.py::test_d"]


def test_affected_by_named_files(passed):
    assert affected(passed, "src/util.py") == [A, B]  # how it changes is not said
    assert affected(passed, "data/x.txt") == [B]
    assert affected(passed, "tests/test_c.py", "README.md") == [C]


@pytest.mark.parametrize("args, text", [
    (("--since", "nosuch"), "--since nosuch: git knows no such commit"),
    (("--since", "HEAD", "src/util.py"), "name one of them"),
    (("src",), "src: a directory")])
def test_affected_with_bad_arguments(repository, args, text):
    r = say(repository, "affected", *args)
    assert r.code == 4 and text in r.out, r


def test_affected_outside_a_repository(passed):
    r = say(passed, "affected", "--since", "HEAD", env={"GIT_CEILING_DIRECTORIES": str(passed.root.parent)})
    assert r.code == 4 and "not in a git work tree" in r.out, r


# ---- audit ----

def test_audit_of_an_honest_suite(passed):
    r = say(passed, "audit")
    assert r.code == 0 and "3 of 3 modules with a cached pass ran again" in r.out and "0 with other outcomes" in r.out, r
    r = say(passed, "audit", "--sample", "1", "--seed", "4")
    assert r.code == 0 and "1 of 3 modules" in r.out and "(seed 4)" in r.out, r
    assert "(0 ran, 3 cached)" in passed.fastest().last


def test_audit_finds_what_was_missed(passed):
    passed.write("tests/test_c.py", "import os\ndef test_c(): assert os.environ.get('WORLD') != 'new'\n")
    assert passed.fastest().code == 0
    r = say(passed, "audit", env={"WORLD": "new"})
    assert r.code == 1 and "tests/test_c.py::test_c: failed, recorded as passed" in r.out, r
    assert "mark it `always`" in r.out and "1 with other outcomes" in r.out, r
    r = passed.fastest()
    assert r.code == 0 and r.last.startswith("=") and "(1 ran, 2 cached)" in r.last, r


def test_audit_names_a_source_that_the_record_missed(passed):
    """A variable that is not declared decides what it loads."""
    passed.write("tests/test_c.py", "import os\ndef test_c():\n    if 'FLAG' in os.environ:\n        import util\n        assert util.helper() == 2\n")
    assert passed.fastest().code == 0
    flag = {"FLAG": "1"}
    assert passed.fastest(env=flag).code == 0
    r = say(passed, "audit", env=flag)
    assert r.code == 1 and "tests/test_c.py::test_c: failed, recorded as passed" in r.out, r
    assert "it now loads src/util.py" in r.out, r


def test_audit_tells_a_test_that_flips(passed):
    passed.write("tests/test_c.py", "import os\ndef test_c():\n    n = len(os.environ['RUNLOG'])\n    open(os.environ['RUNLOG'], 'a').write('x\\n')\n"
                                    "    import pathlib\n    assert pathlib.Path(os.environ['RUNLOG']).stat().st_size != 4\n")
    assert passed.fastest().code == 0
    r = say(passed, "audit")
    assert r.code == 0 and "tests/test_c.py flips" in r.out and "1 that flip" in r.out, r


def test_audit_keeps_records_that_it_does_not_come_to(passed):
    records = sorted(p.name for p in passed.path(".fastest/m").iterdir())
    passed.write("conftest.py", "def pytest_configure(): raise SystemExit(3)\n")
    assert say(passed, "audit").code != 0
    passed.path("conftest.py").unlink()
    assert sorted(p.name for p in passed.path(".fastest/m").iterdir()) == records
    assert "3 cached" in passed.fastest().last
