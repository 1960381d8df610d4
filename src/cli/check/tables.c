#include "cli/check/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/check/grid.h"

static void add_size(char *out, size_t size, int64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 4; unit++) {
        value /= 1024;
    }
    (void)snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

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

void pt_check_add_table(const pt_check_report *r, const pt_audit_table *t, pt_text *out) {
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
    pt_check_heading(r, out, pt_text_get(&title));
    pt_text_free(&title);
    if (t->latest.n_rows) {
        add_latest(r, t, out);
    }
    if (t->sales.n_rows) {
        add_sales(r, &t->sales, out);
    }
}

void pt_check_add_files(const pt_check_report *r, pt_text *out) {
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
        pt_check_heading(r, out, "files");
    }
    grid.all_columns = true;
    (void)pt_grid_print(&grid, "  ", r->width, r->colour, out);
}
