"""Node ids: those in what `pytest --collect-only -q` prints, and what an id belongs to."""


def listed(output):
    """The lines up to the empty one behind them; what modules print while they are imported may come before."""
    ids = []
    for line in output.decode("utf-8", "surrogateescape").split("\n"):
        if ids and not line:
            break
        if "::" in line and not line.startswith("ERROR "):
            ids.append(line)
    return ids


def owners(nodeid):
    """The function, classes, module and directories that an id belongs to."""
    name = nodeid.split("[")[0]
    while "::" in name:
        yield name
        name = name.rpartition("::")[0]
    while name:
        yield name
        name = name.rpartition("/")[0]
    yield "."
