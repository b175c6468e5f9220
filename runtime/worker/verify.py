"""--optimizer=verify: a plain test runs twice, by pytest's protocol in a child and natively, and both results are
compared. What it does to the world, it does twice."""
import difflib
import json
import os
import re

import _fastest.report as report
import _fastest.trace as trace

_ALIKE = ("when", "o", "repr", "crash", "tb", "sections", "xfail", "skip", "sub")
_NUMBERS = re.compile(r"0x[0-9a-fA-F]{4,}|\bpytest-\d+/[\w.-]+?\d+\b|\bpid[ =]\d+")


def of_pytest(run):
    """(outcome, *result*) of run() in a forked child; None when it has ended without one."""
    read, write = os.pipe()
    pid = trace.fork()
    if pid == 0:
        os.close(read)
        data = json.dumps(run()).encode()
        while data:
            data = data[os.write(write, data):]
        os._exit(0)
    os.close(write)
    data = b""
    while True:
        part = os.read(read, 1 << 16)
        if not part:
            break
        data += part
    os.close(read)
    os.waitpid(pid, 0)
    return json.loads(data.decode()) if data else None


def _plain(result):
    """What must be the same, as lines."""
    code, document = result
    phases = [{k: phase[k] for k in _ALIKE if k in phase} for phase in document["phases"]]
    rest = {k: v for k, v in document.items() if k not in ("phases", "deps", "worker")}
    text = json.dumps({"outcome": report.NAMES[code], "phases": phases, "rest": rest}, indent=1, sort_keys=True)
    return _NUMBERS.sub("<number>", text).replace("\\n", "\n").splitlines()


def compare(pytests, native):
    """The native result, or one that tells the difference."""
    left, right = _plain(pytests) if pytests else ["no result"], _plain(native)
    if left == right:
        return native
    text = "the native run differs from pytest's own:\n" + "\n".join(
        difflib.unified_diff(left, right, "pytest", "native", lineterm="", n=2))
    return report.FAILED, {"phases": [report.broken(text)]}
