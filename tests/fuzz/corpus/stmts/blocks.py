if a:
    x = 1; y = 2
elif b: z = 3
else:
    try:
        import m
    except (A, B) as e:
        pass
    finally:
        q()
for i in j:
  def test_i(): pass
with a as b, c:
	r()
match x:
    case [1, *_]:
        pass
