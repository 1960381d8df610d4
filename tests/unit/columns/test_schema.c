/* A schema's text: what is taken, what is refused and what is said then. */
#include "decode/json/decode_testing.h"

static pt_schema *parse(const char *text) {
    pt_schema *schema;
    pt_error err;
    if (pt_schema_parse(text, &schema, &err) != PT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
    return schema;
}

static void the_order_schema_is_understood(void **state) {
    (void)state;
    pt_schema *s = parse(
        "order_id UUID NOT NULL, order_time TIMESTAMPTZ EPOCH ms, \"customer \"\"id\"\"\" "
        "TEXT,\n\tunit_price NUMERIC(10, 2) DEFAULT round(1.005, 2) NOT NULL, raw BLOB HEX");
    assert_int_equal(s->n_columns, 5);
    assert_string_equal(s->columns[0].name, "order_id");
    assert_int_equal(s->columns[0].type.id, PT_UUID);
    assert_true(s->columns[0].not_null);
    assert_int_equal(s->columns[1].type.id, PT_TIMESTAMPTZ);
    assert_int_equal(s->columns[1].type.epoch, PT_EPOCH_MS);
    assert_false(s->columns[1].not_null);
    assert_string_equal(s->columns[2].name, "customer \"id\"");
    assert_int_equal(s->columns[2].name_len, 13);
    assert_int_equal(s->columns[3].type.width, 10);
    assert_int_equal(s->columns[3].type.scale, 2);
    assert_string_equal(s->columns[3].default_sql, "round(1.005, 2)");
    assert_true(s->columns[3].not_null);
    assert_null(s->columns[3].default_json);
    assert_int_equal(s->columns[4].type.blob, PT_BLOB_HEX);
    pt_schema_free(&s);
    assert_null(s);
    pt_schema_free(&s);
}

static void a_default_ends_at_the_next_comma_or_option_outside_of_quotes_and_brackets(
    void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"a VARCHAR DEFAULT 'x, NOT NULL', b INTEGER", "'x, NOT NULL'"},
        {"a VARCHAR DEFAULT 'it''s', b INTEGER", "'it''s'"},
        {"a INTEGER DEFAULT 1 + 2", "1 + 2"},
        {"a INTEGER[] DEFAULT [1, 2] NOT NULL", "[1, 2]"},
        {"a BOOLEAN DEFAULT (1 IS NOT NULL)", "(1 IS NOT NULL)"},
        {"a BOOLEAN DEFAULT 1 IS NOT NULL", "1 IS NOT NULL"},
        {"a STRUCT(x INTEGER) DEFAULT {'x': 1}, b INTEGER", "{'x': 1}"},
        {"a TIMESTAMP DEFAULT now() EPOCH us", "now()"},
        {"a INTEGER DEFAULT -1", "-1"},
        {"a VARCHAR DEFAULT \"x\"", "\"x\""},
        {"a BOOLEAN DEFAULT NOT true", "NOT true"},
        {"-- first\na INTEGER /* int */ DEFAULT 1 -- one, two\n, b INTEGER -- last", "1"},
        {"a VARCHAR DEFAULT '--x' -- y", "'--x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_schema *s = parse(cases[i][0]);
        assert_string_equal(s->columns[0].default_sql, cases[i][1]);
        pt_schema_free(&s);
    }
}

static void bad_schemas_are_refused_with_advice(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "name of a column"},
        {"a", "expected a type"},
        {"a INTEGER,", "name of a column"},
        {"a INTEGER b VARCHAR", "found 'b' at character 11"},
        {"a INTEGER, A VARCHAR", "two columns are named 'A'"},
        {"a BANANA", "found 'BANANA'"},
        {"a TIMETZ", "use TIME"},
        {"a TIME WITH TIME ZONE", "use TIME"},
        {"a INTERVAL", "use VARCHAR"},
        {"a BIT", "use VARCHAR or BLOB"},
        {"a ENUM('x')", "use VARCHAR"},
        {"a UNION(x INTEGER)", "use JSON"},
        {"a INTEGER[3]", "columns that are fixed-size arrays"},
        {"a TIMESTAMP(3)", "type TIMESTAMP(3); use TIMESTAMP_MS"},
        {"a datetime(9)", "type datetime(9); use TIMESTAMP_NS"},
        {"a TIMESTAMPTZ(6)", "type TIMESTAMPTZ(6); leave"},
        {"a TIME(0)", "type TIME(0); leave"},
        {"a DECIMAL(39,0)", "up to 38"},
        {"a DECIMAL(4,5)", "no larger than the width"},
        {"a DECIMAL(0)", "1 to 38"},
        {"a DECIMAL(", "but the text ends"},
        {"a STRUCT()", "STRUCT field"},
        {"a STRUCT(x INTEGER, X INTEGER)", "two fields named"},
        {"a MAP(INTEGER[], INTEGER)", "MAP key"},
        {"a MAP(JSON, INTEGER)", "MAP key"},
        {"a MAP(INTEGER)", "expected ','"},
        {"a INTEGER EPOCH ms", "EPOCH belongs to"},
        {"a TIMESTAMP EPOCH minutes", "s, ms, us or ns"},
        {"a STRUCT(t INTEGER EPOCH ms)", "EPOCH belongs to"},
        {"a STRUCT(t TIMESTAMP EPOCH)", "s, ms, us or ns"},
        {"a STRUCT(t VARCHAR HEX)", "belong to a BLOB"},
        {"a TIMESTAMP EPOCH ms EPOCH us", "EPOCH is there twice"},
        {"a TIMESTAMP EPOCH ms[] EPOCH us", "EPOCH is there twice"},
        {"a STRUCT(b BLOB HEX) BASE64", "HEX is there twice"},
        {"a INTEGER HEX", "belong to a BLOB"},
        {"a INTEGER NOT", "expected NULL"},
        {"a INTEGER DEFAULT", "expression"},
        {"a INTEGER DEFAULT , b INTEGER", "expression"},
        {"a INTEGER DEFAULT 'x", "quote"},
        {"a INTEGER DEFAULT (1", "bracket"},
        {"a INTEGER DEFAULT 1)", "bracket"},
        {"a INTEGER DEFAULT 1 DEFAULT 2", "DEFAULT is there twice"},
        {"a INTEGER NOT NULL DEFAULT 1 NOT NULL DEFAULT 2", "DEFAULT is there twice"},
        {"a INTEGER /* never closed", "found '/'"},
        {"a INTEGER PRIMARY KEY", "found 'PRIMARY'"},
        {"\"a INTEGER", "name of a column"},
        {"\"\" INTEGER", "name of a column"},
        {"a INTEGER; DROP TABLE x", "found ';'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_schema *s = NULL;
        pt_error err;
        assert_int_equal(pt_schema_parse(cases[i][0], &s, &err), PT_E_USAGE);
        assert_null(s);
        if (!strstr(err.text, cases[i][1])) {
            fail_msg("%s: '%s' lacks '%s'", cases[i][0], err.text, cases[i][1]);
        }
        assert_int_not_equal(pt_schema_parse(cases[i][0], &s, NULL), PT_OK);
    }
}

static void types_nest_up_to_the_limit(void **state) {
    (void)state;
    for (int depth = PT_TYPE_DEPTH; depth <= PT_TYPE_DEPTH + 1; depth++) {
        char list[200] = "INTEGER", structs[400] = "", maps[600] = "";
        for (int i = 0; i < depth; i++) {
            strcat(list, "[]");
            strcat(structs, "STRUCT(a ");
            strcat(maps, "MAP(INT, ");
        }
        strcat(structs, "INTEGER");
        strcat(maps, "INTEGER");
        for (int i = 0; i < depth; i++) {
            strcat(structs, ")");
            strcat(maps, ")");
        }
        char mixed[500] = "STRUCT(a MAP(INT, INTEGER";
        for (int i = 2; i < depth; i++) {
            strcat(mixed, "[]");
        }
        strcat(mixed, "))");
        const char *const texts[] = {list, structs, maps, mixed};
        for (size_t i = 0; i < 4; i++) {
            pt_type t;
            pt_error err;
            int rc = pt_type_parse(texts[i], &t, &err);
            assert_int_equal(rc, depth <= PT_TYPE_DEPTH ? PT_OK : PT_E_USAGE);
            pt_type_clear(&t);
        }
    }
    char *deep = malloc(2000010);
    for (size_t i = 0; i < 200000; i++) {
        memcpy(deep + i * 9, "STRUCT(a ", 10);
    }
    pt_type t;
    pt_error err;
    assert_int_equal(pt_type_parse(deep, &t, &err), PT_E_USAGE);
    free(deep);
}

/* Every name that DuckDB has for a type must be the same type here; so must what it prints. */
static void names_mean_what_they_mean_to_duckdb(void **state) {
    (void)state;
    static const char *const names[] = {
        "BOOLEAN",
        "bool",
        "LOGICAL",
        "TINYINT",
        "INT1",
        "SMALLINT",
        "INT2",
        "INT16",
        "SHORT",
        "INTEGER",
        "INT",
        "INT4",
        "INT32",
        "SIGNED",
        "INTEGRAL",
        "BIGINT",
        "INT8",
        "INT64",
        "LONG",
        "OID",
        "HUGEINT",
        "INT128",
        "UTINYINT",
        "UINT8",
        "USMALLINT",
        "UINT16",
        "UINTEGER",
        "UINT32",
        "UBIGINT",
        "UINT64",
        "UHUGEINT",
        "UINT128",
        "REAL",
        "FLOAT",
        "FLOAT4",
        "DOUBLE",
        "FLOAT8",
        "DOUBLE PRECISION",
        "DECIMAL",
        "NUMERIC",
        "DEC",
        "DECIMAL(5)",
        "DECIMAL(38,38)",
        "numeric(10,2)",
        "VARCHAR",
        "VARCHAR(20)",
        "TEXT",
        "STRING",
        "CHAR",
        "CHAR(3)",
        "BPCHAR",
        "NVARCHAR",
        "CHARACTER VARYING",
        "UUID",
        "GUID",
        "DATE",
        "TIME",
        "TIME WITHOUT TIME ZONE",
        "TIMESTAMP",
        "DATETIME",
        "TIMESTAMP_US",
        "TIMESTAMP WITHOUT TIME ZONE",
        "TIMESTAMP_S",
        "TIMESTAMP_MS",
        "TIMESTAMP_NS",
        "TIMESTAMPTZ",
        "TIMESTAMP WITH TIME ZONE",
        "BLOB",
        "BYTEA",
        "BINARY",
        "VARBINARY",
        "JSON",
        "INTEGER[]",
        "STRUCT(a INTEGER, \"b \"\"c\" VARCHAR[])[]",
        "ROW(a INTEGER)",
        "MAP(VARCHAR, STRUCT(x DECIMAL(4,2)[][]))",
        "STRUCT(\"select\" INTEGER)",
        "TIMESTAMP WITH TIME ZONE[]",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pt_type t;
        pt_error err;
        if (pt_type_parse(names[i], &t, &err) != PT_OK) {
            fail_msg("%s: %s", names[i], err.text);
        }
        char *ours = pt_type_sql(&t), sql[500];
        (void)snprintf(sql, sizeof sql, "SELECT typeof(NULL::%s)", names[i]);
        char *theirs = sql_text(sql);
        (void)snprintf(sql, sizeof sql, "SELECT typeof(NULL::%s)", ours);
        char *printed = sql_text(sql);
        assert_string_equal(printed, theirs);
        pt_type again;
        assert_int_equal(pt_type_parse(theirs, &again, &err), PT_OK);
        assert_int_equal(again.id, t.id);
        assert_int_equal(again.n_fields, t.n_fields);
        duckdb_logical_type logical = pt_type_logical(&t);
        assert_non_null(logical);
        duckdb_destroy_logical_type(&logical);
        pt_type_clear(&again);
        pt_type_clear(&t);
        free(ours);
        free(theirs);
        free(printed);
    }
}

static void options_reach_into_nested_types(void **state) {
    (void)state;
    pt_schema *s = parse(
        "a STRUCT(t TIMESTAMP, u MAP(VARCHAR, TIMESTAMP_NS[])) EPOCH us, b BLOB[] HEX");
    const pt_type *t = &s->columns[0].type;
    assert_int_equal(t->fields[0].type.epoch, PT_EPOCH_US);
    assert_int_equal(t->fields[1].type.fields[1].type.fields[0].type.epoch, PT_EPOCH_US);
    assert_int_equal(s->columns[1].type.fields[0].type.blob, PT_BLOB_HEX);
    pt_schema_free(&s);
}

static void options_stand_inside_nested_types_and_the_inner_one_counts(void **state) {
    (void)state;
    pt_schema *s = parse("a STRUCT(t TIMESTAMP EPOCH ms, l TIMESTAMP[] EPOCH us, n TIMESTAMP, m "
                         "MAP(VARCHAR, TIMESTAMP_NS EPOCH ns[])) EPOCH s NOT NULL, "
                         "l STRUCT(b BLOB HEX, c BLOB)[] , epoch TIMESTAMP, hex STRUCT(hex BLOB "
                         "hex, epoch TIMESTAMPTZ epoch us)");
    const pt_field *in = s->columns[0].type.fields;
    assert_int_equal(in[0].type.epoch, PT_EPOCH_MS);
    assert_int_equal(in[1].type.fields[0].type.epoch, PT_EPOCH_US);
    assert_int_equal(in[2].type.epoch, PT_EPOCH_S);
    assert_int_equal(in[3].type.fields[1].type.fields[0].type.epoch, PT_EPOCH_NS);
    assert_true(s->columns[0].not_null);
    assert_int_equal(s->columns[1].type.fields[0].type.fields[0].type.blob, PT_BLOB_HEX);
    assert_int_equal(s->columns[1].type.fields[0].type.fields[1].type.blob, PT_BLOB_BASE64);
    assert_int_equal(s->columns[3].type.fields[0].type.blob, PT_BLOB_HEX);
    assert_int_equal(s->columns[3].type.fields[1].type.epoch, PT_EPOCH_US);
    char *sql = pt_type_sql(&s->columns[0].type);
    assert_null(strstr(sql, "EPOCH"));
    free(sql);
    pt_schema_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_schema_is_understood),
        cmocka_unit_test(a_default_ends_at_the_next_comma_or_option_outside_of_quotes_and_brackets),
        cmocka_unit_test(bad_schemas_are_refused_with_advice),
        cmocka_unit_test(types_nest_up_to_the_limit),
        cmocka_unit_test(names_mean_what_they_mean_to_duckdb),
        cmocka_unit_test(options_reach_into_nested_types),
        cmocka_unit_test(options_stand_inside_nested_types_and_the_inner_one_counts),
    };
    return cmocka_run_group_tests(tests, open_duckdb, close_duckdb);
}
