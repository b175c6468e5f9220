/* Records: round trip, damage, and dependencies that hold or do not. */
#include "generator/graph/record.h"
#include "runtime/base/stat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/fastest-test-record-XXXXXX";

static const char *at(struct buf *b, const char *name)
{
    buf_clear(b);
    buf_printf(b, "%s/%s", dir, name);
    return b->p;
}

static void round_trip_and_damage(void **state)
{
    (void)state;
    struct record_dep dep = {.path = STR("/nowhere"), .kind = DEP_ABSENT};
    struct record_result results[2] = {{0, OUT_PASSED, STR("{}")}, {1, OUT_FAILED, STR("{\"x\":1}")}};
    struct record r = {.key = {1, 2}, .flags = REC_PASSED, .n_items = 2, .meta = STR("{}"),
                       .deps = &dep, .n_deps = 1, .results = results, .n_results = 2};
    struct record q;
    struct buf path = {0}, whole = {0}, bad = {0};
    at(&path, "a.rec");
    assert_true(record_save(&r, path.p, STR("/r"), NULL));
    assert_true(record_load(&q, path.p, STR("/r"), false));
    assert_int_equal(q.n_results, 2);
    assert_int_equal(q.results[1].outcome, OUT_FAILED);
    assert_true(str_eq(q.deps[0].path, STR("/nowhere")));
    record_release(&q);
    assert_true(record_load(&q, path.p, STR("/r"), true));
    assert_int_equal(q.n_results, 0);
    record_release(&q);
    assert_true(io_read(path.p, 0, &whole, NULL));
    for (size_t i = 0; i < whole.n; i++) {
        buf_clear(&bad);
        buf_add(&bad, whole.p, whole.n);
        bad.p[i] ^= 1;
        assert_true(io_replace(path.p, buf_view(&bad), NULL));
        assert_false(record_load(&q, path.p, STR("/r"), false));
    }
    unlink(path.p);
    buf_release(&path);
    buf_release(&whole);
    buf_release(&bad);
}

static void file_dependency(void **state)
{
    (void)state;
    struct buf path = {0};
    at(&path, "x.json");
    assert_true(io_replace(path.p, STR("one"), NULL));
    struct record_dep d = {.path = buf_view(&path), .kind = DEP_FILE};
    record_dep_fill(&d);
    assert_true(record_dep_holds(&d));
    assert_true(io_set_mtime(path.p, 1000000000));
    assert_true(record_dep_holds(&d));
    assert_true(io_replace(path.p, STR("two"), NULL));
    assert_true(io_set_mtime(path.p, d.st.mtime_ns));
    assert_false(record_dep_holds(&d));
    unlink(path.p);
    assert_false(record_dep_holds(&d));
    struct record_dep gone = {.path = buf_view(&path), .kind = DEP_FILE};
    record_dep_fill(&gone);
    assert_int_equal(gone.kind, DEP_ABSENT);
    assert_true(record_dep_holds(&gone));
    assert_true(io_replace(path.p, STR("one"), NULL));
    assert_false(record_dep_holds(&gone));
    unlink(path.p);
    buf_release(&path);
}

static void listing_dependency(void **state)
{
    (void)state;
    struct buf path = {0};
    struct record_dep d = {.path = str_z(dir), .kind = DEP_DIR};
    record_dep_fill(&d);
    assert_int_equal(mkdir(at(&path, "__pycache__"), 0777), 0);
    assert_true(record_dep_holds(&d));
    assert_true(io_replace(at(&path, "new.json"), STR(""), NULL));
    assert_false(record_dep_holds(&d));
    unlink(path.p);
    assert_true(record_dep_holds(&d));
    rmdir(at(&path, "__pycache__"));
    buf_release(&path);
}

/* mkdir() stamps the new directory and then the one that it is in: the clock may tick in between. */
static void a_cache_that_came_is_no_change(void **state)
{
    (void)state;
    struct buf path = {0};
    struct record_dep d = {.path = str_z(dir), .kind = DEP_DIR};
    assert_int_equal(mkdir(at(&path, "__pycache__"), 0777), 0);
    int64_t birth_ns = stat_birth_ns(path.p), tick_ns = stat_tick_ns();
    const struct {
        int64_t mtime_ns;
        bool same;
    } cases[] = {{birth_ns, true}, {birth_ns + tick_ns, true}, {birth_ns + 2 * tick_ns + 1, false}, {birth_ns - 1, false}};
    record_dep_fill(&d);
    for (size_t i = 0; birth_ns && i < sizeof cases / sizeof *cases; i++) {
        d.st.mtime_ns = cases[i].mtime_ns;
        assert_int_equal(record_dep_listed_since(&d, birth_ns - 1), cases[i].same);
    }
    assert_true(record_dep_listed_since(&d, d.st.ctime_ns));
    rmdir(path.p);
    buf_release(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip_and_damage),
                                       cmocka_unit_test(file_dependency),
                                       cmocka_unit_test(listing_dependency),
                                       cmocka_unit_test(a_cache_that_came_is_no_change)};
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
