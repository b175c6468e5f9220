"""Compares `fastest discover` with pytest --collect-only on real suites, id by id, with both parsers.

usage: ids.py [--after-run] [suite ...]     (default: all of suites.txt, and sympy)
       ids.py [--after-run] --dir PATH [--python PY]     (a project of your own)
An id that is called exact must be pytest's; what pytest collects must be listed, by id or by its function,
class or module. --after-run runs the suite with fastest first: then every id must be exact. Exit 1 otherwise.
"""
import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import run
from nodeids import listed, owners

EXTRA = [("sympy", ["sympy==1.14.0", "numpy", "hypothesis==6.170.15"], "-", ["sympy"])]


def clean_environment(cache):
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")}
    env["FASTEST_CACHE_DIR"] = str(cache)
    return env


def pytest_ids(python, folder, args, env):
    done = subprocess.run([str(python), "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"] + args,
                          cwd=str(folder), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode not in (0, 2, 5):  # collected, with errors, nothing: else there is nothing to compare with
        sys.exit("pytest --collect-only: exit %d\n%s" % (done.returncode, done.stdout.decode(errors="replace")[-2000:]))
    return listed(done.stdout)


def fastest_tests(python, folder, args, env, state, parser):
    done = subprocess.run([run.FASTEST, "discover", "--format", "json", "--parser", parser, "--no-cache", "--python",
                           str(python), "--state-dir", str(state), "-p", "no:cacheprovider"] + args,
                          cwd=str(folder), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not done.stdout:
        sys.exit("fastest discover: " + done.stderr.decode())
    return json.loads(done.stdout.decode("utf-8", "surrogateescape"))


def show(title, ids):
    for i in ids[:20]:
        print("    %s %s" % (title, i))


def judge(label, ids, tests, all_exact):
    tests = [t for t in tests if not t["error"]]
    known, listed = set(ids), {t["nodeid"] for t in tests if t["exact"]}
    doubtful = {t["nodeid"]: t["reason"] for t in tests if not t["exact"]}
    wrong = [t["nodeid"] for t in tests if t["exact"] and t["nodeid"] not in known]
    missed, reasons = [], collections.Counter()
    for i in ids:
        if i in listed:
            continue
        reason = next((doubtful[o] for o in owners(i) if o in doubtful), None)
        missed += [i] if reason is None else []
        reasons[reason] += 1
    exact = len(listed & known)
    print("%-22s %6d ids  %6.1f %% exact  %d wrong  %d missed" % (label, len(ids), 100.0 * exact / max(len(ids), 1),
                                                               len(wrong), len(missed)), flush=True)
    show("wrong", wrong)
    show("missed", missed)
    if not all_exact:
        for reason, n in reasons.most_common(3):
            print("    %6d %s" % (n, reason))
    return not wrong and not missed and (exact == len(known) or not all_exact)


def check(name, python, folder, args, after_run):
    """With an empty cache and an empty state directory, away from the project."""
    with tempfile.TemporaryDirectory() as fresh:
        env = clean_environment(pathlib.Path(fresh) / "cache")
        return compare(name, python, folder, args, after_run, env, pathlib.Path(fresh) / "state")


def compare(name, python, folder, args, after_run, env, state):
    ids = pytest_ids(python, folder, args, env)
    if after_run:
        subprocess.run([run.FASTEST, "--python", str(python), "--state-dir", str(state), "-q", "-p", "no:cacheprovider"] + args,
                       cwd=str(folder), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {p: fastest_tests(python, folder, args, env, state, p) for p in ("ast", "regex")}
    good = [judge("%s, %s" % (name, p), ids, tests, after_run) for p, tests in sorted(found.items())]
    if found["ast"] != found["regex"]:
        print("    the parsers differ")
        good.append(False)
    return all(good)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--after-run", action="store_true")
    parser.add_argument("--dir", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--python", default=sys.executable, type=lambda p: os.path.abspath(shutil.which(p) or p))
    parser.add_argument("suites", nargs="*")
    options = parser.parse_args()
    if options.dir:
        good = check(options.dir.name, options.python, options.dir, [], options.after_run)
        sys.exit(0 if good else 1)
    wanted = options.suites
    known = list(run.suites()) + EXTRA
    unknown = set(wanted) - {s[0] for s in known}
    if unknown:
        sys.exit("unknown suite: %s" % ", ".join(sorted(unknown)))
    good = [check(name, *run.prepare(name, needs, source), args, options.after_run)
            for name, needs, source, args in known if not wanted or name in wanted]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
