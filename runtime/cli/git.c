#include "runtime/cli/git.h"

#include "generator/config/ask.h"
#include "runtime/base/io.h"
#include "runtime/cli/self.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { MAX_ARGS = 12 };

struct git {
    const char *program, *root, *revision;
    struct str up; /* from root to the top of the work tree: "", "../" */
    struct arena *arena;
    struct change *items;
    size_t n, cap;
};

/* False without err: git said no. */
static bool ask(const struct git *g, const char *const *args, bool quiet, struct buf *out, struct err *err)
{
    char *argv[MAX_ARGS + 4];
    int n = 0, status = 0;
    argv[n++] = (char *)(uintptr_t)g->program;
    for (size_t i = 0; args[i] && n < MAX_ARGS; i++)
        argv[n++] = (char *)(uintptr_t)args[i];
    argv[n] = NULL;
    buf_clear(out);
    return ask_program(argv, g->root, quiet, out, &status, err) && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* name: as git prints it, from the top of the work tree. */
static struct change *add(struct git *g, struct str name)
{
    struct buf b = {0}, path = {0};
    buf_str(&b, g->up);
    buf_str(&b, name);
    path_join(&path, str_z(g->root), buf_view(&b));
    g->items = xgrow(g->items, &g->cap, g->n + 1, sizeof *g->items);
    struct change *c = &g->items[g->n++];
    *c = (struct change){.path = {arena_dup(g->arena, path.p, path.n), path.n}};
    c->is = io_stat_path(c->path.p).kind != IO_ABSENT;
    buf_release(&b);
    buf_release(&path);
    return c;
}

static void read_old(struct git *g, struct change *c, struct str name, const struct generate_options *o)
{
    struct buf spec = {0}, text = {0};
    struct err ignored;
    buf_printf(&spec, "%s:%.*s", g->revision, (int)name.n, name.p);
    const char *const args[] = {"cat-file", "blob", spec.p, NULL};
    if (ask(g, args, true, &text, &ignored))
        change_set_old(c, buf_view(&text), o, g->arena);
    buf_release(&spec);
    buf_release(&text);
}

bool git_changes(const char *root, const char *revision, const struct generate_options *o,
                 bool (*wanted)(void *ctx, struct str path), void *ctx, struct arena *a, struct change **out, size_t *n,
                 struct err *err)
{
    struct git g = {.root = root, .revision = revision, .arena = a};
    struct buf text = {0}, names = {0}, commit = {0};
    struct str rest, status, word;
    buf_printf(&commit, "%s^{commit}", revision);
    const char *const up[] = {"rev-parse", "--show-cdup", NULL};
    const char *const verify[] = {"rev-parse", "--verify", "--quiet", "--end-of-options", commit.p, NULL};
    const char *const diff[] = {"diff", "--name-status", "--no-renames", "--ignore-submodules", "-z", revision, "--", NULL};
    const char *const others[] = {"ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/", NULL};
    g.program = find_program(a, "git");
    bool ok = g.program || err_set(err, "--since: git is not on PATH");
    ok = ok && (ask(&g, up, true, &text, err) || err_set(err, "--since: %s is not in a git work tree", root));
    if (ok) {
        struct str top = str_trim(buf_view(&text));
        g.up = (struct str){arena_dup(a, top.p ? top.p : "", top.n), top.n};
    }
    ok = ok && (ask(&g, verify, true, &text, err) || err_set(err, "--since %s: git knows no such commit", revision));
    ok = ok && (ask(&g, diff, false, &text, err) || err_set(err, "--since %s: git diff failed", revision));
    ok = ok && (ask(&g, others, false, &names, err) || err_set(err, "--since %s: git ls-files failed", revision));
    rest = buf_view(&text);
    while (ok && str_next(&rest, '\0', &status) && status.n && str_next(&rest, '\0', &word)) {
        struct change *c = add(&g, word);
        c->was = *status.p != 'A';
        if (c->was && wanted(ctx, c->path))
            read_old(&g, c, word, o);
    }
    rest = buf_view(&names);
    while (ok && str_next(&rest, '\0', &word))
        if (word.n)
            add(&g, word);
    *out = g.items;
    *n = g.n;
    buf_release(&text);
    buf_release(&names);
    buf_release(&commit);
    return ok;
}
