"""Runs real suites under plain pytest and under fastest, and compares every node id's outcome.

usage: run.py [suite ...]     (default: all of suites.txt). Ids on which two runs of plain pytest
differ are named and left out. Exit 1 when another id differs, 3 when a suite cannot be installed.
PARITY_PYTEST=pytest==8.4.2 takes another pytest, without hashes.
"""
import glob
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build" / "parity"
FASTEST = os.environ.get("FASTEST") or str(ROOT / "build" / "fastest")
PYTEST = os.environ.get("PARITY_PYTEST", "")
NEWEST = "pytest==9.2.0"
CANNOT_INSTALL = 3


def suites():
    for line in (HERE / "suites.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, needs, source, args = (part.strip() for part in line.split("|"))
            yield name, needs.split(), source, args.split()


def run(argv, cwd, env=None, quiet=False):
    done = subprocess.run([str(a) for a in argv], cwd=str(cwd), env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode and not quiet:
        print("%s\nfailed in %s:\n%s" % (argv, cwd, done.stdout.decode(errors="replace")[-3000:]))
        sys.exit(CANNOT_INSTALL)
    return done


def unpack(pip, home, source):
    """The source package, checked by its hash, under home/src."""
    name, want = source.split()
    run(pip + ["download", "--no-deps", "--no-binary", ":all:", "-d", home, name], home)
    archive = pathlib.Path(glob.glob(str(home / "*.tar.gz"))[0])
    got = hashlib.sha256(archive.read_bytes()).hexdigest()
    if got != want:
        sys.exit("%s: SHA-256 is %s, not %s" % (archive, got, want))
    with tarfile.open(str(archive)) as tar:
        tar.extractall(str(home / "src"))


def prepare(name, needs, source):
    """(python, folder to run in): made once, under build/parity."""
    home = WORK / name
    python = home / "venv" / "bin" / "python"
    stamp, want = home / "ready", "%s %s %s" % (PYTEST, needs, source)
    if not stamp.exists() or stamp.read_text() != want:
        shutil.rmtree(str(home), ignore_errors=True)
        venv.create(str(home / "venv"), with_pip=True)
        pip = [python, "-m", "pip", "-q", "--disable-pip-version-check"]
        hashed = HERE / ("requirements-%s.txt" % name)
        if not PYTEST and sys.version_info >= (3, 11) and hashed.exists():
            run(pip + ["install", "--no-deps", "--require-hashes", "-r", hashed], home)
        run(pip + ["install", PYTEST or NEWEST] + needs, home)
        if source != "-":
            unpack(pip, home, source)
        stamp.write_text(want)
    if source != "-":
        return python, next(p for p in (home / "src").iterdir() if p.is_dir())
    return python, next((home / "venv" / "lib").glob("python*")) / "site-packages"


def plain(python, folder, args, out):
    env = dict(os.environ, OUTCOMES=str(out), PYTHONPATH=str(HERE))
    for noise in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"):
        env.pop(noise, None)
    argv = [python.parent / "pytest", "-q", "-p", "outcomes", "-p", "no:cacheprovider"] + args
    done = run(argv, folder, env, quiet=True)
    return done.returncode, json.loads(out.read_text())


def fast(python, folder, args, state):
    subprocess.run(["rm", "-rf", str(state)])
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")}
    env["PYTHONPATH"] = str(HERE)  # as for plain pytest
    done = run([FASTEST, "--python", python, "--state-dir", state, "-q", "-p", "no:cacheprovider"] + args,
               folder, env, quiet=True)
    report = json.loads((state / "report.json").read_text())
    found = {}
    broken = [c for c in report["collectors"] if c["outcome"] == "failed"]
    for test in report["tests"] + [dict(c, outcome="error") for c in broken]:
        if test["nodeid"] in found:
            sys.exit("%s is reported twice" % test["nodeid"])
        found[test["nodeid"]] = test["outcome"]
    return done.returncode, found, done.stdout.decode(errors="replace")


def compare(name, needs, source, args):
    python, folder = prepare(name, needs, source)
    code, first = plain(python, folder, args, WORK / name / "plain.json")
    fcode, ours, text = fast(python, folder, args, WORK / name / "state")
    wrong = {i for i in set(first) | set(ours) if first.get(i) != ours.get(i)}
    unstable = set()
    if wrong:
        _, second = plain(python, folder, args, WORK / name / "plain2.json")
        unstable = {i for i in wrong if first.get(i) != second.get(i)}
    print("%-16s %6d ids  %4d differ  %d unstable under plain pytest  exit %d / %d"
          % (name, len(first), len(wrong - unstable), len(unstable), code, fcode), flush=True)
    for i in sorted(wrong)[:20]:
        print("    %s: pytest %s, fastest %s" % (i, first.get(i), ours.get(i)))
    if not ours or fcode not in (0, 1):
        print(text[-2000:])
    return not (wrong - unstable) and code == fcode


def main():
    wanted = sys.argv[1:]
    known = list(suites())
    unknown = set(wanted) - {s[0] for s in known}
    if unknown:
        sys.exit("unknown suite: %s" % ", ".join(sorted(unknown)))
    good = [compare(*s) for s in known if not wanted or s[0] in wanted]
    print("%d of %d suites equal" % (sum(good), len(good)))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
