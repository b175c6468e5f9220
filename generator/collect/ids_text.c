#include "generator/collect/ids_text.h"

#include "generator/eval/expr_parse.h"
#include "runtime/base/map.h"

#include <string.h>

/* ---- text ---- */

static uint32_t read_point(const unsigned char *p, size_t n, size_t *i)
{
    uint32_t c = p[*i];
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    c &= more == 3 ? 7u : more == 2 ? 15u : more == 1 ? 31u : 255u;
    for (int k = 0; k < more && *i + 1 < n && (p[*i + 1] & 0xc0) == 0x80; k++)
        c = c << 6 | (p[++*i] & 63u);
    return c;
}

void ids_escape(struct buf *out, struct str s, bool bytes)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i++) {
        uint32_t c = p[i];
        if (!bytes && c >= 0x80)
            c = read_point(p, s.n, &i);
        if (c == '\n' || c == '\t' || c == '\r')
            buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c == '\\' && !bytes) /* decode("ascii") leaves it, unicode_escape does not */
            buf_z(out, "\\\\");
        else if (c >= 0x20 && c < 0x7f)
            buf_char(out, (char)c);
        else
            buf_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
}

/* _ascii_escaped_by_config; without escaping bytes stay bytes, which is an error of collection. */
static int put_text(const struct ids_config *c, const struct value *v, struct buf *out)
{
    bool bytes = v->kind == VALUE_BYTES;
    if (!c->no_escape)
        ids_escape(out, v->text, bytes);
    else if (!bytes)
        buf_str(out, v->text);
    return c->no_escape && bytes ? -1 : 1;
}

static int put_name(struct str name, struct buf *out)
{
    buf_str(out, name);
    return name.n ? 1 : -1;
}

/* What has a __name__ in a module whose functions and classes all have the name they are known by
 * (checked by running CPython 3.8 to 3.13; numpy's types of fixed size are so in 1.x and 2.x). */
static bool is_named_external(struct str q, struct str *name)
{
    static const char *const names[] = {
        "collections.ChainMap", "collections.Counter", "collections.OrderedDict", "collections.UserDict",
        "collections.UserList", "collections.UserString", "collections.defaultdict", "collections.deque",
        "collections.namedtuple", "copy.copy", "copy.deepcopy", "dataclasses.dataclass", "datetime.date",
        "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone", "decimal.Decimal",
        "enum.Enum", "enum.IntEnum", "fractions.Fraction", "functools.partial", "json.dumps", "json.loads",
        "math.acos", "math.asin", "math.atan", "math.ceil", "math.cos", "math.exp", "math.fabs", "math.factorial",
        "math.floor", "math.gcd", "math.isnan", "math.log", "math.log10", "math.log2", "math.sin", "math.sinh",
        "math.sqrt", "math.tan", "math.tanh", "math.trunc", "numpy.complex128", "numpy.complex64", "numpy.float16",
        "numpy.float32", "numpy.float64", "numpy.int16", "numpy.int32", "numpy.int64", "numpy.int8", "numpy.uint16",
        "numpy.uint32", "numpy.uint64", "numpy.uint8", "operator.add", "operator.and_", "operator.attrgetter",
        "operator.contains", "operator.eq", "operator.floordiv", "operator.ge", "operator.getitem", "operator.gt",
        "operator.iadd", "operator.invert", "operator.itemgetter", "operator.le", "operator.lshift", "operator.lt",
        "operator.matmul", "operator.methodcaller", "operator.mod", "operator.mul", "operator.ne", "operator.neg",
        "operator.not_", "operator.or_", "operator.pos", "operator.pow", "operator.rshift", "operator.sub",
        "operator.truediv", "operator.xor", "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath",
        "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "uuid.UUID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*names[i] == *q.p && str_eq(q, str_z(names[i]))) {
            *name = str_slice(q, str_rchr(q, '.') + 1, q.n);
            return true;
        }
    return false;
}

static int put_external(const struct value *v, struct buf *out)
{
    struct str name = v->text;
    bool module = v->called && !str_eq(name, STR("os.path")); /* that one is posixpath */
    return module || (name.n && is_named_external(name, &name)) ? put_name(name, out) : -1;
}

int ids_own_text(const struct ids_config *c, const struct value *v, struct buf *out)
{
    switch (v->kind) {
    case VALUE_STR:
    case VALUE_BYTES:
        return put_text(c, v, out);
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_COMPLEX:
        return value_str(v, out) ? 1 : -1;
    case VALUE_PATTERN:
        ids_escape(out, v->text, v->i != 0);
        return 1;
    case VALUE_ENUM:
    case VALUE_NAMED:
        return put_name(v->text, out);
    case VALUE_EXTERNAL:
        return put_external(v, out);
    case VALUE_TUPLE:
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_DICT:
    case VALUE_PARAM:
    case VALUE_MARK:
    case VALUE_PLAIN:
        return 0;
    case VALUE_UNKNOWN:
        break;
    }
    return -1;
}

/* More than 100 characters of a generated id: parametrize_long_str_id_strategy, since pytest 9.2. */
static int put_long(const struct ids_config *c, const struct value *v, struct buf *out)
{
    if (c->pytest < 902 || expr_length(v) <= 100 || str_eq(c->long_str, STR("legacy")))
        return put_text(c, v, out);
    return !c->long_str.n || str_eq(c->long_str, STR("short")) ? 0 : -1;
}

/* ids=str, ids=len …: 1 and the text of what the call gives, 0 when that has none, -1 not known. */
static int put_called(const struct ids_config *c, const struct value *v, const struct value *fn, struct arena *a,
                      struct buf *out)
{
    struct value r = {0};
    if (v->kind != VALUE_EXTERNAL) /* what that is, its name does not say */
        r = expr_apply(a, fn, v);
    return r.kind == VALUE_NONE ? 0 : ids_own_text(c, &r, out);
}

bool ids_value_text(const struct ids_config *c, const struct value *v, const struct value *fn, struct arena *a,
                    struct str name, uint32_t index, struct buf *out)
{
    int known = fn ? put_called(c, v, fn, a, out) : 0;
    bool fallen = fn && known == 0 && c->pytest < 701; /* a result of another type: nothing else is tried */
    if (known == 0 && !fallen)
        known = v->kind == VALUE_STR || v->kind == VALUE_BYTES ? put_long(c, v, out) : ids_own_text(c, v, out);
    if (known == 0)
        buf_printf(out, "%.*s%u", (int)name.n, name.p, index);
    return known >= 0;
}

/* ---- duplicates ---- */

static bool count(struct map *m, struct str id, int by)
{
    uintptr_t *n = map_put(m, id, NULL);
    *n += (uintptr_t)by;
    return *n > 0;
}

static bool is_taken(const struct map *m, struct str id)
{
    uintptr_t *n = map_get(m, id);
    return n && *n;
}

struct unique {
    const struct ids_config *c;
    struct arena *a;
    struct map original, now, next; /* how often an id was given, is there now; its next number */
};

/* Before pytest 8.0 a number could make an id that was there, and nothing came before it. */
static bool number(struct unique *u, struct ids_set *s)
{
    bool old = u->c->pytest < 800;
    unsigned char last = s->id.n ? (unsigned char)s->id.p[s->id.n - 1] : 0;
    struct str id = s->id;
    if (last >= 0x80 && !old)
        return false; /* str.isdigit() of what is not ASCII */
    uintptr_t *next = map_put(&u->next, s->id, NULL);
    do {
        struct buf b = {0};
        buf_str(&b, s->id);
        buf_printf(&b, last >= '0' && last <= '9' && !old ? "_%u" : "%u", (unsigned)(*next)++);
        id = (struct str){arena_dup(u->a, b.p, b.n), b.n};
        buf_release(&b);
    } while (!old && is_taken(&u->now, id));
    count(&u->now, s->id, -1);
    count(&u->now, id, 1);
    s->id = id;
    return true;
}

bool ids_make_unique(const struct ids_config *c, struct ids_list *l, struct arena *a)
{
    struct unique u = {.c = c, .a = a};
    bool known = true;
    uint32_t hidden = 0;
    for (uint32_t i = 0; i < l->n_sets; i++) {
        hidden += l->sets[i].hidden;
        if (!l->sets[i].hidden) {
            count(&u.original, l->sets[i].id, 1);
            count(&u.now, l->sets[i].id, 1);
        }
    }
    for (uint32_t i = 0; i < l->n_sets && known; i++) {
        uintptr_t *n = l->sets[i].hidden ? NULL : map_get(&u.original, l->sets[i].id);
        if (n && *n > 1)
            known = !c->strict && number(&u, &l->sets[i]);
    }
    map_release(&u.original);
    map_release(&u.now);
    map_release(&u.next);
    return known && hidden < 2;
}
