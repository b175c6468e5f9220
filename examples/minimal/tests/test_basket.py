import pytest


def test_total(basket):
    basket.put("apple", 3)
    basket.put("bread")
    assert basket.total() == 340


def test_unknown_item(basket):
    with pytest.raises(KeyError, match="no price for cheese"):
        basket.put("cheese")
