"""Asks the real pytest for its configuration and prints the facts that the scan needs.

Run as `python -c <this> args...` by generator/config/probe.c, on Python 3.8 to 3.13 and pytest 7 to 9.
Output on the descriptor that was stdout: lines "key TAB value", values with \\ \t \n \r escaped,
bytes as in the file system; the last line is "end TAB 1". What pytest prints meanwhile is dropped.
"""
import os
import sys

OUT = os.dup(1)
ARGS = sys.argv[1:]

# Options that change what is printed or kept, never an outcome.
COSMETIC = """
file_or_dir verbose quiet color code_highlight basetemp cacheclear cacheshow reportchars tbstyle showlocals
durations durations_min xmlpath junitprefix usepdb usepdb_cls trace no_header no_summary lf
failedfirst newfirst stepwise stepwise_skip stepwise_reset collectonly maxfail help version
keepduplicates pastebin numprocesses maxprocesses dist tx px distload looponfail rsyncdir
rsyncignore testrunuid maxworkerrestart maxschedchunk loadgroup usefixtures fold_skipped
disable_warnings show_fixtures_per_test showfixtures markers traceconfig debug force_short_summary
randomly_seed random_order_seed report_log htmlpath json_report_file
keyword markexpr deselect capture_summary showcapture last_failed_no_failures
""".split()
INI_NAMES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini",
             "setup.cfg", "setup.py")


def put(key, value):
    if not isinstance(value, bytes):
        value = os.fsencode(str(value)) if not isinstance(value, str) else value.encode(
            "utf-8", "surrogateescape")
    for raw, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")):
        value = value.replace(raw, escaped)
    data = key.encode() + b"\t" + value + b"\n"
    while data:
        data = data[os.write(OUT, data):]


def fail(code, message):
    put("code", str(code))
    put("error", message)
    put("end", "1")
    os._exit(0)


def digest(path):
    import hashlib

    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return "absent"


def unique(items):
    seen = set()
    return [x for x in items if x and not (x in seen or seen.add(x))]


def third_party_dirs():
    import site
    import sysconfig

    dirs = [sysconfig.get_path(n) for n in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    dirs += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    dirs.append(site.getusersitepackages() if site.ENABLE_USER_SITE else None)
    dirs += [os.path.dirname(os.__file__), os.path.join(os.path.dirname(os.__file__), "lib-dynload")]
    base = "python%d.%d" % sys.version_info[:2]
    dirs.append(os.path.join(sys.base_prefix, "lib", base))
    return unique([p for d in dirs if d for p in (os.path.abspath(d), os.path.realpath(d))])


def under(path, dirs):
    return any(path == d or path.startswith(d.rstrip("/") + "/") for d in dirs)


def owned_parts(config, third):
    """What is under test although it is installed: an argument's top-level package."""
    cwd = str(config.invocation_params.dir)
    paths = [os.path.normpath(os.path.join(cwd, str(a).split("::")[0])) for a in config.args]
    owned = []
    for path in paths:
        inside = [d for d in third if path.startswith(d + "/")]
        if inside:
            top = max(inside, key=len)
            owned.append(os.path.join(top, path[len(top) + 1:].split("/")[0]))
    return unique(owned)


def first_party(path, third, owned):
    return under(path, owned) or not under(path, third)


def import_pytest():
    try:
        import pytest
        return pytest
    except ImportError as e:
        if getattr(e, "name", None) not in ("pytest", None):
            fail(4, "%s: pytest cannot be imported: %s" % (sys.executable, e))
        fail(4, "%s: pytest is not installed in this interpreter; run `%s -m pip install pytest` "
                "or choose another with --python" % (sys.executable, sys.executable))


def put_known(config):
    """The options that there are, for a suggestion."""
    parser = getattr(config, "_parser", None)
    for group in [getattr(parser, "_anonymous", None)] + list(getattr(parser, "_groups", ())):
        for option in getattr(group, "options", ()):
            for name in option.names():
                if name.startswith("--"):
                    put("known", name[2:])


def configure():
    import_pytest()
    import traceback
    import warnings

    from _pytest import config as pytest_config

    warnings.simplefilter("ignore")
    made, get_config = [], pytest_config.get_config
    pytest_config.get_config = lambda *args, **kw: made.append(get_config(*args, **kw)) or made[0]
    try:
        return pytest_config._prepareconfig(list(ARGS), [stand_in()])  # of standin.py, which is put in front
    except pytest_config.UsageError as e:
        for config in made:
            put_known(config)
        fail(4, "\n".join(str(a) for a in e.args))
    except pytest_config.ConftestImportFailure as e:
        cause = getattr(e, "cause", None) or e.excinfo[1]
        text = "".join(traceback.format_exception_only(type(cause), cause)).strip()
        frames = traceback.extract_tb(cause.__traceback__)
        where = "%s:%s: " % (frames[-1].filename, frames[-1].lineno) if frames else ""
        fail(4, "ImportError while loading conftest '%s': %s%s" % (e.path, where, text))
    except SystemExit as e:
        fail(e.code if isinstance(e.code, int) and e.code else 4, "pytest ended while it read its configuration")
    except BaseException as e:
        fail(4, "pytest could not read its configuration: " + "".join(
            traceback.format_exception_only(type(e), e)).strip())


def clean(text):
    import re

    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


# dest of an option, with which a plugin makes one report of a whole run -> its name
WHOLE = {"cov_source": "--cov", "benchmark_json": "--benchmark-json", "benchmark_save": "--benchmark-save",
         "benchmark_autosave": "--benchmark-autosave", "benchmark_compare": "--benchmark-compare",
         "update_snapshots": "--snapshot-update", "htmlpath": "--html", "report_log": "--report-log",
         "json_report": "--json-report", "session_timeout": "--session-timeout"}


def put_whole(option):
    for dest, name in WHOLE.items():
        given = getattr(option, dest, None)
        if given and not (name == "--cov" and getattr(option, "no_cov", False)):
            put("plain", name)
            return
    put("plain", "")


def put_config(config):
    option = config.option
    put_whole(option)
    put("root", str(config.rootpath))
    put("ini", str(config.inipath or ""))
    cut = getattr(config.pluginmanager, "_confcutdir", None)
    put("cutdir", str(cut or ""))
    put("noconftest", "1" if getattr(option, "noconftest", False) else "0")
    for key, name in (("python_files", "python_files"), ("norecurse", "norecursedirs")):
        for pattern in config.getini(name):
            put(key, pattern)
    put("in_venv", "1" if option.collect_in_virtualenv else "0")
    put("import_mode", str(option.importmode))
    put("doctest_modules", "1" if getattr(option, "doctestmodules", False) else "0")
    for glob in getattr(option, "doctestglob", None) or ["test*.txt"]:
        put("doctest_glob", glob)
    cwd = str(config.invocation_params.dir)
    for p in option.ignore or []:
        put("ignore", os.path.normpath(os.path.join(cwd, str(p))))
    for p in option.ignore_glob or []:
        put("ignore_glob", os.path.normpath(os.path.join(cwd, str(p))))
    for p in pythonpath(config):
        put("pythonpath", p)
    values = sorted((k, clean(repr(v))) for k, v in vars(option).items() if k not in COSMETIC)
    put("options", repr(values))
    put("ini_text", repr(sorted((k, clean(repr(v))) for k, v in config.inicfg.items())) +
        (digest(str(config.inipath)) if config.inipath else ""))


JUNIT_INI = ("junit_suite_name", "junit_logging", "junit_log_passing_tests", "junit_duration_report", "junit_family")


def header(config):
    """What pytest prints at the head of a run of its own; hooks of others expect a configured pytest."""
    import platform

    import pluggy
    import pytest
    from _pytest.terminal import TerminalReporter

    line = "platform %s -- Python %s" % (sys.platform, platform.python_version())
    if hasattr(sys, "pypy_version_info"):
        line += "[pypy-%s-%s]" % (".".join(map(str, sys.pypy_version_info[:3])), sys.pypy_version_info[3])
    line += ", pytest-%s, pluggy-%s" % (pytest.__version__, pluggy.__version__)
    if config.option.verbose > 0:
        line += " -- " + sys.executable
    return [line] + TerminalReporter.pytest_report_header(None, config)


def report_settings(config):
    """What the reports go by, as pytest has it after its files, addopts and arguments."""
    from _pytest.terminal import getreportopt

    import pytest

    option = config.option
    yield "pytest_version", pytest.__version__
    yield "verbosity", option.verbose
    yield "reportchars", getreportopt(config)
    for name in ("tbstyle", "showcapture", "durations", "durations_min", "no_summary", "no_header", "xfail_tb",
                 "fold_skipped", "color", "junitprefix"):
        yield name, getattr(option, name, None)
    if getattr(option, "xmlpath", None):
        path = os.path.expanduser(os.path.expandvars(option.xmlpath))
        yield "xmlpath", os.path.normpath(os.path.abspath(path))
    for name in JUNIT_INI + ("console_output_style",):
        try:
            yield name, config.getini(name)
        except (ValueError, KeyError):
            pass  # its plugin is switched off
    for text in header(config):
        yield "header", text


def put_report(config):
    for name, value in report_settings(config):
        if value is not None:
            put("report", "%s=%s" % (name, int(value) if isinstance(value, bool) else value))


def pythonpath(config):
    try:
        return [str(p) for p in config.getini("pythonpath")]
    except (ValueError, KeyError):
        return []


def find_pyarg(name):
    import importlib.util

    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return name
    if spec is None or not spec.origin or spec.origin == "namespace":
        return name
    return os.path.dirname(spec.origin) if spec.submodule_search_locations else spec.origin


def put_args(config):
    cwd = str(config.invocation_params.dir)
    narrow = []
    for arg in config.args:
        base = str(arg).partition("[")[0]
        path = base.split("::")[0]
        if path != str(arg):
            narrow.append(str(arg))
        if config.option.pyargs:
            path = find_pyarg(path)
        put("arg", os.path.normpath(os.path.join(cwd, path)))
        put("arg_text", str(arg))
    option = config.option
    for name in ("keyword", "markexpr"):
        if getattr(option, name, ""):
            narrow.append("%s %s" % (name, getattr(option, name)))
    narrow += ["deselect " + d for d in getattr(option, "deselect", None) or []]
    put("selection", "\n".join(narrow))


def put_plugins(config, third, owned):
    for plugin in config.pluginmanager.get_plugins():
        path = getattr(plugin, "__file__", None)
        if not path or not path.endswith(".py"):
            continue
        if not first_party(os.path.abspath(path), third, owned):
            continue
        put("conftest" if os.path.basename(path) == "conftest.py" else "plugin", os.path.abspath(path))
    other = False
    for name in ("pytest_collect_file", "pytest_collect_directory"):
        hook = getattr(config.pluginmanager.hook, name, None)  # not the wrapper of pytest 7
        for impl in hook.get_hookimpls() if hook is not None else []:
            module = getattr(impl.function, "__module__", "") or ""
            other = other or not module.startswith("_pytest.")
    put("other", "1" if other else "0")


def dist_line(dist, root):
    name = dist.metadata["Name"]
    if not name:
        return None
    line = "%s==%s" % (name, dist.version)
    url = dist.read_text("direct_url.json")
    if url is not None:  # installed from a directory or an archive: the version says too little
        import hashlib
        import json

        text, origin = url + (dist.read_text("RECORD") or ""), json.loads(url)
        if origin.get("dir_info", {}).get("editable") and (origin["url"] + "/").startswith("file://" + root + "/"):
            text = dist.read_text("entry_points.txt") or ""  # the tree itself, wherever it is: its sources say the rest
        line += " " + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return line


def put_dists(third, root):
    from importlib import metadata

    lines = set()
    for dist in metadata.distributions():
        try:
            line = dist_line(dist, root)
        except Exception as e:
            line = "damaged %s" % type(e).__name__
        if line:
            lines.add(line)
        where = getattr(dist, "_path", None)
        if where is not None and not under(os.path.abspath(str(where)), third):
            put("input", os.path.join(str(where), "PKG-INFO"))
            put("input", os.path.join(str(where), "METADATA"))
    for line in sorted(lines):
        put("dist", line)


def put_paths(third):
    for path in sys.path:
        path = os.path.abspath(path)
        put("path", path)
        put("input_dir", path)
    for path in third:
        put("third", path)
    for name, module in sorted(sys.modules.items()):
        mapping = getattr(module, "MAPPING", None) if name.startswith("__editable__") else None
        for key, value in sorted((mapping or {}).items()):
            put("editable", "%s=%s" % (key, value))


def fastest_table(root):
    try:
        import tomllib
    except ImportError:
        try:
            import tomli as tomllib
        except ImportError:
            return {}
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as f:
            table = tomllib.load(f).get("tool", {}).get("fastest", {})
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def put_glob_dirs(pattern):
    """The directories in which a new file may match."""
    import glob

    fixed = pattern
    while glob.has_magic(fixed):
        fixed = os.path.dirname(fixed)
    deep = pattern[len(fixed):].count(os.sep) if "**" not in pattern else None
    for folder, names, _ in os.walk(fixed) if fixed != pattern else ():
        put("input", folder)
        if deep is not None and folder[len(fixed):].count(os.sep) + 1 >= deep:
            del names[:]


def put_own_table(root):
    import glob

    table = fastest_table(root)
    for name in table.get("env", []):
        put("env", str(name))
    for pattern in table.get("always", []):
        put("always", os.path.normpath(str(pattern)))
    for pattern in table.get("inputs", []):
        if str(pattern).startswith("$"):
            put("env", str(pattern)[1:])
            continue
        put_glob_dirs(os.path.join(root, str(pattern)))
        found = sorted(glob.glob(os.path.join(glob.escape(root), str(pattern)), recursive=True))
        for path in found or [os.path.join(root, str(pattern))]:
            put("data", path)


def ancestors(path):
    while True:
        yield path
        parent = os.path.dirname(path)
        if parent == path:
            return
        path = parent


def put_inputs(config, third, owned):
    dirs = []
    for arg in [str(config.invocation_params.dir), str(config.rootpath)] + list(config.args):
        path = os.path.join(str(config.invocation_params.dir), str(arg).split("::")[0])
        dirs += ancestors(os.path.normpath(path))
    for d in unique(dirs):
        for name in INI_NAMES + (".python-version",):
            put("input", os.path.join(d, name))
    for name, module in sorted(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.endswith(".py"):
            path = os.path.abspath(path)
            if first_party(path, third, owned):
                put("input", path)
    put("input", sys.executable)
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    put("input", os.path.join(pyenv, "version"))  # what a pyenv shim called python3 starts
    put("input", os.path.join(sys.prefix, "pyvenv.cfg"))
    if config.inipath:
        put("input", str(config.inipath))
    for d in sys.path:
        try:
            names = [n for n in os.listdir(d) if n.endswith(".pth")]
        except OSError:
            continue
        for name in sorted(names):
            put("input", os.path.join(os.path.abspath(d), name))


def main():
    import sysconfig

    sys.argv[:] = ["pytest"] + ARGS
    if sys.path and sys.path[0] == "":
        sys.path[0] = sysconfig.get_path("scripts")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):
        os.dup2(null, fd)
    put("probe", "1")
    third = third_party_dirs()
    config = configure()
    import pytest

    put("python", os.path.abspath(sys.executable))
    put("version", sys.version)
    put("abi", "%s %s" % (sys.implementation.cache_tag, sysconfig.get_config_var("SOABI")))
    put("pytest", pytest.__version__)
    put_config(config)
    put_args(config)
    put_report(config)
    owned = owned_parts(config, third)
    put_plugins(config, third, owned)
    put_dists(third, str(config.rootpath))
    put_paths(third)
    put_own_table(str(config.rootpath))
    put_inputs(config, third, owned)
    put("end", "1")
    os._exit(0)


try:
    main()
except Exception as error:
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    fail(3, "the probe of pytest's configuration failed in %s, line %s: %s: %s" % (
        last.name, last.lineno, type(error).__name__, error))
