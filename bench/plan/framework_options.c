// SPDX-License-Identifier: MIT
// framework_options.c: see framework_options.h.
#include "framework_options.h"

#include "base/parse.h"
#include "peers/peers.h"

bool framework_dispatch_take(const cli_command *command, const char *value, size_t *ns) {
    double given;
    if (!parse_nanoseconds(value, &given) || given < 1 || given > (double)CELL_MOST_DISPATCH_NS)
        return cli_complain(command, "--dispatch %s: expected a time of 1ns to 1ms such as 500ns or 2us", value);
    *ns = (size_t)(given + 0.5);
    return true;
}

bool framework_dispatch_set(const cli_command *command, plan *p, size_t ns) {
    size_t concerned = 0;
    cell *const cells = p->schedule.names;
    for (size_t i = 0; i < p->schedule.count; i++)
        if (cells[i].impl->form == NORM_FRAMEWORK) {
            cells[i].dispatch_ns = (unsigned)ns;
            concerned++;
        }
    if (ns == 0 || p->schedule.count == 0 || concerned > 0)
        return true;
    return cli_complain(command,
                        "--dispatch is for form framework, of which nothing is selected: add --form framework");
}

void framework_tanh_say(const cli_command *command, const plan *p, const selection *s) {
    bool concerned = false;
    for (size_t i = 0; i < p->schedule.count && !s->given[SELECT_VARIANT]; i++) {
        const norm_impl *const impl = plan_cells(p)[i].impl;
        concerned |= impl->op == NORM_DYT && impl->form == NORM_FRAMEWORK && impl->dtype == NORM_F32;
    }
    if (concerned && peers_tanh_note() != NULL)
        cli_complain(command, "%s", peers_tanh_note());
}
