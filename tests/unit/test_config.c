/* Rootdir, ini files and options. With `--print DIR ARGS…` it prints what it read in the format of
 * probe.py: test_config_parity.py compares the two. */
#include "tests/unit/unit.h"

#include "generator/config/config.h"
#include "generator/config/config_paths.h"
#include "generator/config/ini.h"
#include "generator/config/toml.h"
#include "runtime/base/io.h"

#include <sys/stat.h>

static void put(const char *key, struct str value)
{
    printf("%s\t", key);
    for (size_t i = 0; i < value.n; i++) {
        const char *hit = strchr("\\\\\tt\nn\rr", value.p[i]);
        if (value.p[i] && strchr("\\\t\n\r", value.p[i]))
            printf("\\%c", hit[1]);
        else
            putchar(value.p[i]);
    }
    putchar('\n');
}

static void put_all(const char *key, const struct strs *l)
{
    for (size_t i = 0; i < l->n; i++)
        put(key, l->items[i]);
}

static void print_config(const struct config *c)
{
    const struct probe *p = &c->probe;
    put("python", p->python);
    put("pytest", p->pytest);
    put("root", p->root);
    put("ini", p->ini);
    put("cutdir", p->cutdir);
    put("noconftest", p->noconftest);
    put("in_venv", p->in_venv);
    put("import_mode", p->import_mode);
    put("doctest_modules", p->doctest_modules);
    put("keyword", c->keyword);
    put("markexpr", c->markexpr);
    put_all("python_files", &p->python_files);
    put_all("python_classes", &c->python_classes);
    put_all("python_functions", &c->python_functions);
    put_all("norecurse", &p->norecurse);
    put_all("doctest_glob", &p->doctest_glob);
    put_all("ignore", &p->ignore);
    put_all("ignore_glob", &p->ignore_glob);
    put_all("pythonpath", &p->pythonpath);
    put_all("arg", &p->args);
    put_all("arg_text", &p->arg_texts);
    put_all("deselect", &c->deselect);
    put_all("path", &p->path);
    put_all("third", &p->third);
    put_all("markers", &c->markers);
    put_all("entry_point", &c->interp.plugins);
    put_all("unknown", &c->unknown);
    put("parser", c->parser);
}

static int print_mode(int argc, char **argv)
{
    struct config c;
    struct err err = {{0}};
    enum exit_code code;
    const char *python = getenv("CONFIG_PYTHON");
    struct generate_options o = {.python = python, .cwd = argv[2], .args = argv + 3, .n_args = argc - 3};
    int rounds = getenv("CONFIG_ROUNDS") ? atoi(getenv("CONFIG_ROUNDS")) : 1;
    for (int i = 0; i < rounds; i++) {
        bool ok = config_read(&c, &o, &code, &err);
        if (i == rounds - 1 && ok)
            print_config(&c);
        else if (!ok)
            printf("code\t%d\n", (int)code), put("error", str_z(err.msg));
        config_release(&c);
    }
    put("end", STR("1"));
    return 0;
}

static void write_file(void **state, const char *name, const char *text)
{
    struct err err;
    char *path = temp_path(state, name), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(io_mkdirs(path, &err));
    *slash = '/';
    assert_true(io_replace(path, str_z(text), &err));
    free(path);
}

/* A virtual environment with one distribution: pytest. */
static char *fake_python(void **state, const char *version)
{
    char name[200];
    write_file(state, "base/bin/python3.11", "\177ELF");
    write_file(state, "base/lib/python3.11/os.py", "");
    write_file(state, "venv/bin/python", "\177ELF");
    write_file(state, "venv/lib/python3.11/site-packages/x.py", "");
    snprintf(name, sizeof name, "home = %s/base/bin\nversion = 3.11.7\n", (char *)*state);
    write_file(state, "venv/pyvenv.cfg", name);
    snprintf(name, sizeof name, "venv/lib/python3.11/site-packages/pytest-%s.dist-info/METADATA", version);
    write_file(state, name, "");
    char *python = temp_path(state, "venv/bin/python");
    chmod(python, 0755);
    return python;
}

static bool read_in(void **state, const char *version, const char *sub, const char *const *args,
                    struct config *c, struct err *err)
{
    char *argv[16], *python = fake_python(state, version), *cwd = temp_path(state, sub);
    int n = 0;
    for (; args && args[n]; n++)
        argv[n] = (char *)(uintptr_t)args[n];
    struct generate_options o = {.python = python, .cwd = cwd, .args = argv, .n_args = n};
    enum exit_code code = EXIT_PASSED;
    unsetenv("PYTEST_ADDOPTS");
    unsetenv("PYTHONPATH");
    bool ok = config_read(c, &o, &code, err);
    assert_int_equal(code, ok ? EXIT_PASSED : EXIT_USAGE);
    free(python);
    free(cwd);
    return ok;
}

static void reads_ini(void **state)
{
    (void)state;
    struct ini ini = {0};
    struct arena a = {0};
    struct err err;
    assert_true(ini_parse(&ini, STR("p"), STR("\xef\xbb\xbf[a]\nx = 1\n  2 # kept\n; gone\n y: 3\r\n[b]#c\nz:=4"),
                          &a, &err));
    assert_true(ini_has(&ini, STR("a")) && ini_has(&ini, STR("b")) && !ini_has(&ini, STR("c")));
    assert_int_equal(ini.n, 4);
    assert_str(ini.items[1].value, "1\n2 # kept\ny: 3");
    assert_str(ini.items[3].name, "z");
    assert_str(ini.items[3].value, "=4");
    ini_release(&ini);
    static const struct { const char *text, *why; } bad[] = {
        {"a = 1", "p:1: no section header defined"},    {"[a]\nb", "p:2: unexpected line: 'b'"},
        {"[a]\n b", "p:2: unexpected value continuation"}, {"[]", "p:1: empty section name"},
        {"[a]\n[a]", "p:2: duplicate section 'a'"},     {"[a]\nx=1\nx=2", "p:3: duplicate name 'x'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(ini_parse(&ini, STR("p"), str_z(bad[i].text), &a, &err));
        assert_string_equal(err.msg, bad[i].why);
        ini_release(&ini);
    }
    arena_release(&a);
}

static void splits_words(void **state)
{
    (void)state;
    struct strs out = {0};
    struct arena a = {0};
    struct err err;
    assert_true(ini_shlex(STR("a 'b c' \"d\\\"\\e\" f\\ g '' h'i'"), &a, &out, &err));
    assert_int_equal(out.n, 6);
    assert_str(out.items[1], "b c");
    assert_str(out.items[2], "d\"\\e");
    assert_str(out.items[3], "f g");
    assert_str(out.items[4], "");
    assert_str(out.items[5], "hi");
    assert_false(ini_shlex(STR("'a"), &a, &out, &err));
    assert_string_equal(err.msg, "No closing quotation");
    assert_false(ini_shlex(STR("a\\"), &a, &out, &err));
    assert_string_equal(err.msg, "No escaped character");
    strs_release(&out);
    arena_release(&a);
}

static void reads_toml(void **state)
{
    (void)state;
    struct toml_value root;
    struct arena a = {0};
    struct err err;
    assert_true(toml_parse(&root, STR("p"), STR("a.b = \"x\\u00e9\\n\"\n[t]\nl = ['''\nq''', 2, true, [1.5]]\n"
                                                "[[t.u]]\nv = 1\n[[t.u]]\nv = {w = \"\"\"a\\\n   b\"\"\"}\n"),
                           &a, &err));
    assert_str(toml_get(toml_get(&root, STR("a")), STR("b"))->text, "x\xc3\xa9\n");
    const struct toml_value *t = toml_get(&root, STR("t")), *l = toml_get(t, STR("l"));
    assert_int_equal(l->type, TOML_ARRAY);
    assert_str(l->first->text, "q");
    assert_int_equal(l->first->next->type, TOML_INT);
    assert_int_equal(l->first->next->next->type, TOML_BOOL);
    assert_int_equal(l->last->first->type, TOML_FLOAT);
    const struct toml_value *u = toml_get(t, STR("u"));
    assert_int_equal(u->type, TOML_ARRAY);
    assert_str(toml_get(toml_get(u->last, STR("v")), STR("w"))->text, "ab");
    static const char *const bad[] = {"a = ", "a", "[a", "a = 'b", "a = 1\na = 2", "[a]\n[a]", "a = \"\\q\"",
                                      "a = 1\n[a]", "a = {b = 1}\n[a.c]", "= 1", "a = [1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err.msg[0] = '\0';
        assert_false(toml_parse(&root, STR("p"), str_z(bad[i]), &a, &err));
        assert_true(strncmp(err.msg, "p: ", 3) == 0 && strstr(err.msg, "(at line "));
    }
    arena_release(&a);
}

static void cuts_tables(void **state)
{
    (void)state;
    static const struct { const char *text, *want; } cases[] = {
        {"[a]\nx = 1\n[tool.pytest]\ny = [\n 2,\n]\n[b]\n", "\n\n[tool.pytest]\ny = [\n 2,\n]\n\n"},
        {"a = '''\n[tool.pytest]\n'''\n[tool.fastest.x]\n", "\n\n\n[tool.fastest.x]\n"},
        {"[\"tool\".'pytest']", "[\"tool\".'pytest']"},
        {"x = {a = 1, b = [1, {c = 2}]} # x\n", "\n"},
        {"[tool]\n", NULL},            {"tool.pytest.a = 1\n", NULL}, {"a = 'x\n", NULL},
        {"[a]\nb = hello\n", NULL},    {"[\"to\\u006fl\".pytest]\n", NULL}, {"a = [1\n[b]\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        bool sure = toml_scan(str_z(cases[i].text), &b);
        assert_int_equal(sure, cases[i].want != NULL);
        if (sure)
            assert_string_equal(b.p ? b.p : "", cases[i].want);
        buf_release(&b);
    }
}

static void finds_root_and_values(void **state)
{
    struct config c;
    struct err err = {{0}};
    static const char *const args[] = {"-k",  "a b", "--unheard", "gone", "-n2", "sub/t.py::A::b",
                                       "-qq", "-xm", "c",         NULL};
    write_file(state, "p/pyproject.toml",
               "[tool.fastest]\nparser = \"regex\"\nenv = ['A']\n[tool.pytest.ini_options]\n"
               "addopts = '-v --deselect x::y -p no:foo'\npython_classes = ['Check']\nmarkers = ['slow: x']\n"
               "empty_parameter_set_mark = 'xfail'\n");
    write_file(state, "p/sub/t.py", "");
    assert_true(read_in(state, "8.3.1", "p", args, &c, &err));
    assert_str(path_base(c.probe.root), "p");
    assert_str(path_base(c.probe.ini), "pyproject.toml");
    assert_str(c.probe.pytest, "8.3.1");
    assert_str(c.probe.version, "3.11.7");
    assert_int_equal(c.probe.args.n, 1);
    assert_true(str_ends(c.probe.args.items[0], STR("/p/sub/t.py")));
    assert_str(c.probe.arg_texts.items[0], "sub/t.py::A::b");
    assert_str(c.node_args.items[0], "A::b");
    assert_str(c.keyword, "a b");
    assert_str(c.markexpr, "c");
    assert_int_equal(c.verbosity, -1);
    assert_str(c.deselect.items[0], "x::y");
    assert_str(c.plugins.items[0], "no:foo");
    assert_int_equal(c.unknown.n, 1);
    assert_str(c.unknown.items[0], "--unheard");
    assert_str(c.python_classes.items[0], "Check");
    assert_str(c.python_functions.items[0], "test");
    assert_str(c.markers.items[0], "slow: x");
    assert_str(c.empty_mark, "xfail");
    assert_str(c.parser, "regex");
    assert_str(c.probe.env.items[0], "A");
    config_release(&c);
}

static void reads_what_the_version_knows(void **state)
{
    struct config c;
    struct err err = {{0}};
    write_file(state, "p/pytest.toml", "[pytest]\nstrict = true\n");
    write_file(state, "p/tox.ini", "[pytest]\n");
    assert_true(read_in(state, "9.0.1", "p", NULL, &c, &err));
    assert_str(path_base(c.probe.ini), "pytest.toml");
    assert_true(c.strict_parametrization_ids);
    config_release(&c);
    assert_int_equal(temp_dir_remove(state), 0);
    assert_int_equal(temp_dir_new(state), 0);
    write_file(state, "p/pytest.toml", "[pytest]\nstrict = true\n");
    write_file(state, "p/tox.ini", "[pytest]\n");
    assert_true(read_in(state, "8.4.2", "p", NULL, &c, &err));
    assert_str(path_base(c.probe.ini), "tox.ini");
    assert_false(c.strict_parametrization_ids);
    config_release(&c);
}

static void names_the_line(void **state)
{
    struct config c;
    struct err err = {{0}};
    write_file(state, "p/pytest.ini", "[pytest]\n\nwhat\n");
    assert_false(read_in(state, "9.2.0", "p", NULL, &c, &err));
    assert_non_null(strstr(err.msg, "/p/pytest.ini:3: unexpected line: 'what'"));
    config_release(&c);
    write_file(state, "p/pytest.ini", "[pytest]\naddopts = 'x\n");
    assert_false(read_in(state, "9.2.0", "p", NULL, &c, &err));
    assert_non_null(strstr(err.msg, "/p/pytest.ini: addopts: No closing quotation"));
    config_release(&c);
}

static void globs(void **state)
{
    struct strs out = {0};
    struct arena a = {0};
    write_file(state, "a1/t.py", "");
    write_file(state, "a2/b/t.py", "");
    write_file(state, ".h/t.py", "");
    static const struct { const char *pattern, *want; } cases[] = {
        {"a*", "a1 a2"}, {"*/t.py", "a1/t.py"}, {"**/t.py", "a1/t.py a2/b/t.py"}, {"a2/**", "a2/ a2/b a2/b/t.py"},
        {"gone", ""},    {"a1", "a1"},          {"a1/", "a1/"},                   {"a[!1]/", "a2/"},
        {".*", ".h"},    {"a1/t.py/", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        out.n = 0;
        config_glob(str_z(cases[i].pattern), str_z(*state), &a, &out);
        for (size_t k = 0; k < out.n; k++)
            buf_printf(&b, "%s%.*s", k ? " " : "", (int)out.items[k].n, out.items[k].p);
        assert_string_equal(b.p ? b.p : "", cases[i].want);
        buf_release(&b);
    }
    strs_release(&out);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ini),
        cmocka_unit_test(splits_words),
        cmocka_unit_test(reads_toml),
        cmocka_unit_test(cuts_tables),
        cmocka_unit_test_setup_teardown(finds_root_and_values, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(reads_what_the_version_knows, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(names_the_line, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(globs, temp_dir_new, temp_dir_remove),
    };
    if (argc >= 3 && strcmp(argv[1], "--print") == 0)
        return print_mode(argc, argv);
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
