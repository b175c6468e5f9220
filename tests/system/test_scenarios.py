"""The Ninja scenarios: what a `ninja test` runs after each kind of change."""
import os
import shutil
import time

import pytest


def test_first_run_runs_all(ninja_project):
    r = ninja_project.ninja()
    assert (r.code, r.ran) == (0, "abc"), r
    assert "3 passed (0 cached)" in r.out


def test_second_run_runs_nothing_even_beside_a_directory_named_test(passed):
    passed.path("test").mkdir()
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r
    assert "3 passed (3 cached)" in r.out


def test_from_elsewhere(passed, tmp_path):
    r = passed.ninja("-C", str(passed.root), cwd=tmp_path)
    assert (r.code, r.ran) == (0, ""), r
    assert "3 passed (3 cached)" in r.out


def test_edit_two_imports_away(passed):
    passed.replace("src/util.py", "return 1", "return 0 + 1")
    assert passed.ninja().ran == "a"
    assert passed.ninja().ran == ""


def test_comment_edit_skips_then_settles(passed):
    passed.replace("src/util.py", "# a comment", "# another remark")
    r = passed.ninja("-v")
    assert (r.code, r.ran) == (0, ""), r
    assert passed.started(r) == ["tests.test_a"], r
    r = passed.ninja("-v")
    assert passed.started(r) == [], r


def test_touch_all_skips_then_settles(passed):
    for path in passed.root.rglob("*"):
        if path.is_file() and ".fastest" not in path.parts and path.name != "build.ninja":
            now = time.time_ns()
            os.utime(path, ns=(now, now))
    r = passed.ninja("-v")
    assert (r.code, r.ran) == (0, ""), r
    r = passed.ninja("-v")
    assert (r.code, r.ran, passed.started(r)) == (0, "", []), r


def test_touch_all_with_restored_mtimes_starts_nothing(ninja_project):
    p = ninja_project
    p.init("--restore-mtimes")
    assert p.ninja().ran == "abc"
    for path in list(p.root.glob("src/*.py")) + list(p.root.glob("tests/*.py")) + [p.path("pytest.ini"), p.path("data/x.json")]:
        now = time.time_ns()
        os.utime(path, ns=(now, now))
    r = p.ninja("-v")
    assert (r.code, r.ran, p.started(r)) == (0, "", []), r


@pytest.mark.parametrize("shift_s", [-3600, 3600], ids=["older", "newer"])
def test_state_restored_with_other_mtimes(passed, shift_s):
    when = time.time_ns() + shift_s * 10**9
    for path in passed.path(".fastest").rglob("*"):
        os.utime(path, ns=(when, when))
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r
    assert "3 passed (3 cached)" in r.out


@pytest.mark.parametrize("setup", ["init", "none"])
def test_state_from_a_ci_cache_at_another_path_with_all_mtimes_new(passed, setup):
    other = passed.root.parent / "elsewhere"
    shutil.copytree(str(passed.root), str(other), ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    shutil.rmtree(str(passed.root))
    passed.root = other
    now = time.time_ns()
    for path in sorted(other.rglob("*")):
        os.utime(path, ns=(now, now))
    if setup == "init":
        passed.init()
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r
    assert "3 passed (3 cached)" in r.out
    r = passed.ninja("-v")
    assert (r.code, r.ran, passed.started(r)) == (0, "", []), r
    passed.replace("src/util.py", "return 1", "return 0 + 1")
    assert passed.ninja().ran == "a"
    passed.write("data/x.json", '{"x": 2}\n')
    assert passed.ninja().ran == "c"


@pytest.mark.parametrize("name", [".ninja_log", ".ninja_deps"])
def test_ninjas_own_state_lost(passed, name):
    passed.path(".fastest/" + name).unlink()
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r


def test_failure_reruns_until_fixed(passed):
    passed.replace("src/util.py", "return 1", "return 7")
    for _ in range(3):
        r = passed.ninja()
        assert r.code != 0 and r.ran == "a", r
        assert "2 passed (2 cached), 1 failed" in r.out
    passed.replace("src/util.py", "return 7", "return 1 + 0")
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "a"), r
    assert "3 passed" in r.out


def test_added_and_removed_module(passed):
    passed.write("tests/test_d.py", passed.path("tests/test_c.py").read_text().replace("test_c", "test_d").replace('"c\\n"', '"d\\n"'))
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "d"), r
    passed.path("tests/test_d.py").unlink()
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r
    assert "3 passed" in r.out


def test_new_renamed_and_deleted_import(passed):
    passed.write("src/extra.py", "X = 1\n")
    passed.replace("src/core.py", "import util\n", "import util\nimport extra\n")
    assert passed.ninja().ran == "a"
    passed.write("src/extra.py", "X = 2\n")
    assert passed.ninja().ran == "a"
    passed.path("src/extra.py").rename(passed.path("src/extra2.py"))
    passed.replace("src/core.py", "import extra\n", "import extra2\n")
    assert passed.ninja().ran == "a"
    passed.path("src/extra2.py").unlink()
    passed.replace("src/core.py", "import extra2\n", "")
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "a"), r


def test_edit_inside_an_import_cycle(passed):
    passed.replace("src/loop_b.py", "return loop_a.a()", "return loop_a.a() + 0")
    assert passed.ninja().ran == "b"


def test_edited_data_file(passed):
    passed.write("data/x.json", '{"x": 2}\n')
    assert passed.ninja().ran == "c"


@pytest.mark.parametrize("name, text, ran", [
    ("data/x.json", '{"x": 3}\n', "c"),
    ("src/util.py", "def one():\n    # a comment\n    return 0 or 1\n", "a"),
])
def test_edit_with_an_old_mtime(passed, name, text, ran):
    passed.path(name).write_text(text)
    os.utime(passed.path(name), (10**9, 10**9))
    assert passed.ninja().ran == ran


def test_deleted_data_file(passed):
    passed.path("data/x.json").unlink()
    r = passed.ninja()
    assert r.code != 0 and r.ran == "c", r
    passed.write("data/x.json", '{"x": 1}\n')
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "c"), r


def test_syntax_error_in_a_source(passed):
    passed.replace("src/loop_b.py", "def b():", "def b(:")
    r = passed.ninja()
    assert r.code != 0 and r.ran == "", r
    assert "loop_b.py" in r.out and "SyntaxError" in r.out and "line 1" in r.out and "^" in r.out
    assert "2 passed (2 cached), 1 error" in r.out
    passed.replace("src/loop_b.py", "def b(:", "def b():")
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "b"), r


def break_all(p):
    for letter in "abc":
        p.replace("tests/test_%s.py" % letter, "assert ", "assert not ")


def test_fail_fast(passed):
    break_all(passed)
    r = passed.ninja("-j1", env={"FASTEST_ADDOPTS": "-x"})
    assert r.code != 0 and len(r.ran) == 1, r
    assert "2 batches not run" in r.out


def test_without_fail_fast(passed):
    break_all(passed)
    r = passed.ninja("-j1")
    assert r.code != 0 and r.ran == "abc", r
    assert "3 failed" in r.out


def test_edit_while_running(passed):
    """The test itself edits the source, once: the run must not count for the new text."""
    passed.replace("tests/test_a.py", "assert core.two() == 2",
                   "p = os.path.join(os.path.dirname(core.__file__), 'util.py')\n"
                   "    mark = os.environ['RUNLOG'] + '.mark'\n"
                   "    if not os.path.exists(mark):\n"
                   "        open(mark, 'w').close()\n"
                   "        with open(p, 'a') as f: f.write('TWO = 2\\n')\n"
                   "    assert core.two() == 2")
    assert passed.ninja().ran == "a"
    r = passed.ninja()
    assert (r.code, r.ran) == (0, "a"), r
    r = passed.ninja()
    assert (r.code, r.ran) == (0, ""), r


@pytest.mark.parametrize("where", ["conftest.py", "tests/conftest.py"])
def test_conftest_added_changed_removed(passed, where):
    passed.write(where, "X = 1\n")
    assert passed.ninja().ran == "abc"
    passed.write(where, "X = 2\n")
    assert passed.ninja().ran == "abc"
    passed.path(where).unlink()
    assert passed.ninja().ran == "abc"
    assert passed.ninja().ran == ""


def test_state_directory_lost_needs_init_again(passed):
    shutil.rmtree(passed.path(".fastest"))
    passed.init()
    assert passed.ninja().ran == "abc"
