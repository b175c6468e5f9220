/* The end of a run on a real state directory: what is not run, exit codes, when files are kept. */
#include "generator/graph/record.h"
#include "runtime/base/io.h"
#include "runtime/report/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MODULES = 3 };

struct fixture {
    char state[64], records[MODULES][96], printed[8192];
    struct plan plan;
    struct plan_module modules[MODULES];
    struct plan_batch batches[MODULES];
    struct str args[2];
    enum exit_code code;
};

static const char passed[] = "{\"phases\":[{\"when\":\"call\",\"o\":\"passed\",\"d\":1,\"t\":1}],"
                             "\"counts\":{\"passed\":1,\"warnings\":1}}";
static const char failed[] = "{\"phases\":[{\"when\":\"call\",\"o\":\"failed\",\"d\":1,\"t\":1,"
                             "\"repr\":\"no\"}],\"counts\":{\"failed\":1}}";

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->state, "/tmp/fastest-summary-XXXXXX");
    if (!f || !mkdtemp(f->state))
        return -1;
    f->plan = (struct plan){.run_id = 7,
                            .root = STR("/r"),
                            .cwd = STR("/r"),
                            .state_dir = str_z(f->state),
                            .scan_start_ns = 1,
                            .modules = f->modules,
                            .batches = f->batches,
                            .n_modules = MODULES,
                            .n_batches = MODULES,
                            .args = f->args};
    for (uint32_t i = 0; i < MODULES; i++) {
        snprintf(f->records[i], sizeof f->records[i], "%s/%u.rec", f->state, i);
        f->modules[i] = (struct plan_module){.rel = STR("t.py"),
                                             .record = str_z(f->records[i]),
                                             .key = {1, i + 1},
                                             .batch = i,
                                             .stale = true};
        f->batches[i] = (struct plan_batch){STR("batch"), i, 1};
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct io_list l;
    char path[512];
    if (io_listdir(f->state, &l)) {
        for (size_t i = 0; i < l.n; i++) {
            snprintf(path, sizeof path, "%s/%s", f->state, l.items[i].name);
            unlink(path);
        }
        io_list_release(&l);
    }
    rmdir(f->state);
    free(f);
    return 0;
}

static void save(struct fixture *f, uint32_t i, const char *meta, const char *result)
{
    struct record_result r = {0, result == failed ? OUT_FAILED : OUT_PASSED, str_z(result)};
    struct record rec = {.key = f->modules[i].key,
                         .run_id = f->plan.run_id,
                         .n_items = 1,
                         .flags = result == failed ? 0 : REC_PASSED,
                         .meta = str_z(meta),
                         .results = &r,
                         .n_results = result ? 1 : 0};
    struct err err = {""};
    assert_true(record_save(&rec, f->records[i], STR(""), &err));
}

static const char meta[] = "{\"rel\":\"t.py\",\"items\":[{\"id\":\"t.py::test\",\"file\":\"t.py\","
                           "\"name\":\"test\",\"line\":1,\"kw\":[]}]}";

/* A later scan that found every record valid. */
static void next_run(struct fixture *f)
{
    f->plan.run_id++;
    for (uint32_t i = 0; i < MODULES; i++)
        f->modules[i].stale = false;
}

static void run(struct fixture *f)
{
    struct summary_options o = {.wall_ns = 1000000000, .print_failures = true};
    struct err err = {""};
    FILE *out = fmemopen(f->printed, sizeof f->printed, "w");
    memset(f->printed, 0, sizeof f->printed);
    bool ok = summary_run(&f->plan, &o, out, &f->code, &err);
    fclose(out);
    if (!ok)
        fail_msg("%s", err.msg);
}

static void assert_printed(const struct fixture *f, const char *part)
{
    if (!strstr(f->printed, part))
        fail_msg("%s\nis not in\n%s", part, f->printed);
}

static struct io_stat report_stat(const struct fixture *f, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->state, name);
    return io_stat_path(path);
}

static void touch(const struct fixture *f, const char *name, const char *text)
{
    char path[128];
    struct err err = {""};
    snprintf(path, sizeof path, "%s/%s", f->state, name);
    assert_true(io_replace(path, str_z(text), &err));
}

static void cached_reports_are_left_alone(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < MODULES; i++)
        save(f, i, meta, passed);
    run(f);
    assert_int_equal(f->code, EXIT_PASSED);
    assert_printed(f, "3 passed (0 cached), 3 warnings in 1.00s (3 ran, 0 cached)");
    next_run(f);
    run(f);
    assert_printed(f, "3 passed (3 cached), 3 warnings in 1.00s (0 ran, 3 cached, 3.00s saved)");
    struct io_stat before = report_stat(f, "junit.xml");
    next_run(f);
    run(f);
    assert_printed(f, "3 passed (3 cached), 3 warnings in 1.00s (0 ran, 3 cached, 3.00s saved)");
    struct io_stat after = report_stat(f, "junit.xml");
    assert_true(io_stat_same(&before, &after));
    touch(f, "junit.xml", "damaged");
    run(f);
    assert_true(report_stat(f, "junit.xml").size_bytes > 100);
}

static void a_changed_record_rewrites_the_reports(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < MODULES; i++)
        save(f, i, meta, passed);
    next_run(f);
    run(f);
    f->plan.run_id++;
    f->modules[1].stale = true;
    save(f, 1, meta, failed);
    run(f);
    assert_int_equal(f->code, EXIT_FAILED);
    assert_printed(f, "2 passed (2 cached), 1 failed, 2 warnings in 1.00s (1 ran, 2 cached, 2.00s saved)");
    assert_printed(f, "FAILED t.py::test - no");
    assert_int_equal(report_stat(f, "reports.bin").kind, IO_ABSENT);
}

static void damaged_caches_of_the_reports_are_a_miss(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {"parts.bin", "reports.bin"};
    for (uint32_t i = 0; i < MODULES; i++)
        save(f, i, meta, passed);
    next_run(f);
    run(f);
    for (int i = 0; i < 2; i++) {
        touch(f, files[i], "nonsense");
        run(f);
        assert_printed(f, "3 passed (3 cached), 3 warnings");
    }
}

static void fail_fast_says_how_many_batches_did_not_run(void **state)
{
    struct fixture *f = *state;
    save(f, 0, meta, failed);
    assert_true(plan_mark(&f->plan, "stop", (struct str){0}));
    run(f);
    assert_int_equal(f->code, EXIT_FAILED);
    assert_printed(f, "1 failed, 2 batches not run in");
    assert_printed(f, "stopping after 1 failures");
}

static void a_module_stopped_before_its_first_test_is_not_run(void **state)
{
    struct fixture *f = *state;
    struct record rec = {.key = f->modules[1].key,
                         .run_id = f->plan.run_id,
                         .n_items = 1,
                         .flags = REC_PARTIAL,
                         .meta = STR(meta)};
    struct err err = {""};
    save(f, 0, meta, failed);
    assert_true(record_save(&rec, f->records[1], STR(""), &err));
    assert_true(plan_mark(&f->plan, "stop", (struct str){0}));
    run(f);
    assert_printed(f, "1 failed, 2 batches not run in");
}

static void an_old_record_of_a_stale_module_is_no_result(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < MODULES; i++)
        save(f, i, meta, passed);
    f->plan.run_id++;
    save(f, 0, meta, passed);
    run(f);
    assert_int_equal(f->code, EXIT_INTERRUPTED);
    assert_printed(f, "1 passed (0 cached), 1 warning, 2 batches not run");
    assert_printed(f, "fastest: 2 batches have no result");
}

static void a_refusal_has_pytests_exit_code(void **state)
{
    struct fixture *f = *state;
    assert_true(plan_mark(&f->plan, "error", STR("4\nusage: no such option\n")));
    run(f);
    assert_int_equal(f->code, EXIT_USAGE);
    assert_printed(f, "exit code 4");
}

static void marks_of_another_run_count_for_nothing(void **state)
{
    struct fixture *f = *state;
    struct buf text = {0};
    assert_true(plan_mark(&f->plan, "error", STR("3\nearlier")));
    assert_false(plan_mark(&f->plan, "error", STR("4\nthe first stays")));
    f->plan.run_id++;
    assert_false(plan_marked(&f->plan, "error", NULL));
    for (uint32_t i = 0; i < MODULES; i++)
        save(f, i, meta, passed);
    run(f);
    assert_printed(f, "3 passed");
    assert_true(plan_mark(&f->plan, "error", STR("4\nlater")));
    assert_true(plan_marked(&f->plan, "error", &text));
    assert_string_equal(text.p, "4\nlater");
    buf_release(&text);
}

static void a_collection_error_interrupts(void **state)
{
    struct fixture *f = *state;
    static const char broken[] = "{\"rel\":\"t.py\",\"items\":[],\"error\":{\"when\":\"collect\","
                                 "\"o\":\"failed\",\"id\":\"t.py\",\"repr\":\"SyntaxError\"}}";
    save(f, 0, broken, NULL);
    save(f, 1, meta, passed);
    save(f, 2, meta, passed);
    run(f); /* with --continue-on-collection-errors */
    assert_int_equal(f->code, EXIT_FAILED);
    assert_printed(f, "2 passed (0 cached), 2 warnings, 1 error");
    assert_true(plan_mark(&f->plan, "interrupted", (struct str){0}));
    run(f);
    assert_int_equal(f->code, EXIT_INTERRUPTED);
    assert_printed(f, "! Interrupted: 1 error during collection !");
}

static void without_tests_the_code_is_5(void **state)
{
    struct fixture *f = *state;
    f->plan.n_modules = 0;
    run(f);
    assert_int_equal(f->code, EXIT_NO_TESTS);
    assert_printed(f, "no tests ran in 1.00s");
}

static void an_unreadable_result_keeps_its_outcome(void **state)
{
    struct fixture *f = *state;
    f->plan.n_modules = 1;
    save(f, 0, meta, "{broken");
    run(f);
    assert_int_equal(f->code, EXIT_PASSED);
    assert_printed(f, "1 passed (0 cached)");
    save(f, 0, "{broken", passed);
    run(f);
    assert_int_equal(f->code, EXIT_INTERRUPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cached_reports_are_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_record_rewrites_the_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_caches_of_the_reports_are_a_miss, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(fail_fast_says_how_many_batches_did_not_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_module_stopped_before_its_first_test_is_not_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_old_record_of_a_stale_module_is_no_result, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(marks_of_another_run_count_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_has_pytests_exit_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_collection_error_interrupts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_tests_the_code_is_5, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unreadable_result_keeps_its_outcome, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
