#include "runtime/report/summary.h"

#include "runtime/report/fingerprint.h"
#include "runtime/report/json.h"
#include "runtime/report/junit.h"
#include "runtime/report/parts.h"
#include "runtime/report/terminal.h"

#include <stdlib.h>

struct summary {
    const struct plan *plan;
    const struct summary_options *o;
    struct junit *junit;
    struct junit_options junit_options;
    struct terminal terminal;
    struct part_store store;
    struct part *parts; /* one for each record */
    struct arena texts; /* of new parts */
    struct totals totals;
    bool *batch_missing;
    uint32_t n_parts, batches_not_run;
    int refused; /* pytest's exit code when it ended before the tests, else -1 */
    bool new_parts;
    bool stopped;     /* by -x or --maxfail */
    bool interrupted; /* by collection errors */
};

static struct str state_path(const struct plan *plan, const char *name, struct buf *out)
{
    buf_clear(out);
    buf_str(out, plan->state_dir);
    buf_char(out, '/');
    buf_z(out, name);
    return buf_view(out);
}

static struct str keep(struct summary *s, const struct buf *b)
{
    return (struct str){arena_dup(&s->texts, b->p, b->n), b->n};
}

static void add_collection(struct summary *s, const struct report_phase *p, bool cached,
                           struct part *part, struct buf *collectors)
{
    if (!p)
        return;
    junit_collect(s->junit, p);
    json_collector(collectors, p);
    totals_collect(&part->totals, p, cached);
    terminal_collect(&s->terminal, p);
}

static void add_tests(struct summary *s, const struct report_module *m, struct part *part,
                      struct buf *json)
{
    for (uint32_t i = 0; i < m->record.n_results; i++) {
        struct arena a = {0};
        struct report_test t;
        if (report_test_load(m, i, &a, &t)) {
            junit_test(s->junit, &t);
            json_test(json, &t);
            totals_test(&part->totals, &t);
            terminal_test(&s->terminal, &t);
        }
        arena_release(&a);
    }
    uint32_t results = part->totals.ran + part->totals.cached;
    part->totals.items = m->meta.n_items;
    if (m->meta.n_items > results)
        part->totals.tests_not_run = m->meta.n_items - results;
}

static void mark_missing(struct summary *s, uint32_t i)
{
    const struct plan *plan = s->plan;
    uint32_t batch = i < plan->n_modules ? plan->modules[i].batch : plan->n_batches;
    if (batch > plan->n_batches)
        batch = plan->n_batches;
    s->batches_not_run += !s->batch_missing[batch];
    s->batch_missing[batch] = true;
}

/* Reads module i's record and makes its part of every report. */
static void make_part(struct summary *s, uint32_t i, struct hash128 identity)
{
    struct part *part = &s->parts[i];
    struct report_module m;
    struct buf collections = {0}, tests = {0}, collectors = {0}, json = {0};
    report_module_load(&m, s->plan, i);
    if (m.state == MODULE_NOT_RUN) {
        mark_missing(s, i);
    } else {
        bool cached = m.state == MODULE_CACHED;
        add_collection(s, m.meta.error, cached, part, &collectors);
        add_collection(s, m.meta.skip, cached, part, &collectors);
        add_tests(s, &m, part, &json);
        junit_take(s->junit, &collections, &tests, &part->totals);
        part->collections = keep(s, &collections);
        part->tests = keep(s, &tests);
        part->collectors = keep(s, &collectors);
        part->json = keep(s, &json);
        if (cached) {
            part->identity = identity;
            s->new_parts = true;
        }
    }
    report_module_release(&m);
    buf_release(&collections);
    buf_release(&tests);
    buf_release(&collectors);
    buf_release(&json);
}

/* Parts of modules that did not run are taken from the last run, unless their tests are printed. */
static void collect_parts(struct summary *s)
{
    struct buf path = {0};
    bool reuse = terminal_failures_only(&s->terminal.options);
    struct hash128 options = fingerprint_options(s->plan);
    if (reuse)
        part_store_load(&s->store, state_path(s->plan, "parts.bin", &path).p);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        bool clean = i < s->plan->n_modules && !s->plan->modules[i].stale;
        struct hash128 identity = {0, 0};
        if (clean)
            identity = fingerprint_part(s->plan, i, options);
        if (!clean || !reuse || !part_store_find(&s->store, identity, &s->parts[i])) {
            s->parts[i] = (struct part){0};
            make_part(s, i, identity);
        }
        totals_merge(&s->totals, &s->parts[i].totals);
    }
    buf_release(&path);
}

/* pytest 9: Session.wrap_session, pytest_runtestloop (a collection error interrupts, -x fails). */
static enum exit_code exit_code_of(const struct summary *s)
{
    const struct totals *t = &s->totals;
    bool missing = s->batches_not_run > 0 || t->tests_not_run > 0;
    if (s->refused >= 0)
        return s->refused > 0 ? (enum exit_code)s->refused : EXIT_INTERNAL;
    if (s->stopped)
        return EXIT_FAILED;
    if (missing || s->interrupted)
        return EXIT_INTERRUPTED;
    if (t->failed > 0 || t->collect_errors > 0)
        return EXIT_FAILED;
    return t->items == 0 ? EXIT_NO_TESTS : EXIT_PASSED;
}

/* <state>/error is the batch client's: the exit code, a newline, the text it has printed. */
static int read_refused(const struct plan *plan)
{
    struct buf text = {0};
    int code = -1;
    if (plan_marked(plan, "error", &text)) {
        long n = text.n ? strtol(text.p, NULL, 10) : 0;
        code = n > 0 && n < 256 ? (int)n : 0;
    }
    buf_release(&text);
    return code;
}

static void print_report(const struct summary *s, FILE *out)
{
    struct buf note = {0};
    uint32_t n = s->batches_not_run;
    if (s->refused >= 0)
        buf_printf(&note,
                   "fastest: pytest ended before the tests ran (exit code %d); its message "
                   "is above, and in %.*s/error",
                   s->refused, (int)s->plan->state_dir.n, s->plan->state_dir.p);
    else if (n > 0 && !s->stopped && !s->interrupted)
        buf_printf(&note,
                   "fastest: %u %s no result: the run was interrupted, or a message above "
                   "says why; run it again, only what is missing will run",
                   n, n == 1 ? "batch has" : "batches have");
    struct terminal_end end = {.totals = &s->totals,
                               .batches_not_run = n,
                               .wall_ns = s->o->wall_ns,
                               .note = buf_view(&note),
                               .junit = str_z(s->o->junit),
                               .stopped = s->stopped,
                               .stopped_why = str_z(s->o->stopped),
                               .interrupted = s->interrupted};
    terminal_print(&s->terminal, &end, out);
    fflush(out);
    buf_release(&note);
}

/* The texts of all parts in document order. */
static struct str *part_texts(const struct summary *s, size_t field, size_t *n, struct str *into)
{
    for (uint32_t i = 0; i < s->n_parts; i++)
        into[(*n)++] = *(const struct str *)((const char *)&s->parts[i] + field);
    return into;
}

static bool build_junit(struct summary *s, struct buf *out)
{
    size_t n = 0;
    struct str *texts = arena_array(&s->texts, 2 * (size_t)s->n_parts, sizeof *texts);
    struct junit_head head = {s->plan->scan_start_ns, s->o->wall_ns, &s->totals};
    part_texts(s, offsetof(struct part, collections), &n, texts);
    part_texts(s, offsetof(struct part, tests), &n, texts);
    return junit_document(s->junit, out, &head, texts, n);
}

static void build_json(struct summary *s, struct buf *out, enum exit_code code)
{
    size_t n = 0;
    struct str *texts = arena_array(&s->texts, 2 * (size_t)s->n_parts, sizeof *texts);
    struct json_head head = {.created_s = (double)(s->plan->scan_start_ns + s->o->wall_ns) / 1e9,
                             .duration_s = (double)s->o->wall_ns / 1e9,
                             .exit_code = (int)code,
                             .root = s->plan->root,
                             .totals = &s->totals};
    part_texts(s, offsetof(struct part, collectors), &n, texts);
    part_texts(s, offsetof(struct part, json), &n, texts);
    json_document(out, &head, texts, texts + s->n_parts, s->n_parts);
}

static bool write_asked(const char *path, struct str text, struct err *err)
{
    struct buf dir = {0};
    if (!path)
        return true;
    buf_str(&dir, path_dir(str_z(path)));
    bool ok = (dir.n == 0 || io_mkdirs(dir.p, err)) && io_replace_if_changed(path, text, NULL, err);
    buf_release(&dir);
    return ok;
}

static bool write_reports(struct summary *s, enum exit_code code, struct err *err)
{
    struct buf path = {0}, junit = {0}, json = {0};
    bool ok = build_junit(s, &junit) || err_set(err, "junit.xml: libxml2 ran out of memory");
    build_json(s, &json, code);
    ok = ok && io_replace(state_path(s->plan, "junit.xml", &path).p, buf_view(&junit), err) &&
         io_replace(state_path(s->plan, "report.json", &path).p, buf_view(&json), err) &&
         write_asked(s->o->junit, buf_view(&junit), err) &&
         write_asked(s->o->json, buf_view(&json), err);
    if (ok && s->new_parts)
        ok = part_store_save(state_path(s->plan, "parts.bin", &path).p, s->parts, s->n_parts, err);
    ok = ok && fingerprint_save(s->plan, &s->totals, err);
    buf_release(&path);
    buf_release(&junit);
    buf_release(&json);
    return ok;
}

static bool copy_report(const struct plan *plan, const char *name, const char *to, struct err *err)
{
    struct buf path = {0}, text = {0};
    bool ok = !to || (io_read(state_path(plan, name, &path).p, 0, &text, err) &&
                      write_asked(to, buf_view(&text), err));
    buf_release(&path);
    buf_release(&text);
    return ok;
}

static void summary_init(struct summary *s, const struct plan *plan,
                         const struct summary_options *o, FILE *out)
{
    struct terminal_options t = terminal_options_from(plan, out);
    t.color = o->color;
    t.verbosity = o->verbosity;
    t.full_messages = t.full_messages || o->verbosity >= 2;
    t.print_failures = o->print_failures;
    *s = (struct summary){.plan = plan, .o = o, .n_parts = report_module_count(plan)};
    s->refused = read_refused(plan);
    s->stopped = plan_marked(plan, "stop", NULL);
    s->interrupted = plan_marked(plan, "interrupted", NULL);
    terminal_init(&s->terminal, &t);
}

static void summary_release(struct summary *s)
{
    junit_free(s->junit);
    terminal_release(&s->terminal);
    part_store_release(&s->store);
    arena_release(&s->texts);
}

static bool summary_full(struct summary *s, FILE *out, enum exit_code *code, struct err *err)
{
    s->junit_options = junit_options_from(s->plan->args, s->plan->n_args);
    s->junit = junit_new(&s->junit_options);
    s->parts = arena_array(&s->texts, s->n_parts, sizeof *s->parts);
    s->batch_missing = arena_array(&s->texts, (size_t)s->plan->n_batches + 1, sizeof(bool));
    collect_parts(s);
    *code = exit_code_of(s);
    print_report(s, out);
    return write_reports(s, *code, err);
}

bool summary_run(const struct plan *plan, const struct summary_options *o, FILE *out,
                 enum exit_code *code, struct err *err)
{
    struct summary s;
    bool ok;
    summary_init(&s, plan, o, out);
    if (s.refused < 0 && terminal_failures_only(&s.terminal.options) &&
        fingerprint_holds(plan, &s.totals)) {
        *code = exit_code_of(&s);
        print_report(&s, out);
        ok = copy_report(plan, "junit.xml", o->junit, err) &&
             copy_report(plan, "report.json", o->json, err);
    } else {
        ok = summary_full(&s, out, code, err);
    }
    if (!ok)
        *code = EXIT_INTERNAL;
    summary_release(&s);
    return ok;
}
