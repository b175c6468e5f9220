/* pytest's junit_* settings. */
#include "runtime/report/junit.h"

struct junit_options junit_options_from(const struct plan *plan)
{
    struct str suite = plan_report(plan, "junit_suite_name"), logging = plan_report(plan, "junit_logging");
    struct str family = plan_report(plan, "junit_family");
    return (struct junit_options){
        .prefix = plan_report(plan, "junitprefix"),
        .suite_name = suite.p ? suite : STR("pytest"),
        .logging = logging.p ? logging : STR("no"),
        .log_passing_tests = !str_eq(plan_report(plan, "junit_log_passing_tests"), STR("0")),
        .call_duration_only = str_eq(plan_report(plan, "junit_duration_report"), STR("call")),
        .xunit1 = str_eq(family, STR("xunit1")) || str_eq(family, STR("legacy"))};
}
