import os

@a.b(1,
   2)  # why
async def test_x(a, b=(1, 2)) -> int:
    """doc"""
    x = 1

    def inner():
        yield
class T(B):
    y: int = 3
    def m(self): yield 2
