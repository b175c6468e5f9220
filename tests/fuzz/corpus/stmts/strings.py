x = f"{a!r:>{w}} {b['k']}" \
    + r'\' + b"""
# no comment
"""
y = (1,  # one
     2)
print(rf"{x}{{}}")
