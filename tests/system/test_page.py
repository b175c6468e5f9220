"""The page of `fastest report --html`, in a real browser."""
import json
import re

import pytest
from conftest import FASTEST
from webdriver import CHROMIUM, DRIVER, Browser

PROJECT = {
    "pytest.ini": "[pytest]\npythonpath = src\n",
    "src/shop.py": "import money\nTAX = 2\n",
    "src/money.py": "def add(a, b): return a + b\n",
    "tests/test_shop.py": "import shop, pytest\ndef test_tax(): assert shop.TAX == 2\n@pytest.mark.skip(reason='some day')\ndef test_later(): pass\n",
    "tests/test_money.py": "import money\ndef test_add():\n    print('</script><b>& printed')\n    assert money.add(1, 1) == 3, 'so <little>'\n"
                           "def test_more(): pass\n",
}


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM or not DRIVER:
        pytest.skip("no chromium and chromedriver here")
    b = Browser()
    yield b
    b.close()


@pytest.fixture
def page(project, browser):
    for name, text in PROJECT.items():
        project.write(name, text)
    project.fastest()
    project.write("tests/test_money.py", PROJECT["tests/test_money.py"] + "def test_new(): pass\n")
    project.fastest()
    r = project.run([FASTEST, "report", "--html", "page.html"])
    assert r.code == 0, r
    browser.open("file" "://" + str(project.path("page.html")))
    return browser


def rows(browser):
    return browser.run("return [...document.querySelectorAll('.row')].map(r => r.innerText.replace(/\\s+/g, ' '))")


def test_everything_of_a_run_is_there(page, project):
    text = project.path("page.html").read_text()
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", text) and "@import" not in text and "fetch(" not in text
    assert page.run("return document.title") == "✗ Test report"
    assert [r.split(" ")[:2] for r in rows(page)] == [["failed", "tests/test_money.py::test_add"]], "failures come first"
    page.run("document.querySelector('#outcomes .failed').click()")
    assert len(rows(page)) == 5 and any("test_tax" in r and "cached" in r for r in rows(page))
    page.run("const q = document.getElementById('query'); q.value = 'SHOP tax'; q.dispatchEvent(new Event('input'))")
    assert ["test_tax" in r for r in rows(page)] == [True] and page.run("return document.getElementById('count').textContent") == "1 of 5"
    page.run("document.getElementById('tab-why').click()")
    why = page.run("return document.getElementById('why').innerText")
    assert "1 of 2 modules were not run" in why and "tests/test_money.py" in why
    page.run("document.getElementById('tab-time').click()")
    assert page.run("return lanes.length") == 1 and page.run("return lanes[0].tests.length") == 3
    assert page.run("const c = document.getElementById('lanes'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
                    "return d.some((v, i) => i % 4 == 3 && v)"), "the lanes are drawn"


def test_imports_are_walked_by_clicks(page):
    page.run("openTab('imports'); around('src/shop.py')")
    buttons = "return [...document.querySelectorAll('#around button')].map(b => b.innerText)"
    assert sorted(page.run(buttons)) == ["src/money.py", "src/shop.py", "tests/test_shop.py"]
    page.run("[...document.querySelectorAll('#around button')].find(b => b.innerText == 'src/money.py').click()")
    assert page.run("return document.querySelector('#around .centre').innerText") == "src/money.py"
    assert page.run("return document.querySelectorAll('#around path').length") == 3


def test_the_keyboard_suffices(page):
    page.run("document.querySelector('#outcomes .failed').click(); document.body.focus()")
    page.keys("/", "m", "o", "n", "e", "y")
    assert page.run("return document.activeElement.id") == "query" and len(rows(page)) == 3
    page.run("list.focus()")
    page.keys("Down")
    assert page.run("return document.querySelector('[aria-selected=true][role=option]').id") == page.run("return list.getAttribute('aria-activedescendant')")
    assert page.run("return document.querySelector('#detail h2').innerText") == "tests/test_money.py::test_add"
    detail = page.run("return document.getElementById('detail').innerText")
    assert "E       AssertionError: so <little>" in detail and "</script><b>& printed" in detail
    page.keys("End")
    assert page.run("return document.querySelector('[role=option][aria-selected=true]').getAttribute('aria-posinset')") == "3"
    page.keys("Enter")
    assert page.run("return document.activeElement.id") == "detail"
    page.run("document.getElementById('tab-tests').focus()")
    page.keys("Right")
    assert page.run("return document.activeElement.id") == "tab-slow"
    shown = "return [...document.querySelectorAll('[role=tabpanel]')].filter(p => p.offsetParent).map(p => p.id)"
    assert page.run(shown) == ["slow"], "one panel at a time"


def test_names_and_colours(page):
    nameless = page.run("return [...document.querySelectorAll('button, input, select, canvas, [role=listbox], [role=tablist]')].filter("
                        "e => !(e.innerText || '').trim() && !e.getAttribute('aria-label') && !(e.labels && e.labels.length) && !e.hidden).length")
    assert nameless == 0
    back = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(back)
    page.run("document.getElementById('theme').click()")
    dark = page.run(back)
    assert light == "rgb(255, 255, 255)" and dark != light
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_many_tests_have_few_rows(page, project):
    text = project.path("page.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    data["modules"] = [{"path": "t/test_%d.py" % m, "state": "ran", "why": "", "batch": "b", "collect": [],
                        "tests": [["::test_%d" % i, 0, 0.001, 0, 0.5, 1, i] for i in range(100)]} for m in range(500)]
    many = re.sub(r'(id="data">).*?(</script>)', lambda m: m.group(1) + json.dumps(data) + m.group(2), text, count=1, flags=re.S)
    project.path("many.html").write_text(many)
    page.open("file" "://" + str(project.path("many.html")))
    assert page.run("return document.getElementById('count').textContent") == "50000 tests" and len(rows(page)) < 100
    page.run("list.focus()")
    page.keys("End")
    assert "t/test_499.py::test_99" in page.run("return document.querySelector('[role=option][aria-selected=true]').title")
    assert len(rows(page)) < 100
    page.run("query.value = 'test_7.py test_42'; filter()")
    assert len(rows(page)) == 1
