/* Taking back what a pipeline has read of a topic, from an offset of each partition on: rows, dead
 * letters and what the ledger counts of them. */
#pragma once

#include "duck/result.h"
#include "lake/ledger.h"

/* A table that the topic went into. */
typedef struct pt_erase_table {
    char *label;         /* as in the ledger */
    char *schema, *name; /* NULL: it is gone */
    bool has_topic;      /* _kafka_topic tells its rows from those of other topics */
} pt_erase_table;

typedef struct pt_erase {
    const char *pipeline, *topic; /* not owned */
    pt_erase_table *tables;
    size_t n_tables;
} pt_erase;

/* From this offset of a partition on. */
typedef struct pt_cut {
    int32_t partition;
    int64_t from;
    int64_t until; /* where the partition stood; -1: nowhere. For the ledger's detail only */
} pt_cut;

/* What goes of one table and partition: deleted from the table, and taken from what the ledger
 * counts (the same where both agree). */
typedef struct pt_erased {
    int64_t rows, dead_letters;
    int64_t ledger_rows, ledger_dead_letters;
} pt_erased;

/* PT_E_LAKE: rows cannot be told from others', since another pipeline read the topic into the same
 * table, or several topics are in a table without _kafka_topic. */
int pt_erase_open(pt_session *session, const char *pipeline, const char *topic, pt_erase *out,
                  pt_error *err) PT_CHECKED;
void pt_erase_close(pt_erase *erase);

/* Counts; out: [n_tables * n_cuts], table by table. In the transaction of pt_erase_run, or for a
 * look. */
int pt_erase_count(pt_session *session, const pt_erase *erase, const pt_cut *cuts, size_t n_cuts,
                   pt_erased *out, pt_error *err) PT_CHECKED;

/* Deletes, in the transaction that also writes the ledger's rows. */
int pt_erase_run(pt_session *session, const pt_erase *erase, const pt_cut *cuts, size_t n_cuts,
                 pt_error *err) PT_CHECKED;
