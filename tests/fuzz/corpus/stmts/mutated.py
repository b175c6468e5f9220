A = []
def f():
    A.append(1)
    B[0] = 2
    global C
    self.D.pop()
    globals()

def pytest_collection_modifyitems(items):
    items.pop()
