#include "runtime/report/json.h"

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

/* [[text, path, line, of a test]...] */
static void read_warnings(const cJSON *root, struct arena *a, struct report_result *out)
{
    const cJSON *e;
    uint32_t n = get_array(root, "warnings", &e);
    out->warnings = arena_array(a, n, sizeof *out->warnings);
    for (; e; e = e->next) {
        if (!cJSON_IsArray(e) || cJSON_GetArraySize(e) != 4)
            continue;
        struct report_warning *w = &out->warnings[out->n_warnings++];
        w->message = copy_string(e->child, a);
        w->path = copy_string(e->child->next, a);
        w->line = whole(e->child->next->next, 0);
        w->of_test = cJSON_IsTrue(e->child->next->next->next);
    }
}

static struct report_pair *read_pairs(const cJSON *root, const char *name, struct arena *a, uint32_t *count)
{
    const cJSON *e;
    uint32_t n = get_array(root, name, &e);
    struct report_pair *pairs = arena_array(a, n, sizeof *pairs);
    for (; e; e = e->next)
        if (cJSON_IsArray(e) && cJSON_GetArraySize(e) == 2)
            pairs[(*count)++] = (struct report_pair){copy_string(e->child, a), copy_string(e->child->next, a)};
    return pairs;
}

bool json_parse_warnings(struct str json, struct arena *a, struct report_result *out)
{
    *out = (struct report_result){0};
    cJSON *root = json.n ? parse(json) : NULL;
    bool ok = cJSON_IsObject(root);
    if (ok)
        read_warnings(root, a, out);
    cJSON_Delete(root);
    return ok;
}

/* ---- what nearly every result is ---- */

enum { MAX_DECIMAL = 18 }; /* more characters than a time has in microseconds */

static bool skip_text(struct str *rest, struct str text)
{
    if (!str_starts(*rest, text))
        return false;
    *rest = str_slice(*rest, text.n, rest->n);
    return true;
}

/* "12.000345": below 2^53 without the point, which makes the quotient what strtod says. */
static bool read_decimal(struct str *rest, double *out)
{
    uint64_t digits = 0;
    double power = 1;
    size_t i = 0, point = rest->n;
    for (; i < rest->n && i < MAX_DECIMAL; i++) {
        char c = rest->p[i];
        if (c == '.' && point == rest->n && i > 0) {
            point = i;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        digits = digits * 10 + (uint64_t)(c - '0');
        power *= point < i ? 10 : 1;
    }
    if (i == 0 || i == MAX_DECIMAL || point + 1 == i || digits >= (UINT64_C(1) << 53))
        return false;
    *out = (double)digits / power;
    *rest = str_slice(*rest, i, rest->n);
    return true;
}

/* The document that a worker writes for a test that has passed in silence (quick.py, native.py), and no other. */
static bool read_silent_pass(struct str json, struct arena *a, struct report_result *out)
{
    static const char *const whens[] = {"{\"phases\":[{\"when\":\"setup\"", ",{\"when\":\"call\"", ",{\"when\":\"teardown\""};
    struct report_phase phases[3] = {{.when = WHEN_SETUP}, {.when = WHEN_CALL}, {.when = WHEN_TEARDOWN}};
    double worker;
    bool ok = true;
    for (int i = 0; ok && i < 3; i++)
        ok = skip_text(&json, str_z(whens[i])) && skip_text(&json, STR(",\"o\":\"passed\",\"d\":")) &&
             read_decimal(&json, &phases[i].duration_s) && skip_text(&json, STR(",\"t\":")) &&
             read_decimal(&json, &phases[i].start_s) && skip_text(&json, STR("}"));
    ok = ok && skip_text(&json, STR("],\"worker\":")) && read_decimal(&json, &worker) && str_eq(json, STR("}"));
    if (!ok)
        return false;
    out->phases = arena_alloc(a, sizeof phases);
    memcpy(out->phases, phases, sizeof phases);
    out->n_phases = 3;
    out->worker = (uint32_t)worker;
    return true;
}

bool json_parse_result(struct str json, struct arena *a, struct report_result *out)
{
    *out = (struct report_result){0};
    if (read_silent_pass(json, a, out))
        return true;
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
    read_warnings(root, a, out);
    out->attrs = read_pairs(root, "attrs", a, &out->n_attrs);
    out->suite = read_pairs(root, "suite", a, &out->n_suite);
    out->worker = (uint32_t)whole(cJSON_GetObjectItemCaseSensitive(root, "worker"), 0);
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

/* ---- what nearly every module is ---- */

/* A string in which nothing is escaped: a view. */
static bool read_plain(struct str *rest, struct str *out)
{
    const char *end = rest->n > 1 && *rest->p == '"' ? memchr(rest->p + 1, '"', rest->n - 1) : NULL;
    if (!end || memchr(rest->p, '\\', (size_t)(end - rest->p)))
        return false;
    *out = (struct str){rest->p + 1, (size_t)(end - rest->p) - 1};
    *rest = str_slice(*rest, out->n + 2, rest->n);
    return true;
}

static bool read_line(struct str *rest, int64_t *out)
{
    size_t i = 0;
    for (*out = 0; i < rest->n && i < MAX_DECIMAL && rest->p[i] >= '0' && rest->p[i] <= '9'; i++)
        *out = *out * 10 + (rest->p[i] - '0');
    *rest = str_slice(*rest, i, rest->n);
    return i > 0 && i < MAX_DECIMAL;
}

/* items and keywords: room for what an earlier call has counted, NULL to count. */
static bool read_items(struct str *rest, struct report_item *items, struct str *keywords, uint32_t *n_items,
                       uint32_t *n_keywords)
{
    *n_items = *n_keywords = 0;
    bool ok = skip_text(rest, STR("["));
    for (bool more = ok && !skip_text(rest, STR("]")); more; more = ok && !skip_text(rest, STR("]"))) {
        struct report_item item = {0};
        struct str keyword;
        uint32_t first = *n_keywords;
        ok = (*n_items == 0 || skip_text(rest, STR(","))) && skip_text(rest, STR("{\"id\":")) && read_plain(rest, &item.id) &&
             skip_text(rest, STR(",\"line\":")) && read_line(rest, &item.line) && skip_text(rest, STR(",\"file\":")) &&
             read_plain(rest, &item.file) && skip_text(rest, STR(",\"name\":")) && read_plain(rest, &item.name) &&
             skip_text(rest, STR(",\"kw\":["));
        while (ok && !skip_text(rest, STR("]}"))) {
            ok = (*n_keywords == first || skip_text(rest, STR(","))) && read_plain(rest, &keyword);
            if (ok && keywords)
                keywords[*n_keywords] = keyword;
            *n_keywords += ok;
        }
        item.n_keywords = *n_keywords - first;
        item.keywords = keywords ? keywords + first : NULL;
        if (ok && items)
            items[*n_items] = item;
        *n_items += ok;
    }
    return ok;
}

/* The document that a worker writes for a module that could be collected (session.py), in plain ASCII, and no other. */
static bool read_collected(struct str json, struct arena *a, struct report_meta *out)
{
    struct str rest, ignored;
    uint32_t n_items, n_keywords;
    if (!skip_text(&json, STR("{\"items\":")))
        return false;
    rest = json;
    if (!read_items(&rest, NULL, NULL, &n_items, &n_keywords) || !skip_text(&rest, STR(",\"path\":")) ||
        !read_plain(&rest, &ignored) || !skip_text(&rest, STR(",\"rel\":")) || !read_plain(&rest, &ignored) ||
        !skip_text(&rest, STR(",\"error\":null,\"skip\":null,\"deps\":")) || !str_ends(rest, STR("}")))
        return false;
    json = (struct str){arena_dup(a, json.p, json.n), json.n};
    out->items = arena_array(a, n_items, sizeof *out->items);
    return read_items(&json, out->items, arena_array(a, n_keywords, sizeof(struct str)), &out->n_items, &n_keywords);
}

bool json_parse_meta(struct str json, struct arena *a, struct report_meta *out)
{
    *out = (struct report_meta){0};
    if (read_collected(json, a, out))
        return true;
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

const char *json_version(void)
{
    return cJSON_Version();
}
