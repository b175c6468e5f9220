"""Replays the last commits of a project: at each, one incremental run after the other, and the share of the test
modules that it runs. On a sample of them a full run of plain pytest tells whether a changed outcome was missed.

usage: replay.py --git REPOSITORY [--commits N] [--sample N] [--ignore-docstrings] SUITE

SUITE is one of mutate.py's, whose environment runs it; REPOSITORY a clone or mirror with its history. Shares: of tier 2
(what ran), and of tier 0 (`fastest affected` with a state directory that no run has touched). Exit 1 on a miss.
"""
import argparse
import importlib.util
import pathlib
import shutil
import subprocess
import sys

spec = importlib.util.spec_from_file_location("mutate", str(pathlib.Path(__file__).with_name("mutate.py")))
mutate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutate)


def git(*args):
    return subprocess.run(["git"] + [str(a) for a in args], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.decode()


def static_share(project, modules):
    """Of what changed in the last commit, by imports alone."""
    state = project.home / "static"
    shutil.rmtree(str(state), ignore_errors=True)
    argv = [mutate.parity.FASTEST, "affected", "--since", "HEAD~1", "--modules", "--python", project.python, "--state-dir", state,
            "-pno:cacheprovider"]
    done = subprocess.run([str(a) for a in argv], cwd=str(project.root), env=project.env, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return len(modules & set(done.stdout.decode().split())) / max(len(modules), 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--git", required=True)
    parser.add_argument("--commits", type=int, default=100)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--ignore-docstrings", action="store_true")
    parser.add_argument("suite", choices=sorted(mutate.SUITES))
    options = parser.parse_args()
    project = mutate.Project(options.suite)
    if options.ignore_docstrings:
        project.own_args = ["--ignore-docstrings"]
    shutil.rmtree(str(project.home), ignore_errors=True)
    git("clone", "-q", options.git, project.root)
    commits = git("-C", project.root, "rev-list", "--first-parent", "-n", options.commits + 1, "HEAD").split()[::-1]
    shares, statics, missed, before = [], [], 0, {}
    for i, commit in enumerate(commits):
        git("-C", project.root, "checkout", "-q", "-f", commit)
        _, report, text = project.fast()
        if report is None:
            print("  %s: no report: %s" % (commit[:10], text.strip().splitlines()[-1:]))
            continue
        ran, modules, found = mutate.rerun_of(report)
        lost = set()
        if options.sample and i % max(options.commits // options.sample, 1) == 0:
            _, truth = project.plain()
            lost = {t for t, outcome in truth.items() if t in found and t.split("::")[0] not in ran and
                    (outcome in ("failed", "error")) != (found[t] in ("failed", "error")) and before.get(t) == found[t]}
            missed += len(lost)
        before = found
        if i == 0 or not modules:
            continue
        failing = {t.split("::")[0] for t in mutate.failing(found)}  # they run at each commit
        modules, ran = modules - failing, ran - failing
        shares.append(len(ran & modules) / max(len(modules), 1))
        statics.append(static_share(project, modules))
        print("  %s ran %3d of %3d, by imports %.2f%s" % (commit[:10], len(ran & modules), len(modules), statics[-1],
                                                        "  MISSED %s" % sorted(lost)[:3] if lost else ""), flush=True)
    n = max(len(shares), 1)
    print("%s: %d commits; mean share of modules run %.2f, by imports alone %.2f; %d outcomes missed" % (
        options.suite, len(shares), sum(shares) / n, sum(statics) / n, missed))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
