"""JUnit XML of two runs, as what can be compared: test cases with all that they hold.

usage: junitxml.py [suite ...]     real suites under `pytest --junitxml` and `fastest --junitxml`, with
junit_logging=all. Cases on which two runs of plain pytest differ are left out. Exit 1 when another differs.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

OPTIONS = ["-q", "-p", "no:cacheprovider", "-o", "junit_logging=all"]


def stable(text):
    """Without what differs from run to run (addresses, durations, numbered directories), pytest's own
    frames (other plugins are registered), and its "u" marks for subtests, which it prints into the capture."""
    if text and text.startswith(("cls = <class '_pytest.runner.CallInfo'>", "self = <_pytest.runner.SetupState object")):
        text = "inside pytest\n" + "\n".join(line for line in text.splitlines() if line.startswith("E  "))
    return re.sub(r"0x[0-9a-f]+|\b\d+\.\d+s\b|pytest-\d+|^u+$", "#", text or "", flags=re.M).strip("#\n ")


def cases(root):
    found = Counter()
    for case in root.iter("testcase"):
        parts = [(case.get("classname"), case.get("name"))]
        for child in case:
            if child.tag == "properties":
                parts.append(tuple(sorted((p.get("name"), p.get("value")) for p in child)))
            else:
                parts.append((child.tag, child.get("type"), stable(child.get("message")), stable(child.text)))
        found[tuple(parts)] += 1
    return found


def differences(theirs, ours):
    """Lines that tell where a case of one begins to differ from the other's of that name."""
    lines, left = [], sorted((ours - theirs).elements(), key=repr)
    for case in sorted((theirs - ours).elements(), key=repr):
        other = next((c for c in left if c[0] == case[0]), None)
        if other is None:
            lines.append("only pytest: %.300r" % (case,))
            continue
        left.remove(other)
        same = len(os.path.commonprefix([repr(case), repr(other)]))
        start = max(0, same - 60)
        lines.append("%s\n  pytest:  %s\n  fastest: %s" % (case[0], repr(case)[start:same + 200], repr(other)[start:same + 200]))
    return lines + ["only fastest: %.300r" % (case,) for case in left]


def of_suite(root):
    """What the suite says of itself, but for its times and for what fastest adds."""
    suite = root[0]
    properties = sorted((p.get("name"), "" if p.get("name").startswith("hypothesis-statistics") else p.get("value"))  # of times
                        for p in suite.iterfind("properties/property") if not p.get("name").startswith("fastest."))
    return [suite.get(name) for name in ("name", "errors", "failures", "skipped", "tests")] + properties


def report(argv, folder, env, out):
    subprocess.run([str(a) for a in argv] + ["--junitxml", str(out)], cwd=str(folder), env=env, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ElementTree.parse(str(out)).getroot()


def names(wrong):
    return {line.split("\n")[0] for line in wrong}


def compare(name, needs, source, args):
    import run as parity

    python, folder = parity.prepare(name, needs, source)
    home = parity.WORK / name
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")}
    plain = [python.parent / "pytest"] + OPTIONS + args
    subprocess.run(["rm", "-rf", str(home / "state")])
    theirs = report(plain, folder, env, home / "plain.xml")
    ours = report([parity.FASTEST, "--python", python, "--state-dir", home / "state"] + OPTIONS + args, folder, env,
                  home / "ours.xml")
    wrong, unstable = differences(cases(theirs), cases(ours)), set()
    if wrong:
        again = report(plain, folder, env, home / "again.xml")
        unstable = names(differences(cases(theirs), cases(again)))
        wrong = [line for line in wrong if line.split("\n")[0] not in unstable]
    if of_suite(theirs) != of_suite(ours):
        wrong.append("suite: pytest %.900r, fastest %.900r" % (of_suite(theirs), of_suite(ours)))
    print("%-16s %6d cases  %4d differ  %d unstable under plain pytest" % (
        name, sum(cases(theirs).values()), len(wrong), len(unstable)), flush=True)
    for line in wrong[:20]:
        print("    " + line)
    return not wrong


def main():
    import run as parity

    known = list(parity.suites())
    good = [compare(*s) for s in known if not sys.argv[1:] or s[0] in sys.argv[1:]]
    print("%d of %d suites equal" % (sum(good), len(good)))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
