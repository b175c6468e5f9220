"""Side-by-side figures of discovery: `fastest discover` against pytest --collect-only and other native
collectors, in one run, by hyperfine.

usage: discover.py [--runs N | --quick] [row ...]     rows: toolz attrs tree networkx sympy linear
tree: 10,000 tests in 500 files. linear: 100,000 in 5,000 against that. "no cache" parses every file; "nothing
changed" is the last answer, checked; "one file edited" has the parse cache. Other collectors are taken from
build/bench-venv (pip installs them there when it can) and left out when they fail; how many ids each lists is
printed, since one that lists fewer has done less. CPU is user + system of a run. --quick: toolz, one run.
"""
import argparse
import importlib.util
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys

spec = importlib.util.spec_from_file_location("bench_run", str(pathlib.Path(__file__).with_name("run.py")))
bench = importlib.util.module_from_spec(spec)  # "run" is the name of parity's, which it imports
spec.loader.exec_module(bench)
import ids as parity_ids  # noqa: E402  (run.py put tests/parity on the path)

VENV = bench.ROOT / "build" / "bench-venv"
OTHERS = {"cito": ["cito", "collect"], "tezt": ["tezt", "--collect-only"],
          "tezt, no cache": ["tezt", "--no-cache", "--collect-only"], "rtest": ["rtest", "--collect-only"]}


def others():
    """(name, command) of the collectors that could be installed."""
    if not VENV.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        for name in ["cito", "tezt", "rtest", "pytest==9.2.0"]:
            subprocess.run([str(VENV / "bin" / "pip"), "-q", "install", name], check=False)
    for name, argv in OTHERS.items():
        if (VENV / "bin" / argv[0]).exists():
            yield name, [str(VENV / "bin" / argv[0])] + argv[1:]
        else:
            print("  %s: cannot be installed, left out" % name)


def tree(files):
    """20 tests a file, in 50 directories."""
    top = bench.ROOT / "build" / ("bench-discover-%d" % files)
    if not top.exists():
        for i in range(files):
            folder = top / ("t%02d" % (i % 50))
            folder.mkdir(parents=True, exist_ok=True)
            body = "".join("def test_%02d():\n    x = [i * %d for i in range(10)]\n    assert sum(x) == 45 * %d\n\n" % (k, k, k)
                           for k in range(20))
            (folder / ("test_m%04d.py" % i)).write_text("import os\n\n" + body)
        (top / "pytest.ini").write_text("[pytest]\n")
    return top


def place(row):
    if row == "tree":
        python, _, _ = bench.place("toolz")
        return python, tree(500), []
    if row == "sympy":
        name, needs, source, paths = parity_ids.EXTRA[0]
        return (*bench.parity.prepare(name, needs, source), paths)
    return bench.place(row)


def ours(python, paths, state, *options):
    return " ".join([bench.FASTEST, "discover", "--python", str(python), "--state-dir", str(state)] + list(options) + paths)


def timed(folder, command, warmup):
    """(seconds, user and system seconds) of a run, without a shell between."""
    out = bench.ROOT / "build" / "bench.json"
    subprocess.run(["hyperfine", "-N", "-i", "--style", "none", "--runs", "1", "--export-json", str(out), "--warmup", str(warmup),
                    command], cwd=str(folder), env=bench.ENV, check=True, stdout=subprocess.DEVNULL)
    result = json.loads(out.read_text())["results"][0]
    return result["median"], result["user"] + result["system"]


def measure(folder, runs, commands):
    """Of each command its runs. All but pytest, which comes first, are run in turn, ten times as often: the
    machine's speed differs more from second to second than they do from each other."""
    rounds = [[timed(folder, command, 1) for command in commands[1:]] for _ in range(10 * runs)]
    return [[timed(folder, commands[0], 0) for _ in range(runs)]] + [list(column) for column in zip(*rounds)]


def listed(command, folder):
    """How many ids a command lists; None when it fails."""
    done = subprocess.run(command, shell=True, cwd=str(folder), env=bench.ENV, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return None if done.returncode else sum(b"::" in line for line in done.stdout.splitlines())


def peak_kib(command, folder):
    out = subprocess.run("/usr/bin/time -f %M " + command + " >/dev/null", shell=True, cwd=str(folder), env=bench.ENV,
                         stderr=subprocess.PIPE, text=True).stderr.strip()
    return out.splitlines()[-1] if out else "?"


def compare(row, runs):
    python, folder, paths = place(row)
    state = bench.ROOT / "build" / "bench-state"
    shutil.rmtree(str(state), ignore_errors=True)
    pytest = "%s -m pytest --collect-only -q -p no:cacheprovider %s" % (python, " ".join(paths))
    if not listed(pytest, folder):
        sys.exit("%s: pytest collects nothing here, so there is nothing to compare with" % row)
    labels = ["pytest --collect-only -q", "fastest, no cache", "fastest, no cache, regex", "fastest, nothing changed"]
    commands = [pytest, ours(python, paths, state, "--no-cache"),
                ours(python, paths, state, "--no-cache", "--parser", "regex"), ours(python, paths, state)]
    for name, argv in others():
        command = " ".join(argv + paths)
        if not listed(command, folder):
            print("  %s: fails here, left out" % name)
            continue
        labels.append(name)
        commands.append(command)
    figures = measure(folder, runs, commands)
    bench.show("%s, collection" % row, labels, [tuple(map(statistics.median, zip(*f))) for f in figures])
    print("  ids listed: " + "; ".join("%s %s" % (label, listed(c, folder)) for label, c in zip(labels, commands)))
    against_best(labels, figures)
    if row == "tree":
        print("  peak memory, KiB: " + "; ".join("%s %s" % (label, peak_kib(c, folder)) for label, c in zip(labels, commands)))
    shutil.rmtree(str(folder / ".tezt_cache"), ignore_errors=True)


def against_best(labels, figures):
    """Each of ours against the quickest of the others that keeps as much from run to run: the median of what the rounds say."""
    for i in (1, 2, 3):
        rivals = [k for k in range(4, len(labels)) if i == 3 or labels[k] != "tezt"]
        if rivals:
            best = min(rivals, key=lambda k: statistics.median(wall for wall, _ in figures[k]))
            ratios = [other[0] / own[0] for other, own in zip(figures[best], figures[i])]
            print("  %s against %s: %.2fx" % (labels[i], labels[best], statistics.median(ratios)))


def measured(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, shell=True, cwd=str(folder), env=bench.ENV, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def linear(runs):
    python, _, _ = bench.place("toolz")
    state = bench.ROOT / "build" / "bench-state"
    cpu = {}
    for files in (500, 5000):
        command = ours(python, [], state, "--no-cache")
        cpu[files] = sorted(measured(command, tree(files)) for _ in range(max(runs, 3)))[1]
    peak = peak_kib(ours(python, [], state, "--no-cache"), tree(500))
    print("\n10,000 tests %.3f s CPU, peak memory %s KiB; 100,000 tests %.3f s CPU: %.1fx" % (
        cpu[500], peak, cpu[5000], cpu[5000] / cpu[500]))


def main():
    rows = ["toolz", "attrs", "tree", "networkx", "sympy", "linear"]
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("rows", nargs="*", default=rows)
    options = parser.parse_args()
    if options.quick:
        options.runs, options.rows = 1, ["toolz"]
    bench.ENV["FASTEST_CACHE_DIR"] = str(bench.ROOT / "build" / "bench-cache")
    bench.print_machine()
    bench.become_reaper()
    for row in options.rows:
        linear(options.runs) if row == "linear" else compare(row, options.runs)


if __name__ == "__main__":
    main()
