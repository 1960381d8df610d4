#include "cli/check/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/shown.h"
#include "cli/check/grid.h"
#include "cli/result_box.h"

#define RULE "=========================================================================="

/* ---- shared with the JSON ---- */

const char *pt_check_verdict(const pt_audit *audit) {
    return audit->n_findings ? "findings" : audit->has_ledger ? "sound" : "not audited";
}

static bool same_block(const pt_audit_partition *x, const pt_audit_partition *y) {
    return strcmp(x->pipeline, y->pipeline) == 0 && strcmp(x->topic, y->topic) == 0 &&
           strcmp(x->table, y->table) == 0;
}

size_t pt_check_block_end(const pt_audit *audit, size_t from) {
    size_t until = from + 1;
    while (until < audit->n_partitions &&
           same_block(&audit->partitions[from], &audit->partitions[until])) {
        until++;
    }
    return until;
}

bool pt_check_shows_reason(const pt_audit *audit, size_t row) {
    const char *pipeline = pt_result_cell(&audit->reasons, row, 0),
               *topic = pt_result_cell(&audit->reasons, row, 1);
    for (size_t i = 0; pipeline && topic && i < audit->n_partitions; i++) {
        if (strcmp(audit->partitions[i].pipeline, pipeline) == 0 &&
            strcmp(audit->partitions[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- pieces ---- */

static void heading(const pt_check_report *r, pt_text *out, const char *text) {
    pt_text_addf(out, "\n%s%s%s\n", r->colour ? PT_MARK_BOLD : "", text,
                 r->colour ? PT_MARK_END : "");
}

static void add_size(char *out, size_t size, int64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 4; unit++) {
        value /= 1024;
    }
    (void)snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

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

static void add_banner(const pt_check_report *r, pt_text *out) {
    pt_text_add(out, RULE "\n pintail check  ");
    pt_text_add_redacted(out, r->lake);
    if (r->audit->snapshot >= 0) {
        pt_text_addf(out, "\n snapshot       %" PRId64, r->audit->snapshot);
    }
    if (r->brokers) {
        pt_text_addf(out, "\n broker         %s", r->brokers);
    }
    pt_text_add(out, "\n" RULE "\n");
}

/* ---- what the tables hold ---- */

static bool is_number(const char *text) {
    return *text && text[strspn(text, "+-0123456789.eE")] == '\0';
}

/* Numbers to the right: a column whose cells all look like one. */
static bool is_numeric(const pt_result *t, size_t column) {
    bool any = false;
    for (size_t row = 0; row < t->n_rows; row++) {
        const char *cell = pt_result_cell(t, row, column);
        if (cell && !is_number(cell)) {
            return false;
        }
        any = any || cell != NULL;
    }
    return any;
}

static int rank(const char *name) {
    return strcmp(name, "ingest_time") == 0 ? 0 : strncmp(name, "_kafka_", 7) == 0 ? 2 : 1;
}

/* All columns but the JSON; ingest_time first, what came with the record last. */
static void add_latest(const pt_check_report *r, const pt_audit_table *t, pt_text *out) {
    const pt_result *rows = &t->latest;
    pt_grid grid = {0};
    size_t order[64], n = 0, dropped = 0;
    for (int want = 0; want < 3; want++) {
        for (size_t c = 0; c + 1 < rows->n_columns; c++) {
            if (rank(rows->names[c]) != want) {
                continue;
            }
            if (n < sizeof order / sizeof *order &&
                pt_grid_column(&grid, rows->names[c], is_numeric(rows, c))) {
                order[n++] = c;
            } else {
                dropped++;
            }
        }
    }
    for (size_t row = 0; row < rows->n_rows; row++) {
        for (size_t k = 0; k < n; k++) {
            pt_grid_add(&grid, pt_result_cell(rows, row, order[k]));
        }
    }
    pt_text_addf(out, "\n  latest %zu by %s\n", rows->n_rows, t->latest_by);
    dropped += pt_grid_print(&grid, "  ", r->width, r->colour, out);
    if (dropped) {
        pt_text_addf(out, "  (%zu more columns; --json has them all)\n", dropped);
    }
}

/* "1234567.80" as "1,234,567.80"; what is no plain number stays as it is. */
static void add_amount(pt_grid *grid, const char *amount) {
    pt_text shown = {0};
    size_t digits = amount ? strspn(amount, "-0123456789") : 0;
    long long whole;
    if (!amount || digits > 18 || (amount[digits] && amount[digits] != '.') ||
        sscanf(amount, "%lld", &whole) != 1 || (whole == 0 && *amount == '-')) {
        pt_grid_add(grid, amount);
        return;
    }
    pt_add_grouped(&shown, whole);
    pt_text_add(&shown, amount + digits);
    pt_grid_add(grid, pt_text_get(&shown));
    pt_text_free(&shown);
}

static void add_sales(const pt_check_report *r, const pt_result *sales, pt_text *out) {
    pt_grid grid = {0};
    (void)pt_grid_column(&grid, "product", false);
    (void)pt_grid_column(&grid, "count", true);
    (void)pt_grid_column(&grid, "revenue", true);
    for (size_t row = 0; row < sales->n_rows; row++) {
        pt_grid_add(&grid, pt_result_cell(sales, row, 0));
        pt_grid_number(&grid, pt_result_int(sales, row, 1));
        add_amount(&grid, pt_result_cell(sales, row, 2));
    }
    pt_text_add(out, "\n  sales by product\n");
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
}

static void add_table(const pt_check_report *r, const pt_audit_table *t, pt_text *out) {
    pt_text title = {0};
    pt_text_addf(&title, "%s: ", t->name);
    if (!t->exists) {
        pt_text_add(&title, "not there");
    } else if (!t->readable) {
        pt_text_add(&title, "cannot be read, files are missing");
    } else {
        pt_add_grouped(&title, t->rows);
        pt_text_add(&title, t->rows == 1 ? " row" : " rows");
    }
    if (t->foreign_rows) {
        pt_text_add(&title, ", ");
        pt_add_grouped(&title, t->foreign_rows);
        pt_text_add(&title, " of them without an offset (not from Kafka)");
    }
    heading(r, out, pt_text_get(&title));
    pt_text_free(&title);
    if (t->latest.n_rows) {
        add_latest(r, t, out);
    }
    if (t->sales.n_rows) {
        add_sales(r, &t->sales, out);
    }
}

static void add_files(const pt_check_report *r, pt_text *out) {
    static const char *const heads[] = {"table", "data files", "size", "below 10 MiB", "missing"};
    pt_grid grid = {0};
    for (size_t i = 0; i < r->audit->n_tables; i++) {
        const pt_audit_table *t = &r->audit->tables[i];
        char size[32];
        if (!t->exists) {
            continue;
        }
        bool begun = grid.n_columns > 0;
        for (size_t k = 0; !begun && k < sizeof heads / sizeof *heads; k++) {
            (void)pt_grid_column(&grid, heads[k], k > 0);
        }
        add_size(size, sizeof size, t->bytes);
        pt_grid_add(&grid, t->name);
        pt_grid_number(&grid, t->files);
        pt_grid_add(&grid, size);
        pt_grid_number(&grid, t->small_files);
        pt_grid_number(&grid, t->missing_files);
    }
    if (grid.n_columns) {
        heading(r, out, "files");
    }
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
}

/* ---- partitions ---- */

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

static void add_block(const pt_check_report *r, size_t from, size_t until, pt_text *out) {
    const pt_audit *audit = r->audit;
    const pt_audit_partition *head = &audit->partitions[from];
    pt_text title = {0};
    pt_grid grid = {0};
    pt_check_line all = {.name = "all", .first = -1, .next = -1, .behind_us = -1};
    pt_text_addf(&title, "topic %s -> %s  (pipeline %s)", head->topic,
                 *head->table ? head->table : "no table yet", head->pipeline);
    heading(r, out, pt_text_get(&title));
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
static void add_summary(const pt_check_report *r, pt_text *out) {
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

static void add_reasons(const pt_check_report *r, pt_text *out) {
    const pt_result *t = &r->audit->reasons;
    bool old = has_old_letters(r->audit);
    pt_grid grid = {0};
    for (size_t i = 0; i < t->n_rows; i++) {
        if (!pt_check_shows_reason(r->audit, i)) {
            continue;
        }
        if (grid.n_columns == 0) {
            heading(r, out, "dead letters");
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

/* ---- the verdict ---- */

/* "missing_file" as "missing file" */
static void add_kind(const char *kind, pt_text *out) {
    for (const char *p = kind; *p; p++) {
        pt_text_add_n(out, *p == '_' ? " " : p, 1);
    }
}

static void add_finding(const pt_finding *f, pt_text *out) {
    pt_text_add(out, "  ");
    add_kind(f->kind, out);
    pt_text_add(out, ": ");
    if (f->topic) {
        pt_text_addf(out, "topic %s", f->topic);
        if (f->partition >= 0) {
            pt_text_addf(out, " partition %" PRId32, f->partition);
        }
        pt_text_add(out, f->table ? ", " : ": ");
    }
    if (f->table) {
        pt_text_addf(out, "table %s: ", f->table);
    }
    pt_text_add(out, f->text);
    for (size_t i = 0; i < f->n_examples; i++) {
        pt_text_addf(out, "%s%" PRId64,
                     i              ? ", "
                     : f->count > 1 ? "; offsets "
                                    : "; offset ",
                     f->examples[i]);
    }
    pt_text_add(out, f->n_examples && f->count > (int64_t)f->n_examples ? ", ...\n" : "\n");
}

/* "3 findings: 1 gap, 2 duplicate" */
static void add_kinds(const pt_audit *audit, pt_text *out) {
    pt_text_addf(out, "%zu %s: ", audit->n_findings,
                 audit->n_findings == 1 ? "finding" : "findings");
    const char *comma = "";
    for (size_t i = 0; i < audit->n_findings; i++) {
        const char *kind = audit->findings[i].kind;
        size_t n = 0;
        bool first = true;
        for (size_t k = 0; k < audit->n_findings; k++) {
            bool same = strcmp(audit->findings[k].kind, kind) == 0;
            n += same;
            first = first && !(same && k < i);
        }
        if (first) {
            pt_text_addf(out, "%s%zu ", comma, n);
            add_kind(kind, out);
            comma = ", ";
        }
    }
}

static void add_verdict(const pt_check_report *r, pt_text *out) {
    const pt_audit *audit = r->audit;
    pt_text_add(out, !r->colour          ? ""
                     : audit->n_findings ? PT_MARK_RED
                     : audit->has_ledger ? PT_MARK_GREEN
                                         : PT_MARK_BOLD);
    if (audit->n_findings) {
        add_kinds(audit, out);
    } else if (!audit->has_ledger) {
        pt_text_add(out, "not audited: the lake has no ledger of pintail's");
    } else if (audit->n_partitions == 0) {
        pt_text_add(out, "sound: nothing was committed yet");
    } else {
        pt_text_add(out, "sound: every committed offset is in its table or in the dead letters");
    }
    pt_text_add(out, r->colour ? PT_MARK_END "\n" : "\n");
}

/* The marks to sequences, everything else that steers a terminal to text. */
static void add_for_terminal(const pt_check_report *r, const pt_text *made, pt_text *out) {
    static const char *const sequences[] = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[2m",
                                            "\033[0m"};
    const char *p = pt_text_get(made);
    out->failed |= made->failed;
    while (*p) {
        size_t n = strcspn(p, PT_MARK_BOLD PT_MARK_RED PT_MARK_GREEN PT_MARK_DIM PT_MARK_END);
        pt_text_add_shown(out, p, n, "\n");
        p += n;
        if (*p) {
            pt_text_add(out, r->colour ? sequences[*p - *PT_MARK_BOLD] : "");
            p++;
        }
    }
}

/* Lines of words that are wider than width are broken between two, and go on further to the right.
 * A word alone may be wider. */
static void wrap(const pt_text *made, size_t width, pt_text *out) {
    const char *p = pt_text_get(made);
    out->failed |= made->failed;
    while (*p) {
        size_t indent = strspn(p, " "), column = 0, begun = 0;
        const char *end = p + strcspn(p, "\n");
        while (p < end) {
            char word[2000];
            size_t spaces = strspn(p, " ");
            size_t n = strcspn(p + spaces, " \n");
            (void)snprintf(word, sizeof word, "%.*s", (int)n, p + spaces);
            size_t w = pt_display_width(word);
            if (begun > 0 && column + spaces + w > width) {
                pt_text_addf(out, "\n%*s", (int)indent + 4, "");
                column = indent + 4;
            } else {
                pt_text_add_n(out, p, spaces);
                column += spaces;
            }
            pt_text_add_n(out, p + spaces, n);
            column += w;
            begun += n > 0;
            p += spaces + n;
        }
        pt_text_add(out, "\n");
        p += *p == '\n';
    }
}

static void add_report(const pt_check_report *report, pt_text *out);

void pt_check_text(const pt_check_report *report, pt_text *out) {
    pt_text made = {0}, wrapped = {0};
    add_report(report, &made);
    wrap(&made, report->width, &wrapped);
    add_for_terminal(report, &wrapped, out);
    pt_text_free(&made);
    pt_text_free(&wrapped);
}

static void add_findings(const pt_check_report *r, pt_text *out) {
    if (r->audit->n_findings) {
        heading(r, out, "findings");
        for (size_t i = 0; i < r->audit->n_findings; i++) {
            add_finding(&r->audit->findings[i], out);
        }
    }
}

static void add_notes(const pt_check_report *r, pt_text *out) {
    if (r->audit->n_notes) {
        heading(r, out, "notes");
        for (size_t i = 0; i < r->audit->n_notes; i++) {
            pt_text_addf(out, "  %s\n", r->audit->notes[i]);
        }
    }
}

static void add_details(const pt_check_report *r, pt_text *out) {
    const pt_audit *audit = r->audit;
    for (size_t i = 0; i < audit->n_tables; i++) {
        add_table(r, &audit->tables[i], out);
    }
    for (size_t from = 0, until; from < audit->n_partitions; from = until) {
        until = pt_check_block_end(audit, from);
        add_block(r, from, until, out);
    }
    add_reasons(r, out);
    add_files(r, out);
}

static void add_report(const pt_check_report *report, pt_text *out) {
    add_banner(report, out);
    add_verdict(report, out);
    add_findings(report, out);
    if (report->summary) {
        add_summary(report, out);
    } else {
        add_details(report, out);
    }
    add_notes(report, out);
}
