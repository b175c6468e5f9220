from shop import money


class Basket:
    def __init__(self, prices):
        self.prices = prices
        self.items = []

    def put(self, name, count=1):
        if name not in self.prices:
            raise KeyError(f"no price for {name}")
        self.items += [name] * count

    def total(self):
        return money.add(*(self.prices[name] for name in self.items))
