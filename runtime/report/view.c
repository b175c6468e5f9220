#include "runtime/report/view.h"

const struct view_kind *view_kind(enum view_format f)
{
    static const struct view_kind *const kinds[VIEW_FORMATS] = {
        [VIEW_REPORT_LOG] = &view_report_log, [VIEW_TAP] = &view_tap,
        [VIEW_TAP14] = &view_tap14,           [VIEW_GITHUB] = &view_github,
        [VIEW_TEAMCITY] = &view_teamcity,     [VIEW_TRACE] = &view_trace,
        [VIEW_HTML] = &view_html,
    };
    return kinds[f];
}
