"""Amounts in cents."""


def add(*amounts):
    return sum(amounts)


def show(cents):
    return f"{cents // 100}.{cents % 100:02d}"
