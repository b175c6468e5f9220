/* What the terminal report takes from pytest's command line, the environment and the terminal. */
#include "runtime/report/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* shutil.get_terminal_size and pytest's get_terminal_width: under 40 columns counts as 80. */
static int terminal_width(FILE *out)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    struct winsize size = {0};
    int fd = fileno(out);
    if (width <= 0 && fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    return width < 40 || width > 100000 ? 80 : (int)width;
}

static bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

/* -r: letters, "a" all but passed, "A" all, "N" none (pytest 9, getreportopt). */
static void add_report_chars(char *chars, size_t cap, struct str letters)
{
    for (size_t i = 0; i < letters.n; i++) {
        char c = letters.p[i] == 'F' ? 'f' : letters.p[i] == 'S' ? 's' : letters.p[i];
        size_t n = strlen(chars);
        if (c == 'a')
            strcpy(chars, "sxXEf");
        else if (c == 'A')
            strcpy(chars, "PpsxXEf");
        else if (c == 'N')
            chars[0] = '\0';
        else if (!strchr(chars, c) && n + 1 < cap)
            memcpy(chars + n, (char[]){c, '\0'}, 2);
    }
}

static bool value_of(struct str arg, const char *option, struct str *value)
{
    struct str name = str_z(option);
    if (!str_starts(arg, name) || arg.n <= name.n || arg.p[name.n] != '=')
        return false;
    *value = str_slice(arg, name.n + 1, arg.n);
    return true;
}

static void take_argument(struct terminal_options *o, struct str arg, struct str letters,
                          char *chars, size_t cap)
{
    struct str value;
    if (value_of(arg, "--tb", &value))
        o->traceback = str_eq(value, STR("no"))     ? TRACEBACK_NONE
                       : str_eq(value, STR("line")) ? TRACEBACK_LINE
                                                    : TRACEBACK_FULL;
    else if (value_of(arg, "--show-capture", &value))
        o->show_capture = value;
    else if (str_eq(arg, STR("--no-summary")))
        o->no_summary = true;
    else if (letters.n)
        add_report_chars(chars, cap, letters);
}

struct terminal_options terminal_options_from(const struct plan *plan, FILE *out)
{
    struct terminal_options o = {.width = terminal_width(out),
                                 .print_failures = true,
                                 .full_messages =
                                     environment_has("CI") || environment_has("BUILD_NUMBER"),
                                 .show_capture = STR("all"),
                                 .root = plan->root,
                                 .cwd = plan->cwd};
    char chars[sizeof o.report_chars] = "";
    bool given = false;
    for (uint32_t i = 0; i < plan->n_args; i++) {
        struct str arg = plan->args[i], letters = {0};
        if (str_eq(arg, STR("-r")) && i + 1 < plan->n_args)
            letters = plan->args[++i];
        else if (str_starts(arg, STR("-r")))
            letters = str_slice(arg, 2, arg.n);
        given = given || letters.n > 0;
        take_argument(&o, arg, letters, chars, sizeof chars);
    }
    strcpy(o.report_chars, given ? chars : "fE");
    return o;
}

bool terminal_failures_only(const struct terminal_options *o)
{
    return o->verbosity <= 0 && !strpbrk(o->report_chars, "sxXp");
}
