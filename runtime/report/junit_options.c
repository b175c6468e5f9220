/* pytest's junit_* settings from its command line. */
#include "runtime/report/junit.h"

static bool is_true(struct str v)
{
    return str_eq(v, STR("1")) || str_eq(v, STR("true")) || str_eq(v, STR("True")) ||
           str_eq(v, STR("yes")) || str_eq(v, STR("on"));
}

static void set_ini(struct junit_options *o, struct str name, struct str value)
{
    if (str_eq(name, STR("junit_suite_name")))
        o->suite_name = value;
    else if (str_eq(name, STR("junit_logging")))
        o->logging = value;
    else if (str_eq(name, STR("junit_log_passing_tests")))
        o->log_passing_tests = is_true(value);
    else if (str_eq(name, STR("junit_duration_report")))
        o->call_duration_only = str_eq(value, STR("call"));
    else if (str_eq(name, STR("junit_family")))
        o->xunit1 = str_eq(value, STR("xunit1")) || str_eq(value, STR("legacy"));
}

struct junit_options junit_options_from(const struct str *args, uint32_t n_args)
{
    struct junit_options o = {
        .suite_name = STR("pytest"), .logging = STR("no"), .log_passing_tests = true};
    for (uint32_t i = 0; i < n_args; i++) {
        struct str value = {0};
        if (str_starts(args[i], STR("--junitprefix=")) ||
            str_starts(args[i], STR("--junit-prefix=")))
            o.prefix = str_slice(args[i], str_chr(args[i], '=') + 1, args[i].n);
        else if (str_starts(args[i], STR("--override-ini=")))
            value = str_slice(args[i], str_chr(args[i], '=') + 1, args[i].n);
        else if (str_eq(args[i], STR("-o")) && i + 1 < n_args)
            value = args[++i];
        else if (str_starts(args[i], STR("-o")))
            value = str_slice(args[i], 2, args[i].n);
        size_t equals = str_chr(value, '=');
        if (value.n && equals < value.n)
            set_ini(&o, str_slice(value, 0, equals), str_slice(value, equals + 1, value.n));
    }
    return o;
}
