/* How fast JSON becomes vectors: GB/s and ns a record for both scanners, and DuckDB's from_json on
 * one thread over the same bytes.
 *
 *   bench_decode [--seconds S] [--json] [--no-baseline] [CASE]...
 *
 * --json prints one JSON object a line instead of the table. Every figure is the best of several
 * rounds, each over about 8 MB in records of their own, written to vectors as the pipeline does and
 * reset when 100,000 rows are in. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <duckdb.h>

#include "columns/rows.h"
#include "columns/schema.h"
#include "decode/json/json_value.h"

#include "bench_corpus.h"

#define FLUSH_ROWS 100000

static double round_seconds = 0.3;
static bool as_json, baseline = true;

static const struct bench_case {
    const char *name, *schema;
    void (*write)(corpus *);
} cases[] = {
    {"orders_compact", ORDERS, compact},
    {"orders_spaced", ORDERS, spaced},
    {"orders_shuffled", ORDERS, shuffled},
    {"orders_escapes", ORDERS, escapes},
    {"orders_unknown_keys", ORDERS, unknown},
    {"columns_100", NULL, wide},
    {"nested",
     "id BIGINT, customer STRUCT(name VARCHAR, city VARCHAR), tags VARCHAR[], items STRUCT(sku "
     "VARCHAR, count INTEGER, price DECIMAL(10,2))[], attributes MAP(VARCHAR, VARCHAR)",
     nested},
    {"doubles", "a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE", doubles},
    {"strings_4k", "id BIGINT, text VARCHAR", long_strings},
    {"utf8", "id BIGINT, text VARCHAR", japanese},
};

static char *wide_schema(void) {
    char *text = must(malloc(8192));
    size_t len = 0;
    for (int i = 0; i < 100; i++) {
        len += (size_t)snprintf(text + len, 8192 - len, "%scolumn_%d %s", i ? ", " : "", i,
                                i % 3 == 0   ? "INTEGER"
                                : i % 3 == 1 ? "VARCHAR"
                                             : "DECIMAL(12,2)");
    }
    return text;
}

/* ---- measuring ---- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID,
                  &t); /* one thread computes; other load on the machine counts less so */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void stop(const char *what, const char *why) {
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* Seconds for the corpus, once. */
static double decode_all(const corpus *c, pt_decoder *decoder, pt_rows *rows) {
    pt_error err;
    pt_decode_error error;
    double start = now();
    pt_rows_reset(rows, 0);
    size_t from = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (pt_rows_open(rows, &err) != PT_OK ||
            decode_value(decoder, c->bytes + from, c->ends[i] - from, rows, &error, &err) !=
                PT_OK) {
            stop("decode", err.text);
        }
        if (error.code != PT_DECODE_OK) {
            stop("decode", error.text);
        }
        int64_t *meta = pt_rows_data(rows, pt_rows_columns(rows) - 3);
        size_t at = pt_rows_at(rows);
        meta[at] = (int64_t)i;
        ((int64_t *)pt_rows_data(rows, pt_rows_columns(rows) - 2))[at] = 1;
        ((int64_t *)pt_rows_data(rows, pt_rows_columns(rows) - 1))[at] = 2;
        ((int32_t *)pt_rows_data(rows, pt_rows_columns(rows) - 4))[at] = 3;
        pt_rows_commit(rows);
        if (pt_rows_count(rows) == FLUSH_ROWS) {
            pt_rows_reset(rows, 0);
        }
        from = c->ends[i];
    }
    return now() - start;
}

static double measure(const corpus *c, const pt_schema *schema, bool portable) {
    pt_error err;
    pt_decoder *decoder = NULL;
    pt_rows *rows = NULL;
    size_t n = schema->n_columns;
    pt_type *types = must(calloc(n + 4, sizeof *types));
    for (size_t i = 0; i < n; i++) {
        types[i] = schema->columns[i].type;
    }
    types[n].id = PT_INTEGER; /* the caller's columns: partition, offset, two times */
    types[n + 1].id = PT_BIGINT;
    types[n + 2].id = types[n + 3].id = PT_TIMESTAMPTZ;
    if (pt_rows_new(types, n + 4, &rows, &err) != PT_OK ||
        open_json(schema, false, &decoder, &err) != PT_OK) {
        stop("decoder", err.text);
    }
    if (portable) {
        pt_json_portable_only(decoder);
    }
    double best = decode_all(c, decoder, rows);
    for (double start = now(); now() - start < round_seconds;) {
        double t = decode_all(c, decoder, rows);
        best = t < best ? t : best;
    }
    pt_decoder_close(&decoder);
    pt_rows_free(&rows);
    free(types);
    return best;
}

/* from_json over the same records on one thread, aggregated so that every column is made. */
static double measure_duckdb(const corpus *c, const pt_schema *schema) {
    duckdb_database db;
    duckdb_connection con;
    duckdb_appender appender;
    duckdb_result result;
    if (duckdb_open(NULL, &db) != DuckDBSuccess || duckdb_connect(db, &con) != DuckDBSuccess) {
        stop("duckdb", "open");
    }
    (void)duckdb_query(con, "SET threads = 1", NULL);
    (void)duckdb_query(con, "CREATE TABLE records (r VARCHAR)", NULL);
    (void)duckdb_appender_create(con, NULL, "records", &appender);
    size_t from = 0;
    for (size_t i = 0; i < c->n; i++) {
        (void)duckdb_append_varchar_length(appender, c->bytes + from, c->ends[i] - from);
        (void)duckdb_appender_end_row(appender);
        from = c->ends[i];
    }
    (void)duckdb_appender_destroy(&appender);
    char *sql = NULL;
    size_t len = 0;
    FILE *f = must(open_memstream(&sql, &len));
    (void)fputs("SELECT any_value(v) FROM (SELECT from_json(r, '{", f);
    for (size_t i = 0; i < schema->n_columns; i++) {
        const pt_type *type = &schema->columns[i].type;
        char *name = must(pt_type_sql(type));
        /* from_json takes nested types as JSON; and no epoch numbers for TIMESTAMPTZ: DOUBLE there
         */
        const char *shown = type->id == PT_TIMESTAMPTZ ? "DOUBLE" : name;
        if (type->n_fields) {
            static const char *const forms[] = {
                "{\"name\":\"VARCHAR\",\"city\":\"VARCHAR\"}", "[\"VARCHAR\"]",
                "[{\"sku\":\"VARCHAR\",\"count\":\"INTEGER\",\"price\":\"DECIMAL(10,2)\"}]",
                "\"MAP(VARCHAR, VARCHAR)\""};
            (void)fprintf(f, "%s\"%s\":%s", i ? "," : "", schema->columns[i].name, forms[i - 1]);
        } else {
            (void)fprintf(f, "%s\"%s\":\"%s\"", i ? "," : "", schema->columns[i].name, shown);
        }
        free(name);
    }
    (void)fputs("}') AS v FROM records)", f);
    (void)fclose(f);
    double best = 1e9;
    for (int i = 0; i < 2; i++) {
        double start = now();
        if (duckdb_query(con, sql, &result) != DuckDBSuccess) {
            (void)fprintf(stderr, "from_json: %s\n", duckdb_result_error(&result));
            best = 0;
        }
        duckdb_destroy_result(&result);
        double t = now() - start;
        best = t < best ? t : best;
    }
    free(sql);
    duckdb_disconnect(&con);
    duckdb_close(&db);
    return best;
}

static void report(const struct bench_case *b, const corpus *c, const char *how, double s) {
    if (s <= 0) {
        return;
    }
    double gbs = (double)c->len / s / 1e9, ns = s * 1e9 / (double)c->n,
           bytes = (double)c->len / (double)c->n;
    if (as_json) {
        printf("{\"bench\":\"decode\",\"case\":\"%s\",\"scanner\":\"%s\",\"gb_per_s\":%.3f,\"ns_"
               "per_record\":%.1f,\"bytes_per_record\":%.1f}\n",
               b->name, how, gbs, ns, bytes);
    } else {
        printf("%-20s %-9s %6.2f GB/s %9.1f ns/record %8.1f bytes/record\n", b->name, how, gbs, ns,
               bytes);
    }
    (void)fflush(stdout);
}

static void run(const struct bench_case *b) {
    corpus c = {0};
    while (c.len < CORPUS_BYTES) {
        b->write(&c);
        end_record(&c);
    }
    pt_error err;
    pt_schema *schema;
    char *wide_text = b->schema ? NULL : wide_schema();
    if (pt_schema_parse(b->schema ? b->schema : wide_text, &schema, &err) != PT_OK) {
        stop("schema", err.text);
    }
    report(b, &c, "best", measure(&c, schema, false));
    report(b, &c, "portable", measure(&c, schema, true));
    if (baseline) {
        report(b, &c, "duckdb", measure_duckdb(&c, schema));
    }
    pt_schema_free(&schema);
    free(wide_text);
    free(c.bytes);
    free(c.ends);
}

int main(int argc, char **argv) {
    bool named = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--no-baseline") == 0) {
            baseline = false;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            round_seconds = strtod(argv[++i], NULL);
        } else {
            named = true;
        }
    }
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        bool wanted = !named;
        for (int i = 1; i < argc; i++) {
            wanted |= strcmp(argv[i], cases[k].name) == 0;
        }
        if (wanted) {
            run(&cases[k]);
        }
    }
    return 0;
}
