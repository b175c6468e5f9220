"""Side-by-side figures of selection: what tracing costs, what a change costs, and pytest-testmon on the same trees.

usage: selection.py [--runs N] [row ...]       rows: trace keys start testmon
trace: full runs with and without tracing (FASTEST_NO_TRACE), alternating, CPU of all processes; of attrs, toolz and a
tree whose tests do nothing but call functions, for each PYTHON of --pythons. keys: 1,000 modules that executed 3,000
functions each, one function changed. start: one function edited in 10,000 tests, pool warm, until its first test
begins. testmon: nothing changed, and one body edited, on more-itertools and on 10,000 tests, one process each.
"""
import argparse
import importlib.util
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

spec = importlib.util.spec_from_file_location("bench_run", str(pathlib.Path(__file__).with_name("run.py")))
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

WORK = bench.ROOT / "build" / "bench-select"
VENV = bench.ROOT / "build" / "bench-testmon"


def cpu_and_wall(argv, folder, env):
    before, start = bench.cpu_of_children(), time.monotonic()
    subprocess.run([str(a) for a in argv], cwd=str(folder), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    return bench.cpu_of_children() - before, wall


def ours(python, state, *args):
    return [bench.FASTEST, "--python", python, "--state-dir", state, "-q", "-p", "no:cacheprovider", *args]


# ---- trees ----

def calls_tree():
    """Tests that call 60,000 small functions each: the most that tracing can cost."""
    top = WORK / "calls"
    if not top.exists():
        (top / "tests").mkdir(parents=True)
        (top / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
        (top / "lib.py").write_text("".join("def f%d(x):\n    return x + %d\n" % (k, k) for k in range(200)) +
                                    "ALL = [v for k, v in sorted(globals().items()) if k[0] == 'f']\n")
        for i in range(20):
            (top / "tests" / ("test_%02d.py" % i)).write_text("import lib\n" + "".join(
                "def test_%d():\n    assert sum(f(1) for _ in range(300) for f in lib.ALL)\n" % k for k in range(20)))
    return top


def keys_tree():
    top = WORK / "keys"
    if not top.exists():
        (top / "tests").mkdir(parents=True)
        (top / "src").mkdir()
        (top / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
        for i in range(60):
            (top / "src" / ("s%02d.py" % i)).write_text("".join("def f%d(x):\n    y = x + %d\n    return y * 2\n\n\n" % (k, k) for k in range(50)) +
                                                        "ALL = [v for k, v in sorted(globals().items()) if k[0] == 'f']\n")
        (top / "src" / "whole.py").write_text("".join("import s%02d\n" % i for i in range(60)) +
                                              "def run():\n    return sum(f(1) for m in (%s) for f in m.ALL)\n" % ", ".join("s%02d" % i for i in range(60)))
        for i in range(1000):
            (top / "tests" / ("test_%04d.py" % i)).write_text("import whole\ndef test():\n    assert whole.run()\n")
    return top


def many_tree():
    """10,000 tests in 500 modules, each with a source of its own. The first of them says when it begins."""
    top = WORK / "many"
    if not top.exists():
        (top / "tests").mkdir(parents=True)
        (top / "src").mkdir()
        (top / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
        for i in range(500):
            (top / "src" / ("m%03d.py" % i)).write_text("".join("def f%d(x):\n    return x + 1\n\n\n" % k for k in range(20)))
            note = "    import os, time\n    open(os.environ.get('BEGAN', os.devnull), 'w').write(str(time.time_ns()))\n"
            (top / "tests" / ("test_%03d.py" % i)).write_text("import m%03d\n" % i + "".join(
                "def test_%d():\n%s    assert m%03d.f%d(1) == 2\n\n" % (k, note if k == 0 else "", i, k) for k in range(20)))
    return top


# ---- rows ----

def trace(runs, pythons):
    for python in pythons:
        shown = subprocess.run([python, "-c", "import sys; print(sys.version.split()[0])"], stdout=subprocess.PIPE, text=True).stdout.strip()
        rows = [("calls", calls_tree(), ["tests"])]
        for name in ("attrs", "toolz"):
            suite_python, folder, paths = bench.place(name)
            if subprocess.run([python, "-c", "import hypothesis, cloudpickle, attr"], stderr=subprocess.DEVNULL).returncode == 0 or name == "toolz":
                rows.append((name, folder, paths))
        for name, folder, paths in rows:
            figures = {"": [], "1": []}
            for i in range(2 * runs + 2):
                off = "1" if i % 2 else ""
                state = WORK / "state"
                shutil.rmtree(str(state), ignore_errors=True)
                env = dict(bench.ENV, PYTHONPATH=os.pathsep.join([str(folder / "src"), str(folder)]))
                if off:
                    env["FASTEST_NO_TRACE"] = "1"
                cpu, _ = cpu_and_wall(ours(python, state, *paths), folder, env)
                if i >= 2:
                    figures[off].append(cpu)
            on, off = statistics.median(figures[""]), statistics.median(figures["1"])
            print("tracing, Python %s, %-6s  %6.2f s CPU with, %6.2f s without: %+.1f %%" % (shown, name, on, off, (on / off - 1) * 100))


def keys(runs, _):
    top, state = keys_tree(), WORK / "keys-state"
    for _ in range(2):
        subprocess.run(ours(sys.executable, state), cwd=str(top), env=bench.ENV, stdout=subprocess.DEVNULL)
    path = top / "src" / "s05.py"
    text = path.read_text()
    path.write_text(text.replace("y = x + 7\n", "y = x + 8\n"))
    argv = [bench.FASTEST, "affected", "--modules", "--python", sys.executable, "--state-dir", state, "-p", "no:cacheprovider"]
    found = [cpu_and_wall(argv, top, bench.ENV) for _ in range(max(runs, 10))]
    path.write_text(text)
    print("keys of 1,000 modules with 3,000 functions each, one changed: %.0f ms of CPU, %.0f ms wall (the whole command)" % (
        statistics.median(c for c, _ in found) * 1e3, statistics.median(w for _, w in found) * 1e3))


def start(runs, _):
    top, state, began = many_tree(), WORK / "many-state", WORK / "began"
    args = ours(sys.executable, state, "--persistent-workers")
    for _ in range(2):
        subprocess.run(args, cwd=str(top), env=dict(bench.ENV, BEGAN=str(began)), stdout=subprocess.DEVNULL)
    path = top / "src" / "m007.py"
    text, found = path.read_text(), []
    for i in range(max(runs, 5) + 1):
        path.write_text(text.replace("return x + 1\n", "return x + 1 + %d - %d\n" % (i + 5, i + 5), 1))
        begin = time.time_ns()
        subprocess.run(args, cwd=str(top), env=dict(bench.ENV, BEGAN=str(began)), stdout=subprocess.DEVNULL)
        found.append(((int(began.read_text()) - begin) / 1e6, (time.time_ns() - begin) / 1e6))
    path.write_text(text)
    subprocess.run([bench.FASTEST, "pool", "stop", "--state-dir", str(state)], cwd=str(top), stdout=subprocess.DEVNULL)
    print("one function edited in 10,000 tests, pool warm: %.0f ms to the first test's start, %.0f ms in all" % (
        statistics.median(f for f, _ in found[1:]), statistics.median(t for _, t in found[1:])))


def testmon(runs, _):
    if not VENV.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(VENV / "bin" / "pip"), "-q", "install", "pytest==9.2.0", "pytest-testmon"], check=True)
    python = str(VENV / "bin" / "python")
    _, folder, _ = bench.place("more-itertools")
    work = WORK / "more"
    shutil.rmtree(str(work), ignore_errors=True)
    shutil.copytree(str(folder), str(work))
    rows = [("more-itertools", work, work / "more_itertools" / "recipes.py", "return list(islice(iterable, n))\n", "tests"),
            ("10,000 tests", many_tree(), many_tree() / "src" / "m007.py", "return x + 1\n", "tests")]
    for name, top, path, old, target in rows:
        env = dict(bench.ENV, PYTHONPATH=str(top))
        theirs = [python, "-m", "pytest", "-q", "--testmon", "-p", "no:cacheprovider", target]
        state = WORK / "testmon-state"
        shutil.rmtree(str(state), ignore_errors=True)
        for data in top.glob(".testmondata*"):
            data.unlink()
        args = ours(python, state, "--persistent-workers", target)
        for argv in (theirs, theirs, args, args):
            cpu_and_wall(argv, top, env)
        text = path.read_text()
        assert old in text, path
        figures = {}
        for i in range(max(runs, 3)):
            for who, argv in (("testmon", theirs), ("fastest", args)):
                figures.setdefault((who, "nothing changed"), []).append(timed(argv, top, env))
            path.write_text(text.replace(old, old.replace("return ", "return %d and " % (i + 1)), 1))
            for who, argv in (("testmon", theirs), ("fastest", args)):
                figures.setdefault((who, "one body edited"), []).append(timed(argv, top, env))
            path.write_text(text)
            for argv in (theirs, args):
                timed(argv, top, env)
        subprocess.run([bench.FASTEST, "pool", "stop", "--state-dir", str(state)], cwd=str(top), stdout=subprocess.DEVNULL)
        for what in ("nothing changed", "one body edited"):
            a, b = (statistics.median(figures[who, what]) for who in ("testmon", "fastest"))
            print("%-15s %-16s testmon %7.3f s, fastest %7.3f s: %.0fx" % (name, what, a, b, a / b))


def timed(argv, folder, env):
    begin = time.monotonic()
    subprocess.run([str(a) for a in argv], cwd=str(folder), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


ROWS = {"trace": trace, "keys": keys, "start": start, "testmon": testmon}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pythons", nargs="*", default=[sys.executable])
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    bench.print_machine()
    print()
    bench.become_reaper()
    for row in options.rows:
        ROWS[row](options.runs, options.pythons)


if __name__ == "__main__":
    main()
