"""The shells' completion, typed into the real shells at a terminal, and the manual page."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import FASTEST, LIMIT
from terminal import Tty

MODULE = '''
import pytest

@pytest.mark.parametrize("x", ["a b", "c'd", "e[f]"])
def test_one(x): pass

class TestTwo:
    def test_three(self): pass
'''
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='READY> '\n", 'eval "$(fastest completion bash)"\n'),
    "zsh": (["zsh", "-f", "-i"], "PS1='READY> '\n", 'autoload -U compinit; compinit -u -D; eval "$(fastest completion zsh)"\n'),
    "fish": (["fish", "--no-config", "-i"], "function fish_prompt; echo 'READY> '; end\n", "fastest completion fish | source\n"),
}


class Typed(Tty):
    """A shell that has loaded the completion."""

    def __init__(self, name, cwd, path):
        argv, prompt, load = SHELLS[name]
        env = {"PATH": path + ":" + os.environ["PATH"], "HOME": str(cwd), "TERM": "dumb" if name != "fish" else "xterm",
               "XDG_CACHE_HOME": str(cwd / "cache"), "LANG": "C.UTF-8"}
        super().__init__(argv, cwd, env, columns=200)
        self.send(prompt)
        self.send(load)
        self.send("echo load''ed\n")
        self.wait("loaded\r?\n")

    def words(self, line):
        """What the line, which ends in tabs, has become: the words as the shell reads them."""
        self.send(line)
        self.send("\x01printf '\\074%s\\076' ")  # at the start of the line
        self.send("\x05; echo; echo do''ne\n")
        text = self.wait(r"((?:<[^\r\n]*>)+)[^\r\n]*\r?\n+(?:.*\n)*?done\r?\n").group(1)
        return text[1:-1].split("><")


@pytest.fixture(params=sorted(SHELLS))
def shell(request, tmp_path):
    if not shutil.which(request.param):
        pytest.skip("no %s here" % request.param)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fastest").symlink_to(FASTEST)
    (tmp_path / "test_a.py").write_text(MODULE)
    (tmp_path / "folder").mkdir()
    typed = Typed(request.param, tmp_path, str(tmp_path / "bin"))
    yield typed
    typed.send("exit\n")
    typed.finish()


def test_what_is_typed_becomes(shell):
    assert shell.words("fastest disc\t") == ["fastest", "discover"]
    assert shell.words("fastest cache cl\t") == ["fastest", "cache", "clear"]
    assert shell.words("fastest --persist\t") == ["fastest", "--persistent-workers"]
    assert shell.words("fastest --optimizer agg\t") == ["fastest", "--optimizer", "aggressive"]
    assert shell.words("fastest --color=a\t") == ["fastest", "--color=auto"]
    assert shell.words("fastest --state-dir fol\t") in (["fastest", "--state-dir", "folder/"], ["fastest", "--state-dir", "folder"])
    assert shell.words("fastest test_a.py::TestTw\t") == ["fastest", "test_a.py::TestTwo::test_three"]
    assert shell.words("fastest why ./test_a.py::test_one\\[c\t") == ["fastest", "why", "./test_a.py::test_one[c'd]"]


def test_candidates(tmp_path):
    (tmp_path / "test_a.py").write_text(MODULE)

    def ask(*words):
        done = subprocess.run([FASTEST, "complete", *words], cwd=tmp_path, stdout=subprocess.PIPE, timeout=LIMIT)
        return [line.split("\t")[0] for line in done.stdout.decode().splitlines()]

    assert ask("test_a.py::test_o") == ["test_a.py::test_one[a b]", "test_a.py::test_one[c'd]", "test_a.py::test_one[e[f]]"]
    assert ask("test_a.py::x") == [] and ask("nothing.py::") == []
    assert "run" in ask("") and ":files" in ask("") and "scan" not in ask("")
    assert ask("w") == ["why", ":files"] or "watch" in ask("w")
    assert ask("--junitxml", "") == [":files"] and ask("--state-dir=") == [":dirs"] and ask("-k", "") == []
    assert ask("--", "--color") == [":files"]
    assert "--json" in ask("cache", "-") and "--workers" not in ask("cache", "-")
    assert {"--workers", "--last-failed", "--maxfail"} <= set(ask("-"))
    assert ask("audit", "") == []


@pytest.mark.skipif(not shutil.which("man"), reason="no man here")
def test_the_manual_page(tmp_path):
    page = tmp_path / "fastest.1"
    page.write_bytes(subprocess.check_output([FASTEST, "man"], timeout=LIMIT))
    done = subprocess.run(["man", "--warnings", "-l", str(page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, MANWIDTH="100", MAN_KEEP_FORMATTING="", LC_ALL="C.UTF-8"), timeout=LIMIT)
    assert done.returncode == 0 and not done.stderr, done.stderr
    text = re.sub(".\b", "", done.stdout)
    help_text = subprocess.check_output([FASTEST, "--help"], text=True, timeout=LIMIT)
    for option in re.findall(r"^  .{4}(--[\w-]+)", help_text, re.M):
        assert re.search(r"^ .*%s\b" % option, text, re.M), option
    for heading in ("NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "CONFIGURATION", "ENVIRONMENT", "EXIT STATUS", "FILES"):
        assert re.search("^%s$" % heading, text, re.M), heading
