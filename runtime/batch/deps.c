#include "runtime/batch/deps.h"

#include <stdlib.h>
#include <string.h>

void deps_common_release(struct deps_common *c)
{
    free((char *)(uintptr_t)c->path.p);
    reads_release(&c->before);
    map_release(&c->sources);
    if (c->loaded)
        executed_release(&c->blocks);
    memset(c, 0, sizeof *c);
}

void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module, struct deps_common *common)
{
    memset(d, 0, sizeof *d);
    d->plan = plan;
    d->module = module;
    d->common = common;
    for (uint32_t i = 0; module && i < module->n_files; i++)
        *map_put(&d->closure, plan->files[module->files[i]].path, NULL) = 1;
    if (module)
        *map_put(&d->closure, module->path, NULL) = 1;
}

/* What the session ran and read before the tests, in a file: it is the same for all modules. */
static void read_before(struct deps_common *c, struct str path)
{
    struct buf text = {0};
    if (str_eq(c->path, path))
        return;
    free((char *)(uintptr_t)c->path.p);
    reads_release(&c->before);
    char *own = xmalloc(path.n + 1);
    memcpy(own, path.p, path.n);
    own[path.n] = '\0';
    c->path = (struct str){own, path.n};
    struct json j;
    c->traced = io_read(own, 0, &text, NULL) && (j = json_of(buf_view(&text)), reads_scan(&c->before, &j)) && json_done(&j);
    buf_release(&text);
}

static bool scan_deps(struct deps *d, struct json *j)
{
    bool ok = reads_scan(&d->reads, j);
    if (d->reads.shared.n) {
        read_before(d->common, d->reads.shared);
        d->traced = d->common->traced;
    }
    return ok;
}

bool deps_scan(struct deps *d, struct str text)
{
    struct json j = json_of(text);
    struct buf key = {0};
    bool ok = json_enter(&j, '{');
    while (ok && json_key(&j, &key)) {
        if (str_eq(buf_view(&key), STR("deps")) && json_peek(&j) == '{') {
            ok = scan_deps(d, &j);
        } else {
            if (str_eq(buf_view(&key), STR("error")) && json_peek(&j) != 'n')
                d->failed = true;
            if (str_eq(buf_view(&key), STR("always")) && json_peek(&j) == 't')
                d->always = true;
            ok = json_skip(&j);
        }
    }
    buf_release(&key);
    return ok && json_done(&j);
}

bool deps_there(struct str json)
{
    return str_contains(json, STR("\"deps\""));
}

struct str deps_without(struct str text, struct arena *a)
{
    if (!deps_there(text))
        return text;
    struct json j = json_of(text);
    struct buf key = {0}, out = {0};
    bool ok = json_enter(&j, '{'), found = false;
    while (ok && !found && json_key(&j, &key)) {
        found = str_eq(buf_view(&key), STR("deps")) && json_peek(&j) == '{';
        const char *from = j.p;
        ok = json_skip(&j);
        if (!found || !ok)
            continue;
        buf_str(&out, str_slice(text, 0, (size_t)(from - text.p)));
        buf_z(&out, "{}");
        buf_str(&out, str_slice(text, (size_t)(j.p - text.p), text.n));
    }
    struct str cut = found && ok ? (struct str){arena_dup(a, out.p, out.n), out.n} : text;
    buf_release(&key);
    buf_release(&out);
    return cut;
}

void deps_release(struct deps *d)
{
    reads_release(&d->reads);
    map_release(&d->closure);
    free(d->items);
    arena_release(&d->arena);
    memset(d, 0, sizeof *d);
}
