#include "runtime/cli/help.h"

#include "runtime/base/buf.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEFT = 30, LEAST = 60, MOST = 100 };

static size_t width(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    if (n <= 0 && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        n = size.ws_col;
    return n <= 0 ? 80 : n < LEAST ? LEAST : n > MOST ? MOST : (size_t)n;
}

/* Words from column `at` on, further lines from column `indent` on. */
static void wrap(struct buf *out, const char *text, size_t at, size_t indent)
{
    struct str rest = str_z(text), word;
    size_t most = width();
    bool first = true;
    while (str_next(&rest, ' ', &word)) {
        if (!first && at + 1 + word.n > most) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        if (!first)
            buf_char(out, ' ');
        buf_str(out, word);
        at += word.n + !first;
        first = false;
    }
    buf_char(out, '\n');
}

static void row(struct buf *out, const char *left, size_t n, const char *text)
{
    buf_z(out, left);
    if (n + 2 > LEFT)
        buf_printf(out, "\n%*s", LEFT, "");
    else
        buf_printf(out, "%*s", (int)(LEFT - n), "");
    wrap(out, text, LEFT, LEFT);
}

static void option(struct buf *out, const struct opt *o)
{
    struct buf left = {0};
    if (o->letter)
        buf_printf(&left, "  -%c, --%s", o->letter, o->name);
    else
        buf_printf(&left, "      --%s", o->name);
    for (const struct opt *other = o + 1; other->name && !other->help; other++)
        buf_printf(&left, ", --%s", other->name);
    if (o->metavar)
        buf_printf(&left, " %s", o->metavar);
    row(out, left.p, left.n, o->help);
    buf_release(&left);
}

/* The rows that name this scope, the first of each name; what every command has comes with the run's. */
static void options(struct buf *out, unsigned scope)
{
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->help && o->scope & scope && opt_find(cli_options, scope, str_z(o->name)) == o)
            option(out, o);
}

static void usage(struct buf *out, const struct command *c, bool whole)
{
    buf_z(out, "usage: fastest ");
    if (whole)
        buf_z(out, "[run]");
    else
        buf_z(out, c->name);
    buf_printf(out, " [options]%s%s\n", *c->args ? " " : "", c->args);
    if (whole)
        buf_z(out, "       fastest COMMAND [options] ...\n");
    buf_char(out, '\n');
    wrap(out, c->text, 0, 0);
}

static void commands(struct buf *out)
{
    struct buf left = {0};
    buf_z(out, "\ncommands:\n");
    for (const struct command *c = cli_commands; c->name; c++) {
        buf_clear(&left);
        buf_printf(&left, "  %s", c->name);
        if (!c->hidden)
            row(out, left.p, left.n, c->summary);
    }
    buf_release(&left);
}

static void environment(struct buf *out)
{
    buf_z(out, "\nenvironment:\n");
    row(out, "  FASTEST_ADDOPTS", 17, "options that come before those of the command line");
    row(out, "  NINJA", 7, "the ninja to use");
}

void help_print(const struct command *named)
{
    const struct command *c = named ? named : &cli_commands[0];
    struct buf out = {0};
    bool run = c->scope == FOR_RUN;
    usage(&out, c, !named);
    if (!named)
        commands(&out);
    buf_z(&out, "\noptions:\n");
    options(&out, (unsigned)c->scope);
    if (run)
        wrap(&out, "Every other option goes to pytest: -k, -m, -p, -o, -v, --tb, those of plugins.", 0, 0);
    else if (c->pytest)
        wrap(&out, "The options of `fastest run` are taken, too, and pytest's: -k, -m, -p, -o, -c, --rootdir, ...", 0, 0);
    if (run)
        environment(&out);
    fputs(out.p, stdout);
    buf_release(&out);
}

bool command_help(struct cli *c, enum exit_code *code, struct err *err)
{
    struct opt o = {.kind = OPT_STRING};
    const char *ignored;
    struct buf words = {0};
    bool ok = true;
    if (c->n_items && !command_find(c->items[0])) {
        for (const struct command *k = cli_commands; k->name; k++)
            buf_printf(&words, "%s%s", k == cli_commands ? "" : "|", k->name);
        o.words = words.p;
        ok = opt_set(&o, &ignored, "help", c->items[0], err);
    }
    if (ok) {
        help_print(c->n_items ? command_find(c->items[0]) : NULL);
        *code = EXIT_PASSED;
    }
    buf_release(&words);
    return ok;
}
