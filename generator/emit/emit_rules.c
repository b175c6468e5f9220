/* rules.ninja and the build.ninja that `fastest init` writes. See rules/README.md. */
#include "generator/emit/emit_ninja.h"

#include "generator/emit/emit_text.h"
#include "generator/files/pyname.h"

#include <string.h>
#include <unistd.h>

static const char rules[] =
    "rule fastest_scan\n"
    "  command = $fastest_cd$fastest scan $fastest_args\n"
    "  description = fastest: scan\n"
    "  generator = 1\n"
    "  restat = 1\n"
    "rule fastest_batch\n"
    "  command = exec $fastest batch $fastest_state $batch\n"
    "  description = test $batch\n"
    "  depfile = $fastest_dir/b/$batch.d\n"
    "  deps = gcc\n"
    "rule fastest_summary\n"
    "  command = $fastest summary $fastest_state\n"
    "  description = fastest: summary\n"
    "  pool = console\n";

static void put_variable(struct buf *out, const char *name, const struct buf *value)
{
    buf_printf(out, "%s = ", name);
    emit_value(out, buf_view(value));
    buf_char(out, '\n');
}

/* "cd DIR && " from rootdir to where the user called init: relative arguments mean that. */
static void put_scan(struct buf *out, const struct generate_options *o, struct str root)
{
    struct buf args = {0}, cd = {0}, dir = {0};
    for (int i = 0; i < o->n_own_args; i++) {
        if (i)
            buf_char(&args, ' ');
        emit_word(&args, str_z(o->own_args[i]));
    }
    if (!str_eq(str_z(o->cwd), root)) {
        path_relative(&dir, str_z(o->cwd), root);
        buf_z(&cd, "cd ");
        emit_word(&cd, buf_view(&dir));
        buf_z(&cd, " && ");
    }
    put_variable(out, "fastest_args", &args);
    put_variable(out, "fastest_cd", &cd);
    buf_release(&args);
    buf_release(&cd);
    buf_release(&dir);
}

/* Keeps the lines that an earlier init wrote; false when there are none. */
static bool keep_scan(struct buf *out, struct str state_dir)
{
    struct buf path = {0}, old = {0};
    path_join(&path, state_dir, STR("rules.ninja"));
    size_t before = out->n;
    int found = 0;
    if (io_read(path.p, 1 << 20, &old, NULL)) {
        struct str rest = buf_view(&old), line;
        while (str_next(&rest, '\n', &line)) {
            if (!str_starts(line, STR("fastest_args = ")) && !str_starts(line, STR("fastest_cd = ")))
                continue;
            buf_str(out, line);
            buf_char(out, '\n');
            found++;
        }
    }
    if (found != 2)
        out->n = before;
    buf_release(&path);
    buf_release(&old);
    return found == 2;
}

static bool check_names(const struct generate_options *o, struct str state_dir, bool init,
                        struct err *err)
{
    bool ok = emit_can_list(state_dir) || str_chr(state_dir, '\n') == state_dir.n;
    if (!ok)
        return err_set(err, "the state directory's path holds a line break, which Ninja cannot "
                            "write; choose another with --state-dir");
    for (int i = 0; init && i < o->n_own_args; i++)
        if (strchr(o->own_args[i], '\n'))
            return err_set(err, "init: an argument holds a line break, which Ninja cannot write; put "
                                "it in pytest's addopts");
    return true;
}

bool emit_rules(const struct generate_options *o, struct str root, struct str state_dir, bool init,
                struct err *err)
{
    struct buf out = {0}, word = {0};
    if (!check_names(o, state_dir, init, err))
        return false;
    struct str state = pyname_below(state_dir, root);
    emit_word(&word, str_z(o->fastest));
    put_variable(&out, "fastest", &word);
    buf_clear(&word);
    emit_word(&word, state);
    put_variable(&out, "fastest_state", &word);
    buf_clear(&word);
    buf_str(&word, state);
    put_variable(&out, "fastest_dir", &word);
    bool writable = init || check_names(o, state_dir, true, NULL);
    if (init || !keep_scan(&out, state_dir)) {
        struct generate_options none = *o;
        none.n_own_args = writable ? o->n_own_args : 0;
        put_scan(&out, &none, root);
    }
    buf_z(&out, rules);
    bool ok = emit_file(state_dir, "rules.ninja", &out, err);
    buf_release(&out);
    buf_release(&word);
    return ok;
}

static void put_include(struct buf *out, struct str state, const char *file)
{
    buf_z(out, "include ");
    emit_path(out, state, STR(""));
    buf_printf(out, "/%s\n", file);
}

static void put_build_file(struct buf *out, struct str state, bool whole)
{
    struct buf s = {0};
    emit_path(&s, state, STR(""));
    if (whole) {
        buf_z(out, "# Written by `fastest init`; run the tests with `ninja test`.\nbuilddir = ");
        emit_value(out, state);
        buf_char(out, '\n');
    }
    put_include(out, state, "rules.ninja");
    buf_printf(out, "build %s/always: phony\n", s.p);
    buf_printf(out, "build %s/graph.ninja: fastest_scan | %s/always\n", s.p, s.p);
    if (whole)
        buf_printf(out, "build build.ninja: phony %s/graph.ninja\n", s.p);
    put_include(out, state, "graph.ninja");
    buf_printf(out, "build test: phony %s/SUMMARY\n", s.p);
    if (whole)
        buf_z(out, "default test\n");
    buf_release(&s);
}

/* A graph that loads, whatever was there: the first scan writes the real one. */
static bool first_graph(struct str state_dir, struct str state, struct err *err)
{
    struct buf path = {0}, text = {0};
    path_join(&path, state_dir, STR("graph.ninja"));
    buf_z(&text, "build ");
    emit_path(&text, state, STR(""));
    buf_z(&text, "/SUMMARY: fastest_summary\n");
    bool ok = io_replace(path.p, buf_view(&text), err);
    /* Ninja's own files hold nothing that the scan does not know; a damaged one can crash Ninja. */
    static const char *const logs[] = {".ninja_log", ".ninja_deps"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        buf_clear(&path);
        path_join(&path, state_dir, str_z(logs[i]));
        unlink(path.p);
    }
    buf_release(&path);
    buf_release(&text);
    return ok;
}

bool emit_init(struct str root, struct str state_dir, struct err *err)
{
    struct buf path = {0}, text = {0}, old = {0}, include = {0};
    struct str state = pyname_below(state_dir, root);
    bool ok = first_graph(state_dir, state, err);
    path_join(&path, root, STR("build.ninja"));
    put_include(&include, state, "rules.ninja");
    if (ok && io_stat_path(path.p).kind == IO_ABSENT) {
        put_build_file(&text, state, true);
        ok = io_replace(path.p, buf_view(&text), err);
    } else if (ok && io_read(path.p, 0, &old, err)) {
        if (!str_contains(buf_view(&old), buf_view(&include))) {
            put_build_file(&text, state, false);
            ok = err_set(err, "%s: is there already and not ours; add these lines to it:\n%s", path.p,
                         text.p);
        }
    } else {
        ok = false;
    }
    buf_release(&path);
    buf_release(&text);
    buf_release(&old);
    buf_release(&include);
    return ok;
}
