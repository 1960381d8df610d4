#include "audit/lag.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static bool same_stream(const pt_audit_partition *x, const pt_audit_partition *y) {
    return strcmp(x->pipeline, y->pipeline) == 0 && strcmp(x->topic, y->topic) == 0;
}

/* The first partition of its pipeline and topic speaks for all of them. */
static bool is_first(const pt_audit *audit, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (same_stream(&audit->partitions[k], &audit->partitions[i])) {
            return false;
        }
    }
    return true;
}

static pt_audit_partition *find(pt_audit *audit, size_t stream, int32_t partition) {
    for (size_t i = 0; i < audit->n_partitions; i++) {
        pt_audit_partition *p = &audit->partitions[i];
        if (p->current && p->partition == partition && same_stream(p, &audit->partitions[stream])) {
            return p;
        }
    }
    return NULL;
}

/* A partition of the broker that the pipeline never committed. */
static pt_audit_partition *add(pt_audit *audit, size_t stream, int32_t partition) {
    pt_audit_partition *grown = realloc(audit->partitions,
                                        (audit->n_partitions + 1) * sizeof *grown);
    if (!grown) {
        return NULL;
    }
    audit->partitions = grown;
    const pt_audit_partition *like = &grown[stream];
    pt_audit_partition p = {
        .pipeline = strdup(like->pipeline),
        .topic = strdup(like->topic),
        .table = strdup(like->table),
        .partition = partition,
        .first_offset = -1,
        .next_offset = -1,
        .current = true,
        .lag = -1,
        .behind_us = -1,
        .last_offset = -1,
        .last_epoch = -1,
    };
    if (!p.pipeline || !p.topic || !p.table) {
        free(p.pipeline);
        free(p.topic);
        free(p.table);
        return NULL;
    }
    grown[audit->n_partitions] = p;
    return &grown[audit->n_partitions++];
}

#define WENT_BACK "log_went_back"

static int went_back(pt_audit *audit, const pt_audit_partition *p, pt_error *err,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the lake holds is not in the topic any more. */
static int went_back(pt_audit *audit, const pt_audit_partition *p, pt_error *err,
                     const char *format, ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return pt_audit_find(audit, WENT_BACK, p->pipeline, p->topic, p->table, p->partition, 1,
                         "the log went back: %s", text)
               ? PT_OK
               : pt_fail_nomem(err, "a finding");
}

static void describe(int32_t epoch, int64_t us, char *out, size_t size) {
    char time[40] = "no time";
    if (us >= 0) {
        pt_format_time(us, time, sizeof time);
    }
    if (epoch >= 0) {
        (void)snprintf(out, size, "leader epoch %" PRId32 ", %s", epoch, time);
    } else {
        (void)snprintf(out, size, "%s", time);
    }
}

/* The last record that the lake holds of each partition has to be the broker's at that offset,
 * where it has one. */
static int compare_last(pt_audit *audit, pt_watermarks *w, size_t stream, pt_error *err) {
    pt_unread *list = calloc(audit->n_partitions + 1, sizeof *list);
    size_t *of = calloc(audit->n_partitions + 1, sizeof *of);
    size_t n = 0;
    int code = list && of ? PT_OK : pt_fail_nomem(err, "a list of partitions");
    for (size_t i = 0; code == PT_OK && i < audit->n_partitions; i++) {
        const pt_audit_partition *p = &audit->partitions[i];
        bool of_kafka = p->last_us == INT64_MIN ||
                        p->last_us % 1000 == 0; /* else somebody else has written the row */
        if (p->current && p->last_offset >= 0 && of_kafka && p->lag >= 0 &&
            same_stream(p, &audit->partitions[stream])) {
            of[n] = i;
            list[n++] =
                (pt_unread){.topic = p->topic, .partition = p->partition, .offset = p->last_offset};
        }
    }
    if (code == PT_OK) {
        code = pt_watermarks_unread(w, list, n, err);
    }
    for (size_t i = 0; code == PT_OK && i < n; i++) {
        const pt_audit_partition *p = &audit->partitions[of[i]];
        bool other_epoch = p->last_epoch >= 0 && list[i].epoch >= 0 &&
                           p->last_epoch != list[i].epoch;
        int64_t us = p->last_us < 0 ? -1 : p->last_us;
        if (list[i].found == p->last_offset && (other_epoch || us != list[i].timestamp_us)) {
            char ours[80], theirs[80];
            describe(p->last_epoch, us, ours, sizeof ours);
            describe(list[i].epoch, list[i].timestamp_us, theirs, sizeof theirs);
            code = went_back(audit, p, err,
                             "at offset %" PRId64
                             " the lake has another record (%s) than the broker (%s): an unclean "
                             "leader election, or a restored disk?",
                             p->last_offset, ours, theirs);
        }
    }
    free(list);
    free(of);
    return code;
}

static int measure_partition(pt_audit *audit, pt_watermarks *w, pt_audit_partition *p,
                             int64_t *from, pt_error *err) {
    int64_t low, end;
    PT_TRY(pt_watermarks_offsets(w, p->topic, p->partition, &low, &end, err));
    if (p->next_offset > end) {
        if (*p->cluster_id && strcmp(p->cluster_id, pt_watermarks_cluster(w)) ==
                                  0) { /* else it may be of another one */
            return went_back(audit, p, err,
                             "the lake stands at offset %" PRId64 ", past the broker's end %" PRId64
                             "; was the topic made anew?",
                             p->next_offset, end);
        }
        return pt_audit_note(audit, err,
                             "%s partition %" PRId32 ": the lake stands at offset %" PRId64
                             ", past the broker's end %" PRId64 "; was the topic made anew?",
                             p->topic, p->partition, p->next_offset, end);
    }
    if (p->next_offset >= 0 && p->next_offset < low) {
        PT_TRY(pt_audit_note(audit, err,
                             "%s partition %" PRId32 ": the broker has dropped the offsets %" PRId64
                             " to %" PRId64 " (retention), which %s never read",
                             p->topic, p->partition, p->next_offset, low - 1, p->pipeline));
    }
    *from = p->next_offset > low ? p->next_offset : low;
    p->lag = end - *from;
    p->behind_us = p->lag ? -1 : 0;
    return PT_OK;
}

/* The age of the first unread record of each partition that lags. */
static int measure_age(pt_audit *audit, pt_watermarks *w, pt_unread *list, const size_t *of,
                       size_t n, pt_error *err) {
    PT_TRY(pt_watermarks_unread(w, list, n, err));
    int64_t now = pt_now_us();
    for (size_t i = 0; i < n; i++) {
        if (list[i].timestamp_us >= 0) {
            audit->partitions[of[i]].behind_us = now > list[i].timestamp_us
                                                     ? now - list[i].timestamp_us
                                                     : 0;
        }
    }
    return PT_OK;
}

static bool other_cluster(const pt_audit *audit, size_t stream, const char *cluster) {
    for (size_t i = 0; i < audit->n_partitions; i++) {
        const pt_audit_partition *p = &audit->partitions[i];
        if (*cluster && p->current && *p->cluster_id &&
            same_stream(p, &audit->partitions[stream]) && strcmp(p->cluster_id, cluster) != 0) {
            return true;
        }
    }
    return false;
}

static int measure_stream(pt_audit *audit, pt_watermarks *w, size_t stream, pt_error *err) {
    int32_t n = 0;
    const pt_audit_partition *first = &audit->partitions[stream];
    if (other_cluster(audit, stream, pt_watermarks_cluster(w))) {
        return pt_audit_note(audit, err,
                             "%s: the broker is of cluster %s, the ledger of pipeline %s tells of "
                             "another one: its lag is not known",
                             first->topic, pt_watermarks_cluster(w), first->pipeline);
    }
    PT_TRY(pt_watermarks_partitions(w, first->topic, &n, err));
    if (n == 0) {
        return pt_audit_note(audit, err, "the broker has no topic %s: its lag is not known",
                             first->topic);
    }
    pt_unread *list = calloc((size_t)n, sizeof *list);
    size_t *of = calloc((size_t)n, sizeof *of);
    size_t lagging = 0;
    int code = list && of ? PT_OK : pt_fail_nomem(err, "a list of partitions");
    for (int32_t i = 0; code == PT_OK && i < n; i++) {
        pt_audit_partition *p = find(audit, stream, i);
        int64_t from = 0;
        p = p ? p : add(audit, stream, i);
        code = p ? measure_partition(audit, w, p, &from, err) : pt_fail_nomem(err, "a partition");
        if (code == PT_OK && p->lag > 0) {
            of[lagging] = (size_t)(p - audit->partitions);
            list[lagging++] = (pt_unread){.topic = p->topic, .partition = i, .offset = from};
        }
    }
    if (code == PT_OK) {
        code = measure_age(audit, w, list, of, lagging, err);
    }
    if (code == PT_OK) {
        code = compare_last(audit, w, stream, err);
    }
    free(list);
    free(of);
    return code;
}

static int compare(const void *a, const void *b) {
    const pt_audit_partition *x = a, *y = b;
    int by = strcmp(x->pipeline, y->pipeline);
    by = by ? by : strcmp(x->topic, y->topic);
    by = by ? by : strcmp(x->table, y->table);
    return by ? by : (x->partition > y->partition) - (x->partition < y->partition);
}

int pt_lag_measure(pt_audit *audit, pt_watermarks *watermarks, pt_error *err) {
    size_t n = audit->n_partitions; /* those that are added belong to a stream that is there */
    for (size_t i = 0; i < n; i++) {
        if (is_first(audit, i)) {
            PT_TRY(measure_stream(audit, watermarks, i, err));
        }
    }
    if (audit->n_partitions) {
        qsort(audit->partitions, audit->n_partitions, sizeof *audit->partitions, compare);
    }
    return PT_OK;
}

int pt_lag_judge(pt_audit *audit, int64_t max_lag, int64_t max_dead_letters, pt_error *err) {
    for (size_t i = 0; i < audit->n_partitions; i++) {
        if (!is_first(audit, i)) {
            continue;
        }
        const pt_audit_partition *first = &audit->partitions[i];
        int64_t lag = 0, dead = 0;
        bool unknown = false;
        for (size_t k = i; k < audit->n_partitions; k++) {
            const pt_audit_partition *p = &audit->partitions[k];
            if (same_stream(p, first)) {
                lag += p->lag > 0 ? p->lag : 0;
                dead += p->dead_letters;
                unknown = unknown || (p->current && p->lag < 0);
            }
        }
        if (max_lag >= 0 && unknown) {
            return pt_fail(err, PT_E_KAFKA,
                           "--max-lag: the lag of pipeline %s on topic %s is not known (%s)",
                           first->pipeline, first->topic,
                           audit->n_notes ? audit->notes[audit->n_notes - 1]
                                          : "the broker does not tell");
        }
        if (max_lag >= 0 && lag > max_lag &&
            !pt_audit_find(audit, "lag", first->pipeline, first->topic, NULL, -1, lag,
                           "%" PRId64 " records behind the broker, more than --max-lag %" PRId64,
                           lag, max_lag)) {
            return pt_fail_nomem(err, "a finding");
        }
        if (max_dead_letters >= 0 && dead > max_dead_letters &&
            !pt_audit_find(audit, "dead_letters", first->pipeline, first->topic, NULL, -1, dead,
                           "%" PRId64 " dead letters, more than --max-dead-letters %" PRId64, dead,
                           max_dead_letters)) {
            return pt_fail_nomem(err, "a finding");
        }
    }
    return PT_OK;
}
