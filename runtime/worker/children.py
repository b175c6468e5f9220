"""What processes that were started open below rootdir: inotify tells, whoever opens it. Linux only."""
import os
import struct

MAX_FOLDERS = 5000
_OPEN, _CLOSE_WRITE, _MOVED_TO, _CREATE = 0x20, 0x8, 0x80, 0x100  # <sys/inotify.h>
_ONLYDIR, _OVERFLOW, _ISDIR = 0x1000000, 0x4000, 0x40000000
_EVENT = struct.Struct("iIII")


def _folders(top):
    """top and the folders below it that may have something of the project."""
    found = [top]
    for folder in found:
        with os.scandir(folder) as entries:
            for e in entries:
                if e.is_dir(follow_symlinks=False) and e.name[0] != "." and e.name != "node_modules" and \
                        not os.path.exists(os.path.join(e.path, "pyvenv.cfg")):
                    found.append(e.path)
        if len(found) > MAX_FOLDERS:
            raise OSError("too many folders")
    return found


class Watch:
    """OSError or ImportError when it cannot be."""

    def __init__(self, root):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        folders = _folders(root)  # before it watches, since it opens them
        self.pid = os.getpid()
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.lost = self.fd < 0
        self.places = {}
        for folder in folders if not self.lost else ():
            mark = libc.inotify_add_watch(self.fd, os.fsencode(folder), _OPEN | _CLOSE_WRITE | _MOVED_TO | _CREATE | _ONLYDIR)
            self.places[mark] = folder
            self.lost = self.lost or mark < 0

    def _read(self):
        while not self.lost:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                mark, mask, _, n = _EVENT.unpack_from(data, at)
                name = data[at + _EVENT.size:at + _EVENT.size + n].rstrip(b"\0")
                at += _EVENT.size + n
                yield mark, mask, os.fsdecode(name)

    def take(self):
        """(paths of files, of folders) that were opened since the last call, but not those that were written."""
        files, folders, made = set(), set(), set()
        for mark, mask, name in self._read():
            if mask & _OVERFLOW or mark not in self.places:
                self.lost = True
                break
            path = os.path.join(self.places[mark], name) if name else self.places[mark]
            if mask & (_CREATE | _MOVED_TO | _CLOSE_WRITE):
                made.add(path)
            elif mask & _ISDIR:
                folders.add(path)
            else:
                files.add(path)
        return files - made, folders - made

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


def _is_alive(pid):
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def alive(pid, others=()):
    """Has the process children that have not ended, beside some others?"""
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                if any(_is_alive(child) for child in f.read().split() if int(child) not in others):
                    return True
        return False
    except OSError:
        return True
