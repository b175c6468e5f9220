"""Figures of the reports: documents for 100,000 tests, and what the live display costs.

usage: report.py [--modules N] [--tests N] [row ...]     rows: documents nothing live
Records are made by one real run of trivial tests (a failure in each tenth module). CPU seconds are user and
system time of the process itself; the live display is compared with plain `ninja test` on the same tests.
"""
import argparse
import os
import pathlib
import pty
import resource
import shutil
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FASTEST = os.environ.get("FASTEST") or str(ROOT / "build" / "fastest")
WORK = ROOT / "build" / "bench-report"
PYTHON = str(ROOT / "build" / "venv" / "bin" / "python")
ENV = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "FASTEST_ADDOPTS")}
ENV["PATH"] = str(ROOT / "build" / "venv" / "bin") + os.pathsep + ENV.get("PATH", "")


def fill(folder, modules, tests):
    shutil.rmtree(str(folder), ignore_errors=True)
    for m in range(modules):
        path = folder / ("t%02d" % (m // 50)) / ("test_m%04d.py" % m)
        path.parent.mkdir(parents=True, exist_ok=True)
        bodies = ["def test_%d(): pass\n" % i for i in range(tests)]
        if m % 10 == 0:
            bodies[0] = "def test_0():\n    print('out')\n    assert [1, 2] == [1, 3]\n"
        path.write_text("".join(bodies))
    (folder / "pytest.ini").write_text("[pytest]\n")


def run(argv, cwd, **kw):
    return subprocess.run([str(a) for a in argv], cwd=str(cwd), env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **kw)


def measured(argv, cwd):
    """(CPU seconds, peak MiB) of a command without children that count."""
    pid = os.fork()
    if pid == 0:
        os.chdir(str(cwd))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execve(argv[0], argv, ENV)
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def documents(options):
    folder = WORK / "big"
    fill(folder, options.modules, options.tests)
    run([FASTEST, "--python", PYTHON, "-q", "-p", "no:cacheprovider"], folder)
    state = folder / ".fastest"
    figures = []
    for _ in range(5):
        for name in ("parts.bin", "reports.bin"):
            if (state / name).exists():
                (state / name).unlink()
        figures.append(measured([FASTEST, "report", "--junitxml", "j.xml", "--json", "r.json", "--state-dir", str(state)], folder))
    sizes = ["%s %.1f MB" % (name, (folder / name).stat().st_size / 1e6) for name in ("j.xml", "r.json")]
    print("JUnit and JSON of %d tests from their records: %.2f s of CPU, %.0f MiB at most (%s)" % (
        options.modules * options.tests, statistics.median(f[0] for f in figures), max(f[1] for f in figures), ", ".join(sizes)))
    figures = [measured([FASTEST, "report", "--html", "r.html", "--state-dir", str(state)], folder) for _ in range(3)]
    print("the page: %.2f s of CPU, %.0f MiB, %.1f MB" % (
        statistics.median(f[0] for f in figures), max(f[1] for f in figures), (folder / "r.html").stat().st_size / 1e6))


def nothing(options):
    folder = WORK / "clean"
    fill(folder, 500, 20)
    for path in folder.glob("*/*.py"):
        path.write_text(path.read_text().replace("assert [1, 2] == [1, 3]", "pass"))
    argv = [FASTEST, "--python", PYTHON, "-p", "no:cacheprovider"]
    run(argv, folder)
    run(argv, folder)
    figures = [measured(argv, folder) for _ in range(11)]
    print("nothing changed, 10,000 tests: %.1f ms of CPU" % (1000 * statistics.median(f[0] for f in figures)))


def on_terminal(argv, folder):
    """CPU seconds of a command and its children whose output is a terminal."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours, theirs = pty.openpty()
    child = subprocess.Popen([str(a) for a in argv], cwd=str(folder), env=dict(ENV, TERM="xterm", LANG="C.UTF-8"), stdin=subprocess.DEVNULL,
                             stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        while os.read(ours, 1 << 16):
            pass
    except OSError:
        pass
    os.close(ours)
    child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def live(options):
    """Of `fastest run` itself: all that it does beside Ninja, with and without somebody who looks."""
    folder = WORK / "live"
    fill(folder, 200, 50)
    argv = [FASTEST, "--python", PYTHON, "-p", "no:cacheprovider", "-n2"]
    rows = {"terminal": [], "--output count": []}
    whole = []
    for _ in range(options.runs):
        for name, extra in (("terminal", []), ("--output count", ["--output", "count"])):
            shutil.rmtree(str(folder / ".fastest"), ignore_errors=True)
            rows[name].append(on_terminal(argv + extra, folder))
        shutil.rmtree(str(folder / ".fastest"), ignore_errors=True)
        before = os.times().elapsed
        run(argv, folder)
        whole.append(os.times().elapsed - before)
    shown, quiet = (statistics.median(rows[name]) for name in rows)
    wall = statistics.median(whole)
    print("live display of 10,000 tests: %.3f s of CPU in fastest and Ninja with it, %.3f s without: %.1f %% of %d processors for %.1f s" % (
        shown, quiet, 100 * (shown - quiet) / (wall * os.cpu_count()), os.cpu_count(), wall))


ROWS = {"documents": documents, "nothing": nothing, "live": live}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    for row in options.rows:
        ROWS[row](options)


if __name__ == "__main__":
    main()
