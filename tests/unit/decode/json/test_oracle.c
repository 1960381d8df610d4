/* Random schemas and records against DuckDB's own reading of the same JSON: the vectors must hold
 * the same values.
 *
 * DuckDB casts the record's parts one by one (json ->> key for simple types, CAST(json AS type) for
 * nested ones). Where it reads differently by design the generator keeps away: more than 15 digits
 * in a DECIMAL that is a number, digits below the column's resolution, BLOB and JSON inside of
 * nested types. */
#include "decode/json/decode_testing.h"
#include "decode/json/random_record.h"

#define RECORDS 400
#define SCHEMAS 25

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
