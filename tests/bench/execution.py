"""Side-by-side figures of execution: fastest against pytest, pytest-xdist and the native runners, in one run.

usage: execution.py [--runs N] [row ...]    rows: toolz attrs trivial sleep networkx sympy batch fresh memory
"first run": no state. "pool cold": all tests run again, the state is there and no pool. "pool warm": the same, and
the pool of the run before serves. Native runners are installed into the suite's own environment and left out when
they fail there; how many tests each says have passed is printed, since the figure of one that passes fewer does not
count. Rounds go through all commands in turn: a busy minute hits all.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys

spec = importlib.util.spec_from_file_location("bench_run", str(pathlib.Path(__file__).with_name("run.py")))
bench = importlib.util.module_from_spec(spec)  # "run" is the name of parity's, which it imports
spec.loader.exec_module(bench)
import ids as parity_ids  # noqa: E402  (run.py put tests/parity on the path)

STATE = bench.ROOT / "build" / "bench-state"
NATIVE = {"karva": "karva test", "rustest": "rustest", "tezt": "tezt", "rtest": "rtest"}


def place(row):
    if row == "sympy":
        name, needs, source, paths = parity_ids.EXTRA[0]
        python, folder = bench.parity.prepare(name, needs, source)
        if not (python.parent / "ninja").exists():
            bench.parity.run([python, "-m", "pip", "-q", "install", "pytest-xdist==3.8.0", "ninja==1.13.2"], folder)
        tests = sorted(str(p.relative_to(folder)) for top in paths for p in (folder / top).rglob("test_*.py"))
        return python, folder, tests[::10]
    if row in ("trivial", "sleep"):
        python, _, _ = bench.place("toolz")
        return python, trivial() if row == "trivial" else sleepers(), []
    return bench.place(row)


def trivial():
    top = bench.ROOT / "build" / "bench-trivial"
    if not top.exists():
        for i in range(500):
            path = top / ("t%02d" % (i % 50)) / ("test_m%03d.py" % i)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join("def test_%d():\n    assert %d + 1 == %d\n\n\n" % (k, k, k + 1) for k in range(20)))
        (top / "pytest.ini").write_text("[pytest]\n")
    return top


def sleepers():
    top = bench.ROOT / "build" / "bench-sleep"
    if not top.exists():
        top.mkdir(parents=True)
        for i in range(50):
            (top / ("test_s%02d.py" % i)).write_text(
                "import time\n\n\n" + "".join("def test_%d():\n    time.sleep(0.01)\n\n\n" % k for k in range(20)))
        (top / "pytest.ini").write_text("[pytest]\n")
    return top


def natives(python, folder, target):
    for name, command in NATIVE.items():
        program = python.parent / name
        if not program.exists():
            subprocess.run([str(python), "-m", "pip", "-q", "install", name], check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        full = "%s/%s %s" % (python.parent, command, target)
        if program.exists():
            yield name, full
        else:
            print("  %s: cannot be installed, left out" % name)


def passed(command, folder):
    """How many tests it says have passed, however it says that."""
    try:
        done = subprocess.run(command, shell=True, cwd=str(folder), env=bench.ENV, stdin=subprocess.DEVNULL, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        return None
    text = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    found = re.findall(r"([\d,]+) passed", text) or re.findall(r"passed[:=]? *([\d,]+)", text, re.I)
    return int(found[-1].replace(",", "")) if found else None


def ours(python, target, *options):
    return "%s --python %s --state-dir %s -q -p no:cacheprovider %s %s" % (bench.FASTEST, python, STATE, " ".join(options), target)


STOP = [bench.FASTEST, "pool", "stop", "--state-dir", str(STATE)]


def stop():
    subprocess.run(STOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compare(row, runs, xdist="-n 2", options="", native=True):
    python, folder, paths = place(row)
    target = " ".join(paths)
    plain = "%s/pytest -q -p no:cacheprovider %s" % (python.parent, target)
    again = ours(python, target, "--no-cache", options)
    commands = [("pytest", plain, None), ("pytest " + xdist, plain + " " + xdist, None)]
    if native:
        commands += [(name, command, None) for name, command in natives(python, folder, target)]
    commands += [("fastest, first run", ours(python, target, options), "rm -rf %s" % STATE),
                 ("fastest, pool cold", again, None), ("fastest, pool warm", again + " --persistent-workers", None)]
    stop()
    counts = {label: passed(command, folder) for label, command, _ in commands}
    stop()
    commands = [c for c in commands if counts[c[0]]]
    rounds = {label: [] for label, _, _ in commands}
    for _ in range(runs):
        for label, command, prepare in commands:
            warm = "warm" in label  # its pool is ended before its CPU time is asked for: that waits for all processes
            rounds[label].append(bench.hyperfine(folder, 1, command, prepare or "true", warmup=int(warm), after=STOP if warm else None))
    labels = [label for label, _, _ in commands]
    figures = [tuple(map(statistics.median, zip(*rounds[label]))) for label in labels]
    bench.show("%s, all tests" % row, ["%s (%s passed)" % (label, counts[label]) for label in labels], figures)
    best = {label: wall for label, (wall, _) in zip(labels, figures)}
    rivals = [label for label in labels if label in NATIVE and counts[label] == counts["pytest"]]
    for label in labels[-3:]:
        line = ["%s: against pytest %s %.2fx" % (label, xdist, best["pytest " + xdist] / best[label])]
        if rivals:
            quickest = min(rivals, key=best.get)
            line.append("against %s %.2fx" % (quickest, best[quickest] / best[label]))
        print("  " + ", ".join(line))


def pool_seconds():
    """CPU time of all processes of the pool that is there."""
    ticks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environ = pathlib.Path("/proc/%s/environ" % pid).read_bytes()
            if b"FASTEST_BENCH_POOL" in environ:
                fields = pathlib.Path("/proc/%s/stat" % pid).read_text().rpartition(")")[2].split()
                ticks += sum(int(n) for n in fields[11:15])
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def seconds_of_children():
    """Of those that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def batch(runs):
    """The CPU time of a warm run of the trivial tests, by batch: what a run costs that has nothing to do is left out."""
    python, folder, _ = place("trivial")
    env = dict(bench.ENV, FASTEST_BENCH_POOL="1")
    run = lambda *options: subprocess.run(ours(python, "", "--persistent-workers", *options), shell=True, cwd=str(folder),  # noqa: E731
                                          env=env, stdout=subprocess.DEVNULL)
    stop()
    for _ in range(3):
        run("--no-cache")
    edges = (STATE / "graph.ninja").read_text().count(": fastest_batch")
    spent = {}
    for options in ([], ["--no-cache"]):
        before, pool = seconds_of_children(), pool_seconds()
        for _ in range(runs):
            run(*options)
        spent[len(options)] = ((seconds_of_children() - before) / runs, (pool_seconds() - pool) / runs)
    clients, pools = (spent[1][k] - spent[0][k] for k in (0, 1))
    print("\n%d batches, warm pool: %.2f ms CPU a batch of Ninja, its spawn, the client and the reports; %.2f ms of the pool "
          "and its workers, the tests included" % (edges, clients / edges * 1e3, pools / edges * 1e3))
    stop()


def fresh(runs):
    """Collection of NetworkX without __pycache__, as a new checkout has it; our cache is the shared one."""
    python, folder, paths = place("networkx")
    target = " ".join(paths)
    clean = "find %s -name __pycache__ -prune -exec rm -rf {} +" % target
    plain = "%s/pytest -q -p no:cacheprovider --collect-only %s" % (python.parent, target)
    mine = ours(python, target, "-k", "no_such_test_anywhere", "--no-cache")
    stop()
    subprocess.run(mine, shell=True, cwd=str(folder), env=bench.ENV, stdout=subprocess.DEVNULL)
    rounds = [[bench.hyperfine(folder, 1, c, clean) for c in (plain, mine)] for _ in range(runs)]
    figures = [tuple(map(statistics.median, zip(*column))) for column in zip(*rounds)]
    bench.show("networkx without __pycache__: collection", ["pytest --collect-only -q", "fastest, nothing selected"], figures)


def memory(_runs):
    python, folder, paths = place("networkx")
    shutil.rmtree(str(STATE), ignore_errors=True)
    target = " ".join(paths)
    theirs = bench.peak("%s/pytest -q -n 4 -p no:cacheprovider %s" % (python.parent, target), folder)
    us = bench.peak(ours(python, target, "-n", "4"), folder)
    print("\nnetworkx, peak memory (PSS): pytest -n 4 %.0f MiB, fastest -n 4 %.0f MiB, ratio %.2f" % (theirs, us, us / theirs))


ROWS = {"toolz": lambda n: compare("toolz", n), "attrs": lambda n: compare("attrs", n),
        "trivial": lambda n: compare("trivial", n), "sleep": lambda n: compare("sleep", n, "-n 16", "-n 16", native=False),
        "networkx": lambda n: compare("networkx", 1, native=False), "sympy": lambda n: compare("sympy", 1, native=False),
        "batch": batch, "fresh": fresh, "memory": memory}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    bench.print_machine()
    bench.become_reaper()
    for row in options.rows:
        ROWS[row](options.runs)


if __name__ == "__main__":
    sys.exit(main())
