/* What is shown while tests run: lines, letters, the bar, the time that is left. */
#include "runtime/report/live.h"
#include "runtime/report/live_bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

struct screen {
    char *text;
    size_t n;
    FILE *out;
    struct plan plan;
    struct plan_module modules[2];
    struct str settings[2];
    struct live_options options;
    struct live *live;
};

static int set_up(void **state)
{
    struct screen *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->out = open_memstream(&s->text, &s->n);
    s->modules[0] = (struct plan_module){.path = STR("/r/t/test_a.py"), .record = STR("/nonexistent"), .stale = true};
    s->modules[1] = (struct plan_module){.path = STR("/r/t/test_b.py"), .record = STR("/nonexistent"), .stale = true};
    s->settings[0] = STR("header=platform x");
    s->plan = (struct plan){.root = STR("/r"), .cwd = STR("/r"), .modules = s->modules, .n_modules = 2,
                            .report = s->settings, .n_report = 1};
    s->options = (struct live_options){
        .terminal = {.width = 40, .print_failures = true, .show_capture = STR("all"), .report_chars = "fE",
                     .durations = -1, .root = STR("/r"), .cwd = STR("/r")}};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct screen *s = *state;
    live_free(s->live);
    fclose(s->out);
    free(s->text);
    free(s);
    return 0;
}

static void begin(struct screen *s)
{
    s->live = live_new(&s->plan, &s->options, s->out, SECOND);
}

static void results(struct screen *s, uint32_t module, const char *outcomes)
{
    static const char letters[] = ".FEsxX";
    for (uint32_t i = 0; outcomes[i]; i++)
        live_result(s->live, module, i, (enum record_outcome)(strchr(letters, outcomes[i]) - letters), (struct str){0});
}

static void expect(struct screen *s, const char *want)
{
    fflush(s->out);
    if (strcmp(s->text, want) != 0)
        fail_msg("%s\nis not\n%s", s->text, want);
}

static void modules_are_lines_of_letters(void **state)
{
    struct screen *s = *state;
    begin(s);
    live_collected(s->live, 8);
    live_module(s->live, 1, 4, (struct str){0});
    live_module(s->live, 0, 4, (struct str){0});
    results(s, 0, ".F");
    results(s, 1, ".sxX");
    live_module_end(s->live, 1);
    live_tick(s->live, 2 * SECOND);
    expect(s, "collected 8 items\n\n"
              "t/test_b.py .sxX                 [ 75%]\n");
    results(s, 0, ".FE.");
    live_module_end(s->live, 0);
    live_finish(s->live);
    expect(s, "collected 8 items\n\n"
              "t/test_b.py .sxX                 [ 75%]\n"
              "t/test_a.py .FE.                 [100%]\n\n");
}

static void letters_wrap_at_the_width(void **state)
{
    struct screen *s = *state;
    begin(s);
    live_collected(s->live, 40);
    live_module(s->live, 0, 30, (struct str){0});
    results(s, 0, "..............................");
    live_module_end(s->live, 0);
    live_finish(s->live);
    expect(s, "collected 40 items\n\n"
              "t/test_a.py .................... [ 75%]\n"
              "..........                       [ 75%]\n\n");
}

static void quiet_letters_share_lines(void **state)
{
    struct screen *s = *state;
    s->options.terminal.verbosity = -1;
    s->settings[0] = STR("console_output_style=count");
    begin(s);
    live_head(s->live);
    live_collected(s->live, 4);
    for (uint32_t i = 0; i < 2; i++) {
        live_module(s->live, i, 2, (struct str){0});
        results(s, i, "..");
        live_module_end(s->live, i);
        live_tick(s->live, 2 * SECOND);
    }
    live_finish(s->live);
    expect(s, "....                              [4/4]\n");
}

static void a_result_that_comes_again_counts_once(void **state)
{
    struct screen *s = *state;
    begin(s);
    live_collected(s->live, 2);
    live_module(s->live, 0, 2, (struct str){0});
    results(s, 0, "F.");
    results(s, 0, "..");
    live_module_end(s->live, 0);
    live_finish(s->live);
    expect(s, "collected 2 items\n\n"
              "t/test_a.py ..                   [100%]\n\n");
}

static void verbose_results_are_lines_with_their_failures(void **state)
{
    static const char meta[] = "{\"items\":[{\"id\":\"t/test_a.py::test_1\",\"name\":\"test_1\"},"
                               "{\"id\":\"t/test_a.py::test_2\",\"name\":\"test_2\"}]}";
    static const char failed[] = "{\"phases\":[{\"when\":\"call\",\"o\":\"failed\",\"d\":1,\"t\":1,\"repr\":\"E   no\"}]}";
    static const char passed[] = "{\"phases\":[{\"when\":\"call\",\"o\":\"passed\",\"d\":1,\"t\":1}]}";
    struct screen *s = *state;
    s->options.terminal.verbosity = 1;
    begin(s);
    assert_true(live_wants_text(s->live));
    live_collected(s->live, 2);
    live_module(s->live, 0, 2, STR(meta));
    live_result(s->live, 0, 1, OUT_FAILED, STR(failed));
    live_result(s->live, 0, 0, OUT_PASSED, STR(passed));
    assert_true(live_shown(s->live, 0, 1, OUT_FAILED));
    assert_false(live_shown(s->live, 1, 1, OUT_FAILED));
    live_result(s->live, 0, 0, OUT_PASSED, STR(passed));
    live_result(s->live, 0, 1, OUT_PASSED, STR(passed));
    assert_false(live_shown(s->live, 0, 1, OUT_FAILED));
    live_module_end(s->live, 0);
    live_finish(s->live);
    expect(s, "collected 2 items\n\n"
              "t/test_a.py::test_2 FAILED       [ 50%]\n"
              "________________ test_2 ________________\n"
              "E   no\n"
              "t/test_a.py::test_1 PASSED       [100%]\n"
              "t/test_a.py::test_2 PASSED (run again) [100%]\n\n");
}

static void the_head_is_pytests(void **state)
{
    struct screen *s = *state;
    begin(s);
    live_head(s->live);
    live_finish(s->live);
    expect(s, "========= test session starts ==========\n"
              "platform x\nmodules: 2, 2 to run\n");
}

static void others_output_comes_in_whole_lines(void **state)
{
    struct screen *s = *state;
    begin(s);
    live_text(s->live, STR("ninja: a"));
    live_tick(s->live, 2 * SECOND);
    live_text(s->live, STR("b\nc"));
    live_notice(s->live, STR("slow"));
    live_finish(s->live);
    expect(s, "ninja: ab\nslow\nc");
}

static void the_bar_is_erased_before_lines_and_drawn_seldom(void **state)
{
    struct screen *s = *state;
    s->options.bar = true;
    s->options.terminal.verbosity = -1;
    begin(s);
    live_tick(s->live, 2 * SECOND);
    live_collected(s->live, 4);
    live_tick(s->live, 3 * SECOND);
    live_module(s->live, 0, 2, (struct str){0});
    results(s, 0, ".F");
    live_tick(s->live, 3 * SECOND + 1); /* too soon */
    live_notice(s->live, STR("line"));
    live_tick(s->live, 3 * SECOND + 2);
    live_finish(s->live);
    fflush(s->out);
    assert_non_null(strstr(s->text, "collecting ...\r\x1b[J  0% [---"));
    assert_non_null(strstr(s->text, "\r\x1b[Jline\n 50% ["));
    assert_null(strstr(strstr(s->text, " 50%") + 1, " 50%"));
    assert_string_equal(s->text + strlen(s->text) - 4, "\r\x1b[J");
}

static void a_bar_that_wraps_after_a_resize_is_erased_whole(void **state)
{
    struct screen *s = *state;
    s->options.bar = true;
    s->options.terminal.width = 100;
    begin(s);
    live_collected(s->live, 4);
    live_tick(s->live, 2 * SECOND);
    fflush(s->out);
    size_t before = s->n;
    live_resize(s->live, 40);
    fflush(s->out);
    assert_string_equal(s->text + before, "\x1b[1A\r\x1b[J");
}

static void bar_fits(int width, const char *want)
{
    struct live_bar b = {.done = 50, .total = 100, .counts = {[OUT_FAILED] = 3}, .left_s = 75, .width = width};
    struct buf out = {0};
    live_bar_text(&b, &out);
    assert_string_equal(out.p, want);
    assert_true(out.n < (size_t)width);
    buf_release(&out);
}

static void the_bar_is_narrower_than_the_terminal(void **state)
{
    (void)state;
    bar_fits(80, " 50% [====================--------------------]  50/100  3 failed  1m 15s left");
    bar_fits(50, " 50% [=====------]  50/100  3 failed  1m 15s left");
    bar_fits(30, " 50%   50/100  3 failed  1m 1");
}

static void time_left_comes_from_records(void **state)
{
    (void)state;
    double expected[] = {8, 2, -1};
    uint32_t items[] = {4, 2, 0}, done[] = {0, 0, 0};
    struct live_work w = {expected, items, done, 3, 0};
    assert_true(live_work_left(&w, 6, 5 * SECOND) < 0);
    w.first_ns = SECOND;
    done[0] = 1; /* two of ten seconds in one: twice as fast as recorded */
    assert_true(live_work_left(&w, 6, 2 * SECOND) > 3.99 && live_work_left(&w, 6, 2 * SECOND) < 4.01);
    assert_true(live_work_left(&w, 8, 2 * SECOND) > 5.6); /* two unknown ones, as long as the mean */
    done[0] = 4;
    done[1] = 2;
    assert_true(live_work_left(&w, 6, 9 * SECOND) == 0);
}

static void durations_are_read_without_the_rest(void **state)
{
    (void)state;
    struct str json = STR("{\"phases\":[{\"when\":\"setup\",\"d\":0.25,\"t\":1.5,\"repr\":\"\\\"d\\\":9\"},"
                          "{\"when\":\"call\",\"d\": 1,\"t\":2}]}");
    assert_true(live_result_seconds(json) > 1.2499 && live_result_seconds(json) < 1.2501);
    for (size_t n = 0; n < json.n; n++)
        assert_true(live_result_seconds(str_slice(json, 0, n)) <= 1.26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modules_are_lines_of_letters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(letters_wrap_at_the_width, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quiet_letters_share_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_result_that_comes_again_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verbose_results_are_lines_with_their_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_head_is_pytests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_output_comes_in_whole_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_bar_is_erased_before_lines_and_drawn_seldom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bar_that_wraps_after_a_resize_is_erased_whole, set_up, tear_down),
        cmocka_unit_test(the_bar_is_narrower_than_the_terminal),
        cmocka_unit_test(time_left_comes_from_records),
        cmocka_unit_test(durations_are_read_without_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
