#include "runtime/cli/complete.h"

#include "generator/collect/discover.h"
#include "generator/config/config_options.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"

#include <string.h>
#include <unistd.h>

struct completing {
    struct str word; /* to be completed */
    const struct command *command;
    void (*tests)(void *ctx, const char *path, struct buf *ids);
    void *ctx;
    struct buf *out;
};

static void candidate(struct completing *c, struct str before, struct str text, const char *about)
{
    struct buf whole = {0};
    buf_str(&whole, before);
    buf_str(&whole, text);
    if (whole.n && str_starts(buf_view(&whole), c->word)) {
        buf_str(c->out, buf_view(&whole));
        if (about)
            buf_printf(c->out, "\t%s", about);
        buf_char(c->out, '\n');
    }
    buf_release(&whole);
}

static void words(struct completing *c, struct str before, const char *list)
{
    struct str w;
    while (opt_next_word(&list, &w))
        candidate(c, before, w, NULL);
}

static void commands(struct completing *c)
{
    for (const struct command *k = cli_commands; k->name; k++)
        if (!k->hidden)
            candidate(c, STR(""), str_z(k->name), k->summary);
}

/* ---- options ---- */

static void options(struct completing *c)
{
    unsigned scope = command_scope(c->command);
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->help && o->scope & scope && opt_find(cli_options, scope, str_z(o->name)) == o) {
            candidate(c, STR("--"), str_z(o->name), o->help);
            if (o->letter && c->word.n < 3)
                candidate(c, STR("-"), (struct str){&o->letter, 1}, o->help);
        }
    const struct config_option *p;
    for (size_t i = 0; c->command->pytest && (p = config_option_at(i)); i++) {
        bool letter = p->name[1] != '-';
        struct str bare = str_z(p->name + (letter ? 1 : 2));
        bool ours = !letter && opt_find(cli_options, scope, bare);
        if (!p->plugin && !ours && (!letter || c->word.n < 3))
            candidate(c, STR(""), str_z(p->name), "pytest");
    }
}

static bool is_option(const struct completing *c, const char *word, const struct opt **ours, bool *value)
{
    struct str name = {word, strcspn(word, "=")};
    unsigned scope = command_scope(c->command);
    *ours = NULL;
    if (word[0] != '-' || !word[1])
        return false;
    if (word[1] == '-')
        *ours = opt_find(cli_options, scope, str_slice(name, 2, name.n));
    for (const struct opt *o = cli_options; word[1] != '-' && !word[2] && o->name; o++)
        if (o->letter == word[1] && o->scope & scope)
            *ours = o;
    const struct config_option *p = *ours || !c->command->pytest ? NULL : config_option_find(name, true);
    *value = *ours ? (*ours)->kind != OPT_FLAG : p && p->value == VALUE_YES;
    return *ours || p;
}

/* The value of an option, behind what is typed before it ("--color="). */
static void value(struct completing *c, const struct opt *o, const char *name, struct str before)
{
    static const struct {
        const char *name, *kind;
    } paths[] = {{"-c", ":files"},         {"--config-file", ":files"}, {"--rootdir", ":dirs"},
                 {"--confcutdir", ":dirs"}, {"--ignore", ":files"},      {"--basetemp", ":dirs"},
                 {"--log-file", ":files"},  {"--deselect", NULL}};
    if (o && o->words) {
        words(c, before, o->words);
        return;
    }
    const char *kind = o && !strcmp(o->metavar, "DIR")                                     ? ":dirs"
                       : o && (!strcmp(o->metavar, "FILE") || !strcmp(o->metavar, "PATH")) ? ":files"
                                                                                           : NULL;
    for (size_t i = 0; !o && i < sizeof paths / sizeof *paths; i++)
        if (strlen(paths[i].name) == strcspn(name, "=") && strncmp(name, paths[i].name, strlen(paths[i].name)) == 0)
            kind = paths[i].kind;
    if (kind)
        buf_printf(c->out, "%s\n", kind);
}

/* ---- arguments ---- */

/* The ids of a file that is typed as far as "::", or whole; as they are typed, not from rootdir on. */
static void node_ids(struct completing *c)
{
    const char *colons = memmem(c->word.p, c->word.n, "::", 2);
    struct buf path = {0}, ids = {0};
    struct str rest, id;
    buf_str(&path, colons ? (struct str){c->word.p, (size_t)(colons - c->word.p)} : c->word);
    if (str_ends(buf_view(&path), STR(".py")) && io_stat_path(path.p).kind == IO_FILE)
        c->tests(c->ctx, path.p, &ids);
    rest = buf_view(&ids);
    while (ids.n && str_next(&rest, '\n', &id)) {
        const char *at = memmem(id.p, id.n, "::", 2);
        if (at)
            candidate(c, buf_view(&path), str_slice(id, (size_t)(at - id.p), id.n), NULL);
    }
    if (!colons)
        buf_z(c->out, ":files\n");
    buf_release(&path);
    buf_release(&ids);
}

static void arguments(struct completing *c)
{
    switch (c->command->takes) {
    case TAKES_NOTHING:
        break;
    case TAKES_TESTS:
    case TAKES_FILES:
        node_ids(c);
        break;
    case TAKES_WORD:
        if (c->command->words)
            words(c, STR(""), c->command->words);
        else
            commands(c);
        break;
    case TAKES_RAW:
        buf_z(c->out, ":files\n");
        break;
    }
}

void complete(int n, char **given, void (*tests)(void *ctx, const char *path, struct buf *ids), void *ctx,
              struct buf *out)
{
    const struct command *named = n > 1 ? command_find(given[0]) : NULL;
    struct completing c = {.word = str_z(n ? given[n - 1] : ""), .command = named ? named : &cli_commands[0],
                           .tests = tests, .ctx = ctx, .out = out};
    const struct opt *o;
    bool ended = false, wants = false;
    const char *before = n > 1 ? given[n - 2] : "";
    size_t eq = str_chr(c.word, '=');
    for (int i = 0; i + 1 < n; i++)
        ended = ended || strcmp(given[i], "--") == 0;
    if (!ended && is_option(&c, before, &o, &wants) && wants && !strchr(before, '='))
        value(&c, o, before, STR(""));
    else if (!ended && eq < c.word.n && is_option(&c, c.word.p, &o, &wants) && wants)
        value(&c, o, c.word.p, str_slice(c.word, 0, eq + 1));
    else if (!ended && c.word.n && c.word.p[0] == '-')
        options(&c);
    else {
        if (n <= 1)
            commands(&c);
        arguments(&c);
    }
}

/* ---- the command ---- */

/* As `fastest discover` lists them; what goes wrong is no business of a completion. */
static void discovered(void *ctx, const char *path, struct buf *ids)
{
    const struct cli *c = ctx;
    struct err ignored = {{0}};
    enum exit_code code;
    struct discovered found = {0};
    char *args[] = {(char *)(uintptr_t)path};
    struct generate_options g = cli_generate_options(c);
    g.args = args;
    g.n_args = 1;
    struct discover_options o = {.generate = &g};
    if (discover(&o, &found, &code, &ignored))
        for (size_t i = 0; i < found.n; i++)
            if (discover_is_listed(&found.tests[i])) {
                buf_str(ids, found.tests[i].id);
                buf_char(ids, '\n');
            }
    discover_release(&found);
}

bool command_complete(struct cli *c, enum exit_code *code, struct err *err)
{
    struct buf out = {0};
    complete(c->n_items, c->items, discovered, c, &out);
    bool ok = io_write_all(STDOUT_FILENO, out.p ? out.p : "", out.n) || err_errno(err, "cannot write");
    buf_release(&out);
    *code = ok ? EXIT_PASSED : EXIT_INTERNAL;
    return ok;
}
