/* Reads the JSON documents of runtime/PROTOCOL.md into the model's structs. The only user of cJSON; its types
 * stay in json.c. */
#ifndef FASTEST_REPORT_JSON_H
#define FASTEST_REPORT_JSON_H

#include "runtime/report/model.h"

/* Everything parsed lives in a. False when the text is not such a document. */
bool json_parse_meta(struct str json, struct arena *a, struct report_meta *out);
/* {"warnings": …}: what the session has left of other files. */
bool json_parse_warnings(struct str json, struct arena *a, struct report_result *out);
bool json_parse_result(struct str json, struct arena *a, struct report_result *out);

/* cJSON's, as it runs. */
const char *json_version(void);

#endif
