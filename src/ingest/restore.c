#include "ingest/restore.h"

#include "base/log.h"

int pt_restore_files(pt_catalog *catalog, const pt_table *table, pt_error *err) {
    pt_upkeep restore = {.kind = PT_UPKEEP_RESTORE, .table = table};
    if (table && pt_catalog_upkeep(catalog, &restore, err) != PT_COMMITTED) {
        return (int)err->code;
    }
    if (restore.n) {
        pt_log(PT_LOG_WARN, PT_EVENT("data files that a commit of unknown outcome lost are back"),
               PT_STR("table", table->label), PT_INT("files", restore.n));
    }
    return PT_OK;
}
