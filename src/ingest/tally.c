#include "ingest/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/options.h"

#define LOG_EVERY        (60 * PT_SECOND)
#define TOPICS_NAMED     3
#define REFUSED_IN_A_ROW 8 /* more are no fault of the records */

static uint64_t letters_of(const pt_tally *t) {
    uint64_t sum = 0;
    for (size_t code = 0; code < PT_DECODE_CODES; code++) {
        sum += code == PT_DECODE_TOMBSTONE ? 0 : t->letters[code];
    }
    return sum;
}

/* "no_column 120, range 3"; tombstones are as they should be and left out. */
static void add_counts(const pt_tally *t, pt_text *out) {
    const char *comma = "";
    for (size_t code = 0; code < PT_DECODE_CODES; code++) {
        if (t->letters[code] && code != PT_DECODE_TOMBSTONE) {
            pt_text_addf(out, "%s%s %" PRIu64, comma, pt_decode_code_name((pt_decode_code)code),
                         t->letters[code]);
            comma = ", ";
        }
    }
}

/* Without memory it is counted. */
static bool is_counted(pt_tally *t, int32_t partition, int64_t offset, pt_decode_code code) {
    size_t n = (size_t)partition + 1;
    if (code == PT_DECODE_REFUSED) { /* others behind it were counted before it was refused */
        for (size_t i = 0; i < t->n_refused; i++) {
            if (t->refused[i].partition == partition && t->refused[i].offset == offset) {
                bool counted = t->refused[i].counted;
                t->refused[i].counted = true;
                return counted;
            }
        }
        return false;
    }
    if (n > t->n_counted) {
        int64_t *grown = realloc(t->counted, n * sizeof *grown);
        if (!grown) {
            return false;
        }
        memset(grown + t->n_counted, 0, (n - t->n_counted) * sizeof *grown);
        t->counted = grown;
        t->n_counted = n;
    }
    bool counted = offset < t->counted[partition];
    t->counted[partition] = counted ? t->counted[partition] : offset + 1;
    return counted;
}

bool pt_tally_names_key(pt_tally *t, const char *key) {
    for (size_t i = 0; i < t->n_keys; i++) {
        if (strcmp(t->keys[i], key) == 0) {
            return false;
        }
    }
    char **grown = realloc(t->keys, (t->n_keys + 1) * sizeof *grown);
    t->keys = grown ? grown : t->keys;
    if (grown && (grown[t->n_keys] = strdup(key)) != NULL) {
        t->n_keys++;
    }
    return true;
}

void pt_tally_letter(pt_tally *t, pt_tally_of of, int32_t partition, int64_t offset,
                     const pt_decode_error *why) {
    bool tombstone = why->code == PT_DECODE_TOMBSTONE;
    pt_tally_first *first = &t->first[why->code];
    if (is_counted(t, partition, offset, why->code) || t->letters[why->code]++) {
        return;
    }
    *first = (pt_tally_first){.partition = partition, .offset = offset};
    (void)snprintf(first->text, sizeof first->text, "%s", why->text);
    t->logged += !tombstone;
    t->logged_us = tombstone || t->logged_us ? t->logged_us : pt_monotonic_us();
    pt_log(tombstone ? PT_LOG_INFO : PT_LOG_WARN, PT_EVENT("dead letter, the first with this code"),
           PT_STR("topic", of.topic), PT_STR("table", of.table), PT_INT("partition", partition),
           PT_INT("offset", offset), PT_STR("code", pt_decode_code_name(why->code)),
           PT_STR("text", why->text), PT_INT("position", why->position));
}

void pt_tally_log(pt_tally *t, pt_tally_of of) {
    uint64_t letters = letters_of(t);
    int64_t now = letters > t->logged ? pt_monotonic_us() : 0;
    if (letters == t->logged || now - t->logged_us < LOG_EVERY) {
        return;
    }
    pt_text counts = {0};
    pt_error ignored;
    add_counts(t, &counts);
    if (pt_text_check(&counts, &ignored) == PT_OK) {
        pt_log(PT_LOG_WARN, PT_EVENT("dead letters"), PT_STR("topic", of.topic),
               PT_STR("table", of.table), PT_INT("new", letters - t->logged),
               PT_INT("rows", t->rows), PT_STR("in_all", pt_text_get(&counts)));
    }
    pt_text_free(&counts);
    t->logged = letters;
    t->logged_us = now;
}

/* The code that most dead letters have. */
static size_t most_frequent(const pt_tally *t) {
    size_t most = 0;
    for (size_t code = 0; code < PT_DECODE_CODES; code++) {
        most = code != PT_DECODE_TOMBSTONE && t->letters[code] > t->letters[most] ? code : most;
    }
    return most;
}

static void add_topic(const pt_tally *t, pt_tally_of of, pt_text *out) {
    size_t code = most_frequent(t);
    const pt_tally_first *first = &t->first[code];
    pt_text_addf(out, "topic %s: no record became a row of %s, all are dead letters (", of.topic,
                 of.table);
    add_counts(t, out);
    pt_text_addf(out, "), such as partition %" PRId32 " offset %" PRId64 ": %s: %s",
                 first->partition, first->offset, pt_decode_code_name((pt_decode_code)code),
                 first->text);
}

int pt_tally_judge(const pt_tally *tallies, const pt_route_options *routes, size_t n,
                   pt_error *err) {
    size_t found = 0;
    pt_text text = {0};
    for (size_t i = 0; i < n; i++) {
        if (tallies[i].rows == 0 && letters_of(&tallies[i]) > 0 && found++ < TOPICS_NAMED) {
            pt_text_add(&text, found > 1 ? "; " : "");
            add_topic(&tallies[i], (pt_tally_of){routes[i].topic, routes[i].table}, &text);
        }
    }
    if (found > TOPICS_NAMED) {
        pt_text_addf(&text, "; and %zu more topics", found - TOPICS_NAMED);
    }
    int code = found ? pt_text_check(&text, err) : PT_OK;
    if (found && code == PT_OK) {
        code = pt_fail(err, PT_E_DATA,
                       "what was read is committed, but nothing fitted; mend the schema or the "
                       "producer and read again (pintail reset): %s",
                       pt_text_get(&text));
    }
    pt_text_free(&text);
    return code;
}

const pt_tally_refused *pt_tally_find_refused(const pt_tally *t, int32_t partition,
                                              int64_t offset) {
    for (size_t i = 0; i < t->n_refused; i++) {
        if (t->refused[i].partition == partition && t->refused[i].offset == offset) {
            return &t->refused[i];
        }
    }
    return NULL;
}

void pt_tally_passed(pt_tally *t) {
    t->refused_in_a_row = 0;
    t->credit = true;
}

int pt_tally_pass_alone(pt_tally *t, pt_tally_of of, int32_t partition, int64_t offset,
                        pt_error *err) {
    const pt_tally_refused *refused = pt_tally_find_refused(t, partition, offset);
    if (t->credit) {
        t->credit = false; /* once: the next one has to be shown to be the only one */
        return PT_OK;
    }
    return pt_fail(err, PT_E_LAKE,
                   "topic %s partition %" PRId32 " offset %" PRId64
                   ": the lake refuses the record and has taken no other one of table %s since, so "
                   "that the table or a right may be the reason "
                   "(nothing of it is committed; once another record follows that the lake takes, "
                   "this one becomes a dead letter): %s",
                   of.topic, partition, offset, of.table, refused ? refused->text : "refused");
}

int pt_tally_refuse(pt_tally *t, const char *topic, int32_t partition, int64_t offset,
                    const char *words, bool passed, pt_error *err) {
    t->refused_in_a_row = passed ? 1 : t->refused_in_a_row + 1;
    if (t->refused_in_a_row > REFUSED_IN_A_ROW) {
        return pt_fail(err, PT_E_LAKE,
                       "topic %s partition %" PRId32 " offset %" PRId64
                       " and the %d records before it, none of which is committed, are refused by "
                       "the lake: %s",
                       topic, partition, offset, REFUSED_IN_A_ROW, words);
    }
    if (!t->found && !(t->found = malloc(sizeof *t->found))) {
        return pt_fail_nomem(err, "the place of a refused record");
    }
    *t->found = (pt_tally_refused){.passed = passed, .partition = partition, .offset = offset};
    (void)snprintf(t->found->text, sizeof t->found->text, "%.*s", (int)sizeof t->found->text - 1,
                   words);
    return pt_fail(err, PT_E_REFUSED,
                   "topic %s partition %" PRId32 " offset %" PRId64
                   ": the lake refuses the record%s: %s",
                   topic, partition, offset, passed ? "" : " and, so far, has taken none beside it",
                   words);
}

void pt_tally_settle(pt_tally *t) {
    t->rows = t->committed;
    if (!t->found) {
        return;
    }
    pt_tally_refused *grown = realloc(t->refused, (t->n_refused + 1) * sizeof *grown);
    if (grown) { /* else the lake refuses it once more */
        t->refused = grown;
        grown[t->n_refused++] = *t->found;
    }
    free(t->found);
    t->found = NULL;
}

void pt_tally_clear(pt_tally *t) {
    for (size_t i = 0; i < t->n_keys; i++) {
        free(t->keys[i]);
    }
    free(t->keys);
    free(t->counted);
    free(t->refused);
    free(t->found);
    *t = (pt_tally){0};
}
