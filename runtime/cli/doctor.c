/* `fastest doctor`: what is wrong with the environment, and what to do. */
#include "runtime/cli/commands.h"

#include "generator/config/ask.h"
#include "generator/config/interp.h"
#include "generator/files/tree.h"
#include "generator/graph/graph.h"
#include "generator/source/parse_cache.h"
#include "runtime/base/clock.h"
#include "runtime/base/embed.h"
#include "runtime/base/io.h"
#include "runtime/cli/limits.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"
#include "runtime/pool/lock.h"
#include "runtime/pool/pool.h"
#include "runtime/wire/json.h"
#include "runtime/wire/sock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum verdict { FINE, DOUBT, WRONG };

struct doctor {
    struct cli *cli;
    struct buf answer, state_dir; /* of the interpreter; "" until it is known */
    struct buf said;              /* about the thing that is looked at: words, and what to do behind a newline */
    struct arena arena;
    bool python_works;
};

/* ---- what the interpreter says ---- */

static struct str told(const struct doctor *d, const char *key)
{
    struct str rest = buf_view(&d->answer), line, name = str_z(key);
    while (d->answer.n && str_next(&rest, '\n', &line))
        if (str_starts(line, name) && line.n > name.n && line.p[name.n] == '\t')
            return str_slice(line, name.n + 1, line.n);
    return STR("");
}

static bool told_yes(const struct doctor *d, const char *key)
{
    return str_eq(told(d, key), STR("1"));
}

static void say(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct doctor *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&d->said, fmt, ap);
    va_end(ap);
}

static enum verdict check_python(struct doctor *d)
{
    struct buf path = {0};
    struct err err = {{0}};
    int status = 0;
    char option[] = "-c";
    const struct embed_file *script = embed_find("generator/config/doctor.py");
    if (!interp_choose(d->cli->python, d->cli->cwd, &path, &err)) {
        say(d, "%s", err.msg);
        buf_release(&path);
        return WRONG;
    }
    char *argv[] = {path.p, option, (char *)(uintptr_t)(script ? script->text : ""), NULL};
    d->python_works = ask_program(argv, d->cli->cwd, true, &d->answer, &status, &err) && told_yes(d, "end");
    struct str version = told(d, "version"), executable = told(d, "executable");
    enum verdict v = FINE;
    if (!d->python_works) {
        say(d, "%s does not run a script (status %d)\nchoose another with --python PATH, or in [tool.fastest] python", path.p,
            status);
        v = WRONG;
    } else {
        unsigned major = 0, minor = 0;
        sscanf(arena_dup(&d->arena, version.p, version.n), "%u.%u", &major, &minor);
        say(d, "%.*s, %.*s", (int)version.n, version.p, (int)executable.n, executable.p);
        if (major != 3 || minor < 8) {
            say(d, "\nPython 3.8 or newer is needed: choose another with --python PATH");
            v = WRONG;
        } else if (!told_yes(d, "has_fork")) {
            say(d, "\nit cannot fork, which the workers need");
            v = WRONG;
        } else if (!str_eq(told(d, "implementation"), STR("cpython"))) {
            say(d, "\nfastest is developed on CPython; outcomes are pytest's, what has run is told by files only");
            v = DOUBT;
        }
    }
    buf_release(&path);
    return v;
}

static enum verdict check_pytest(struct doctor *d)
{
    struct str version = told(d, "pytest"), error = told(d, "pytest_error"), python = told(d, "executable");
    if (!d->python_works)
        return FINE;
    if (error.n) {
        say(d, "it cannot be imported: %.*s\ninstall it: %.*s -m pip install pytest", (int)error.n, error.p, (int)python.n,
            python.p);
        return WRONG;
    }
    int major = atoi(version.p);
    say(d, "%.*s", (int)version.n, version.p);
    if (major >= 7 && major <= 9)
        return FINE;
    say(d, "\nfastest knows pytest 7 to 9: %.*s -m pip install 'pytest>=7,<10'", (int)python.n, python.p);
    return major < 7 ? WRONG : DOUBT;
}

static enum verdict check_bytecode(struct doctor *d)
{
    if (told_yes(d, "no_bytecode")) {
        say(d, "Python writes none (PYTHONDONTWRITEBYTECODE is set)\nunset it: each process compiles every import anew");
        return DOUBT;
    }
    say(d, "it is kept");
    return FINE;
}

static enum verdict check_tracer(struct doctor *d)
{
    struct str version = told(d, "version"), compiler = told(d, "compiler"), header = told(d, "header");
    unsigned minor = 0;
    if (!d->python_works)
        return FINE;
    sscanf(arena_dup(&d->arena, version.p, version.n), "3.%u", &minor);
    if (minor >= 12) {
        say(d, "sys.monitoring");
        return FINE;
    }
    if (told_yes(d, "has_compiler") && told_yes(d, "has_header")) {
        say(d, "built with %.*s", (int)compiler.n, compiler.p);
        return FINE;
    }
    if (!told_yes(d, "has_compiler"))
        say(d, "there is no C compiler (%.*s)", (int)compiler.n, compiler.p);
    else
        say(d, "there is no %.*s", (int)header.n, header.p);
    say(d, "\ninstall a compiler and Python's headers (gcc, python3-dev): without them a change of a file runs all that loads "
           "it, not only what executes the changed function");
    return DOUBT;
}

/* ---- programs and the system ---- */

static enum verdict check_ninja(struct doctor *d)
{
    struct err err = {{0}};
    struct buf out = {0};
    int status = 0;
    char option[] = "--version";
    char *argv[] = {(char *)(uintptr_t)find_ninja(&d->arena, &err), option, NULL};
    bool ok = argv[0] && ask_program(argv, d->cli->cwd, true, &out, &status, &err) && WIFEXITED(status) && !WEXITSTATUS(status);
    struct str version = str_trim(buf_view(&out));
    if (!argv[0])
        say(d, "%s", err.msg);
    else if (!ok)
        say(d, "%s --version fails (status %d)\ninstall another, or name it with NINJA", argv[0], status);
    else
        say(d, "%.*s, %s", (int)version.n, version.p, argv[0]);
    buf_release(&out);
    return ok ? FINE : WRONG;
}

/* Of a name that no pool has. */
static enum verdict check_sockets(struct doctor *d)
{
    struct buf path = {0}, name = {0};
    struct err err = {{0}};
    buf_printf(&name, "%s/doctor", d->state_dir.p);
    bool ok = sock_path(buf_view(&name), &path, &err);
    buf_release(&name);
    int fd = ok ? sock_listen(path.p, &err) : -1;
    ok = fd >= 0;
    if (ok) {
        close(fd);
        unlink(path.p);
        struct str dir = path_dir(buf_view(&path));
        say(d, "%.*s", (int)dir.n, dir.p);
    } else {
        say(d, "%s", err.msg);
    }
    buf_release(&path);
    return ok ? FINE : WRONG;
}

static enum verdict check_limits(struct doctor *d)
{
    struct rlimit files;
    uint64_t watches = limits_watches();
    struct dirs dirs = {0};
    struct strs found = {0};
    enum verdict v = FINE;
    bool known = getrlimit(RLIMIT_NOFILE, &files) == 0;
    if (d->cli->settings.own.root.n)
        tree_directories(&dirs, d->cli->settings.own.root, &found);
    say(d, "%" PRIu64 " open files, %" PRIu64 " watched directories (here are %zu)",
        known ? (uint64_t)files.rlim_cur : 0, watches, found.n);
    if (known && files.rlim_cur < 256) {
        say(d, "\nraise the limit of open files: ulimit -n 1024");
        v = DOUBT;
    }
    if (watches && watches < found.n + 64) {
        say(d, "\nfastest watch needs more: sysctl fs.inotify.max_user_watches=524288");
        v = DOUBT;
    }
    strs_release(&found);
    dirs_release(&dirs);
    return v;
}

/* ---- directories ---- */

static bool is_writable(const char *dir, struct err *err)
{
    struct buf path = {0};
    buf_printf(&path, "%s/doctor", dir);
    bool ok = io_mkdirs(dir, err) && io_replace(path.p, STR("x"), err);
    unlink(path.p);
    buf_release(&path);
    return ok;
}

static enum verdict check_state(struct doctor *d)
{
    struct err err = {{0}};
    if (!is_writable(d->state_dir.p, &err)) {
        say(d, "%s\nput the state elsewhere: --state-dir DIR, or FASTEST_STATE_DIR", err.msg);
        return WRONG;
    }
    say(d, "%s", d->state_dir.p);
    return FINE;
}

static enum verdict check_cache(struct doctor *d)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct parse_cache_stats s;
    struct err err = {{0}};
    parse_cache_stats(c, &s);
    struct str dir = path_dir(s.path);
    const char *name = arena_dup(&d->arena, dir.p ? dir.p : "", dir.n);
    bool ok = s.path.n && is_writable(name, &err);
    if (ok)
        say(d, "%s, %" PRIu64 " of %" PRIu64 " MiB", name, s.size_bytes >> 20, s.limit_bytes >> 20);
    else
        say(d, "%s\nnothing is shared between checkouts: name a directory with FASTEST_CACHE_DIR",
            s.path.n ? err.msg : "there is no place for it (HOME is not set)");
    parse_cache_close(c, NULL);
    return ok ? FINE : DOUBT;
}

/* The mtimes of files that are written now, against the clock: make-like tools compare the two. */
static enum verdict check_clock(struct doctor *d)
{
    struct buf path = {0};
    buf_printf(&path, "%s/doctor", d->state_dir.p);
    int64_t before = clock_wall_ns();
    bool ok = io_replace(path.p, STR("x"), NULL);
    int64_t mtime = io_stat_path(path.p).mtime_ns, after = clock_wall_ns(), second = INT64_C(1000000000);
    unlink(path.p);
    buf_release(&path);
    if (!ok)
        return FINE; /* said elsewhere */
    int64_t off = mtime < before - second ? before - mtime : mtime > after ? mtime - after : 0;
    if (off > second / 10) {
        say(d, "files are dated %.1f s beside this machine's clock\nset the clock of the machine that has the files: an edit may "
               "be taken for an old one", (double)off / 1e9);
        return DOUBT;
    }
    if (mtime % second == 0) {
        say(d, "mtimes seem to have whole seconds only\ntwo edits in one second are told apart by size and ctime alone");
        return DOUBT;
    }
    say(d, "files are dated by this machine's");
    return FINE;
}

/* ---- the project ---- */

struct project {
    uint32_t modules, stale;
    struct str plain;
    bool other;
    struct arena *arena;
};

static bool look(void *ctx, const struct look *l, struct err *err)
{
    struct project *p = ctx;
    (void)err;
    p->modules = l->plan->n_modules;
    p->other = l->plan->other;
    p->plain = (struct str){arena_dup(p->arena, l->plain.p ? l->plain.p : "", l->plain.n), l->plain.n};
    for (uint32_t i = 0; i < p->modules; i++)
        p->stale += l->plan->modules[i].stale;
    return true;
}

static enum verdict check_project(struct doctor *d)
{
    struct project p = {.arena = &d->arena};
    struct generate_options o = cli_generate_options(d->cli);
    enum exit_code code;
    struct err err = {{0}};
    if (!d->python_works || told(d, "pytest_error").n)
        return FINE;
    if (!generate_look(&o, look, &p, &code, &err)) {
        say(d, "%s", err.msg);
        return WRONG;
    }
    say(d, "%u modules, %u of them would run", p.modules, p.stale);
    const char *plain = p.plain.n ? p.plain.p : d->cli->plain;
    if (plain) {
        say(d, "\n%s, which the configuration sets, leaves every run to plain pytest: take it out of addopts", plain);
        return DOUBT;
    }
    if (p.other) {
        say(d, "\na plugin or conftest collects what is no module (pytest_collect_file): that runs every time");
        return DOUBT;
    }
    if (!p.modules) {
        say(d, "\npytest would collect none: see python_files and testpaths");
        return DOUBT;
    }
    return FINE;
}

/* Why the last session could not be forked, as the pool's log has it. */
static struct str last_reason(struct doctor *d)
{
    struct buf path = {0}, text = {0}, reason = {0};
    struct str rest, line, found = STR("");
    buf_printf(&path, "%s/pool.log", d->state_dir.p);
    io_read(path.p, 64 << 20, &text, NULL);
    rest = buf_view(&text);
    while (text.n && str_next(&rest, '\n', &line)) {
        if (!str_starts(line, STR("pool: collected ")))
            continue;
        size_t at = str_chr(line, '{');
        struct json j = json_of(str_slice(line, at, line.n));
        buf_clear(&path);
        buf_clear(&reason);
        for (bool more = json_enter(&j, '{'); more && json_key(&j, &path);)
            more = str_eq(buf_view(&path), STR("text")) ? json_string(&j, &reason) : json_skip(&j);
        found = (struct str){arena_dup(&d->arena, reason.p ? reason.p : "", reason.n), reason.n};
    }
    buf_release(&path);
    buf_release(&text);
    buf_release(&reason);
    return found;
}

static enum verdict check_pool(struct doctor *d)
{
    struct buf status = {0};
    bool runs = pool_status(d->state_dir.p, &status);
    pid_t holder = lock_holder(buf_view(&d->state_dir));
    struct str reason = last_reason(d);
    enum verdict v = FINE;
    if (runs)
        say(d, "%s", status.p);
    else if (holder) {
        say(d, "process %ld holds %s/pool.lock, and does not answer\nend it: kill %ld", (long)holder, d->state_dir.p, (long)holder);
        v = WRONG;
    } else
        say(d, "none runs");
    if (reason.n) {
        say(d, "\nthe last run had one process only: %.*s; start such things in a fixture, not at import",
            (int)reason.n, reason.p);
        v = v == WRONG ? WRONG : DOUBT;
    }
    buf_release(&status);
    return v;
}

/* ---- all of them ---- */

static const struct check {
    const char *name;
    enum verdict (*run)(struct doctor *d);
} checks[] = {
    {"python", check_python},   {"pytest", check_pytest}, {"bytecode", check_bytecode}, {"tracer", check_tracer},
    {"ninja", check_ninja},     {"state", check_state},   {"cache", check_cache},       {"clock", check_clock},
    {"sockets", check_sockets}, {"pool", check_pool},     {"limits", check_limits},     {"project", check_project},
};

static const char *const verdicts[] = {[FINE] = "ok", [DOUBT] = "warning", [WRONG] = "error"};

static void print_finding(const struct doctor *d, const char *name, enum verdict v, bool first, struct buf *out)
{
    struct str said = buf_view(&d->said), words;
    if (d->cli->as_json) {
        size_t nl = str_chr(said, '\n');
        buf_printf(out, "%s\n {\"name\": \"%s\", \"verdict\": \"%s\", \"finding\": ", first ? "" : ",", name, verdicts[v]);
        json_quote(out, str_slice(said, 0, nl));
        buf_z(out, ", \"remedy\": ");
        json_quote(out, str_slice(said, nl + 1, said.n));
        buf_char(out, '}');
        return;
    }
    for (bool head = true; str_next(&said, '\n', &words); head = false)
        buf_printf(out, "%-8s %-10s%.*s\n", head ? verdicts[v] : "", head ? name : "", (int)words.n, words.p);
}

static void find_state_dir(struct doctor *d)
{
    if (d->cli->state_dir)
        buf_z(&d->state_dir, d->cli->state_dir);
    else
        path_join(&d->state_dir, d->cli->settings.own.root.n ? d->cli->settings.own.root : str_z(d->cli->cwd), STR(".fastest"));
}

bool command_doctor(struct cli *c, enum exit_code *code, struct err *err)
{
    struct doctor d = {.cli = c};
    struct buf out = {0};
    size_t counts[3] = {0}, n = sizeof checks / sizeof *checks;
    find_state_dir(&d);
    buf_z(&out, c->as_json ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        buf_clear(&d.said);
        enum verdict v = checks[i].run(&d);
        counts[v]++;
        if (d.said.n)
            print_finding(&d, checks[i].name, v, i == 0, &out);
    }
    if (c->as_json)
        buf_z(&out, "\n]\n");
    else
        buf_printf(&out, "\n%zu errors, %zu warnings\n", counts[WRONG], counts[DOUBT]);
    bool ok = io_write_all(STDOUT_FILENO, out.p, out.n) || err_errno(err, "cannot write");
    *code = counts[WRONG] ? EXIT_FAILED : EXIT_PASSED;
    buf_release(&out);
    buf_release(&d.said);
    buf_release(&d.answer);
    buf_release(&d.state_dir);
    arena_release(&d.arena);
    return ok;
}
