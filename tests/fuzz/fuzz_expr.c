/* Any bytes as an expression, as a call's arguments, and as what parametrize is called with. */
#include "generator/collect/ids.h"
#include "generator/eval/expr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* One name is known, to reach what names give; pytest and itertools are modules. */
static enum expr_name find_name(void *ctx, struct str name, struct value *out)
{
    (void)ctx;
    bool module = str_eq(name, STR("pytest")) || str_eq(name, STR("itertools")) || str_eq(name, STR("re"));
    *out = module ? (struct value){.kind = VALUE_EXTERNAL, .text = name, .called = true}
                  : (struct value){.kind = VALUE_INT, .i = 7};
    return module || str_eq(name, STR("N")) ? EXPR_BOUND : EXPR_ABSENT;
}

static void look_at(const struct value *v)
{
    struct buf b = {0};
    value_repr(v, &b);
    value_str(v, &b);
    if (value_equal(v, v) < -1 || value_less(v, v) > 1 || value_truth(v) > 1)
        abort();
    buf_release(&b);
}

static void look_at_sets(const struct ids_list *l)
{
    for (uint32_t i = 0; i < l->n_sets; i++) {
        if (l->sets[i].id.n && memchr(l->sets[i].id.p, '\0', l->sets[i].id.n))
            abort();
        for (uint32_t k = 0; k < l->n_names && l->sets[i].values; k++)
            look_at(&l->sets[i].values[k]);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const uint32_t versions[] = {700, 800, 902};
    struct arena a = {0};
    struct expr_env env = {.arena = &a, .name = find_name};
    char *own = malloc(size + 1); /* a copy of its own: a read behind it shows */
    struct str text = {own, size};
    if (!own)
        return 0;
    if (size)
        memcpy(own, data, size);
    struct value v = expr_eval(&env, text), call = expr_arguments(&env, text);
    look_at(&v);
    look_at(&call);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct ids_config c = {.pytest = versions[i], .no_escape = i == 1};
        struct ids_list l;
        if (call.kind == VALUE_TUPLE && ids_parametrize(&c, &call, &a, &l))
            look_at_sets(&l);
        if (ids_fixture(&c, STR("fx"), &v, NULL, &a, &l))
            look_at_sets(&l);
    }
    free(own);
    arena_release(&a);
    return 0;
}
