"""fastest watch, at a terminal, with an editor that saves by renaming."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import FASTEST, FILES, LIMIT
from terminal import Tty

IDLE = r"watching \d+ directories[^\r\n]*q quit"


class Watch(Tty):
    def __init__(self, project, *args):
        super().__init__([FASTEST, "watch", "--python", sys.executable, *args], project.root, project.env)
        self.project, self.text = project, ""

    def ran(self):
        """Waits for the end of a run: the letters of the modules that ran, in order."""
        log = self.project.log
        before = len(self.seen_log) if hasattr(self, "seen_log") else 0
        at = self.wait("(?s).*?" + IDLE)
        self.text = at.group(0)
        self.seen_log = log.read_text() if log.exists() else ""
        return "".join(self.seen_log[before:].split())


def rename_save(path, command):
    """As vim does it with a backup; with sed's own renaming where there is no vim."""
    if shutil.which("vim"):
        argv = ["vim", "-Nu", "NONE", "-n", "-es", "-c", "set backup backupcopy=no backupskip=", "-c", "%" + command, "-c", "wq",
                str(path)]
    else:
        argv = ["sed", "-i", command, str(path)]
    before = path.stat().st_ino
    subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=LIMIT, check=True)
    assert path.stat().st_ino != before


@pytest.fixture
def watch(project):
    for name, text in FILES.items():
        project.write(name, text)
    w = Watch(project)
    assert sorted(w.ran()) == ["a", "b", "c"], w.text
    yield w
    if w.code is None:
        w.send("q")
        w.finish()


def test_saves_run_what_they_affect(watch, project):
    rename_save(project.path("src/util.py"), "s/return 1/return 2 - 1/")
    assert watch.ran() == "a" and "--- changed: src/util.py" in watch.text, watch.text
    # what nobody reads, and directories that are left out, run nothing; a burst is one run
    for name in (".hidden/test_x.py", "__pycache__/test_y.py", "notes.txt", "tests/.test_a.py.swp"):
        project.write(name, "def test_x(): pass\n")
    for name in ("src/loop_a.py", "src/loop_b.py", "src/core.py"):
        project.write(name, project.path(name).read_text() + "X = 1\n")
    assert sorted(watch.ran()) == ["a", "b"], watch.text
    assert watch.text.count("--- changed") == 1 and "hidden" not in watch.text, watch.text
    # what failed comes first
    project.replace("tests/test_c.py", ">= 1", ">= 2")
    assert watch.ran() == "c" and "1 failed" in watch.text, watch.text
    project.replace("src/util.py", "2 - 1", "1")
    assert sorted(watch.ran()) == ["a", "c"], watch.text
    order = re.findall(r"fastest_batch tests/test_(\w)", project.path(".fastest/graph.ninja").read_text())
    assert order[0] == "c"  # Ninja starts them in this order; the others by how long they take
    project.write("data/x.json", '{"x": 3}\n')  # a file that the failed test reads
    assert watch.ran() == "c" and "3 passed" in watch.text, watch.text
    # another run may come in between
    assert project.fastest().code == 0
    # new directories are watched
    project.write("tests/new/deep/test_d.py", FILES["tests/test_b.py"].replace("import loop_a\n", "").replace("_b", "_d")
                  .replace('"b\\n"', '"d\\n"').replace("loop_a.loop_d.b() == 3", "True"))
    assert watch.ran() == "d", watch.text
    project.replace("tests/new/deep/test_d.py", "True", "1")
    assert watch.ran() == "d", watch.text


def test_keys(watch, project):
    watch.send("a")
    assert sorted(watch.ran()) == ["a", "b", "c"], watch.text
    project.replace("tests/test_c.py", ">= 1", ">= 2")
    assert watch.ran() == "c"
    watch.send("f")
    assert watch.ran() == "c" and "run-last-failure: rerun previous 1 failure" in watch.text, watch.text
    watch.send("\n")
    assert watch.ran() == "c"
    watch.send("k")
    watch.wait("filter .*: ")
    watch.send("test_a\n")
    assert watch.ran() == "a" and "(-k test_a)" in watch.text, watch.text
    project.replace("src/util.py", "return 1", "return 2")
    assert watch.ran() == "a" and "1 failed" in watch.text, watch.text
    watch.send("q")
    assert watch.finish() == 0
    assert "no pool runs" in project.run([FASTEST, "pool", "status"]).out


def test_ctrl_c_ends_the_run_first_and_then_the_watch(project):
    project.write("test_a.py", "import os, time\ndef test_a():\n    open(os.environ['RUNLOG'], 'a').write('a\\n')\n"
                               "    time.sleep(0 if os.path.exists('go') else 1000)\n")
    w = Watch(project)
    while not project.log.exists():
        w.read(0.05)
    w.send("\x03")
    w.wait(IDLE)
    w.send("\x03")
    assert w.finish() == 0, w.all


def test_what_is_plain_pytests_is_refused(project):
    project.write("test_a.py", "def test_a(): pass\n")
    w = Watch(project, "--pdb")
    w.wait("--pdb is plain pytest's; leave it out here")
    w.send("q")
    assert w.finish() == 0


def test_tests_that_write_what_they_read_run_no_circles(project):
    project.write("counter.txt", "0")
    project.write("test_a.py", "import os\ndef test_a():\n    n = int(open('counter.txt').read())\n"
                               "    open('counter.txt', 'w').write(str(n + 1))\n"
                               "    open(os.environ['RUNLOG'], 'a').write('a\\n')\n")
    w = Watch(project)
    w.wait(IDLE)
    project.write("test_b.py", "def test_b(): pass\n")  # it waits: this is the next that it runs
    w.wait("test_b.py(?s:.*?)" + IDLE)
    w.send("q")
    assert w.finish() == 0
    assert len(project.log.read_text().split()) < 20
