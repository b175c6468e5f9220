"""A pytest plugin (-p outcomes): writes {node id: outcome} to $OUTCOMES, told as report.json tells it."""
import json
import os

found = {}


def pytest_runtest_logreport(report):
    if type(report).__name__ in ("SubtestReport", "SubTestReport") and not report.failed:
        return
    old = found.get(report.nodeid)
    if report.failed:
        new = "failed" if report.when == "call" else "error"
    elif report.skipped:
        new = "xfailed" if hasattr(report, "wasxfail") else "skipped"
    elif report.when == "call":
        new = "xpassed" if hasattr(report, "wasxfail") else "passed"
    else:
        return
    if old in ("failed", "error") and new not in ("failed", "error"):
        return
    found[report.nodeid] = new


def pytest_collectreport(report):
    if report.failed:
        found[report.nodeid] = "error"


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        with open(os.environ["OUTCOMES"], "w") as f:
            json.dump(found, f)
