/* Reading chunks, also while the writer fills others. */
#include "columns/rows_chunk.h"

size_t pt_rows_chunks(const pt_rows *rows) {
    size_t full = rows->used_chunks;
    return full && rows->chunks[full - 1]->rows == 0 ? full - 1 : full;
}

duckdb_data_chunk pt_rows_chunk(const pt_rows *rows, size_t i) {
    pt_chunk_seal(rows, rows->chunks[i]);
    return rows->chunks[i]->chunk;
}

void pt_rows_share(pt_rows *rows) {
    bool last_is_full = rows->chunk && rows->chunk->rows == pt_chunk_rows();
    pthread_mutex_lock(&rows->lock);
    rows->ready = rows->used_chunks - (rows->used_chunks > 0 && !last_is_full);
    rows->state = PT_ROWS_GROWING;
    pthread_mutex_unlock(&rows->lock);
}

void pt_rows_finish(pt_rows *rows, bool complete) {
    pthread_mutex_lock(&rows->lock);
    rows->state = complete ? PT_ROWS_COMPLETE : PT_ROWS_GIVEN_UP;
    (void)pthread_cond_broadcast(&rows->grown);
    pthread_mutex_unlock(&rows->lock);
}

/* Under the lock. */
static size_t ready_chunks(const pt_rows *rows) {
    return rows->state == PT_ROWS_COMPLETE  ? pt_rows_chunks(rows)
           : rows->state == PT_ROWS_GROWING ? rows->ready
                                            : 0;
}

duckdb_data_chunk pt_rows_follow(pt_rows *rows, size_t i) {
    pthread_mutex_lock(&rows->lock);
    while (rows->state == PT_ROWS_GROWING && i >= rows->ready) {
        (void)pthread_cond_wait(&rows->grown, &rows->lock);
    }
    pt_chunk *chunk = i < ready_chunks(rows) ? rows->chunks[i] : NULL;
    pthread_mutex_unlock(&rows->lock);
    if (!chunk) {
        return NULL;
    }
    pt_chunk_seal(rows, chunk);
    return chunk->chunk;
}

size_t pt_rows_ready(pt_rows *rows, bool *growing) {
    pthread_mutex_lock(&rows->lock);
    size_t n = ready_chunks(rows);
    if (growing) {
        *growing = rows->state == PT_ROWS_GROWING;
    }
    pthread_mutex_unlock(&rows->lock);
    return n;
}

bool pt_rows_complete(pt_rows *rows) {
    pthread_mutex_lock(&rows->lock);
    bool complete = rows->state == PT_ROWS_COMPLETE;
    pthread_mutex_unlock(&rows->lock);
    return complete;
}
