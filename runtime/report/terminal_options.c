/* What the terminal report takes from pytest's settings, the environment and the terminal. */
#include "runtime/report/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_width(int fd)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    struct winsize size = {0};
    if (width <= 0 && fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    return width < 40 || width > 100000 ? 80 : (int)width;
}

static bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static double number_of(struct str s, double otherwise)
{
    char text[64], *end = text;
    size_t n = s.n < sizeof text - 1 ? s.n : sizeof text - 1;
    memcpy(text, s.p ? s.p : "", n);
    text[n] = '\0';
    double value = strtod(text, &end);
    return end == text ? otherwise : value;
}

static bool is_set(const struct plan *plan, const char *name)
{
    return str_eq(plan_report(plan, name), STR("1"));
}

static enum terminal_traceback traceback_of(struct str style)
{
    return str_eq(style, STR("no"))     ? TRACEBACK_NONE
           : str_eq(style, STR("line")) ? TRACEBACK_LINE
                                        : TRACEBACK_FULL;
}

/* pytest gives them expanded ("a" is sxXEf); without a setting they are its default. */
static void take_report_chars(struct terminal_options *o, struct str chars)
{
    if (!chars.p)
        chars = STR("wfE");
    o->warnings = str_chr(chars, 'w') < chars.n;
    size_t n = 0;
    for (size_t i = 0; i < chars.n && n + 1 < sizeof o->report_chars; i++)
        if (chars.p[i] != 'w')
            o->report_chars[n++] = chars.p[i];
    o->report_chars[n] = '\0';
}

struct terminal_options terminal_options_from(const struct plan *plan, FILE *out)
{
    struct str capture = plan_report(plan, "showcapture");
    struct terminal_options o = {.verbosity = (int)number_of(plan_report(plan, "verbosity"), 0),
                                 .width = terminal_width(fileno(out)),
                                 .print_failures = true,
                                 .show_capture = capture.p ? capture : STR("all"),
                                 .no_summary = is_set(plan, "no_summary"),
                                 .no_header = is_set(plan, "no_header"),
                                 .xfail_tb = is_set(plan, "xfail_tb"),
                                 .unfolded_skips = str_eq(plan_report(plan, "fold_skipped"), STR("0")),
                                 .traceback = traceback_of(plan_report(plan, "tbstyle")),
                                 .durations = (int)number_of(plan_report(plan, "durations"), -1),
                                 .durations_min_s = number_of(plan_report(plan, "durations_min"), -1),
                                 .root = plan->root,
                                 .cwd = plan->cwd};
    o.full_messages = o.verbosity >= 2 || environment_has("CI") || environment_has("BUILD_NUMBER");
    take_report_chars(&o, plan_report(plan, "reportchars"));
    return o;
}

bool terminal_failures_only(const struct terminal_options *o)
{
    return o->verbosity <= 0 && o->durations < 0 && !o->xfail_tb && !strpbrk(o->report_chars, "sxXpPR");
}
