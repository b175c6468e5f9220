#include "generator/collect/plugins.h"

#include <stdlib.h>

/* Entry points that neither parametrize nor select: by the first part of their module. */
static const char *const harmless[] = {
    "xdist", "pytest_cov", "pytest_mock", "pytest_timeout", "pytest_rerunfailures", "_hypothesis_pytestplugin",
    "hypothesis", "pytest_randomly", "pytest_benchmark", "pytest_subtests", "pytest_httpbin", "pytest_flask",
    "pytest_metadata", "pytest_html", "pytest_jsonreport", "pytest_reportlog", "pytest_instafail", "pytest_sugar",
    "pytest_forked", "pytest_socket", "pytest_freezegun", "pytest_freezer", "pytest_env", "pytest_localserver",
    "syrupy", "faker", "typeguard", "pytest_profiling", "pytest_picked", "pytest_clarity", "pytest_icdiff", "respx",
    "requests_mock", "pytest_httpx", "pytest_httpserver", "pytest_recording", "pytest_vcr", "pytest_postgresql",
    "pytest_custom_exit_code", "pytest_github_actions_annotate_failures", "pytest_pretty", "pytest_memray",
    "pytest_codspeed", "pytest_doctestplus", "inline_snapshot", "dirty_equals", "schemathesis", "langsmith", "logfire",
    "setuptools", "pytest_console_scripts", "pytest_xprocess", "pytest_datadir", "pytest_regressions", "coverage"};

static bool is_harmless(struct str module)
{
    struct str top = str_slice(module, 0, str_chr(module, '.'));
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (str_eq(top, str_z(harmless[i])))
            return true;
    return str_eq(top, STR("_pytest")) || str_eq(top, STR("pytest"));
}

static bool is_disabled(const struct config *c, struct str name, struct str module)
{
    for (size_t i = 0; i < c->plugins.n; i++) {
        struct str p = c->plugins.items[i];
        if (str_starts(p, STR("no:")) && (str_eq(str_slice(p, 3, p.n), name) || str_eq(str_slice(p, 3, p.n), module)))
            return true;
    }
    return false;
}

static void add(struct world *w, struct plugins *p, struct str module)
{
    struct str top = str_slice(module, 0, str_chr(module, '.'));
    if (is_harmless(module))
        return;
    if (str_eq(top, STR("anyio"))) {
        p->anyio = true;
    } else if (str_eq(top, STR("pytest_asyncio"))) {
        p->asyncio = true;
    } else {
        struct module *m = world_import(w, &world_nowhere, module, 0, true);
        if (m)
            strs_add(&p->modules, m->path);
        else if (!p->doubt)
            p->doubt = "a plugin that cannot be read";
    }
}

/* pytest's own plugins go by a short name: -p pytester. */
static bool is_builtin(struct str name)
{
    static const char *const builtin[] = {"pytester", "cacheprovider", "terminal", "warnings", "logging", "doctest",
                                          "junitxml", "faulthandler", "tmpdir", "capture", "stepwise", "legacypath"};
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        if (str_eq(name, str_z(builtin[i])))
            return true;
    return false;
}

void plugins_read(struct world *w, struct plugins *p)
{
    const struct config *c = w->config;
    const char *off = getenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD");
    for (size_t i = 0; i < c->interp.plugins.n && !(off && *off); i++) {
        struct str line = c->interp.plugins.items[i];
        size_t eq = str_chr(line, '=');
        struct str name = str_slice(line, 0, eq), module = str_slice(line, eq + 1, line.n);
        module = str_slice(module, 0, str_chr(module, ':'));
        if (!is_disabled(c, name, module))
            add(w, p, module);
    }
    for (size_t i = 0; i < c->plugins.n; i++) {
        struct str name = c->plugins.items[i];
        if (!str_starts(name, STR("no:")) && !is_builtin(name))
            add(w, p, name);
    }
}

void plugins_release(struct plugins *p)
{
    strs_release(&p->modules);
}
