/* The plan survives a round trip; any damaged byte or cut is a miss, never a crash. */
#include "generator/graph/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/fastest-test-plan-XXXXXX";

static struct plan make_plan(void)
{
    struct plan p = {.run_id = 7, .scan_start_ns = 11, .root = STR("/r"), .cwd = STR("/r/c")};
    p.state_dir = str_z(dir);
    p.n_files = 300;
    p.files = arena_array(&p.arena, p.n_files, sizeof *p.files);
    for (uint32_t i = 0; i < p.n_files; i++)
        p.files[i].path = STR("/r/\xff.py");
    p.n_modules = 2;
    p.modules = arena_array(&p.arena, 2, sizeof *p.modules);
    p.n_batches = 1;
    p.batches = arena_array(&p.arena, 1, sizeof *p.batches);
    p.batches[0] = (struct plan_batch){STR("a+1"), 0, 2};
    for (uint32_t i = 0; i < 2; i++) {
        p.modules[i].rel = STR("a.py");
        p.modules[i].why = STR("new");
        p.modules[i].stale = true;
        p.modules[i].n_files = i ? 300 : 2; /* a list and a bit set */
        p.modules[i].files = arena_array(&p.arena, 300, sizeof *p.modules[i].files);
        for (uint32_t k = 0; k < p.modules[i].n_files; k++)
            p.modules[i].files[k] = i ? k : k * 299;
    }
    return p;
}

static void round_trip(void **state)
{
    (void)state;
    struct plan p = make_plan(), q;
    struct err err = {{0}};
    assert_true(plan_save(&p, &err));
    assert_true(plan_load(&q, dir, &err));
    assert_int_equal(q.run_id, 7);
    assert_int_equal(q.n_files, 300);
    assert_true(str_eq(q.files[299].path, STR("/r/\xff.py")));
    assert_int_equal(q.modules[0].n_files, 2);
    assert_int_equal(q.modules[0].files[1], 299);
    assert_int_equal(q.modules[1].n_files, 300);
    assert_int_equal(q.modules[1].files[123], 123);
    assert_non_null(plan_find_batch(&q, STR("a+1")));
    assert_null(plan_find_batch(&q, STR("b")));
    plan_release(&q);
    plan_release(&p);
}

/* What is read back is written as it was. */
static void options_survive(void **state)
{
    (void)state;
    struct plan p = make_plan(), q;
    struct buf path = {0}, first = {0}, second = {0};
    p.options = (struct plan_options){
        .python = STR("py"), .pytest_cache = STR("c"), .tty = STR("t"), .junit = STR("j"), .json = STR("s"),
        .report_log = STR("l"), .trace = STR("x"), .output = 2, .tap14 = true, .teamcity = true, .workers = 3, .jobs = 4,
        .job_input = STR("i"), .job_output = STR("o"), .job_edges = true, .maxfail = 5, .verbosity = 6,
        .optimizer = OPTIMIZER_PARALLEL, .isolation = ISOLATION_TEST, .batch_timeout_ms = 7, .slow_ms = 8, .idle_ms = 9,
        .retries = 10, .worker_memory = 11, .confirms = true, .color = true};
    buf_printf(&path, "%s/keys.bin", dir);
    assert_true(plan_save(&p, NULL) && io_read(path.p, 0, &first, NULL));
    assert_true(plan_load(&q, dir, NULL));
    assert_int_equal(q.options.isolation, ISOLATION_TEST);
    assert_true(plan_save(&q, NULL) && io_read(path.p, 0, &second, NULL));
    assert_true(str_eq(buf_view(&first), buf_view(&second)));
    buf_release(&path);
    buf_release(&first);
    buf_release(&second);
    plan_release(&q);
    plan_release(&p);
}

static void damage_is_a_miss(void **state)
{
    (void)state;
    struct plan p = make_plan(), q;
    struct buf path = {0}, whole = {0}, bad = {0};
    assert_true(plan_save(&p, NULL));
    buf_printf(&path, "%s/keys.bin", dir);
    assert_true(io_read(path.p, 0, &whole, NULL));
    for (size_t i = 0; i < whole.n; i += 37) {
        buf_clear(&bad);
        buf_add(&bad, whole.p, whole.n);
        bad.p[i] ^= 0x55;
        assert_true(io_replace(path.p, buf_view(&bad), NULL));
        assert_false(plan_load(&q, dir, NULL));
        assert_true(io_replace(path.p, str_slice(buf_view(&whole), 0, i), NULL));
        assert_false(plan_load(&q, dir, NULL));
    }
    unlink(path.p);
    buf_release(&path);
    buf_release(&whole);
    buf_release(&bad);
    plan_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(options_survive),
                                       cmocka_unit_test(damage_is_a_miss)};
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
