/* Every allocation of pintail's own is failed in turn, alone and with all that follow it: each job
 * ends with a code and a text, and nothing leaks (LeakSanitizer looks at the end). Only in builds
 * with failpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PT_FAULT_INSIDE /* the test's own allocations do not fail */
#include "base/alloc_fault.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/values.h"
#include "columns/rows.h"
#include "columns/schema.h"
#include "config/config.h"
#include "config/load.h"
#include "decode/json/json_value.h"
#include "ingest/batches.h"
#include "ingest/memory.h"
#include "lake/dead_letter.h"
#include "lake/flush.h"
#include "lake/ledger_form.h"

#define SCHEMA                                                                            \
    "a INTEGER NOT NULL DEFAULT 7, s VARCHAR, d DECIMAL(20,3), j JSON, l VARCHAR[][], m " \
    "MAP(VARCHAR, STRUCT(x DOUBLE, y UUID[])), t TIMESTAMPTZ EPOCH ms, "                  \
    "\"odd \"\" name\" BLOB HEX"

typedef int (*job)(pt_error *err);

static void torture_job(const char *name, job run, bool must_fail) {
    for (int all = 0; all <= 1; all++) {
        long n = 1;
        for (;; n++) {
            pt_error err = {0};
            pt_fault_arm(n, all);
            int code = run(&err);
            long count = pt_fault_count();
            pt_fault_arm(0, false);
            if (code != PT_OK && err.text[0] == '\0') {
                fail_msg("%s: allocation %ld failed without a text", name, n);
            }
            if (code == PT_OK && count >= n && must_fail) {
                fail_msg("%s: allocation %ld failed and nobody said so", name, n);
            }
            if (count < n) {
                assert_int_equal(code, PT_OK);
                break;
            }
        }
        assert_true(n > 1);
        print_message("%s: %ld allocations%s\n", name, n - 1, all ? ", with all that follow" : "");
    }
}

static void torture(const char *name, job run) {
    torture_job(name, run, true);
}

static int text_job(pt_error *err) {
    pt_text text = {0};
    for (int i = 0; i < 200; i++) {
        pt_text_addf(&text, "%d %s", i, "password=abc");
        pt_text_add_sql_string(&text, "it's");
        pt_text_add_sql_name(&text, "a\"b");
        pt_text_add_json(&text, "\x01\n\"", 3);
        pt_text_add_redacted(&text, "postgres://me:secret@host/db");
    }
    int code = pt_text_check(&text, err);
    pt_text_free(&text);
    return code;
}

static int schema_job(pt_error *err) {
    pt_schema *schema = NULL;
    int code = pt_schema_parse(SCHEMA, &schema, err);
    for (size_t i = 0; code == PT_OK && i < schema->n_columns; i++) {
        char *sql = pt_type_sql(&schema->columns[i].type);
        code = sql ? PT_OK : pt_fail_nomem(err, "a type");
        free(sql);
    }
    pt_schema_free(&schema);
    return code;
}

static int bad_schema_job(pt_error *err) {
    pt_schema *schema = NULL;
    int code = pt_schema_parse("a INTEGER, b STRUCT(c VARCHAR, d NOTHING[])", &schema, err);
    pt_schema_free(&schema);
    return code == PT_E_USAGE ? PT_OK : code;
}

static char config_path[64];

static int config_job(pt_error *err) {
    pt_config *config = NULL;
    pt_file_keys keys;
    pt_values_keys(&keys, true);
    int code = pt_config_load(config_path, keys.keys, keys.n, &config, err);
    pt_config_free(&config);
    return code;
}

static const char *const records[] = {
    "{\"a\":1,\"s\":\"a string of more than twelve bytes "
    "\\u20ac\",\"d\":12.5,\"j\":{\"x\":[1,2,3]},\"l\":[[\"one\",\"two\"],[]],\"m\":{\"k\":{\"x\":1."
    "5,\"y\":[]}},\"t\":1}",
    "{\"t\":5,\"s\":null,\"unknown\":{\"deep\":[{\"er\":1}]}}",
    "{\"a\":2,\"a\":3}",
    "{\"l\":[[\"a\",\"b\",\"c\"],[\"a string that is longer than twelve bytes\"]]}",
    "broken",
};

/* Decodes the records and as many again as make the vectors, lists and arenas grow; every third is
 * not committed. */
static int decode_rows(pt_decoder *decoder, pt_rows *rows, pt_error *err) {
    pt_decode_error why;
    for (size_t i = 0; i < 5000; i++) {
        const char *record = records[i % (sizeof records / sizeof *records)];
        PT_TRY(pt_rows_open(rows, err));
        PT_TRY(decode_value(decoder, record, strlen(record), rows, &why, err));
        if (why.code == PT_DECODE_OK && i % 3) {
            pt_rows_commit(rows);
        }
    }
    return PT_OK;
}

static int decode_job(pt_error *err) {
    pt_schema *schema = NULL;
    pt_decoder *decoder = NULL;
    pt_rows *rows = NULL;
    pt_type types[16];
    int code = pt_schema_parse(SCHEMA, &schema, err);
    for (size_t i = 0; code == PT_OK && i < schema->n_columns; i++) {
        types[i] = schema->columns[i].type;
    }
    if (code == PT_OK) {
        code = open_json(schema, false, &decoder, err);
    }
    if (code == PT_OK) {
        code = pt_rows_new(types, schema->n_columns, &rows, err);
    }
    if (code == PT_OK) {
        code = decode_rows(decoder, rows, err);
    }
    if (code == PT_OK) { /* used again after a reset that gives back memory */
        pt_rows_reset(rows, 1);
        code = decode_rows(decoder, rows, err);
    }
    pt_rows_free(&rows);
    pt_decoder_close(&decoder);
    pt_schema_free(&schema);
    return code;
}

static int least_job(pt_error *err) {
    pt_least least = {0};
    return pt_least_add_schema(&least, SCHEMA, NULL, 0, err);
}

static int fill_batch(pt_batches *batches, pt_error *err) {
    pt_batch *batch = pt_batches_take_free(batches, 0);
    assert_non_null(batch);
    pt_header headers[] = {{"a header", 8, "with a value of many bytes", 26}, {"\xff", 1, NULL, 0}};
    pt_dead_letter letter = {.topic = "topic",
                             .key = "key",
                             .key_len = 3,
                             .value = "a value of more than twelve bytes",
                             .value_len = 33,
                             .error_code = "syntax",
                             .error_text = "not what was expected here",
                             .target_table = "table",
                             .pipeline = "pipeline",
                             .headers = headers,
                             .n_headers = 2};
    int code = PT_OK;
    for (int i = 0; code == PT_OK && i < 3000; i++) {
        code = pt_dead_letter_add(batch->flush->slices[0].rows, &letter, err);
    }
    for (int i = 0; code == PT_OK && i < 100; i++) {
        code = pt_flush_add_entry(batch->flush) ? PT_OK : pt_fail_nomem(err, "an entry");
    }
    pt_batches_return(batches, batch);
    return code;
}

static int batches_job(pt_error *err) {
    pt_schema *schema = NULL;
    pt_monitor monitor;
    pt_batches batches;
    PT_TRY(pt_schema_parse(PT_DEAD_LETTER_COLUMNS, &schema, err));
    pt_type types[32];
    for (size_t i = 0; i < schema->n_columns; i++) {
        types[i] = schema->columns[i].type;
    }
    pt_table table = {.types = types, .n_columns = schema->n_columns};
    const pt_table *const tables[] = {&table};
    pt_monitor_init(&monitor);
    int code = pt_batches_init(&batches, &monitor, tables, 1, err);
    for (int i = 0; code == PT_OK && i < 4; i++) {
        code = fill_batch(&batches, err);
    }
    pt_batches_clear(&batches);
    pt_monitor_clear(&monitor);
    pt_schema_free(&schema);
    return code;
}

static void the_text_buffer(void **state) {
    (void)state;
    torture("text", text_job);
}

static void schemas_good_and_bad(void **state) {
    (void)state;
    torture("schema", schema_job);
    torture_job("bad schema", bad_schema_job,
                false); /* it says the schema is bad, if with fewer words */
    torture("least batch", least_job);
}

static void the_config_file(void **state) {
    (void)state;
    (void)snprintf(config_path, sizeof config_path, "/tmp/pintail-torture-XXXXXX");
    int fd = mkstemp(config_path);
    FILE *file = fdopen(fd, "w");
    (void)fputs("brokers: b:1\nlake: ducklake:x\nflush:\n  rows: 10\n  interval: 1s\nkafka:\n  "
                "linger.ms: 5\n  a.b: c\ninit_sql:\n  - SELECT 1\n"
                "topics:\n  - topic: t\n    table: x\n    schema: a INTEGER\n  - topic: u\n",
                file);
    (void)fclose(file);
    torture("config", config_job);
    (void)unlink(config_path);
}

static void the_decoder_and_its_rows(void **state) {
    (void)state;
    torture("decoder", decode_job);
}

static void batches_dead_letters_and_ledger_rows(void **state) {
    (void)state;
    torture("line", batches_job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_buffer),
        cmocka_unit_test(schemas_good_and_bad),
        cmocka_unit_test(the_config_file),
        cmocka_unit_test(the_decoder_and_its_rows),
        cmocka_unit_test(batches_dead_letters_and_ledger_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
