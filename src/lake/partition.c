#include "lake/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "duck/result.h"
#include "duck/uri.h"
#include "lake/metadata.h"

#define FOLDER_MAX 255  /* bytes of a folder's name on a disk (NAME_MAX) */
#define OBJECT_MAX 1024 /* bytes of an object's whole key */
#define FILE_NAME  64   /* what stands behind the folder: ducklake-<uuid>.parquet */

/* ---- which columns ---- */

static bool is_unbounded(pt_type_id id) {
    return id == PT_VARCHAR || id == PT_JSON || id == PT_BLOB;
}

/* Bytes in DuckDB's name of a folder: what is not A-Z a-z 0-9 - _ . ~ becomes %XX. */
static size_t folder_bytes(const char *data, size_t len) {
    size_t bytes = len;
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        bytes += plain ? 0 : 2;
    }
    return bytes;
}

static size_t room_for(const pt_table *t, const char *name) {
    size_t key = folder_bytes(name, strlen(name)) + 1;
    size_t most = FOLDER_MAX;
    if (pt_path_is_remote(t->folder)) {
        size_t used = strlen(t->folder) + FILE_NAME;
        most = used < OBJECT_MAX ? OBJECT_MAX - used : 0;
    }
    return most > key ? most - key : 0;
}

static int add_key(pt_table *t, const char *name, bool folders, bool text_catalog, pt_error *err) {
    size_t column = 0;
    while (column < t->n_columns && strcmp(t->names[column], name) != 0) {
        column++;
    }
    if (column == t->n_columns || !is_unbounded(t->types[column].id)) {
        return PT_OK;
    }
    pt_partition_key *keys = realloc(t->keys, (t->n_keys + 1) * sizeof *keys);
    if (!keys) {
        return pt_fail_nomem(err, "the keys of a partitioned table");
    }
    t->keys = keys;
    keys[t->n_keys++] = (pt_partition_key){.column = column,
                                           .room = folders ? room_for(t, name) : SIZE_MAX,
                                           .no_nul = text_catalog};
    return PT_OK;
}

int pt_partition_open(pt_session *session, pt_table *t, pt_error *err) {
    pt_result found = {0};
    int code = pt_metadata_partition_columns(session, t->schema_name, t->name, &found, err);
    for (size_t i = 0; code == PT_OK && i < found.n_rows; i++) {
        code = add_key(t, pt_result_cell(&found, i, 0), pt_result_int(&found, i, 1) == 0,
                       pt_engine_catalog(pt_session_engine(session)) != PT_CATALOG_DUCKDB, err);
    }
    pt_result_clear(&found);
    return code;
}

static bool is_utf8(const char *data, size_t len) {
    duckdb_error_data bad = duckdb_valid_utf8_check(data, len);
    bool good = !bad;
    if (bad) {
        duckdb_destroy_error_data(&bad);
    }
    return good;
}

/* ---- one row ---- */

bool pt_partition_refuses(const pt_table *t, const pt_rows *rows, char *text, size_t size) {
    for (size_t i = 0; i < t->n_keys; i++) {
        const pt_partition_key *key = &t->keys[i];
        const char *data;
        size_t len;
        if (!pt_rows_text(rows, key->column, &data, &len)) {
            continue;
        }
        const char *name = t->names[key->column];
        size_t bytes = key->room < len * 3 ? folder_bytes(data, len) : 0;
        if (bytes > key->room) {
            (void)snprintf(text, size,
                           "column %.60s: the table is partitioned by it, and the value takes %zu "
                           "bytes of a folder's name, which may have %zu",
                           name, bytes, key->room);
            return true;
        }
        if (key->no_nul && memchr(data, '\0', len)) {
            (void)snprintf(text, size,
                           "column %.60s: the table is partitioned by it, and the catalog cannot "
                           "keep a value with a NUL",
                           name);
            return true;
        }
        if (t->types[key->column].id == PT_BLOB && !is_utf8(data, len)) {
            (void)snprintf(text, size,
                           "column %.60s: the table is partitioned by it, and DuckDB takes only "
                           "bytes that are UTF-8 for a folder's name",
                           name);
            return true;
        }
    }
    return false;
}
