/* One data chunk of a pt_rows, and the vectors that a writer fills in it. For src/columns alone. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "columns/vectors.h"

struct pt_chunk {
    duckdb_data_chunk chunk;
    pt_vec *vecs;
    size_t rows;
    atomic_size_t sealed; /* rows that DuckDB was told of */
    pthread_mutex_t seal; /* readers may be many */
};

static inline size_t pt_chunk_rows(void) {
    return (size_t)duckdb_vector_size();
}

int pt_chunk_new(pt_rows *rows, pt_chunk **out, pt_error *err) PT_CHECKED;
void pt_chunk_free(pt_chunk *chunk);
/* Makes the chunk ready for its first row. */
void pt_chunk_load(const pt_rows *rows, pt_chunk *chunk);
/* Reads the pointers of vec and all below it; `fresh` forgets what was in the chunk before. */
void pt_chunk_load_vecs(const pt_rows *rows, pt_vec *vecs, uint32_t vec, duckdb_vector vector,
                        bool fresh);
/* Tells DuckDB the sizes. Readers call it, since it costs too much for every row. */
void pt_chunk_seal(const pt_rows *rows, pt_chunk *chunk);
