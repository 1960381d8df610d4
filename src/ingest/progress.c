#include "ingest/progress.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

typedef struct counts {
    uint64_t rows, dead_letters, commits;
    int64_t last_commit_us;
} counts;

static counts read_counts(const pt_stats *s) {
    return (counts){pt_stats_get(s, PT_COUNT_ROWS), pt_stats_get(s, PT_COUNT_DEAD_LETTERS),
                    pt_stats_get(s, PT_COUNT_COMMITS), s->last_commit_us};
}

void pt_progress_begin(pt_progress_state *s, const pt_stats *stats) {
    counts c = read_counts(stats);
    *s = (pt_progress_state){pt_monotonic_us(), c.rows + c.dead_letters, c.commits};
}

/* Records that the broker has, by the last fetch, and that we have not read yet. */
static int64_t lag(const pt_reader *r, pt_consumer *consumer) {
    int64_t sum = 0;
    for (size_t i = 0; i < r->n_routes; i++) {
        for (int32_t p = 0; p < r->routes[i].n_partitions; p++) {
            int64_t high = r->routes[i].partitions[p].assigned
                               ? pt_consumer_known_end(consumer, r->routes[i].topic, p)
                               : -1;
            if (high > r->routes[i].partitions[p].position) {
                sum += high - r->routes[i].partitions[p].position;
            }
        }
    }
    return sum;
}

#define TABLES_NAMED 3

/* "orders" or "orders, customers, returns and 4 more" */
static void name_tables(const pt_reader *r, char *out, size_t size) {
    size_t at = 0, named = 0, more = 0;
    *out = '\0';
    for (size_t i = 0; i < r->n_routes; i++) {
        size_t k = 0;
        while (r->routes[k].table != r->routes[i].table) {
            k++;
        }
        if (k == i && named < TABLES_NAMED && at < size) {
            at += (size_t)snprintf(out + at, size - at, "%s%s", named++ ? ", " : "",
                                   r->routes[i].table->label);
        } else if (k == i) {
            more++;
        }
    }
    if (more && at < size) {
        (void)snprintf(out + at, size - at, " and %zu more", more);
    }
}

void pt_progress_show(pt_progress_state *s, const pt_stats *stats, const pt_reader *reader,
                      pt_consumer *consumer) {
    int64_t now = pt_monotonic_us();
    int64_t passed = now - s->shown_us;
    if (passed < PT_SECOND) {
        return;
    }
    counts c = read_counts(stats);
    double rate = (double)(c.rows + c.dead_letters - s->shown_rows) * 1e6 / (double)passed;
    if (pt_progress_wanted()) {
        char text[200];
        double ago = c.last_commit_us ? (double)(now - c.last_commit_us) / 1e6 : -1;
        int n = snprintf(text, sizeof text, "%llu rows, %.0f rows/s, %llu dead letters, lag %lld, ",
                         (unsigned long long)c.rows, rate, (unsigned long long)c.dead_letters,
                         (long long)lag(reader, consumer));
        (void)snprintf(text + n, sizeof text - (size_t)n,
                       ago < 0 ? "no commit yet" : "last commit %.1f s ago", ago);
        pt_progress(text);
    } else if (c.commits != s->shown_commits) {
        char tables[400];
        name_tables(reader, tables, sizeof tables);
        pt_log(PT_LOG_INFO, PT_EVENT("committed"), PT_INT("rows", c.rows),
               PT_INT("dead_letters", c.dead_letters), PT_INT("commits", c.commits),
               PT_INT("rows_per_second", rate), PT_INT("lag", lag(reader, consumer)),
               PT_STR("table", tables));
    } else {
        return;
    }
    s->shown_us = now;
    s->shown_rows = c.rows + c.dead_letters;
    s->shown_commits = c.commits;
}

void pt_progress_log_unfit(pt_reader *reader) {
    for (size_t i = 0; i < reader->n_routes; i++) {
        pt_route *route = &reader->routes[i];
        pt_tally_log(route->tally, (pt_tally_of){route->topic, route->table->label});
        const char *name = pt_decoder_unknown_name(route->decoder, route->unknown_logged);
        if (!name) {
            continue;
        }
        char names[1024] = "";
        size_t at = 0;
        for (; name && at < sizeof names;
             name = pt_decoder_unknown_name(route->decoder, ++route->unknown_logged)) {
            if (pt_tally_names_key(route->tally, name)) { /* an earlier member may have */
                at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", name);
            }
        }
        if (at == 0) {
            continue;
        }
        pt_log(PT_LOG_INFO,
               PT_EVENT("records have keys that no column has; they are ignored (upper and lower "
                        "case differ)"),
               PT_STR("topic", route->topic), PT_STR("table", route->table->label),
               PT_STR("keys",
                      route->table->encrypted ? "not shown, since the lake is encrypted" : names));
    }
}

void pt_progress_end(pt_stats *s, const pt_reader *reader) {
    double seconds = (double)(pt_monotonic_us() - s->started_us) / 1e6;
    uint64_t rows = pt_stats_get(s, PT_COUNT_ROWS);
    for (size_t i = 0; i < reader->n_routes; i++) {
        pt_stats_add(s, PT_COUNT_UNKNOWN_KEYS,
                     pt_decoder_unknown_fields(reader->routes[i].decoder));
    }
    pt_progress(NULL);
    pt_log(PT_LOG_INFO, PT_EVENT("done"), PT_INT("rows", rows),
           PT_INT("dead_letters", pt_stats_get(s, PT_COUNT_DEAD_LETTERS)),
           PT_INT("commits", pt_stats_get(s, PT_COUNT_COMMITS)),
           PT_INT("conflicts", pt_stats_get(s, PT_COUNT_CONFLICTS)),
           PT_INT("unknown_keys", pt_stats_get(s, PT_COUNT_UNKNOWN_KEYS)),
           PT_REALF("seconds", seconds),
           PT_INT("rows_per_second", seconds > 0 ? (double)rows / seconds : 0),
           PT_REALF("stage_seconds", (double)pt_stats_get(s, PT_COUNT_STAGE_TIME) / 1e6),
           PT_REALF("commit_seconds", (double)pt_stats_get(s, PT_COUNT_COMMIT_TIME) / 1e6));
}
