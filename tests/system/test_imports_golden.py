"""tests/golden/imports: each file is a small project. What a test module may import, by the sources alone, is in its
`depends` line, and is never less than what plain pytest loads.

A file begins with its title, then `args:`, `python: 3.11` (the oldest that can parse it) and a `depends MODULE:` line
for each test module; then come the project's files as in tests/golden.
"""
import json
import pathlib
import shlex
import subprocess
import sys

import pytest

from conftest import FASTEST

CASES = sorted((pathlib.Path(__file__).parents[1] / "golden" / "imports").glob("*.txt"))
# Prints the project's sources that are loaded at the end, conftests and test modules too.
LOADED = """
import os, sys, types
def pytest_unconfigure(config):
    root = str(config.rootpath) + os.sep
    files = {getattr(m, "__file__", None) or "" for m in list(sys.modules.values()) if isinstance(m, types.ModuleType)}
    files |= {getattr(p, "__file__", None) or "" for p in config.pluginmanager.get_plugins()}
    print("LOADED " + "|".join(sorted(f[len(root):] for f in files if f.startswith(root) and f.endswith(".py"))))
"""


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_depends_on_all_that_is_loaded(project, path, tmp_path):
    head, *sections = path.read_text().split("\n# --- ")
    fields = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    if sys.version_info[:2] < tuple(int(n) for n in fields.get("python", "3.8").split(".")):
        pytest.skip("syntax of a later Python")
    args = shlex.split(fields.get("args", ""))
    project.write("pytest.ini", "")
    for section in sections:
        name, _, text = section.partition("\n")
        project.write(name.strip(), text + "\n")
    r = project.run([FASTEST, "why", "--json", "--python", sys.executable, *args])
    found = {m["module"]: sorted(m["depends"]) for m in json.loads(r.out)}
    assert found == {k[8:]: sorted(v.split()) for k, v in fields.items() if k.startswith("depends ")}
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    (plugin / "say_loaded.py").write_text(LOADED)
    done = project.run([sys.executable, "-m", "pytest", "-p", "say_loaded", "-p", "no:cacheprovider", *args],
                       env={"PYTHONPATH": str(plugin)})
    loaded = next(line for line in done.out.splitlines() if line.startswith("LOADED ")).split(" ", 1)[1]
    assert set(filter(None, loaded.split("|"))) <= {f for files in found.values() for f in files}
