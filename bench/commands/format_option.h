// SPDX-License-Identifier: MIT
// format_option.h: the option --format of commands that tell in several.
#ifndef FORMAT_OPTION_H
#define FORMAT_OPTION_H

#include <stdbool.h>

#include "plan/cli.h"
#include "report/schema.h"

// The format of a name; text of none. false after a message with those that there are.
bool format_option(const cli_command *command, const char *name, schema_format *format);

#endif
