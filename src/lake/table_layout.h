/* How rows of a table are laid out, where its files lie, and how its rows go into it. */
#pragma once

#include "duck/engine.h"
#include "lake/table.h"

/* Fills types, names, n_columns and meta_at out of schema and metas. */
int pt_table_lay_out(pt_table *table, pt_error *err) PT_CHECKED;

/* Fills folder, settings, way, and what of the rows stays in the catalog. Makes a local folder, and
 * looks whether it can be written to. own: it is pintail's own. */
int pt_table_find_folder(pt_session *session, pt_table *table, bool own, pt_error *err) PT_CHECKED;
