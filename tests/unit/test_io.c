#include "tests/unit/unit.h"

#include "runtime/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void write_file(const char *path, struct str content)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(content.p, 1, content.n, f), content.n);
    assert_int_equal(fclose(f), 0);
}

static void reads_any_bytes_and_appends(void **state)
{
    char *path = temp_path(state, "a");
    struct buf b = {0};
    struct err err = {0};
    write_file(path, STR("x\0\xff\n"));
    buf_z(&b, "before ");
    assert_true(io_read(path, 0, &b, &err));
    assert_str(buf_view(&b), "before x\0\xff\n");
    write_file(path, STR(""));
    assert_true(io_read(path, 0, &b, &err));
    assert_int_equal(b.n, 11);
    buf_clear(&b);
    assert_true(io_read("/proc/self/stat", 0, &b, &err)); /* says that it has 0 bytes */
    assert_true(b.n > 10);
    assert_int_equal(b.p[b.n], '\0');
    buf_release(&b);
    free(path);
}

static void stats_of_neighbours_are_those_of_their_paths(void **state)
{
    static const char *const names[] = {"a", "b", "none", "d", "d/c", "d/none", "d/c", "d/c/x", "d/c/y", "b", "b", "none/x", "none/y"};
    struct io_near near = {0};
    char *paths[sizeof names / sizeof *names];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        paths[i] = temp_path(state, names[i]);
    write_file(paths[0], STR("a"));
    write_file(paths[1], STR("bb"));
    assert_int_equal(mkdir(paths[3], 0777), 0);
    write_file(paths[4], STR("ccc"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct io_stat one = io_stat_path(paths[i]), other = io_stat_near(&near, paths[i]);
        assert_true(io_stat_same(&one, &other));
        free(paths[i]);
    }
    struct io_stat one = io_stat_path("."), other = io_stat_near(&near, "."), root = io_stat_near(&near, "/");
    assert_true(io_stat_same(&one, &other));
    assert_int_equal(root.kind, IO_DIR);
    other = io_stat_near(&near, ".");
    assert_true(io_stat_same(&one, &other));
    io_near_release(&near);
}

static void refuses_what_is_too_long(void **state)
{
    char *path = temp_path(state, "a");
    struct buf b = {0};
    struct err err = {0};
    write_file(path, STR("12345"));
    assert_true(io_read(path, 5, &b, &err));
    assert_str(buf_view(&b), "12345");
    assert_false(io_read(path, 4, &b, &err));
    assert_int_equal(errno, EFBIG);
    assert_non_null(strstr(err.msg, "larger than 4 bytes"));
    buf_clear(&b);
    assert_true(io_read_start(path, 4, &b));
    assert_true(io_read_start(path, 9, &b));
    assert_str(buf_view(&b), "123412345");
    buf_clear(&b);
    assert_false(io_read("/proc/self/stat", 4, &b, &err));
    buf_release(&b);
    free(path);
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static void reads_back(const char *path, const char *want)
{
    struct buf b = {0};
    assert_true(io_read(path, 0, &b, NULL));
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(b.p, want, b.n);
    buf_release(&b);
}

static void overwrites_in_place(void **state)
{
    char *path = temp_path(state, "a"), *other = temp_path(state, "b");
    struct err err = {0};
    assert_true(io_overwrite(path, STR("first, longer"), &err));
    ino_t inode = inode_of(path);
    assert_true(io_overwrite(path, STR("second"), &err));
    reads_back(path, "second");
    assert_true(io_overwrite(path, STR("third, longer"), &err));
    reads_back(path, "third, longer");
    assert_true(inode_of(path) == inode);

    assert_int_equal(link(path, other), 0); /* as `cp -al` makes a copy of a state directory */
    assert_true(io_overwrite(path, STR("mine"), &err));
    reads_back(path, "mine");
    reads_back(other, "third, longer");

    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink(path, other), 0);
    assert_true(io_overwrite(other, STR("own"), &err));
    reads_back(path, "mine");
    reads_back(other, "own");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_false(io_overwrite(path, STR("x"), &err));
    assert_non_null(strstr(err.msg, "cannot be written"));
    free(path);
    free(other);
}

static void refuses_what_is_no_file(void **state)
{
    char *path = temp_path(state, "gone"), *pipe = temp_path(state, "pipe");
    struct buf b = {0};
    struct err err = {0};
    assert_false(io_read_start(path, 4, &b));
    assert_false(io_read_start("/", 4, &b));
    assert_false(io_read(path, 0, &b, &err));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(err.msg, path));
    assert_false(io_read(*state, 0, &b, &err));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    alarm(10); /* opening a pipe that nobody writes must not wait */
    assert_false(io_read(pipe, 0, &b, &err));
    alarm(0);
    assert_int_equal(b.n, 0);
    buf_release(&b);
    free(path);
    free(pipe);
}

static size_t count_entries(const char *dir)
{
    struct io_list l;
    assert_true(io_listdir(dir, &l));
    size_t n = l.n;
    io_list_release(&l);
    return n;
}

static void replace_leaves_no_temporary_file(void **state)
{
    char *path = temp_path(state, "a"), *dir = temp_path(state, "d"), *in = temp_path(state, "no/x");
    struct buf b = {0};
    struct err err = {0};
    assert_true(io_replace(path, STR("one"), &err));
    assert_true(io_replace(path, STR("two\0"), &err));
    assert_true(io_read(path, 0, &b, &err));
    assert_str(buf_view(&b), "two\0");
    assert_int_equal(mkdir(dir, 0777), 0);
    assert_false(io_replace(dir, STR("x"), &err));
    assert_non_null(strstr(err.msg, "cannot be written"));
    assert_false(io_replace(in, STR("x"), &err));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(count_entries(*state), 2);
    buf_release(&b);
    free(path);
    free(dir);
    free(in);
}

static void equal_content_keeps_the_mtime(void **state)
{
    char *path = temp_path(state, "a");
    struct err err = {0};
    bool changed = false;
    assert_true(io_replace_if_changed(path, STR("one"), &changed, &err));
    assert_true(changed);
    assert_true(io_set_mtime(path, 1234567890123456789));
    struct io_stat before = io_stat_path(path);
    assert_true(before.mtime_ns == 1234567890123456789);
    assert_true(io_replace_if_changed(path, STR("one"), &changed, &err));
    assert_false(changed);
    struct io_stat after = io_stat_path(path);
    assert_true(io_stat_same(&before, &after));
    assert_true(io_replace_if_changed(path, STR("two"), &changed, &err)); /* the same length */
    assert_true(changed);
    after = io_stat_path(path);
    assert_false(io_stat_same(&before, &after));
    assert_true(io_set_mtime(path, -1500000000)); /* before 1970 */
    assert_true(io_stat_path(path).mtime_ns == -1500000000);
    free(path);
}

static void stat_tells_kinds_and_versions(void **state)
{
    char *path = temp_path(state, "a"), *link = temp_path(state, "l"), *pipe = temp_path(state, "p");
    assert_int_equal(io_stat_path(path).kind, IO_ABSENT);
    write_file(path, STR("123"));
    assert_int_equal(symlink("a", link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    struct io_stat file = io_stat_path(path), through = io_stat_path(link);
    assert_int_equal(file.kind, IO_FILE);
    assert_int_equal(file.size_bytes, 3);
    assert_true(io_stat_same(&file, &through));
    assert_int_equal(io_stat_path(*state).kind, IO_DIR);
    assert_int_equal(io_stat_path(pipe).kind, IO_OTHER);
    struct io_stat other = file;
    other.ctime_ns++;
    assert_false(io_stat_same(&file, &other));
    free(path);
    free(link);
    free(pipe);
}

static void mkdirs_makes_parents(void **state)
{
    char *deep = temp_path(state, "a//b/./c/"), *file = temp_path(state, "f");
    char *below = temp_path(state, "f/x");
    struct err err = {0};
    assert_true(io_mkdirs(deep, &err));
    assert_int_equal(io_stat_path(deep).kind, IO_DIR);
    assert_true(io_mkdirs(deep, &err));
    assert_true(io_mkdirs("/", &err));
    write_file(file, STR(""));
    assert_false(io_mkdirs(file, &err));
    assert_int_equal(errno, ENOTDIR);
    assert_false(io_mkdirs(below, &err));
    assert_non_null(strstr(err.msg, below));
    assert_false(io_mkdirs("", &err));
    free(deep);
    free(file);
    free(below);
}

static void listing_is_sorted_and_typed(void **state)
{
    struct err err = {0};
    char *names[] = {temp_path(state, "b"), temp_path(state, "a b\n$"), temp_path(state, "\xff")};
    char *dir = temp_path(state, "c"), *link = temp_path(state, "d"), *gone = temp_path(state, "no");
    for (size_t i = 0; i < 3; i++)
        write_file(names[i], STR(""));
    assert_true(io_mkdirs(dir, &err));
    assert_int_equal(symlink("c", link), 0);
    struct io_list l;
    assert_true(io_listdir(*state, &l));
    assert_int_equal(l.n, 5);
    const char *want[] = {"a b\n$", "b", "c", "d", "\xff"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(l.items[i].name, want[i]);
    assert_int_equal(l.items[3].kind, IO_ABSENT); /* a link: to be asked with stat */
    assert_true(l.items[2].kind == IO_DIR || l.items[2].kind == IO_ABSENT);
    io_list_release(&l);
    assert_true(io_listdir(dir, &l));
    assert_int_equal(l.n, 0);
    io_list_release(&l);
    assert_false(io_listdir(gone, &l));
    assert_int_equal(errno, ENOENT);
    for (size_t i = 0; i < 3; i++)
        free(names[i]);
    free(dir);
    free(link);
    free(gone);
}

static void descriptors_read_and_write_in_full(void **state)
{
    (void)state;
    int fds[2];
    char back[8] = "";
    assert_int_equal(pipe(fds), 0);
    assert_true(io_write_all(fds[1], "hello", 5));
    close(fds[1]);
    assert_int_equal(io_read_full(fds[0], back, sizeof back), 5); /* less than asked: the end */
    assert_string_equal(back, "hello");
    close(fds[0]);
    assert_int_equal(io_read_full(fds[0], back, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_false(io_write_all(fds[1], "x", 1));
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, temp_dir_new, temp_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(reads_any_bytes_and_appends),
        IN_DIR(overwrites_in_place),
        IN_DIR(stats_of_neighbours_are_those_of_their_paths),
        IN_DIR(refuses_what_is_too_long),
        IN_DIR(refuses_what_is_no_file),
        IN_DIR(replace_leaves_no_temporary_file),
        IN_DIR(equal_content_keeps_the_mtime),
        IN_DIR(stat_tells_kinds_and_versions),
        IN_DIR(mkdirs_makes_parents),
        IN_DIR(listing_is_sorted_and_typed),
        cmocka_unit_test(descriptors_read_and_write_in_full),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
