#include "cli/check/common.h"

#include <string.h>

const char *pt_check_verdict(const pt_audit *audit) {
    return audit->n_findings ? "findings" : audit->has_ledger ? "sound" : "not audited";
}

static bool same_block(const pt_audit_partition *x, const pt_audit_partition *y) {
    return strcmp(x->pipeline, y->pipeline) == 0 && strcmp(x->topic, y->topic) == 0 &&
           strcmp(x->table, y->table) == 0;
}

size_t pt_check_block_end(const pt_audit *audit, size_t from) {
    size_t until = from + 1;
    while (until < audit->n_partitions &&
           same_block(&audit->partitions[from], &audit->partitions[until])) {
        until++;
    }
    return until;
}

bool pt_check_shows_reason(const pt_audit *audit, size_t row) {
    const char *pipeline = pt_result_cell(&audit->reasons, row, 0),
               *topic = pt_result_cell(&audit->reasons, row, 1);
    for (size_t i = 0; pipeline && topic && i < audit->n_partitions; i++) {
        if (strcmp(audit->partitions[i].pipeline, pipeline) == 0 &&
            strcmp(audit->partitions[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

void pt_check_heading(const pt_check_report *r, pt_text *out, const char *text) {
    pt_text_addf(out, "\n%s%s%s\n", r->colour ? PT_MARK_BOLD : "", text,
                 r->colour ? PT_MARK_END : "");
}
