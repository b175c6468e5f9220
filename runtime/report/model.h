/* What the reports are made of: a run's records as plain structs.
 *
 * Calling sequence: struct report_module m; report_module_load(&m, plan, i); for each of its
 * results report_test_load(…) with an arena that is released after it; report_module_release(&m).
 * A view with p == NULL is absent. Strings are NUL-terminated and in the encoding of text.h;
 * they live in the arena they were parsed into. One module at a time is in memory. */
#ifndef FASTEST_REPORT_MODEL_H
#define FASTEST_REPORT_MODEL_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"

enum report_when { WHEN_SETUP, WHEN_CALL, WHEN_TEARDOWN, WHEN_COLLECT, WHEN_COUNT };
enum report_verdict { PHASE_PASSED, PHASE_FAILED, PHASE_SKIPPED, PHASE_OTHER, PHASE_COUNT };

struct report_loc {
    struct str path, message;
    int64_t line;
};

struct report_section {
    struct str title, text;
};

/* One report of pytest's. */
struct report_phase {
    enum report_when when;
    enum report_verdict verdict;
    double duration_s, start_s;
    struct str id;   /* collector's node id, of a failed or skipped collection */
    struct str repr; /* as pytest prints it, with its leading and trailing newlines */
    struct str xfail, sub;
    struct report_loc crash; /* path.p == NULL: none */
    struct report_loc skip;  /* message is the reason */
    struct report_loc *tb;
    struct report_section *sections;
    uint32_t n_tb, n_sections;
};

struct report_prop {
    struct str name, value; /* value as str() gives it */
    struct str json;        /* the value as it was */
};

struct report_count {
    struct str name; /* category of pytest's last line: "passed", "subtests passed" */
    uint32_t n;
};

/* One that pytest has recorded. */
struct report_warning {
    struct str message; /* as pytest's terminal has it: "path:line: category: text" and the source */
    struct str path;
    int64_t line;
    bool of_test; /* while the test ran; false: when its module was imported */
};

struct report_pair {
    struct str name, value;
};

struct report_result {
    struct report_phase *phases;
    struct report_prop *props;
    struct report_count *counts;
    uint32_t n_phases, n_props, n_counts;
    struct report_warning *warnings;
    struct report_pair *attrs;  /* record_xml_attribute */
    struct report_pair *suite;  /* record_testsuite_property, that it was the first to use */
    uint32_t n_warnings, n_attrs, n_suite;
    uint32_t worker;            /* number of the process in its run, 0 = unknown */
    uint32_t passed_subtests; /* which have no phase of their own */
    bool has_counts; /* false: it counts once, as its outcome */
};

struct report_item {
    struct str id, file, name; /* file and name as in pytest's location */
    int64_t line;              /* 0-based, -1 = none */
    struct str *keywords;
    uint32_t n_keywords;
};

struct report_meta {
    struct report_item *items;
    struct report_phase *error, *skip; /* of the collection, or NULL */
    uint32_t n_items;
};

/* One node id with its result. */
struct report_test {
    const struct report_item *item;
    struct report_result result; /* has at least one phase */
    enum record_outcome outcome;
    bool cached;
    bool shown; /* on the terminal, while the tests ran */
    struct str batch;
};

enum report_state {
    MODULE_RAN,    /* in this run */
    MODULE_CACHED, /* the record of an earlier run holds */
    MODULE_NOT_RUN /* should have run, and there is no result of this run */
};

struct report_module {
    enum report_state state;
    struct str batch;
    struct record record;
    struct report_meta meta;
    struct arena arena;
};

/* What pytest counts a phase as: OUT_COUNT = nothing (a passed set-up). */
enum record_outcome report_phase_category(const struct report_phase *p);
/* The outcome as pytest-json-report has it: the last category that is not "passed". */
enum record_outcome report_last_outcome(const struct report_test *t);
/* Why it was skipped or expected to fail, without pytest's "Skipped: " and "reason: ". */
struct str report_reason(const struct report_phase *p);
/* str((path, line, reason)) in Python: what pytest shows as a skip's longrepr. */
void report_skip_tuple(const struct report_loc *skip, struct buf *out);
/* "passed", "failed", "error", … */
struct str report_outcome_name(enum record_outcome o);
const char *report_when_name(enum report_when w);
const char *report_verdict_name(enum report_verdict v); /* as in reports of pytest: "passed", …, "rerun" */
/* It passed, after runs that had failed. */
bool report_is_flaky(const struct report_test *t);
/* All its phases, in seconds. */
double report_seconds(const struct report_test *t);

/* plan.n_modules, and one more when "@other" has a record of its own. */
uint32_t report_module_count(const struct plan *plan);
/* Path of record i (NUL-terminated, appended), the name of its batch. */
void report_record_path(const struct plan *plan, uint32_t i, struct buf *out);
struct str report_batch_name(const struct plan *plan, uint32_t i);
/* Never fails: what cannot be read is MODULE_NOT_RUN. */
void report_module_load(struct report_module *m, const struct plan *plan, uint32_t i);
void report_module_release(struct report_module *m);
/* Result i of the record. False when it names no item. A result whose text cannot be read gets a
 * phase that says so; its outcome is kept. */
bool report_test_load(const struct report_module *m, uint32_t i, struct arena *a,
                      struct report_test *t);

#endif
