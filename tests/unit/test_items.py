"""runtime/worker/items.py makes what pytest's own constructors make; it compares both itself, and says so."""
import pathlib
import subprocess
import sys

import pytest

WORKER = pathlib.Path(__file__).resolve().parents[2] / "runtime" / "worker"
MODERN = tuple(map(int, pytest.__version__.split(".")[:2])) >= (8, 4)

TREE = {
    "conftest.py": "import pytest\n@pytest.fixture(autouse=True)\ndef auto(): pass\n",
    "test_kinds.py": """
import pytest
def test_plain(): pass
def test_other(): pass
@pytest.mark.parametrize("a", [1, 2])
def test_parameters(a): pass
@pytest.mark.slow
@pytest.mark.parametrize("a, b", [(1, 2), pytest.param(3, 4, marks=pytest.mark.slow, id="x")])
def test_marks(a, b): pass
class TestClass:
    def test_method(self): pass
    def test_method_2(self, request): pass
    @pytest.mark.parametrize("a", "xy")
    def test_parameters(self, a): pass
    @staticmethod
    def test_static(): pass
""",
}
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import items, pytest
class Plugin:
    def pytest_collection_finish(self, session):
        kinds = sorted((kind.__name__, marked) for kind, marked in items._checked)
        assert kinds == [("Class", False), ("Class", True), ("Module", False), ("Module", True)], kinds
        assert all(items._checked.values()), items._checked
        for item in session.items:
            given = {"callspec": item.callspec, "keywords": {item.callspec.id: True}} if hasattr(item, "callspec") else {}
            theirs = items._from_parent(pytest.Function, item.parent, name=item.name, fixtureinfo=item._fixtureinfo,
                                        originalname=item.originalname, **given)
            assert theirs.nodeid == item.nodeid and items._alike(theirs, item, {}), item
items.install()
sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "-W", "ignore"], plugins=[Plugin()]))
"""


@pytest.mark.skipif(not MODERN, reason="items are made by pytest before 8.4")
def test_items_are_what_pytest_makes(tmp_path):
    for name, text in TREE.items():
        (tmp_path / name).write_text(text)

    done = subprocess.run([sys.executable, "-c", SCRIPT, str(WORKER)], cwd=str(tmp_path), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and "11 tests collected" in done.stdout, done.stdout
