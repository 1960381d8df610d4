#include "cli/sql/run.h"

#include <duckdb.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/redact.h"
#include "cli/sql/cells.h"
#include "cli/sql/sink.h"
#include "cli/sql/statement_error.h"
#include "duck/session.h"

struct pt_sql_runner {
    pt_sql_runner_options options;
    pt_session *session;
    duckdb_connection connection; /* of session */
    pt_cells *cells;
    pt_sql_sink *sink;
    bool in_transaction;
    bool wrote;  /* a result */
    bool secret; /* the statement under way may hold a password */
};

int pt_sql_runner_open(pt_engine *engine, const pt_sql_runner_options *options, pt_sql_runner **out,
                       pt_error *err) {
    pt_sql_runner *r = calloc(1, sizeof *r);
    *out = r;
    if (!r) {
        return pt_fail_nomem(err, "the session");
    }
    r->options = *options;
    int code = pt_session_open(engine, &r->session, err);
    if (code == PT_OK) {
        r->connection = pt_session_connection(r->session);
        code = pt_cells_open(engine, &r->cells, err);
    }
    if (code == PT_OK) {
        code = pt_sql_sink_open(r->connection, &r->sink, err);
    }
    if (code != PT_OK) {
        pt_sql_runner_close(out);
    }
    return code;
}

void pt_sql_runner_close(pt_sql_runner **runner) {
    pt_sql_runner *r = *runner;
    if (r) {
        pt_sql_sink_free(&r->sink); /* DuckDB has nothing more to say to it */
        pt_cells_close(&r->cells);
        pt_session_close(&r->session);
        free(r);
        *runner = NULL;
    }
}

pt_writer_options *pt_sql_runner_writer(pt_sql_runner *runner) {
    return &runner->options.writer;
}

pt_session *pt_sql_runner_session(pt_sql_runner *runner) {
    return runner->session;
}

bool pt_sql_runner_in_transaction(const pt_sql_runner *runner) {
    return runner->in_transaction;
}

/* ---- errors ---- */

static int cancelled(pt_error *err) {
    return pt_fail(err, PT_E_INTERRUPTED, "the statement was interrupted");
}

static int failed(pt_sql_runner *r, const char *message, pt_error *err) {
    return r->options.cancelled() ? cancelled(err) : pt_sql_failed(message, r->secret, err);
}

/* ---- results ---- */

/* The rows of one statement on their way to the writer, which is opened when the first ones come:
 * what fails before has written nothing. */
typedef struct pt_output {
    pt_sql_runner *runner;
    const pt_result_column *columns;
    size_t n_columns;
    pt_writer *writer;
} pt_output;

static int open_output(pt_output *o, pt_error *err) {
    pt_sql_runner *r = o->runner;
    if (o->writer) {
        return PT_OK;
    }
    if (r->wrote && r->options.writer.format ==
                        PT_FORMAT_MARKDOWN) { /* else the second one would be rows of the first */
        PT_TRY(pt_writer_put(r->options.writer.out, "\n", 1, err));
    }
    r->wrote = true;
    return pt_writer_open(&r->options.writer, o->columns, o->n_columns, &o->writer, err);
}

static int write_row(void *context, const pt_cell *cells, pt_error *err) {
    return pt_writer_row(context, cells, err);
}

static int write_chunk(void *context, duckdb_data_chunk chunk, pt_error *err) {
    pt_output *o = context;
    if (o->runner->options.cancelled()) {
        return cancelled(err);
    }
    PT_TRY(open_output(o, err));
    return pt_cells_each(o->runner->cells, chunk, write_row, o->writer, err);
}

static int end_output(pt_output *o, int code, pt_error *err) {
    if (code == PT_OK) {
        code = open_output(o, err); /* there were no rows */
    }
    if (code == PT_OK) {
        code = pt_writer_end(o->writer, err);
    }
    pt_writer_free(&o->writer);
    return code;
}

static int write_chunks(pt_sql_runner *r, duckdb_result *result, pt_output *o, pt_error *err) {
    duckdb_data_chunk chunk;
    int code = PT_OK;
    while (code == PT_OK && (chunk = duckdb_fetch_chunk(*result)) != NULL) {
        code = write_chunk(o, chunk, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *message = duckdb_result_error(result);
    return code == PT_OK && message && *message ? failed(r, message, err) : code;
}

static int begin_cells(pt_sql_runner *r, duckdb_result *result, duckdb_prepared_statement statement,
                       pt_format format, pt_output *o, pt_error *err) {
    const pt_cells_source source = {.connection = r->connection,
                                    .result = result,
                                    .statement = statement};
    *o = (pt_output){.runner = r};
    return pt_cells_begin(r->cells, &source, format, &o->columns, &o->n_columns, err);
}

static int write_result(pt_sql_runner *r, duckdb_result *result, pt_error *err) {
    pt_output o;
    PT_TRY(begin_cells(r, result, NULL, r->options.writer.format, &o, err));
    return end_output(&o, write_chunks(r, result, &o, err), err);
}

/* EXPLAIN's second column is a drawing: shown as it is, not in a box. */
static int write_plain(void *context, const pt_cell *cells, pt_error *err) {
    return cells[1].data ? pt_writer_put(context, cells[1].data, cells[1].len, err) : PT_OK;
}

static int write_plan(pt_sql_runner *r, duckdb_result *result, pt_error *err) {
    pt_output o;
    PT_TRY(begin_cells(r, result, NULL, PT_FORMAT_CSV, &o, err));
    duckdb_data_chunk chunk;
    int code = PT_OK;
    while (code == PT_OK && (chunk = duckdb_fetch_chunk(*result)) != NULL) {
        code = pt_cells_each(r->cells, chunk, write_plain, r->options.writer.out, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    return code == PT_OK ? pt_writer_flush(r->options.writer.out, err) : code;
}

static int drain(pt_sql_runner *r, duckdb_result *result, pt_error *err) {
    int64_t changed = 0;
    bool counts = duckdb_result_return_type(*result) == DUCKDB_RESULT_TYPE_CHANGED_ROWS;
    duckdb_data_chunk chunk;
    while ((chunk = duckdb_fetch_chunk(*result)) != NULL) {
        if (counts && duckdb_data_chunk_get_size(chunk)) {
            changed += *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        }
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *message = duckdb_result_error(result);
    if (message && *message) {
        return failed(r, message, err);
    }
    if (r->options.log_done && counts) {
        (void)fprintf(r->options.writer.out, "%" PRId64 " row%s\n", changed,
                      changed == 1 ? "" : "s");
    } else if (r->options.log_done) {
        (void)fputs("OK\n", r->options.writer.out);
    }
    return PT_OK;
}

static int show(pt_sql_runner *r, duckdb_result *result, pt_error *err) {
    if (duckdb_result_return_type(*result) != DUCKDB_RESULT_TYPE_QUERY_RESULT) {
        return drain(r, result, err);
    }
    bool box = r->options.writer.format == PT_FORMAT_BOX;
    if (box && duckdb_column_count(result) == 1 &&
        strcmp(duckdb_column_name(result, 0), "Success") == 0) {
        return drain(r, result, err); /* what a CALL says that has nothing to say: an empty table */
    }
    if (box && duckdb_result_statement_type(*result) == DUCKDB_STATEMENT_TYPE_EXPLAIN &&
        duckdb_column_count(result) == 2) {
        return write_plan(r, result, err);
    }
    return write_result(r, result, err);
}

/* ---- statements ---- */

static bool begins_with(const char *sql, const char *const *words) {
    size_t n = strspn(sql, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (; *words; words++) {
        if (strlen(*words) == n && strncasecmp(sql, *words, n) == 0) {
            return true;
        }
    }
    return false;
}

/* A COMMIT that fails has rolled back. */
static void follow_transaction(pt_sql_runner *r, const char *sql, bool done) {
    static const char *const opens[] = {"begin", "start", NULL};
    static const char *const ends[] = {"commit", "end", "rollback", "abort", NULL};
    if (begins_with(sql, ends)) {
        r->in_transaction = false;
    } else if (done && begins_with(sql, opens)) {
        r->in_transaction = true;
    }
}

/* As a whole: what changes something is done when duckdb_query returns. */
static int run_at_once(pt_sql_runner *r, const char *sql, pt_error *err) {
    duckdb_result result = {0};
    int code = duckdb_query(r->connection, sql, &result) == DuckDBError
                   ? failed(r, duckdb_result_error(&result), err)
                   : show(r, &result, err);
    duckdb_destroy_result(&result);
    return code;
}

/* Its rows are all in memory before the first is shown. */
static int run_prepared(pt_sql_runner *r, duckdb_prepared_statement statement, pt_error *err) {
    duckdb_result result = {0};
    int code = duckdb_execute_prepared(statement, &result) == DuckDBError
                   ? failed(r, duckdb_result_error(&result), err)
                   : show(r, &result, err);
    duckdb_destroy_result(&result);
    return code;
}

/* The rows go out as DuckDB makes them. */
static int run_sunk(pt_sql_runner *r, const char *sql, duckdb_prepared_statement statement,
                    pt_error *err) {
    pt_output o;
    duckdb_result result;
    int code = PT_OK;
    PT_TRY(begin_cells(r, NULL, statement, r->options.writer.format, &o, err));
    pt_sql_sunk sunk = pt_sql_sink_run(r->sink, sql, write_chunk, &o, &result, &code, err);
    if (sunk == PT_SQL_NOT_SUNK && !r->options.cancelled()) {
        duckdb_destroy_result(&result);
        return run_prepared(r, statement, err);
    }
    if (sunk != PT_SQL_SUNK) {
        code = failed(r, duckdb_result_error(&result), err);
    }
    duckdb_destroy_result(&result);
    return end_output(&o, code, err);
}

/* A transaction around one statement, unless the user's own is open. */
static int begin_own(pt_sql_runner *r, bool *own, pt_error *err) {
    *own = false;
    if (r->in_transaction) {
        return PT_OK;
    }
    if (pt_session_run(r->session, "BEGIN", err) == PT_OK) {
        *own = true;
        return PT_OK;
    }
    if (pt_error_is(err, PT_WHY_IN_TRANSACTION)) { /* a COMMIT that was interrupted left it open */
        r->in_transaction = true;
        return PT_OK;
    }
    return r->options.cancelled() ? cancelled(err) : (int)err->code;
}

static int end_own(pt_sql_runner *r, int code, pt_error *err) {
    if (code == PT_OK) {
        duckdb_result result = {0};
        code = duckdb_query(r->connection, "COMMIT", &result) == DuckDBError
                   ? failed(r, duckdb_result_error(&result), err)
                   : PT_OK;
        duckdb_destroy_result(&result);
    }
    if (code != PT_OK) {
        pt_sql_watch_end(r->options.watch); /* Ctrl-C is not to stop this one */
        int ignored = pt_session_run(r->session, "ROLLBACK", NULL);
        (void)ignored; /* the statement's own error is the one to tell */
    }
    return code;
}

/* Streams the rows, in one transaction for the statement's binding and its run. */
static int run_streamed(pt_sql_runner *r, const char *sql, duckdb_extracted_statements statements,
                        pt_error *err) {
    duckdb_prepared_statement statement = NULL;
    bool own;
    int code;
    PT_TRY(begin_own(r, &own, err));
    if (duckdb_prepare_extracted_statement(r->connection, statements, 0, &statement) ==
        DuckDBError) {
        code = failed(r, duckdb_prepare_error(statement), err);
    } else if (duckdb_prepared_statement_type(statement) == DUCKDB_STATEMENT_TYPE_SELECT &&
               duckdb_nparams(statement) == 0) {
        code = run_sunk(r, sql, statement, err);
    } else { /* WITH ... INSERT, or $1 */
        code = run_prepared(r, statement, err);
    }
    duckdb_destroy_prepare(&statement);
    return own ? end_own(r, code, err) : code;
}

static int run_statement(pt_sql_runner *r, const char *sql, pt_error *err) {
    static const char *const reads[] = {"select", "from", "with", "values", "table", NULL};
    duckdb_extracted_statements statements = NULL;
    if (!begins_with(sql, reads) && *sql != '(') {
        return run_at_once(r, sql, err);
    }
    idx_t n = duckdb_extract_statements(r->connection, sql, &statements);
    const char *message = duckdb_extract_statements_error(statements);
    int code;
    if (n == 0) {
        code = message && *message ? failed(r, message, err) : PT_OK;
    } else if (n == 1) {
        code = run_streamed(r, sql, statements, err);
    } else { /* a PIVOT inside becomes several */
        code = run_at_once(r, sql, err);
    }
    duckdb_destroy_extracted(&statements);
    return code;
}

int pt_sql_run(pt_sql_runner *r, const char *sql, pt_error *err) {
    r->secret = pt_sql_is_secret(sql);
    pt_sql_watch_begin(r->options.watch, r->session);
    int code = run_statement(r, sql, err);
    pt_sql_watch_end(r->options.watch);
    follow_transaction(r, sql, code == PT_OK);
    return code;
}
