/* The store of statements: each file is read once, whoever asks for it and however many do. */
#include "generator/source/stmt_store.h"
#include "runtime/base/io.h"
#include "tests/unit/unit.h"

#include <pthread.h>

enum { FILES = 40, READERS = 4 };

struct tree {
    struct strs paths;
    struct stmt_store *store;
};

static struct tree make_tree(void **state)
{
    struct tree t = {0};
    for (int i = 0; i < FILES; i++) {
        struct buf name = {0}, text = {0};
        struct err err = {0};
        buf_printf(&name, "m%d.%s", i, i == 3 ? "txt" : "py");
        buf_printf(&text, "x%d = 1\ndef f():\n    return x\n", i);
        char *path = temp_path(state, name.p);
        assert_true(io_replace(path, buf_view(&text), &err));
        strs_add(&t.paths, str_z(path));
        buf_release(&name);
        buf_release(&text);
    }
    t.store = stmt_store_open(NULL, PARSER_AST, true);
    return t;
}

static void release_tree(struct tree *t)
{
    assert_true(stmt_store_close(t->store, NULL));
    for (size_t i = 0; i < t->paths.n; i++)
        free((char *)(uintptr_t)t->paths.items[i].p);
    strs_release(&t->paths);
}

static struct stmt_store_counts counts_of(struct tree *t)
{
    struct stmt_store_counts c;
    stmt_store_count(t->store, &c);
    return c;
}

static void assert_statements(struct store_reader *r, struct str path, int i)
{
    struct str packed;
    struct stmt s;
    char text[16];
    snprintf(text, sizeof text, "x%d = 1", i);
    assert_true(store_reader_get(r, path, i % 2 == 0, &packed));
    assert_true(stmts_next(&packed, &s));
    assert_int_equal(s.kind, STMT_SIMPLE);
    assert_true(str_eq(s.text, str_z(text)));
}

static void what_is_read_ahead_counts_when_it_is_asked_for(void **state)
{
    struct tree t = make_tree(state);
    struct store_reader *r = store_reader_new(t.store);
    assert_false(store_reader_ahead(r));
    stmt_store_expect(t.store, &t.paths);
    int ahead = 0;
    while (store_reader_ahead(r))
        ahead++;
    assert_int_equal(ahead, FILES - 1); /* a text is no source */
    assert_int_equal(counts_of(&t).files, 0);
    for (int k = 0; k < 2; k++)
        assert_statements(r, t.paths.items[7], 7);
    assert_int_equal(counts_of(&t).files, 1);
    assert_int_equal(counts_of(&t).misses, 1);
    store_reader_free(r);
    release_tree(&t);
}

static void what_is_prepared_is_known_and_counts_when_it_is_asked_for(void **state)
{
    struct tree t = make_tree(state);
    struct store_reader *r = store_reader_new(t.store);
    struct str packed;
    char *gone = temp_path(state, "gone.py");
    assert_false(store_reader_knows(r, t.paths.items[5]));
    for (int k = 0; k < 2; k++)
        store_reader_prepare(r, t.paths.items[5]);
    store_reader_prepare(r, str_z(gone));
    assert_true(store_reader_knows(r, t.paths.items[5]));
    assert_false(store_reader_knows(r, t.paths.items[6]));
    assert_false(store_reader_knows(r, str_z(gone)));
    assert_false(store_reader_get(r, str_z(gone), true, &packed));
    assert_int_equal(counts_of(&t).files, 0);
    assert_statements(r, t.paths.items[5], 5);
    assert_int_equal(counts_of(&t).files, 1);
    assert_int_equal(counts_of(&t).misses, 1);
    free(gone);
    store_reader_free(r);
    release_tree(&t);
}

static void what_is_not_there_is_asked_for_again(void **state)
{
    struct tree t = make_tree(state);
    struct store_reader *r = store_reader_new(t.store);
    struct str packed;
    struct err err = {0};
    char *path = temp_path(state, "later.py");
    assert_false(store_reader_get(r, str_z(path), false, &packed));
    assert_false(store_reader_get(r, str_z(*state), false, &packed)); /* a directory */
    assert_true(io_replace(path, STR("x9 = 1\n"), &err));
    assert_statements(r, str_z(path), 9);
    assert_int_equal(counts_of(&t).files, 1);
    free(path);
    store_reader_free(r);
    release_tree(&t);
}

static void *read_all(void *ctx)
{
    struct tree *t = ctx;
    struct store_reader *r = store_reader_new(t->store);
    for (int i = 0; i < FILES; i++)
        assert_statements(r, t->paths.items[i], i);
    store_reader_free(r);
    return NULL;
}

static void threads_that_want_the_same_share_the_work(void **state)
{
    struct tree t = make_tree(state);
    pthread_t ids[READERS];
    stmt_store_expect(t.store, &t.paths);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, read_all, &t), 0);
    for (int i = 0; i < READERS; i++)
        pthread_join(ids[i], NULL);
    assert_int_equal(counts_of(&t).files, FILES);
    assert_int_equal(counts_of(&t).misses, FILES);
    release_tree(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_read_ahead_counts_when_it_is_asked_for, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(what_is_prepared_is_known_and_counts_when_it_is_asked_for, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_asked_for_again, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(threads_that_want_the_same_share_the_work, temp_dir_new, temp_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
