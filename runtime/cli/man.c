/* `fastest man`: the manual page, from the tables; see man(7). */
#include "runtime/cli/commands.h"

#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"

#include <unistd.h>

/* Text in which nothing is a request or an escape. */
static void text(struct buf *out, const char *z)
{
    for (size_t i = 0; z[i]; i++) {
        bool first = i == 0 || z[i - 1] == '\n';
        if (first && (z[i] == '.' || z[i] == '\''))
            buf_z(out, "\\&");
        if (z[i] == '\\')
            buf_z(out, "\\e");
        else if (z[i] == '-')
            buf_z(out, "\\-");
        else
            buf_char(out, z[i]);
    }
}

static void line(struct buf *out, const char *z)
{
    text(out, z);
    buf_char(out, '\n');
}

static void font(struct buf *out, char which, const char *z)
{
    buf_printf(out, "\\f%c", which);
    text(out, z);
    buf_z(out, "\\fR");
}

static void section(struct buf *out, const char *name)
{
    buf_printf(out, ".SH %s\n", name);
}

static void entry(struct buf *out, const char *name, const char *help)
{
    buf_z(out, ".TP\n");
    font(out, 'B', name);
    buf_char(out, '\n');
    line(out, help);
}

static void option(struct buf *out, const struct opt *o)
{
    struct buf b = {0};
    buf_z(out, ".TP\n");
    if (o->letter) {
        buf_printf(&b, "-%c", o->letter);
        font(out, 'B', b.p);
        buf_z(out, ", ");
        buf_clear(&b);
    }
    buf_printf(&b, "--%s", o->name);
    font(out, 'B', b.p);
    for (const struct opt *other = o + 1; other->name && !other->help; other++) {
        buf_clear(&b);
        buf_printf(&b, "--%s", other->name);
        buf_z(out, ", ");
        font(out, 'B', b.p);
    }
    if (o->metavar) {
        buf_char(out, ' ');
        font(out, 'I', o->metavar);
    }
    buf_char(out, '\n');
    line(out, o->help);
    buf_release(&b);
}

static void options(struct buf *out, unsigned scope)
{
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->help && o->scope & scope && (o->scope != FOR_ALL || scope == FOR_RUN))
            option(out, o);
}

static bool has_options(unsigned scope)
{
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->help && o->scope & scope && o->scope != FOR_ALL)
            return true;
    return false;
}

static void command(struct buf *out, const struct command *c)
{
    buf_z(out, ".SS \"fastest ");
    text(out, c->name);
    if (*c->args) {
        buf_char(out, ' ');
        text(out, c->args);
    }
    buf_z(out, "\"\n");
    line(out, c->text);
    if (c->scope != FOR_RUN && has_options((unsigned)c->scope)) {
        buf_z(out, ".RS\n");
        options(out, (unsigned)c->scope);
        buf_z(out, ".RE\n");
    }
}

static void configuration(struct buf *out)
{
    char name[80];
    section(out, "CONFIGURATION");
    line(out, "Keys of [tool.fastest] in the pyproject.toml of pytest's rootdir; each but the lists is also a variable of the "
              "environment, and an option, which count in this order. An unknown key is an error. `fastest config` shows what "
              "is set, and where.");
    for (const struct opt *o = cli_options; o->name; o++) {
        struct buf b = {0};
        if (!(o->scope & FOR_CONFIG) || !o->help)
            continue;
        setting_variable_name(o->name, name, sizeof name);
        buf_printf(&b, "%s, %s", o->name, name);
        entry(out, b.p, o->help);
        buf_release(&b);
    }
    for (const struct setting *s = setting_lists; s->name; s++)
        entry(out, s->name, s->help);
}

static void exit_codes(struct buf *out)
{
    static const struct {
        const char *code, *meaning;
    } codes[] = {{"0", "all tests passed"},      {"1", "tests failed"},
                 {"2", "interrupted, or errors during collection"}, {"3", "an internal error"},
                 {"4", "wrong usage"},           {"5", "no tests"}};
    section(out, "EXIT STATUS");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        entry(out, codes[i].code, codes[i].meaning);
}

static void head(struct buf *out)
{
    buf_z(out, ".TH FASTEST 1 \"\" \"fastest " FASTEST_VERSION "\" \"User Commands\"\n");
    section(out, "NAME");
    line(out, "fastest - run a pytest suite as an incremental build");
    section(out, "SYNOPSIS");
    font(out, 'B', "fastest");
    buf_z(out, " [\\fBrun\\fR] [\\fIoptions\\fR] [\\fIpaths\\fR | \\fInode ids\\fR]\n.br\n");
    font(out, 'B', "fastest");
    buf_z(out, " \\fIcommand\\fR [\\fIoptions\\fR] ...\n");
    section(out, "DESCRIPTION");
    line(out, cli_commands[0].text);
    buf_z(out, ".PP\n");
    line(out, "Any other option goes to pytest: -k, -m, -p, -o, -v, --tb, those of plugins.");
}

bool command_man(struct cli *c, enum exit_code *code, struct err *err)
{
    struct buf out = {0};
    (void)c;
    head(&out);
    section(&out, "OPTIONS");
    options(&out, FOR_RUN);
    section(&out, "COMMANDS");
    for (const struct command *k = cli_commands; k->name; k++)
        if (!k->hidden && k->scope != FOR_RUN)
            command(&out, k);
    configuration(&out);
    section(&out, "ENVIRONMENT");
    for (const struct setting *v = setting_variables; v->name; v++)
        entry(&out, v->name, v->help);
    exit_codes(&out);
    section(&out, "FILES");
    entry(&out, ".fastest/", "the state, beside pytest's rootdir; it may be deleted at any time");
    entry(&out, "~/.cache/fastest/", "what the parser found in sources");
    section(&out, "SEE ALSO");
    buf_z(&out, ".BR pytest (1),\n.BR ninja (1)\n");
    bool ok = io_write_all(STDOUT_FILENO, out.p, out.n) || err_errno(err, "cannot write");
    buf_release(&out);
    *code = ok ? EXIT_PASSED : EXIT_INTERNAL;
    return ok;
}
