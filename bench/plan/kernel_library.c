// SPDX-License-Identifier: MIT
// kernel_library.c: see kernel_library.h.
#include "kernel_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/patience.h"
#include "base/program.h"
#include "base/refuse.h"
#include "library_file.h"

enum { MOST_IMPLS = 4096 };
#define PLUGIN_TABLE "norm_plugin_table"

static kernel_library *open_ones;

// How one library is being opened. The reason stands behind the path.
typedef struct {
    kernel_library *library;
    char *why;
    size_t size;
} opening;

// ---- What it exports

// Two runtimes of OpenMP in a process would each have a team of threads on the same cores. libgomp's calls may well be
// answered by libomp, which has them all; the other way round there is nobody to answer.
static bool check_threads(const opening *o) {
    static const char *const entries[] = {"GOMP_parallel", "__kmpc_fork_call"};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        void *const its = dlsym(o->library->handle, entries[i]);
        Dl_info where;
        if (its != NULL && dlsym(RTLD_DEFAULT, entries[i]) == NULL)
            return REFUSE(
                o,
                "brings an OpenMP of its own, %s, beside the one of this program, so that two teams of threads "
                "would share the cores: build it without -fopenmp (-fopenmp-simd is no runtime), or by the "
                "compiler of this program",
                dladdr(its, &where) != 0 ? where.dli_fname : entries[i]);
    }
    return true;
}

static bool check_abi(const opening *o, unsigned abi) {
    return abi == NORM_ABI ||
           REFUSE(o, "has ABI %u of norm.h, and this program has %d: compile it again with the norm.h of this program",
                  abi, NORM_ABI);
}

// Room for so many, at the start of a page: what a call reads of an implementation then lies in as many lines and pages
// whichever library it is of.
static bool make_room(const opening *o, size_t count) {
    enum { PAGE = 4096 };
    kernel_library *const l = o->library;
    if (count > MOST_IMPLS)
        return REFUSE(o, "has more than %d implementations: is `count` that of `impls`?", MOST_IMPLS);
    l->impls = aligned_alloc(PAGE, (count * sizeof *l->impls / PAGE + 1) * PAGE);
    return l->impls != NULL || REFUSE(o, "cannot be opened: out of memory");
}

static bool read_plugin(const opening *o, const norm_plugin *table) {
    kernel_library *const l = o->library;
    if (!check_abi(o, table->abi))
        return false;
    if (!library_table_is_name(table->name, NORM_PLUGIN_NAME))
        return REFUSE(o,
                      "has no name that can stand in a CSV: " PLUGIN_TABLE ".name is 1 to %d letters, digits and "
                      "underscores",
                      NORM_PLUGIN_NAME);
    (void)snprintf(l->name, sizeof l->name, "%s", table->name);
    if (table->count == 0 || table->impls == NULL)
        return REFUSE(o, "has no implementation: " PLUGIN_TABLE ".impls and .count say where they are and how many");
    if (!make_room(o, table->count))
        return false;
    for (; l->count < table->count; l->count++) {
        l->impls[l->count] = table->impls[l->count];
        library_table_adopt(&l->impls[l->count], l->name);
    }
    return library_table_check(l->impls, l->count, l->name, o->why, o->size);
}

static bool read_libnorm(const opening *o, const norm_impl *(*at)(size_t index), const unsigned *abi) {
    kernel_library *const l = o->library;
    norm_error (*run)(const norm_impl *, norm_pass, const norm_args *, int) = NULL;
    size_t count = 0;
    if (!check_abi(o, *abi))
        return false;
    while (count <= MOST_IMPLS && at(count) != NULL)
        count++;
    if (!make_room(o, count))
        return false;
    *(void **)&run = dlsym(l->handle, "norm_run");
    for (; l->count < count; l->count++) {
        l->impls[l->count] = *at(l->count);
        l->impls[l->count].run = run; // with its own division of work and tuning
    }
    return library_table_check(l->impls, l->count, NULL, o->why, o->size);
}

static bool read_table(const opening *o) {
    void *const handle = o->library->handle;
    const norm_plugin *const table = dlsym(handle, PLUGIN_TABLE);
    const unsigned *const abi = dlsym(handle, "norm_abi");
    const norm_impl *(*at)(size_t index) = NULL;
    *(void **)&at = dlsym(handle, "norm_at");
    if (table != NULL)
        return read_plugin(o, table);
    if (at != NULL && abi != NULL)
        return read_libnorm(o, at, abi);
    if (at != NULL)
        return REFUSE(o, "is a libnorm of before norm_abi, and this program has ABI %d: build it from a later revision",
                      NORM_ABI);
    return REFUSE(o, "exports no " PLUGIN_TABLE ": a plug-in defines it, as norm_plugin.h says, with default "
                     "visibility and, in C++, extern \"C\"");
}

static bool map(const opening *o) {
    kernel_library *const l = o->library;
    l->handle = dlopen(l->path, RTLD_NOW | RTLD_LOCAL);
    if (l->handle != NULL)
        return true;
    const char *const error = dlerror();
    const char *text = error == NULL ? "no reason is known" : error;
    const size_t length = strlen(l->path);
    if (strncmp(text, l->path, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    return REFUSE(o, "cannot be loaded: %s%s", text,
                  strstr(text, "undefined symbol") != NULL ? ": link it with the library that has it" : "");
}

// ---- The rehearsal

// What the child tells: that the library is mapped, and then that all is well, or the reason.
#define MAPPED 'm'
#define WELL 'w'

// In a child: whatever the library does, it does here first. Its words are not those of this program.
static _Noreturn void rehearse(const opening *o, int out) {
    static const char mapped = MAPPED, well = WELL;
    program_be_expendable();
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDOUT_FILENO);
    bool ok = map(o);
    bool heard = !ok || program_tell(out, &mapped, 1);
    ok = ok && check_threads(o) && read_table(o);
    heard = heard && program_tell(out, ok ? &well : o->why, ok ? 1 : strlen(o->why));
    _exit(heard ? 0 : 1);
}

// All that a child tells until it ends. false: the time is up.
static bool hear(int in, char *text, size_t size, double within) {
    patience waited = patience_of(within);
    size_t length = 0;
    text[0] = '\0';
    while (!patience_lost(&waited)) {
        struct pollfd told = {.fd = in, .events = POLLIN};
        if (poll(&told, 1, (int)fmin(PATIENCE_LOOK_MS, 1e3 * within)) <= 0)
            continue;
        const ssize_t got = read(in, text + length, size - 1 - length);
        if (got <= 0)
            return true;
        length += (size_t)got;
        text[length] = '\0';
    }
    return false;
}

static bool judge(const opening *o, bool in_time, int status, const char *told, double within) {
    const bool mapped = told[0] == MAPPED;
    const char *const what = mapped ? "its table was read" : "it was opened, in a constructor of its own";
    const char *const text = told + mapped;
    if (!in_time)
        return REFUSE(o, "was not done after %g s, while %s: it hangs there", within, what);
    if (WIFSIGNALED(status))
        return REFUSE(o, "crashed while %s: signal %d (%s)%s", what, WTERMSIG(status), strsignal(WTERMSIG(status)),
                      mapped ? ": does it point where it says, with the norm.h of this program?" : "");
    if (text[0] == WELL && text[1] == '\0')
        return true;
    if (text[0] == '\0')
        return REFUSE(o, "ended the program, with exit code %d, while %s", WEXITSTATUS(status), what);
    return REFUSE(o, "%s", text);
}

static bool rehearsed(const opening *o, double within) {
    int ends[2];
    char told[KERNEL_LIBRARY_WHY];
    if (pipe(ends) != 0)
        return REFUSE(o, "cannot be tried: no pipe: %s", strerror(errno));
    (void)fflush(NULL); // or the child has a copy of what is not yet written
    const pid_t pid = fork();
    if (pid == 0)
        rehearse(o, ends[1]);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return REFUSE(o, "cannot be tried: no process: %s", strerror(errno));
    }
    const bool in_time = hear(ends[0], told, sizeof told, within);
    if (!in_time)
        (void)kill(pid, SIGKILL);
    (void)close(ends[0]);
    return judge(o, in_time, program_await(pid), told, within);
}

// ---- Opening

// What a constructor prints is no result of ours: it goes where messages go.
static bool map_quietly(const opening *o) {
    (void)fflush(stdout);
    const int out = dup(STDOUT_FILENO);
    if (out >= 0)
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    const bool ok = map(o);
    (void)fflush(stdout);
    if (out >= 0) {
        (void)dup2(out, STDOUT_FILENO);
        (void)close(out);
    }
    return ok;
}

kernel_library *kernel_library_open(const char *path, double within, char why[KERNEL_LIBRARY_WHY]) {
    kernel_library *l = calloc(1, sizeof *l);
    const int used = snprintf(why, KERNEL_LIBRARY_WHY, "%.*s ", PATH_MAX, path);
    const opening o = {l, why + used, KERNEL_LIBRARY_WHY - (size_t)used};
    bool ok = false;
    if (l == NULL)
        (void)REFUSE(&o, "cannot be opened: out of memory");
    else if (realpath(path, l->path) == NULL)
        (void)REFUSE(&o, "cannot be read: %s", strerror(errno));
    else
        ok = library_file_check(l->path, o.why, o.size) &&
             rehearsed(&o, within > 0 ? within : (double)KERNEL_LIBRARY_SECONDS) && map_quietly(&o) && read_table(&o);
    if (!ok) {
        kernel_library_close(l);
        return NULL;
    }
    program_file_id(l->path, l->id);
    l->next = open_ones;
    open_ones = l;
    return l;
}

const norm_impl *kernel_library_at(const kernel_library *l, size_t index) {
    return index < l->count ? &l->impls[index] : NULL;
}

const kernel_library *kernel_library_of(const norm_impl *impl) {
    const kernel_library *l = open_ones;
    while (l != NULL && (impl < l->impls || impl >= l->impls + l->count))
        l = l->next;
    return l;
}

void kernel_library_close(kernel_library *l) {
    kernel_library **link = &open_ones;
    while (*link != NULL && *link != l)
        link = &(*link)->next;
    if (*link != NULL)
        *link = l->next;
    if (l != NULL)
        free(l->impls);
    free(l);
}
