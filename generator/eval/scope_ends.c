#include "generator/eval/scope_run.h"

#include "generator/eval/imports.h"
#include "generator/source/split.h"

/* A call for what it does, not for its value: of a function whose name says that it may skip, or of any in a
 * handler that is run because an import failed, but for those that only tell. */
bool runner_may_end(const struct runner *x, struct str callee)
{
    static const char *const tell[] = {"warn", "print", "debug", "info", "warning", "error", "exception", "append", "add"};
    struct str name = str_slice(callee, str_rchr(callee, '.') == callee.n ? 0 : str_rchr(callee, '.') + 1, callee.n);
    if (str_contains(name, STR("skip")) || str_contains(name, STR("require")))
        return true;
    for (size_t i = 0; i < sizeof tell / sizeof *tell; i++)
        if (str_eq(name, str_z(tell[i])))
            return false;
    return x->handling;
}

/* Can that module be imported? 1, 0, or -1. */
static int can_import(struct runner *x, struct str dotted)
{
    struct module *from = x->s->module, *m;
    int has = world_has(x->w, from, dotted);
    if (has == 1)
        has = imports_has_module(x->w, from, dotted, 0);
    m = has == 1 ? world_import(x->w, from, dotted, 0, false) : NULL;
    return m && (m->import_fails || m->may_skip || m->error_line) ? -1 : has;
}

/* pytest.skip(…, allow_module_level=True), pytest.importorskip("name"): do they end the module? */
enum outcome runner_call(struct runner *x, const struct stmt *st, struct str callee, struct str args)
{
    struct value f = scope_eval(x->w, x->s, callee);
    bool skip = f.kind == VALUE_EXTERNAL && str_eq(f.text, STR("pytest.skip"));
    bool importorskip = f.kind == VALUE_EXTERNAL && str_eq(f.text, STR("pytest.importorskip"));
    if (!skip && !importorskip)
        return GOES_ON;
    struct value a = scope_arguments(x->w, x->s, args);
    struct module *m = x->s->module;
    bool before = m->may_skip;
    m->may_skip = true;
    const struct value *level = value_keyword(&a, STR("allow_module_level"));
    const struct value *reason = a.n_items ? &a.items[0] : value_keyword(&a, STR("reason"));
    if (a.kind == VALUE_UNKNOWN)
        return MAY_STOP;
    if (skip) {
        if (!level || value_truth(level) != 1)
            return MAY_STOP; /* an error of collection */
        if (reason && reason->kind == VALUE_STR)
            m->skip_reason = reason->text;
    } else {
        if (!a.n_items || a.items[0].kind != VALUE_STR)
            return MAY_STOP;
        int has = can_import(x, a.items[0].text);
        bool plain = a.n_items == 1 && !value_keyword(&a, STR("minversion"));
        if (has == 1 && plain) {
            m->may_skip = before;
            return GOES_ON;
        }
        if (has != 0)
            return MAY_STOP;
    }
    m->skip_line = st->line;
    return STOPS;
}

enum outcome runner_raise(struct runner *x, const struct stmt *st)
{
    struct str callee, args;
    split_call(str_trim(str_slice(st->text, 5, st->text.n)), &callee, &args);
    struct value v = scope_eval(x->w, x->s, callee);
    x->s->module->skip_line = st->line;
    bool skip = v.kind == VALUE_EXTERNAL && (str_eq(v.text, STR("unittest.SkipTest")) ||
                                             str_eq(v.text, STR("unittest.case.SkipTest")));
    bool builtin = v.kind == VALUE_NAMED && !v.ref;
    bool import = !callee.n || (builtin && (str_eq(v.text, STR("ImportError")) || str_eq(v.text, STR("ModuleNotFoundError"))));
    if (!skip && import && !x->maybe) /* a bare one is in a handler that is run: of what is not found */
        x->import_fails = true;
    x->s->module->may_skip = x->s->module->may_skip || skip || !x->maybe;
    return skip ? STOPS : MAY_STOP;
}
