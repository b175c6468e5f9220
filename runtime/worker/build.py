"""Extension modules: the tracer (tracer.c), built for this interpreter at first use, and look.c, built with the rest."""
import hashlib
import importlib.machinery
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile

import _fastest
import _fastest.codecache as codecache

library = None  # look.c's module, when it could be loaded


def _compile(path):
    """False without a compiler or Python's headers."""
    source = "%s.%d.c" % (path, os.getpid())
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(source, "w") as f:
            f.write(_fastest.tracer_source)
        command = compiler + ["-O2", "-fPIC", "-fno-plt", "-shared", "-DNDEBUG", "-I", sysconfig.get_path("include"),
                              "-o", source + ".so", source]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            os.replace(source + ".so", path)
            return True
        print("fastest: the tracer cannot be built, so that more is run than must be:\n"
              + done.stdout.decode("utf-8", "replace")[-2000:], file=sys.stderr)
    except OSError as e:
        print("fastest: the tracer cannot be built: %s" % e, file=sys.stderr)
    finally:
        if os.path.exists(source):
            os.unlink(source)
    return False


def tracer():
    """The module, or None."""
    key = "%s %s %s" % (_fastest.tracer_source, sys.version, sysconfig.get_path("include"))
    path = os.path.join(codecache.folder(), "tracer-%s.so" % hashlib.sha256(key.encode()).hexdigest()[:20])
    if not os.path.exists(path) and not _compile(path):
        return None
    try:
        return _load("_fastest_tracer", path)
    except ImportError as e:
        print("fastest: the tracer cannot be loaded: %s" % e, file=sys.stderr)
    return None


def _load(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def _load_look():
    if not _fastest.look_library or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise ImportError("it is not built for this interpreter")
    with tempfile.NamedTemporaryFile(suffix=".so") as f:
        f.write(_fastest.look_library)
        f.flush()
        return _load("_fastest_look", f.name)


def look(call, root):
    """Lets os.stat and the like tell call of paths below root. False where that cannot be."""
    global library
    try:
        library = _load_look()
        library.look(call, tuple({root.rstrip("/"), os.path.realpath(root)}))
    except (ImportError, RuntimeError, OSError) as e:
        print("fastest: what is only looked for is not told of, so that more is run than must be: %s" % e, file=sys.stderr)
        return False
    for functions in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
        members = list(functions)  # their hashes have changed with their definitions
        functions.clear()
        functions.update(members)
    return True
