// SPDX-License-Identifier: MIT
// verify_foreign.c: see verify_suite.h. Both sides are one program, so what is told are its structs as they are.
#include "verify_suite.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/patience.h"
#include "base/program.h"
#include "plan/plugins.h"

// What a process tells: that an item begins, with this input; and, when all are done, what was found of each.
typedef struct {
    size_t item;
    bool done;
    suite_item found;
    input_kind kind;
    shape at;
    size_t threads;
} message;

void foreign_begin(const verify_suite *v, size_t item, input_kind kind, shape s, size_t threads) {
    message m = {.item = item, .kind = kind, .at = s, .threads = threads};
    (void)program_tell(v->tell, &m, sizeof m); // a parent that is gone takes this process along
}

void foreign_end(const verify_suite *v, size_t item) {
    const message m = {.item = item, .done = true, .found = v->items[item]};
    if (!program_tell(v->tell, &m, sizeof m))
        _exit(EXIT_FAILURE);
}

static _Noreturn void be_child(verify_suite *v, bool (*check)(verify_suite *v)) {
    program_be_expendable();
    (void)dup2(STDERR_FILENO, STDOUT_FILENO); // standard output is the table's
    v->foreign = true;
    for (size_t i = 0; i < v->count; i++) // what an earlier process found of it is found again
        if (suite_is_due(v, i))
            memset(v->items[i].outputs, 0, sizeof v->items[i].outputs);
    if (!check(v))
        _exit(EXIT_FAILURE);
    for (size_t i = 0; i < v->count; i++)
        if (suite_is_due(v, i))
            foreign_end(v, i);
    _exit(EXIT_SUCCESS);
}

typedef enum { TOLD, ENDED, HANGS } heard;

// The next message, which comes in one piece or not at all.
static heard hear(int from, message *m) {
    patience waited = patience_of(plugins_patience());
    size_t length = 0;
    while (length < sizeof *m) {
        struct pollfd told = {.fd = from, .events = POLLIN};
        if (patience_lost(&waited))
            return HANGS;
        if (poll(&told, 1, PATIENCE_LOOK_MS) <= 0)
            continue;
        const ssize_t got = read(from, (char *)m + length, sizeof *m - length);
        if (got <= 0)
            return ENDED;
        length += (size_t)got;
    }
    return TOLD;
}

// An item that ended its process: wrong in every output that was asked for.
static void blame(verify_suite *v, const message *last, heard how, int status) {
    suite_item *const item = &v->items[last->item];
    char why[128];
    if (how == HANGS)
        snprintf(why, sizeof why, "it did not come back within %g s: --patience TIME gives it longer",
                 plugins_patience());
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "it crashed: signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(why, sizeof why, "it ended its process, with exit code %d", WEXITSTATUS(status));
    suite_condemn(v, last->item, last->at, last->threads, last->kind, why);
    item->ended = true;
}

// One process, over all items that none has ended. true: another has to go on.
static bool run_once(verify_suite *v, bool (*check)(verify_suite *v), bool *ok) {
    int ends[2];
    message m, last = {.item = v->count};
    heard how;
    *ok = pipe(ends) == 0;
    (void)fflush(NULL);
    const pid_t pid = *ok ? fork() : -1;
    if (pid == 0) {
        (void)close(ends[0]);
        v->tell = ends[1];
        be_child(v, check);
    }
    if (*ok)
        (void)close(ends[1]);
    *ok = pid > 0;
    if (!*ok)
        return cli_complain(v->command, "no process for a plug-in: %s", strerror(errno));
    while ((how = hear(ends[0], &m)) == TOLD) {
        if (m.done)
            memcpy(&v->items[m.item], &m.found, sizeof m.found);
        last = m;
    }
    if (how == HANGS)
        (void)kill(pid, SIGKILL);
    (void)close(ends[0]);
    const int status = program_await(pid);
    const bool begun = last.item < v->count && !last.done;
    if (!begun) {
        *ok = how == ENDED && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
        return false;
    }
    // A failure that it told of is none of the kernel's.
    if (how == ENDED && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE) {
        *ok = false;
        return false;
    }
    blame(v, &last, how, status);
    return true;
}

bool foreign_run(verify_suite *v, bool (*check)(verify_suite *v)) {
    bool any = false, ok = true;
    for (size_t i = 0; i < v->count; i++)
        any |= kernel_library_of(v->items[i].impl) != NULL;
    while (any && run_once(v, check, &ok))
        ;
    return ok;
}
