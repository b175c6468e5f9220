"""--lf, --ff, --nf and --sw, beside plain pytest on a twin of the tree: the same tests, the same cache."""
import json
import os
import re
import shutil
import sys

import pytest

from conftest import Project

FILES = {
    "pytest.ini": "[pytest]\n",
    "sub/test_c.py": "def test_c1(): pass\ndef test_c2(): pass\n",
    "test_a.py": "def test_a1(): pass\ndef test_a2(): assert 0\ndef test_a3(): pass\n",
    "test_b.py": "import pytest\nclass TestB:\n    @pytest.mark.parametrize('x', [1, 2])\n    def test_b(self, x): assert x == 1\n",
}
BROKEN = {"sub/test_d.py": "import unknown_module\ndef test_d(): pass\n"}


class Seen:
    """What a run said: outcomes by id in order, exit code, pytest's lines about what runs."""

    def __init__(self, r):
        self.text, self.code = r.out, r.code
        self.outcomes = re.findall(r"^(\S+::\S+) (PASSED|FAILED|ERROR|SKIPPED)\b", r.out, re.M)
        self.lines = [re.sub(r"from \S+ ago", "from some time ago", line)
                      for line in re.findall(r"^(?:run-last-failure|stepwise): .*$", r.out, re.M)]
        self.lines += re.findall(r"!+ (Interrupted: Test.*?) !+", r.out)


class Twins:
    """The same steps in two trees, one with fastest and one with pytest."""

    def __init__(self, tmp_path, files):
        self.ours = Project(tmp_path / "ours", tmp_path / "log")
        self.theirs = Project(tmp_path / "theirs", tmp_path / "log")
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text):
        self.ours.write(name, text)
        self.theirs.write(name, text)
        stat = self.ours.path(name).stat()
        os.utime(self.theirs.path(name), ns=(stat.st_mtime_ns, stat.st_mtime_ns))

    def cache(self, project):
        found = {}
        for name in ("lastfailed", "nodeids", "stepwise"):
            path = project.path(".pytest_cache/v/cache/" + name)
            found[name] = json.loads(path.read_text()) if path.exists() else None
        if isinstance(found["stepwise"], dict):
            found["stepwise"].pop("last_cache_date_str")
        return found

    def check(self, *args):
        """Runs both, which must say the same; the ids that ran, in pytest's order."""
        ours = Seen(self.ours.fastest("-v", *args))
        theirs = Seen(self.theirs.run([sys.executable, "-m", "pytest", "-v", *args]))
        both = "%s\n%s" % (ours.text, theirs.text)
        assert sorted(ours.outcomes) == sorted(theirs.outcomes), both
        if "-k" in args:  # the files that pytest skips are not counted then
            theirs.lines = [re.sub(r" \(skipped.*", "", line) for line in theirs.lines]
        assert (ours.code, ours.lines) == (theirs.code, theirs.lines), both
        ours_cache, theirs_cache = self.cache(self.ours), self.cache(self.theirs)
        known = [set(cache.pop("nodeids") or ()) for cache in (ours_cache, theirs_cache)]
        # of a module that did not come to run (a failure, an error elsewhere) nobody has told the ids
        assert known[0] <= known[1] and (known[0] == known[1] or args or ours.code == 2), both
        assert ours_cache == theirs_cache, both
        self.order = [t["nodeid"] for t in self.ours.json()["tests"]]  # lines come as tests end, on several workers
        return {i.split("::")[-1] for i, _ in theirs.outcomes}


def test_last_failed_as_pytest(tmp_path):
    twins = Twins(tmp_path, dict(FILES, **BROKEN))
    assert twins.check() == set()  # interrupted by an error of collection
    twins.write("sub/test_d.py", "def test_d(): pass\n")
    assert twins.check("--lf") == {"test_d"}
    assert len(twins.check()) == 8
    assert twins.check("--lf") == {"test_a2", "test_b[2]"}
    assert twins.check("--lf", "sub") == {"test_c1", "test_c2", "test_d"}  # nothing that failed is selected
    twins.write("test_a.py", FILES["test_a.py"].replace("assert 0", "pass"))
    assert twins.check("--lf", "-k", "test_a2") == {"test_a2"}
    assert len(twins.check("--ff")) == 8
    assert twins.order[0] == "test_b.py::TestB::test_b[2]"
    twins.write("test_b.py", FILES["test_b.py"].replace("x == 1", "x"))
    assert twins.check("--last-failed") == {"test_b[2]"}
    assert len(twins.check("--lf")) == 8  # no failures: all
    assert twins.check("--lf", "--lfnf=none") == set()


def test_each_reads_what_the_other_wrote(tmp_path):
    twins = Twins(tmp_path, FILES)
    twins.check()
    ours, theirs = twins.ours.path(".pytest_cache"), twins.theirs.path(".pytest_cache")
    shutil.rmtree(ours)
    shutil.copytree(theirs, ours)
    assert twins.check("--lf") == {"test_a2", "test_b[2]"}
    shutil.rmtree(theirs)
    shutil.copytree(ours, theirs)
    twins.write("test_a.py", FILES["test_a.py"].replace("assert 0", "pass"))
    assert twins.check("--lf") == {"test_a2", "test_b[2]"}
    shutil.rmtree(ours)  # cached results count as well: all is as it was
    shutil.rmtree(theirs)
    twins.check()


def test_stepwise_as_pytest(tmp_path):
    twins = Twins(tmp_path, FILES)
    assert twins.check("--sw") == {"test_c1", "test_c2", "test_a1", "test_a2"}
    assert twins.check("--sw") == {"test_a2"}
    twins.write("test_a.py", FILES["test_a.py"].replace("assert 0", "pass"))
    assert twins.check("--sw") == {"test_a2", "test_a3", "test_b[1]", "test_b[2]"}
    twins.write("test_b.py", FILES["test_b.py"] + "    def test_last(self): assert 0\n")
    twins.check("--sw")  # other tests than last time: all of them
    assert twins.check("--sw-skip") == {"test_b[2]", "test_last"}
    assert twins.check("--sw-reset", "test_b.py") == {"test_b[1]", "test_b[2]"}
    twins.check("test_a.py")  # says nothing of where it stands


def test_new_first(tmp_path):
    twins = Twins(tmp_path, FILES)
    twins.check("--nf")
    twins.write("sub/test_c.py", FILES["sub/test_c.py"] + "def test_c3(): pass\n")
    twins.check("--nf")
    assert twins.order[0].startswith("sub/test_c.py")
    assert twins.order[0].endswith("test_c3")


def test_a_run_without_the_cache_writes_none(tmp_path):
    twins = Twins(tmp_path, {"test_a.py": FILES["test_a.py"], "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n"})
    twins.check()
    assert not twins.ours.path(".pytest_cache").exists()
    twins.write("pytest.ini", "[pytest]\ncache_dir = $RUNLOG-cache\n")
    twins.ours.env["RUNLOG"] = str(tmp_path / "x")
    assert twins.ours.fastest().code == 1
    assert (tmp_path / "x-cache/v/cache/lastfailed").exists()
    twins.ours.fastest("--cache-clear", "-k", "a1")
    assert not (tmp_path / "x-cache/v/cache/lastfailed").exists()


def test_what_failed_starts_before_what_takes_longer(project):
    """Ninja starts edges in the order of the file, which is by time where nothing else is asked for."""
    project.write("test_a.py", "import time\ndef test_a(): time.sleep(0.3)\n")
    project.write("test_z.py", "def test_z(): assert 0\n")
    assert project.fastest().code == 1
    for args, order in ([], ["test_a", "test_z"]), (["--ff"], ["test_z", "test_a"]):
        project.fastest(*args)
        assert re.findall(r"fastest_batch (\w+)\.py", project.path(".fastest/graph.ninja").read_text()) == order
