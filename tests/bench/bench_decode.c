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

#define CORPUS_BYTES ((size_t)8 << 20)
#define FLUSH_ROWS   100000

static double round_seconds = 0.3;
static bool as_json, baseline = true;

typedef struct corpus {
    char *bytes;
    size_t len, cap;
    size_t *ends;
    size_t n, cap_ends;
} corpus;

static void *must(void *p) {
    if (!p) {
        (void)fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static __attribute__((format(printf, 2, 3))) void put(corpus *c, const char *format, ...) {
    if (c->cap - c->len < 16384) {
        c->cap = c->cap ? c->cap * 2 : (size_t)1 << 20;
        c->bytes = must(realloc(c->bytes, c->cap));
    }
    va_list args;
    va_start(args, format);
    c->len += (size_t)vsnprintf(c->bytes + c->len, c->cap - c->len, format, args);
    va_end(args);
}

static void end_record(corpus *c) {
    if (c->n == c->cap_ends) {
        c->cap_ends = c->cap_ends ? c->cap_ends * 2 : 1024;
        c->ends = must(realloc(c->ends, c->cap_ends * sizeof *c->ends));
    }
    c->ends[c->n++] = c->len;
}

static uint64_t seed = 42;

static uint64_t rnd(uint64_t below) {
    seed += 0x9e3779b97f4a7c15U;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (z ^ z >> 31) % below;
}

/* ---- the cases ---- */

static const char ORDERS[] = "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product "
                             "VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR";
static const char *const products[] = {"Laptop", "Monitor",   "Keyboard", "Mouse",  "Headphones",
                                       "Webcam", "Desk Lamp", "USB Hub",  "Tablet", "Smartphone"};
static const char *const regions[] = {"Kanto", "Kansai", "Chubu", "Kyushu", "Tohoku", "Hokkaido"};

typedef struct order {
    char field[7][96];
} order;

static order new_order(const char *colon, bool escapes) {
    order o;
    (void)snprintf(o.field[0], 96, "\"order_id\":%s\"%08x-%04x-4%03x-a%03x-%012llx\"", colon,
                   (unsigned)rnd(1ULL << 32), (unsigned)rnd(65536), (unsigned)rnd(4096),
                   (unsigned)rnd(4096), (unsigned long long)rnd(1ULL << 48));
    (void)snprintf(o.field[1], 96, "\"order_time\":%s1790%06u.%07u", colon, (unsigned)rnd(1000000),
                   (unsigned)rnd(10000000));
    (void)snprintf(o.field[2], 96, "\"customer_id\":%s\"CUST-%04u\"", colon,
                   (unsigned)rnd(500) + 1);
    (void)snprintf(o.field[3], 96, "\"product\":%s\"%s%s\"", colon, products[rnd(10)],
                   escapes ? " \\\"15\\u2033\\\"" : "");
    (void)snprintf(o.field[4], 96, "\"quantity\":%s%u", colon, (unsigned)rnd(5) + 1);
    (void)snprintf(o.field[5], 96, "\"unit_price\":%s%u.%02u", colon, (unsigned)rnd(9900) + 100,
                   (unsigned)rnd(100));
    (void)snprintf(o.field[6], 96, "\"region\":%s\"%s%s\"", colon, regions[rnd(6)],
                   escapes ? "\\n\\t\\u65e5\\u672c, the second line" : "");
    return o;
}

static void put_order(corpus *c, bool spaced, bool shuffled, bool escapes) {
    order o = new_order(spaced ? " " : "", escapes);
    int at[7] = {0, 1, 2, 3, 4, 5, 6};
    for (int i = 6; shuffled && i > 0; i--) {
        int j = (int)rnd((uint64_t)i + 1), was = at[i];
        at[i] = at[j];
        at[j] = was;
    }
    for (int i = 0; i < 7; i++) {
        put(c, "%s%s", i == 0 ? "{" : spaced ? ", " : ",", o.field[at[i]]);
    }
    put(c, "}");
}

static void compact(corpus *c) {
    put_order(c, false, false, false);
}

static void spaced(corpus *c) {
    put_order(c, true, false, false);
}

static void shuffled(corpus *c) {
    put_order(c, true, true, false);
}

static void escapes(corpus *c) {
    put_order(c, true, false, true);
}

static void unknown(corpus *c) {
    put_order(c, true, false, false);
    c->len--;
    put(c, ", \"note\": \"not a column\", \"extra\": {\"a\": [1, 2, 3]}}");
}

static void wide(corpus *c) {
    for (int i = 0; i < 100; i++) {
        put(c,
            i % 3 == 0   ? "%s\"column_%d\":%u"
            : i % 3 == 1 ? "%s\"column_%d\":\"value %u\""
                         : "%s\"column_%d\":%u.25",
            i ? "," : "{", i, (unsigned)rnd(100000));
    }
    put(c, "}");
}

static void nested(corpus *c) {
    put(c,
        "{\"id\":%u,\"customer\":{\"name\":\"Taro Yamada "
        "%u\",\"city\":\"Osaka\"},\"tags\":[\"new\",\"express\"],\"items\":[",
        (unsigned)rnd(1000000), (unsigned)rnd(1000));
    size_t n = rnd(4) + 1;
    for (size_t i = 0; i < n; i++) {
        put(c, "%s{\"sku\":\"SKU-%05u\",\"count\":%u,\"price\":%u.%02u}", i ? "," : "",
            (unsigned)rnd(100000), (unsigned)rnd(9) + 1, (unsigned)rnd(1000), (unsigned)rnd(100));
    }
    put(c, "],\"attributes\":{\"color\":\"red\",\"size\":\"%u\"}}", (unsigned)rnd(60));
}

static void doubles(corpus *c) {
    put(c, "{\"a\":%.17g,\"b\":%.6f,\"c\":%.15g,\"d\":%.17ge%d}",
        (double)rnd(1ULL << 53) / 9007199254740992.0, (double)rnd(100000000) / 1e4,
        (double)rnd(1ULL << 40) / 1e3,
        (double)(rnd(9) + 1) + (double)rnd(1ULL << 50) / 1125899906842624.0, (int)rnd(80) - 40);
}

static void long_strings(corpus *c) {
    put(c, "{\"id\":%u,\"text\":\"", (unsigned)rnd(1000000));
    for (int i = 0; i < 4096 / 64; i++) {
        put(c, "%08x the quick brown fox jumps over the lazy dog, and so on. ... ",
            (unsigned)rnd(1ULL << 32));
    }
    put(c, "\"}");
}

static void japanese(corpus *c) {
    put(c, "{\"id\":%u,\"text\":\"", (unsigned)rnd(1000000));
    for (int i = 0; i < 8; i++) {
        put(c, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE\xE6\x96\x87\xE5\xAD\x97%u",
            (unsigned)rnd(10));
    }
    put(c, "\"}");
}

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
