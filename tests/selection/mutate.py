"""Mutates real projects and asks whether fastest would have noticed: every test that plain pytest fails because
of the mutation must be in a module that an incremental run of fastest runs again, and fail there too.

usage: mutate.py [--count N] [--seed S] [--resume] [--always] [suite ...]     (default: 60 of each of SUITES, seed 1)

Where all modules run again nothing can be missed, and plain pytest is not asked (--always asks it).

The projects are tests/parity's, copied. A mutation is one small edit: a constant, a comparison, an operator, a
return value, a default, a decorator, a class variable, a name that __init__ no longer takes from a module, a
conftest, a data file, or a new file that shadows another. The truth is a full run of plain pytest; ids that fail
without a mutation, or on which two such runs differ, are left out. After each mutation the source and the state
directory are what they were. A test that fails in the full run and passes when plain pytest runs its module alone fails
because of what another module's failure has left in the process; those are counted apart. Exit 1 when a test was missed.
Each result is a line of build/selection/NAME.jsonl, with which --resume goes on where a run of that seed was ended.
"""
import argparse
import ast
import importlib.util
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("parity_run", str(HERE.parent / "parity" / "run.py"))
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)

HANGS = -1
WORK = parity.ROOT / "build" / "selection"
# name -> (what of the suite's folder is copied, the sources that are mutated)
SUITES = {"attrs": (".", "src"), "more-itertools": (".", "more_itertools"), "packaging": (".", "src"),
          "networkx": ("networkx", "networkx"), "toolz": (".", "toolz"), "black": (".", "src/black")}
EXTRA = [("black", ["black==25.9.0"], "black==25.9.0 0474bca9a0dd1b51791fcc507a4e02078a1c63f6d4e4ae5544b9848c7adfb619",
          ["-W", "ignore::pytest.PytestRemovedIn10Warning", "--ignore=tests/test_blackd.py", "tests"])]  # not tests/parity's
SWAPS = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not",
         ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}


def is_test(path):
    return "tests" in path.parts or path.name.startswith("test_") or path.name == "conftest.py"


class Candidates(ast.NodeVisitor):
    """(kind, first character, end, new text) of the edits that a source allows."""

    def __init__(self, text, name):
        self.text, self.name, self.found, self.docs = text, name, [], set()
        self.starts = [0]
        for line in text.split("\n"):
            self.starts.append(self.starts[-1] + len(line.encode()) + 1)
        self.data = text.encode()
        self.depth = []
        self.visit(ast.parse(text))

    def place(self, node):
        return (self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset)

    def add(self, kind, node, new):
        start, end = self.place(node)
        self.found.append((kind, start, end, new.encode()))

    def visit_body(self, node):
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            self.docs.add(body[0].value)
        self.depth.append(type(node))
        self.generic_visit(node)
        self.depth.pop()

    visit_Module = visit_body

    def visit_ClassDef(self, node):
        self.decorators(node)
        self.visit_body(node)

    def visit_FunctionDef(self, node):
        self.decorators(node)
        for default in node.args.defaults:
            if isinstance(default, ast.Constant):
                self.add("default", default, "'mutated'" if isinstance(default.value, str) else "None" if default.value else "1")
        self.visit_body(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def decorators(self, node):
        for decorator in node.decorator_list:
            start, end = self.place(decorator)
            if decorator.lineno == decorator.end_lineno:
                self.found.append(("decorator", start - 1, end, b"# mutated"))

    def visit_Constant(self, node):
        if node in self.docs:
            return
        where = self.depth[-1] if self.depth else ast.Module
        kind = {ast.Module: "module constant", ast.ClassDef: "class variable"}.get(where, "constant")
        if isinstance(node.value, bool):
            self.add(kind, node, str(not node.value))
        elif isinstance(node.value, int):
            self.add(kind, node, str(node.value + 1))
        elif isinstance(node.value, str) and node.lineno == node.end_lineno and \
                self.data[self.place(node)[0]:self.place(node)[0] + 1] in (b"'", b'"'):
            self.add(kind, node, repr(node.value + "x"))

    def visit_JoinedStr(self, node):
        pass

    def visit_Compare(self, node):
        swap = SWAPS.get(type(node.ops[0]))
        if swap and len(node.ops) == 1:
            left, right = self.place(node.left)[1], self.place(node.comparators[0])[0]
            self.found.append(("comparison", left, right, (" %s " % swap).encode()))
        self.generic_visit(node)

    def visit_Return(self, node):
        if node.value is not None:
            self.add("return", node, "return None")
        self.generic_visit(node)

    def visit_ImportFrom(self, node):
        if self.name == "__init__.py" and len(node.names) > 1 and node.lineno == node.end_lineno:
            self.add("re-export", node.names[-1], "%s as _mutated" % node.names[-1].name)


def edits(root, sources, chance):
    """One edit after the other: (kind, path, new bytes; None for a new file's)."""
    files = sorted(p for p in (root / sources).rglob("*.py") if not is_test(p.relative_to(root)))
    helpers = sorted(p for p in root.rglob("conftest.py"))
    data = sorted(p for p in root.rglob("*") if p.suffix in (".txt", ".json", ".dat", ".gz") and "tests" in p.parts)
    known = {}
    while True:
        roll = chance.random()
        path = chance.choice(helpers if roll < 0.04 and helpers else data if roll < 0.07 and data else files)
        if path in data:
            yield "data file", path, path.read_bytes()[:-7] + b"mutated"
            continue
        if roll > 0.97 and path.name != "__init__.py":
            package = path.with_suffix("")
            if not package.exists():
                yield "shadowing package", package / "__init__.py", b"raise ImportError('mutated')\n"
            continue
        if path not in known:
            try:
                known[path] = Candidates(path.read_text(encoding="utf-8"), path.name).found
            except (SyntaxError, UnicodeDecodeError):
                known[path] = []
        kinds = sorted({c[0] for c in known[path]})
        if not kinds:
            continue
        kind = chance.choice(kinds)
        _, start, end, new = chance.choice([c for c in known[path] if c[0] == kind])
        old = path.read_bytes()
        changed = old[:start] + new + old[end:]
        try:
            compile(changed, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        if path in helpers:
            kind = "conftest"
        if changed != old:
            yield kind, path, changed


def failing(found):
    return {i for i, outcome in found.items() if outcome in ("failed", "error")}


class Project:
    def __init__(self, name):
        part, self.sources = SUITES[name]
        _, needs, source, self.args = next(s for s in [*parity.suites(), *EXTRA] if s[0] == name)
        self.python, folder = parity.prepare(name, needs, source)
        self.home = WORK / name
        shutil.rmtree(str(self.home), ignore_errors=True)
        self.root = self.home / "root"
        if part == ".":
            shutil.copytree(str(folder), str(self.root))
        else:
            shutil.copytree(str(folder / part), str(self.root / part))
        self.limit, self.own_args = None, []
        self.state, self.kept = self.home / "state", self.home / "kept"
        self.env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")}
        self.env["PYTHONPATH"] = os.pathsep.join([str(parity.HERE), str(self.root / "src"), str(self.root)])

    def plain(self, args=None):
        out = self.home / "plain.json"
        if out.exists():
            out.unlink()
        argv = [self.python.parent / "pytest", "-q", "-p", "outcomes", "-p", "no:cacheprovider"] + (args or self.args)
        start = time.time()
        try:
            done = subprocess.run([str(a) for a in argv], cwd=str(self.root), env=dict(self.env, OUTCOMES=str(out)),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=self.limit)
        except subprocess.TimeoutExpired:
            return HANGS, {}
        self.limit = self.limit or 60 + 5 * (time.time() - start)  # seconds
        return done.returncode, json.loads(out.read_text()) if out.exists() else {}

    def fail_alone(self, modules, tests):
        """Those that fail when plain pytest runs their module alone; all where it cannot tell."""
        found = set()
        for module in modules:
            code, outcomes = self.plain([module])
            found |= failing(outcomes) if code in (0, 1) else {i for i in tests if i.split("::")[0] == module}
        return found

    def fast(self):
        report = self.state / "report.json"
        if report.exists():
            report.unlink()
        argv = [parity.FASTEST, "--python", self.python, "--state-dir", self.state, "-q", "-p", "no:cacheprovider"] + self.own_args + self.args
        with subprocess.Popen([str(a) for a in argv], cwd=str(self.root), env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            try:
                out, _ = process.communicate(timeout=self.limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                process.communicate()
                return HANGS, None, ""
        return process.returncode, json.loads(report.read_text()) if report.exists() else None, out.decode(errors="replace")


def rerun_of(report):
    """(modules that ran, all modules, outcomes by id)."""
    ran, modules, found = set(), set(), {}
    for test in report["tests"]:
        module = test["nodeid"].split("::")[0]
        modules.add(module)
        found[test["nodeid"]] = test["outcome"]
        if not test["cached"]:
            ran.add(module)
    for c in report["collectors"]:
        if c["outcome"] == "failed":
            found[c["nodeid"]] = "error"
            ran.add(c["nodeid"].split("::")[0])
    return ran, modules, found


def undo(project, path, old, stat):
    if old is None:
        shutil.rmtree(str(path.parent))
    else:
        path.write_bytes(old)
        os.utime(str(path), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    for cache in project.root.rglob("__pycache__"):
        for pyc in cache.glob(path.stem + ".*"):
            pyc.unlink()


def reset(project):
    shutil.rmtree(str(project.state))
    shutil.copytree(str(project.kept), str(project.state))


def results_before(name, seed, resume):
    """(file, results) of an earlier run that was ended."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / ("%s.jsonl" % name)
    known = [json.loads(line) for line in path.read_text().splitlines()] if resume and path.exists() else []
    path.write_text("".join(json.dumps(k) + "\n" for k in known))
    return path, [k for k in known if k["seed"] == seed]


def summary(name, results):
    shares, kinds = [r["share"] for r in results], {}
    for r in results:
        kinds.setdefault(r["kind"], []).append(r["share"])
    print("%s: %d mutations, %d noticed by a test, %d tests missed, %d that failed of what another module had left; "
          "modules run: mean %.2f  (%s)" % (
              name, len(results), sum(r["fails"] > 0 for r in results), sum(r["missed"] for r in results),
              sum(r["leaked"] for r in results), sum(shares) / max(len(shares), 1),
              ", ".join("%s %.2f" % (k, sum(v) / len(v)) for k, v in sorted(kinds.items()))), flush=True)


def campaign(name, count, seed, resume, always):
    log, results = results_before(name, seed, resume)
    if len(results) >= count:
        summary(name, results)
        return sum(r["missed"] for r in results), len(results)
    project = Project(name)
    _, first = project.plain()
    if not first:
        sys.exit("%s: plain pytest runs no test" % name)
    _, second = project.plain()
    noise = failing(first) | {i for i in set(first) | set(second) if first.get(i) != second.get(i)}
    project.fast()
    _, report, text = project.fast()
    if report is None:
        sys.exit("%s: fastest made no report:\n%s" % (name, text[-2000:]))
    ran, modules, _ = rerun_of(report)
    print("%s: %d ids, %d left out; nothing changed: %d of %d modules run" % (name, len(first), len(noise), len(ran), len(modules)))
    shutil.rmtree(str(project.kept), ignore_errors=True)
    shutil.copytree(str(project.state), str(project.kept), ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    for at, (kind, path, new) in enumerate(edits(project.root, project.sources, random.Random(seed))):
        if len(results) >= count:
            break
        if results and at <= results[-1]["at"]:
            continue
        old, stat = (path.read_bytes(), path.stat()) if path.exists() else (None, None)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(new)
        code, report, text = project.fast()
        ran, _, found = rerun_of(report) if report else (set(modules), modules, {})
        asks = code != HANGS and (always or modules - ran)
        if asks:
            code, truth = project.plain()
        else:
            truth = found
        if code == HANGS:
            undo(project, path, old, stat)
            reset(project)
            continue
        bad = failing(truth) - noise
        if code not in (0, 1) and report is None:
            bad = set()
        lost = {i for i in bad if i.split("::")[0] not in ran}
        alone = lost & project.fail_alone({i.split("::")[0] for i in lost}, lost)
        leaked, lost = len(lost - alone), alone
        other = {i for i in (failing(found) ^ failing(truth)) - noise} if code in (0, 1) and truth else set()
        where = path.relative_to(project.root)
        results.append({"seed": seed, "at": at, "kind": kind, "where": str(where), "fails": len(bad), "missed": len(lost),
                        "leaked": leaked, "share": len(ran & modules) / max(len(modules), 1),
                        "lost": sorted(lost)[:20]})
        with log.open("a") as f:
            f.write(json.dumps(results[-1]) + "\n")
        print("  %-18s %-44s fails %4d  ran %3d of %d modules  missed %d%s" % (
            kind, where, len(bad), len(ran & modules), len(modules), len(lost),
            "  other outcomes: %d %s" % (len(other), sorted(other)[:2]) if other else ""), flush=True)
        if lost:
            keep = WORK / ("missed-%s-%d" % (name, at))
            keep.write_bytes(new)
            print("    MISSED %s; the mutated file is kept as %s" % (sorted(lost)[:3], keep))
        undo(project, path, old, stat)
        reset(project)
    summary(name, results)
    return sum(r["missed"] for r in results), len(results)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--always", action="store_true")
    parser.add_argument("suites", nargs="*", default=[s for s in SUITES if s != "toolz"])
    options = parser.parse_args()
    start = time.time()
    results = [campaign(name, options.count, options.seed, options.resume, options.always) for name in options.suites]
    print("%d mutations, %d tests missed, %d minutes" % (
        sum(r[1] for r in results), sum(r[0] for r in results), (time.time() - start) / 60))
    sys.exit(1 if any(r[0] for r in results) else 0)


if __name__ == "__main__":
    main()
