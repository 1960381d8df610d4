/* A schema text, from a user. Checked: it is refused with a text, or every type of it, written down
 * again, is read as the same type; a decoder and rows can be made. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/rows.h"
#include "columns/schema.h"
#include "decode/json/json_value.h"

static void must(int holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void read_again(const pt_type *type) {
    pt_error err = {0};
    pt_type again = {0};
    char *sql = pt_type_sql(type);
    must(sql != NULL, "a type without SQL");
    int code = pt_type_parse(sql, &again, &err);
    must(code == PT_OK, sql);
    char *twice = pt_type_sql(&again);
    must(twice && strcmp(sql, twice) == 0, sql);
    free(sql);
    free(twice);
    pt_type_clear(&again);
}

static void use(const pt_schema *schema) {
    pt_error err = {0};
    pt_decoder *decoder = NULL;
    pt_rows *rows = NULL;
    pt_type *types = calloc(schema->n_columns + 1, sizeof *types);
    must(types != NULL, "memory");
    for (size_t i = 0; i < schema->n_columns; i++) {
        read_again(&schema->columns[i].type);
        types[i] = schema->columns[i].type;
    }
    if (schema->n_columns < 500) {
        int made = open_json(schema, false, &decoder, &err);
        must(made == PT_OK, err.text);
        made = pt_rows_new(types, schema->n_columns, &rows, &err);
        must(made == PT_OK, err.text);
    }
    pt_rows_free(&rows);
    pt_decoder_close(&decoder);
    free(types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    must(text != NULL, "memory");
    memcpy(text, data, size);
    text[size] = '\0';
    pt_schema *schema = NULL;
    pt_error err = {0};
    if (pt_schema_parse(text, &schema, &err) == PT_OK) {
        use(schema);
    } else {
        must(schema == NULL && err.text[0] && !strchr(err.text, '\n'),
             "refused without a line that says why");
    }
    pt_schema_free(&schema);
    free(text);
    return 0;
}
