#include "generator/collect/registered.h"

#include "generator/eval/imports.h"
#include "generator/source/split.h"

/* pytest's own (python.py, skipping.py, warnings.py, pytester.py). */
static const char *const builtin[] = {"parametrize", "usefixtures",    "skip",
                                      "skipif",      "xfail",          "filterwarnings", "pytester_example_path"};
/* These fail everywhere: "did you mean 'parametrize'?" */
static const char *const misspelled[] = {"parameterize", "parametrise", "parameterise"};

#define IS_ONE_OF(s, list) is_one_of((s), (list), sizeof(list) / sizeof *(list))
static bool is_one_of(struct str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, str_z(list[i])))
            return true;
    return false;
}

static bool is_configured(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->markers.n; i++) {
        struct str line = c->markers.items[i];
        line = str_slice(line, 0, str_chr(line, ':'));
        if (str_eq(str_trim(str_slice(line, 0, str_chr(line, '('))), name))
            return true;
    }
    return false;
}

/* A plugin's or conftest's text that registers marks and has the word. */
static bool is_registered_by(struct str path, struct str name)
{
    return path.n && imports_text_has(path, STR("addinivalue_line")) && imports_text_has(path, name);
}

static bool is_known(struct world *w, struct module *m, const struct strs *conftests, struct str name)
{
    const struct interp *p = &w->config->interp;
    if (IS_ONE_OF(name, builtin) || is_configured(w->config, name))
        return true;
    for (size_t i = 0; conftests && i < conftests->n; i++)
        if (is_registered_by(conftests->items[i], name))
            return true;
    for (size_t i = 0; i < p->plugins.n; i++) {
        struct str module = str_slice(p->plugins.items[i], str_chr(p->plugins.items[i], '=') + 1, p->plugins.items[i].n);
        if (is_registered_by(world_locate(w, m, str_slice(module, 0, str_chr(module, ':'))), name))
            return true;
    }
    for (size_t i = 0; i < w->config->plugins.n; i++)
        if (is_registered_by(world_locate(w, m, w->config->plugins.items[i]), name))
            return true;
    return false;
}

static const char *judge(struct world *w, struct module *m, const struct strs *conftests, struct str name)
{
    const struct config *c = w->config;
    if (*name.p == '_' || IS_ONE_OF(name, misspelled))
        return "a mark that pytest refuses";
    if ((c->strict_markers || c->unknown_marks_fail) && !is_known(w, m, conftests, name))
        return "a mark that is not registered, which is an error here";
    return NULL;
}

/* The names after pytest.mark in a statement. */
static const char *doubt_of(struct world *w, struct module *m, const struct strs *conftests, struct str text)
{
    struct str rest = text, word, before = STR("");
    const char *chain = text.p, *why = NULL;
    bool dotted;
    while (!why && split_word(&rest, &word, &dotted)) {
        if (dotted && str_eq(before, STR("mark"))) {
            struct value v = scope_eval(w, &m->scope, (struct str){chain, (size_t)(before.p + before.n - chain)});
            if (v.kind == VALUE_EXTERNAL && str_eq(v.text, STR("pytest.mark")))
                why = judge(w, m, conftests, word);
        }
        if (!dotted)
            chain = word.p;
        before = word;
    }
    return why;
}

const char *registered_doubt(struct world *w, struct module *m, const struct strs *conftests)
{
    const char *why = NULL;
    for (uint32_t i = 0; i < m->n_stmts && !why; i++)
        if (m->stmts[i].kind != STMT_BODY && str_contains(m->stmts[i].text, STR("mark.")))
            why = doubt_of(w, m, conftests, m->stmts[i].text);
    return why;
}
