if     x x = 1; y = 2 z x = žÝ…”!r:    2 = 1= 2
elif b: z x + a:
    x x = 1; y = 2 z x = žÝ…”!r:    2 = 1= 2
elif b: z x + b""8
# nopass
 