"""Given to `python -c`: takes the worker's modules from descriptor 3 and starts the zygote."""
import sys

if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # the current directory, which -c puts there: a struct.py in it is not ours (zygote.py)
import os, struct, types


def _read(n):
    data = b""
    while len(data) < n:
        part = os.read(3, min(n - len(data), 1 << 20))
        if not part:
            os._exit(0)
        data += part
    return data


def _add(package, name, code):
    module = types.ModuleType("_fastest." + name)
    module.__file__ = "<fastest>/%s.py" % name
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(code, module.__dict__)
    return module


def _boot():
    length = struct.unpack("<IHHI", _read(12))[0]
    data, at, texts = _read(length), 4, []
    for _ in range(2 * struct.unpack_from("<I", data)[0]):
        n = struct.unpack_from("<I", data, at)[0]
        texts.append(data[at + 4 : at + 4 + n].decode("utf-8", "surrogateescape"))
        at += 4 + n
    package = types.ModuleType("_fastest")
    package.__path__ = []
    sys.modules["_fastest"] = package
    sources = dict(zip(texts[::2], texts[1::2]))
    package.tracer_source = sources.pop("tracer.c")
    package.look_library = sources.pop("look.so", "").encode("utf-8", "surrogateescape")
    cache = _add(package, "codecache", compile(sources["codecache"], "<fastest>/codecache.py", "exec"))
    store, key = cache.Store("worker"), cache.hash_of(data)
    code = store.get(key)
    if code is None:
        code = {name: compile(text, "<fastest>/%s.py" % name, "exec") for name, text in sources.items()}
        store.put(key, code)
    for name in ("standin", "wire", "build", "children", "trace", "sort", "bounds", "bytecode", "report", "junit", "limits", "costs",
                 "lanes", "needs", "items", "lean", "narrow", "native", "quick", "verify", "terminal", "worker", "session", "zygote"):
        _add(package, name, code[name])
    sys.modules["_fastest.zygote"].main(3)


_boot()
