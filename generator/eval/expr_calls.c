#include "generator/eval/expr_parse.h"

#include <math.h>
#include <string.h>

/* ---- what the standard library's names are ---- */

/* Calls that give objects which are no str, number or Pattern and have no __name__ (checked by running
 * CPython 3.8 to 3.13), whatever the arguments. With methods that make the same: "datetime.date.today". */
static const char *const plain[] = {
    "array.array", "collections.ChainMap", "collections.Counter", "collections.OrderedDict",
    "collections.UserDict", "collections.UserList", "collections.UserString", "collections.defaultdict",
    "collections.deque", "contextlib.ExitStack", "contextlib.nullcontext", "contextlib.suppress",
    "argparse.Namespace", "datetime.date", "datetime.date.fromisoformat", "datetime.date.fromtimestamp",
    "datetime.date.today", "datetime.datetime", "datetime.datetime.combine", "datetime.datetime.fromisoformat",
    "datetime.datetime.fromtimestamp", "datetime.datetime.now", "datetime.datetime.strptime",
    "datetime.datetime.today", "datetime.datetime.utcfromtimestamp", "datetime.datetime.utcnow", "datetime.time",
    "datetime.timedelta", "datetime.timezone", "decimal.Decimal", "email.message.EmailMessage",
    "email.message.Message", "fractions.Fraction", "functools.partial", "io.BytesIO", "io.StringIO",
    "ipaddress.IPv4Address", "ipaddress.IPv4Interface", "ipaddress.IPv4Network", "ipaddress.IPv6Address",
    "ipaddress.IPv6Interface", "ipaddress.IPv6Network", "ipaddress.ip_address", "ipaddress.ip_interface",
    "ipaddress.ip_network", "numpy.arange", "numpy.array", "numpy.empty", "numpy.eye", "numpy.linspace",
    "numpy.ones", "numpy.zeros", "operator.attrgetter", "operator.itemgetter", "operator.methodcaller",
    "pathlib.Path", "pathlib.Path.cwd", "pathlib.Path.home", "pathlib.PosixPath", "pathlib.PurePath",
    "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "pytest.approx", "pytest.raises", "pytest.warns",
    "random.Random", "string.Template", "struct.Struct", "threading.Lock", "threading.RLock",
    "types.MappingProxyType", "types.SimpleNamespace", "uuid.UUID", "uuid.uuid1", "uuid.uuid3", "uuid.uuid4",
    "uuid.uuid5", "weakref.WeakSet"};

static const char *const plain_constants[] = {
    "datetime.UTC", "datetime.date.max", "datetime.date.min", "datetime.datetime.max", "datetime.datetime.min",
    "datetime.timedelta.max", "datetime.timedelta.min", "datetime.timezone.utc", "unittest.mock.ANY"};

static bool is_listed(const char *const *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (names[i][0] == name.p[0] && expr_is(name, names[i]))
            return true;
    return false;
}

static struct value constant(struct str name)
{
    static const struct { const char *name; double f; } floats[] = {
        {"math.pi", 3.141592653589793}, {"math.e", 2.718281828459045}, {"math.tau", 6.283185307179586},
        {"math.inf", INFINITY}, {"math.nan", NAN}, {"numpy.pi", 3.141592653589793}, {"numpy.inf", INFINITY},
        {"numpy.nan", NAN}, {"numpy.e", 2.718281828459045}};
    static const struct { const char *name, *text; } texts[] = {
        {"string.ascii_lowercase", "abcdefghijklmnopqrstuvwxyz"}, {"string.digits", "0123456789"},
        {"string.ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {"string.octdigits", "01234567"},
        {"string.ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"string.hexdigits", "0123456789abcdefABCDEF"}, {"string.whitespace", " \t\n\r\v\f"},
        {"string.punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (expr_is(name, floats[i].name))
            return expr_float(floats[i].f);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (expr_is(name, texts[i].name))
            return expr_str(str_z(texts[i].text));
    if (is_listed(plain_constants, sizeof plain_constants / sizeof *plain_constants, name))
        return expr_plain(name);
    return expr_unknown();
}

/* ---- attributes ---- */

static struct value qualified(struct expr *x, struct str a, struct str b)
{
    char *p = expr_text(x, a.n + b.n + 1);
    struct value v = expr_unknown();
    if (!p)
        return v;
    memcpy(p, a.p, a.n);
    p[a.n] = '.';
    memcpy(p + a.n + 1, b.p, b.n);
    struct str q = {p, a.n + 1 + b.n};
    if (expr_is(a, "pytest.mark"))
        return (struct value){.kind = VALUE_MARK, .text = b};
    if (x->env->external)
        x->env->external(x->env->ctx, q, &v);
    if (v.kind == VALUE_UNKNOWN)
        v = constant(q);
    return v.kind == VALUE_UNKNOWN ? (struct value){.kind = VALUE_EXTERNAL, .text = q} : v;
}

static bool is_type(struct str name)
{
    static const char *const types[] = {"bool", "bytearray", "bytes", "classmethod", "complex", "dict", "enumerate",
                                        "filter", "float", "frozenset", "int", "list", "map", "memoryview", "object",
                                        "property", "range", "reversed", "set", "slice", "staticmethod", "str",
                                        "super", "tuple", "type", "zip"};
    return name.n && is_listed(types, sizeof types / sizeof *types, name);
}

/* The only tuple with such attributes is sys.version_info. */
static struct value version_part(const struct value *v, struct str name)
{
    static const char *const parts[] = {"major", "minor", "micro", "releaselevel", "serial"};
    for (uint32_t i = 0; v->kind == VALUE_TUPLE && v->n_items == 5 && i < 5; i++)
        if (expr_is(name, parts[i]))
            return v->items[i];
    return expr_unknown();
}

static struct value path_part(const struct value *v, struct str name)
{
    bool path = str_starts(v->text, STR("pathlib."));
    return path && expr_is(name, "parent") ? *v : expr_unknown();
}

static struct value attribute_of_named(struct expr *x, const struct value *v, struct str name)
{
    struct value out = expr_unknown();
    if (v->ref && x->env->attribute)
        x->env->attribute(x->env->ctx, v, name, &out);
    else if (!v->ref && (expr_is(name, "__name__") || (expr_is(name, "__qualname__") && !v->i)))
        out = expr_str(v->text);
    else if (!v->ref && !v->i && *name.p != '_' && is_type(v->text)) /* a method, or a descriptor with a name */
        out = (struct value){.kind = VALUE_NAMED, .text = name, .i = 1};
    return out;
}

struct value expr_attribute(struct expr *x, const struct value *v, struct str name)
{
    if (v->kind == VALUE_EXTERNAL)
        return qualified(x, v->text, name);
    if (v->kind == VALUE_NAMED)
        return attribute_of_named(x, v, name);
    if (v->kind == VALUE_MARK && (expr_is(name, "name") || expr_is(name, "mark")))
        return expr_is(name, "name") ? expr_str(v->text) : *v;
    if (v->kind == VALUE_PLAIN)
        return path_part(v, name);
    return version_part(v, name);
}

/* ---- marks ---- */

/* pytest's Mark.combined_with: arguments after those there are, keywords over them. */
static struct value combine(struct expr *x, const struct value *f, const struct value *a)
{
    struct value v = *f;
    size_t n = (size_t)f->n_items + a->n_items, k = (size_t)f->n_keywords + a->n_keywords;
    v.called = true;
    v.items = expr_array(x, n);
    if (!v.items)
        return expr_unknown();
    v.n_items = (uint32_t)n;
    if (f->n_items)
        memcpy(v.items, f->items, f->n_items * sizeof *v.items);
    if (a->n_items)
        memcpy(v.items + f->n_items, a->items, a->n_items * sizeof *v.items);
    v.keywords = arena_array(x->env->arena, k ? k : 1, sizeof *v.keywords);
    v.n_keywords = 0;
    for (uint32_t i = 0; i < f->n_keywords; i++)
        if (!value_keyword(a, f->keywords[i].name))
            v.keywords[v.n_keywords++] = f->keywords[i];
    for (uint32_t i = 0; i < a->n_keywords; i++)
        v.keywords[v.n_keywords++] = a->keywords[i];
    return v;
}

/* Arguments that are not known: the mark's name still is. */
static struct value unknown_mark(struct expr *x, const struct value *f)
{
    struct value v = *f;
    v.called = true;
    v.items = expr_array(x, 1);
    v.n_items = v.items != NULL;
    v.n_keywords = 0;
    return v;
}

/* Called with one function or class alone, a mark decorates it and gives it back. */
static struct value call_mark(struct expr *x, const struct value *f, const struct value *a)
{
    bool alone = a->n_items == 1 && a->n_keywords == 0;
    bool decorates = alone && a->items[0].kind == VALUE_NAMED && !expr_is(a->items[0].text, "<lambda>") &&
                     !expr_is_generator(&a->items[0]);
    return decorates ? a->items[0] : combine(x, f, a);
}

/* ---- calls of names ---- */

/* Factories of classes that are given their names: the keyword, or the first argument. */
static bool call_factory(struct str f, const struct value *a, struct value *out)
{
    static const struct { const char *name, *keyword; } factories[] = {
        {"collections.namedtuple", "typename"}, {"typing.NamedTuple", "typename"}, {"enum.Enum", "value"},
        {"enum.IntEnum", "value"}, {"typing.NewType", "name"}, {"typing.TypeVar", "name"},
        {"attr.make_class", "name"}, {"attr._make.make_class", "name"}, {"attrs.make_class", "name"},
        {"dataclasses.make_dataclass", "cls_name"}, {"types.new_class", "name"},
        {"attr.cmp_using", "class_name"}, {"attr._cmp.cmp_using", "class_name"}, {"attrs.cmp_using", "class_name"}};
    for (size_t i = 0; i < sizeof factories / sizeof *factories; i++) {
        if (!expr_is(f, factories[i].name))
            continue;
        bool positional = strcmp(factories[i].keyword, "class_name") != 0;
        const struct value *name = value_keyword(a, str_z(factories[i].keyword));
        if (!name && positional && a->n_items)
            name = &a->items[0];
        if (name && name->kind == VALUE_STR)
            *out = (struct value){.kind = VALUE_NAMED, .text = name->text, .i = 1};
        return true;
    }
    return false;
}

/* The pattern's text; a pattern of a pattern is itself. */
static struct value call_compile(const struct value *a)
{
    const struct value *p = a->n_items ? &a->items[0] : value_keyword(a, STR("pattern"));
    if (p && p->kind == VALUE_PATTERN)
        return *p;
    return p && (p->kind == VALUE_STR || p->kind == VALUE_BYTES)
               ? (struct value){.kind = VALUE_PATTERN, .text = p->text, .i = p->kind == VALUE_BYTES}
               : expr_unknown();
}

/* os.path.join of strings, on POSIX. */
static struct value call_join(struct expr *x, const struct value *a)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < a->n_items; i++) {
        const struct value *v = &a->items[i];
        if (v->kind != VALUE_STR || a->n_keywords || b.n > EXPR_MAX_TEXT) {
            buf_release(&b);
            return expr_unknown();
        }
        if (v->text.n && *v->text.p == '/')
            buf_clear(&b);
        else if (i && b.n && b.p[b.n - 1] != '/')
            buf_char(&b, '/');
        buf_str(&b, v->text);
    }
    return a->n_items ? expr_buf(x, &b, VALUE_STR) : expr_unknown();
}

static struct value ask(struct expr *x, const struct value *f, const struct value *a)
{
    struct value out = expr_unknown();
    if (x->env->call)
        x->env->call(x->env->ctx, f, a, &out);
    return out;
}

static struct value call_external(struct expr *x, const struct value *f, const struct value *a)
{
    struct value out = expr_unknown();
    if (expr_is(f->text, "pytest.param"))
        return (struct value){.kind = VALUE_PARAM, .items = a->items, .n_items = a->n_items,
                              .keywords = a->keywords, .n_keywords = a->n_keywords};
    if (expr_is(f->text, "re.compile"))
        return call_compile(a);
    if (expr_is(f->text, "os.path.join") || expr_is(f->text, "posixpath.join"))
        return call_join(x, a);
    if (str_starts(f->text, STR("itertools.")) && expr_itertool(x, str_slice(f->text, 10, f->text.n), a, &out))
        return out;
    bool mock = expr_is(f->text, "unittest.mock.Mock") || expr_is(f->text, "unittest.mock.MagicMock");
    if (mock && !a->n_items && !a->n_keywords)
        return expr_plain(f->text);
    if (call_factory(f->text, a, &out))
        return out;
    return ask(x, f, a);
}

static bool is_exception(struct str name)
{
    static const char *const odd[] = {"KeyboardInterrupt", "SystemExit", "StopIteration", "StopAsyncIteration",
                                      "GeneratorExit"};
    return *name.p >= 'A' && *name.p <= 'Z' &&
           (str_ends(name, STR("Error")) || str_ends(name, STR("Exception")) || str_ends(name, STR("Warning")) ||
            is_listed(odd, sizeof odd / sizeof *odd, name));
}

struct value expr_call(struct expr *x, const struct value *f, const struct value *a)
{
    if (f->kind == VALUE_MARK)
        return a->kind == VALUE_UNKNOWN ? unknown_mark(x, f) : call_mark(x, f, a);
    if (f->kind == VALUE_NAMED && !f->ref && !f->i && is_exception(f->text))
        return expr_plain(f->text);
    if (f->kind == VALUE_EXTERNAL && is_listed(plain, sizeof plain / sizeof *plain, f->text))
        return expr_plain(f->text);
    if (a->kind == VALUE_UNKNOWN)
        return expr_unknown();
    if (f->kind == VALUE_EXTERNAL)
        return call_external(x, f, a);
    if (f->kind != VALUE_NAMED)
        return expr_unknown();
    bool getattr = !f->i && expr_is(f->text, "getattr") && a->n_items > 1 && a->items[0].kind == VALUE_EXTERNAL;
    return f->ref || getattr ? ask(x, f, a) : expr_builtin(x, f, a);
}
