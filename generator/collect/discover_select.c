#include "generator/collect/discover_state.h"

#include "generator/collect/order.h"
#include "generator/collect/select.h"

#include <stdlib.h>
#include <string.h>

static const struct test *find_test(const struct unit *u, struct str id)
{
    for (size_t i = 0; i < u->n; i++)
        if (str_eq(u->tests[i].id, id))
            return &u->tests[i];
    return NULL;
}

/* "path::Class::test[x]" → class and function; brackets in a parameter do not count. */
static void split_id(struct test *t, size_t path)
{
    struct str rest = str_slice(t->id, path + 2, t->id.n);
    struct str bare = str_slice(rest, 0, str_chr(rest, '['));
    size_t at = bare.n;
    while (at > 0 && bare.p[at - 1] != ':')
        at--;
    t->function = str_slice(bare, at, bare.n);
    t->class = at >= 2 ? str_slice(bare, 0, at - 2) : STR("");
}

/* The test as the run had it; what the source says about its function still holds. */
static struct test recorded_test(struct discover_state *s, const struct unit *u, const struct discover_item *item)
{
    const struct test *exact = find_test(u, item->id);
    struct arena *a = &s->dirs.arena;
    if (exact && !exact->doubt)
        return *exact;
    struct test t = {.id = {arena_dup(a, item->id.p, item->id.n), item->id.n}, .line = item->line};
    split_id(&t, u->relative.n);
    struct value *marks = arena_array(a, item->n_keywords, sizeof *marks);
    for (uint32_t i = 0; i < item->n_keywords; i++) {
        struct str k = item->keywords[i];
        marks[i] = (struct value){.kind = VALUE_MARK, .text = {arena_dup(a, k.p, k.n), k.n}};
    }
    const struct test *function = find_test(u, str_slice(t.id, 0, str_chr(t.id, '[')));
    if (function) { /* its marks have their arguments */
        t.marks = function->marks;
        t.n_marks = function->n_marks;
        t.line = function->line;
    }
    if (!t.n_marks) {
        t.marks = marks;
        t.n_marks = item->n_keywords;
    }
    return t;
}

static bool is_doubtful(const struct unit *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->tests[i].doubt && !u->tests[i].error)
            return true;
    return false;
}

void discover_take_records(struct discover_state *s, const struct discover_options *o)
{
    struct discover_item *items;
    uint32_t n;
    for (size_t i = 0; i < s->n_units && o->recorded; i++) {
        struct unit *u = &s->units[i];
        if (!is_doubtful(u) || !o->recorded(o->recorded_ctx, u->path, &items, &n))
            continue;
        struct test *tests = xmalloc((n + 1) * sizeof *tests);
        for (uint32_t k = 0; k < n; k++)
            tests[k] = recorded_test(s, u, &items[k]);
        free(u->tests);
        u->tests = tests;
        u->n = u->cap = n;
        s->from_records = true;
    }
}

/* ---- selection ---- */

/* A class or module whose collection fails gives no tests. */
static void drop_failed(struct unit *u)
{
    size_t n = 0;
    for (size_t i = 0; i < u->n; i++) {
        bool dropped = false;
        for (size_t k = 0; k < u->n && !dropped; k++) {
            const struct test *e = &u->tests[k];
            dropped = e->error && k != i && str_starts(u->tests[i].id, e->id) &&
                      (u->tests[i].id.n == e->id.n ? k < i : u->tests[i].id.p[e->id.n] == ':');
        }
        if (!dropped)
            u->tests[n++] = u->tests[i];
    }
    u->n = n;
}

/* One that may fail takes what is beside it along: nothing of that is certain. */
static void spread_doubt(struct unit *u)
{
    for (size_t i = 0; i < u->n; i++) {
        struct str owner = str_slice(u->tests[i].id, 0, u->tests[i].id.n - u->tests[i].function.n);
        for (size_t k = 0; k < u->n && u->tests[i].may_fail; k++)
            if (!u->tests[k].doubt && str_starts(u->tests[k].id, owner))
                u->tests[k].doubt = "a test beside it that may fail to be collected";
    }
}

static bool has_error(const struct unit *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->tests[i].error)
            return true;
    return false;
}

static bool is_deselected(const struct discover_state *s, const struct test *t)
{
    const struct strs *d = &s->out->config.deselect;
    for (size_t i = 0; i < d->n; i++)
        if (str_starts(t->id, d->items[i]))
            return true;
    return false;
}

struct selection {
    struct select *keyword, *mark;
    bool old; /* before 9.2 every attribute of the function is a name */
};

static void add_path_names(struct strs *names, struct str relative)
{
    struct str rest = relative, part;
    while (str_next(&rest, '/', &part))
        strs_add(names, part);
}

/* KeywordMatcher.from_item: names of the nodes, of the marks, of the function's attributes. */
static bool matches(const struct selection *sel, const struct unit *u, const struct test *t)
{
    if (!sel->keyword && !sel->mark)
        return true;
    struct strs names = {0};
    struct str rest = t->class, part;
    add_path_names(&names, u->relative);
    while (rest.n && str_next(&rest, ':', &part))
        if (part.n)
            strs_add(&names, part);
    size_t tail = t->id.n > t->function.n ? t->id.n : 0;
    for (size_t i = 0; i + t->function.n <= t->id.n; i++)
        if (i >= u->relative.n + 2 && str_starts(str_slice(t->id, i, t->id.n), t->function) && t->id.p[i - 1] == ':') {
            tail = i;
            break;
        }
    if (t->function.n)
        strs_add(&names, str_slice(t->id, tail, t->id.n));
    for (uint32_t i = 0; i < t->n_marks; i++)
        strs_add(&names, t->marks[i].text);
    if (t->n_marks && sel->old)
        strs_add(&names, STR("pytestmark"));
    struct select_item item = {.names = names.items, .n_names = (uint32_t)names.n, .marks = t->marks,
                               .n_marks = t->n_marks};
    bool yes = (!sel->keyword || select_match(sel->keyword, &item) != 0) &&
               (!sel->mark || select_match(sel->mark, &item) != 0);
    strs_release(&names);
    return yes || t->doubt;
}

/* With prepend, a second module of the same name is not the file that is meant. */
static bool is_shadowed(struct discover_state *s, struct map *names, const struct unit *u)
{
    if (str_eq(s->out->config.probe.import_mode, STR("importlib")) || !str_ends(u->path, STR(".py")))
        return false;
    struct dir *d = dirs_open(&s->dirs, path_dir(u->path));
    if (d->package)
        return false;
    bool added;
    map_put(names, path_base(u->path), &added);
    return !added;
}

static void add_error(struct discovered *d, struct discover_state *s, const struct unit *u)
{
    size_t cap = d->n_errors;
    (void)s;
    d->errors = xgrow(d->errors, &cap, d->n_errors + 1, sizeof *d->errors);
    d->errors[d->n_errors++] = (struct discover_error){u->relative, u->error_line, u->error_column, u->error};
}

struct ranked { struct test *test; size_t argument, at; };

static int by_argument(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->argument != y->argument)
        return x->argument < y->argument ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Node ids as arguments: their tests come in the order of the arguments. */
static void order_by_argument(const struct arguments *a, struct ranked *r, size_t n)
{
    if (a->nodes)
        qsort(r, n, sizeof *r, by_argument);
}

/* The argument that names the test; the number of arguments when none does. */
static size_t argument_of(const struct discover_state *s, const struct unit *u, const struct test *t, size_t file)
{
    if (!s->arguments.nodes)
        return file;
    struct str rest = str_slice(t->id, u->relative.n, t->id.n);
    if (str_starts(rest, STR("::")))
        rest = str_slice(rest, 2, rest.n);
    return arguments_of_test(&s->arguments, u->path, rest, t->doubt);
}

static size_t count_tests(const struct discover_state *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_units; i++)
        n += s->units[i].n;
    return n;
}

bool discover_select(struct discover_state *s, struct err *err)
{
    struct discovered *d = s->out;
    struct selection sel = {.old = d->config.pytest < 902};
    unsigned no_calls = d->config.pytest < 803 ? SELECT_NO_CALLS : 0;
    struct map names = {0};
    size_t n = 0, n_args = d->config.probe.args.n;
    if (d->config.keyword.n && !(sel.keyword = select_new(d->config.keyword, no_calls, err)))
        return false;
    if (d->config.markexpr.n && !(sel.mark = select_new(d->config.markexpr, no_calls | SELECT_MARK, err))) {
        select_free(sel.keyword);
        return false;
    }
    struct ranked *r = xmalloc(count_tests(s) * sizeof *r);
    for (size_t i = 0; i < s->n_units; i++) {
        struct unit *u = &s->units[i];
        spread_doubt(u);
        if (has_error(u))
            drop_failed(u);
        bool shadowed = is_shadowed(s, &names, u);
        size_t file = arguments_of_file(&s->arguments, u->path);
        if (u->error_line)
            add_error(d, s, u);
        for (size_t k = 0; k < u->n; k++) {
            struct test *t = &u->tests[k];
            size_t argument = argument_of(s, u, t, file);
            if (argument == n_args)
                continue;
            if (!t->error && (is_deselected(s, t) || !matches(&sel, u, t))) {
                d->n_deselected++;
                continue;
            }
            r[n] = (struct ranked){t, argument, n};
            n++;
            if (shadowed && k == 0) {
                *t = (struct test){.id = u->relative, .function = STR(""), .class = STR(""), .error = true,
                    .doubt = "another module of this name was collected before (import file mismatch)"};
                break;
            }
        }
    }
    bool overlap = arguments_overlap(&d->config);
    order_by_argument(&s->arguments, r, n);
    d->tests = xmalloc((n + s->others.n) * sizeof *d->tests);
    for (size_t i = 0; i < n; i++) {
        d->tests[d->n++] = *r[i].test;
        if (overlap && !r[i].test->doubt)
            d->tests[i].doubt = "arguments that name it twice";
    }
    free(r);
    order_tests(d->tests, d->n);
    for (size_t i = 0; i < s->others.n; i++) {
        struct buf rel = {0};
        path_relative(&rel, s->others.items[i], d->config.probe.root);
        struct str id = rel.n ? (struct str){arena_dup(&s->dirs.arena, rel.p, rel.n), rel.n} : STR(".");
        d->tests[d->n++] = (struct test){.id = id, .function = STR(""), .class = STR(""),
                                         .doubt = "a conftest collects other files"};
        buf_release(&rel);
    }
    map_release(&names);
    select_free(sel.keyword);
    select_free(sel.mark);
    return true;
}
