/* What a start asks of every table, read for all of them at once: with hundreds of tables the
 * statements for each one took most of a start.
 *
 * It is of one moment: whoever goes by it looks afterwards whether the lake's schemas are as they
 * were (pt_seen_stands). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "duck/result.h"

typedef struct pt_seen {
    int64_t schema_version;
    pt_result names;   /* schema, table or view ("": the schema itself), whether rows were ever put
                          into it */
    pt_result columns; /* schema, table, name, type, nullable, default, of a view: of the tables
                          that were asked for */
    pt_result notes;   /* which tables the rows went to, and by which schemas they were read
                          (lake/identity.h) */
    pt_result fed; /* by topic: table (its label), topic, whether the pipeline recorded it, whether
                      rows of it landed there */
} pt_seen;

/* tables: as --table names them. */
int pt_seen_read(pt_session *session, const char *pipeline, const char *const *tables, size_t n,
                 pt_seen *out, pt_error *err) PT_CHECKED;
void pt_seen_clear(pt_seen *seen);

/* *stands: no table of the lake was altered, made or dropped since. */
int pt_seen_stands(pt_session *session, const pt_seen *seen, bool *stands,
                   pt_error *err) PT_CHECKED;

/* The names as the lake spells them: *table NULL when there is only the schema, both when there is
 * neither. */
void pt_seen_spelling(const pt_seen *seen, const char *asked_schema, const char *asked_table,
                      const char **schema, const char **table);
/* The columns of a table as the lake spells it: rows of name, type, nullable, default, of a view.
 * None: it is not there. */
int pt_seen_columns(const pt_seen *seen, const char *schema, const char *table, pt_result *out,
                    pt_error *err) PT_CHECKED;
/* Another topic of which rows are in the table (its label), or NULL. */
const char *pt_seen_other_topic(const pt_seen *seen, const char *label, const char *topic);
/* False: no row was ever put into the table, as the lake spells it. */
bool pt_seen_may_have_rows(const pt_seen *seen, const char *schema, const char *table);
/* Whether the pipeline has ever recorded anything of the topic. */
bool pt_seen_recorded(const pt_seen *seen, const char *topic);
