#include "lake/settings_check.h"

#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "lake/metadata.h"
#include "lake/settings.h"

int pt_settings_check(pt_session *session, const pt_table *const *tables, size_t n, pt_error *err) {
    pt_result all = {0};
    PT_TRY(pt_metadata_settings(session, &all, err));
    int code = pt_settings_version(&all, err);
    for (size_t i = 0; code == PT_OK && i < n; i++) {
        const pt_table *t = tables[i];
        const char *was = *t->settings.forbidden ? t->settings.rest : t->settings.all;
        pt_text now = {0};
        code = pt_settings_add(&all, &t->settings, !*t->settings.forbidden, &now, err);
        if (code == PT_OK && strcmp(pt_text_get(&now), was) != 0) {
            code = pt_fail(err, PT_E_LAKE_CHANGED,
                           "table %s: the lake's settings were changed from (%s) to (%s)", t->label,
                           *was ? was : "none", *pt_text_get(&now) ? pt_text_get(&now) : "none");
        }
        pt_text_free(&now);
    }
    pt_result_clear(&all);
    return code;
}
