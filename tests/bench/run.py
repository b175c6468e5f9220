"""Side-by-side figures: fastest against pytest and pytest -n 2, in one run, by hyperfine.

usage: run.py [--runs N] [row ...]     rows: more-itertools networkx noop edit memory
Prints medians, ratios, CPU seconds and peak memory (sum of PSS over the process tree), with the
versions and the machine. A ratio counts for this machine and this run only.
"""
import argparse
import ctypes
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "parity"))
import run as parity  # noqa: E402

FASTEST = parity.FASTEST
ENV = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "FASTEST_ADDOPTS")}


def place(name):
    """(python, folder, paths) of a parity suite, with xdist and ninja beside pytest."""
    suite = next(s for s in parity.suites() if s[0] == name)
    python, folder = parity.prepare(*suite[:3])
    if not (python.parent / "ninja").exists():
        parity.run([python, "-m", "pip", "-q", "install", "pytest-xdist==3.8.0", "ninja==1.13.2"], folder)
    return python, folder, suite[3]


def become_reaper():
    """What a command leaves running becomes our child, so that its CPU time is counted."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, linux/prctl.h


def cpu_of_children():
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hyperfine(folder, runs, command, prepare="true", warmup=0, after=None):
    """(median seconds, CPU seconds of a run, the pool's included) of a shell command that `prepare`
    precedes; `after` ends what is left at the end. hyperfine's own variable, another one for each
    run, would be another environment for the pool."""
    out = ROOT / "build" / "bench.json"
    before = cpu_of_children()
    subprocess.run(["hyperfine", "--style", "none", "-i", "--runs", str(runs), "--warmup", str(warmup), "--export-json",
                    str(out), "--prepare", prepare, "unset HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET; " + command], cwd=str(folder), env=ENV, check=True,
                   stdout=subprocess.DEVNULL)
    if after:
        subprocess.run(after, cwd=str(folder), env=ENV, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())["results"][0]["median"], (cpu_of_children() - before) / (runs + warmup)


def show(title, labels, figures, base=0):
    print("\n%s" % title)
    for label, (wall, cpu) in zip(labels, figures):
        ratio = figures[base][0] / wall if wall else 0
        print("  %-34s %9.3f s wall %9.3f s CPU   %8.2fx" % (label, wall, cpu, ratio))
    sys.stdout.flush()


def full_run(name, runs):
    python, folder, paths = place(name)
    state = ROOT / "build" / "bench-state"
    target = " ".join(paths)
    plain = "%s/pytest -q -p no:cacheprovider %s" % (python.parent, target)
    ours = "%s --python %s --state-dir %s -q -p no:cacheprovider %s" % (FASTEST, python, state, target)
    rounds = [[hyperfine(folder, 1, plain), hyperfine(folder, 1, plain + " -n 2"),
               hyperfine(folder, 1, ours, "rm -rf %s" % state)] for _ in range(runs)]  # a busy minute hits all
    figures = [tuple(map(statistics.median, zip(*column))) for column in zip(*rounds)]
    show("%s, full first run" % name, ["pytest", "pytest -n 2", "fastest"], figures)
    print("  fastest against pytest -n 2: %.2fx" % (figures[1][0] / figures[2][0]))


def tree(name):
    """A private copy of the suite to edit, with build.ninja: (python, folder, paths)."""
    python, folder, paths = place(name)
    work = ROOT / "build" / "bench-tree"
    shutil.rmtree(str(work), ignore_errors=True)
    for path in paths:
        shutil.copytree(str(folder / path), str(work / path))
    return python, work, paths


def noop(runs):
    python, folder, paths = tree("networkx")
    subprocess.run([FASTEST, "init", "--python", str(python)] + paths, cwd=str(folder), env=ENV, check=True, stdout=subprocess.DEVNULL)
    ninja = "%s/ninja test" % python.parent
    subprocess.run(ninja, shell=True, cwd=str(folder), env=ENV, stdout=subprocess.DEVNULL)
    subprocess.run(ninja, shell=True, cwd=str(folder), env=ENV, stdout=subprocess.DEVNULL)
    plain = "%s/pytest -q -p no:cacheprovider %s" % (python.parent, " ".join(paths))
    figures = [hyperfine(folder, runs, plain), hyperfine(folder, max(runs, 50), ninja, warmup=2)]
    show("networkx, nothing changed", ["pytest", "ninja test"], figures)


def body_seconds(folder):
    """{module: what its tests take themselves (call phases of the last run)}."""
    found = {}
    for test in json.loads((folder / ".fastest" / "report.json").read_text())["tests"]:
        module = test["nodeid"].split("::")[0]
        found[module] = found.get(module, 0) + test.get("call", {}).get("duration", 0)
    return found


def edit(runs):
    """Modules of median size and of the 90th percentile, of those whose tests take no time, changed before each run."""
    python, folder, paths = tree("networkx")
    base = "%s --python %s -q -p no:cacheprovider %s" % (FASTEST, python, " ".join(paths))
    warm = base + " --persistent-workers"
    subprocess.run(base, shell=True, cwd=str(folder), env=ENV, stdout=subprocess.DEVNULL)
    bodies = body_seconds(folder)
    modules = sorted((m for m in bodies if bodies[m] < 0.05), key=lambda m: (folder / m).stat().st_size)
    for module in (modules[len(modules) // 2], modules[len(modules) * 9 // 10]):
        plain = "%s/pytest -q -p no:cacheprovider %s" % (python.parent, module)
        change = "echo 'X = 1' >> %s" % module
        figures = [hyperfine(folder, max(runs, 10), plain, change, warmup=1),
                   hyperfine(folder, max(runs, 10), base, change, warmup=1),
                   hyperfine(folder, max(runs, 10), warm, change, warmup=2, after=[FASTEST, "pool", "stop"])]
        show("networkx, one test module changed (%s, %d bytes)" % (module, (folder / module).stat().st_size),
             ["pytest of that file", "fastest, pool cold", "fastest, pool warm"], figures)
        less = [wall - bodies[module] for wall, _ in figures]
        print("  without the test bodies (%.3f s): cold %.2fx, warm %.2fx" % (bodies[module], less[0] / less[1], less[0] / less[2]))


def pss_kib(marker):
    """Sum of PSS of all processes whose environment carries the marker."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as f:
                if marker not in f.read():
                    continue
            with open("/proc/%s/smaps_rollup" % pid) as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total


def peak(command, folder):
    marker = "FASTEST_BENCH=%d" % os.getpid()
    env = dict(ENV, FASTEST_BENCH=str(os.getpid()))
    child = subprocess.Popen(command, shell=True, cwd=str(folder), env=env, stdout=subprocess.DEVNULL)
    done, best = threading.Event(), 0
    threading.Thread(target=lambda: (child.wait(), done.set()), daemon=True).start()
    while not done.wait(0.1):
        best = max(best, pss_kib(marker.encode()))
    return best / 1024


def memory(_runs):
    for name in ("more-itertools", "networkx"):
        python, folder, paths = place(name)
        state = ROOT / "build" / "bench-state"
        shutil.rmtree(str(state), ignore_errors=True)
        plain = "%s/pytest -q -n 2 -p no:cacheprovider %s" % (python.parent, " ".join(paths))
        ours = "%s --python %s --state-dir %s -q -p no:cacheprovider %s" % (FASTEST, python, state, " ".join(paths))
        theirs, us = peak(plain, folder), peak(ours, folder)
        print("\n%s, peak memory (PSS): pytest -n 2 %.0f MiB, fastest %.0f MiB, ratio %.2f" % (name, theirs, us, us / theirs))


ROWS = {"more-itertools": lambda n: full_run("more-itertools", n), "networkx": lambda n: full_run("networkx", n),
        "noop": noop, "edit": edit, "memory": memory}


def print_machine():
    if not shutil.which("hyperfine"):
        sys.exit("hyperfine: not found; install it (apt-get install hyperfine)")
    (ROOT / "build").mkdir(exist_ok=True)
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "?")
    print("%s, %d CPUs, Linux %s" % (cpu, os.cpu_count(), platform.release()))
    for argv in ([FASTEST, "--version"], ["ninja", "--version"], ["hyperfine", "--version"]):
        print(" ".join(subprocess.run(argv, stdout=subprocess.PIPE, text=True).stdout.split()), end="; ")
    print("suites under python3 %s" % platform.python_version())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    print_machine()
    become_reaper()
    for row in options.rows:
        ROWS[row](options.runs)


if __name__ == "__main__":
    main()
