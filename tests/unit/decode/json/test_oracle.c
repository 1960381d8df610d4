/* Random schemas and records against DuckDB's own reading of the same JSON: the vectors must hold
 * the same values.
 *
 * DuckDB casts the record's parts one by one (json ->> key for simple types, CAST(json AS type) for
 * nested ones). Where it reads differently by design the generator keeps away: more than 15 digits
 * in a DECIMAL that is a number, digits below the column's resolution, BLOB and JSON inside of
 * nested types. */
#include "decode/json/decode_testing.h"

#define RECORDS 400
#define SCHEMAS 25

static uint64_t seed;

static uint64_t rnd(uint64_t n) {
    return random_below(&seed, n);
}

/* ---- random types ---- */

static const char *const simple_types[] = {
    "BOOLEAN",       "TINYINT",     "SMALLINT",     "INTEGER",      "BIGINT",
    "HUGEINT",       "UTINYINT",    "USMALLINT",    "UINTEGER",     "UBIGINT",
    "REAL",          "DOUBLE",      "DECIMAL(4,1)", "DECIMAL(9,4)", "DECIMAL(15,2)",
    "DECIMAL(38,9)", "VARCHAR",     "UUID",         "DATE",         "TIME",
    "TIMESTAMP",     "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ",
    "BLOB",          "JSON",
};
#define NESTABLE 25

static void random_type(FILE *f, int depth, bool nested) {
    uint64_t kind = rnd(depth > 0 ? 8 : 5);
    if (kind < 5) {
        fputs(simple_types[rnd(nested ? NESTABLE : sizeof simple_types / sizeof *simple_types)], f);
    } else if (kind == 5) {
        random_type(f, depth - 1, true);
        fputs("[]", f);
    } else if (kind == 6) {
        fputs("STRUCT(", f);
        for (uint64_t i = 0, n = rnd(4) + 1; i < n; i++) {
            fprintf(f, "%sf%llu ", i ? ", " : "", (unsigned long long)i);
            random_type(f, depth - 1, true);
        }
        fputs(")", f);
    } else {
        fputs("MAP(VARCHAR, ", f);
        random_type(f, depth - 1, true);
        fputs(")", f);
    }
}

/* ---- random values ---- */

static void space(FILE *f) {
    static const char *const spaces[] = {"", "", "", " ", " ", "\n", "\t ", "  \r\n   "};
    fputs(spaces[rnd(8)], f);
}

static void digits(FILE *f, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        fputc((int)('0' + (i == 0 && n > 1 ? 1 + rnd(9) : rnd(10))), f);
    }
}

static void string(FILE *f, uint64_t max) {
    static const char *const slices[] = {"a",
                                         "B",
                                         "7",
                                         " ",
                                         "/",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\n",
                                         "\\t",
                                         "\\u0041",
                                         "\\u00e9",
                                         "\\u20AC",
                                         "\\ud83d\\ude00",
                                         "\xC3\xA9",
                                         "\xE6\x97\xA5",
                                         "\xF0\x9F\x98\x80",
                                         "the quick brown fox"};
    fputc('"', f);
    bool plain = rnd(2);
    for (uint64_t i = 0, n = rnd(max); i < n; i++) {
        fputs(slices[plain ? rnd(4) : rnd(sizeof slices / sizeof *slices)], f);
    }
    fputc('"', f);
}

static void integer(FILE *f, int bits, bool is_signed) {
    bool negative = is_signed && rnd(2);
    uint64_t value = random_next(&seed) >> (64 - (uint64_t)bits + (uint64_t)is_signed);
    value >>= rnd(2) ? 0 : rnd((uint64_t)bits);
    fprintf(f, "%s%llu", negative ? "-" : "", (unsigned long long)value);
    if (rnd(10) == 0 && value < 1000000000) {
        fputs(rnd(2) ? ".0" : "e0", f);
    }
}

static void floating(FILE *f, int max_exponent) {
    fputs(rnd(2) ? "-" : "", f);
    digits(f, rnd(6) + 1);
    if (rnd(2)) {
        fputc('.', f);
        digits(f, rnd(17) + 1);
    }
    if (rnd(3) == 0) {
        fprintf(f, "%c%s%llu", rnd(2) ? 'e' : 'E',
                rnd(2)   ? "-"
                : rnd(2) ? "+"
                         : "",
                (unsigned long long)rnd((uint64_t)max_exponent));
    }
}

static void decimal(FILE *f, const pt_type *t) {
    bool text = rnd(4) == 0;
    uint64_t most = t->width - t->scale,
             exact = text ? 38 : 15 - t->scale; /* DuckDB takes a JSON number through DOUBLE */
    uint64_t whole = rnd(most < exact ? most : exact) + 1, fraction = rnd(t->scale + 1ULL);
    fputs(text ? "\"" : "", f);
    fputs(rnd(2) ? "-" : "", f);
    digits(f, whole);
    if (fraction) {
        fputc('.', f);
        digits(f, fraction);
    }
    fputs(text ? "\"" : "", f);
}

static void date(FILE *f) {
    fprintf(f, "%04llu-%02llu-%02llu", (unsigned long long)(1700 + rnd(500)),
            (unsigned long long)(rnd(12) + 1), (unsigned long long)(rnd(28) + 1));
}

static void clock_time(FILE *f, uint64_t decimals) {
    fprintf(f, "%02llu:%02llu:%02llu", (unsigned long long)rnd(24), (unsigned long long)rnd(60),
            (unsigned long long)rnd(60));
    if (decimals && rnd(2)) {
        fputc('.', f);
        digits(f, rnd(decimals) + 1);
    }
}

static void timestamp(FILE *f, uint64_t decimals) {
    fputc('"', f);
    date(f);
    fputc(rnd(2) ? 'T' : ' ', f);
    clock_time(f, decimals);
    fputc('"', f);
}

static void base64(FILE *f) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputc('"', f);
    for (uint64_t i = 0, n = rnd(12) * 4; i < n; i++) {
        fputc(alphabet[rnd(64)], f);
    }
    static const char *const ends[] = {"", "YQ==", "YWI="};
    fprintf(f, "%s\"", ends[rnd(3)]);
}

static void value(FILE *f, const pt_type *t);

static void container(FILE *f, const pt_type *t) {
    uint64_t n = t->id == PT_STRUCT ? t->n_fields : rnd(10) == 0 ? 40 : rnd(5);
    fputc(t->id == PT_LIST ? '[' : '{', f);
    space(f);
    for (uint64_t i = 0; i < n; i++) { /* every STRUCT member, as CAST insists on them */
        if (i) {
            fputc(',', f);
            space(f);
        }
        if (t->id == PT_STRUCT) {
            fprintf(f, "\"%s\"", t->fields[i].name);
        } else if (t->id == PT_MAP) {
            fprintf(f, "\"%s%llu\"", rnd(2) ? "k" : "a long key \\u00e9 ", (unsigned long long)i);
        }
        if (t->id != PT_LIST) {
            space(f);
            fputc(':', f);
            space(f);
        }
        value(f, t->id == PT_STRUCT ? &t->fields[i].type : &t->fields[t->id == PT_MAP].type);
        space(f);
    }
    fputc(t->id == PT_LIST ? ']' : '}', f);
}

static void value(FILE *f, const pt_type *t) {
    if (rnd(12) == 0) {
        fputs("null", f);
        return;
    }
    switch (t->id) {
    case PT_BOOLEAN: fputs(rnd(2) ? "true" : "false", f); break;
    case PT_TINYINT:
    case PT_UTINYINT: integer(f, 8, t->id == PT_TINYINT); break;
    case PT_SMALLINT:
    case PT_USMALLINT: integer(f, 16, t->id == PT_SMALLINT); break;
    case PT_INTEGER:
    case PT_UINTEGER: integer(f, 32, t->id == PT_INTEGER); break;
    case PT_HUGEINT:
    case PT_BIGINT:
    case PT_UBIGINT: integer(f, 64, t->id != PT_UBIGINT); break;
    case PT_REAL: floating(f, 20); break;
    case PT_DOUBLE: floating(f, 250); break;
    case PT_DECIMAL: decimal(f, t); break;
    case PT_VARCHAR: string(f, rnd(20) == 0 ? 500 : 12); break;
    case PT_UUID:
        fprintf(f,
                rnd(2) ? "\"%08llx-%04llx-%04llx-%04llx-%012llx\""
                       : "\"%08llX-%04llX-%04llX-%04llX-%012llX\"",
                (unsigned long long)rnd(1ULL << 32), (unsigned long long)rnd(65536),
                (unsigned long long)rnd(65536), (unsigned long long)rnd(65536),
                (unsigned long long)rnd(1ULL << 48));
        break;
    case PT_DATE:
        fputc('"', f);
        date(f);
        fputc('"', f);
        break;
    case PT_TIME:
        fputc('"', f);
        clock_time(f, 6);
        fputc('"', f);
        break;
    case PT_TIMESTAMP_S: timestamp(f, 0); break;
    case PT_TIMESTAMP_MS: timestamp(f, 3); break;
    case PT_TIMESTAMP:
    case PT_TIMESTAMP_NS:
    case PT_TIMESTAMPTZ: timestamp(f, 6); break;
    case PT_BLOB: base64(f); break;
    case PT_JSON:
        fprintf(f, "{\"x\":[%llu,true,null,{}],\"y\":", (unsigned long long)rnd(1000));
        string(f, 6);
        fputc('}', f);
        break;
    default: container(f, t);
    }
}

static char *random_record(const pt_schema *s) {
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    size_t n = s->n_columns,
           start = rnd(4) == 0 ? rnd(n) : 0; /* mostly in order, now and then not */
    bool first = true;
    space(f);
    fputc('{', f);
    for (size_t k = 0; k < n; k++) {
        const pt_column *c = &s->columns[(start + k) % n];
        if (rnd(15) == 0) {
            continue;
        }
        if (!first) {
            fputc(',', f);
        }
        first = false;
        space(f);
        if (rnd(20) == 0) {
            fprintf(f, "\"unknown%zu\": {\"a\":[1,2,{\"%s\":null}]},", k, c->name);
        }
        fprintf(f, "\"%s\"", c->name);
        space(f);
        fputc(':', f);
        space(f);
        value(f, &c->type);
        space(f);
    }
    fputc('}', f);
    space(f);
    fclose(f);
    return text;
}

/* ---- the comparison ---- */

static void expected_expression(char *out, size_t size, const pt_column *c) {
    char *type = pt_type_sql(&c->type);
    if (c->type.n_fields) {
        (void)snprintf(out, size, "CAST(json_extract(j, '$.%s') AS %s)", c->name, type);
    } else if (c->type.id == PT_BLOB) {
        (void)snprintf(out, size, "from_base64(j->>'$.%s')", c->name);
    } else if (c->type.id == PT_JSON) {
        (void)snprintf(out, size, "json_extract(j, '$.%s')", c->name);
    } else {
        (void)snprintf(out, size, "CAST(j->>'$.%s' AS %s)", c->name, type);
    }
    free(type);
}

static void compare_column(const fixture *f, size_t i, const char *schema) {
    char expected[4096], sql[10000];
    const pt_column *c = &f->schema->columns[i];
    expected_expression(expected, sizeof expected, c);
    if (c->type.id == PT_JSON) { /* minified, as white space is kept; the JSON null is NULL */
        (void)snprintf(sql, sizeof sql,
                       "SELECT any_value(j) FROM got JOIN records USING (i) WHERE "
                       "json(c%zu)::VARCHAR IS DISTINCT FROM nullif(json(%s)::VARCHAR, 'null')",
                       i, expected);
    } else {
        (void)snprintf(sql, sizeof sql,
                       "SELECT any_value(concat('got ', coalesce(c%zu::VARCHAR, 'NULL'), ', DuckDB "
                       "', coalesce((%s)::VARCHAR, 'NULL'), ' from ', j)) FROM got JOIN records "
                       "USING (i) WHERE c%zu IS DISTINCT FROM (%s)",
                       i, expected, i, expected);
    }
    char *differs = sql_text(sql);
    if (strcmp(differs, "NULL") != 0) {
        fail_msg("column %s of %s: %s", c->name, schema, differs);
    }
    free(differs);
}

static void run(bool portable) {
    char *schema = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&schema, &len);
    assert_non_null(f);
    for (uint64_t i = 0, n = rnd(12) + 1; i < n; i++) {
        fprintf(f, "%sc%llu ", i ? ", " : "", (unsigned long long)i);
        random_type(f, 3, false);
    }
    fclose(f);
    fixture x;
    fixture_open(&x, schema);
    if (portable) {
        pt_json_portable_only(x.decoder);
    }
    run_sql("CREATE OR REPLACE TABLE records (i BIGINT, j VARCHAR)");
    duckdb_appender appender;
    assert_int_equal(duckdb_appender_create(test_con, NULL, "records", &appender), DuckDBSuccess);
    for (int i = 1; i <= RECORDS; i++) {
        char *json = random_record(x.schema);
        pt_decode_error e = decode_text(&x, json);
        if (e.code != PT_DECODE_OK) {
            fail_msg("%s <- %s: %s at %lld: %s", schema, json, pt_decode_code_name(e.code),
                     (long long)e.position, e.text);
        }
        (void)duckdb_append_int64(appender, i);
        (void)duckdb_append_varchar(appender, json);
        (void)duckdb_appender_end_row(appender);
        free(json);
    }
    assert_int_equal(duckdb_appender_destroy(&appender), DuckDBSuccess);
    fixture_scan(&x);
    run_sql("CREATE OR REPLACE TABLE got AS SELECT row_number() OVER () AS i, * FROM scan_rows()");
    for (size_t i = 0; i < x.schema->n_columns; i++) {
        compare_column(&x, i, schema);
    }
    fixture_close(&x);
    free(schema);
}

static void random_records_mean_what_they_mean_to_duckdb(void **state) {
    (void)state;
    seed = test_seed("random_records_mean_what_they_mean_to_duckdb");
    for (int i = 0; i < SCHEMAS; i++) {
        run(i % 2);
    }
}

static void random_doubles_are_what_strtod_makes_of_them(void **state) {
    (void)state;
    seed = test_seed("random_doubles_are_what_strtod_makes_of_them");
    fixture x;
    fixture_open(&x, "d DOUBLE, r REAL");
    for (int i = 0; i < 300000; i++) {
        char number[64], json[200];
        FILE *f = fmemopen(number, sizeof number, "w");
        if (rnd(2)) { /* any bits, printed short or long */
            uint64_t bits = random_next(&seed) & 0x7FFFFFFFFFFFFFFFU;
            double d;
            memcpy(&d, &bits, sizeof d);
            d = bits >> 52 == 0x7FF ? 0 : d;
            fprintf(f, "%.*g", (int)rnd(25) + 1, d);
        } else {
            digits(f, rnd(22) + 1);
            fprintf(f, ".%llue%lld", (unsigned long long)random_next(&seed),
                    (long long)rnd(660) - 345);
        }
        fclose(f);
        double d = strtod(number, NULL);
        float r = strtof(number, NULL);
        bool d_fits = d <= 1.7976931348623157e308, r_fits = r <= 3.402823466e38F;
        int n = snprintf(json, sizeof json, "{\"d\":%s,\"r\":%s}", d_fits ? number : "0",
                         r_fits ? number : "0");
        pt_rows_reset(x.rows, 0);
        assert_int_equal(decode_bytes(&x, json, (size_t)n).code, PT_DECODE_OK);
        double got_d = ((double *)duckdb_vector_get_data(
            duckdb_data_chunk_get_vector(pt_rows_chunk(x.rows, 0), 0)))[0];
        float got_r = ((float *)duckdb_vector_get_data(
            duckdb_data_chunk_get_vector(pt_rows_chunk(x.rows, 0), 1)))[0];
        d = d_fits ? d : 0;
        r = r_fits ? r : 0;
        if (memcmp(&d, &got_d, sizeof d) != 0 || memcmp(&r, &got_r, sizeof r) != 0) {
            fail_msg("%s: got %a and %a, want %a and %a", number, got_d, (double)got_r, d,
                     (double)r);
        }
    }
    fixture_close(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_records_mean_what_they_mean_to_duckdb),
        cmocka_unit_test(random_doubles_are_what_strtod_makes_of_them),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
