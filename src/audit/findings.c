#include "audit/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

pt_finding *pt_audit_find(pt_audit *audit, const char *kind, const char *pipeline,
                          const char *topic, const char *table, int32_t partition, int64_t count,
                          const char *format, ...) {
    pt_finding *grown = realloc(audit->findings, (audit->n_findings + 1) * sizeof *grown);
    if (!grown) {
        return NULL;
    }
    audit->findings = grown;
    pt_finding *f = &grown[audit->n_findings++];
    *f = (pt_finding){.kind = kind,
                      .pipeline = copy(pipeline),
                      .topic = copy(topic),
                      .table = copy(table),
                      .partition = partition,
                      .count = count};
    va_list args;
    va_start(args, format);
    if (vasprintf(&f->text, format, args) < 0) {
        f->text = NULL;
    }
    va_end(args);
    return f;
}

int pt_audit_note(pt_audit *audit, pt_error *err, const char *format, ...) {
    char **grown = realloc(audit->notes, (audit->n_notes + 1) * sizeof *grown);
    char *text = NULL;
    if (!grown) {
        return pt_fail_nomem(err, "a note");
    }
    audit->notes = grown;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        return pt_fail_nomem(err, "a note");
    }
    audit->notes[audit->n_notes++] = text;
    return PT_OK;
}

void pt_audit_clear(pt_audit *audit) {
    for (size_t i = 0; i < audit->n_tables; i++) {
        free(audit->tables[i].name);
        pt_result_clear(&audit->tables[i].latest);
        pt_result_clear(&audit->tables[i].sales);
    }
    for (size_t i = 0; i < audit->n_partitions; i++) {
        free(audit->partitions[i].pipeline);
        free(audit->partitions[i].topic);
        free(audit->partitions[i].table);
    }
    for (size_t i = 0; i < audit->n_findings; i++) {
        pt_finding *f = &audit->findings[i];
        free(f->pipeline);
        free(f->topic);
        free(f->table);
        free(f->text);
    }
    for (size_t i = 0; i < audit->n_notes; i++) {
        free(audit->notes[i]);
    }
    free(audit->tables);
    free(audit->partitions);
    free(audit->findings);
    free(audit->notes);
    pt_result_clear(&audit->reasons);
    *audit = (pt_audit){.snapshot = -1};
}
