#include "runtime/report/junit.h"

#include "runtime/report/junit_text.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* libxml2 is loaded when a report is written: with ICU it takes longer to load than a run with nothing to
 * do takes. Its soname changed with 2.14. */
#ifdef __APPLE__
static const char library[] = "libxml2.2.dylib";
#elif LIBXML_VERSION >= 21400
static const char library[] = "libxml2.so.16";
#else
static const char library[] = "libxml2.so.2";
#endif

#define FUNCTIONS(X) \
    X(xmlBufferContent) \
    X(xmlBufferCreateSize) \
    X(xmlBufferEmpty) \
    X(xmlBufferFree) \
    X(xmlBufferLength) \
    X(xmlFreeTextWriter) \
    X(xmlNewTextWriterMemory) \
    X(xmlTextWriterEndDocument) \
    X(xmlTextWriterEndElement) \
    X(xmlTextWriterFlush) \
    X(xmlTextWriterStartDocument) \
    X(xmlTextWriterStartElement) \
    X(xmlTextWriterWriteAttribute) \
    X(xmlTextWriterWriteRawLen) \
    X(xmlTextWriterWriteString)

#define DECLARE(f) __typeof__(f) *f;
static struct { void *handle; FUNCTIONS(DECLARE) } xml; /* filled once, before the first report */
#undef DECLARE

static bool load(void *into, const char *name)
{
    void *symbol = dlsym(xml.handle, name);
    memcpy(into, &symbol, sizeof symbol);
    return symbol != NULL;
}

unsigned junit_library_version(void)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const char *const *text = handle ? dlsym(handle, "xmlParserVersion") : NULL;
    unsigned number = text ? (unsigned)strtoul(*text, NULL, 10) : 0;
    if (handle)
        dlclose(handle);
    return number;
}

static bool load_library(void)
{
    bool ok = xml.handle || (xml.handle = dlopen(library, RTLD_NOW | RTLD_LOCAL));
#define LOAD(f) ok = ok && (xml.f || load(&xml.f, #f));
    FUNCTIONS(LOAD)
#undef LOAD
    return ok;
}

/* One <testcase> while its reports come in. The children go to a text of their own, because the
 * duration, an attribute before them, is known last. */
struct testcase {
    struct buf children;
    double duration_s;
    bool exists;
};

struct sink { /* a writer into memory */
    xmlBufferPtr memory;
    xmlTextWriterPtr writer;
};

struct junit {
    struct junit_options options;
    struct junit_texts texts;
    struct sink sink;   /* for one element at a time */
    struct buf scratch; /* an escaped string */
    struct testcase open;
    struct totals totals; /* only its junit_ fields */
    bool failed;
};

static void write_string(struct junit *j, struct str s)
{
    buf_clear(&j->scratch);
    junit_escape(&j->scratch, s);
    if (j->scratch.n)
        j->failed |= xml.xmlTextWriterWriteString(j->sink.writer, BAD_CAST j->scratch.p) < 0;
}

static void start(struct junit *j, const char *name)
{
    j->failed |= xml.xmlTextWriterStartElement(j->sink.writer, BAD_CAST name) < 0;
}

static void attribute(struct junit *j, const char *name, struct str value)
{
    buf_clear(&j->scratch);
    junit_escape(&j->scratch, value);
    j->failed |= xml.xmlTextWriterWriteAttribute(j->sink.writer, BAD_CAST name,
                                             BAD_CAST(j->scratch.n ? j->scratch.p : "")) < 0;
}

static void attribute_number(struct junit *j, const char *name, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, value);
    attribute(j, name, str_z(text));
}

static void attribute_seconds(struct junit *j, const char *name, double value)
{
    char text[64];
    snprintf(text, sizeof text, "%.3f", value);
    attribute(j, name, str_z(text));
}

/* Text that is XML already; libxml2's lengths are ints. */
static void write_raw(struct junit *j, struct str s)
{
    while (s.n > 0 && !j->failed) {
        size_t n = s.n < INT_MAX / 2 ? s.n : INT_MAX / 2;
        j->failed |= xml.xmlTextWriterWriteRawLen(j->sink.writer, BAD_CAST s.p, (int)n) < 0;
        s = str_slice(s, n, s.n);
    }
}

static void end(struct junit *j)
{
    j->failed |= xml.xmlTextWriterEndElement(j->sink.writer) < 0;
}

/* Moves what the sink holds to out. */
static void drain(struct junit *j, struct buf *out)
{
    j->failed |= xml.xmlTextWriterFlush(j->sink.writer) < 0;
    int n = xml.xmlBufferLength(j->sink.memory);
    if (n > 0)
        buf_add(out, xml.xmlBufferContent(j->sink.memory), (size_t)n);
    xml.xmlBufferEmpty(j->sink.memory);
}

/* The message is shortened and escaped by the caller's rules; the text is the whole report. */
static void add_simple(struct junit *j, const char *tag, struct str message, struct str text)
{
    start(j, tag);
    attribute(j, "message", message);
    write_string(j, text);
    end(j);
    drain(j, &j->open.children);
}

/* str(longrepr) of a failed report. */
static struct str longrepr(const struct report_phase *p)
{
    return str_trim(p->repr);
}

static struct str reason(const struct report_phase *p)
{
    return p->crash.path.p ? p->crash.message : longrepr(p);
}

static void append_failure(struct junit *j, const struct report_phase *p)
{
    struct buf message = {0};
    if (p->xfail.p) {
        j->totals.junit_skipped++;
        add_simple(j, "skipped", STR("xfail-marked test passes unexpectedly"), STR(""));
        return;
    }
    j->totals.junit_failures++;
    junit_shorten(&message, reason(p));
    add_simple(j, "failure", buf_view(&message), longrepr(p));
    buf_release(&message);
}

static void append_error(struct junit *j, const struct report_phase *p)
{
    struct buf whole = {0}, message = {0};
    buf_printf(&whole, "failed on %s with \"", p->when == WHEN_TEARDOWN ? "teardown" : "setup");
    buf_str(&whole, reason(p));
    buf_char(&whole, '"');
    junit_shorten(&message, buf_view(&whole));
    j->totals.junit_errors++;
    add_simple(j, "error", buf_view(&message), longrepr(p));
    buf_release(&whole);
    buf_release(&message);
}

static void write_content(struct junit *j, const char *tag, struct str text)
{
    start(j, tag);
    write_string(j, text);
    end(j);
    drain(j, &j->open.children);
}

/* A header centred in 80 columns of dashes, then the text (_prepare_content). */
static void add_content(struct buf *out, const char *header, const struct report_phase *p,
                        struct str title, struct str separator)
{
    size_t n = strlen(header), left = (80 - n) / 2;
    for (size_t i = 0; i < left; i++)
        buf_char(out, '-');
    buf_z(out, header);
    for (size_t i = left + n; i < 80; i++)
        buf_char(out, '-');
    buf_char(out, '\n');
    junit_captured(out, p, title, separator);
    buf_char(out, '\n');
}

static void write_captured(struct junit *j, const struct report_phase *p)
{
    struct str mode = j->options.logging;
    bool all = str_eq(mode, STR("all")), both = all || str_eq(mode, STR("out-err"));
    struct buf text = {0};
    if (str_eq(mode, STR("no")) || (!j->options.log_passing_tests && p->verdict == PHASE_PASSED))
        return;
    if (all || str_eq(mode, STR("log")))
        add_content(&text, " Captured Log ", p, STR("Captured log"), STR("\n"));
    if (both || str_eq(mode, STR("system-out"))) {
        add_content(&text, " Captured Out ", p, STR("Captured stdout"), STR(""));
        write_content(j, "system-out", buf_view(&text));
        buf_clear(&text);
    }
    if (both || str_eq(mode, STR("system-err"))) {
        add_content(&text, " Captured Err ", p, STR("Captured stderr"), STR(""));
        write_content(j, "system-err", buf_view(&text));
        buf_clear(&text);
    }
    if (text.n)
        write_content(j, "system-out", buf_view(&text));
    buf_release(&text);
}

static struct str without_prefix(struct str s, struct str prefix)
{
    return str_starts(s, prefix) ? str_slice(s, prefix.n, s.n) : s;
}

static void append_skipped(struct junit *j, const struct report_phase *p)
{
    bool xfail = p->xfail.p != NULL;
    struct str why = xfail ? without_prefix(p->xfail, STR("reason: "))
                           : without_prefix(p->skip.message, STR("Skipped: "));
    struct buf details = {0};
    j->totals.junit_skipped++;
    start(j, "skipped");
    attribute(j, "type", xfail ? STR("pytest.xfail") : STR("pytest.skip"));
    attribute(j, "message", why);
    if (!xfail) {
        buf_str(&details, p->skip.path);
        buf_printf(&details, ":%" PRId64 ": ", p->skip.line);
        buf_str(&details, why);
        write_string(j, buf_view(&details));
    }
    end(j);
    drain(j, &j->open.children);
    buf_release(&details);
    if (!xfail)
        write_captured(j, p);
}

/* "AssertionError" of the last place, "path:1: AssertionError", or of "AssertionError: text" */
static struct str exception_of(const struct report_phase *p)
{
    struct str name = str_slice(reason(p), 0, str_chr(reason(p), ':'));
    if (p->n_tb && p->tb[p->n_tb - 1].message.n)
        name = p->tb[p->n_tb - 1].message;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ')
            return STR("failure");
    return name.n ? name : STR("failure");
}

/* Surefire's elements for a run that was not the last (surefire-test-report.xsd): the test was flaky when it
 * passed then. */
static void append_rerun(struct junit *j, const struct report_phase *p, bool flaky)
{
    static const char *const names[2][2] = {{"rerunFailure", "rerunError"}, {"flakyFailure", "flakyError"}};
    struct buf message = {0}, text = {0};
    junit_shorten(&message, reason(p));
    start(j, names[flaky][p->when != WHEN_CALL]);
    attribute(j, "message", buf_view(&message));
    attribute(j, "type", exception_of(p));
    start(j, "stackTrace");
    write_string(j, longrepr(p));
    end(j);
    static const char *const streams[][2] = {{"system-out", "Captured stdout"}, {"system-err", "Captured stderr"}};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&text);
        junit_captured(&text, p, str_z(streams[i][1]), STR(""));
        if (text.n == 0 || str_eq(j->options.logging, STR("no")))
            continue;
        start(j, streams[i][0]);
        write_string(j, buf_view(&text));
        end(j);
    }
    end(j);
    drain(j, &j->open.children);
    buf_release(&message);
    buf_release(&text);
}

/* A name that XML takes for an attribute. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.')))
            return false;
    }
    return s.n > 0;
}

/* What record_xml_attribute was given for it, else otherwise. */
static void own_attribute(struct junit *j, const struct report_result *r, const char *name, struct str otherwise)
{
    struct str value = otherwise;
    for (uint32_t i = 0; r && i < r->n_attrs; i++)
        if (str_eq(r->attrs[i].name, str_z(name)))
            value = r->attrs[i].value;
    attribute(j, name, value);
}

/* Names of a user's own are for xunit1 alone, as in pytest. */
static void other_attributes(struct junit *j, const struct report_result *r)
{
    static const char *const known[] = {"classname", "name", "file", "line", "time"};
    for (uint32_t i = 0; i < r->n_attrs; i++) {
        bool skip = !is_name(r->attrs[i].name);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            skip = skip || str_eq(r->attrs[i].name, str_z(known[k]));
        for (uint32_t k = i + 1; k < r->n_attrs; k++)
            skip = skip || str_eq(r->attrs[i].name, r->attrs[k].name); /* the last counts */
        if (!skip)
            attribute(j, r->attrs[i].name.p, r->attrs[i].value);
    }
}

static void write_suite(struct junit *j, const struct report_result *r)
{
    for (uint32_t i = 0; i < r->n_suite; i++) {
        start(j, "property");
        attribute(j, "name", r->suite[i].name);
        attribute(j, "value", r->suite[i].value);
        end(j);
        drain(j, &j->texts.properties);
        buf_char(&j->texts.properties, '\n');
    }
}

static void write_properties(struct junit *j, const struct report_result *r)
{
    if (r->n_props == 0)
        return;
    start(j, "properties");
    for (uint32_t i = 0; i < r->n_props; i++) {
        start(j, "property");
        attribute(j, "name", r->props[i].name);
        attribute(j, "value", r->props[i].value);
        end(j);
    }
    end(j);
}

static void write_testcase(struct junit *j, const struct report_item *item, const struct report_result *r, struct str classname,
                           struct str name, struct buf *out)
{
    char line[24];
    start(j, "testcase");
    own_attribute(j, r, "classname", classname);
    own_attribute(j, r, "name", name);
    if (j->options.xunit1) {
        own_attribute(j, r, "file", item->file);
        snprintf(line, sizeof line, "%" PRId64, item->line);
        if (item->line >= 0)
            own_attribute(j, r, "line", str_z(line));
        if (r)
            other_attributes(j, r);
    }
    attribute_seconds(j, "time", j->open.duration_s);
    if (r)
        write_properties(j, r);
    write_raw(j, buf_view(&j->open.children));
    end(j);
    drain(j, out);
}

/* Writes the open testcase to out and closes it. */
static void finish(struct junit *j, const struct report_item *item, const struct report_result *r,
                   struct buf *out)
{
    struct buf classname = {0}, name = {0};
    junit_names(item->id, j->options.prefix, &classname, &name);
    struct str file = !j->options.xunit1 ? (struct str){0} : item->file.p ? item->file : STR("");
    bool bare = !j->open.children.n && !(r && (r->n_attrs || r->n_props));
    if (!bare || !junit_bare_testcase(out, buf_view(&classname), buf_view(&name), file, item->line, j->open.duration_s))
        write_testcase(j, item, r, buf_view(&classname), buf_view(&name), out);
    buf_clear(&j->open.children);
    j->open.duration_s = 0;
    j->open.exists = false;
    buf_release(&classname);
    buf_release(&name);
}

void junit_collect(struct junit *j, const struct report_phase *p)
{
    struct report_item item = {.id = p->id, .line = -1};
    item.file = p->id;
    struct buf tuple = {0};
    if (p->verdict == PHASE_FAILED) {
        j->totals.junit_errors++;
        add_simple(j, "error", STR("collection failure"), longrepr(p));
    } else {
        j->totals.junit_skipped++;
        if (p->skip.path.p)
            report_skip_tuple(&p->skip, &tuple);
        add_simple(j, "skipped", STR("collection skipped"),
                   tuple.n ? buf_view(&tuple) : longrepr(p));
    }
    finish(j, &item, NULL, &j->texts.collections);
    buf_release(&tuple);
}

/* LogXML.pytest_runtest_logreport; call_failed says that a failed call waits for its tear-down. */
static void record_phase(struct junit *j, const struct report_test *t, const struct report_phase *p,
                         bool *call_failed)
{
    switch (p->verdict) {
    case PHASE_PASSED:
        j->totals.junit_passed += p->when == WHEN_CALL;
        break;
    case PHASE_FAILED:
        if (p->when == WHEN_TEARDOWN && *call_failed)
            finish(j, t->item, &t->result, &j->texts.tests); /* the error gets a testcase of its own */
        else if (p->when == WHEN_TEARDOWN && j->open.exists)
            j->totals.junit_double++;
        if (p->when == WHEN_CALL) {
            append_failure(j, p);
            *call_failed = true;
            if (!j->options.log_passing_tests)
                write_captured(j, p);
        } else {
            append_error(j, p);
        }
        break;
    case PHASE_SKIPPED:
        append_skipped(j, p);
        break;
    case PHASE_OTHER:
        append_rerun(j, p, report_is_flaky(t));
        break;
    case PHASE_COUNT:
        break;
    }
    j->open.exists = true;
    if (!j->options.call_duration_only || p->when == WHEN_CALL)
        j->open.duration_s += p->duration_s;
    if (p->when == WHEN_TEARDOWN) {
        write_captured(j, p);
        finish(j, t->item, &t->result, &j->texts.tests);
    }
}

void junit_test(struct junit *j, const struct report_test *t)
{
    bool call_failed = false;
    for (uint32_t i = 0; i < t->result.n_phases; i++)
        record_phase(j, t, &t->result.phases[i], &call_failed);
    j->totals.junit_passed += t->result.passed_subtests; /* pytest counts each of them */
    if (j->open.exists) /* no tear-down: the worker died */
        finish(j, t->item, &t->result, &j->texts.tests);
    write_suite(j, &t->result);
}

static void move(struct buf *to, struct buf *from)
{
    buf_str(to, buf_view(from));
    buf_clear(from);
}

void junit_take(struct junit *j, struct junit_texts *texts, struct totals *t)
{
    move(&texts->collections, &j->texts.collections);
    move(&texts->tests, &j->texts.tests);
    move(&texts->properties, &j->texts.properties);
    totals_merge(t, &j->totals);
    j->totals = (struct totals){0};
}

/* ISO 8601 with microseconds and offset, as datetime.isoformat writes it. */
static void timestamp(int64_t ns, struct buf *out)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm = {0};
    char day[64];
    localtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    long offset = tm.tm_gmtoff;
    buf_printf(out, "%s.%06d%c%02ld:%02ld", day, (int)(ns / 1000 % 1000000), offset < 0 ? '-' : '+',
               (offset < 0 ? -offset : offset) / 3600, (offset < 0 ? -offset : offset) / 60 % 60);
}

static void property(struct junit *j, struct str name, uint32_t value)
{
    start(j, "property");
    attribute(j, "name", name);
    attribute_number(j, "value", value);
    end(j);
}

static void suite_attributes(struct junit *j, const struct junit_head *h)
{
    const struct totals *t = h->totals;
    struct buf when = {0};
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    timestamp(h->start_ns, &when);
    attribute(j, "name", j->options.suite_name);
    attribute_number(j, "errors", t->junit_errors);
    attribute_number(j, "failures", t->junit_failures);
    attribute_number(j, "skipped", t->junit_skipped);
    attribute_number(j, "tests",
                     t->junit_passed + t->junit_failures + t->junit_skipped + t->junit_errors -
                         t->junit_double);
    attribute_seconds(j, "time", (double)h->wall_ns / 1e9);
    attribute(j, "timestamp", buf_view(&when));
    attribute(j, "hostname", str_z(host));
    buf_release(&when);
}

void junit_head(struct junit *j, struct buf *out, const struct junit_head *h)
{
    j->failed |= xml.xmlTextWriterStartDocument(j->sink.writer, NULL, "utf-8", NULL) < 0;
    start(j, "testsuites");
    attribute(j, "name", STR("pytest tests"));
    start(j, "testsuite");
    suite_attributes(j, h);
    start(j, "properties");
    property(j, STR("fastest.ran"), h->totals->ran);
    property(j, STR("fastest.cached"), h->totals->cached);
    drain(j, out);
}

void junit_between(struct junit *j, struct buf *out)
{
    end(j); /* of the properties */
    drain(j, out);
}

bool junit_end(struct junit *j, struct buf *out)
{
    j->failed |= xml.xmlTextWriterEndDocument(j->sink.writer) < 0;
    drain(j, out);
    return !j->failed;
}

struct junit *junit_new(const struct junit_options *options)
{
    struct junit *j = xmalloc(sizeof *j);
    if (!load_library()) { /* as when memory runs out: there is no report without it */
        fprintf(stderr, "fastest: %s: cannot be loaded; install libxml2: %s\n", library, dlerror());
        exit(EXIT_INTERNAL);
    }
    *j = (struct junit){.options = *options};
    j->sink.memory = xml.xmlBufferCreateSize(1 << 16);
    j->sink.writer = j->sink.memory ? xml.xmlNewTextWriterMemory(j->sink.memory, 0) : NULL;
    j->failed = !j->sink.writer;
    return j;
}

void junit_free(struct junit *j)
{
    if (!j)
        return;
    xml.xmlFreeTextWriter(j->sink.writer);
    xml.xmlBufferFree(j->sink.memory);
    buf_release(&j->texts.collections);
    buf_release(&j->texts.tests);
    buf_release(&j->texts.properties);
    buf_release(&j->scratch);
    buf_release(&j->open.children);
    free(j);
}
