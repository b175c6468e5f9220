#include "tests/unit/unit.h"

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#include <errno.h>
#include <sys/wait.h>

static void always_terminated(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_str(buf_view(&b), "");
    assert_non_null(buf_view(&b).p);
    buf_add(&b, NULL, 0);
    assert_int_equal(b.p[0], '\0');
    for (int i = 0; i < 1000; i++) {
        buf_char(&b, (char)('a' + i % 26));
        assert_int_equal(b.n, (size_t)i + 1);
        assert_int_equal(b.p[b.n], '\0');
        assert_true(b.cap > b.n);
    }
    assert_memory_equal(b.p + 26, "abc", 3);
    buf_clear(&b);
    assert_int_equal(b.n, 0);
    assert_string_equal(b.p, "");
    buf_str(&b, STR("x\0y"));
    buf_z(&b, "z");
    assert_str(buf_view(&b), "x\0yz");
    buf_release(&b);
    assert_null(b.p);
    assert_int_equal(b.n + b.cap, 0);
}

static void printf_appends_any_length(void **state)
{
    (void)state;
    struct buf b = {0};
    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    buf_printf(&b, "%d-", 42);
    buf_printf(&b, "%s", longer);
    buf_printf(&b, "%s", "");
    assert_int_equal(b.n, 3 + 4999);
    assert_memory_equal(b.p, "42-xxx", 6);
    assert_int_equal(strlen(b.p), b.n);
    buf_release(&b);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a = {0};
    static const size_t sizes[] = {0, 1, 3, 8, 17, 4096, 65536, 65537, 1 << 20};
    char *small = arena_dup(&a, "keep", 4);
    for (size_t round = 0; round < 50; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char *p = arena_alloc(&a, sizes[i]);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < sizes[i]; k++)
                if (p[k] != 0)
                    fail_msg("byte %zu of %zu is not zero", k, sizes[i]);
            memset(p, 0x55, sizes[i]);
        }
    assert_string_equal(small, "keep");
    assert_string_equal(arena_dup(&a, NULL, 0), "");
    arena_release(&a);
    assert_null(a.head);
    assert_string_equal(arena_dup(&a, "again", 5), "again");
    arena_release(&a);
}

static void overflow_ends_the_process(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct arena a = {0};
        fclose(stderr);
        arena_array(&a, SIZE_MAX / 2, 3);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_INTERNAL);
}

static void errors_are_cut_with_an_ellipsis(void **state)
{
    (void)state;
    struct err err = {0};
    char text[3000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(err_set(&err, "%d: %s", 7, "short"));
    assert_string_equal(err.msg, "7: short");
    assert_false(err_set(NULL, "nobody asks"));
    err_set(&err, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_string_equal(err.msg + strlen(err.msg) - 4, "y…");
    for (size_t i = 0; i + 2 < sizeof text; i += 2) /* é: two bytes each */
        memcpy(text + i, "\xc3\xa9", 3);
    for (int shift = 0; shift < 2; shift++) { /* never in the middle of one */
        err_set(&err, "%s%s", shift ? "x" : "", text);
        size_t n = strlen(err.msg);
        assert_true(n >= sizeof err.msg - 2 && n < sizeof err.msg);
        assert_memory_equal(err.msg + n - 5, "\xc3\xa9…", 5);
    }
}

static void errno_is_kept_and_never_cut(void **state)
{
    (void)state;
    struct err err = {0};
    char text[3000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    errno = ENOENT;
    assert_false(err_errno(&err, "%s", text));
    assert_int_equal(errno, ENOENT);
    const char *why = strerror(ENOENT);
    assert_string_equal(err.msg + strlen(err.msg) - strlen(why), why);
    assert_non_null(strstr(err.msg, "y…: "));
    err_set(&err, "inner");
    err_set(&err, "outer: %s", err.msg); /* its own message as an argument */
    assert_string_equal(err.msg, "outer: inner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_terminated),
        cmocka_unit_test(printf_appends_any_length),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(overflow_ends_the_process),
        cmocka_unit_test(errors_are_cut_with_an_ellipsis),
        cmocka_unit_test(errno_is_kept_and_never_cut),
    };
    return cmocka_run_group_tests_name("buf, arena, err", tests, NULL, NULL);
}
