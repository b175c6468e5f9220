"""Reports of a merged run say what pytest's own say, valid by an independent reader."""
import json
import os
import pathlib
import re
import sys
from collections import Counter

import pytest
from lxml import etree
from test_outcomes import ZOO, fill

sys.path.append(str(pathlib.Path(__file__).parents[1] / "parity"))
from junitxml import cases, differences, stable  # noqa: E402

PYTEST = str(pathlib.Path(sys.executable).with_name("pytest"))
SCHEMA = etree.XMLSchema(file=str(pathlib.Path(__file__).with_name("xunit2.xsd")))
NOISY = {
    "test_noise.py": """
import logging, sys, pytest
def test_properties(record_property, record_testsuite_property):
    record_property("n", 1)
    record_property("text", "a & <b> 'c' \\"d\\"")
def test_failed_with_output():
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger("x").warning("to log")
    assert 0, "with <output>"
def test_control_characters():
    print("\\x00\\x01\\x1b[31mred\\x1b[0m\\ufffe \\udcff")
    assert "\\x00\\x1b" == "]]>"
def test_long(): assert "x" * 5000 == "y"
@pytest.mark.parametrize("v", ["<&>", "\\x00", "\\n", "\\u2028", "a[b]"])
def test_odd(v): assert 0
@pytest.mark.xfail(reason="known & kept")
def test_xfail(): assert 0
@pytest.mark.skip(reason="<why>")
def test_skip(): pass
class TestA:
    class TestB:
        def test_nested(self): pass
""",
    "a-b/c.d/test_dotted.py": "def test_1(): assert 0\n",
}


def pytest_junit(project, *args):
    out = project.root.parent / "plain.xml"
    project.run([PYTEST, "-q", "-p", "no:cacheprovider", "--junitxml", str(out), *args])
    return etree.parse(str(out)).getroot()


def fastest_junit(project, *args):
    out = project.root.parent / "ours.xml"
    project.fastest("-q", "-p", "no:cacheprovider", "--junitxml", str(out), *args)
    tree = etree.parse(str(out))
    SCHEMA.assertValid(tree)
    return tree.getroot()


@pytest.mark.parametrize("options", [(), ("-o", "junit_logging=all"), ("-o", "junit_logging=system-out", "-o", "junit_log_passing_tests=False"),
                                     ("-o", "junit_suite_name=mine", "--junitprefix=pre")], ids=" ".join)
@pytest.mark.parametrize("files", [ZOO, NOISY], ids=["zoo", "noisy"])
def test_junit_is_pytests(project, files, options):
    fill(project, files)
    theirs, ours = pytest_junit(project, *options), fastest_junit(project, *options)
    wrong = differences(cases(theirs), cases(ours))
    assert not wrong, "\n".join(wrong)
    for name in ("name", "errors", "failures", "skipped"):
        assert theirs[0].get(name) == ours[0].get(name), name


@pytest.mark.parametrize("files", [ZOO, NOISY], ids=["zoo", "noisy"])
def test_junit_counts_tests_as_pytest_does(project, files):
    """With subtests pytest counts more than there are testcases."""
    fill(project, files)
    assert pytest_junit(project)[0].get("tests") == fastest_junit(project)[0].get("tests")


def test_our_schema_accepts_pytests_own(project):
    fill(project, ZOO)
    SCHEMA.assertValid(pytest_junit(project))


def test_cached_results_are_in_the_reports_and_marked(project):
    project.write("test_a.py", "def test_1(record_property): record_property('k', 'v')\ndef test_2(): print('x')\n")
    project.write("test_b.py", "def test_3(): pass\n")
    first = fastest_junit(project, "-o", "junit_logging=all")
    project.write("test_b.py", "def test_3(): assert 1\n")
    again = fastest_junit(project, "-o", "junit_logging=all")
    assert cases(first) == cases(again)
    assert again[0].get("tests") == "3"
    assert {t["nodeid"]: t["cached"] for t in project.json()["tests"]} == {
        "test_a.py::test_1": True, "test_a.py::test_2": True, "test_b.py::test_3": False}
    assert project.json()["summary"]["cached"] == 2


def test_copies_in_the_state_directory_are_the_same(project):
    project.write("test_a.py", "def test_1(): assert 0\n")
    out = [project.root.parent / name for name in ("j.xml", "r.json")]
    project.fastest("--junitxml", str(out[0]), "--json", str(out[1]))
    state = project.path(".fastest")
    assert out[0].read_bytes() == (state / "junit.xml").read_bytes()
    assert out[1].read_bytes() == (state / "report.json").read_bytes()


def test_reports_into_new_directories_and_beside_where_we_run(project):
    project.write("sub/test_a.py", "def test_1(): pass\n")
    r = project.fastest("--junitxml", "new/deep/j.xml", "--json", "other/r.json", cwd=project.path("sub"))
    assert r.code == 0, r
    assert SCHEMA.validate(etree.parse(str(project.path("sub/new/deep/j.xml"))))
    assert json.loads(project.path("sub/other/r.json").read_text())["summary"]["total"] == 1


PHASE = {"duration": float, "outcome": str, "crash": dict, "traceback": list, "stdout": str, "stderr": str, "log": list, "longrepr": str}
TEST = {"nodeid": str, "lineno": (int, type(None)), "outcome": str, "keywords": list, "setup": dict, "call": dict,
        "teardown": dict, "user_properties": list, "metadata": dict, "cached": bool, "flaky": bool, "batch": str, "worker": int}


@pytest.mark.parametrize("files", [ZOO, NOISY], ids=["zoo", "noisy"])
def test_json_has_the_shape_of_pytest_json_report(project, files):
    fill(project, files)
    project.fastest("--json", "r.json", "-p", "no:cacheprovider")
    report = json.loads(project.path("r.json").read_text())
    assert isinstance(report["created"], float) and isinstance(report["duration"], float)
    assert report["exitcode"] == 1 and report["root"] == str(project.root)
    counts = Counter(t["outcome"] for t in report["tests"])
    summary = dict(report["summary"])
    assert summary.pop("total") == len(report["tests"])
    assert summary.pop("cached") == 0 and summary.pop("collected") >= 0
    assert {k: v for k, v in summary.items() if k not in ("deselected",)} == dict(counts)
    for test in report["tests"]:
        assert {"nodeid", "lineno", "outcome", "keywords", "cached", "batch"} <= set(test), test
        for key, value in test.items():
            assert isinstance(value, TEST[key]), (key, test)
        for when in ("setup", "call", "teardown"):
            for key, value in test.get(when, {}).items():
                assert isinstance(value, PHASE[key]), (when, key, test)
            if test.get(when, {}).get("crash"):
                assert set(test[when]["crash"]) == {"path", "lineno", "message"}
            for row in test.get(when, {}).get("traceback", []):
                assert set(row) == {"path", "lineno", "message"}


def test_json_agrees_with_the_plugin(project):
    """Where pytest-json-report is installed, its own report is the reference."""
    pytest.importorskip("pytest_jsonreport")
    fill(project, ZOO)
    project.run([PYTEST, "-q", "-p", "no:cacheprovider", "--json-report", "--json-report-file", "plain.json"])
    project.fastest("-p", "no:json_report", "-p", "no:cacheprovider")
    theirs = {t["nodeid"]: t for t in json.loads(project.path("plain.json").read_text())["tests"]}
    for ours in project.json()["tests"]:
        ref = theirs.get(ours["nodeid"])
        if ref is None:  # a collection error or module-level skip: the plugin keeps those under "collectors"
            continue
        assert ours["lineno"] == ref["lineno"], ours
        assert sorted(ours["keywords"]) == sorted(ref["keywords"]), ours
        assert ours.get("user_properties") == ref.get("user_properties"), ours
        for when in ("setup", "call", "teardown"):
            assert (when in ours) == (when in ref), (when, ours, ref)
            ours_phase, ref_phase = ours.get(when, {}), ref.get(when, {})
            for key in ("outcome", "crash"):
                assert ours_phase.get(key) == ref_phase.get(key), (when, key, ours["nodeid"])
            for key in ("stdout", "stderr"):
                assert stable(ours_phase.get(key)) == stable(ref_phase.get(key)), (when, key, ours["nodeid"])


def last_line(r):
    return r.out.rstrip().splitlines()[-1]


def test_last_line(project):
    project.write("test_a.py", "def test_1(): pass\ndef test_2(): pass\n")
    project.write("test_b.py", "def test_3(): pass\n")
    assert re.match(r"^=+ 3 passed \(0 cached\) in \d+\.\d\ds( \(.*\))? =+$", last_line(project.fastest()))
    assert re.match(r"^=+ 3 passed \(3 cached\) in \d+\.\d\ds( \(.*\))? =+$", last_line(project.fastest()))
    project.write("test_b.py", "import pytest\ndef test_3(): assert 0\n@pytest.mark.xfail\ndef test_4(): assert 0\n"
                               "@pytest.mark.xfail\ndef test_5(): pass\ndef test_6(nope): pass\n@pytest.mark.skip\ndef test_7(): pass\n")
    assert re.match(r"^=+ 2 passed \(2 cached\), 1 failed, 1 skipped, 1 xfailed, 1 xpassed, 1 error in \d",
                    last_line(project.fastest()))


def test_quiet_and_verbose(project):
    project.write("test_a.py", "def test_1(): pass\ndef test_2(): assert 0, 'the reason'\n")
    quiet, loud = project.fastest("-q"), project.fastest("-v")
    assert "test_2" in quiet.out and "the reason" in quiet.out
    assert not last_line(quiet).startswith("=")
    assert "test_a.py::test_1 PASSED" in loud.out and "test_a.py::test_2 FAILED" in loud.out


def test_colour_is_asked_for(project):
    project.write("test_a.py", "def test_1(): assert 0\n")
    assert "\x1b[" in project.fastest("--color=yes").out
    assert "\x1b[" not in project.fastest("--color=no").out
    assert "\x1b[" not in project.fastest().out


@pytest.mark.parametrize("text", ["a'b\"c<d>&e", "é\\u4e2d", "x\\x1b[0m"])
def test_ids_survive_the_reports(project, text):
    project.write("test_a.py", "# -*- coding: utf-8 -*-\nimport pytest\n@pytest.mark.parametrize('v', [%r])\ndef test_1(v): assert 0\n" % text)
    theirs, ours = pytest_junit(project), fastest_junit(project)
    assert [c.get("name") for c in theirs.iter("testcase")] == [c.get("name") for c in ours.iter("testcase")]
