import pytest

from shop import money


@pytest.mark.parametrize("cents, text", [(0, "0.00"), (5, "0.05"), (1234, "12.34")])
def test_show(cents, text):
    assert money.show(cents) == text


def test_add():
    assert money.add(1, 2, 3) == 6
