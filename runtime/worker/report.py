"""pytest's reports as the *phase* and *result* documents of runtime/PROTOCOL.md."""
import io
import math
import time

import _fastest.bounds as bounds

from _pytest._io import TerminalWriter
from _pytest.warnings import warning_record_to_str

PASSED, FAILED, ERROR, SKIPPED, XFAILED, XPASSED = range(6)
NAMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def _text(report):
    """The failure as the terminal shows it, without colour."""
    out = io.StringIO()
    writer = TerminalWriter(out)
    writer.hasmarkup = False
    report.toterminal(writer)
    return bounds.cut(out.getvalue().rstrip("\n"))


def _describe(phase, report):
    longrepr = report.longrepr
    if report.outcome == "skipped" and isinstance(longrepr, tuple) and len(longrepr) == 3:
        phase["skip"] = [str(longrepr[0]), longrepr[1], str(longrepr[2])]
    elif longrepr is not None:
        phase["repr"] = _text(report)
        crash = getattr(longrepr, "reprcrash", None)
        if crash is not None:
            phase["crash"] = {"path": str(crash.path), "line": crash.lineno, "message": bounds.cut(crash.message)}
        entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", ())
        places = [e.reprfileloc for e in entries if getattr(e, "reprfileloc", None) is not None]
        if places:
            phase["tb"] = [{"path": str(p.path), "line": p.lineno, "message": bounds.cut(p.message)} for p in places]


def phase(report, when=None):
    out = {
        "when": when or report.when,
        "o": report.outcome,
        "d": round(getattr(report, "duration", 0), 6),
        "t": round(getattr(report, "start", 0) or time.time(), 6),
    }
    if report.longrepr is not None:
        _describe(out, report)
    if report.sections:
        out["sections"] = [[title, bounds.cut(text)] for title, text in report.sections]
    if hasattr(report, "wasxfail"):
        out["xfail"] = str(report.wasxfail)
    if _is_subtest(report):
        describe = getattr(report, "_sub_test_description", None) or getattr(report, "sub_test_description", None)
        out["sub"] = describe() if describe else report.head_line
    return out


def warning(recorded, of_test):
    """[text, file, line, whether it is of a test's run, not of its module's import]"""
    return [warning_record_to_str(recorded), str(recorded.filename), recorded.lineno, of_test]


def _plain(value):
    """The value itself where JSON has it, else its text."""
    simple = value is None or type(value) in (str, int, bool) or type(value) is float and math.isfinite(value)
    return value if simple else str(value)


def _is_subtest(report):
    return type(report).__name__ in ("SubtestReport", "SubTestReport")


def outcome(reports):
    """pytest's outcome of a node id: what json-report and the exit status make of its reports."""
    result = None
    failed = error = False
    for r in reports:
        if r.outcome == "failed":
            failed = failed or r.when == "call" or _is_subtest(r)
            error = error or r.when != "call"
        elif r.outcome == "rerun":
            failed = error = False
            result = None
        elif _is_subtest(r):
            continue
        elif r.outcome == "skipped":
            result = XFAILED if hasattr(r, "wasxfail") else SKIPPED
        elif r.when == "call" and result is None:
            result = XPASSED if hasattr(r, "wasxfail") else PASSED
    if failed or error:
        return FAILED if failed else ERROR
    return PASSED if result is None else result


class Categories:
    """The terminal's category of each report (hook pytest_report_teststatus)."""

    def __init__(self, config):
        self.config = config
        hook = config.hook.pytest_report_teststatus
        modules = [getattr(i.plugin, "__name__", type(i.plugin).__module__) for i in hook.get_hookimpls()]
        self.plain = all(m.startswith("_pytest.") for m in modules)

    def of(self, report, asked=False):
        if self.plain and not asked and type(report).__name__ == "TestReport" and not hasattr(report, "wasxfail"):
            if report.passed:
                return "passed" if report.when == "call" else ""
        status = self.config.hook.pytest_report_teststatus(report=report, config=self.config)
        return status[0] if status else ""


def result(reports, categories, warnings):
    """(outcome, the *result* document without deps)."""
    # With subtests the hook changes reports: "contains 1 failed subtest".
    subtests = [r for r in reports if _is_subtest(r)]
    counts = {}
    for r in reports:
        category = categories.of(r, bool(subtests))
        if category:
            counts[category] = counts.get(category, 0) + 1
    code = outcome(reports)
    if warnings:
        counts["warnings"] = len(warnings)
    out = {"phases": [phase(r) for r in reports if not (_is_subtest(r) and r.passed)]}
    if counts != {NAMES[code]: 1}:
        out["counts"] = counts
    if warnings:
        out["warnings"] = warnings
    props = [p for r in reports[-1:] for p in r.user_properties]
    if props:
        out["props"] = [[str(name), _plain(value)] for name, value in props]
    if subtests:
        out["passed_subtests"] = sum(r.passed for r in subtests)
    if any(r.outcome == "rerun" for r in reports):
        out["rerun"] = True
    return code, out


def broken(text):
    """The phase of a test whose protocol ended without a report."""
    text = text or "no report: a plugin's pytest_runtest_protocol handled this test without one"
    return {"when": "call", "o": "failed", "d": 0, "t": round(time.time(), 3), "repr": text,
            "crash": {"path": "", "line": 0, "message": text.splitlines()[0] if text else ""}}
