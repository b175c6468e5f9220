#include "runtime/cli/targets.h"

#include "runtime/base/io.h"

#include <string.h>

static int take(void *ctx, int argc, char **argv, struct err *err)
{
    static const char *const with_value[] = {"--python", "--state-dir", "-p", "-c", "-o", "-W", "--rootdir", "--confcutdir",
                                             "--import-mode"};
    struct targets *t = ctx;
    (void)err;
    if (argv[0][0] != '-') {
        t->items[t->n_items++] = argv[0];
        return 1;
    }
    t->options[t->n_options++] = argv[0];
    for (size_t i = 0; argc > 1 && i < sizeof with_value / sizeof *with_value; i++)
        if (strcmp(argv[0], with_value[i]) == 0) {
            t->options[t->n_options++] = argv[1];
            return 2;
        }
    return 1;
}

bool targets_parse(struct targets *t, const struct opt *table, void *own, int argc, char **argv, struct err *err)
{
    memset(t, 0, sizeof *t);
    t->options = arena_array(&t->arena, (size_t)argc + 1, sizeof *t->options);
    t->items = arena_array(&t->arena, (size_t)argc + 1, sizeof *t->items);
    return opt_parse(table, own, argc, argv, take, t, err) && cli_parse(&t->cli, t->n_options, t->options, err);
}

struct str targets_path(struct targets *t, const char *item)
{
    struct buf b = {0};
    const char *end = strstr(item, "::");
    path_join(&b, str_z(t->cli.cwd), (struct str){item, end ? (size_t)(end - item) : strlen(item)});
    struct str out = {arena_dup(&t->arena, b.p, b.n), b.n};
    buf_release(&b);
    return out;
}

void targets_release(struct targets *t)
{
    cli_release(&t->cli);
    arena_release(&t->arena);
}
