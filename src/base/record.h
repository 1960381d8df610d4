/* What a source delivers: views of records, in runs of one partition.
 *
 * A view owns nothing. The bytes belong to whoever gave the run (kafka/consumer.h says how long
 * they stay), and a reader copies what it keeps. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PT_NO_TIME INT64_MIN

typedef struct pt_record {
    int64_t offset;
    int64_t timestamp_us;    /* since the Unix epoch; PT_NO_TIME: the record has none */
    const char *key, *value; /* not terminated; NULL: there is none */
    uint32_t key_len, value_len;
    const void *headers; /* the source's own; pt_record_headers reads them */
} pt_record;

/* Records of one partition under one leader epoch, in the order of their offsets. Offsets may have
 * gaps (control records, compaction). */
typedef struct pt_records {
    size_t topic; /* its number in the list of topics that the source was opened with */
    int32_t partition;
    int32_t leader_epoch; /* of every record in it; -1: not known */
    const pt_record *at;  /* [n] */
    size_t n;
    int64_t position; /* behind the last record */
} pt_records;

/* One header of a record. */
typedef struct pt_header {
    const char *key;
    size_t key_len;
    const void *value; /* NULL: a header without value */
    size_t value_len;
} pt_header;
