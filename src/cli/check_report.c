#include "cli/check_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/shown.h"
#include "cli/check_grid.h"

#define RULE "=========================================================================="

/* ---- shared with the JSON ------------------------------------------------------------------------------ */

const char *pt_check_verdict(const pt_audit *audit) {
    return audit->n_findings ? "findings" : audit->has_ledger ? "sound" : "not audited";
}

static bool same_block(const pt_audit_partition *x, const pt_audit_partition *y) {
    return strcmp(x->pipeline, y->pipeline) == 0 && strcmp(x->topic, y->topic) == 0 && strcmp(x->table, y->table) == 0;
}

size_t pt_check_block_end(const pt_audit *audit, size_t from) {
    size_t until = from + 1;
    while (until < audit->n_partitions && same_block(&audit->partitions[from], &audit->partitions[until])) {
        until++;
    }
    return until;
}

bool pt_check_shows_reason(const pt_audit *audit, size_t row) {
    const char *pipeline = pt_table_cell(&audit->reasons, row, 0), *topic = pt_table_cell(&audit->reasons, row, 1);
    for (size_t i = 0; pipeline && topic && i < audit->n_partitions; i++) {
        if (strcmp(audit->partitions[i].pipeline, pipeline) == 0 && strcmp(audit->partitions[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- pieces -------------------------------------------------------------------------------------------- */

static void heading(const pt_check_report *r, pt_text *out, const char *text) {
    pt_text_addf(out, "\n%s%s%s\n", r->colour ? PT_MARK_BOLD : "", text, r->colour ? PT_MARK_END : "");
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
        pt_text_addf(out, "  snapshot %" PRId64, r->audit->snapshot);
    }
    if (r->brokers) {
        pt_text_addf(out, "\n broker         %s", r->brokers);
    }
    pt_text_add(out, "\n" RULE "\n");
}

/* ---- what the tables hold ------------------------------------------------------------------------------ */

static bool is_number(const char *text) {
    return *text && text[strspn(text, "+-0123456789.eE")] == '\0';
}

/* Numbers to the right: a column whose cells all look like one. */
static bool is_numeric(const pt_table *t, size_t column) {
    bool any = false;
    for (size_t row = 0; row < t->n_rows; row++) {
        const char *cell = pt_table_cell(t, row, column);
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
    const pt_table *rows = &t->latest;
    pt_grid grid = {0};
    size_t order[64], n = 0, dropped = 0;
    for (int want = 0; want < 3; want++) {
        for (size_t c = 0; c + 1 < rows->n_columns; c++) {
            if (rank(rows->names[c]) != want) {
                continue;
            }
            if (n < sizeof order / sizeof *order && pt_grid_column(&grid, rows->names[c], is_numeric(rows, c))) {
                order[n++] = c;
            } else {
                dropped++;
            }
        }
    }
    for (size_t row = 0; row < rows->n_rows; row++) {
        for (size_t k = 0; k < n; k++) {
            pt_grid_add(&grid, pt_table_cell(rows, row, order[k]));
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
    if (!amount || digits > 18 || (amount[digits] && amount[digits] != '.') || sscanf(amount, "%lld", &whole) != 1 || (whole == 0 && *amount == '-')) {
        pt_grid_add(grid, amount);
        return;
    }
    pt_add_grouped(&shown, whole);
    pt_text_add(&shown, amount + digits);
    pt_grid_add(grid, pt_text_get(&shown));
    pt_text_free(&shown);
}

static void add_sales(const pt_check_report *r, const pt_table *sales, pt_text *out) {
    pt_grid grid = {0};
    (void)pt_grid_column(&grid, "product", false);
    (void)pt_grid_column(&grid, "count", true);
    (void)pt_grid_column(&grid, "revenue", true);
    for (size_t row = 0; row < sales->n_rows; row++) {
        pt_grid_add(&grid, pt_table_cell(sales, row, 0));
        pt_grid_number(&grid, pt_table_int(sales, row, 1));
        add_amount(&grid, pt_table_cell(sales, row, 2));
    }
    pt_text_add(out, "\n  sales by product\n");
    (void)pt_grid_print(&grid, "  ", 0, r->colour, out);
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
    (void)pt_grid_print(&grid, "  ", 0, r->colour, out);
}

/* ---- partitions ---------------------------------------------------------------------------------------- */

enum { SUM_ROWS, SUM_DEAD, SUM_GAPS, SUM_DUPLICATES, SUM_HIDDEN, SUM_LAG, N_SUMS };

static void add_line(pt_grid *grid, const char *name, const int64_t *sums, int64_t first, int64_t next, int64_t behind_us, bool broker) {
    char age[32];
    pt_grid_add(grid, name);
    pt_grid_number(grid, sums[SUM_ROWS]);
    pt_grid_number(grid, sums[SUM_DEAD]);
    pt_grid_number(grid, first);
    pt_grid_number(grid, next);
    pt_grid_number(grid, sums[SUM_GAPS]);
    pt_grid_number(grid, sums[SUM_DUPLICATES]);
    pt_grid_number(grid, sums[SUM_HIDDEN]);
    if (broker) {
        add_age(age, sizeof age, behind_us);
        pt_grid_number(grid, sums[SUM_LAG]);
        pt_grid_add(grid, age);
    }
}

static void add_block(const pt_check_report *r, size_t from, size_t until, pt_text *out) {
    static const char *const heads[] = {"partition", "rows", "dead letters", "first", "next", "gaps", "duplicates", "not exposed", "lag", "behind"};
    const pt_audit_partition *head = &r->audit->partitions[from];
    pt_text title = {0};
    pt_grid grid = {0};
    int64_t total[N_SUMS] = {0}, behind = -1;
    pt_text_addf(&title, "topic %s -> %s  (pipeline %s)", head->topic, *head->table ? head->table : "no table yet", head->pipeline);
    heading(r, out, pt_text_get(&title));
    pt_text_free(&title);
    for (size_t i = 0; i < sizeof heads / sizeof *heads - (r->brokers ? 0 : 2); i++) {
        (void)pt_grid_column(&grid, heads[i], true);
    }
    for (size_t i = from; i < until; i++) {
        const pt_audit_partition *p = &r->audit->partitions[i];
        const int64_t sums[N_SUMS] = {p->rows, p->dead_letters, p->gaps, p->duplicates, p->not_exposed, p->lag};
        char name[16];
        (void)snprintf(name, sizeof name, "%" PRId32, p->partition);
        add_line(&grid, name, sums, p->first_offset, p->next_offset, p->behind_us, r->brokers != NULL);
        for (size_t k = 0; k < N_SUMS; k++) {
            total[k] += sums[k] > 0 ? sums[k] : 0;
        }
        behind = p->behind_us > behind ? p->behind_us : behind;
    }
    if (until - from > 1) {
        add_line(&grid, "all", total, -1, -1, behind, r->brokers != NULL);
    }
    (void)pt_grid_print(&grid, "  ", 0, r->colour, out);
    for (size_t i = from; i < until; i++) {
        const pt_audit_partition *p = &r->audit->partitions[i];
        if (p->skipped > 0) {
            pt_text_addf(out, "  partition %" PRId32 ": %" PRId64 " offsets were skipped (--start latest, or --on-missing-data skip after the broker had deleted them)\n", p->partition, p->skipped);
        }
    }
}

/* Some dead letters shown are from before a reset. */
static bool has_old_letters(const pt_audit *audit) {
    for (size_t i = 0; i < audit->reasons.n_rows; i++) {
        if (pt_check_shows_reason(audit, i) && pt_table_int(&audit->reasons, i, 5) > 0) {
            return true;
        }
    }
    return false;
}

static void add_reasons(const pt_check_report *r, pt_text *out) {
    const pt_table *t = &r->audit->reasons;
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
        pt_grid_add(&grid, pt_table_cell(t, i, 0));
        pt_grid_add(&grid, pt_table_cell(t, i, 1));
        pt_grid_add(&grid, pt_table_cell(t, i, 2));
        pt_grid_number(&grid, pt_table_int(t, i, 3));
        if (old) {
            pt_grid_number(&grid, pt_table_int(t, i, 5));
        }
    }
    (void)pt_grid_print(&grid, "  ", 0, r->colour, out);
}

/* ---- the verdict --------------------------------------------------------------------------------------- */

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
        pt_text_addf(out, "%s%" PRId64, i ? ", " : f->count > 1 ? "; offsets " : "; offset ", f->examples[i]);
    }
    pt_text_add(out, f->n_examples && f->count > (int64_t)f->n_examples ? ", ...\n" : "\n");
}

/* "3 findings: 1 gap, 2 duplicate" */
static void add_kinds(const pt_audit *audit, pt_text *out) {
    pt_text_addf(out, "%zu %s: ", audit->n_findings, audit->n_findings == 1 ? "finding" : "findings");
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
    pt_text_add(out, "\n");
    pt_text_add(out, !r->colour ? "" : audit->n_findings ? PT_MARK_RED : audit->has_ledger ? PT_MARK_GREEN : PT_MARK_BOLD);
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
    static const char *const sequences[] = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[2m", "\033[0m"};
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

static void add_report(const pt_check_report *report, pt_text *out);

void pt_check_text(const pt_check_report *report, pt_text *out) {
    pt_text made = {0};
    add_report(report, &made);
    add_for_terminal(report, &made, out);
    pt_text_free(&made);
}

static void add_report(const pt_check_report *report, pt_text *out) {
    const pt_audit *audit = report->audit;
    add_banner(report, out);
    for (size_t i = 0; i < audit->n_tables; i++) {
        add_table(report, &audit->tables[i], out);
    }
    for (size_t from = 0, until; from < audit->n_partitions; from = until) {
        until = pt_check_block_end(audit, from);
        add_block(report, from, until, out);
    }
    add_reasons(report, out);
    add_files(report, out);
    if (audit->n_notes) {
        heading(report, out, "notes");
        for (size_t i = 0; i < audit->n_notes; i++) {
            pt_text_addf(out, "  %s\n", audit->notes[i]);
        }
    }
    if (audit->n_findings) {
        heading(report, out, "findings");
        for (size_t i = 0; i < audit->n_findings; i++) {
            add_finding(&audit->findings[i], out);
        }
    }
    add_verdict(report, out);
}
