#include "pipeline/lag.h"

#include <inttypes.h>
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
    pt_audit_partition *grown = realloc(audit->partitions, (audit->n_partitions + 1) * sizeof *grown);
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

static int measure_partition(pt_audit *audit, pt_watermarks *w, pt_audit_partition *p, int64_t *from, pt_error *err) {
    int64_t low, end;
    PT_TRY(pt_watermarks_offsets(w, p->topic, p->partition, &low, &end, err));
    if (p->next_offset > end) {
        return pt_audit_note(audit, err, "%s partition %" PRId32 ": the lake stands at offset %" PRId64 ", past the broker's end %" PRId64 "; was the topic made anew?",
                             p->topic, p->partition, p->next_offset, end);
    }
    if (p->next_offset >= 0 && p->next_offset < low) {
        PT_TRY(pt_audit_note(audit, err, "%s partition %" PRId32 ": the broker has dropped the offsets %" PRId64 " to %" PRId64 " (retention), which %s never read", p->topic,
                             p->partition, p->next_offset, low - 1, p->pipeline));
    }
    *from = p->next_offset > low ? p->next_offset : low;
    p->lag = end - *from;
    p->behind_us = p->lag ? -1 : 0;
    return PT_OK;
}

/* The age of the first unread record of each partition that lags. */
static int measure_age(pt_audit *audit, pt_watermarks *w, pt_unread *list, const size_t *of, size_t n, pt_error *err) {
    PT_TRY(pt_watermarks_unread(w, list, n, err));
    int64_t now = pt_now_us();
    for (size_t i = 0; i < n; i++) {
        if (list[i].timestamp_us >= 0) {
            audit->partitions[of[i]].behind_us = now > list[i].timestamp_us ? now - list[i].timestamp_us : 0;
        }
    }
    return PT_OK;
}

static bool other_cluster(const pt_audit *audit, size_t stream, const char *cluster) {
    for (size_t i = 0; i < audit->n_partitions; i++) {
        const pt_audit_partition *p = &audit->partitions[i];
        if (*cluster && p->current && *p->cluster_id && same_stream(p, &audit->partitions[stream]) && strcmp(p->cluster_id, cluster) != 0) {
            return true;
        }
    }
    return false;
}

static int measure_stream(pt_audit *audit, pt_watermarks *w, size_t stream, pt_error *err) {
    int32_t n = 0;
    const pt_audit_partition *first = &audit->partitions[stream];
    if (other_cluster(audit, stream, pt_watermarks_cluster(w))) {
        return pt_audit_note(audit, err, "%s: the broker is of cluster %s, the ledger of pipeline %s tells of another one: its lag is not known", first->topic,
                             pt_watermarks_cluster(w), first->pipeline);
    }
    PT_TRY(pt_watermarks_partitions(w, first->topic, &n, err));
    if (n == 0) {
        return pt_audit_note(audit, err, "the broker has no topic %s: its lag is not known", first->topic);
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
            return pt_fail(err, PT_E_KAFKA, "--max-lag: the lag of pipeline %s on topic %s is not known (%s)", first->pipeline, first->topic,
                           audit->n_notes ? audit->notes[audit->n_notes - 1] : "the broker does not tell");
        }
        if (max_lag >= 0 && lag > max_lag &&
            !pt_audit_find(audit, "lag", first->pipeline, first->topic, NULL, -1, lag, "%" PRId64 " records behind the broker, more than --max-lag %" PRId64, lag, max_lag)) {
            return pt_fail_nomem(err, "a finding");
        }
        if (max_dead_letters >= 0 && dead > max_dead_letters &&
            !pt_audit_find(audit, "dead_letters", first->pipeline, first->topic, NULL, -1, dead, "%" PRId64 " dead letters, more than --max-dead-letters %" PRId64, dead,
                           max_dead_letters)) {
            return pt_fail_nomem(err, "a finding");
        }
    }
    return PT_OK;
}
