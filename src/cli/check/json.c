#include "cli/check/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/redact.h"

static void add_string(pt_text *out, const char *key, const char *value) {
    pt_text_addf(out, "\"%s\":", key);
    if (value) {
        pt_text_add_json(out, value, strlen(value));
    } else {
        pt_text_add(out, "null");
    }
}

/* -1 is null. */
static void add_count(pt_text *out, const char *key, int64_t value) {
    if (value < 0) {
        pt_text_addf(out, ",\"%s\":null", key);
    } else {
        pt_text_addf(out, ",\"%s\":%" PRId64, key, value);
    }
}

static void add_seconds(pt_text *out, const char *key, int64_t us) {
    if (us < 0) {
        pt_text_addf(out, ",\"%s\":null", key);
    } else {
        pt_text_addf(out, ",\"%s\":%.3f", key, (double)us / 1e6);
    }
}

/* The last column of these results is the row as JSON. */
static void add_rows(pt_text *out, const char *key, const pt_result *table) {
    if (table->n_columns == 0) {
        pt_text_addf(out, ",\"%s\":null", key);
        return;
    }
    pt_text_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < table->n_rows; i++) {
        pt_text_addf(out, "%s%s", i ? "," : "", pt_result_cell(table, i, table->n_columns - 1));
    }
    pt_text_add(out, "]");
}

static void add_tables(pt_text *out, const pt_audit *audit) {
    pt_text_add(out, ",\"tables\":[");
    for (size_t i = 0; i < audit->n_tables; i++) {
        const pt_audit_table *t = &audit->tables[i];
        pt_text_add(out, i ? ",{" : "{");
        add_string(out, "table", t->name);
        add_count(out, "rows", t->rows);
        add_count(out, "rows_without_offset", t->foreign_rows);
        pt_text_add(out, ",");
        add_string(out, "latest_by", t->latest_by);
        add_rows(out, "latest", &t->latest);
        add_rows(out, "sales", &t->sales);
        pt_text_addf(out, ",\"files\":{\"count\":%" PRId64, t->files);
        add_count(out, "bytes", t->bytes);
        add_count(out, "small", t->small_files);
        add_count(out, "missing", t->missing_files);
        pt_text_add(out, "}}");
    }
    pt_text_add(out, "]");
}

static void add_partition(pt_text *out, const pt_audit_partition *p) {
    pt_text_addf(out, "{\"partition\":%" PRId32, p->partition);
    add_count(out, "rows", p->rows);
    add_count(out, "dead_letters", p->dead_letters);
    add_count(out, "ledger_rows", p->ledger_rows);
    add_count(out, "ledger_dead_letters", p->ledger_dead_letters);
    add_count(out, "first_offset", p->first_offset);
    add_count(out, "next_offset", p->next_offset);
    add_count(out, "gaps", p->gaps);
    add_count(out, "duplicates", p->duplicates);
    add_count(out, "not_exposed", p->not_exposed);
    add_count(out, "skipped", p->skipped);
    add_count(out, "lag", p->lag);
    add_seconds(out, "behind_seconds", p->behind_us);
    pt_text_add(out, "}");
}

static int64_t plus(int64_t sum, int64_t value) {
    return sum < 0 || value < 0 ? -1 : sum + value;
}

/* Partitions from..until are of one pipeline, topic and table. */
static void add_pipeline(pt_text *out, const pt_audit *audit, size_t from, size_t until) {
    const pt_audit_partition *p = &audit->partitions[from];
    int64_t rows = 0, dead = 0, gaps = 0, duplicates = 0, lag = -1, behind = -1;
    for (size_t i = from; i < until; i++) {
        const pt_audit_partition *x = &audit->partitions[i];
        rows = plus(rows, x->rows);
        dead += x->dead_letters;
        gaps += x->gaps;
        duplicates = plus(duplicates, x->duplicates);
        lag = x->lag < 0 ? lag : (lag < 0 ? 0 : lag) + x->lag;
        behind = x->behind_us > behind ? x->behind_us : behind;
    }
    pt_text_add(out, "{");
    add_string(out, "pipeline", p->pipeline);
    pt_text_add(out, ",");
    add_string(out, "topic", p->topic);
    pt_text_add(out, ",");
    add_string(out, "table", *p->table ? p->table : NULL);
    add_count(out, "rows", rows);
    add_count(out, "dead_letters", dead);
    add_count(out, "gaps", gaps);
    add_count(out, "duplicates", duplicates);
    add_count(out, "lag", lag);
    add_seconds(out, "behind_seconds", behind);
    pt_text_add(out, ",\"partitions\":[");
    for (size_t i = from; i < until; i++) {
        pt_text_add(out, i > from ? "," : "");
        add_partition(out, &audit->partitions[i]);
    }
    pt_text_add(out, "]}");
}

static void add_pipelines(pt_text *out, const pt_audit *audit) {
    pt_text_add(out, ",\"pipelines\":[");
    for (size_t from = 0, until; from < audit->n_partitions; from = until) {
        until = pt_check_block_end(audit, from);
        pt_text_add(out, from ? "," : "");
        add_pipeline(out, audit, from, until);
    }
    pt_text_add(out, "]");
}

static void add_reasons(pt_text *out, const pt_audit *audit) {
    const pt_result *t = &audit->reasons;
    pt_text_add(out, ",\"dead_letters\":[");
    bool any = false;
    for (size_t i = 0; i < t->n_rows; i++) {
        if (!pt_check_shows_reason(audit, i)) {
            continue;
        }
        pt_text_add(out, any ? ",{" : "{");
        any = true;
        add_string(out, "pipeline", pt_result_cell(t, i, 0));
        pt_text_add(out, ",");
        add_string(out, "topic", pt_result_cell(t, i, 1));
        pt_text_add(out, ",");
        add_string(out, "error_code", pt_result_cell(t, i, 2));
        add_count(out, "count", pt_result_int(t, i, 3));
        add_count(out, "before_reset", pt_result_int(t, i, 5));
        pt_text_add(out, "}");
    }
    pt_text_add(out, "]");
}

static void add_findings(pt_text *out, const pt_audit *audit) {
    pt_text_add(out, ",\"findings\":[");
    for (size_t i = 0; i < audit->n_findings; i++) {
        const pt_finding *f = &audit->findings[i];
        pt_text_add(out, i ? ",{" : "{");
        add_string(out, "kind", f->kind);
        pt_text_add(out, ",");
        add_string(out, "pipeline", f->pipeline);
        pt_text_add(out, ",");
        add_string(out, "topic", f->topic);
        pt_text_add(out, ",");
        add_string(out, "table", f->table);
        add_count(out, "partition", f->partition);
        add_count(out, "count", f->count);
        pt_text_add(out, ",");
        add_string(out, "text", f->text);
        pt_text_add(out, ",\"offsets\":[");
        for (size_t k = 0; k < f->n_examples; k++) {
            pt_text_addf(out, "%s%" PRId64, k ? "," : "", f->examples[k]);
        }
        pt_text_add(out, "]}");
    }
    pt_text_add(out, "],\"notes\":[");
    for (size_t i = 0; i < audit->n_notes; i++) {
        pt_text_add(out, i ? "," : "");
        pt_text_add_json(out, audit->notes[i], strlen(audit->notes[i]));
    }
    pt_text_add(out, "]");
}

void pt_check_json(const pt_check_report *report, pt_text *out) {
    pt_text lake = {0};
    pt_text_add_redacted(&lake, report->lake);
    pt_text_add(out, "{");
    add_string(out, "lake", pt_text_get(&lake));
    add_count(out, "snapshot", report->audit->snapshot);
    pt_text_add(out, ",");
    add_string(out, "brokers", report->brokers);
    pt_text_add(out, ",");
    add_string(out, "verdict", pt_check_verdict(report->audit));
    add_tables(out, report->audit);
    add_pipelines(out, report->audit);
    add_reasons(out, report->audit);
    add_findings(out, report->audit);
    pt_text_add(out, "}\n");
    pt_text_free(&lake);
}
