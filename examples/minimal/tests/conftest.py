import json
import pathlib

import pytest

from shop.basket import Basket


@pytest.fixture(scope="session")
def prices():
    path = pathlib.Path(__file__).parent / "data" / "prices.json"
    return json.loads(path.read_text())


@pytest.fixture
def basket(prices):
    return Basket(prices)
