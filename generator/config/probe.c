#include "generator/config/probe.h"

#include "generator/config/ask.h"
#include "generator/config/interp.h"
#include "runtime/base/embed.h"
#include "runtime/base/io.h"
#include "runtime/base/nearest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Environment variables that change what the probe would answer. */
static const char *const variables[] = {
    "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONPATH",
    "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONNOUSERSITE", "PYENV_VERSION", "VIRTUAL_ENV", "HOME"};

static const struct line { const char *key; size_t one, list; } lines[] = {
    {"python", offsetof(struct probe, python), 0},
    {"version", offsetof(struct probe, version), 0},
    {"abi", offsetof(struct probe, abi), 0},
    {"pytest", offsetof(struct probe, pytest), 0},
    {"root", offsetof(struct probe, root), 0},
    {"ini", offsetof(struct probe, ini), 0},
    {"cutdir", offsetof(struct probe, cutdir), 0},
    {"import_mode", offsetof(struct probe, import_mode), 0},
    {"options", offsetof(struct probe, options), 0},
    {"ini_text", offsetof(struct probe, ini_text), 0},
    {"selection", offsetof(struct probe, selection), 0},
    {"noconftest", offsetof(struct probe, noconftest), 0},
    {"in_venv", offsetof(struct probe, in_venv), 0},
    {"doctest_modules", offsetof(struct probe, doctest_modules), 0},
    {"other", offsetof(struct probe, other), 0},
    {"plain", offsetof(struct probe, plain), 0},
    {"arg", 0, offsetof(struct probe, args)},
    {"arg_text", 0, offsetof(struct probe, arg_texts)},
    {"python_files", 0, offsetof(struct probe, python_files)},
    {"norecurse", 0, offsetof(struct probe, norecurse)},
    {"ignore", 0, offsetof(struct probe, ignore)},
    {"ignore_glob", 0, offsetof(struct probe, ignore_glob)},
    {"pythonpath", 0, offsetof(struct probe, pythonpath)},
    {"doctest_glob", 0, offsetof(struct probe, doctest_glob)},
    {"path", 0, offsetof(struct probe, path)},
    {"third", 0, offsetof(struct probe, third)},
    {"editable", 0, offsetof(struct probe, editable)},
    {"dist", 0, offsetof(struct probe, dists)},
    {"plugin", 0, offsetof(struct probe, plugins)},
    {"conftest", 0, offsetof(struct probe, conftests)},
    {"env", 0, offsetof(struct probe, env)},
    {"always", 0, offsetof(struct probe, always)},
    {"data", 0, offsetof(struct probe, data)},
    {"report", 0, offsetof(struct probe, report)},
    {"input", 0, offsetof(struct probe, inputs)},
    {"input_dir", 0, offsetof(struct probe, input_dirs)},
    {"known", 0, offsetof(struct probe, known)},
};

bool probe_is(struct str flag)
{
    return str_eq(flag, STR("1"));
}

/* In place; false for an escape that probe.py does not write. */
static bool unescape(struct str *s)
{
    char *out = (char *)(uintptr_t)s->p;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        char c = s->p[i];
        if (c == '\\') {
            if (++i == s->n)
                return false;
            c = s->p[i] == 't' ? '\t' : s->p[i] == 'n' ? '\n' : s->p[i] == 'r' ? '\r' : s->p[i];
            if (c == s->p[i] && c != '\\')
                return false;
        }
        out[n++] = c;
    }
    s->n = n;
    return true;
}

static void take_line(struct probe *p, struct str key, struct str value)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!str_eq(key, str_z(lines[i].key)))
            continue;
        if (lines[i].list)
            strs_add((struct strs *)(void *)((char *)p + lines[i].list), value);
        else
            *(struct str *)(void *)((char *)p + lines[i].one) = value;
    }
}

bool probe_read_lines(struct probe *p, enum exit_code *code, struct err *err)
{
    struct str rest = {p->file.p, p->file.n}, line, last = STR(""), error = STR("");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].list)
            ((struct strs *)(void *)((char *)p + lines[i].list))->n = 0;
    p->answer = (struct str){arena_dup(&p->arena, rest.p ? rest.p : "", rest.n), rest.n};
    int status = EXIT_INTERNAL;
    while (p->file.n && str_next(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        size_t tab = str_chr(line, '\t');
        struct str key = str_slice(line, 0, tab), value = str_slice(line, tab + 1, line.n);
        if (tab == line.n || !unescape(&value))
            return err_set(err, "%s: its answer about pytest is damaged; run it again", p->chosen);
        if (str_eq(key, STR("code")))
            status = value.n ? value.p[0] - '0' : EXIT_INTERNAL;
        else if (str_eq(key, STR("error")))
            error = value;
        take_line(p, key, value);
        last = key;
    }
    if (error.n) {
        *code = status >= EXIT_PASSED && status <= EXIT_NO_TESTS ? (enum exit_code)status : EXIT_USAGE;
        return err_set(err, "%.*s", (int)error.n, error.p);
    }
    return str_eq(last, STR("end")) && p->root.n > 0 && p->root.p[0] == '/';
}

static bool choose_python(struct probe *p, const struct generate_options *o, struct err *err)
{
    struct buf b = {0};
    bool ok = interp_choose(o->python, o->cwd, &b, err);
    if (ok)
        p->chosen = arena_dup(&p->arena, b.p, b.n);
    buf_release(&b);
    return ok;
}

/* standin.py, then probe.py. */
static const char *script(struct probe *p)
{
    static const char *const parts[] = {"generator/config/standin.py", "generator/config/probe.py"};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct embed_file *f = embed_find(parts[i]);
        buf_z(&b, f ? f->text : "");
    }
    const char *text = arena_dup(&p->arena, b.p ? b.p : "", b.n);
    buf_release(&b);
    return text;
}

static struct hash128 question(struct probe *p, const struct generate_options *o)
{
    struct hasher *h = hasher_new();
    hasher_str(h, str_z(script(p)));
    hasher_str(h, str_z(p->chosen));
    hasher_str(h, str_z(o->cwd));
    for (int i = 0; i < o->n_args; i++)
        hasher_str(h, str_z(o->args[i]));
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        hasher_u64(h, value != NULL);
        hasher_str(h, str_z(value));
    }
    return hasher_done(h);
}

/* Behind pytest's "unrecognized arguments: --workes": the nearest of our options and pytest's. */
static void suggest(const struct probe *p, const struct generate_options *o, struct err *err)
{
    const char *at = strstr(err->msg, "unrecognized arguments: ");
    if (!at)
        return;
    struct str rest = str_z(strchr(at, ':') + 2), word;
    struct buf said = {0};
    rest.n = str_chr(rest, '\n');
    while (str_next(&rest, ' ', &word)) {
        if (!str_starts(word, STR("--")))
            continue;
        struct nearest near = {.word = str_slice(word, 2, str_chr(word, '='))};
        if (o->near_option)
            o->near_option(&near);
        for (size_t i = 0; i < p->known.n; i++)
            nearest_try(&near, p->known.items[i]);
        if (near.best.p)
            buf_printf(&said, "%s--%.*s", said.n ? " " : "\ndid you mean ", (int)near.best.n, near.best.p);
    }
    if (said.n) {
        struct err was = *err;
        err_set(err, "%s%s?", was.msg, said.p);
    }
    buf_release(&said);
}

static bool ask(struct probe *p, const struct generate_options *o, enum exit_code *code,
                struct err *err)
{
    int status = 0;
    char **argv = xmalloc(((size_t)o->n_args + 4) * sizeof *argv);
    argv[0] = (char *)(uintptr_t)p->chosen;
    argv[1] = (char *)(uintptr_t)"-c";
    argv[2] = (char *)(uintptr_t)script(p);
    for (int i = 0; i < o->n_args; i++)
        argv[3 + i] = o->args[i];
    argv[3 + o->n_args] = NULL;
    buf_clear(&p->file);
    *code = EXIT_USAGE;
    bool ok = ask_program(argv, o->cwd, false, &p->file, &status, err);
    free(argv);
    if (!ok)
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && p->file.n == 0)
        return err_set(err, "%s: cannot be started; choose another with --python", p->chosen);
    if (probe_read_lines(p, code, err))
        return true;
    suggest(p, o, err);
    if (!err->msg[0])
        err_set(err, "%s: ended before it told pytest's configuration (status %d); does `%s -m "
                     "pytest --version` work?", p->chosen, status, p->chosen);
    return false;
}

static bool try_cached(struct probe *p, struct str dir)
{
    struct buf state = {0};
    path_join(&state, dir, STR(".fastest"));
    bool ok = io_stat_path(state.p).kind == IO_DIR && probe_cache_load(p, buf_view(&state));
    if (ok && !str_eq(p->root, path_dir(buf_view(&state))))
        ok = false;
    if (ok)
        buf_str(&p->state_dir, buf_view(&state));
    buf_release(&state);
    return ok;
}

/* rootdir is known only when pytest was asked: look at and above cwd and every argument. */
static bool find_cached(struct probe *p, const struct generate_options *o)
{
    if (o->state_dir) {
        if (!probe_cache_load(p, str_z(o->state_dir)))
            return false;
        buf_z(&p->state_dir, o->state_dir);
        return true;
    }
    struct buf start = {0};
    bool found = false;
    for (int i = -1; i < o->n_args && !found; i++) {
        if (i >= 0 && o->args[i][0] == '-')
            continue;
        buf_clear(&start);
        path_join(&start, str_z(o->cwd), str_z(i < 0 ? "." : o->args[i]));
        for (struct str dir = buf_view(&start); dir.n && !found; dir = path_dir(dir))
            found = try_cached(p, dir);
    }
    buf_release(&start);
    return found;
}

static bool make_state_dir(struct probe *p, const struct generate_options *o, enum exit_code *code,
                           struct err *err)
{
    struct err why = {{0}};
    struct buf sub = {0};
    buf_clear(&p->state_dir);
    if (o->state_dir)
        path_join(&p->state_dir, str_z(o->cwd), str_z(o->state_dir));
    else
        path_join(&p->state_dir, p->root, STR(".fastest"));
    static const char *const subs[] = {"b", "m", "probe"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof subs / sizeof *subs; i++) {
        buf_clear(&sub);
        buf_str(&sub, buf_view(&p->state_dir));
        buf_printf(&sub, "/%s", subs[i]);
        ok = io_mkdirs(sub.p, &why) && access(sub.p, W_OK) == 0;
    }
    if (!ok) {
        *code = EXIT_USAGE;
        err_set(err, "%s: cannot be written; put the state elsewhere with --state-dir DIR%s%s",
                p->state_dir.p, why.msg[0] ? ": " : "", why.msg);
    }
    buf_release(&sub);
    return ok;
}

bool probe_run(struct probe *p, const struct generate_options *o, enum exit_code *code,
               struct err *err)
{
    *code = EXIT_USAGE;
    if (!choose_python(p, o, err))
        return false;
    p->key = question(p, o);
    p->cached = find_cached(p, o);
    if (!p->cached && o->asking)
        o->asking(o->asking_ctx, p->chosen);
    if (!p->cached && !ask(p, o, code, err))
        return false;
    if (!make_state_dir(p, o, code, err))
        return false;
    *code = EXIT_INTERNAL;
    return p->cached || probe_cache_save(p, err);
}

void probe_release(struct probe *p)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].list)
            strs_release((struct strs *)(void *)((char *)p + lines[i].list));
    buf_release(&p->state_dir);
    buf_release(&p->file);
    arena_release(&p->arena);
}
