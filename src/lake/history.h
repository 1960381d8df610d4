/* What the ledger tells of earlier runs, for a start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "duck/engine.h"
#include "duck/result.h"

/* The lake's id: the table_uuid of pintail.offsets. "": there is no such table. */
typedef struct pt_lake_id {
    char text[64];
} pt_lake_id;

int pt_history_lake_id(pt_session *session, pt_lake_id *out, pt_error *err) PT_CHECKED;

/* The default group of a table in this lake: pintail-<table>-<first 8 hex digits of the random end
 * of the lake's id>. */
char *pt_history_group(const char *table_group, const pt_lake_id *id);

/* Pipelines that have claimed partitions, which comes before all that is committed: rows of
 * (pipeline, topic), ordered. Nothing where there is no ledger. */
int pt_history_pipelines(pt_session *session, pt_result *out, pt_error *err) PT_CHECKED;

/* Rows of a topic that the pipeline has in its ledger since the last reset, for a table that is
 * about to be made: of which table (malloc'd; NULL: of none), and whether that one is still there.
 * The one that is gone comes before the one that is there. */
int pt_history_stands(pt_session *session, const char *pipeline, const char *topic, char **table,
                      int64_t *rows, bool *there, pt_error *err) PT_CHECKED;

/* Rows of the topic that the ledger has for the table (its label) since the last reset of each
 * partition. */
int pt_history_rows_since(pt_session *session, const char *pipeline, const char *topic,
                          const char *table, int64_t *rows, pt_error *err) PT_CHECKED;

/* Rows of the topic that the ledger has for a table that was made after all of them, by somebody,
 * in the place of the one that got them; 0: none. */
int pt_history_rows_before(pt_session *session, const char *pipeline, const char *topic,
                           const char *table, int64_t table_id, int64_t *rows,
                           pt_error *err) PT_CHECKED;

/* Another topic than this one of which rows went into the table (pt_table's label), by whatever
 * pipeline; malloc'd, NULL: none. */
int pt_history_other_topic(pt_session *session, const char *table, const char *topic, char **out,
                           pt_error *err) PT_CHECKED;

/* Whether the pipeline has ever claimed a partition of the topic. */
int pt_history_claimed(pt_session *session, const char *pipeline, const char *topic, bool *out,
                       pt_error *err) PT_CHECKED;
