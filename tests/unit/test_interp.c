/* Where interpreters keep their packages, in made-up trees. */
#include "tests/unit/unit.h"

#include "generator/config/interp.h"
#include "generator/files/dirs.h"
#include "runtime/base/io.h"

#include <sys/stat.h>

static char *put(void **state, const char *name, const char *text)
{
    struct err err;
    char *path = temp_path(state, name), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(io_mkdirs(path, &err));
    *slash = '/';
    assert_true(io_replace(path, str_z(text), &err));
    chmod(path, 0755);
    return path;
}

static void touch(void **state, const char *name, const char *text)
{
    free(put(state, name, text));
}

static int set_up(void **state)
{
    static const char *const off[] = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONUSERBASE",
                                      "PYTHONNOUSERSITE", "PYENV_VERSION"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        unsetenv(off[i]);
    if (temp_dir_new(state) != 0)
        return -1;
    setenv("HOME", *state, 1);
    setenv("FASTEST_CACHE_DIR", *state, 1);
    touch(state, "base/bin/python3.12", "\177ELF");
    touch(state, "base/lib/python3.12/os.py", "");
    touch(state, "base/lib/python3.12/json/__init__.py", "");
    touch(state, "base/lib/python3.12/lib-dynload/math.cpython-312-x86_64-linux-gnu.so", "");
    touch(state, "base/lib/python3.12/site-packages/below.py", "");
    return 0;
}

static void make_venv(void **state, const char *version_line, bool system_site)
{
    struct buf b = {0};
    char *link = temp_path(state, "venv/bin/python"), *target = temp_path(state, "base/bin/python3.12");
    touch(state, "venv/lib/python3.12/site-packages/pkg/__init__.py", "");
    touch(state, "venv/bin/pip", "");
    assert_int_equal(symlink(target, link), 0);
    buf_printf(&b, "home = %s/base/bin\n%s\ninclude-system-site-packages = %s\n", (char *)*state, version_line,
               system_site ? "true" : "false");
    touch(state, "venv/pyvenv.cfg", b.p);
    buf_release(&b);
    free(link);
    free(target);
}

static bool find(void **state, struct interp *x, const char *python)
{
    struct err err = {{0}};
    bool ok = interp_find(x, python, *state, &err);
    assert_true(ok || err.msg[0]);
    return ok;
}

/* The paths relative to the test's directory, separated by blanks. */
static char *listed(void **state, const struct strs *l)
{
    struct buf b = {0};
    size_t n = strlen(*state) + 1;
    buf_z(&b, "");
    for (size_t i = 0; i < l->n; i++)
        if (str_starts(l->items[i], str_z(*state)))
            buf_printf(&b, "%s%.*s", b.n ? " " : "", (int)(l->items[i].n - n), l->items[i].p + n);
    return b.p ? b.p : strdup("");
}

static void expect_path(void **state, const struct interp *x, const char *want)
{
    char *have = listed(state, &x->path);
    assert_string_equal(have, want);
    free(have);
}

#define STD "base/lib/python312.zip base/lib/python3.12 base/lib/python3.12/lib-dynload"

static void reads_virtual_environments(void **state)
{
    static const struct { const char *line; int micro; } cases[] = {
        {"version = 3.12.1", 1}, {"version_info = 3.12.4.final.0", 4}, {"version_info = 3.12.9", 9}, {"x = y", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct interp x;
        make_venv(state, cases[i].line, false);
        assert_true(find(state, &x, "venv/bin/python"));
        assert_int_equal(x.major * 100 + x.minor, 312);
        assert_int_equal(x.micro, cases[i].micro);
        assert_true(str_ends(x.scripts, STR("/venv/bin")));
        expect_path(state, &x, STD " venv/lib/python3.12/site-packages");
        interp_release(&x);
        char *link = temp_path(state, "venv/bin/python");
        unlink(link);
        free(link);
    }
}

static void adds_user_and_system_sites(void **state)
{
    struct interp x;
    make_venv(state, "version = 3.12.1", true);
    touch(state, ".local/lib/python3.12/site-packages/own.py", "");
    assert_true(find(state, &x, "venv/bin/python"));
    expect_path(state, &x, STD " venv/lib/python3.12/site-packages .local/lib/python3.12/site-packages "
                               "base/lib/python3.12/site-packages");
    interp_release(&x);
    setenv("PYTHONNOUSERSITE", "1", 1);
    setenv("PYTHONPATH", "own:gone", 1);
    assert_true(find(state, &x, "base/bin/python3.12"));
    expect_path(state, &x, "own gone " STD " base/lib/python3.12/site-packages");
    interp_release(&x);
}

static int has_module(const struct interp *x, struct str name)
{
    struct dirs dirs = {0};
    int has = interp_has_module(x, &dirs, name);
    dirs_release(&dirs);
    return has;
}

static void reads_pth_files(void **state)
{
    struct interp x;
    make_venv(state, "version = 3.12.1", false);
    touch(state, "src/a.py", "");
    touch(state, "venv/lib/python3.12/site-packages/a.pth", "# x\n../../../../src\n\ngone\n../../../../src  \n");
    touch(state, "venv/lib/python3.12/site-packages/distutils-precedence.pth", "import os; x\n");
    assert_true(find(state, &x, "venv/bin/python"));
    expect_path(state, &x, STD " venv/lib/python3.12/site-packages src");
    assert_false(x.unsure_path);
    assert_int_equal(has_module(&x, STR("a")), 1);
    assert_int_equal(has_module(&x, STR("nothing")), 0);
    interp_release(&x);
    touch(state, "venv/lib/python3.12/site-packages/__editable__.x.pth", "import __editable___x_finder\n");
    assert_true(find(state, &x, "venv/bin/python"));
    assert_true(x.unsure_path);
    assert_int_equal(has_module(&x, STR("nothing")), -1);
    interp_release(&x);
}

static void finds_modules(void **state)
{
    static const struct { const char *name; int want; } cases[] = {
        {"json", 1}, {"os", 1}, {"math", 1}, {"sys", 1}, {"pkg", 1}, {"space", 1}, {"ext", 1}, {"abi", 1},
        {"below", 0}, {"ext.cpython-312", 0}, {"a-b", 0}, {"readme", 0}, {"", 0}, {"_suggestions", 0}};
    struct interp x;
    make_venv(state, "version = 3.12.1", false);
    touch(state, "venv/lib/python3.12/site-packages/space/m.txt", "");
    touch(state, "venv/lib/python3.12/site-packages/ext.cpython-312-x86_64-linux-gnu.so", "");
    touch(state, "venv/lib/python3.12/site-packages/abi.abi3.so", "");
    touch(state, "venv/lib/python3.12/site-packages/a-b/x", "");
    touch(state, "venv/lib/python3.12/site-packages/readme.txt", "");
    assert_true(find(state, &x, "venv/bin/python"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(has_module(&x, str_z(cases[i].name)), cases[i].want);
    interp_release(&x);
}

static void finds_pytest_and_plugins(void **state)
{
    struct interp x;
    make_venv(state, "version = 3.12.1", false);
    touch(state, "venv/lib/python3.12/site-packages/pytest_cov-5.0.0.dist-info/entry_points.txt",
          "[console_scripts]\nx = y:z\n\n[pytest11]\npytest_cov = pytest_cov.plugin\n");
    touch(state, "venv/lib/python3.12/site-packages/old.egg-info/entry_points.txt", "[pytest11]\na=b:c [x]\n[q]\nd=e\n");
    touch(state, "venv/lib/python3.12/site-packages/pytest-8.4.2.dist-info/METADATA", "");
    touch(state, "venv/lib/python3.12/site-packages/pytest_mock-1.0.dist-info/METADATA", "");
    assert_true(find(state, &x, "venv/bin/python"));
    assert_str(x.pytest, "8.4.2");
    assert_int_equal(x.plugins.n, 2);
    assert_str(x.plugins.items[0], "a=b:c");
    assert_str(x.plugins.items[1], "pytest_cov=pytest_cov.plugin");
    interp_release(&x);
}

/* A script in the interpreter's place, that counts how often it is started. */
static void asks_scripts_once(void **state)
{
    struct buf b = {0};
    const char *dir = *state;
    struct interp x;
    buf_printf(&b, "#!/bin/sh\necho >>%s/asked\nprintf 'executable\\t%s/x/python\\nversion\\t3.9.2\\n"
                   "std\\t%s/std\\nsite\\t%s/base/lib/python3.12/site-packages\\nscripts\\t%s/x\\nend\\t1\\n'\n",
               dir, dir, dir, dir, dir);
    touch(state, "shim", b.p);
    buf_release(&b);
    for (int i = 0; i < 2; i++) {
        assert_true(find(state, &x, "./shim"));
        assert_true(str_ends(x.python, STR("/shim")) && str_ends(x.executable, STR("/x/python")));
        assert_int_equal(x.major * 10000 + x.minor * 100, 30900);
        assert_int_equal(x.micro, 2);
        expect_path(state, &x, "std base/lib/python3.12/site-packages");
        interp_release(&x);
    }
    char *asked = temp_path(state, "asked");
    assert_int_equal(io_stat_path(asked).size_bytes, 1);
    setenv("PYENV_VERSION", "other", 1);
    assert_true(find(state, &x, "./shim"));
    interp_release(&x);
    assert_int_equal(io_stat_path(asked).size_bytes, 2);
    setenv("FASTEST_CACHE_DIR", "/dev/null/no", 1); /* works, slowly */
    assert_true(find(state, &x, "./shim"));
    interp_release(&x);
    assert_int_equal(io_stat_path(asked).size_bytes, 3);
    free(asked);
}

static void reports_what_is_no_interpreter(void **state)
{
    struct interp x;
    struct err err = {{0}};
    touch(state, "broken", "#!/bin/sh\nexit 3\n");
    assert_false(interp_find(&x, "./broken", *state, &err));
    assert_non_null(strstr(err.msg, "/broken: does not tell where its packages are"));
    interp_release(&x);
    assert_false(interp_find(&x, "./gone", *state, &err));
    assert_string_equal(err.msg, "./gone: no such interpreter; name one with --python");
    interp_release(&x);
    setenv("VIRTUAL_ENV", *state, 1);
    assert_false(interp_find(&x, NULL, *state, &err));
    assert_non_null(strstr(err.msg, "(VIRTUAL_ENV is set)"));
    interp_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_virtual_environments, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(adds_user_and_system_sites, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(reads_pth_files, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(finds_modules, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(finds_pytest_and_plugins, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(asks_scripts_once, set_up, temp_dir_remove),
        cmocka_unit_test_setup_teardown(reports_what_is_no_interpreter, set_up, temp_dir_remove),
    };
    return cmocka_run_group_tests_name("interp", tests, NULL, NULL);
}
