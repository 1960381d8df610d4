/* The lake's own settings (CALL lake.set_option), as they are for one table: its own, else its
 * schema's, else the lake's. They are law: pintail's tuned defaults hold where the lake says
 * nothing.
 *
 * set_option makes no snapshot, and an attached connection keeps the old values. So a commit looks
 * at them in its transaction, and what has changed begins another member
 * (PT_E_LAKE_CHANGED), which attaches anew: a change holds from the next flush. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "duck/engine.h"
#include "duck/result.h"

/* Rows of a Parquet row group where the lake says nothing, DuckDB's own number; what is read
 * together. */
#define PT_ROW_GROUP_ROWS 122880

/* Of the catalogs that the DuckLake of this program reads and writes. */
#define PT_DUCKLAKE_VERSION "1.0"

typedef struct pt_lake_settings {
    int64_t table_id, schema_id;
    char *all;       /* owned: what matters to a writer, to be compared */
    char *rest;      /* owned: the same without the limit for inlined rows */
    bool *forbidden; /* owned: pintail itself has set that limit to 0 (pt_inlined_forbid); the
                        thread's that commits */
    char *copy;      /* owned: options of COPY for a staged file, without those of row groups; each
                        begins with ", " */
    uint64_t group_rows;  /* of a Parquet row group */
    uint64_t group_bytes; /* 0: nothing said */
    bool insert; /* only an INSERT does what is said (target_file_size, per_thread_output, SET
                    SORTED BY) */
} pt_lake_settings;

/* says->table_id and schema_id are given. PT_E_LAKE: the catalog's version is another one, or a
 * setting is none that can be; the text names it and its scope. */
int pt_settings_take(pt_session *session, pt_lake_settings *settings, pt_error *err) PT_CHECKED;
void pt_lake_settings_clear(pt_lake_settings *settings);

/* Once after an ATTACH of a writer. PT_E_LAKE: a setting of the lake as a whole is none that can
 * be. */
int pt_settings_begin(pt_session *session, pt_error *err) PT_CHECKED;

/* For a look at settings that may have changed (lake/settings_check.h). all: what
 * pt_metadata_settings read. */
int pt_settings_version(const pt_result *all, pt_error *err) PT_CHECKED;
/* What of all matters to a writer, as pt_lake_settings has it in `all`, or in `rest` (without the
 * limit for inlined rows). */
int pt_settings_add(const pt_result *all, const pt_lake_settings *settings, bool limit,
                    pt_text *out, pt_error *err) PT_CHECKED;
