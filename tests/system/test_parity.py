"""Two small real suites: every node id's outcome is plain pytest's (`make parity` runs all five)."""
import pathlib
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "parity" / "run.py"
CANNOT_INSTALL = 3


@pytest.mark.parametrize("suite", ["toolz", "attrs"])
def test_outcomes_of(suite):
    done = subprocess.run([sys.executable, str(RUN), suite], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    if done.returncode == CANNOT_INSTALL:
        pytest.skip("cannot be installed here: " + done.stdout[-300:])
    print(done.stdout)
    assert done.returncode == 0, done.stdout
