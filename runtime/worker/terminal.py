"""breakpoint() in a test: the worker, which has no terminal, is given that of the run."""
import fcntl
import os
import signal
import sys


class Terminal:
    """One worker has it at a time: the file `debugger` of the state directory is locked, and names its process, to
    which the run forwards Ctrl-C."""

    def __init__(self, path, state_dir):
        self.path, self.lock_path = path, os.path.join(state_dir, "debugger")
        self.lock = self.interrupt = None

    def install(self):
        """Behind pytest's configuration: pytestPDB is what breakpoint() and pdb.set_trace() come to."""
        from _pytest.debugging import pytestPDB

        init = pytestPDB._init_pdb.__func__

        def init_pdb(cls, *args, **kw):
            self.enter(cls._pluginmanager and cls._pluginmanager.getplugin("capturemanager"))
            return init(cls, *args, **kw)

        pytestPDB._init_pdb = classmethod(init_pdb)

    def enter(self, manager):
        if self.lock is not None:
            return
        self.lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # until another's debugger has ended
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, b"%d\n" % os.getpid(), 0)
        self.interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        capture = getattr(manager, "_global_capturing", None)
        for target, stream in enumerate(("in_", "out", "err")):
            saved = getattr(getattr(capture, stream, None), "targetfd_save", None)
            os.dup2(fd, target if saved is None else saved)  # what pytest goes back to when it lets go
        os.close(fd)

    def leave(self):
        """The test has ended. Had it the terminal?"""
        if self.lock is None:
            return False
        for stream in (sys.__stdout__, sys.__stderr__):
            stream.flush()
        signal.signal(signal.SIGINT, self.interrupt)
        os.close(self.lock)
        self.lock = None
        return True
