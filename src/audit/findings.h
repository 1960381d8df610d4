/* What an audit is asked for, and what it gives: partitions, tables, findings, notes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "duck/result.h"

#define PT_AUDIT_EXAMPLES 10
/* Bytes; smaller files are counted as small. */
#define PT_AUDIT_SMALL_FILE ((int64_t)10 * 1024 * 1024)

typedef struct pt_finding {
    const char *kind;                    /* "gap", "duplicate", ...; a literal */
    char *pipeline, *topic, *table;      /* NULL: not of one */
    int32_t partition;                   /* -1: not of one */
    int64_t count;                       /* offsets, rows or files */
    char *text;                          /* one line, without where it is */
    int64_t examples[PT_AUDIT_EXAMPLES]; /* offsets */
    size_t n_examples;
} pt_finding;

/* What one pipeline did with one partition for one table. Offsets are -1 when nothing was
 * committed. */
typedef struct pt_audit_partition {
    char *pipeline, *topic, *table; /* table: as the ledger names it, "" when unknown */
    int32_t partition;
    int64_t first_offset, next_offset;
    int64_t rows;         /* in the table; -1: not counted */
    int64_t dead_letters; /* in pintail.dead_letters */
    int64_t ledger_rows, ledger_dead_letters;
    int64_t not_exposed; /* offsets that the broker never showed: control records, compaction,
                            aborted transactions */
    int64_t skipped;     /* offsets jumped over on purpose */
    int64_t gaps;        /* offsets that should be in the lake and are not */
    int64_t duplicates;  /* rows too many with the same offset; -1: cannot be told */
    bool current;        /* of several tables of a partition, the one that ingest fills now */
    char cluster_id[64], topic_id[64];
    int64_t lag;                  /* records, by the caller; -1: unknown */
    int64_t last_offset, last_us; /* of the last record of the last commit that brought any,
                                     microseconds; -1: not known, INT64_MIN: without a time */
    int32_t last_epoch;           /* its leader epoch; -1: not known */
    int64_t behind_us; /* age of the oldest record not in the lake, by the caller; -1: unknown */
} pt_audit_partition;

typedef struct pt_audit_table {
    char *name; /* label: name, or schema.name outside main */
    bool exists, readable;
    int64_t rows;
    int64_t foreign_rows;  /* without an offset: not from Kafka */
    const char *latest_by; /* "ingest_time" or "rowid" */
    pt_result latest;      /* up to 5 rows; the last column is the row as JSON */
    pt_result sales; /* product, count, revenue, JSON; no columns when the table has none of them */
    int64_t files, bytes, small_files, missing_files;
} pt_audit_table;

typedef struct pt_audit {
    int64_t snapshot;
    bool has_ledger;
    pt_audit_table *tables;
    size_t n_tables;
    pt_audit_partition *partitions; /* by pipeline, topic, table, partition */
    size_t n_partitions;
    pt_result reasons; /* of dead letters: pipeline, topic, error_code, count, table, of these from
                          before a reset that goes back behind them */
    pt_finding *findings;
    size_t n_findings;
    char **notes; /* worth knowing, but no findings */
    size_t n_notes;
} pt_audit;

typedef struct pt_audit_options {
    const char *const *topics; /* n_topics 0: all */
    size_t n_topics;
    const char *const *tables; /* n_tables 0: every target of the ledger */
    size_t n_tables;
    const char *pipeline; /* NULL: all */
    bool last_records;    /* fill last_offset and what goes with it */
} pt_audit_options;

void pt_audit_clear(pt_audit *audit);

/* A new finding with its text; NULL without memory. pipeline, topic, table may be NULL and are
 * copied. */
pt_finding *pt_audit_find(pt_audit *audit, const char *kind, const char *pipeline,
                          const char *topic, const char *table, int32_t partition, int64_t count,
                          const char *format, ...) __attribute__((format(printf, 8, 9)));
int pt_audit_note(pt_audit *audit, pt_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4))) PT_CHECKED;
