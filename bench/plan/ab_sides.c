// SPDX-License-Identifier: MIT
// ab_sides.c: see ab_sides.h.
#include "ab_sides.h"

#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/files.h"

static ab_source sources[AB_SIDES];
static ab_settings settings;
static const char *const names[AB_SIDES] = {"base", "candidate"};

const char *ab_side_name(ab_side side) { return names[side]; }
ab_source *ab_source_of(ab_side side) { return &sources[side]; }
ab_settings *ab_settings_here(void) { return &settings; }

void ab_launch_path(ab_side side, size_t launch, char path[PATH_MAX]) {
    const ab_source *const s = &sources[side];
    if (s->archive[0] == '\0')
        (void)snprintf(path, PATH_MAX, "%s", s->library);
    else
        (void)snprintf(path, PATH_MAX, "%.*s/%s-%zu.so", PATH_MAX - 64, s->links, names[side], launch);
}

// ---- sides.csv

// Its fields, in their order: those of a side, and those of the run, which stand in both rows.
typedef struct {
    const char *column;
    char *text;
    size_t size;
} text_field;
enum { MOST_FIELDS = 16 };
#define FIELD(column, text)                                                                                            \
    { column, text, sizeof(text) }

static size_t fields_of_side(ab_side side, text_field fields[MOST_FIELDS]) {
    ab_source *const s = &sources[side];
    const text_field all[] = {FIELD("given", s->given),
                              FIELD("commit", s->commit),
                              FIELD("library", s->library),
                              FIELD("archive", s->archive),
                              FIELD("links", s->links),
                              FIELD("id", s->id),
                              FIELD("threshold_pct", settings.threshold_pct),
                              FIELD("group_threshold_pct", settings.group_pct),
                              FIELD("waivers", settings.waivers),
                              FIELD("format", settings.format),
                              FIELD("layers", settings.layers)};
    memcpy(fields, all, sizeof all);
    return sizeof all / sizeof *all;
}

int ab_sides_write(const void *nothing, const char *path) {
    text_field fields[MOST_FIELDS];
    const size_t count = fields_of_side(AB_BASE, fields);
    csv_writer w;
    (void)nothing;
    const int code = csv_open(&w, path, false);
    if (code != 0)
        return code;
    csv_text(&w, "side");
    for (size_t i = 0; i < count; i++)
        csv_text(&w, fields[i].column);
    csv_end(&w);
    for (ab_side side = 0; side < AB_SIDES; side++) {
        (void)fields_of_side(side, fields);
        csv_text(&w, names[side]);
        for (size_t i = 0; i < count; i++)
            csv_text(&w, fields[i].text);
        csv_end(&w);
    }
    return csv_close(&w);
}

static bool take(const csv_table *t) {
    text_field fields[MOST_FIELDS];
    const int which = csv_column(t, "side");
    if (t->row_count != AB_SIDES || which < 0)
        return false;
    for (ab_side side = 0; side < AB_SIDES; side++) {
        const size_t count = fields_of_side(side, fields);
        if (strcmp(t->rows[side][which], names[side]) != 0)
            return false;
        for (size_t i = 0; i < count; i++) {
            const int at = csv_column(t, fields[i].column);
            if (at < 0 || strlen(t->rows[side][at]) >= fields[i].size)
                return false;
            memcpy(fields[i].text, t->rows[side][at], strlen(t->rows[side][at]) + 1);
        }
    }
    return true;
}

bool ab_sides_read(const char *folder, char *why, size_t size) {
    char path[PATH_MAX], message[256] = "";
    csv_table t = {0};
    (void)snprintf(path, sizeof path, "%.*s/" AB_SIDES_FILE, PATH_MAX - 64, folder);
    const int code = csv_read(&t, path, message, sizeof message);
    const bool ok = code == 0 && take(&t);
    if (!ok)
        snprintf(why, size, "cannot read %s: %s", path,
                 code == 0    ? "it does not name a base and a candidate, as `normbench ab` writes them"
                 : code == -1 ? message
                              : files_reason(code));
    csv_free(&t);
    return ok;
}

// ---- Libraries

bool ab_side_open(ab_side side, const char *path, char *why, size_t size) {
    char reason[KERNEL_LIBRARY_WHY];
    sources[side].opened = kernel_library_open(path, 0, reason);
    if (sources[side].opened == NULL)
        snprintf(why, size, "%s: %s", names[side], reason);
    return sources[side].opened != NULL;
}

void ab_sides_close(void) {
    for (ab_side side = 0; side < AB_SIDES; side++) {
        kernel_library_close(sources[side].opened);
        sources[side].opened = NULL;
    }
}

const norm_impl *ab_side_find(const void *side, const char *op, const char *variant, const char *form,
                              const char *level, const char *dtype) {
    const kernel_library *const l = sources[*(const ab_side *)side].opened;
    const norm_impl *impl;
    for (size_t i = 0; l != NULL && (impl = kernel_library_at(l, i)) != NULL; i++)
        if (strcmp(op, norm_op_name(impl->op)) == 0 && strcmp(variant, impl->variant) == 0 &&
            strcmp(form, norm_form_name(impl->form)) == 0 && strcmp(level, norm_level_name(impl->level)) == 0 &&
            strcmp(dtype, norm_dtype_name(impl->dtype)) == 0)
            return impl;
    return NULL;
}

const norm_impl *ab_side_twin(ab_side side, const norm_impl *impl) {
    return ab_side_find(&side, norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
                        norm_level_name(impl->level), norm_dtype_name(impl->dtype));
}
