#include "cli/result_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/text.h"
#include "cli/result_box.h"

struct pt_writer {
    pt_writer_options options;
    size_t n_columns;
    bool *raw;
    pt_text keys; /* JSON: the keys, each as "name": with a NUL behind it */
    size_t *key;  /* offsets into keys */
    pt_text line; /* the row being made */
    size_t n_rows;
    pt_box *box;
};

static int put_line(pt_writer *w, pt_error *err) {
    PT_TRY(pt_text_check(&w->line, err));
    int code = pt_writer_put(w->options.out, pt_text_get(&w->line), w->line.len, err);
    pt_text_clear(&w->line);
    return code;
}

/* ---- CSV (RFC 4180, lines end with LF): NULL is nothing, an empty text is "" ---- */

static bool contains(const char *data, size_t len, const char *any) {
    for (size_t i = 0; i < len; i++) {
        if (data[i] && strchr(any, data[i])) {
            return true;
        }
    }
    return false;
}

static void add_csv(pt_text *line, const char *data, size_t len) {
    if (len && !contains(data, len, ",\"\r\n") && data[0] != ' ' && data[len - 1] != ' ') {
        pt_text_add_n(line, data, len);
        return;
    }
    pt_text_add(line, "\"");
    for (size_t i = 0; i < len; i++) {
        pt_text_add_n(line, &data[i], 1);
        if (data[i] == '"') {
            pt_text_add(line, "\"");
        }
    }
    pt_text_add(line, "\"");
}

static void csv_row(pt_writer *w, const pt_cell *cells) {
    for (size_t c = 0; c < w->n_columns; c++) {
        if (c) {
            pt_text_add(&w->line, ",");
        }
        if (cells[c].data) {
            add_csv(&w->line, cells[c].data, cells[c].len);
        }
    }
    pt_text_add(&w->line, "\n");
}

/* ---- JSON: an array of objects, one on a line ---- */

/* A key used twice would hide a value from most readers: the second becomes name_1, as DuckDB names
 * columns. */
static int make_keys(pt_writer *w, const pt_result_column *columns, pt_error *err) {
    pt_text name = {0};
    for (size_t c = 0; c < w->n_columns; c++) {
        for (size_t suffix = 0, taken = 1; taken; suffix++) {
            taken = 0;
            pt_text_clear(&name);
            pt_text_add(&name, columns[c].name);
            if (suffix) {
                pt_text_addf(&name, "_%zu", suffix);
            }
            w->key[c] = w->keys.len;
            pt_text_add_json(&w->keys, pt_text_get(&name), name.len);
            pt_text_add_n(&w->keys, ":", 2);
            if (w->keys.failed || name.failed) {
                break;
            }
            for (size_t other = 0; other < c && !taken; other++) {
                taken = strcmp(w->keys.data + w->key[other], w->keys.data + w->key[c]) == 0;
            }
            w->keys.len = taken ? w->key[c] : w->keys.len;
        }
    }
    int code = pt_text_check(&name, err);
    pt_text_free(&name);
    return code == PT_OK ? pt_text_check(&w->keys, err) : code;
}

static size_t bare_word(const char *data, size_t len, const char **text) {
    static const char *const words[][2] = {
        {"NaN", "NaN"},           {"nan", "NaN"},      {"Infinity", "Infinity"},
        {"infinity", "Infinity"}, {"inf", "Infinity"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i][0]);
        if (n <= len && memcmp(data, words[i][0], n) == 0) {
            *text = words[i][1];
            return n;
        }
    }
    return 0;
}

/* JSON has no NaN and no infinity: DuckDB's bare words become texts. */
static void add_raw_json(pt_text *line, const char *data, size_t len) {
    bool quoted = false;
    for (size_t i = 0; i < len;) {
        const char *text = NULL;
        size_t sign = !quoted && data[i] == '-';
        size_t n = quoted ? 0 : bare_word(data + i + sign, len - i - sign, &text);
        if (n) {
            pt_text_addf(line, "\"%s%s\"", sign ? "-" : "", text);
            i += sign + n;
            continue;
        }
        n = quoted && data[i] == '\\' && i + 1 < len ? 2 : 1;
        quoted ^= data[i] == '"';
        pt_text_add_n(line, data + i, n);
        i += n;
    }
}

static void json_row(pt_writer *w, const pt_cell *cells) {
    pt_text_add(&w->line, w->n_rows ? ",\n{" : "[{");
    for (size_t c = 0; c < w->n_columns; c++) {
        pt_text_add(&w->line, c ? "," : "");
        pt_text_add(&w->line, w->keys.data + w->key[c]);
        if (!cells[c].data) {
            pt_text_add(&w->line, "null");
        } else if (w->raw[c]) {
            add_raw_json(&w->line, cells[c].data, cells[c].len);
        } else {
            pt_text_add_json(&w->line, cells[c].data, cells[c].len);
        }
    }
    pt_text_add(&w->line, "}");
}

/* ---- Markdown ---- */

static void add_markdown(pt_text *line, const char *data, size_t len) {
    pt_text_add(line, " ");
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '|' || data[i] == '\\') {
            pt_text_addf(line, "\\%c", data[i]);
        } else if (data[i] == '\n') {
            pt_text_add(line, "<br>");
        } else if (data[i] != '\r') {
            pt_text_add_n(line, &data[i], 1);
        }
    }
    pt_text_add(line, " |");
}

static void markdown_head(pt_writer *w, const pt_result_column *columns) {
    pt_text_add(&w->line, "|");
    for (size_t c = 0; c < w->n_columns; c++) {
        add_markdown(&w->line, columns[c].name, strlen(columns[c].name));
    }
    pt_text_add(&w->line, "\n|");
    for (size_t c = 0; c < w->n_columns; c++) {
        pt_text_add(&w->line, columns[c].number ? "---:|" : "---|");
    }
    pt_text_add(&w->line, "\n");
}

static void markdown_row(pt_writer *w, const pt_cell *cells) {
    pt_text_add(&w->line, "|");
    for (size_t c = 0; c < w->n_columns; c++) {
        if (cells[c].data) {
            add_markdown(&w->line, cells[c].data, cells[c].len);
        } else {
            pt_text_add(&w->line, " NULL |");
        }
    }
    pt_text_add(&w->line, "\n");
}

/* ---- the writer ---- */

static int open_format(pt_writer *w, const pt_result_column *columns, pt_error *err) {
    switch (w->options.format) {
    case PT_FORMAT_BOX: return pt_box_open(&w->options, columns, w->n_columns, &w->box, err);
    case PT_FORMAT_JSON: return make_keys(w, columns, err);
    case PT_FORMAT_MARKDOWN: markdown_head(w, columns); return put_line(w, err);
    case PT_FORMAT_CSV: break;
    }
    for (size_t c = 0; c < w->n_columns; c++) {
        pt_text_add(&w->line, c ? "," : "");
        add_csv(&w->line, columns[c].name, strlen(columns[c].name));
    }
    pt_text_add(&w->line, "\n");
    return put_line(w, err);
}

int pt_writer_open(const pt_writer_options *options, const pt_result_column *columns,
                   size_t n_columns, pt_writer **out, pt_error *err) {
    pt_writer *w = calloc(1, sizeof *w);
    *out = w;
    if (!w) {
        return pt_fail_nomem(err, "a result");
    }
    w->options = *options;
    w->n_columns = n_columns;
    w->raw = calloc(n_columns + 1, sizeof *w->raw);
    w->key = calloc(n_columns + 1, sizeof *w->key);
    int code = w->raw && w->key ? PT_OK : pt_fail_nomem(err, "a result");
    for (size_t c = 0; code == PT_OK && c < n_columns; c++) {
        w->raw[c] = columns[c].raw;
    }
    if (code == PT_OK) {
        code = open_format(w, columns, err);
    }
    if (code != PT_OK) {
        pt_writer_free(out);
    }
    return code;
}

int pt_writer_row(pt_writer *w, const pt_cell *cells, pt_error *err) {
    switch (w->options.format) {
    case PT_FORMAT_BOX: return pt_box_row(w->box, cells, err);
    case PT_FORMAT_CSV: csv_row(w, cells); break;
    case PT_FORMAT_JSON: json_row(w, cells); break;
    case PT_FORMAT_MARKDOWN: markdown_row(w, cells); break;
    }
    w->n_rows++;
    return put_line(w, err);
}

int pt_writer_end(pt_writer *w, pt_error *err) {
    if (w->options.format == PT_FORMAT_BOX) {
        PT_TRY(pt_box_end(w->box, err));
    } else if (w->options.format == PT_FORMAT_JSON) {
        pt_text_add(&w->line, w->n_rows ? "]\n" : "[]\n");
        PT_TRY(put_line(w, err));
    }
    return pt_writer_flush(w->options.out, err);
}

void pt_writer_free(pt_writer **writer) {
    pt_writer *w = *writer;
    if (!w) {
        return;
    }
    pt_box_free(&w->box);
    pt_text_free(&w->keys);
    pt_text_free(&w->line);
    free(w->raw);
    free(w->key);
    free(w);
    *writer = NULL;
}
