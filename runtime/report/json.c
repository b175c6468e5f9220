#include "runtime/report/json.h"

#include "runtime/report/log.h"
#include "runtime/report/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The code unit of "\uXXXX" at p, -1 when there is none. */
static int32_t code_unit(const char *p, size_t n)
{
    if (n < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int32_t c = 0;
    for (int i = 2; i < 6; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        c = c << 4 | d;
    }
    return c;
}

static void put_unpaired(struct buf *out, int32_t c)
{
    if (c == 0) {
        buf_add(out, "\xC0\x80", 2);
    } else if (c >= 0xDC80 && c <= 0xDCFF) {
        buf_char(out, (char)(c - 0xDC00));
    } else {
        buf_char(out, (char)(0xE0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* cJSON refuses lone surrogates and ends strings at \u0000: both become bytes of text.h's
 * encoding. False when the text has none, which is nearly always. */
static bool replace_unpaired(struct str json, struct buf *out)
{
    size_t done = 0;
    for (size_t i = 0; i + 1 < json.n; i++) {
        if (json.p[i] != '\\')
            continue;
        int32_t c = code_unit(json.p + i, json.n - i);
        int32_t next = c >= 0xD800 && c <= 0xDBFF ? code_unit(json.p + i + 6, json.n - i - 6) : -1;
        if (next >= 0xDC00 && next <= 0xDFFF) {
            i += 11;
        } else if (c == 0 || (c >= 0xD800 && c <= 0xDFFF)) {
            buf_add(out, json.p + done, i - done);
            put_unpaired(out, c);
            done = i + 6;
            i += 5;
        } else {
            i++;
        }
    }
    if (done > 0)
        buf_add(out, json.p + done, json.n - done);
    return done > 0;
}

static cJSON *parse(struct str json)
{
    struct buf clean = {0};
    if (memchr(json.p, '\\', json.n) && replace_unpaired(json, &clean))
        json = buf_view(&clean);
    cJSON *root = cJSON_ParseWithLength(json.p, json.n);
    buf_release(&clean);
    return root;
}

static struct str copy_string(const cJSON *v, struct arena *a)
{
    if (!cJSON_IsString(v))
        return (struct str){0};
    size_t n = strlen(v->valuestring);
    return (struct str){arena_dup(a, v->valuestring, n), n};
}

static struct str get_string(const cJSON *o, const char *name, struct arena *a)
{
    return copy_string(cJSON_GetObjectItemCaseSensitive(o, name), a);
}

static double get_number(const cJSON *o, const char *name, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

static int64_t whole(const cJSON *v, int64_t otherwise)
{
    bool fits = cJSON_IsNumber(v) && v->valuedouble > -9e15 && v->valuedouble < 9e15;
    return fits ? (int64_t)v->valuedouble : otherwise;
}

/* Length of array o.name, and its first element; 0 when it is no array. */
static uint32_t get_array(const cJSON *o, const char *name, const cJSON **first)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    *first = cJSON_IsArray(v) ? v->child : NULL;
    return *first ? (uint32_t)cJSON_GetArraySize(v) : 0;
}

static struct report_loc read_loc(const cJSON *o, struct arena *a)
{
    struct report_loc loc = {0};
    if (cJSON_IsObject(o)) {
        loc.path = get_string(o, "path", a);
        loc.message = get_string(o, "message", a);
        loc.line = whole(cJSON_GetObjectItemCaseSensitive(o, "line"), 0);
        if (!loc.path.p)
            loc.path = STR("");
    }
    return loc;
}

static struct report_loc read_skip(const cJSON *v, struct arena *a)
{
    struct report_loc loc = {0};
    if (cJSON_IsArray(v) && cJSON_GetArraySize(v) == 3) {
        loc.path = copy_string(v->child, a);
        loc.line = whole(v->child->next, -1);
        loc.message = copy_string(v->child->next->next, a);
        if (!loc.path.p)
            loc.path = STR("");
    }
    return loc;
}

static uint32_t find_name(const cJSON *o, const char *name, const char *const *names, uint32_t n)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    uint32_t i = 0;
    while (i < n && !(cJSON_IsString(v) && strcmp(v->valuestring, names[i]) == 0))
        i++;
    return i;
}

static void read_phase(const cJSON *o, struct arena *a, struct report_phase *p)
{
    static const char *const whens[] = {[WHEN_SETUP] = "setup",
                                        [WHEN_CALL] = "call",
                                        [WHEN_TEARDOWN] = "teardown",
                                        [WHEN_COLLECT] = "collect"};
    static const char *const verdicts[] = {
        [PHASE_PASSED] = "passed", [PHASE_FAILED] = "failed", [PHASE_SKIPPED] = "skipped"};
    const cJSON *e;
    uint32_t when = find_name(o, "when", whens, WHEN_COUNT);
    p->when = when < WHEN_COUNT ? (enum report_when)when : WHEN_CALL;
    p->verdict = (enum report_verdict)find_name(o, "o", verdicts, PHASE_OTHER);
    p->duration_s = get_number(o, "d", 0);
    p->start_s = get_number(o, "t", 0);
    p->id = get_string(o, "id", a);
    p->repr = get_string(o, "repr", a);
    p->xfail = get_string(o, "xfail", a);
    p->sub = get_string(o, "sub", a);
    p->crash = read_loc(cJSON_GetObjectItemCaseSensitive(o, "crash"), a);
    p->skip = read_skip(cJSON_GetObjectItemCaseSensitive(o, "skip"), a);
    p->n_tb = get_array(o, "tb", &e);
    p->tb = arena_array(a, p->n_tb, sizeof *p->tb);
    for (uint32_t i = 0; e; e = e->next)
        p->tb[i++] = read_loc(e, a);
    p->n_sections = get_array(o, "sections", &e);
    p->sections = arena_array(a, p->n_sections, sizeof *p->sections);
    for (uint32_t i = 0; e; e = e->next, i++)
        if (cJSON_IsArray(e) && e->child && e->child->next)
            p->sections[i] =
                (struct report_section){copy_string(e->child, a), copy_string(e->child->next, a)};
}

/* str(value) in Python, for the kinds that JSON has. */
static struct str python_str(const cJSON *v, struct arena *a, struct str json)
{
    if (cJSON_IsString(v))
        return copy_string(v, a);
    if (cJSON_IsBool(v))
        return cJSON_IsTrue(v) ? STR("True") : STR("False");
    return cJSON_IsNull(v) ? STR("None") : json;
}

static void read_prop(const cJSON *e, struct arena *a, struct report_prop *p)
{
    *p = (struct report_prop){STR(""), STR(""), STR("null")};
    if (!cJSON_IsArray(e) || !e->child || !e->child->next)
        return;
    const cJSON *v = e->child->next;
    char *text = cJSON_PrintUnformatted(v);
    if (text)
        p->json = (struct str){arena_dup(a, text, strlen(text)), strlen(text)};
    cJSON_free(text);
    p->name = python_str(e->child, a, STR(""));
    p->value = python_str(v, a, p->json);
}

bool json_parse_result(struct str json, struct arena *a, struct report_result *out)
{
    *out = (struct report_result){0};
    cJSON *root = json.n ? parse(json) : NULL;
    const cJSON *e;
    bool ok = cJSON_IsObject(root);
    out->n_phases = get_array(root, "phases", &e);
    out->phases = arena_array(a, out->n_phases, sizeof *out->phases);
    for (uint32_t i = 0; e; e = e->next)
        read_phase(e, a, &out->phases[i++]);
    out->n_props = get_array(root, "props", &e);
    out->props = arena_array(a, out->n_props, sizeof *out->props);
    for (uint32_t i = 0; e; e = e->next)
        read_prop(e, a, &out->props[i++]);
    e = cJSON_GetObjectItemCaseSensitive(root, "counts");
    out->has_counts = cJSON_IsObject(e);
    int n = out->has_counts ? cJSON_GetArraySize(e) : 0;
    out->counts = arena_array(a, (size_t)n, sizeof *out->counts);
    for (e = n ? e->child : NULL; e; e = e->next) {
        int64_t count = whole(e, 0);
        struct str name = {arena_dup(a, e->string, strlen(e->string)), strlen(e->string)};
        if (count > 0 && count <= UINT32_MAX)
            out->counts[out->n_counts++] = (struct report_count){name, (uint32_t)count};
    }
    out->passed_subtests =
        (uint32_t)whole(cJSON_GetObjectItemCaseSensitive(root, "passed_subtests"), 0);
    cJSON_Delete(root);
    return ok;
}

static void read_item(const cJSON *o, struct arena *a, struct report_item *item)
{
    const cJSON *e;
    item->id = get_string(o, "id", a);
    item->file = get_string(o, "file", a);
    item->name = get_string(o, "name", a);
    item->line = whole(cJSON_GetObjectItemCaseSensitive(o, "line"), -1);
    item->n_keywords = get_array(o, "kw", &e);
    item->keywords = arena_array(a, item->n_keywords, sizeof *item->keywords);
    for (uint32_t i = 0; e; e = e->next)
        item->keywords[i++] = copy_string(e, a);
}

static struct report_phase *read_collect(const cJSON *root, const char *name, struct arena *a)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, name);
    if (!cJSON_IsObject(o))
        return NULL;
    struct report_phase *p = arena_alloc(a, sizeof *p);
    read_phase(o, a, p);
    p->when = WHEN_COLLECT;
    if (!p->id.p)
        p->id = get_string(root, "rel", a);
    return p;
}

bool json_parse_meta(struct str json, struct arena *a, struct report_meta *out)
{
    *out = (struct report_meta){0};
    cJSON *root = json.n ? parse(json) : NULL;
    const cJSON *e;
    bool ok = cJSON_IsObject(root);
    out->n_items = get_array(root, "items", &e);
    out->items = arena_array(a, out->n_items, sizeof *out->items);
    for (uint32_t i = 0; e; e = e->next, i++) {
        read_item(e, a, &out->items[i]);
        ok = ok && out->items[i].id.p;
    }
    out->error = read_collect(root, "error", a);
    out->skip = read_collect(root, "skip", a);
    cJSON_Delete(root);
    return ok;
}

/* ---- writing ---- */

/* The views are NUL-terminated; cJSON keeps the pointer only. */
static void add_string(cJSON *o, const char *name, struct str s)
{
    cJSON_AddItemToObjectCS(o, name, cJSON_CreateStringReference(s.p ? s.p : ""));
}

static cJSON *new_loc(const struct report_loc *loc)
{
    cJSON *o = cJSON_CreateObject();
    add_string(o, "path", loc->path);
    cJSON_AddNumberToObject(o, "lineno", (double)loc->line);
    add_string(o, "message", loc->message);
    return o;
}

/* pytest-json-report takes the section of the phase itself; a report also repeats earlier ones. */
static struct str own_section(const struct report_phase *p, const char *stream)
{
    struct str found = {0};
    struct buf title = {0};
    if (p->n_sections == 0)
        return found;
    buf_printf(&title, "Captured %s %s", stream, report_when_name(p->when));
    for (uint32_t i = 0; i < p->n_sections; i++)
        if (str_eq(p->sections[i].title, buf_view(&title)))
            found = p->sections[i].text;
    buf_release(&title);
    return found;
}

static void add_log(cJSON *stage, struct str text, struct arena *a)
{
    struct log_line line;
    cJSON *list = cJSON_AddArrayToObject(stage, "log");
    while (log_next(&text, a, &line)) {
        cJSON *o = cJSON_CreateObject();
        add_string(o, "msg", line.message);
        if (line.level.p) {
            add_string(o, "levelname", line.level);
            add_string(o, "name", line.logger);
            add_string(o, "filename", line.file);
            cJSON_AddNumberToObject(o, "lineno", (double)line.line);
        }
        cJSON_AddItemToArray(list, o);
    }
}

/* longreprtext: the stripped text, or a skip's tuple as Python shows it. */
static void add_longrepr(cJSON *stage, const struct report_phase *p)
{
    struct buf text = {0};
    if (p->skip.path.p && !p->xfail.p)
        report_skip_tuple(&p->skip, &text);
    else
        buf_str(&text, str_trim(p->repr));
    if (text.n)
        cJSON_AddStringToObject(stage, "longrepr", text.p);
    buf_release(&text);
}

static cJSON *new_stage(const struct report_phase *p, struct arena *a)
{
    static const char *const verdicts[PHASE_COUNT] = {[PHASE_PASSED] = "passed",
                                                      [PHASE_FAILED] = "failed",
                                                      [PHASE_SKIPPED] = "skipped",
                                                      [PHASE_OTHER] = "rerun"};
    cJSON *o = cJSON_CreateObject();
    struct str out = own_section(p, "stdout"), err = own_section(p, "stderr");
    struct str log = own_section(p, "log");
    cJSON_AddNumberToObject(o, "duration", p->duration_s);
    cJSON_AddStringToObject(o, "outcome", verdicts[p->verdict]);
    if (p->crash.path.p)
        cJSON_AddItemToObjectCS(o, "crash", new_loc(&p->crash));
    if (p->crash.path.p && p->n_tb) {
        cJSON *tb = cJSON_AddArrayToObject(o, "traceback");
        for (uint32_t i = 0; i < p->n_tb; i++)
            cJSON_AddItemToArray(tb, new_loc(&p->tb[i]));
    }
    if (out.n)
        add_string(o, "stdout", out);
    if (err.n)
        add_string(o, "stderr", err);
    if (log.n)
        add_log(o, log, a);
    add_longrepr(o, p);
    return o;
}

/* Prints o into out as valid UTF-8, and frees it. */
static void print_clean(struct buf *out, cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);
    struct str rest = str_z(text);
    struct str raw;
    for (uint32_t c; text_copy_plain(out, &rest, &c, &raw);) {
        if (c == 0)
            buf_z(out, "\\u0000");
        else if (c >= 0xD800 && c <= 0xDFFF)
            buf_printf(out, "\\\\u%04x", c);
        else
            buf_str(out, raw);
    }
    cJSON_free(text);
    cJSON_Delete(o);
}

static void add_keywords(cJSON *o, const struct report_item *item)
{
    if (item->n_keywords == 0)
        return;
    cJSON *list = cJSON_AddArrayToObject(o, "keywords");
    for (uint32_t i = 0; i < item->n_keywords; i++)
        if (item->keywords[i].p)
            cJSON_AddItemToArray(list, cJSON_CreateStringReference(item->keywords[i].p));
}

static void add_props(cJSON *o, const struct report_result *r)
{
    if (r->n_props == 0)
        return;
    cJSON *list = cJSON_AddArrayToObject(o, "user_properties");
    for (uint32_t i = 0; i < r->n_props; i++) {
        cJSON *pair = cJSON_CreateObject();
        cJSON_AddItemToObject(pair, r->props[i].name.p, cJSON_CreateRaw(r->props[i].json.p));
        cJSON_AddItemToArray(list, pair);
    }
}

void json_test(struct buf *out, const struct report_test *t)
{
    struct arena a = {0};
    cJSON *o = cJSON_CreateObject();
    add_string(o, "nodeid", t->item->id);
    if (t->item->line >= 0)
        cJSON_AddNumberToObject(o, "lineno", (double)t->item->line);
    else
        cJSON_AddNullToObject(o, "lineno");
    add_string(o, "outcome", report_outcome_name(report_last_outcome(t)));
    add_keywords(o, t->item);
    cJSON_AddBoolToObject(o, "cached", t->cached);
    add_string(o, "batch", (struct str){arena_dup(&a, t->batch.p, t->batch.n), t->batch.n});
    for (uint32_t i = 0; i < t->result.n_phases; i++) {
        const struct report_phase *p = &t->result.phases[i];
        cJSON_DeleteItemFromObjectCaseSensitive(o, report_when_name(p->when)); /* the last counts */
        cJSON_AddItemToObjectCS(o, report_when_name(p->when), new_stage(p, &a));
    }
    add_props(o, &t->result);
    if (out->n)
        buf_char(out, ',');
    print_clean(out, o);
    arena_release(&a);
}

void json_collector(struct buf *out, const struct report_phase *p)
{
    cJSON *o = cJSON_CreateObject();
    add_string(o, "nodeid", p->id);
    add_string(o, "outcome", p->verdict == PHASE_FAILED ? STR("failed") : STR("skipped"));
    cJSON_AddItemToObjectCS(o, "result", cJSON_CreateArray());
    add_longrepr(o, p);
    if (out->n)
        buf_char(out, ',');
    print_clean(out, o);
}

static cJSON *new_summary(const struct totals *t)
{
    cJSON *o = cJSON_CreateObject();
    uint32_t total = 0;
    for (int i = 0; i < OUT_COUNT; i++) {
        total += t->outcomes[i];
        if (t->outcomes[i])
            cJSON_AddNumberToObject(o, report_outcome_name((enum record_outcome)i).p,
                                    t->outcomes[i]);
    }
    cJSON_AddNumberToObject(o, "total", total);
    cJSON_AddNumberToObject(o, "collected", t->items);
    cJSON_AddNumberToObject(o, "cached", t->cached);
    return o;
}

static void add_list(struct buf *out, const char *name, const struct str *parts, size_t n)
{
    const char *separator = "\n";
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n == 0)
            continue;
        buf_z(out, separator);
        buf_str(out, parts[i]);
        separator = ",\n";
    }
    buf_z(out, "\n]");
}

void json_document(struct buf *out, const struct json_head *h,
                   const struct str *collectors, const struct str *tests, size_t n)
{
    struct buf root = {0};
    buf_str(&root, h->root);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "created", h->created_s);
    cJSON_AddNumberToObject(o, "duration", h->duration_s);
    cJSON_AddNumberToObject(o, "exitcode", h->exit_code);
    cJSON_AddStringToObject(o, "root", root.n ? root.p : "");
    cJSON_AddItemToObjectCS(o, "environment", cJSON_CreateObject());
    cJSON_AddItemToObjectCS(o, "summary", new_summary(h->totals));
    print_clean(out, o);
    out->n--; /* the closing brace comes after the lists */
    add_list(out, "collectors", collectors, n);
    add_list(out, "tests", tests, n);
    buf_z(out, "}\n");
    buf_release(&root);
}

const char *json_version(void)
{
    return cJSON_Version();
}
