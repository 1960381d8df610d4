#include "cli/check/partitions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/check/grid.h"

static void add_age(char *out, size_t size, int64_t us) {
    double s = (double)us / 1e6;
    if (us < 0) {
        (void)snprintf(out, size, "-");
    } else if (s < 120) {
        (void)snprintf(out, size, "%.1f s", s);
    } else if (s < 7200) {
        (void)snprintf(out, size, "%.0f min", s / 60);
    } else {
        (void)snprintf(out, size, "%.1f h", s / 3600);
    }
}

enum { SUM_ROWS, SUM_DEAD, SUM_GAPS, SUM_DUPLICATES, SUM_HIDDEN, SUM_LAG, N_SUMS };

#define FOLD_ABOVE 12 /* so many partitions are shown one by one */

/* One line of a block: a partition, a range of partitions with nothing to tell, or all of them. */
typedef struct pt_check_line {
    char name[40];
    int64_t sums[N_SUMS];
    int64_t first, next, behind_us; /* -1: of several, or unknown */
} pt_check_line;

static void sum_up(pt_check_line *line, const pt_audit_partition *p) {
    const int64_t sums[N_SUMS] = {p->rows,       p->dead_letters, p->gaps,
                                  p->duplicates, p->not_exposed,  p->lag};
    for (size_t k = 0; k < N_SUMS; k++) {
        line->sums[k] += sums[k] > 0 ? sums[k] : 0;
    }
    line->behind_us = p->behind_us > line->behind_us ? p->behind_us : line->behind_us;
}

/* Nothing that somebody would want to know by its number. */
static bool is_clean(const pt_audit_partition *p) {
    return p->dead_letters == 0 && p->gaps == 0 && p->duplicates == 0;
}

/* The line that begins with partition `from`; returns where the next one begins. */
static size_t make_line(const pt_audit *audit, size_t from, size_t until, bool fold,
                        pt_check_line *line) {
    const pt_audit_partition *p = &audit->partitions[from];
    size_t end = from + 1;
    while (fold && is_clean(p) && end < until && is_clean(&audit->partitions[end]) &&
           audit->partitions[end].partition == audit->partitions[end - 1].partition + 1 &&
           (audit->partitions[end].lag < 0) == (p->lag < 0)) {
        end++;
    }
    *line = (pt_check_line){.first = -1, .next = -1, .behind_us = -1};
    if (end == from + 1) {
        const int64_t sums[N_SUMS] = {p->rows,       p->dead_letters, p->gaps,
                                      p->duplicates, p->not_exposed,  p->lag};
        memcpy(line->sums, sums, sizeof sums);
        (void)snprintf(line->name, sizeof line->name, "%" PRId32, p->partition);
        line->first = p->first_offset;
        line->next = p->next_offset;
        line->behind_us = p->behind_us;
        return end;
    }
    (void)snprintf(line->name, sizeof line->name, "%" PRId32 "-%" PRId32, p->partition,
                   audit->partitions[end - 1].partition);
    for (size_t i = from; i < end; i++) {
        sum_up(line, &audit->partitions[i]);
    }
    line->sums[SUM_LAG] = p->lag < 0 ? -1 : line->sums[SUM_LAG]; /* the broker did not tell */
    return end;
}

typedef struct pt_check_columns {
    bool gaps, duplicates, hidden, broker; /* columns that would say nothing are left out */
} pt_check_columns;

static pt_check_columns choose_columns(const pt_check_report *r, const pt_check_line *all) {
    return (pt_check_columns){all->sums[SUM_GAPS] > 0, all->sums[SUM_DUPLICATES] > 0,
                              all->sums[SUM_HIDDEN] > 0, r->brokers != NULL};
}

static void add_heads(pt_grid *grid, const pt_check_columns *c) {
    static const char *const heads[] = {"partition", "rows",  "dead letters", "first",
                                        "next",      "gaps",  "duplicates",   "not exposed",
                                        "lag",       "behind"};
    const bool shown[] = {true,    true,          true,      true,      true,
                          c->gaps, c->duplicates, c->hidden, c->broker, c->broker};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (shown[i]) {
            (void)pt_grid_column(grid, heads[i], true);
        }
    }
}

static void add_line(pt_grid *grid, const pt_check_line *line, const pt_check_columns *c) {
    char age[32];
    pt_grid_add(grid, line->name);
    pt_grid_number(grid, line->sums[SUM_ROWS]);
    pt_grid_number(grid, line->sums[SUM_DEAD]);
    pt_grid_number(grid, line->first);
    pt_grid_number(grid, line->next);
    if (c->gaps) {
        pt_grid_number(grid, line->sums[SUM_GAPS]);
    }
    if (c->duplicates) {
        pt_grid_number(grid, line->sums[SUM_DUPLICATES]);
    }
    if (c->hidden) {
        pt_grid_number(grid, line->sums[SUM_HIDDEN]);
    }
    if (c->broker) {
        add_age(age, sizeof age, line->behind_us);
        pt_grid_number(grid, line->sums[SUM_LAG]);
        pt_grid_add(grid, age);
    }
}

static void add_skipped(const pt_audit *audit, size_t from, size_t until, pt_text *out) {
    for (size_t i = from, end; i < until; i = end) {
        int64_t skipped = audit->partitions[i].skipped;
        for (end = i + 1;
             skipped > 0 && end < until && audit->partitions[end].skipped > 0 &&
             audit->partitions[end].partition == audit->partitions[end - 1].partition + 1;
             end++) {
            skipped += audit->partitions[end].skipped;
        }
        if (skipped > 0) {
            pt_text_addf(out, end == i + 1 ? "  partition %" PRId32 : "  partitions %" PRId32,
                         audit->partitions[i].partition);
            if (end > i + 1) {
                pt_text_addf(out, "-%" PRId32, audit->partitions[end - 1].partition);
            }
            pt_text_addf(out,
                         ": %" PRId64
                         " offsets were skipped (--start latest, pintail reset ahead, or "
                         "--on-missing-data skip after the broker had deleted them)\n",
                         skipped);
        }
    }
}

void pt_check_add_block(const pt_check_report *r, size_t from, size_t until, pt_text *out) {
    const pt_audit *audit = r->audit;
    const pt_audit_partition *head = &audit->partitions[from];
    pt_text title = {0};
    pt_grid grid = {0};
    pt_check_line all = {.name = "all", .first = -1, .next = -1, .behind_us = -1};
    pt_text_addf(&title, "topic %s -> %s  (pipeline %s)", head->topic,
                 *head->table ? head->table : "no table yet", head->pipeline);
    pt_check_heading(r, out, pt_text_get(&title));
    pt_text_free(&title);
    for (size_t i = from; i < until; i++) {
        sum_up(&all, &audit->partitions[i]);
    }
    pt_check_columns columns = choose_columns(r, &all);
    add_heads(&grid, &columns);
    for (size_t i = from; i < until;) {
        pt_check_line line;
        i = make_line(audit, i, until, until - from > FOLD_ABOVE, &line);
        add_line(&grid, &line, &columns);
    }
    if (until - from > 1) {
        add_line(&grid, &all, &columns);
    }
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
    add_skipped(audit, from, until, out);
}

/* --summary: a line for each topic. */
void pt_check_add_summary(const pt_check_report *r, pt_text *out) {
    const pt_audit *audit = r->audit;
    pt_grid grid = {0};
    static const char *const heads[] = {"topic",        "pipeline", "partitions", "rows",
                                        "dead letters", "lag",      "behind"};
    for (size_t i = 0; audit->n_partitions && i < (r->brokers ? 7 : 5); i++) {
        (void)pt_grid_column(&grid, heads[i], i > 1);
    }
    for (size_t from = 0, until; from < audit->n_partitions; from = until) {
        char age[32];
        pt_check_line all = {.behind_us = -1};
        until = pt_check_block_end(audit, from);
        for (size_t i = from; i < until; i++) {
            sum_up(&all, &audit->partitions[i]);
        }
        pt_grid_add(&grid, audit->partitions[from].topic);
        pt_grid_add(&grid, audit->partitions[from].pipeline);
        pt_grid_number(&grid, (long long)(until - from));
        pt_grid_number(&grid, all.sums[SUM_ROWS]);
        pt_grid_number(&grid, all.sums[SUM_DEAD]);
        if (r->brokers) {
            add_age(age, sizeof age, all.behind_us);
            pt_grid_number(&grid, all.sums[SUM_LAG]);
            pt_grid_add(&grid, age);
        }
    }
    pt_text_add(out, grid.n_columns ? "\n" : "");
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
}

/* Some dead letters shown are from before a reset. */
static bool has_old_letters(const pt_audit *audit) {
    for (size_t i = 0; i < audit->reasons.n_rows; i++) {
        if (pt_check_shows_reason(audit, i) && pt_result_int(&audit->reasons, i, 5) > 0) {
            return true;
        }
    }
    return false;
}

void pt_check_add_reasons(const pt_check_report *r, pt_text *out) {
    const pt_result *t = &r->audit->reasons;
    bool old = has_old_letters(r->audit);
    pt_grid grid = {0};
    for (size_t i = 0; i < t->n_rows; i++) {
        if (!pt_check_shows_reason(r->audit, i)) {
            continue;
        }
        if (grid.n_columns == 0) {
            pt_check_heading(r, out, "dead letters");
            (void)pt_grid_column(&grid, "pipeline", false);
            (void)pt_grid_column(&grid, "topic", false);
            (void)pt_grid_column(&grid, "reason", false);
            (void)pt_grid_column(&grid, "count", true);
            if (old) {
                (void)pt_grid_column(&grid, "from before a reset", true);
            }
        }
        pt_grid_add(&grid, pt_result_cell(t, i, 0));
        pt_grid_add(&grid, pt_result_cell(t, i, 1));
        pt_grid_add(&grid, pt_result_cell(t, i, 2));
        pt_grid_number(&grid, pt_result_int(t, i, 3));
        if (old) {
            pt_grid_number(&grid, pt_result_int(t, i, 5));
        }
    }
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
}
