// SPDX-License-Identifier: MIT
// export_otava_config.c: otava.yaml for Apache Otava 0.8 (docs/CSV.md): one test of type csv whose metrics are all the
// columns of the CSV that export_otava.c writes. Whatever is JSON is YAML.
#include <stdlib.h>

#include "exports.h"

int export_otava_config(const void *what, const char *path) {
    const export_set *const set = what;
    size_t count;
    const result **const common = export_common(set, &count);
    json_t *const metrics = json_object();
    bool ok = common != NULL && metrics != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = json_object_set_new(
                 metrics, common[i]->name,
                 json_pack("{s:s, s:i, s:i}", "column", common[i]->name, "direction", -1, "scale", 1)) == 0;
    free(common);
    json_t *const config =
        json_pack("{s:{s:{s:s, s:s, s:s, s:[s, s], s:o}}}", "tests", "normbench", "type", "csv", "file",
                  "normbench.csv", "time_column", "time", "attributes", "run_id", "commit", "metrics", metrics);
    if (!ok)
        json_decref(config);
    return export_json(ok ? config : NULL, path);
}
