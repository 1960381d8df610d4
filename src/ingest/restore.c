#include "ingest/restore.h"

#include "base/log.h"
#include "lake/guard.h"

int pt_restore_files(pt_catalog *catalog, const pt_table *table, pt_error *err) {
    uint64_t restored = 0;
    PT_TRY(pt_guards_restore_table(pt_catalog_session(catalog), table, &restored, err));
    if (restored) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"),
               PT_STR("table", table->label), PT_INT("files", restored));
    }
    return PT_OK;
}
