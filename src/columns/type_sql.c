/* A column type as SQL text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/schema.h"
#include "columns/schema_lex.h"

void pt_type_clear(pt_type *type) {
    for (size_t i = 0; i < type->n_fields; i++) {
        free(type->fields[i].name);
        pt_type_clear(&type->fields[i].type);
    }
    free(type->fields);
    memset(type, 0, sizeof *type);
}

static void print_type(FILE *f, const pt_type *type) {
    switch (type->id) {
    case PT_LIST:
        print_type(f, &type->fields[0].type);
        fputs("[]", f);
        return;
    case PT_MAP:
        fputs("MAP(", f);
        print_type(f, &type->fields[0].type);
        fputs(", ", f);
        print_type(f, &type->fields[1].type);
        fputc(')', f);
        return;
    case PT_STRUCT:
        fputs("STRUCT(", f);
        for (size_t i = 0; i < type->n_fields; i++) {
            fputs(i ? ", \"" : "\"", f);
            for (const char *p = type->fields[i].name; *p; p++) {
                fputs(*p == '"' ? "\"" : "", f);
                fputc(*p, f);
            }
            fputs("\" ", f);
            print_type(f, &type->fields[i].type);
        }
        fputc(')', f);
        return;
    default: break;
    }
    fputs(pt_type_name(type->id), f);
    if (type->id == PT_DECIMAL) {
        fprintf(f, "(%u,%u)", type->width, type->scale);
    }
}

char *pt_type_sql(const pt_type *type) {
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f) {
        return NULL;
    }
    print_type(f, type);
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
