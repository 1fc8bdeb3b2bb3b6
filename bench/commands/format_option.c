// SPDX-License-Identifier: MIT
// format_option.c: see format_option.h.
#include "format_option.h"

#include "base/names.h"

bool format_option(const cli_command *command, const char *name, schema_format *format) {
    const char *names[SCHEMA_FORMATS];
    char text[512];
    for (schema_format f = 0; f < SCHEMA_FORMATS; f++)
        names[f] = schema_format_name(f);
    const size_t at = name == NULL ? SCHEMA_TEXT : names_find(name, names, SCHEMA_FORMATS);
    *format = (schema_format)at;
    if (at == SCHEMA_FORMATS) {
        names_explain(text, sizeof text, name, "format", names, SCHEMA_FORMATS);
        cli_complain(command, "%s", text);
    }
    return at < SCHEMA_FORMATS;
}
