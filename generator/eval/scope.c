#include "generator/eval/scope_run.h"

#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <string.h>

static enum outcome run_block(struct runner *x, uint32_t i, uint8_t depth, uint32_t *end);

static const struct stmt *stmt_at(const struct runner *x, uint32_t i)
{
    return &x->s->module->stmts[i];
}

static uint32_t stmt_count(const struct runner *x)
{
    return x->s->module->n_stmts;
}

struct binding *scope_get(const struct scope *s, struct str name)
{
    uintptr_t *at = map_get(&s->names, name);
    struct binding *b = at ? s->items[*at - 1] : NULL;
    return b && !b->deleted ? b : NULL;
}

struct binding *scope_bind(struct world *w, struct scope *s, struct str name, enum binding_kind kind,
                           bool maybe)
{
    uintptr_t *at = map_put(&s->names, name, NULL);
    struct binding *b = *at ? s->items[*at - 1] : NULL;
    if (b && !b->deleted) {
        *b = (struct binding){.name = name, .kind = kind, .scope = s, .maybe = maybe || b->maybe,
                              .rebound = true, .mutated = b->mutated};
        if (maybe) /* what it was before may still hold */
            b->maybe = true;
        return b;
    }
    b = arena_alloc(&w->arena, sizeof *b);
    *b = (struct binding){.name = name, .kind = kind, .scope = s, .maybe = maybe};
    s->items = xgrow(s->items, &s->cap, s->n + 1, sizeof *s->items);
    s->items[s->n++] = b;
    *at = s->n;
    return b;
}

/* ---- simple statements ---- */

/* Calls may change what their arguments are, or call what makes names. */
static void note_words(struct runner *x, struct str text, bool call)
{
    struct str rest = text, word;
    bool dotted;
    while (split_word(&rest, &word, &dotted)) {
        if (dotted)
            continue;
        struct binding *b = scope_get(&x->s->module->scope, word);
        if (!b)
            continue;
        if (b->kind == BIND_DEF && b->scope->module->stmts[b->stmt].words & WORD_NAMESPACE)
            runner_doubt(x, "a function that makes names is called");
        else if (call && b->kind == BIND_VALUE)
            b->mutated = true;
        else if (call && b->kind == BIND_CLASS)
            b->patched = true; /* it may be given tests: add_tests(TestX) */
    }
}

/* test_f.__test__ = False, Class.attr = …, LIST[0] = …: the name whose object is changed. */
static void note_target(struct runner *x, struct str target, struct str value)
{
    struct str rest = target, word;
    bool dotted;
    if (!split_word(&rest, &word, &dotted) || word.p != target.p)
        return;
    struct binding *b = scope_get(x->s, word);
    if (!b)
        b = scope_get(&x->s->module->scope, word);
    bool conftest = str_eq(path_base(x->s->module->path), STR("conftest.py"));
    if (b && b->kind == BIND_MODULE && conftest && !x->maybe) { /* sys._flag = True */
        struct value *kept = arena_alloc(&x->w->arena, sizeof *kept);
        *kept = scope_eval(x->w, x->s, value);
        *map_put(&x->w->overrides, target, NULL) = (uintptr_t)kept;
    } else if (b && str_eq(rest, STR(".__test__"))) {
        b->test_attr = str_eq(value, STR("True")) ? 1 : str_eq(value, STR("False")) ? 2 : 3;
    } else if (b) {
        b->patched = true;
        b->mutated = true;
    }
}

static bool is_name(struct str s)
{
    struct str rest = s, word;
    bool dotted;
    return split_word(&rest, &word, &dotted) && word.p == s.p && word.n == s.n;
}

static bool grow_list(struct runner *x, struct str name, struct str arg, bool extend);

static void bind_target(struct runner *x, struct str target, struct str value, bool augmented)
{
    if (target.n && (*target.p == '(' || *target.p == '['))
        target = str_slice(target, 1, target.n - 1);
    if (is_name(target)) {
        struct binding *b = scope_get(x->s, target);
        if (augmented && b && grow_list(x, target, value, true))
            return;
        if (augmented && b) {
            b->mutated = b->rebound = true;
            if (b->state == 0) /* x += 1 makes another value */
                b->kind = BIND_OPAQUE;
            return;
        }
        struct binding *made = runner_bind(x, target, BIND_VALUE);
        made->text = value;
        made->line = x->line;
        return;
    }
    if (split_find(target, ',') >= target.n) {
        if (*target.p == '*')
            bind_target(x, str_trim(str_slice(target, 1, target.n)), STR(""), false);
        else
            note_target(x, target, value);
        return;
    }
    struct str part;
    for (struct str rest = target; split_next(&rest, &part);)
        bind_target(x, part, STR(""), false);
}

static void run_del(struct runner *x, struct str text)
{
    struct str rest = str_slice(text, 3, text.n), part;
    while (split_next(&rest, &part)) {
        struct binding *b = is_name(part) ? scope_get(x->s, part) : NULL;
        if (b && x->maybe)
            b->maybe = true;
        else if (b)
            b->deleted = true;
        else
            note_target(x, part, STR(""));
    }
}

/* NAME.append(x), NAME.extend(list), NAME += list at the top of a module: the list that it is then. False
 * when that is not known. */
static bool grow_list(struct runner *x, struct str name, struct str arg, bool extend)
{
    struct binding *b = scope_get(x->s, name);
    if (!b || b->kind != BIND_VALUE || b->maybe || b->rebound || b->mutated || x->maybe)
        return false;
    struct value list = binding_value(x->w, b), more = scope_eval(x->w, x->s, arg);
    if (list.kind != VALUE_LIST)
        return false;
    bool sequence = more.kind == VALUE_LIST || more.kind == VALUE_TUPLE;
    if (extend && !sequence)
        return false;
    uint32_t n = extend ? more.n_items : 1;
    struct value *items = arena_array(&x->w->arena, list.n_items + n, sizeof *items);
    if (list.n_items)
        memcpy(items, list.items, list.n_items * sizeof *items);
    if (n)
        memcpy(items + list.n_items, extend ? more.items : &more, n * sizeof *items);
    list.items = items;
    list.n_items += n;
    b->grown_line = x->line;
    binding_set(x->w, b, &list);
    return true;
}

static bool grows_list(struct runner *x, struct str text)
{
    struct str callee, args;
    if (!split_call(text, &callee, &args))
        return false;
    bool append = str_ends(callee, STR(".append")), extend = str_ends(callee, STR(".extend"));
    size_t n = callee.n - (append || extend ? 7 : 0);
    return (append || extend) && grow_list(x, str_slice(callee, 0, n), args, extend);
}

/* (name := value) */
static void bind_walrus(struct runner *x, struct str text)
{
    struct str rest = text, word;
    bool dotted;
    if (!str_contains(text, STR(":=")))
        return;
    while (split_word(&rest, &word, &dotted))
        if (!dotted && str_starts(str_trim(rest), STR(":=")))
            runner_bind(x, word, BIND_OPAQUE);
}

/* A module that is skipped when it is imported skips this one. */
static enum outcome after_import(struct runner *x)
{
    struct module *m = x->s->module;
    bool skipped = x->skipped != NULL, may_skip = x->may_skip;
    if (skipped && !m->skip_line) {
        m->skip_reason = x->skipped->skip_reason;
        m->skip_line = x->skipped->skip_line;
    }
    m->may_skip = m->may_skip || may_skip;
    x->skipped = NULL;
    x->may_skip = false;
    return skipped ? STOPS : may_skip ? MAY_STOP : GOES_ON;
}

static enum outcome run_simple(struct runner *x, const struct stmt *st)
{
    struct str rest = st->text, word = STR(""), callee, args;
    struct split_assignment a;
    bool dotted;
    x->line = x->w->line = st->line;
    if (!split_word(&rest, &word, &dotted) || word.p != st->text.p)
        word = STR("");
    if (str_eq(word, STR("import"))) {
        runner_import(x, st->text);
        return after_import(x);
    }
    if (str_eq(word, STR("from"))) {
        runner_from(x, st->text);
        return after_import(x);
    }
    if (str_eq(word, STR("del")))
        run_del(x, st->text);
    else if (str_eq(word, STR("raise")))
        return runner_raise(x, st);
    else if (!st->text.n)
        runner_doubt(x, "a statement that is too long to be read");
    if (st->words & (WORD_NAMESPACE | WORD_SETS) && !str_eq(word, STR("assert")))
        runner_doubt(x, "names are made at run time (globals, setattr, exec)");
    bind_walrus(x, st->text);
    if (!split_assignment(st->text, &a)) {
        if (grows_list(x, st->text))
            return GOES_ON;
        note_words(x, st->text, true);
        if (!split_call(st->text, &callee, &args))
            return GOES_ON;
        enum outcome o = runner_call(x, st, callee, args);
        if (o != GOES_ON || !runner_may_end(x, callee) || str_ends(callee, STR("importorskip")))
            return o;
        x->s->module->may_skip = true;
        return MAY_STOP;
    }
    if (a.value.n && str_chr(a.value, '(') < a.value.n)
        note_words(x, a.value, false);
    for (unsigned i = 0; i < a.n_targets; i++)
        if (a.value.n || !a.annotation.n)
            bind_target(x, a.targets[i], a.value, a.augmented);
    bool call = str_contains(a.value, STR("importorskip")) || str_contains(a.value, STR("skip("));
    return call && split_call(a.value, &callee, &args) ? runner_call(x, st, callee, args) : GOES_ON;
}

/* ---- blocks ---- */

static uint32_t block_end(const struct runner *x, uint32_t i, uint8_t depth)
{
    while (i < stmt_count(x) && stmt_at(x, i)->depth >= depth && stmt_at(x, i)->kind != STMT_MUTATED &&
           stmt_at(x, i)->kind != STMT_ERROR)
        i++;
    return i;
}

static enum outcome either(enum outcome a, enum outcome b)
{
    return a == b ? a : MAY_STOP;
}

static enum outcome run_branch(struct runner *x, uint32_t header, bool maybe)
{
    bool before = x->maybe;
    uint32_t end;
    x->maybe = before || maybe;
    enum outcome o = run_block(x, header + 1, (uint8_t)(stmt_at(x, header)->depth + 1), &end);
    x->maybe = before;
    return o;
}

static int condition(struct runner *x, const struct stmt *st)
{
    struct str text = str_trim(str_slice(st->text, st->kind == STMT_IF ? 2 : 4, st->text.n));
    bool before = x->w->into_installed;
    x->w->into_installed = true;
    x->w->line = st->line;
    struct value v = scope_eval(x->w, x->s, text);
    x->w->into_installed = before;
    return value_truth(&v);
}

/* if, elif, else: the first that holds; of what cannot be known, all that may. */
static enum outcome run_if(struct runner *x, uint32_t *i)
{
    uint8_t depth = stmt_at(x, *i)->depth;
    enum outcome all = GOES_ON;
    bool done = false, unsure = false, any = false;
    for (;;) {
        const struct stmt *st = stmt_at(x, *i);
        int holds = done ? 0 : st->kind == STMT_ELSE ? 1 : condition(x, st);
        if (holds != 0) {
            enum outcome o = run_branch(x, *i, unsure || holds < 0);
            all = any ? either(all, o) : o;
            any = true;
        }
        done = done || holds == 1;
        unsure = unsure || holds < 0;
        *i = block_end(x, *i + 1, (uint8_t)(depth + 1));
        if (*i >= stmt_count(x) || stmt_at(x, *i)->depth != depth ||
            (stmt_at(x, *i)->kind != STMT_ELIF && stmt_at(x, *i)->kind != STMT_ELSE))
            break;
    }
    if (!any)
        return GOES_ON;
    return unsure && !done ? either(all, GOES_ON) : all;
}

static bool catches_import_error(struct str header)
{
    static const char *const names[] = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"};
    struct str text = str_trim(str_slice(header, 6, header.n));
    if (!text.n)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_contains(text, str_z(names[i])))
            return true;
    return false;
}

/* Nothing in the body can raise, once its imports are found: the handlers stay aside. */
static bool is_safe(struct runner *x, uint32_t header)
{
    uint32_t end = block_end(x, header + 1, (uint8_t)(stmt_at(x, header)->depth + 1));
    for (uint32_t i = header + 1; i < end; i++) {
        const struct stmt *st = stmt_at(x, i);
        struct split_assignment a;
        if (st->kind != STMT_SIMPLE || st->depth != stmt_at(x, header)->depth + 1)
            return false;
        if (str_starts(st->text, STR("import ")))
            continue;
        if (str_starts(st->text, STR("from "))) {
            struct str rest = str_trim(str_slice(st->text, 5, st->text.n));
            struct str dotted = str_slice(rest, 0, str_chr(rest, ' '));
            if (dotted.n && *dotted.p != '.' && !world_import(x->w, x->s->module, dotted, 0, false))
                return false; /* the name may not be in it */
            continue;
        }
        if (!split_assignment(st->text, &a) ||
            (str_chr(a.value, '(') < a.value.n && scope_eval(x->w, x->s, a.value).kind == VALUE_UNKNOWN))
            return false;
    }
    return true;
}

/* The body until an import that must fail; the handler then; else the handlers perhaps. */
static enum outcome run_try(struct runner *x, uint32_t *i)
{
    uint8_t depth = stmt_at(x, *i)->depth;
    bool outer_fails = x->import_fails, caught = false;
    x->import_fails = false;
    enum outcome all = run_branch(x, *i, false);
    bool fails = x->import_fails;
    bool stopped = all == STOPS && !fails, safe = !fails && is_safe(x, *i);
    x->import_fails = outer_fails;
    if (fails)
        all = GOES_ON;
    *i = block_end(x, *i + 1, (uint8_t)(depth + 1));
    for (; *i < stmt_count(x) && stmt_at(x, *i)->depth == depth; *i = block_end(x, *i + 1, (uint8_t)(depth + 1))) {
        const struct stmt *st = stmt_at(x, *i);
        if (st->kind == STMT_EXCEPT) {
            bool mine = fails && !caught && catches_import_error(st->text);
            caught = caught || mine;
            if ((fails && !mine) || safe)
                continue;
            struct str rest = st->text, word, name = STR("");
            bool dotted;
            while (split_word(&rest, &word, &dotted))
                if (str_eq(word, STR("as")))
                    split_word(&rest, &name, &dotted);
            bool handling = x->handling;
            x->handling = fails;
            enum outcome o = run_branch(x, *i, !fails);
            x->handling = handling;
            /* without a missing import the handler is taken to stay aside, but it may skip */
            all = fails ? o : o == GOES_ON || all == STOPS ? all : MAY_STOP;
        } else if (st->kind == STMT_ELSE) {
            if (!fails)
                all = either(all, run_branch(x, *i, false));
        } else if (st->kind == STMT_FINALLY) {
            run_branch(x, *i, false);
        } else {
            break;
        }
    }
    if (fails && !caught)
        x->import_fails = true;
    return stopped ? STOPS : all;
}

static enum outcome run_for(struct runner *x, uint32_t *i)
{
    const struct stmt *st = stmt_at(x, *i);
    uint8_t depth = st->depth;
    struct str rest = str_slice(st->text, 3, st->text.n), word;
    const char *in = NULL;
    bool dotted;
    while (split_word(&rest, &word, &dotted) && !(in = str_eq(word, STR("in")) ? word.p : NULL))
        if (!dotted)
            runner_bind(x, word, BIND_OPAQUE);
    struct value over = {0};
    if (in)
        over = scope_eval(x->w, x->s, str_trim(str_slice(st->text, (size_t)(in + 2 - st->text.p), st->text.n)));
    bool certain = over.kind != VALUE_UNKNOWN && over.kind != VALUE_EXTERNAL && value_truth(&over) == 1;
    enum outcome o = run_branch(x, *i, !certain);
    *i = block_end(x, *i + 1, (uint8_t)(depth + 1));
    if (*i < stmt_count(x) && stmt_at(x, *i)->depth == depth && stmt_at(x, *i)->kind == STMT_ELSE) {
        run_branch(x, *i, true);
        *i = block_end(x, *i + 1, (uint8_t)(depth + 1));
    }
    return o == GOES_ON ? GOES_ON : MAY_STOP;
}

static enum outcome run_other_block(struct runner *x, uint32_t *i)
{
    const struct stmt *st = stmt_at(x, *i);
    bool with = st->kind == STMT_WITH, suppress = str_contains(st->text, STR("suppress"));
    bool fails = x->import_fails;
    if (with) {
        struct str rest = st->text, word;
        bool dotted;
        while (split_word(&rest, &word, &dotted))
            if (str_eq(word, STR("as")) && split_word(&rest, &word, &dotted))
                runner_bind(x, word, BIND_OPAQUE);
    }
    enum outcome o = run_branch(x, *i, !with || suppress);
    if (suppress)
        x->import_fails = fails;
    *i = block_end(x, *i + 1, (uint8_t)(st->depth + 1));
    return o == GOES_ON || (with && !suppress) ? o : MAY_STOP;
}

/* Is there something in the class's body that can end the module? */
static bool may_stop(struct runner *x, uint32_t class)
{
    uint32_t end = block_end(x, class + 1, (uint8_t)(stmt_at(x, class)->depth + 1));
    for (uint32_t i = class + 1; i < end; i++) {
        struct str text = stmt_at(x, i)->text;
        if (stmt_at(x, i)->kind == STMT_SIMPLE &&
            (str_contains(text, STR("skip(")) || str_starts(text, STR("raise")) || str_contains(text, STR("import"))))
            return true;
    }
    return false;
}

static enum outcome run_statement(struct runner *x, uint32_t *i, uint32_t *decorators)
{
    const struct stmt *st = stmt_at(x, *i);
    struct str rest = st->text, word;
    enum outcome o = GOES_ON;
    bool dotted;
    switch ((enum stmt_kind)st->kind) {
    case STMT_DECORATOR:
        if (*decorators == UINT32_MAX)
            *decorators = *i;
        ++*i;
        return GOES_ON;
    case STMT_DEF:
    case STMT_CLASS:
        while (split_word(&rest, &word, &dotted) &&
               (str_eq(word, STR("def")) || str_eq(word, STR("class")) || str_eq(word, STR("async"))))
            ;
        if (rest.p != st->text.p) {
            struct binding *b = runner_bind(x, word, st->kind == STMT_DEF ? BIND_DEF : BIND_CLASS);
            b->stmt = *i;
            b->decorators = *decorators == UINT32_MAX ? *i : *decorators;
            if (st->kind == STMT_CLASS && may_stop(x, *i))
                o = (enum outcome)world_class_scope(x->w, b)->outcome;
        }
        *decorators = UINT32_MAX;
        *i = block_end(x, *i + 1, (uint8_t)(st->depth + 1));
        return o;
    case STMT_IF:
        return run_if(x, i);
    case STMT_TRY:
        return run_try(x, i);
    case STMT_FOR:
        return run_for(x, i);
    case STMT_WHILE:
    case STMT_WITH:
    case STMT_MATCH:
    case STMT_CASE:
    case STMT_ELIF:
    case STMT_ELSE:
    case STMT_EXCEPT:
    case STMT_FINALLY:
        return run_other_block(x, i);
    case STMT_SIMPLE:
        ++*i;
        return run_simple(x, st);
    case STMT_BODY:
    case STMT_MUTATED:
    case STMT_ERROR:
        break;
    }
    ++*i;
    return GOES_ON;
}

static enum outcome run_block(struct runner *x, uint32_t i, uint8_t depth, uint32_t *end)
{
    enum outcome all = GOES_ON;
    uint32_t decorators = UINT32_MAX;
    *end = block_end(x, i, depth);
    while (i < *end) {
        uint32_t before = i;
        enum outcome o = run_statement(x, &i, &decorators);
        if (x->import_fails && stmt_at(x, before)->kind == STMT_SIMPLE)
            return STOPS;
        if (o == STOPS)
            return x->maybe ? MAY_STOP : STOPS;
        if (o == MAY_STOP) {
            all = MAY_STOP;
            if (!x->s->owner)
                runner_doubt(x, "the module may be skipped");
        }
    }
    return all;
}

void scope_run(struct world *w, struct scope *s, uint32_t i, uint8_t depth)
{
    struct runner x = {.w = w, .s = s};
    uint32_t end;
    enum outcome o = run_block(&x, i, depth, &end);
    s->outcome = (uint8_t)(x.import_fails ? MAY_STOP : o);
    if (s->owner)
        return;
    s->module->import_fails = x.import_fails;
    if (x.import_fails)
        runner_doubt(&x, "an import that is not found");
    else if (o == STOPS)
        s->module->skipped = true;
}
