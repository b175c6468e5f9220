"""Compiled code by the text that it is compiled from, shared by all checkouts: <cache>/code/<tag>/<hash>.

Each file is a check sum and marshalled code. It is written beside its place and renamed; a damaged one, or one of
another interpreter, is a miss. The least recently used go when there is more than the limit.
"""
import _imp
import importlib.util
import marshal
import os
import sys
import time

_RAW = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
_FIX = getattr(_imp, "_fix_co_filename", None)
DAY_S = 86400
LIMIT_BYTES = 256 << 20  # of a tag; FASTEST_CACHE_SIZE is that of the parse cache


def folder():
    """Where the caches are, the same as for parse.bin (generator/source/parse_cache.h)."""
    found = os.environ.get("FASTEST_CACHE_DIR")
    if not found:
        found = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "fastest")
    return found


def hash_of(*parts):
    """Of bytes, as text: two 64-bit hashes with other keys."""
    data = b"\0".join(parts)
    return (_imp.source_hash(_RAW, data) + _imp.source_hash(_RAW + 1, data)).hex()


def named(code, filename):
    """The code as if it had been compiled from there, as importlib does it for a .pyc that was moved; None: it cannot."""
    if code.co_filename != filename and _FIX is not None:
        _FIX(code, filename)
    return code if code.co_filename == filename else None


class Store:
    def __init__(self, tag):
        tag = "%s-%x-%s" % (sys.implementation.cache_tag, sys.hexversion, tag)
        self.folder = os.path.join(folder(), "code", tag)
        self.stored = 0

    def get(self, key):
        """What was put there, or None."""
        path = os.path.join(self.folder, key)
        try:
            with open(path, "rb") as f:
                data = f.read()
                if data[:8] != _imp.source_hash(_RAW, data[8:]):
                    return None
                if os.fstat(f.fileno()).st_mtime < time.time() - DAY_S:
                    os.utime(path)
            return marshal.loads(data[8:])
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def put(self, key, value):
        data = marshal.dumps(value)
        path = os.path.join(self.folder, key)
        beside = "%s.%d" % (path, os.getpid())
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            with open(beside, "wb") as f:
                f.write(_imp.source_hash(_RAW, data) + data)
            os.replace(beside, path)
            self.stored += 1
        except OSError:
            pass  # it is compiled again the next time

    def has(self, key):
        return os.path.exists(os.path.join(self.folder, key))

    def trim(self, limit=LIMIT_BYTES):
        """Drops what was not used for the longest time."""
        try:
            entries = [(e.stat().st_mtime, e.stat().st_size, e.path) for e in os.scandir(self.folder)]
        except OSError:
            return
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= limit:
                break
            total -= size
            try:
                os.unlink(path)
            except OSError:
                pass  # somebody else has
