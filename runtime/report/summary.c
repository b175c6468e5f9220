#include "runtime/report/summary.h"

#include "runtime/report/fingerprint.h"
#include "runtime/report/history.h"
#include "runtime/report/json.h"
#include "runtime/report/summary_files.h"
#include "runtime/report/terminal.h"

#include <stdlib.h>

struct summary {
    const struct plan *plan;
    const struct summary_options *o;
    FILE *out;
    struct junit *junit;
    struct junit_options junit_options;
    struct terminal terminal;
    struct part_store store;
    struct part_writer parts;
    struct view *views[VIEW_FORMATS]; /* NULL: not asked for */
    struct totals totals;
    struct buf notes; /* of all parts */
    bool *batch_missing;
    uint32_t n_parts, batches_not_run;
    int64_t wall_ns;
    int refused; /* pytest's exit code when it ended before the tests, else -1 */
    struct buf error; /* its text */
    bool stopped;     /* by -x or --maxfail */
    bool interrupted; /* by collection errors */
    struct history history;
    bool noted;       /* something in it: it is loaded, and is to be saved */
};

/* What a module adds, before it is in the file. */
struct part {
    struct totals totals;
    struct junit_texts junit;
    struct buf collectors, tests, warnings, notes;
};

static struct str state_path(const struct plan *plan, const char *name, struct buf *out)
{
    buf_clear(out);
    buf_str(out, plan->state_dir);
    buf_char(out, '/');
    buf_z(out, name);
    return buf_view(out);
}

static const char *path_or_null(struct arena *a, struct str path)
{
    return path.n ? arena_dup(a, path.p, path.n) : NULL;
}

struct summary_options summary_options_from(const struct plan *plan, struct arena *a)
{
    const struct plan_options *p = &plan->options;
    struct str xml = plan_report(plan, "xmlpath"); /* of addopts */
    struct summary_options o = {.color = p->color,
                                .output = p->output < OUTPUT_NOTHING ? (enum summary_output)p->output : OUTPUT_PRETTY,
                                .junit = path_or_null(a, p->junit.n ? p->junit : xml),
                                .json = path_or_null(a, p->json),
                                .print_failures = true};
    o.view_paths[VIEW_REPORT_LOG] = path_or_null(a, p->report_log);
    o.views[VIEW_REPORT_LOG] = o.view_paths[VIEW_REPORT_LOG] != NULL;
    o.view_paths[VIEW_TRACE] = path_or_null(a, p->trace);
    o.views[VIEW_TRACE] = o.view_paths[VIEW_TRACE] != NULL;
    o.views[VIEW_TAP] = p->tap && !p->tap14;
    o.views[VIEW_TAP14] = p->tap14;
    o.views[VIEW_GITHUB] = p->github;
    o.views[VIEW_TEAMCITY] = p->teamcity;
    if (p->tap || p->tap14) /* nothing else may be in its stream */
        o.output = OUTPUT_NOTHING;
    return o;
}

/* ---- views ---- */

static bool any_view(const struct summary_options *o)
{
    for (int i = 0; i < VIEW_FORMATS; i++)
        if (o->views[i])
            return true;
    return false;
}

static bool make_views(struct summary *s, struct err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < VIEW_FORMATS; i++) {
        struct view_env env = {s->plan, s->o->view_paths[i], s->out, s->o->graph};
        if (s->o->views[i])
            ok = (s->views[i] = view_kind((enum view_format)i)->make(&env, err)) != NULL;
    }
    return ok;
}

static bool end_views(struct summary *s, enum exit_code code, struct err *err)
{
    struct view_end end = {&s->totals, code, s->wall_ns, buf_view(&s->error)};
    bool ok = true;
    for (int i = 0; i < VIEW_FORMATS; i++) {
        if (s->views[i])
            ok = view_kind((enum view_format)i)->end(s->views[i], &end, ok ? err : NULL) && ok;
        s->views[i] = NULL;
    }
    return ok;
}

/* ---- a module ---- */

static void add_collection(struct summary *s, const struct report_phase *p, bool cached, struct part *part)
{
    if (!p)
        return;
    junit_collect(s->junit, p);
    json_collector(&part->collectors, p);
    totals_collect(&part->totals, p, cached);
    terminal_collect(&s->terminal, p);
    for (int i = 0; i < VIEW_FORMATS; i++)
        if (s->views[i] && view_kind((enum view_format)i)->collect)
            view_kind((enum view_format)i)->collect(s->views[i], p, cached);
}

static void add_test(struct summary *s, const struct report_test *t, struct part *part)
{
    junit_test(s->junit, t);
    json_test(&part->tests, t);
    json_warnings(&part->warnings, t->result.warnings, t->result.n_warnings);
    terminal_note(&s->terminal, t->result.warnings, t->result.n_warnings, t->item->id, &part->notes);
    totals_test(&part->totals, t);
    terminal_test(&s->terminal, t);
    for (int i = 0; i < VIEW_FORMATS; i++)
        if (s->views[i])
            view_kind((enum view_format)i)->test(s->views[i], t);
}

static void note_history(struct summary *s, const struct report_module *m, const struct report_test *t)
{
    if (!s->noted)
        history_load(&s->history, s->plan->state_dir);
    s->noted = true;
    history_note(&s->history, m, t);
}

static void add_tests(struct summary *s, const struct report_module *m, uint32_t index, struct part *part)
{
    struct arena a = {0};
    for (uint32_t i = 0; i < m->record.n_results; i++) {
        struct report_test t;
        if (report_test_load(m, i, &a, &t)) {
            if (s->o->notes_history && m->state == MODULE_RAN)
                note_history(s, m, &t);
            t.shown = s->o->live && !t.cached && live_shown(s->o->live, index, m->record.results[i].item, t.outcome);
            add_test(s, &t, part);
        }
        arena_reset(&a);
    }
    arena_release(&a);
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

static void add_part(struct summary *s, struct hash128 identity, const struct totals *totals,
                     const struct str texts[PART_TEXTS])
{
    part_writer_add(&s->parts, identity, totals, texts);
    totals_merge(&s->totals, totals);
    buf_str(&s->notes, texts[PART_NOTES]);
}

static void keep_part(struct summary *s, struct part *part, struct hash128 identity)
{
    struct str texts[PART_TEXTS] = {[PART_COLLECTIONS] = buf_view(&part->junit.collections),
                                    [PART_CASES] = buf_view(&part->junit.tests),
                                    [PART_SUITE] = buf_view(&part->junit.properties),
                                    [PART_COLLECTORS] = buf_view(&part->collectors),
                                    [PART_TESTS] = buf_view(&part->tests),
                                    [PART_WARNINGS] = buf_view(&part->warnings),
                                    [PART_NOTES] = buf_view(&part->notes)};
    add_part(s, identity, &part->totals, texts);
    buf_release(&part->junit.collections);
    buf_release(&part->junit.tests);
    buf_release(&part->junit.properties);
    buf_release(&part->collectors);
    buf_release(&part->tests);
    buf_release(&part->warnings);
    buf_release(&part->notes);
}

/* Reads module i's record and makes its part of every report. */
static void make_part(struct summary *s, uint32_t i, struct hash128 identity)
{
    struct part part = {0};
    struct report_module m;
    report_module_load(&m, s->plan, i);
    for (int k = 0; k < VIEW_FORMATS; k++)
        if (s->views[k] && view_kind((enum view_format)k)->module)
            view_kind((enum view_format)k)->module(s->views[k], &m, i);
    bool cached = m.state == MODULE_CACHED;
    if (m.state == MODULE_NOT_RUN) {
        mark_missing(s, i);
    } else {
        add_collection(s, m.meta.error, cached, &part);
        add_collection(s, m.meta.skip, cached, &part);
        add_tests(s, &m, i, &part);
        junit_take(s->junit, &part.junit, &part.totals);
    }
    keep_part(s, &part, cached ? identity : (struct hash128){0});
    report_module_release(&m);
}

/* The part of the last run. */
static bool take_part(struct summary *s, struct hash128 identity)
{
    struct totals totals;
    struct str texts[PART_TEXTS];
    if (!part_store_find(&s->store, identity, &totals, texts))
        return false;
    add_part(s, identity, &totals, texts);
    return true;
}

/* Parts of modules that did not run are taken from the last run, unless their tests are printed. */
static void collect_parts(struct summary *s)
{
    struct buf path = {0};
    bool reuse = terminal_failures_only(&s->terminal.options) && !any_view(s->o);
    struct hash128 options = fingerprint_options(s->plan);
    if (reuse)
        part_store_load(&s->store, state_path(s->plan, "parts.bin", &path).p);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        bool clean = i < s->plan->n_modules && !s->plan->modules[i].stale;
        struct hash128 identity = {0, 0};
        if (clean)
            identity = fingerprint_part(s->plan, i, options);
        if (!clean || !reuse || !take_part(s, identity))
            make_part(s, i, identity);
    }
    buf_release(&path);
}

/* Warnings of files that belong to no record: of this run's collection. */
static void collect_warnings(struct summary *s)
{
    struct buf text = {0};
    struct arena a = {0};
    struct report_result found;
    struct part part = {0};
    if (plan_marked(s->plan, "warnings", &text) && json_parse_warnings(buf_view(&text), &a, &found)) {
        terminal_note(&s->terminal, found.warnings, found.n_warnings, STR(""), &part.notes);
        json_warnings(&part.warnings, found.warnings, found.n_warnings);
        totals_count(&part.totals, STR("warnings"), found.n_warnings, false);
        keep_part(s, &part, (struct hash128){0});
    }
    buf_release(&text);
    arena_release(&a);
}

/* ---- the end ---- */

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
static void read_refused(struct summary *s)
{
    s->refused = -1;
    if (!plan_marked(s->plan, "error", &s->error))
        return;
    struct str rest = buf_view(&s->error), line;
    long n = s->error.n ? strtol(s->error.p, NULL, 10) : 0;
    s->refused = n > 0 && n < 256 ? (int)n : 0;
    str_next(&rest, '\n', &line);
    struct buf text = {0};
    if (rest.p)
        buf_str(&text, rest);
    buf_release(&s->error);
    s->error = text;
}

static void put_note(const struct summary *s, struct buf *note)
{
    uint32_t n = s->batches_not_run;
    if (s->refused >= 0)
        buf_printf(note,
                   "fastest: pytest ended before the tests ran (exit code %d); its message "
                   "is above, and in %.*s/error",
                   s->refused, (int)s->plan->state_dir.n, s->plan->state_dir.p);
    else if (n > 0 && !s->stopped && !s->interrupted)
        buf_printf(note,
                   "fastest: %u %s no result: the run was interrupted, or a message above "
                   "says why; run it again, only what is missing will run",
                   n, n == 1 ? "batch has" : "batches have");
}

static void print_pretty(struct summary *s)
{
    struct buf note = {0};
    put_note(s, &note);
    terminal_take_notes(&s->terminal, buf_view(&s->notes));
    struct terminal_end end = {.totals = &s->totals,
                               .batches_not_run = s->batches_not_run,
                               .wall_ns = s->wall_ns,
                               .note = buf_view(&note),
                               .junit = str_z(s->o->junit),
                               .stopped = s->stopped,
                               .stopped_why = str_z(s->o->stopped),
                               .interrupted = s->interrupted};
    terminal_print(&s->terminal, &end, s->out);
    buf_release(&note);
}

/* --output count: a name and a number a line, always the same lines. */
static void print_counts(const struct summary *s)
{
    const struct totals *t = &s->totals;
    static const char *const names[] = {"passed", "failed", "error", "skipped", "xfailed", "xpassed", "deselected",
                                        "warnings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct totals_category *c = totals_find(t, names[i]);
        fprintf(s->out, "%s %u\n", names[i], c ? c->n : 0);
    }
    fprintf(s->out, "flaky %u\nran %u\ncached %u\nnot_run %u\n", t->flaky, t->ran, t->cached, t->tests_not_run);
}

/* report.json is there by now. */
static bool print_output(struct summary *s, struct err *err)
{
    struct buf path = {0};
    bool ok = true;
    switch (s->o->output) {
    case OUTPUT_PRETTY:
        print_pretty(s);
        break;
    case OUTPUT_COUNT:
        print_counts(s);
        break;
    case OUTPUT_JSON:
        ok = summary_print(state_path(s->plan, "report.json", &path).p, s->out, err);
        break;
    case OUTPUT_NOTHING:
        break;
    }
    fflush(s->out);
    buf_release(&path);
    return ok;
}

static bool write_reports(struct summary *s, enum exit_code code, struct err *err)
{
    struct buf junit = {0}, json = {0};
    struct junit_head junit_head = {s->plan->scan_start_ns, s->wall_ns, &s->totals};
    struct json_head head = {.created_s = (double)(s->plan->scan_start_ns + s->wall_ns) / 1e9,
                             .duration_s = (double)s->wall_ns / 1e9,
                             .exit_code = (int)code,
                             .root = s->plan->root,
                             .totals = &s->totals};
    state_path(s->plan, "junit.xml", &junit);
    state_path(s->plan, "report.json", &json);
    bool ok = summary_write_junit(&s->parts, s->junit, &junit_head, junit.p, err) &&
              summary_write_json(&s->parts, &head, json.p, err) && summary_copy(junit.p, s->o->junit, err) &&
              summary_copy(json.p, s->o->json, err);
    ok = part_writer_close(&s->parts, ok, ok ? err : NULL) && ok;
    ok = ok && fingerprint_save(s->plan, &s->totals, buf_view(&s->notes), err);
    buf_release(&junit);
    buf_release(&json);
    return ok;
}

/* <state>/took: the nanoseconds of this run, for reports that are made later. */
static int64_t run_took(const struct plan *plan, int64_t wall_ns)
{
    struct buf text = {0};
    if (wall_ns > 0) {
        buf_printf(&text, "%lld\n", (long long)wall_ns);
        plan_mark(plan, "took", buf_view(&text));
    } else if (plan_marked(plan, "took", &text) && text.n) {
        wall_ns = strtoll(text.p, NULL, 10);
    }
    buf_release(&text);
    return wall_ns;
}

static void summary_init(struct summary *s, const struct plan *plan,
                         const struct summary_options *o, FILE *out)
{
    struct terminal_options t = terminal_options_from(plan, out);
    t.color = o->color;
    t.print_failures = o->print_failures;
    *s = (struct summary){.plan = plan, .o = o, .out = out, .n_parts = report_module_count(plan)};
    s->wall_ns = run_took(plan, o->wall_ns);
    read_refused(s);
    s->stopped = plan_marked(plan, "stop", NULL);
    s->interrupted = plan_marked(plan, "interrupted", NULL);
    terminal_init(&s->terminal, &t);
}

static void summary_release(struct summary *s)
{
    junit_free(s->junit);
    terminal_release(&s->terminal);
    part_store_release(&s->store);
    buf_release(&s->error);
    buf_release(&s->notes);
    history_release(&s->history);
    free(s->batch_missing);
}

static bool summary_full(struct summary *s, enum exit_code *code, struct err *err)
{
    struct buf path = {0};
    s->junit_options = junit_options_from(s->plan);
    s->junit = junit_new(&s->junit_options);
    s->batch_missing = xmalloc((size_t)s->plan->n_batches + 1);
    memset(s->batch_missing, 0, (size_t)s->plan->n_batches + 1);
    bool opened = part_writer_open(&s->parts, state_path(s->plan, "parts.bin", &path).p, err);
    bool ok = opened && make_views(s, err);
    buf_release(&path);
    if (opened)
        collect_parts(s);
    if (opened)
        collect_warnings(s);
    *code = exit_code_of(s);
    ok = end_views(s, *code, ok ? err : NULL) && ok;
    if (s->o->output == OUTPUT_PRETTY)
        print_output(s, err); /* whatever becomes of the files */
    if (opened)
        ok = write_reports(s, *code, ok ? err : NULL) && ok;
    return ok && (s->o->output == OUTPUT_PRETTY || print_output(s, err));
}

/* Whether the reports of the last run are those of this one. */
static bool nothing_new(struct summary *s)
{
    return s->refused < 0 && terminal_failures_only(&s->terminal.options) && !any_view(s->o) &&
           fingerprint_holds(s->plan, &s->totals, &s->notes);
}

static bool copy_reports(struct summary *s, struct err *err)
{
    struct buf path = {0};
    bool ok = summary_copy(state_path(s->plan, "junit.xml", &path).p, s->o->junit, err) &&
              summary_copy(state_path(s->plan, "report.json", &path).p, s->o->json, err);
    buf_release(&path);
    return ok;
}

bool summary_run(const struct plan *plan, const struct summary_options *o, FILE *out,
                 enum exit_code *code, struct err *err)
{
    struct summary s;
    bool ok;
    summary_init(&s, plan, o, out);
    if (nothing_new(&s)) {
        *code = exit_code_of(&s);
        ok = print_output(&s, err) && copy_reports(&s, err);
    } else {
        ok = summary_full(&s, code, err);
    }
    if (ok && s.noted)
        ok = history_keep(&s.history, plan->state_dir, err);
    if (ok)
        plan_unmark(plan, "folded");
    if (!ok)
        *code = EXIT_INTERNAL;
    summary_release(&s);
    return ok;
}
