/* Imports to files, on small trees in a temporary directory. */
#include "generator/graph/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char top[] = "/tmp/fastest-test-resolve-XXXXXX";

struct world {
    struct graph graph;
    struct dirs dirs;
    struct index index;
    struct sources sources;
    struct resolver resolver;
    struct arena arena;
};

static struct str in_top(struct world *w, const char *rel)
{
    struct buf b = {0};
    buf_printf(&b, "%s%s%s", top, *rel ? "/" : "", rel);
    struct str s = {arena_dup(&w->arena, b.p, b.n), b.n};
    buf_release(&b);
    return s;
}

static void write_file(struct world *w, const char *rel, const char *text)
{
    struct str path = in_top(w, rel), dir = path_dir(path);
    assert_true(io_mkdirs(arena_dup(&w->arena, dir.p, dir.n), NULL));
    assert_true(io_replace(path.p, str_z(text), NULL));
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->index.keep_lines = true;
    w->sources.index = &w->index;
    w->resolver.graph = &w->graph;
    w->resolver.dirs = &w->dirs;
    w->resolver.sources = &w->sources;
    strcpy(top + strlen(top) - 6, "XXXXXX");
    if (!mkdtemp(top))
        return -1;
    w->resolver.root = in_top(w, "");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];
    resolver_release(&w->resolver);
    graph_release(&w->graph);
    sources_release(&w->sources);
    index_release(&w->index);
    dirs_release(&w->dirs);
    arena_release(&w->arena);
    free(w);
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

static void resolve_from(struct world *w, const char *rel)
{
    resolver_add(&w->resolver, in_top(w, rel));
    resolver_run(&w->resolver);
}

static bool reached(struct world *w, const char *rel)
{
    return map_get(&w->graph.by_path, in_top(w, rel)) != NULL;
}

static void ancestors_run(void **state)
{
    struct world *w = *state;
    write_file(w, "a/__init__.py", "import z\n");
    write_file(w, "a/b/__init__.py", "");
    write_file(w, "a/b/c.py", "");
    write_file(w, "z.py", "");
    write_file(w, "unused.py", "");
    write_file(w, "test_a.py", "import a.b.c\n");
    resolver_root(&w->resolver, in_top(w, ""));
    resolve_from(w, "test_a.py");
    assert_true(reached(w, "a/__init__.py") && reached(w, "a/b/__init__.py"));
    assert_true(reached(w, "a/b/c.py") && reached(w, "z.py"));
    assert_false(reached(w, "unused.py"));
}

static void order_in_one_directory(void **state)
{
    struct world *w = *state;
    write_file(w, "p/__init__.py", "");
    write_file(w, "p.py", "");
    write_file(w, "q.py", "");
    write_file(w, "q/x.py", "");
    write_file(w, "m.py", "");
    write_file(w, "m.abi3.so", "");
    write_file(w, "test_a.py", "import p, q.x, m\n");
    resolver_root(&w->resolver, in_top(w, ""));
    resolve_from(w, "test_a.py");
    assert_true(reached(w, "p/__init__.py") && reached(w, "q.py") && reached(w, "m.abi3.so"));
    assert_false(reached(w, "p.py") || reached(w, "q/x.py"));
    assert_true(reached(w, "m.py"));
}

static void namespace_over_two_roots(void **state)
{
    struct world *w = *state;
    write_file(w, "r1/ns/a.py", "");
    write_file(w, "r2/ns/b.py", "import ns.a\n");
    write_file(w, "test_a.py", "from ns import b\n");
    resolver_root(&w->resolver, in_top(w, "r1"));
    resolver_root(&w->resolver, in_top(w, "r2"));
    resolve_from(w, "test_a.py");
    assert_true(reached(w, "r1/ns/a.py") && reached(w, "r2/ns/b.py"));
}

static void relative_imports(void **state)
{
    struct world *w = *state;
    write_file(w, "t/__init__.py", "");
    write_file(w, "t/util.py", "");
    write_file(w, "t/s/__init__.py", "");
    write_file(w, "t/s/local.py", "");
    write_file(w, "t/s/test_a.py", "from . import local\nfrom ..util import x\n");
    resolve_from(w, "t/s/test_a.py");
    assert_true(reached(w, "t/s/local.py") && reached(w, "t/util.py"));
    assert_true(reached(w, "t/__init__.py"));
}

static void installed_packages_are_not_ours(void **state)
{
    struct world *w = *state;
    write_file(w, "site/numpy/__init__.py", "");
    write_file(w, "site/mine/__init__.py", "import numpy\n");
    write_file(w, "site/mine/tests/test_a.py", "import mine\n");
    strs_add(&w->dirs.third, in_top(w, "site"));
    strs_add(&w->dirs.owned, in_top(w, "site/mine"));
    resolver_root(&w->resolver, in_top(w, "site"));
    resolve_from(w, "site/mine/tests/test_a.py");
    assert_true(reached(w, "site/mine/__init__.py"));
    assert_false(reached(w, "site/numpy/__init__.py"));
}

static void changed_sys_path_searches_everywhere(void **state)
{
    struct world *w = *state;
    write_file(w, "libs/inner.py", "import deeper\n");
    write_file(w, "other/deeper.py", "");
    write_file(w, ".venv/lib/inner.py", "");
    write_file(w, "test_a.py", "import sys\nsys.path.insert(0, x)\nimport inner\n");
    resolver_root(&w->resolver, in_top(w, ""));
    resolve_from(w, "test_a.py");
    assert_true(reached(w, "libs/inner.py") && reached(w, "other/deeper.py"));
    assert_false(reached(w, ".venv/lib/inner.py"));
}

static void computed_names_mean_the_package(void **state)
{
    struct world *w = *state;
    write_file(w, "pl/__init__.py", "import importlib\nimportlib.import_module(name)\n");
    write_file(w, "pl/a.py", "");
    write_file(w, "pl/sub/b.py", "");
    write_file(w, "pl/test_no.py", "");
    write_file(w, "test_a.py", "import pl\n");
    resolver_root(&w->resolver, in_top(w, ""));
    resolve_from(w, "test_a.py");
    assert_true(reached(w, "pl/a.py") && reached(w, "pl/sub/b.py"));
    assert_false(reached(w, "pl/test_no.py"));
}

#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(ancestors_run),
        TREE_TEST(order_in_one_directory),
        TREE_TEST(namespace_over_two_roots),
        TREE_TEST(relative_imports),
        TREE_TEST(installed_packages_are_not_ours),
        TREE_TEST(changed_sys_path_searches_everywhere),
        TREE_TEST(computed_names_mean_the_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
