/* The last record of a partition that the lake holds, in its table or as a dead letter: what the
 * broker's record at that offset is compared with. */
#pragma once

#include <stddef.h>

#include "duck/engine.h"
#include "lake/ledger.h"
#include "lake/table.h"

/* Fills last_offset and last_us of each claim that pt_ledger_read found records for; it stays empty
 * where the lake has no such row any more (deleted, or it is in none of the targets). Looks only at
 * what the last commit of each partition can have written. */
int pt_last_records_read(pt_session *session, const char *pipeline, pt_table *const *tables,
                         size_t n_tables, pt_claim *claims, size_t n_claims,
                         pt_error *err) PT_CHECKED;
