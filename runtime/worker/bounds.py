"""How much of a test's output is kept: what is longer loses its middle, in the file where pytest gathers it and in reports."""
import os

KEEP = 512 * 1024  # at each end
NOTE = 100  # what says how much was left out is shorter


def cut(text):
    if len(text) <= 2 * KEEP + NOTE:
        return text
    return "%s\n[... fastest left out %d characters ...]\n%s" % (text[:KEEP], len(text) - 2 * KEEP, text[-KEEP:])


def _cut_file(fd):
    size = os.fstat(fd).st_size
    if size <= 2 * KEEP + NOTE:
        return
    note = b"\n[... fastest left out %d bytes ...]\n" % (size - 2 * KEEP)
    end = note + os.pread(fd, KEEP, size - KEEP)
    os.ftruncate(fd, KEEP + os.pwrite(fd, end, KEEP))


def bound(capture):
    """An FDCapture of pytest's reads its file when it has been cut."""
    snap = capture.snap

    def bounded():
        try:
            _cut_file(capture.tmpfile.fileno())
        except (OSError, ValueError, AttributeError):
            pass  # closed by a test: snap says so
        return snap()

    capture.snap = bounded
