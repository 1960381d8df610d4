/* What the lake has under the name of a table: how it spells the name, and the columns. */
#pragma once

#include "duck/result.h"
#include "lake/seen.h"
#include "lake/table.h"

/* The columns of the table as the lake has them now: rows of name, type, nullable, default, of a
 * view. None: it is not there. */
int pt_table_read_columns(pt_session *session, const pt_table *table, pt_result *out,
                          pt_error *err) PT_CHECKED;
/* The same out of what a start has seen (NULL: the lake is asked). now: it was seen a moment ago;
 * else a table that was not there may have been made since, and the lake is asked for it. */
int pt_table_know_columns(pt_session *session, const pt_seen *seen, bool now, const pt_table *table,
                          pt_result *out, pt_error *err) PT_CHECKED;

/* Writes schema_name and name as the lake spells them; what it does not have stays as it is. */
int pt_table_know_spelling(pt_session *session, const pt_seen *seen, pt_table *table,
                           pt_error *err) PT_CHECKED;
