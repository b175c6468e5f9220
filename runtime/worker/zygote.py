"""The process that has imported pytest, its plugins and the initial conftests, and forks."""
import fnmatch
import gc
import json
import os
import signal
import sys
import sysconfig
import traceback

import _fastest.sort as sort
import _fastest.standin as standin
import _fastest.trace as trace
import _fastest.wire as wire


class Reaper:
    """Ended children, without threads: SIGCHLD writes to a pipe that the loops wait for."""

    def __init__(self):
        self.fd, self.write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self.write_fd, False)
        self.old = signal.signal(signal.SIGCHLD, lambda *_: None)
        self.old_fd = signal.set_wakeup_fd(self.write_fd, warn_on_full_buffer=False)

    def ended(self):
        try:
            while os.read(self.fd, 4096):
                pass
        except BlockingIOError:
            pass
        out = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return out
            if pid == 0:
                return out
            out.append((pid, status))

    def restore(self):
        """In a child: as if this had never been."""
        signal.set_wakeup_fd(self.old_fd)
        signal.signal(signal.SIGCHLD, self.old)
        os.close(self.fd)
        os.close(self.write_fd)


def _as_pytest(setup):
    """argv, sys.path and cwd as the `pytest` command has them."""
    os.chdir(setup["cwd"])
    scripts = sysconfig.get_paths().get("scripts", os.path.dirname(sys.executable))
    sys.argv = [os.path.join(scripts, "pytest")] + setup["args"]
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, scripts)


def _prepare(conn, setup):
    """pytest's Config after it has read its files and loaded plugins and initial conftests."""
    from _pytest.config import ConftestImportFailure, UsageError, _prepareconfig

    try:
        return _prepareconfig(list(setup["args"]), [standin.stand_in()])
    except UsageError as e:
        code, text = 4, "\n".join("ERROR: %s" % part for part in e.args)
    except ConftestImportFailure as e:
        cause = getattr(e, "cause", None) or getattr(e, "excinfo", (None, e))[1]
        text = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
        code, text = 4, "ImportError while loading conftest '%s'.\n%s" % (getattr(e, "path", ""), text)
    except SystemExit as e:
        code, text = 4, "pytest did not accept the command line (exit %s)" % e.code
    except BaseException:
        code, text = 3, "INTERNALERROR> " + traceback.format_exc()
    conn.send(wire.ERROR, text.encode("utf-8", "replace"), code)
    os._exit(code)


def _warm_up(config):
    """What each session would compute again: it is kept by the modules that do."""
    import pdb  # noqa: F401  pytest_configure does it

    for name in ("norecursedirs", "python_files"):
        try:
            patterns = config.getini(name)
        except ValueError:  # with -p no:python
            continue
        for pattern in patterns:
            fnmatch.fnmatch("", pattern)


def _loaded_files(sorter):
    """Sources of this project that are in memory: a change of one makes the zygote stale."""
    files = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.endswith(".py") and os.path.isabs(path) and not sorter.leave_out(path):
            files.add(path)
    deps = sorter.sort(trace.events)
    for part in [deps] + list(deps.get("by", {}).values()):
        files.update(part.get("open", []) + part.get("import", []))
    return sorted(files)


def main(fd):
    conn = wire.Conn(fd)
    kind, _, payload = conn.recv()
    setup = json.loads(payload.decode())
    sorter = sort.Sorter(setup["root"], setup["state_dir"], [])
    if setup.get("log"):  # it was started before this was known
        if _loaded_files(sorter):
            os._exit(0)  # as they were before the pool looked at the clock: it starts another
        log = os.open(setup["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
    trace.install(setup["root"])
    _as_pytest(setup)
    gc.disable()
    import _fastest.bytecode as bytecode
    import _fastest.session as session

    setup["bytecode"] = bytecode.install(setup["root"])
    config = _prepare(conn, setup)
    _warm_up(config)
    conn.send(wire.READY, wire.dump({"pid": os.getpid(), "files": _loaded_files(sorter)}))
    reap = Reaper()
    try:
        _serve(conn, config, setup, session, reap, sorter)
    except wire.Closed:
        os._exit(0)


def _serve(conn, config, setup, session, reap, sorter):
    sessions = set()
    while True:
        for pid, status in reap.ended():
            sessions.discard(pid)
            conn.send(wire.EXITED, wire.U32.pack(0) + wire.U32.pack(status), pid)
        frame = conn.poll()
        if frame is None:
            conn.wait(reap.fd)
            continue
        kind, tag, payload = frame
        if kind != wire.SESSION:
            continue
        request = json.loads(payload.decode())
        if tag == 0 or session.why_not_fork((conn.fd,), sessions):
            session.run(config, setup, request, reap, (conn.fd,))
        pid = trace.fork()
        if pid == 0:
            reap.restore()
            conn.close()
            session.run(config, setup, request, Reaper())
        sessions.add(pid)
        if setup["persistent"] and not gc.get_freeze_count():  # the next sessions have less to look at
            trace.keep(sorter)
            gc.collect()
            gc.freeze()
