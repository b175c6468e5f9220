"""generator/config/config.c against the real pytest: what `test_config --print` reads is what probe.py is told."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("CONFIG_PARITY_PYTHON", sys.executable)
TESTER = pathlib.Path(os.environ.get("FASTEST", ROOT / "build" / "fastest")).parent / "tests" / "test_config"
KEYS = """python pytest root ini cutdir noconftest in_venv import_mode doctest_modules python_files python_classes
python_functions norecurse doctest_glob ignore ignore_glob pythonpath arg arg_text path third""".split()
UNORDERED = {"third"}
# The probe does not tell these; the test asks for them in the same process.
NEEDLE = '    put("in_venv",'
MORE = "".join("    for p in config.getini(%r):\n        put(%r, p)\n" % (n, n)
               for n in ("python_classes", "python_functions"))

pytestmark = pytest.mark.skipif(not TESTER.exists(), reason="%s is not built" % TESTER)

INI = "[pytest]\n"
TOML = "[tool.pytest.ini_options]\n"
# name: (files, cwd, args, environment)
CASES = {
    "nothing": ({}, ".", [], {}),
    "pytest.ini": ({"pytest.ini": INI + "python_files = a_*.py b.py\nnorecursedirs = x 'y z'\n"}, ".", [], {}),
    "empty pytest.ini": ({"pytest.ini": "", "tox.ini": INI + "python_files=no"}, ".", [], {}),
    "hidden ini": ({".pytest.ini": INI + "python_classes = Check *Suite\n"}, ".", [], {}),
    "hidden ini that is empty": ({".pytest.ini": "", "tox.ini": INI}, ".", [], {}),
    "tox.ini": ({"tox.ini": "[tox]\nenvlist = a\n[pytest]\npython_functions = check_* it\n"}, ".", [], {}),
    "tox.ini without us": ({"tox.ini": "[tox]\nenvlist = a\n"}, ".", [], {}),
    "setup.cfg": ({"setup.cfg": "[metadata]\nname = x\n[tool:pytest]\npython_files = t.py\n"}, ".", [], {}),
    "setup.cfg of old": ({"setup.cfg": INI}, ".", [], {}),
    "pyproject": ({"pyproject.toml": "[project]\nname = 'x'\n" + TOML + "python_files = ['a.py', \"b\\u0041.py\"]\n"},
                  ".", [], {}),
    "pyproject with strings": ({"pyproject.toml": TOML + "python_files = 'a.py b.py'\ntestpaths = ['t']\n",
                                "t/": ""}, ".", [], {}),
    "pyproject without us": ({"pyproject.toml": "[project]\nname = 'x'\n", "sub/": ""}, "sub", [], {}),
    "pyproject by dots": ({"pyproject.toml": "tool.pytest.ini_options.python_files = ['d.py']\n"}, ".", [], {}),
    "pyproject inline": ({"pyproject.toml": "[tool]\npytest = {ini_options = {python_files = ['e.py']}}\n"},
                         ".", [], {}),
    "pyproject quoted": ({"pyproject.toml": "[ 'tool' . \"pytest\" .ini_options]\n'python_files' = ['f.py']\n"},
                         ".", [], {}),
    "pyproject with decoys": ({"pyproject.toml": "[project]\ntext = '''\n[tool.pytest.ini_options]\n"
                               "python_files = 1\n'''\nlist = [ # ]\n  '[x]', ]\n" + TOML + "python_files = [\n"
                               "  'g.py', # one\n  'h.py',\n]\n[[tool.other]]\na = 1\n"}, ".", [], {}),
    "pyproject multi-line addopts": ({"pyproject.toml": TOML + "addopts = '''\n  --import-mode=importlib\n"
                                      "  -p no:cacheprovider\n'''\nmarkers = ['slow: x']\n"}, ".", [], {}),
    "pyproject damaged": ({"pyproject.toml": TOML + "python_files = [\n"}, ".", [], {}),
    "pyproject damaged elsewhere": ({"pyproject.toml": "[project\nname = 1\n" + TOML}, ".", [], {}),
    "pyproject escape": ({"pyproject.toml": TOML + "python_files = \"\\q\"\n"}, ".", [], {}),
    "pyproject twice": ({"pyproject.toml": TOML + "python_files = 'a'\npython_files = 'b'\n"}, ".", [], {}),
    "pyproject table twice": ({"pyproject.toml": TOML + TOML}, ".", [], {}),
    "native table": ({"pyproject.toml": "[tool.pytest]\npython_files = ['n.py']\naddopts = ['-x', 'a b']\n"}, ".", [],
                     {}),
    "native wrong type": ({"pyproject.toml": "[tool.pytest]\npython_files = 'n.py'\n"}, ".", [], {}),
    "native wrong item": ({"pyproject.toml": "[tool.pytest]\naddopts = [1]\n"}, ".", [], {}),
    "native and ini": ({"pyproject.toml": "[tool.pytest]\na = 1\n" + TOML + "b = '1'\n"}, ".", [], {}),
    "pytest.toml": ({"pytest.toml": "[pytest]\npython_files = ['p.py']\n", "pytest.ini": INI}, ".", [], {}),
    "hidden pytest.toml": ({".pytest.toml": "[pytest]\npython_files = ['q.py']\n", "pytest.ini": INI}, ".", [], {}),
    "precedence": ({"pytest.ini": INI + "python_files = 1.py\n", "pyproject.toml": TOML + "python_files = '2.py'\n",
                    "tox.ini": INI, "setup.cfg": "[tool:pytest]\n"}, ".", [], {}),
    "lesser file damaged": ({"pytest.ini": INI, "pyproject.toml": "[x\n"}, ".", [], {}),
    "ini damaged": ({"pytest.ini": "a = 1\n"}, ".", [], {}),
    "ini twice": ({"pytest.ini": INI + "a = 1\na = 2\n"}, ".", [], {}),
    "ini without value": ({"pytest.ini": INI + "hello\n"}, ".", [], {}),
    "ini comments": ({"pytest.ini": "# x\n[pytest] # y\npython_files =\n    a.py ; z\n    # no\n    b.py\n"
                      "norecursedirs: q\n"}, ".", [], {}),
    "ini quote": ({"pytest.ini": INI + "python_files = 'a\n"}, ".", [], {}),
    "testpaths": ({"pytest.ini": INI + "testpaths = b a\n", "a/": "", "b/": ""}, ".", [], {}),
    "testpaths by glob": ({"pytest.ini": INI + "testpaths = t*/x a/**/u *.py .h*\n", "t2/x/": "", "t1/x/": "", "t3/": "",
                           "a/b/u/": "", "a/u/": "", "z.py": "", ".hid/": "", "a/.k/u/": ""}, ".", [], {}),
    "testpaths tree": ({"pytest.ini": INI + "testpaths = src/**\n", "src/a/b.py": "", "src/.c/d.py": ""}, ".", [], {}),
    "testpaths of nothing": ({"pytest.ini": INI + "testpaths = gone\n"}, ".", [], {}),
    "testpaths elsewhere": ({"pytest.ini": INI + "testpaths = a\n", "a/": "", "b/": ""}, "b", [], {}),
    "root above": ({"pytest.ini": INI, "a/b/": ""}, "a/b", [], {}),
    "root of args": ({"a/pytest.ini": INI + "python_files = x.py\n", "a/b/t.py": "", "c/": ""}, "c", ["../a/b/t.py"], {}),
    "root of two args": ({"a/pytest.ini": INI, "a/b/": "", "a/c/": "", "tox.ini": INI}, ".", ["a/b", "a/c"], {}),
    "root of far args": ({"a/pytest.ini": INI, "b/": ""}, ".", ["a", "b"], {}),
    "root by setup.py": ({"p/setup.py": "", "p/q/r/": ""}, "p/q", ["r"], {}),
    "node ids": ({"pytest.ini": INI, "t/a.py": ""}, ".", ["t/a.py::A::b[x::y]", "t"], {}),
    "missing path": ({"pytest.ini": INI}, ".", ["gone/x.py", "-q"], {}),
    "c": ({"x/my.ini": INI + "python_files = c.py\n", "pytest.ini": INI}, ".", ["-c", "x/my.ini"], {}),
    "c toml": ({"x/my.toml": TOML + "python_files = 'c.py'\n"}, ".", ["-cx/my.toml"], {}),
    "c null": ({"pytest.ini": INI}, ".", ["-c", "/dev/null"], {}),
    "rootdir": ({"pytest.ini": INI + "testpaths = a\n", "a/": "", "r/": ""}, ".", ["--rootdir=r"], {}),
    "rootdir by variable": ({"r/": ""}, ".", ["--rootdir", "$WHERE/r"], {"WHERE": "."}),
    "rootdir missing": ({}, ".", ["--rootdir=gone"], {}),
    "o": ({"pytest.ini": INI + "python_files = 1.py\n"}, ".", ["-o", "python_files=2.py 3.py", "-o", "testpaths="], {}),
    "o without value": ({}, ".", ["-o", "python_files"], {}),
    "o in addopts": ({"pytest.ini": INI + "addopts = -o python_files=4.py\n"}, ".", [], {}),
    "addopts": ({"pytest.ini": INI + "addopts = --ignore=x --ignore-glob='*/y z' -p no:cacheprovider --import-mode append "
                 "--doctest-modules --noconftest --collect-in-virtualenv --doctest-glob=*.rst --doctest-glob b.txt\n"},
                ".", ["--ignore", "w"], {}),
    "addopts with a path": ({"pytest.ini": INI + "addopts = a -v\n", "a/": "", "b/": ""}, ".", ["b"], {}),
    "PYTEST_ADDOPTS": ({"pytest.ini": INI + "addopts = --ignore=1\n"}, ".", ["--ignore=3"],
                       {"PYTEST_ADDOPTS": "--ignore=2 -k 'a or b'"}),
    "clusters": ({"t/": "", "pytest.ini": INI}, ".", ["-xvkt", "t", "-qq", "-rA", "-lsx", "-vm", "not t"], {}),
    "values": ({"t/": "", "u/": "", "pytest.ini": INI}, ".", ["--maxfail", "3", "--tb=short", "--durations", "5", "t",
                                                              "--junitxml", "u.xml", "-W", "ignore"], {}),
    "value missing": ({}, ".", ["-k"], {}),
    "bad choice": ({}, ".", ["--import-mode=foo"], {}),
    "confcutdir": ({"pytest.ini": INI, "a/b/": ""}, "a", ["--confcutdir", "b"], {}),
    "confcutdir missing": ({}, ".", ["--confcutdir", "b"], {}),
    "pythonpath": ({"a/pytest.ini": INI + "pythonpath = . src ../lib /abs\n"}, "a", [], {}),
    "PYTHONPATH": ({"lib/": ""}, ".", [], {"PYTHONPATH": "lib:/tmp:lib:gone"}),
    "pyargs": ({"pytest.ini": INI + "pythonpath = s\n", "s/pk/__init__.py": "", "s/pk/m.py": "", "s/n/q.py": ""}, ".",
               ["--pyargs", "pk.m", "pk", "n.q", "n", "gone.x", "json::x"], {}),
    "minversion": ({"pytest.ini": INI + "minversion = 99.0\n"}, ".", [], {}),
    "windows lines": ({"pytest.ini": "[pytest]\r\npython_files =\r\n  a.py\r\n  b.py\r\n",
                       "pyproject.toml": "[x]\r\na = 1\r\n"}, ".", [], {}),
    "file of arguments": ({"pytest.ini": INI, "opts": "a\n--ignore=b\n", "a/": ""}, ".", ["@opts"], {}),
}


def make(root, files):
    for name, text in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())


def read(command, cwd, env):
    done = subprocess.run(command, cwd=str(cwd), env=env, stdout=subprocess.PIPE, timeout=120)
    values = {}
    for line in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        key, _, value = line.partition("\t")
        values.setdefault(key, []).append(value)
    assert values.get("end") == ["1"], done.stdout
    return values


@pytest.mark.parametrize("name", list(CASES))
def test_as_pytest(name, tmp_path):
    compare(tmp_path / "r", PYTHON, *CASES[name])


def test_a_virtual_environment_behind_links_is_third_party_by_all_its_names(tmp_path):
    """third: the directories as sys.path names them, and what their links lead to."""
    prefix = pathlib.Path(subprocess.run([PYTHON, "-c", "import sys; print(sys.prefix)"], stdout=subprocess.PIPE,
                                         check=True).stdout.decode().strip())
    shutil.copytree(str(prefix / "bin"), str(tmp_path / "far" / "env" / "bin"), symlinks=True)
    shutil.copy(str(prefix / "pyvenv.cfg"), str(tmp_path / "far" / "env"))
    (tmp_path / "far" / "env" / "lib").symlink_to(prefix / "lib")
    (tmp_path / "near").symlink_to("far")
    files = {"pytest.ini": INI}
    ours = compare(tmp_path / "r", str(tmp_path / "near" / "env" / "bin" / "python"), files, ".", [], {})
    assert any(p.startswith(str(tmp_path / "near")) for p in ours["third"])
    assert any(p.startswith(str(prefix.resolve())) for p in ours["third"])


def compare(root, python, files, sub, args, variables):
    """What we read, after comparing it with what pytest's own code reads."""
    root.mkdir()
    make(root, files)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON")) and k != "VIRTUAL_ENV"}
    env.update(variables, PYTHONDONTWRITEBYTECODE="1", CONFIG_PYTHON=python)
    script = "".join((ROOT / "generator" / "config" / name).read_text() for name in ("standin.py", "probe.py"))
    assert NEEDLE in script
    theirs = read([python, "-c", script.replace(NEEDLE, MORE + NEEDLE, 1)] + args, root / sub, env)
    ours = read([str(TESTER), "--print", str(root / sub)] + args, root / sub, env)
    if "code" in theirs or "code" in ours:
        assert (ours.get("code"), bool(ours.get("error"))) == (["4"], True), theirs.get("error")
        assert "code" in theirs, ours["error"]
        return ours
    for key in KEYS:
        want, have = theirs.get(key, []), ours.get(key, [])
        if key in ("root", "ini", "cutdir") and have == [""]:
            have, want = [""], want or [""]
        assert (sorted(have), key) == (sorted(want), key) if key in UNORDERED else (have, key) == (want, key)
    return ours
