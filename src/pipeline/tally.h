/* What became of each topic's records in this run, over all its lives: dead letters are told of as they come, and a run to the end in which nothing of a topic fitted is no
 * success. Everything here belongs to the reader's thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "decode/decode.h"

struct pt_route_options;

/* The first dead letter of a code. */
typedef struct pt_tally_first {
    int32_t partition;
    int64_t offset;
    char text[sizeof((pt_decode_error){0}.text)];
} pt_tally_first;

typedef struct pt_tally {
    uint64_t rows; /* in sealed batches */
    uint64_t letters[PT_DECODE_CODES];
    uint64_t told;     /* letters that the log has counted, tombstones left out */
    int64_t told_us;   /* monotonic, when it last did; 0: never */
    pt_tally_first first[PT_DECODE_CODES]; /* where there are letters */
} pt_tally;

/* One topic's place in the log. */
typedef struct pt_tally_of {
    const char *topic, *table;
} pt_tally_of;

/* Counts a dead letter; the first of each code is logged with its text and place. */
void pt_tally_letter(pt_tally *tally, pt_tally_of of, int32_t partition, int64_t offset, const pt_decode_error *why);
/* Called often: logs the counts by code, at most once a minute, when there are more than were told. */
void pt_tally_tell(pt_tally *tally, pt_tally_of of);
/* After --until-end has come to its end. PT_E_DATA: dead letters and no row of a topic; the text says which and why. */
int pt_tally_judge(const pt_tally *tallies, const struct pt_route_options *routes, size_t n, pt_error *err) PT_CHECKED;
