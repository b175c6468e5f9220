"""Suites that use the plugins of tests/requirements-plugins.txt: outcomes, and what the plugins write, as in plain pytest."""
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

PARITY = pathlib.Path(__file__).parents[1] / "parity"
OFF = ["-p", "no:randomly"]  # it makes no sense to compare orders that differ from run to run

# name -> (modules that it needs, arguments, files)
SUITES = {
    "asyncio": (["pytest_asyncio"], [], {"test_a.py": """
import asyncio, pytest, pytest_asyncio
@pytest_asyncio.fixture
async def value():
    await asyncio.sleep(0)
    yield 3
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(): return []
@pytest.mark.asyncio
async def test_value(value): assert value == 3
@pytest.mark.asyncio
async def test_fails(value): assert value == 4
@pytest.mark.asyncio(loop_scope="module")
async def test_shared(shared): shared.append(1)
@pytest.mark.asyncio(loop_scope="module")
async def test_shared_again(shared): assert shared == [1]
def test_plain(): pass
async def test_unmarked(): pass
@pytest.mark.asyncio
@pytest.mark.parametrize("n", [1, 2])
async def test_number(n): assert n == 1
""", "auto/pytest.ini": "[pytest]\nasyncio_mode = auto\n"}),
    "asyncio auto": (["pytest_asyncio"], ["-o", "asyncio_mode=auto"], {"test_a.py": """
import asyncio, pytest
@pytest.fixture
async def value(): return 3
async def test_value(value): assert value == 3
class TestClass:
    async def test_method(self, value): assert value == 4
async def test_tasks():
    async def one(): return 1
    assert await asyncio.gather(one(), one()) == [1, 1]
"""}),
    "anyio": (["anyio", "trio"], ["-p", "no:asyncio"], {"test_a.py": """
import anyio, pytest
pytestmark = pytest.mark.anyio
@pytest.fixture
async def value():
    await anyio.sleep(0)
    yield 3
async def test_value(value): assert value == 3
async def test_fails(value): assert value == 4
async def test_backend(anyio_backend_name): assert anyio_backend_name == "asyncio"
def test_plain(): pass
"""}),
    "mock": (["pytest_mock"], [], {"test_a.py": """
import os
def test_patch(mocker):
    mocker.patch("os.getcwd", return_value="/x")
    assert os.getcwd() == "/x"
def test_undone(): assert os.getcwd() != "/x"
def test_spy(mocker):
    spy = mocker.spy(os.path, "join")
    os.path.join("a", "b")
    spy.assert_called_once_with("a", "c")
def test_stub(mocker):
    stub = mocker.stub()
    stub(1)
    stub.assert_called_once_with(1)
"""}),
    "django": (["pytest_django", "django"], [], {
        "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n",
        "settings.py": "SECRET_KEY = 'x'\nINSTALLED_APPS = ['app']\nROOT_URLCONF = 'urls'\nUSE_TZ = True\n"
                       "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
                       "DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n",
        "urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n"
                   "urlpatterns = [path('hi/', lambda r: HttpResponse('hi'))]\n",
        "app/__init__.py": "", "app/models.py": "from django.db import models\nclass Thing(models.Model):\n"
                                               "    name = models.CharField(max_length=9)\n",
        "tests/test_a.py": """
import pytest
from app.models import Thing
@pytest.mark.django_db
def test_write():
    Thing.objects.create(name="a")
    assert Thing.objects.count() == 1
@pytest.mark.django_db
def test_rolled_back(): assert Thing.objects.count() == 0
def test_not_allowed(): Thing.objects.count()
def test_client(client): assert client.get("/hi/").content == b"hi"
@pytest.mark.django_db(transaction=True)
def test_transaction(): Thing.objects.create(name="b")
def test_settings(settings):
    settings.DEBUG = True
    assert settings.DEBUG
""", "tests/test_b.py": """
from django.test import TestCase
from app.models import Thing
class ThingTest(TestCase):
    @classmethod
    def setUpTestData(cls): cls.thing = Thing.objects.create(name="c")
    def test_there(self): self.assertEqual(Thing.objects.get().name, "c")
    def test_fails(self): self.assertEqual(Thing.objects.count(), 2)
"""}),
    "hypothesis": (["hypothesis"], [], {"test_a.py": """
from hypothesis import given, settings, strategies as st
@given(st.integers())
def test_holds(n): assert n + 0 == n
@settings(derandomize=True, max_examples=20)
@given(st.lists(st.integers()))
def test_fails(xs): assert len(xs) < 2
class TestClass:
    @given(st.text())
    def test_method(self, s): assert s == s
def test_plain(): pass
@settings(max_examples=3)
def test_pointless(): pass
"""}),
    "timeout": (["pytest_timeout"], ["--timeout=1"], {"test_a.py": """
import pytest, time
def test_quick(): pass
def test_slow(): time.sleep(30)
@pytest.mark.timeout(60)
def test_allowed(): time.sleep(1.2)
@pytest.fixture
def slow_fixture(): time.sleep(30)
def test_in_a_fixture(slow_fixture): pass
"""}),
    "rerunfailures": (["pytest_rerunfailures"], ["--reruns", "2"], {"test_a.py": """
import pytest
tries = []
def test_third_time():
    tries.append(1)
    assert len(tries) == 3
def test_never(): assert 0
def test_pass(): pass
@pytest.mark.flaky(reruns=0)
def test_once(): assert 0
"""}),
    "randomly": (["pytest_randomly"], ["-p", "randomly", "-p", "no:randomly"], {"test_a.py": """
import random
def test_a(): random.random()
def test_b(): pass
"""}),
    "randomly on": (["pytest_randomly"], ["-p", "randomly", "--randomly-seed=1"], {
        "test_%s.py" % m: "import random\ndef test_a(): assert random.randint(0, 9) == 2\n" + "".join(
            "def test_%d(): pass\n" % k for k in range(4)) for m in "ab"}),
    "subtests": (["pytest"], [], {"test_a.py": """
def test_some(subtests):
    for i in range(3):
        with subtests.test(i=i): assert i != 1
def test_none(): pass
"""}),
    "httpbin": (["pytest_httpbin"], [], {"test_%s.py" % m: """
import urllib.request
def get(url): return urllib.request.urlopen(url + "/get").status
def test_get(httpbin): assert get(httpbin.url) == 200
def test_status(httpbin): assert get(httpbin.url) == 201
def test_class(httpbin_both): assert httpbin_both.url
""" for m in "ab"}),
    "benchmark": (["pytest_benchmark"], ["--benchmark-max-time=0.01", "--benchmark-min-rounds=2"], {"test_a.py": """
def test_speed(benchmark): assert benchmark(sum, [1, 2]) == 3
def test_wrong(benchmark): assert benchmark(sum, [1, 2]) == 4
def test_plain(): pass
"""}),
    "bdd": (["pytest_bdd"], [], {
        "add.feature": "Feature: adding\n  Scenario: two numbers\n    Given 1\n    When 2 is added\n    Then it is 3\n"
                       "  Scenario: wrong\n    Given 1\n    When 2 is added\n    Then it is 4\n",
        "test_a.py": """
from pytest_bdd import given, parsers, scenarios, then, when
scenarios("add.feature")
@given("1", target_fixture="total")
def one(): return [1]
@when(parsers.parse("{n:d} is added"))
def add(total, n): total.append(n)
@then(parsers.parse("it is {n:d}"))
def check(total, n): assert sum(total) == n
def test_plain(): pass
"""}),
    "syrupy": (["syrupy"], [], {
        "__snapshots__/test_a.ambr": "# serializer version: 1\n# name: test_same\n  'one'\n# ---\n# name: test_other\n  'two'\n# ---\n",
        "test_a.py": "def test_same(snapshot): assert 'one' == snapshot\n"
                     "def test_other(snapshot): assert 'three' == snapshot\n"
                     "def test_missing(snapshot): assert 'new' == snapshot\n"}),
}


def plain(project, args):
    out = project.path("plain.json")
    done = project.run([sys.executable, "-m", "pytest", "-q", "-p", "outcomes", "-p", "no:cacheprovider", *args],
                       env={"OUTCOMES": str(out), "PYTHONPATH": str(PARITY)})
    return done.code, json.loads(out.read_text())


@pytest.mark.parametrize("name", SUITES)
def test_outcomes(project, name):
    needs, args, files = SUITES[name]
    missing = [module for module in needs if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip("not installed: %s (tests/requirements-plugins.txt)" % ", ".join(missing))
    for file, text in files.items():
        project.write(file, text)
    if "randomly" not in name:
        args = OFF + args
    code, outcomes = plain(project, args)
    r = project.fastest("-p", "no:cacheprovider", *args)
    assert project.outcomes() == outcomes, r
    assert r.code == code, r
