"""What `fastest doctor` asks an interpreter: a line each, KEY TAB VALUE."""
import os
import shlex
import shutil
import sys
import sysconfig


def put(key, value):
    print("%s\t%s" % (key, str(value).replace("\n", " ")))


compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
put("version", "%d.%d.%d" % sys.version_info[:3])
put("implementation", sys.implementation.name)
put("executable", sys.executable)
put("compiler", compiler[0])
put("has_compiler", int(bool(shutil.which(compiler[0]))))
header = os.path.join(sysconfig.get_path("include"), "Python.h")
put("header", header)
put("has_header", int(os.path.exists(header)))
put("no_bytecode", int(sys.dont_write_bytecode))
put("has_fork", int(hasattr(os, "fork")))
try:
    import pytest
    put("pytest", pytest.__version__)
except Exception as e:
    put("pytest_error", "%s: %s" % (type(e).__name__, e))
put("end", 1)
