/* The terminal report: the last line, the sections, the short summary. */
#include "runtime/report/style.h"
#include "runtime/report/terminal.h"
#include "runtime/report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

static void expect_last_line(const struct totals *t, uint32_t not_run, int width, bool color,
                             const char *want)
{
    struct buf out = {0};
    struct style_last l = {t, not_run, 520000000, width, color};
    style_last_line(&out, &l);
    assert_string_equal(out.p, want);
    buf_release(&out);
}

static void the_last_line_says_what_was_cached(void **state)
{
    (void)state;
    struct totals t = {.ran = 3};
    totals_count(&t, STR("passed"), 3, false);
    expect_last_line(&t, 0, 0, false, "3 passed (0 cached) in 0.52s (3 ran, 0 cached)\n");
    t = (struct totals){.cached = 3};
    totals_count(&t, STR("passed"), 3, true);
    expect_last_line(&t, 0, 0, false, "3 passed (3 cached) in 0.52s (0 ran, 3 cached)\n");
    t = (struct totals){.ran = 1, .cached = 2, .cached_us = 3100000, .flaky = 1};
    totals_count(&t, STR("failed"), 1, false);
    totals_count(&t, STR("passed"), 2, true);
    expect_last_line(&t, 0, 0, false, "2 passed (2 cached), 1 failed, 1 flaky in 0.52s "
                                     "(1 ran, 2 cached, 3.10s saved)\n");
    expect_last_line(&t, 0, 80, false,
                     "= 2 passed (2 cached), 1 failed, 1 flaky in 0.52s "
                     "(1 ran, 2 cached, 3.10s saved) =\n");
}

static void every_category_is_named(void **state)
{
    (void)state;
    struct totals t = {.ran = 1};
    totals_count(&t, STR("rerun"), 2, false);
    totals_count(&t, STR("error"), 2, false);
    totals_count(&t, STR("warnings"), 1, false);
    totals_count(&t, STR("skipped"), 1, false);
    totals_count(&t, STR("subtests passed"), 4, false);
    expect_last_line(&t, 2, 0, false,
                     "1 skipped, 1 warning, 2 errors, 4 subtests passed, 2 rerun, "
                     "2 batches not run in 0.52s (1 ran, 0 cached)\n");
    t = (struct totals){0};
    expect_last_line(&t, 0, 0, false, "no tests ran in 0.52s (0 ran, 0 cached)\n");
}

static void colours_are_those_of_pytest(void **state)
{
    (void)state;
    struct totals t = {.ran = 1};
    totals_count(&t, STR("passed"), 1, false);
    expect_last_line(&t, 0, 48, true,
                     "\x1b[32m= \x1b[32m\x1b[1m1 passed (0 cached)\x1b[0m"
                     "\x1b[32m in 0.52s (1 ran, 0 cached)\x1b[0m\x1b[32m =\x1b[0m\n");
}

static void totals_survive_packing(void **state)
{
    (void)state;
    struct totals t = {.ran = 1, .cached = 2, .junit_double = 3, .outcomes = {1, 2, 3, 4, 5, 6}};
    struct totals back;
    struct buf b = {0};
    totals_count(&t, STR("passed"), 7, true);
    totals_count(&t, STR("passed"), 1, false);
    totals_pack(&t, &b);
    struct unpack u = {.p = (const unsigned char *)b.p, .n = b.n};
    totals_unpack(&back, &u);
    assert_false(u.bad);
    assert_int_equal(u.n, 0);
    assert_memory_equal(&t, &back, sizeof t);
    buf_release(&b);
}

static void messages_are_cut_to_the_width(void **state)
{
    (void)state;
    struct buf out = {0};
    style_message(&out, STR("0123456789\nsecond"), 13);
    assert_string_equal(out.p, " - 0123456789");
    buf_clear(&out);
    style_message(&out, STR("0123456789"), 12);
    assert_string_equal(out.p, " - 012345...");
    buf_clear(&out);
    style_message(&out, STR("\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD"), 9); /* two columns each */
    assert_string_equal(out.p, " - \xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD");
    buf_clear(&out);
    style_message(&out, STR("0123456789"), 5);
    assert_int_equal(out.n, 0);
    buf_release(&out);
}

/* ---- whole reports ---- */

static struct terminal_options plain_options(void)
{
    return (struct terminal_options){.print_failures = true,
                                     .width = 60,
                                     .show_capture = STR("all"),
                                     .report_chars = "fE",
                                     .durations = -1,
                                     .root = STR("/r"),
                                     .cwd = STR("/r")};
}

static char *printed(struct terminal *t, const struct totals *totals)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct terminal_end end = {.totals = totals, .wall_ns = 1000000000};
    terminal_print(t, &end, out);
    fclose(out);
    return text;
}

static struct report_test failing_test(const struct report_item *item, struct report_phase *p)
{
    struct report_test t = {.item = item, .outcome = OUT_FAILED, .batch = STR("b")};
    t.result.phases = p;
    t.result.n_phases = 2;
    p[0] = (struct report_phase){.when = WHEN_CALL,
                                 .verdict = PHASE_FAILED,
                                 .repr = STR("\n    def test\nE   no\n\nt.py:3: E\n")};
    p[0].crash = (struct report_loc){STR("/r/t.py"), STR("no, it\nis not"), 3};
    p[1] = (struct report_phase){.when = WHEN_TEARDOWN, .verdict = PHASE_PASSED};
    return t;
}

static void a_failure_looks_like_pytests(void **state)
{
    (void)state;
    struct report_item item = {.id = STR("d/t.py::TestX::test"), .name = STR("TestX.test")};
    struct report_section section = {STR("Captured stdout call"), STR("hello\n")};
    struct report_section later = {STR("Captured stdout teardown"), STR("bye")};
    struct report_phase p[2];
    struct report_test test = failing_test(&item, p);
    struct terminal_options o = plain_options();
    struct terminal t;
    struct totals totals = {0};
    p[0].sections = &section;
    p[1].sections = &later;
    p[0].n_sections = p[1].n_sections = 1;
    o.cwd = STR("/r/d");
    terminal_init(&t, &o);
    terminal_test(&t, &test);
    totals_test(&totals, &test);
    char *text = printed(&t, &totals);
    assert_string_equal(text,
                        "========================= FAILURES =========================\n"
                        "________________________ TestX.test ________________________\n"
                        "\n    def test\nE   no\n\nt.py:3: E\n"
                        "------------------- Captured stdout call -------------------\nhello\n"
                        "----------------- Captured stdout teardown -----------------\nbye\n"
                        "================= short test summary info ==================\n"
                        "FAILED t.py::TestX::test - no, it\n"
                        "=========== 1 failed in 1.00s (1 ran, 0 cached) ============\n");
    free(text);
    terminal_release(&t);
}

static void errors_come_before_failures_and_after_them_in_the_list(void **state)
{
    (void)state;
    struct report_item item = {.id = STR("t.py::test"), .name = STR("test")};
    struct report_phase p[2], collect = {.when = WHEN_COLLECT,
                                         .verdict = PHASE_FAILED,
                                         .id = STR("t/bad.py"),
                                         .repr = STR("no module")};
    struct report_test test = failing_test(&item, p);
    struct terminal_options o = plain_options();
    struct terminal t;
    struct totals totals = {0};
    p[1].verdict = PHASE_FAILED;
    p[1].repr = STR("gone");
    terminal_init(&t, &o);
    terminal_test(&t, &test);
    terminal_collect(&t, &collect);
    char *text = printed(&t, &totals);
    const char *order[] = {"= ERRORS =",       " ERROR collecting t/bad.py _",
                           "_\nno module\n",   " ERROR at teardown of test _",
                           "_\ngone\n",        " FAILURES =",
                           "_ test _",         "FAILED t.py::test - no, it\n",
                           "ERROR t/bad.py\n", "ERROR t.py::test - gone\n"};
    const char *at = text;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        assert_contains(at, order[i]);
        at = strstr(at, order[i]);
    }
    free(text);
    terminal_release(&t);
}

static void verbose_lines_say_what_was_cached(void **state)
{
    (void)state;
    struct report_item item = {.id = STR("t.py::test"), .name = STR("test")};
    struct report_phase p = {.when = WHEN_SETUP, .verdict = PHASE_SKIPPED};
    struct report_test test = {.item = &item,
                               .outcome = OUT_SKIPPED,
                               .cached = true,
                               .result = {.phases = &p, .n_phases = 1},
                               .batch = STR("b")};
    struct terminal_options o = plain_options();
    struct terminal t;
    struct totals totals = {0};
    p.skip = (struct report_loc){STR("/r/t.py"), STR("Skipped: why"), 3};
    o.verbosity = 1;
    strcpy(o.report_chars, "s");
    terminal_init(&t, &o);
    terminal_test(&t, &test);
    char *text = printed(&t, &totals);
    assert_contains(text, "t.py::test SKIPPED (why) [cached]\n");
    assert_contains(text, "SKIPPED [1] t.py:3: why\n");
    free(text);
    terminal_release(&t);
}

static void equal_skips_are_one_line(void **state)
{
    (void)state;
    struct str far[] = {STR("test"), STR("skip")}, near[] = {STR("test"), STR("skip"), STR("pytestmark")};
    struct report_item items[] = {{.id = STR("t.py::a"), .keywords = near, .n_keywords = 3},
                                  {.id = STR("t.py::b"), .keywords = far, .n_keywords = 2}};
    struct terminal_options o = plain_options();
    struct totals totals = {0};
    struct terminal t;
    strcpy(o.report_chars, "s");
    terminal_init(&t, &o);
    for (int i = 0; i < 5; i++) {
        struct report_phase p = {.when = WHEN_SETUP, .verdict = PHASE_SKIPPED,
                                 .skip = {STR("/r/t.py"), STR("Skipped: why"), i < 3 ? 3 : i}};
        struct report_test test = {.item = &items[i > 2], .outcome = OUT_SKIPPED, .result = {.phases = &p, .n_phases = 1},
                                   .batch = STR("b")};
        terminal_test(&t, &test);
    }
    char *text = printed(&t, &totals);
    assert_contains(text, "SKIPPED [3] t.py:3: why\nSKIPPED [2] t.py: why\n");
    free(text);
    terminal_release(&t);
}

static void without_tracebacks_there_is_no_section(void **state)
{
    (void)state;
    struct report_item item = {.id = STR("t.py::test"), .name = STR("test")};
    struct report_phase p[2];
    struct report_test test = failing_test(&item, p);
    struct str settings[] = {STR("tbstyle=no"), STR("reportchars=f")};
    struct plan plan = {.report = settings, .n_report = 2, .root = STR("/r"), .cwd = STR("/r")};
    struct terminal_options o = terminal_options_from(&plan, stdout);
    struct terminal t;
    struct totals totals = {0};
    terminal_init(&t, &o);
    terminal_test(&t, &test);
    char *text = printed(&t, &totals);
    assert_null(strstr(text, "FAILURES"));
    assert_contains(text, "FAILED t.py::test");
    free(text);
    terminal_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_says_what_was_cached),
        cmocka_unit_test(every_category_is_named),
        cmocka_unit_test(colours_are_those_of_pytest),
        cmocka_unit_test(totals_survive_packing),
        cmocka_unit_test(messages_are_cut_to_the_width),
        cmocka_unit_test(a_failure_looks_like_pytests),
        cmocka_unit_test(errors_come_before_failures_and_after_them_in_the_list),
        cmocka_unit_test(verbose_lines_say_what_was_cached),
        cmocka_unit_test(equal_skips_are_one_line),
        cmocka_unit_test(without_tracebacks_there_is_no_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
