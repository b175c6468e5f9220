#include "generator/source/parse.h"

#include "generator/files/pyname.h"
#include "generator/source/skeleton.h"
#include "runtime/base/arena.h"
#include "runtime/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>
#include <versions.h>

const TSLanguage *tree_sitter_python(void);

/* Node kinds that matter; the grammar's names (tree-sitter-python 0.25). */
enum kind {
    K_NONE, K_IMPORT, K_FROM, K_CALL, K_STRING, K_IDENTIFIER, K_ATTRIBUTE, K_ASSIGN, K_IF, K_FUNCTION
};
static const struct { const char *name; enum kind kind; } kinds[] = {
    {"import_statement", K_IMPORT}, {"import_from_statement", K_FROM}, {"call", K_CALL},
    {"string", K_STRING}, {"identifier", K_IDENTIFIER}, {"attribute", K_ATTRIBUTE},
    {"assignment", K_ASSIGN}, {"augmented_assignment", K_ASSIGN}, {"if_statement", K_IF},
    {"elif_clause", K_IF}, {"function_definition", K_FUNCTION},
};

/* Identifiers that set a flag wherever they stand. */
static const struct { const char *name; uint32_t flag; } words[] = {
    {"subprocess", FACT_SPAWN}, {"runpy", FACT_SPAWN}, {"multiprocessing", FACT_SPAWN},
    {"pexpect", FACT_SPAWN}, {"pytester", FACT_SPAWN}, {"testdir", FACT_SPAWN},
    {"create_subprocess_exec", FACT_SPAWN}, {"create_subprocess_shell", FACT_SPAWN},
    {"execv", FACT_SPAWN}, {"execve", FACT_SPAWN}, {"execvp", FACT_SPAWN}, {"execl", FACT_SPAWN},
    {"execlp", FACT_SPAWN}, {"spawnv", FACT_SPAWN}, {"spawnl", FACT_SPAWN}, {"spawnlp", FACT_SPAWN},
    {"posix_spawn", FACT_SPAWN}, {"popen", FACT_SPAWN}, {"system", FACT_SPAWN},
    {"ProcessPoolExecutor", FACT_SPAWN}, {"script_runner", FACT_SPAWN},
    {"numba", FACT_COMPILES}, {"njit", FACT_COMPILES}, {"cloudpickle", FACT_COMPILES}, {"dill", FACT_COMPILES},
    {"cython", FACT_COMPILES}, {"pythran", FACT_COMPILES}, {"jax", FACT_COMPILES}, {"torch", FACT_COMPILES},
    {"tensorflow", FACT_COMPILES}, {"dis", FACT_COMPILES}, {"marshal", FACT_COMPILES}, {"co_code", FACT_COMPILES},
    {"co_consts", FACT_COMPILES}, {"co_names", FACT_COMPILES},
    {"iter_modules", FACT_DYNAMIC}, {"walk_packages", FACT_DYNAMIC},
    {"spec_from_file_location", FACT_DYNAMIC}, {"loadTestsFromName", FACT_DYNAMIC}, {"loadTestsFromNames", FACT_DYNAMIC},
    {"pydoc", FACT_DYNAMIC}, {"__path__", FACT_SYS_PATH},
    {"resources", FACT_RESOURCES}, {"pkg_resources", FACT_RESOURCES}, {"get_data", FACT_RESOURCES},
    {"PackageLoader", FACT_RESOURCES}, {"syspath_prepend", FACT_SYS_PATH}, {"addsitedir", FACT_SYS_PATH},
};

/* Lines with one of these (or of the words above) are what the parser wants to see. */
static const char *const wanted[] = {"import", "__import__", "import_module", "importorskip",
                                     "pytest_plugins", "__all__", "exec", "eval", "sys"};

/* Hooks of a conftest that concern only the tests below it (pytest 9, hookspec reference). */
static const char *const local_hooks[] = {
    "pytest_runtest_", "pytest_generate_tests", "pytest_pyfunc_call", "pytest_fixture_",
    "pytest_assertrepr", "pytest_make_parametrize_id", "pytest_pycollect_", "pytest_ignore_collect",
};

struct parser {
    TSParser *ts;
    unsigned char *kind_of; /* by grammar symbol */
    uint32_t n_symbols;
    TSFieldId f_name, f_module, f_function, f_arguments, f_left, f_right, f_condition,
        f_consequence, f_object, f_attribute, f_alias, f_value;
    struct map words, skeleton; /* words: their flags; skeleton: see skeleton.h */
    struct buf text;            /* the last skeleton */
    bool whole;
};

/* One file's state. */
struct pass {
    struct parser *parser;
    struct str text;
    struct facts *facts;
    struct buf *out;
    struct map seen;           /* imports added so far */
    struct strs words, aliases; /* candidate words; other names of import_module */
    struct arena arena;
};

static TSFieldId field(const TSLanguage *l, const char *name)
{
    return ts_language_field_id_for_name(l, name, (uint32_t)strlen(name));
}

struct parser *parser_new(void)
{
    const TSLanguage *l = tree_sitter_python();
    struct parser *p = xmalloc(sizeof *p);
    memset(p, 0, sizeof *p);
    p->ts = ts_parser_new();
    ts_parser_set_language(p->ts, l);
    p->n_symbols = ts_language_symbol_count(l);
    p->kind_of = xmalloc(p->n_symbols);
    memset(p->kind_of, K_NONE, p->n_symbols);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        TSSymbol s = ts_language_symbol_for_name(l, kinds[i].name,
                                                 (uint32_t)strlen(kinds[i].name), true);
        p->kind_of[s] = (unsigned char)kinds[i].kind;
    }
    p->f_name = field(l, "name");
    p->f_module = field(l, "module_name");
    p->f_function = field(l, "function");
    p->f_arguments = field(l, "arguments");
    p->f_left = field(l, "left");
    p->f_right = field(l, "right");
    p->f_condition = field(l, "condition");
    p->f_consequence = field(l, "consequence");
    p->f_object = field(l, "object");
    p->f_attribute = field(l, "attribute");
    p->f_alias = field(l, "alias");
    p->f_value = field(l, "value");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *map_put(&p->words, str_z(words[i].name), NULL) = words[i].flag;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *map_put(&p->skeleton, str_z(words[i].name), NULL) =
            words[i].flag & (FACT_SPAWN | FACT_RESOURCES) ? SKELETON_WHOLE : SKELETON_KEEP;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        *map_put(&p->skeleton, str_z(wanted[i]), NULL) = SKELETON_KEEP;
    return p;
}

void parser_free(struct parser *p)
{
    if (!p)
        return;
    ts_parser_delete(p->ts);
    map_release(&p->words);
    map_release(&p->skeleton);
    buf_release(&p->text);
    free(p->kind_of);
    free(p);
}

static struct str node_text(const struct pass *x, TSNode n)
{
    return str_slice(x->text, ts_node_start_byte(n), ts_node_end_byte(n));
}

static bool node_is(TSNode n, const char *type)
{
    return !ts_node_is_null(n) && strcmp(ts_node_type(n), type) == 0;
}

static TSNode child(TSNode n, TSFieldId f)
{
    return ts_node_child_by_field_id(n, f);
}

static void add_import(struct pass *x, enum import_kind kind, uint8_t level, struct str module,
                       struct str name)
{
    struct buf key = {0};
    pack_u8(&key, (uint8_t)kind);
    pack_u8(&key, level);
    pack_str(&key, module);
    pack_str(&key, name);
    if (!map_get(&x->seen, buf_view(&key))) {
        struct str copy = {arena_dup(&x->arena, key.p, key.n), key.n};
        *map_put(&x->seen, copy, NULL) = 1;
        buf_add(x->out, key.p, key.n);
    }
    buf_release(&key);
}

/* "a . b" may hold blanks, comments and line breaks: only names and dots count. */
static struct str dotted(struct pass *x, TSNode n)
{
    struct str raw = node_text(x, n);
    if (pyname_is_dotted(raw, 0))
        return raw;
    struct buf b = {0};
    for (uint32_t i = 0; i < ts_node_named_child_count(n); i++) {
        TSNode part = ts_node_named_child(n, i);
        if (!node_is(part, "identifier"))
            continue;
        if (b.n)
            buf_char(&b, '.');
        buf_str(&b, node_text(x, part));
    }
    struct str s = {arena_dup(&x->arena, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return s;
}

/* The i-th imported name: the name itself, *alias null when it has none. False at the end. */
static void visit_names(struct pass *x, TSNode n, uint8_t level, struct str module, bool from)
{
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool more = ts_tree_cursor_goto_first_child(&c);
    for (; more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode item = ts_tree_cursor_current_node(&c);
        if (from && node_is(item, "wildcard_import"))
            add_import(x, IMPORT_FROM, level, module, STR("*"));
        if (ts_tree_cursor_current_field_id(&c) != x->parser->f_name)
            continue;
        TSNode alias = {0};
        if (node_is(item, "aliased_import")) {
            alias = child(item, x->parser->f_alias);
            item = child(item, x->parser->f_name);
        }
        struct str name = dotted(x, item);
        if (!from)
            add_import(x, IMPORT_NAME, 0, name, STR(""));
        else
            add_import(x, IMPORT_FROM, level, module, name);
        if (from && str_eq(name, STR("import_module")) && !ts_node_is_null(alias))
            strs_add(&x->aliases, node_text(x, alias));
    }
    ts_tree_cursor_delete(&c);
}

static void visit_from(struct pass *x, TSNode n)
{
    TSNode m = child(n, x->parser->f_module);
    uint32_t level = 0;
    struct str module = STR("");
    if (ts_node_is_null(m))
        return;
    if (node_is(m, "relative_import")) {
        struct str raw = node_text(x, m);
        for (size_t i = 0; i < raw.n && level < 250; i++)
            level += raw.p[i] == '.';
        for (uint32_t i = 0; i < ts_node_named_child_count(m); i++) {
            TSNode part = ts_node_named_child(m, i);
            if (node_is(part, "dotted_name")) {
                module = dotted(x, part);
                struct str dots = str_slice(raw, 0, ts_node_start_byte(part) - ts_node_start_byte(m));
                level = 0;
                for (size_t k = 0; k < dots.n && level < 250; k++)
                    level += dots.p[k] == '.';
            }
        }
    } else {
        module = dotted(x, m);
    }
    visit_names(x, n, (uint8_t)level, module, true);
}

/* The text of a plain string literal; false for f-strings, concatenations and escapes. */
static bool literal(struct pass *x, TSNode n, struct str *out)
{
    if (ts_node_is_null(n) || !node_is(n, "string"))
        return false;
    struct str raw = node_text(x, n);
    size_t q = 0;
    while (q < raw.n && raw.p[q] != '"' && raw.p[q] != '\'')
        if (strchr("fFtTbB", raw.p[q++]))
            return false;
    size_t width = raw.n >= q + 6 && raw.p[q + 1] == raw.p[q] && raw.p[q + 2] == raw.p[q] ? 3 : 1;
    if (raw.n < q + 2 * width)
        return false;
    *out = str_slice(raw, q + width, raw.n - width);
    return str_chr(*out, '\\') == out->n;
}

static void visit_string(struct pass *x, TSNode n)
{
    struct str s;
    if (!literal(x, n, &s) || s.n > 300)
        return;
    struct str head = str_slice(s, 0, str_chr(s, ':')); /* entry points: "pkg.mod:attr" */
    if (pyname_is_dotted(head, 1))
        add_import(x, IMPORT_STRING, 0, head, STR(""));
    else if (pyname_is_identifier(s))
        strs_add(&x->words, s);
}

/* Every string literal below n names a module (pytest_plugins) or a name of __all__. */
static void visit_string_list(struct pass *x, TSNode n, bool all)
{
    TSTreeCursor c = ts_tree_cursor_new(n);
    for (bool down = true;;) {
        struct str s;
        if (down && literal(x, ts_tree_cursor_current_node(&c), &s) && pyname_is_dotted(s, 0))
            add_import(x, all ? IMPORT_ALL : IMPORT_NAME, 0, s, STR(""));
        if (down && ts_tree_cursor_goto_first_child(&c))
            continue;
        if (ts_tree_cursor_goto_next_sibling(&c)) {
            down = true;
            continue;
        }
        down = false;
        if (!ts_tree_cursor_goto_parent(&c))
            break;
    }
    ts_tree_cursor_delete(&c);
}

static void visit_assignment(struct pass *x, TSNode n)
{
    TSNode left = child(n, x->parser->f_left), right = child(n, x->parser->f_right);
    if (ts_node_is_null(left) || ts_node_is_null(right))
        return;
    struct str name = node_text(x, left);
    if (str_eq(name, STR("pytest_plugins")))
        visit_string_list(x, right, false);
    else if (str_eq(name, STR("__all__")))
        visit_string_list(x, right, true);
}

static struct str last_name(struct pass *x, TSNode function)
{
    if (node_is(function, "attribute"))
        function = child(function, x->parser->f_attribute);
    return ts_node_is_null(function) ? STR("") : node_text(x, function);
}

/* Positional argument `index`, or the keyword's value; a null node when there is none. */
static TSNode argument(struct pass *x, TSNode args, uint32_t index, struct str keyword)
{
    TSNode none = {0};
    uint32_t position = 0;
    for (uint32_t i = 0; i < ts_node_named_child_count(args) && i < 16; i++) {
        TSNode a = ts_node_named_child(args, i);
        if (node_is(a, "comment"))
            continue;
        if (node_is(a, "keyword_argument")) {
            if (str_eq(node_text(x, child(a, x->parser->f_name)), keyword))
                return child(a, x->parser->f_value);
        } else if (position++ == index) {
            return a;
        }
    }
    return none;
}

/* import_module(".x", package="p" or __name__), import_module("a.b"), or something computed. */
static void visit_import_call(struct pass *x, TSNode args)
{
    struct str name, package;
    TSNode first = argument(x, args, 0, STR("name"));
    if (ts_node_is_null(first))
        first = argument(x, args, 0, STR("modname"));
    if (!literal(x, first, &name)) {
        x->facts->flags |= FACT_DYNAMIC;
        return;
    }
    uint8_t level = 0;
    while (level < name.n && level < 250 && name.p[level] == '.')
        level++;
    struct str rest = str_slice(name, level, name.n);
    if (rest.n && !pyname_is_dotted(rest, 0))
        return;
    if (level == 0) {
        add_import(x, IMPORT_NAME, 0, rest, STR(""));
        return;
    }
    TSNode p = argument(x, args, 1, STR("package"));
    if (literal(x, p, &package)) {
        struct buf b = {0};
        for (uint8_t i = 1; i < level; i++)
            package = str_slice(package, 0, str_rchr(package, '.'));
        buf_str(&b, package);
        buf_char(&b, '.');
        buf_str(&b, rest);
        struct str full = {arena_dup(&x->arena, b.p, b.n), b.n};
        add_import(x, IMPORT_NAME, 0, full, STR(""));
        buf_release(&b);
    } else {
        add_import(x, IMPORT_FROM, level, rest, STR(""));
    }
}

static void visit_call(struct pass *x, TSNode n)
{
    TSNode function = child(n, x->parser->f_function), args = child(n, x->parser->f_arguments);
    if (ts_node_is_null(function) || ts_node_is_null(args))
        return;
    struct str name = last_name(x, function);
    if (str_eq(name, STR("import_module")) || str_eq(name, STR("__import__")) ||
        str_eq(name, STR("importorskip")) || strs_has(&x->aliases, name))
        visit_import_call(x, args);
    else if (str_eq(name, STR("exec")) && node_is(function, "identifier"))
        x->facts->flags |= FACT_DYNAMIC;
    else if (str_eq(name, STR("eval")) && node_is(function, "identifier") &&
             str_contains(node_text(x, args), STR("import")))
        x->facts->flags |= FACT_DYNAMIC;
}

static void visit_identifier(struct pass *x, TSNode n)
{
    uintptr_t *flag = map_get(&x->parser->words, node_text(x, n));
    if (flag)
        x->facts->flags |= (uint32_t)*flag;
}

static void visit_attribute(struct pass *x, TSNode n)
{
    TSNode object = child(n, x->parser->f_object), name = child(n, x->parser->f_attribute);
    if (!ts_node_is_null(object) && !ts_node_is_null(name) && node_is(object, "identifier") &&
        str_eq(node_text(x, object), STR("sys")) && str_eq(node_text(x, name), STR("path")))
        x->facts->flags |= FACT_SYS_PATH;
}

static void visit_function(struct pass *x, TSNode n)
{
    TSNode name_node = child(n, x->parser->f_name);
    if (ts_node_is_null(name_node))
        return;
    struct str name = node_text(x, name_node);
    if (str_starts(name, STR("test")))
        x->facts->n_tests++;
    if (str_eq(name, STR("__getattr__"))) {
        TSNode up = ts_node_parent(n);
        while (!ts_node_is_null(up) && !node_is(up, "class_definition") && !node_is(up, "module"))
            up = ts_node_parent(up);
        if (!node_is(up, "class_definition"))
            x->facts->flags |= FACT_DYNAMIC;
    }
    if (!str_starts(name, STR("pytest_")))
        return;
    if (str_eq(name, STR("pytest_collect_file")) || str_eq(name, STR("pytest_collect_directory")))
        x->facts->flags |= FACT_COLLECTS;
    for (size_t i = 0; i < sizeof local_hooks / sizeof *local_hooks; i++)
        if (str_starts(name, str_z(local_hooks[i])))
            return;
    x->facts->flags |= FACT_HOOKS;
}

/* `if TYPE_CHECKING:` and `elif`: the body never runs, the rest does. */
static bool is_type_checking(struct pass *x, TSNode n)
{
    TSNode c = child(n, x->parser->f_condition);
    if (ts_node_is_null(c) || !(node_is(c, "identifier") || node_is(c, "attribute")))
        return false;
    return str_eq(last_name(x, c), STR("TYPE_CHECKING"));
}

static bool enter(struct pass *x, TSNode n, const void **skip)
{
    TSSymbol s = ts_node_symbol(n);
    switch ((enum kind)(s < x->parser->n_symbols ? x->parser->kind_of[s] : K_NONE)) {
    case K_IMPORT:
        visit_names(x, n, 0, STR(""), false);
        break; /* its identifiers set flags: import subprocess */
    case K_FROM:
        visit_from(x, n);
        break;
    case K_CALL:
        visit_call(x, n);
        break;
    case K_STRING:
        visit_string(x, n);
        return node_text(x, n).n > 4; /* f-strings hold calls */
    case K_IDENTIFIER:
        visit_identifier(x, n);
        return false;
    case K_ATTRIBUTE:
        visit_attribute(x, n);
        break;
    case K_ASSIGN:
        visit_assignment(x, n);
        break;
    case K_IF:
        if (is_type_checking(x, n))
            *skip = child(n, x->parser->f_consequence).id;
        break;
    case K_FUNCTION:
        visit_function(x, n);
        break;
    case K_NONE:
        break;
    }
    return true;
}

static void walk(struct pass *x, TSNode root)
{
    TSTreeCursor c = ts_tree_cursor_new(root);
    const void *skip = NULL;
    for (;;) {
        TSNode n = ts_tree_cursor_current_node(&c);
        bool descend = n.id != skip && enter(x, n, &skip);
        if (descend && ts_tree_cursor_goto_first_child(&c))
            continue;
        while (!ts_tree_cursor_goto_next_sibling(&c)) {
            if (!ts_tree_cursor_goto_parent(&c)) {
                ts_tree_cursor_delete(&c);
                return;
            }
        }
    }
}

void parser_whole(struct parser *p, bool whole)
{
    p->whole = whole;
}

/* An alias of import_module could be called on any line: such a file is parsed whole. */
static struct str reduce(struct parser *p, struct str text)
{
    buf_clear(&p->text);
    if (p->whole || str_contains(text, STR("import_module as")) ||
        !skeleton_make(&p->text, text, &p->skeleton))
        return text;
    return p->text.p ? buf_view(&p->text) : STR("");
}

void parser_run(struct parser *p, struct str source, struct facts *facts, struct buf *out)
{
    struct str text = reduce(p, source);
    struct pass x = {.parser = p, .text = text, .facts = facts, .out = out};
    facts->n_tests = 0;
    facts->flags = str_contains(source, STR("mark.skip")) || str_contains(source, STR("allow_module_level")) ? FACT_SKIPS : 0;
    if (text.n > UINT32_MAX / 2)
        return;
    TSTree *tree = ts_parser_parse_string(p->ts, NULL, text.p, (uint32_t)text.n);
    if (tree) {
        walk(&x, ts_tree_root_node(tree));
        ts_tree_delete(tree);
    }
    ts_parser_reset(p->ts);
    strs_sort(&x.words);
    strs_unique(&x.words);
    for (size_t i = 0; facts->flags & (FACT_SPAWN | FACT_RESOURCES) && i < x.words.n; i++)
        add_import(&x, IMPORT_WORD, 0, x.words.items[i], STR(""));
    map_release(&x.seen);
    strs_release(&x.words);
    strs_release(&x.aliases);
    arena_release(&x.arena);
}

#define TEXT_OF(x) TEXT(x)
#define TEXT(x) #x
const char *parser_version(void)
{
    return TREE_SITTER_VERSION " (ABI " TEXT_OF(TREE_SITTER_LANGUAGE_VERSION) "), grammar of Python "
        TREE_SITTER_PYTHON_VERSION;
}

bool facts_next(struct unpack *u, struct import *im)
{
    if (u->n == 0 || u->bad)
        return false;
    im->kind = unpack_u8(u);
    im->level = unpack_u8(u);
    im->module = unpack_str(u);
    im->name = unpack_str(u);
    return !u->bad;
}
