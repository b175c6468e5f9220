/* `fastest config`: what every setting is, and where that comes from. */
#include "runtime/cli/commands.h"

#include "generator/config/interp.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"
#include "runtime/wire/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct line {
    struct str name, value, from;
};

static struct str shown(struct cli *c, const char *text)
{
    return (struct str){arena_dup(&c->arena, text, strlen(text)), strlen(text)};
}

static struct str value_of(struct cli *c, const struct opt *o)
{
    const void *field = (const char *)c + o->offset;
    char number[16];
    switch (o->kind) {
    case OPT_FLAG:
        return str_z(*(const bool *)field ? "true" : "false");
    case OPT_INT:
        snprintf(number, sizeof number, "%d", *(const int *)field);
        return *(const int *)field == 0 && o->words ? STR("auto") : shown(c, number);
    case OPT_STRING:
        return str_z(*(const char *const *)field);
    }
    return STR("");
}

/* What an option is when nobody says anything. */
static struct str default_of(struct cli *c, const struct opt *o)
{
    struct buf b = {0};
    struct err ignored;
    struct str text = STR("-");
    if (strcmp(o->name, "python") == 0 && interp_choose(NULL, c->cwd, &b, &ignored))
        text = shown(c, b.p);
    else if (strcmp(o->name, "state-dir") == 0 && c->settings.own.root.n) {
        path_join(&b, c->settings.own.root, STR(".fastest"));
        text = shown(c, b.p);
    } else if (strcmp(o->name, "optimizer") == 0)
        text = str_z(optimizer_name(c->optimizer));
    else if (strcmp(o->name, "parser") == 0)
        text = STR("ast");
    else if (strcmp(o->name, "color") == 0)
        text = STR("auto");
    buf_release(&b);
    return text;
}

/* Options that a trade of --optimizer=aggressive has set come from there. */
static struct line of_option(struct cli *c, const struct opt *o)
{
    const char *from = c->origins[o - cli_options];
    struct line l = {.name = str_z(o->name), .value = value_of(c, o)};
    if (!l.value.n)
        l.value = default_of(c, o);
    bool traded = !from && o->kind == OPT_FLAG && *(const bool *)((const char *)c + o->offset);
    l.from = str_z(traded ? "--optimizer=aggressive" : from ? from : "default");
    return l;
}

static struct line of_list(struct cli *c, const struct setting *s)
{
    const struct own_config *own = &c->settings.own;
    const struct toml_value *v = toml_get(own->table, str_z(s->name));
    struct line l = {.name = str_z(s->name), .from = STR("default")};
    struct buf b = {0}, where = {0};
    for (const struct toml_value *i = v ? v->first : NULL; i; i = i->next)
        buf_printf(&b, "%s%.*s", i == v->first ? "" : " ", (int)i->text.n, i->text.p);
    l.value = shown(c, b.p ? b.p : "-");
    if (v) {
        path_relative(&where, own->path, str_z(c->cwd));
        buf_printf(&where, ":%u", v->line);
        l.from = shown(c, where.p);
    }
    buf_release(&b);
    buf_release(&where);
    return l;
}

static void print_line(const struct cli *c, struct buf *out, const struct line *l, bool first)
{
    if (c->as_json) {
        buf_z(out, first ? "\n {\"name\": " : ",\n {\"name\": ");
        json_quote(out, l->name);
        buf_z(out, ", \"value\": ");
        json_quote(out, l->value);
        buf_z(out, ", \"from\": ");
        json_quote(out, l->from);
        buf_char(out, '}');
        return;
    }
    buf_printf(out, "%-20.*s %-24.*s %.*s\n", (int)l->name.n, l->name.p, (int)l->value.n, l->value.p, (int)l->from.n,
               l->from.p);
}

/* What is asked for is the same for a run with these arguments. */
bool command_config(struct cli *c, enum exit_code *code, struct err *err)
{
    struct buf out = {0};
    const struct own_config *own = &c->settings.own;
    struct buf ini = {0};
    if (own->ini.n)
        path_relative(&ini, own->ini, str_z(c->cwd));
    struct line root = {.name = STR("rootdir"), .value = own->root, .from = own->ini.n ? buf_view(&ini) : STR("no configuration file")};
    buf_z(&out, c->as_json ? "[" : "");
    print_line(c, &out, &root, true);
    for (const struct opt *o = cli_options; o->name; o++) {
        if (!(o->scope & (FOR_CONFIG | FOR_PYTEST)) || !o->help || !(o->scope & FOR_RUN))
            continue;
        struct line l = of_option(c, o);
        print_line(c, &out, &l, false);
    }
    for (const struct setting *s = setting_lists; s->name; s++) {
        struct line l = of_list(c, s);
        print_line(c, &out, &l, false);
    }
    buf_z(&out, c->as_json ? "\n]\n" : "");
    bool ok = io_write_all(STDOUT_FILENO, out.p, out.n) || err_errno(err, "cannot write");
    buf_release(&out);
    buf_release(&ini);
    *code = ok ? EXIT_PASSED : EXIT_INTERNAL;
    return ok;
}
