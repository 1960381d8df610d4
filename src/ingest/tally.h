/* What became of each topic's records in this run, over all its members. Dead letters go to the log
 * as they come. A run to the end in which no record of a topic fitted is no success.
 *
 * A tally belongs to the reader's thread. What the committer's thread adds to it counts when the
 * member has ended (pt_tally_settle). */
#pragma once

#include <stdbool.h>
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

/* A record that the lake refused: it becomes a dead letter when it is read again; for good with a
 * row of its table alone, unless the lake took another one beside it (lake/flush.h). */
typedef struct pt_tally_refused {
    bool passed; /* others of its flush and table did */
    bool counted;
    int32_t partition;
    int64_t offset;
    char text[sizeof((pt_decode_error){0}.text)];
} pt_tally_refused;

typedef struct pt_tally {
    uint64_t rows;      /* in sealed batches; after a member: in committed ones */
    uint64_t committed; /* rows; the committer's thread's while there is one */
    uint64_t letters[PT_DECODE_CODES];
    uint64_t logged;   /* letters that the log has counted, tombstones left out */
    int64_t logged_us; /* monotonic, when it last did; 0: never */
    pt_tally_first first[PT_DECODE_CODES]; /* where there are letters */
    int64_t *counted; /* [n_counted] owned; of each partition the offset behind the last letter:
                         what is read again is not counted again */
    size_t n_counted;
    char **keys; /* [n_keys] owned; that no column has, and the log has named */
    size_t n_keys;
    pt_tally_refused *refused; /* [n_refused] owned; changes between two members */
    size_t n_refused;
    pt_tally_refused *found;   /* owned: the one that this member ends with; the committer's
                                  thread's while there is one */
    unsigned refused_in_a_row; /* without a row of the table that passed; likewise */
    bool credit; /* a row of the table has been committed since the start, or since the last refused
                    record was passed on that; likewise */
} pt_tally;

/* One topic's place in the log. */
typedef struct pt_tally_of {
    const char *topic, *table;
} pt_tally_of;

/* Counts a dead letter; the first of each code is logged with its text and place. */
void pt_tally_letter(pt_tally *tally, pt_tally_of of, int32_t partition, int64_t offset,
                     const pt_decode_error *why);
/* Whether the log has not named the key yet; it has from here on. */
bool pt_tally_names_key(pt_tally *tally, const char *key);
/* Called often: logs the counts by code when they have grown, at most once a minute. */
void pt_tally_log(pt_tally *tally, pt_tally_of of);
/* The record if it was refused, else NULL. */
const pt_tally_refused *pt_tally_find_refused(const pt_tally *tally, int32_t partition,
                                              int64_t offset);
/* In the committer's thread, at the end of a member: notes a record that the lake refuses and fills
 * err: PT_E_REFUSED, or PT_E_LAKE when so many in a row were refused that it is not the records.
 * passed: others of its table were committed beside it. */
int pt_tally_refuse(pt_tally *tally, const char *topic, int32_t partition, int64_t offset,
                    const char *words, bool passed, pt_error *err) PT_CHECKED;
/* Likewise: a row of the table was committed. */
void pt_tally_passed(pt_tally *tally);
/* Likewise: the refused record is about to be committed as a dead letter without a row of its
 * table, while the topic has nothing else. PT_E_LAKE: nothing shows whether the record or the table
 * is at fault. */
int pt_tally_pass_alone(pt_tally *tally, pt_tally_of of, int32_t partition, int64_t offset,
                        pt_error *err) PT_CHECKED;
/* Between two members, when no thread runs. What they have committed counts; the next member reads
 * the rest again, and knows the refused record. */
void pt_tally_settle(pt_tally *tally);
void pt_tally_clear(pt_tally *tally);
/* After --until-end has come to its end. PT_E_DATA: dead letters and no row of a topic; the text
 * names which and why. */
int pt_tally_judge(const pt_tally *tallies, const struct pt_route_options *routes, size_t n,
                   pt_error *err) PT_CHECKED;
