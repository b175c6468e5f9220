"""A program at a terminal of its own."""
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

from conftest import LIMIT


class Tty:
    def __init__(self, argv, cwd, env, rows=40, columns=100):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(str(cwd))
            os.execvpe(argv[0], argv, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen, self.all, self.code = "", "", None

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        """False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            data = ""
        self.seen += data
        self.all += data
        return bool(data)

    def wait(self, pattern):
        """Until it has written this; what was before it is used up."""
        end = time.monotonic() + LIMIT
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, "no %r in %r" % (pattern, self.seen)
            assert self.read(1) or re.search(pattern, self.seen), "it ended without %r: %s" % (pattern, self.all)
        at = re.search(pattern, self.seen)
        self.seen = self.seen[at.end():]
        return at

    def interrupt(self, pattern):
        """Ctrl-C until it is answered: one that comes between readline's prompt and its select() is not seen before
        the next key."""
        for _ in range(LIMIT):
            self.send("\x03")
            for _ in range(10):
                if re.search(pattern, self.seen):
                    return self.wait(pattern)
                assert self.read(0.2), self.all
        raise AssertionError("no %r in %r" % (pattern, self.seen))

    def finish(self):
        """Its exit code."""
        end = time.monotonic() + LIMIT
        while self.read(1):
            assert time.monotonic() < end, self.all
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") \
            else os.WEXITSTATUS(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return self.code
