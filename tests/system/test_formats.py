"""Formats that other programs read, by what reads them: pytest's own reports, Meson's TAP parser."""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import FASTEST
from lxml import etree
from test_outcomes import ZOO, fill
from test_reports import NOISY, PYTEST, SCHEMA, cases, differences, stable

# As pytest-reportlog writes them (pytest_reportlog/plugin.py), by pytest's own serializer.
LOGGER = """
import json
def pytest_configure(config):
    config.lines = open("plain.jsonl", "w")
def pytest_runtest_logreport(report):
    data = CONFIG.hook.pytest_report_to_serializable(config=CONFIG, report=report)
    CONFIG.lines.write(json.dumps(data) + "\\n")
def pytest_sessionstart(session):
    global CONFIG
    CONFIG = session.config
"""


def reports(path):
    """(node id, phase) -> what pytest makes of the line."""
    from _pytest.reports import TestReport
    found = {}
    for line in path.read_text().splitlines():
        data = json.loads(line)
        if data.get("$report_type") == "TestReport":
            del data["$report_type"]
            r = TestReport._from_json(data)
            found[r.nodeid, r.when] = r
    return found


def shown(report):
    """Not the arguments of functions: pytest puts them into lines as wide as the terminal."""
    return [line for line in stable(report.longreprtext).splitlines() if line[:1] in "E>"]


@pytest.mark.parametrize("files", [ZOO, NOISY], ids=["zoo", "noisy"])
def test_report_log_is_read_by_pytest_itself(project, files):
    fill(project, files)
    project.write("logger.py", LOGGER)
    project.run([PYTEST, "-q", "-p", "no:cacheprovider", "-p", "logger"], env={"PYTHONPATH": "."})
    project.fastest("-q", "-p", "no:cacheprovider", "--report-log", "ours.jsonl")
    theirs, ours = reports(project.path("plain.jsonl")), reports(project.path("ours.jsonl"))
    assert set(theirs) == set(ours)
    for key, ref in theirs.items():
        our = ours[key]
        assert [s for s in ref.sections if stable(s[1])] == [s for s in our.sections if stable(s[1])], key
        for name in ("location", "keywords", "outcome", "when"):
            assert str(getattr(ref, name)) == str(getattr(our, name)), (key, name)
        assert getattr(ref, "wasxfail", None) == getattr(our, "wasxfail", None), key
        assert shown(ref) == shown(our), key
        if ref.when != "setup":
            assert [[k, str(v)] for k, v in ref.user_properties] == [[k, str(v)] for k, v in our.user_properties], key
        if ref.outcome == "failed" and hasattr(ref.longrepr, "reprcrash"):
            assert str(ref.longrepr.reprcrash) == str(our.longrepr.reprcrash), key
    lines = [json.loads(line) for line in project.path("ours.jsonl").read_text().splitlines()]
    assert lines[0]["$report_type"] == "SessionStart" and lines[0]["pytest_version"] == pytest.__version__
    assert lines[-1] == {"exitstatus": 1, "$report_type": "SessionFinish"}


def test_report_log_agrees_with_the_plugin(project):
    """Where pytest-reportlog is installed, its lines are the reference."""
    pytest.importorskip("pytest_reportlog")
    fill(project, ZOO)
    project.run([PYTEST, "-q", "-p", "no:cacheprovider", "--report-log=plain.jsonl"])
    project.fastest("-q", "-p", "no:cacheprovider", "-p", "no:reportlog", "--report-log", "ours.jsonl")
    theirs, ours = reports(project.path("plain.jsonl")), reports(project.path("ours.jsonl"))
    assert {k: r.outcome for k, r in theirs.items()} == {k: r.outcome for k, r in ours.items()}


def tap(project, *args):
    mtest = pytest.importorskip("mesonbuild.mtest")
    r = project.run([FASTEST, "--python", sys.executable, "-p", "no:cacheprovider", *args])
    events = list(mtest.TAPParser().parse(iter(r.out.splitlines(True))))
    assert not [e for e in events if isinstance(e, mtest.TAPParser.Error)], (events, r)
    return r, {e.name: (e.result.name, e.explanation) for e in events if isinstance(e, mtest.TAPParser.Test)}


@pytest.mark.parametrize("option", ["--tap", "--output=tap14"])
def test_tap_as_meson_reads_it(project, option):
    fill(project, ZOO)
    project.write("test_tap.py", """
import pytest
@pytest.mark.skip(reason="why # not")
def test_skip(): pass
@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.parametrize("v", ["a # b", "\\\\"])
def test_hash(v): assert v == "\\\\", "multi\\n  line\\n---"
""")
    r, found = tap(project, option)
    assert r.out.startswith("TAP version 1%d\n" % (4 if option.endswith("14") else 3))
    outcomes = {"passed": "OK", "failed": "FAIL", "error": "FAIL", "skipped": "SKIP", "xfailed": "EXPECTEDFAIL", "xpassed": "UNEXPECTEDPASS"}
    tests = [t for t in project.json()["tests"] if "#" not in t["nodeid"] and "\\" not in t["nodeid"]]
    for test in tests:
        name = ("- " if "- " + test["nodeid"] in found else "") + test["nodeid"]
        assert found[name][0] == outcomes[test["outcome"]], test["nodeid"]
    assert "SKIP" in r.out and "1..%d" % len(found) in r.out


def test_tap_without_tests_and_with_a_usage_error(project):
    project.write("test_a.py", "X = 1\n")
    r, found = tap(project, "--tap")
    assert (r.code, found) == (5, {}) and "1..0 # SKIP" in r.out
    project.write("conftest.py", "import nothing_like_that\n")
    assert "nothing_like_that" in project.fastest("--tap").out


def test_output_json_and_count(project):
    project.write("test_a.py", "import pytest\ndef test_1(): pass\ndef test_2(): assert 0\n@pytest.mark.skip\ndef test_3(): pass\n")
    project.write("test_b.py", "def test_4(): print('noise')\n")
    r = project.fastest("--output", "json")
    assert {t["nodeid"]: t["outcome"] for t in json.loads(r.stdout)["tests"]} == {
        "test_a.py::test_1": "passed", "test_a.py::test_2": "failed", "test_a.py::test_3": "skipped", "test_b.py::test_4": "passed"}
    counts = dict(line.split() for line in project.fastest("--output=count").stdout.splitlines())
    assert counts == {"passed": "2", "failed": "1", "error": "0", "skipped": "1", "xfailed": "0", "xpassed": "0", "deselected": "0",
                      "warnings": "0", "flaky": "0", "ran": "3", "cached": "1", "not_run": "0"}
    assert "none of pretty, json" in project.fastest("--output=xml").out


def test_annotations_and_service_messages(project):
    project.write("sub/test_a.py", "import warnings\ndef helper(): assert 1 == 2, 'a, b: 100%'\ndef test_1():\n    helper()\n"
                                   "def test_2(): warnings.warn('old')\ndef test_3():\n    print(\"it's | [x]\\u2028\")\n    assert 0\n")
    r = project.fastest("--github", "--teamcity")
    assert "::error file=sub/test_a.py,line=2,title=sub/test_a.py%3A%3Atest_1::AssertionError: a, b: 100%25%0Aassert 1 == 2\n" in r.out, r
    assert re.search(r"^::warning file=sub/test_a.py,line=5,title=sub/test_a.py%3A%3Atest_2::", r.out, re.M), r
    messages = re.findall(r"^##teamcity\[(\w+) (.*) flowId='fastest'\]$", r.out, re.M)
    kinds = [kind for kind, _ in messages]
    assert kinds[0] == "testSuiteStarted" and kinds[-1] == "testSuiteFinished" and kinds.count("testFailed") == 2
    assert ("testStdOut", "name='sub.test_a.test_3' out='it|'s || |[x|]|l|n'") in messages, messages
    assert r.out.index("##teamcity") < r.out.index(" failed"), "the last line comes last"


PROPERTIES = {
    "pytest.ini": "[pytest]\njunit_logging = out-err\njunit_suite_name = named\naddopts = --junitprefix=pre\n",
    "conftest.py": """
import pytest
@pytest.fixture(scope="session", autouse=True)
def facts(record_testsuite_property):
    record_testsuite_property("ARCH", "<PPC> & \\n more")
    record_testsuite_property("N", 3)
""",
    "test_a.py": """
def test_1(record_xml_attribute, record_property):
    record_xml_attribute("assertions", "REQ-1 <&>")
    record_xml_attribute("classname", "mine")
    record_xml_attribute("not a name", 1)
    record_property("key", [1, 2])
    print("out")
def test_2(record_testsuite_property): record_testsuite_property("late", 1)
""",
    "test_b.py": "def test_3(): assert 0\n",
}


def attributes(root):
    return sorted(sorted((k, v) for k, v in case.items() if k not in ("time", "not a name")) for case in root.iter("testcase"))


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_junit_properties_and_settings_are_pytests(project, family):
    for name, text in PROPERTIES.items():
        project.write(name, text.replace('    record_xml_attribute("not a name", 1)\n', "") if family == "xunit1" else text)
    options = ["-o", "junit_family=" + family, "-p", "no:cacheprovider"]
    project.run([PYTEST, *options, "--junitxml", "plain.xml"])
    project.fastest(*options, "--junitxml", "ours.xml")
    theirs, ours = (ElementTree.parse(str(project.path(name))).getroot() for name in ("plain.xml", "ours.xml"))
    assert differences(cases(theirs), cases(ours)) == []
    assert attributes(theirs) == attributes(ours)
    properties = [sorted((p.get("name"), p.get("value")) for p in root[0].iterfind("properties/property")
                         if not p.get("name").startswith("fastest.")) for root in (theirs, ours)]
    assert properties[0] == properties[1] and len(properties[0]) == 3
    project.fastest(*options, "--junitxml", "again.xml")  # one module is cached now
    again = ElementTree.parse(str(project.path("again.xml"))).getroot()
    assert attributes(again) == attributes(ours) and differences(cases(ours), cases(again)) == []


def test_a_junit_file_that_the_configuration_asks_for(project):
    project.write("pytest.ini", "[pytest]\naddopts = --junitxml=made/there.xml\n")
    project.write("test_a.py", "def test_1(): pass\n")
    project.fastest()
    root = ElementTree.parse(str(project.path("made/there.xml"))).getroot()
    assert [c.get("name") for c in root.iter("testcase")] == ["test_1"]


RERUNS = """
import pytest
def pytest_runtest_protocol(item, nextitem):  # as pytest-rerunfailures does
    from _pytest.runner import runtestprotocol
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = attempt < 2 and any(r.failed for r in reports)
        for r in reports:
            if again and r.failed:
                r.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=r)
            if r.outcome == "rerun":
                break
        if not again:
            break
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", ("RERUN", {"yellow": True})
"""


def test_reruns_are_surefires_elements(project):
    project.write("conftest.py", RERUNS)
    project.write("test_a.py", "n = []\ndef test_flaky():\n    print('try')\n    n.append(1)\n    assert len(n) == 2\n"
                               "def test_broken(): raise ValueError('always ]]> \\x00')\n")
    r = project.fastest("--junitxml", "j.xml", "-o", "junit_logging=all")
    root = ElementTree.parse(str(project.path("j.xml"))).getroot()
    SCHEMA.assertValid(etree.parse(str(project.path("j.xml"))))
    found = {case.get("name"): [(child.tag, child.get("type")) for child in case if child.tag[:6] != "system"] for case in root.iter("testcase")}
    assert found == {"test_flaky": [("flakyFailure", "AssertionError")],
                     "test_broken": [("rerunFailure", "ValueError"), ("rerunFailure", "ValueError"), ("failure", None)]}
    flaky = next(root.iter("flakyFailure"))
    assert "assert len(n) == 2" in flaky.find("stackTrace").text and flaky.find("system-out").text == "try\n"
    assert [t["nodeid"] for t in project.json()["tests"] if t.get("flaky")] == ["test_a.py::test_flaky"]
    assert "1 flaky" in r.last and "3 rerun" in r.last, r


def test_json_has_the_warnings(project):
    project.write("test_a.py", "import warnings\nwarnings.warn('early')\ndef test_1(): warnings.warn('late')\n")
    project.fastest()
    assert [(w["when"], w["lineno"], "late" in w["message"]) for w in project.json()["warnings"]] == [("collect", 2, False), ("runtest", 3, True)]



def test_a_trace_has_a_row_for_each_worker(project):
    for name in "ab":
        project.write("test_%s.py" % name, "import time, pytest\n@pytest.mark.parametrize('i', range(6))\ndef test_1(i): time.sleep(0.02)\n")
    project.write("test_c.py", "def test_2(): pass\n")
    project.fastest("-n2")
    project.write("test_a.py", project.path("test_a.py").read_text() + "#\nX = 1\n")
    project.fastest("-n2", "--trace=out/t.json")
    events = json.loads(project.path("out/t.json").read_text())["traceEvents"]
    tests = [e for e in events if e["ph"] == "X"]
    assert {e["name"].split("[")[0] for e in tests} == {"test_a.py::test_1"}, "what was cached did not run"
    rows = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    for row in rows:
        mine = sorted((e["ts"], e["ts"] + e["dur"]) for e in tests if e["tid"] == row)
        assert mine and all(a[1] <= b[0] + 1000 for a, b in zip(mine, mine[1:])), mine
    assert sum(e["dur"] for e in tests if e["cat"] == "call") >= 6 * 20000


def test_the_last_run_is_reported_again(project):
    project.write("test_a.py", "def test_1(): assert 0\ndef test_2(): pass\n")
    project.write("test_b.py", "def test_3(): pass\n")
    project.fastest()
    project.write("test_b.py", "def test_3(): assert 1\n")
    first = project.fastest("--junitxml", "first.xml", "-p", "no:cacheprovider")
    again = project.run([FASTEST, "report", "--junitxml", "again.xml", "--json", "again.json"], cwd=project.root)
    assert (again.code, again.out) == (0, "")
    trees = [ElementTree.parse(str(project.path(name))).getroot() for name in ("first.xml", "again.xml")]
    assert differences(*map(cases, trees)) == [] and trees[0][0].attrib == trees[1][0].attrib
    assert {t["nodeid"]: t["cached"] for t in json.loads(project.path("again.json").read_text())["tests"]} == {
        "test_a.py::test_1": False, "test_a.py::test_2": False, "test_b.py::test_3": False}
    shown = project.run([FASTEST, "report"])
    assert shown.out and shown.out in re.sub("-+ generated xml file: .* -+\n", "", first.out), (shown, first)
    assert project.run([FASTEST, "report"], cwd=project.root.parent).code == 4


GRAPH = {"src/a.py": "import b\n", "src/b.py": "", "src/c.py": "import a\n", "tests/test_c.py": "import c\ndef test_1(): pass\n",
         "tests/test_x.py": "def test_2(): pass\n", "pytest.ini": "[pytest]\npythonpath = src\n"}


def test_the_graph_of_imports(project):
    for name, text in GRAPH.items():
        project.write(name, text)
    graph = [FASTEST, "graph", "--python", sys.executable]
    assert json.loads(project.run([*graph, "--json"]).out) == {
        "src/a.py": ["src/b.py"], "src/b.py": [], "src/c.py": ["src/a.py"], "tests/test_c.py": ["src/c.py"], "tests/test_x.py": []}
    assert set(json.loads(project.run([*graph, "--json", "--steps=1", "a"]).out)) == {"src/a.py", "src/b.py", "src/c.py"}
    dot = project.run([*graph, "--dot", "src/b.py"]).out
    assert dot.startswith("digraph") and len(re.findall("->", dot)) == 3 and "test_x" not in dot
    names = dict(re.findall(r'(n\d+) \[label="([^"]*)"', dot))
    assert {(names[a], names[b]) for a, b in re.findall(r"(n\d+) -> (n\d+)", dot)} == {
        ("src/a.py", "src/b.py"), ("src/c.py", "src/a.py"), ("tests/test_c.py", "src/c.py")}
    mermaid = project.run([*graph, "--mermaid"]).out
    assert mermaid.startswith("flowchart LR\n") and mermaid.count("-->") == 3
    r = project.run([*graph, "nothing"])
    assert r.code == 4 and "is no file or module" in r.out
