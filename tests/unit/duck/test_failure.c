/* The texts are what DuckDB 1.5, DuckLake 1.0, SQLite, PostgreSQL 15 and strerror really say; names
 * and paths in them are a user's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "duck/failure.h"

#define NOT_FLUSHED                                                                                \
    "TransactionContext Error: Failed to commit: Failed to commit DuckLake "                       \
    "transaction.\nExceeded the maximum retry count of 1 set by the ducklake_max_retry_count "     \
    "setting.\n"                                                                                   \
    ". Consider increasing the value with: e.g., \"SET ducklake_max_retry_count = 10;\"\nFailed "  \
    "to flush changes into DuckLake: Failed to execute query \"INSERT INTO "                       \
    "\"public\".ducklake_snapshot VALUES (3, NOW(), 2, 3, 1);INSERT INTO "                         \
    "\"public\".ducklake_table VALUES (3, 'x', 6, NULL, 0, 'conflict: database is locked', 'n/', " \
    "true);\": "
#define UNREACHED                                                                           \
    "IO Error: Failed to attach DuckLake MetaData \"__ducklake_metadata_lake\" at path + "  \
    "\"postgres:dbname=conflict host=127.0.0.1\"Unable to connect to Postgres at "          \
    "\"dbname=conflict host=127.0.0.1\": connection to server at \"127.0.0.1\", port 5432 " \
    "failed: "

static void all_mean(pt_code code, const char *const *texts) {
    for (; *texts; texts++) {
        if (pt_lake_failure(*texts) != code) {
            fail_msg("%d, not %d: %s", (int)pt_lake_failure(*texts), (int)code, *texts);
        }
    }
}

static void a_conflict_is_tried_again(void **state) {
    (void)state;
    static const char *const texts[] = {
        NOT_FLUSHED "ERROR:  duplicate key value violates unique constraint "
                    "\"ducklake_snapshot_pkey\"\nDETAIL:  Key (snapshot_id)=(3) already exists.\n",
        NOT_FLUSHED "ERROR:  could not serialize access due to concurrent update\n",
        NOT_FLUSHED
        "ERROR:  deadlock detected\nDETAIL:  Process 1 waits for ShareLock on transaction 2; "
        "blocked by process 3.\nHINT:  See server log for query details.\n",
        "TransactionContext Error: Failed to commit: Failed to commit DuckLake "
        "transaction.\nFailed to commit: Failed to execute query \"COMMIT\": database is locked",
        "Failed to query most recent snapshot for DuckLake: Failed to prepare query \"SELECT type "
        "FROM sqlite_master\": database is locked",
        "TransactionContext Error: Failed to commit: Failed to commit DuckLake "
        "transaction.\nTransaction conflict - attempting to insert into table with index \"5\" - "
        "but another "
        "transaction has altered it",
        "TransactionContext Error: Transaction conflict - attempting to create table \"t\" in "
        "schema \"main\" - but this table has been created by another transaction already",
        "TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: "
        "duplicate key \"3\"",
        "Constraint Error: Duplicate key \"snapshot_id: 3\" violates primary key constraint.",
        "TransactionContext Error: Catalog write-write conflict on alter with "
        "\"ducklake_snapshot\"",
        "TransactionContext Error: Conflict on update!",
        "Failed to execute query \"INSERT INTO x\": UNIQUE constraint failed: "
        "ducklake_snapshot.snapshot_id",
        "Failed to execute query \"INSERT INTO x\": Duplicate entry '3' for key 'PRIMARY'",
        NULL};
    all_mean(PT_E_LAKE_BUSY, texts);
}

static void a_statement_that_the_server_canceled_is_tried_again(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Failed to execute query \"SELECT 1\": ERROR:  canceling statement due to user request\n",
        NOT_FLUSHED "ERROR:  canceling statement due to lock timeout\n",
        "Failed to probe DuckLake metadata: Failed to execute query \"BEGIN\": ERROR:  canceling "
        "statement due to statement timeout\n",
        NULL};
    all_mean(PT_E_LAKE_BUSY, texts);
}

static void a_server_that_is_away_is_waited_for(void **state) {
    (void)state;
    static const char *const texts[] = {
        UNREACHED "Connection refused\n\tIs the server running on that host and accepting TCP/IP "
                  "connections?\n",
        UNREACHED "timeout expired\n",
        UNREACHED "FATAL:  the database system is starting up\n",
        UNREACHED "FATAL:  sorry, too many clients already\n",
        UNREACHED "FATAL:  too many connections for role \"pintail\"\n",
        "Failed to execute query \"COMMIT\": server closed the connection unexpectedly\n\tThis "
        "probably means the server terminated abnormally\n",
        "Failed to execute query \"ROLLBACK\": ",
        "Failed to execute query \"SELECT 1\": FATAL:  terminating connection due to administrator "
        "command\n",
        "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The "
        "database must be restarted prior to being used again.\nOriginal error: \"index 100 "
        "does not exist\"",
        NULL};
    all_mean(PT_E_LAKE_DOWN, texts);
}

static void a_server_that_takes_only_reads_is_waited_for_as_in_a_failover(void **state) {
    (void)state;
    static const char *const texts[] = {
        NOT_FLUSHED "ERROR:  cannot execute INSERT in a read-only transaction\n",
        "Failed to execute query \"SELECT 1\": ERROR:  canceling statement due to conflict with "
        "recovery\nDETAIL:  User query might have needed to see row versions that must be "
        "removed.\n",
        NULL};
    all_mean(PT_E_LAKE_DOWN, texts);
}

static void a_disk_without_room_is_waited_for(void **state) {
    (void)state;
    static const char *const texts[] = {
        "IO Error: Could not write file \"/data/permission denied/x.pq\": No space left on device",
        "IO Error: Could not write file \"/data/x.pq\": Disk quota exceeded",
        "IO Error: Could not write file \"/data/x.pq\": Input/output error",
        "Failed to execute query \"COMMIT\": database or disk is full", NULL};
    all_mean(PT_E_LAKE_DOWN, texts);
}

static void what_waiting_does_not_help_is_permanent(void **state) {
    (void)state;
    static const char *const texts[] = {
        UNREACHED "FATAL:  database \"conflict\" does not exist\n",
        UNREACHED "FATAL:  password authentication failed for user \"postgres\"\n",
        UNREACHED "fe_sendauth: no password supplied\n",
        NOT_FLUSHED "ERROR:  permission denied for table ducklake_snapshot\n",
        "IO Error: Cannot open file \"/data/x.pq\": Permission denied",
        "Binder Error: something new",
        NULL};
    all_mean(PT_E_LAKE, texts);
}

static void what_meets_every_record_is_no_record_s_fault(void **state) {
    (void)state;
    assert_true(
        pt_failure_reasons(NOT_FLUSHED "ERROR:  permission denied for table ducklake_snapshot\n") &
        PT_WHY_NO_RECORD);
    assert_false(pt_failure_reasons(
                     "Conversion Error: Could not convert string 'this does not exist' to INT32") &
                 PT_WHY_NO_RECORD);
}

static void what_steers_is_read_from_what_duckdb_says(void **state) {
    (void)state;
    static const struct {
        const char *message;
        unsigned reasons;
    } cases[] = {
        {"FATAL Error: Failed: database has been invalidated because of a previous fatal error. "
         "The database must be restarted prior to being used again.\nOriginal error: \"x\"",
         PT_WHY_ENGINE_INVALID},
        {"Invalid Input Error: " PT_FAILURE_NEW_VALUE, PT_WHY_NEW_VALUE},
        {"Out of Memory Error: could not allocate block of size 256.0 KiB (25.0 MiB/25.0 MiB used)"
         "\n\nPossible solutions:\n* Reducing the number of threads",
         PT_WHY_MEMORY_LIMIT},
        {"Binder Error: DEFAULT value cannot contain a subquery", PT_WHY_BAD_DEFAULT},
        {"TransactionContext Error: cannot start a transaction within a transaction",
         PT_WHY_IN_TRANSACTION},
        {"IO Error: Cannot open file \"/d/x.parquet\": No such file or directory", PT_WHY_NO_FILE},
        {"HTTP Error: Unable to connect to URL \"http://s3/x\": Not Found (HTTP 404 Not Found)",
         PT_WHY_NO_OBJECT},
        {"Invalid Input Error: Existing DuckLake at metadata catalog \"it's \"\" does not exist - "
         "and creating a new DuckLake is explicitly disabled",
         PT_WHY_NO_LAKE | PT_WHY_NO_RECORD},
        {"Invalid Input Error: DuckLake catalog version mismatch: catalog version is 1.1",
         PT_WHY_OTHER_VERSION},
        {"IO Error: Could not set lock on file \"/x\": Conflicting lock is held in y (PID 7)",
         PT_WHY_CATALOG_HELD},
        {"Invalid Input Error: DuckLake data_path is not set", PT_WHY_NO_DATA_PATH},
        {"Invalid Input Error: DATA_PATH parameter \"a\" does not match existing data path in the "
         "catalog \"b\"",
         PT_WHY_OTHER_DATA_PATH},
        {"Catalog Error: Failed to initialize DuckLake: x", PT_WHY_CATALOG_RACED},
        {"TransactionContext Error: Failed to commit: Failed to execute query \"COMMIT\": "
         "server closed the connection",
         PT_WHY_COMMIT_SENT},
        {"TransactionContext Error: Failed to commit: Failed to execute query \"COMMIT\": "
         "database is locked",
         PT_WHY_NONE},
        {NOT_FLUSHED "ERROR:  could not serialize access", PT_WHY_NONE},
        {"Conversion Error: Could not convert string 'Out of Memory Error within a transaction' to "
         "INT32",
         PT_WHY_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned found = pt_failure_reasons(cases[i].message);
        if (found != cases[i].reasons) {
            fail_msg("%#x, not %#x: %s", found, cases[i].reasons, cases[i].message);
        }
    }
}

static void names_paths_and_cited_sql_say_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Catalog Error: Table with name conflict_log does not exist!\nDid you mean \"concurrent\"?",
        "Catalog Error: Table with name timed out does not exist!",
        "IO Error: Cannot open file \"/data/concurrent quota/database is locked/x.pq\": No such "
        "file or directory",
        "IO Error: No files found that match the pattern \"/s3/Connection refused/*.pq\"\n\nLINE "
        "1: FROM read_parquet('could not serialize access')\n             ^",
        "Failed to execute query \"SELECT 1\": ERROR:  relation \"public.conflict\" is a "
        "view\nLINE 1: SELECT 'deadlock detected'\n               ^\n",
        NOT_FLUSHED "ERROR:  value too long\nCONTEXT:  COPY conflict, line 1: database is locked\n",
        "Conversion Error: Could not convert string 'it's a \"deadlock detected\"' to INT32",
        "Conversion Error: it can't take 'database is locked' for what isn't 'timed out'",
        "Binder Error: Referenced column \"concurrent\" not found, and primary key, unique and "
        "conflict are only words",
        NULL};
    all_mean(PT_E_LAKE, texts);
}

static void of_an_encrypted_lakes_messages_no_value_is_kept(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"Conversion Error: Could not convert string 'it's a secret' to INT32",
         "Conversion Error: Could not convert string '' to INT32"},
        {"Constraint Error: Duplicate key \"name: secret\" violates primary key constraint",
         "Constraint Error: Duplicate key \"\" violates primary key constraint"},
        {": ERROR:  value is refused\nDETAIL:  Failing row contains (secret).\n",
         ": ERROR:  value is refused\n\n"},
        {"IO Error: Cannot open file \"/data/t/x.parquet\": No such file or directory",
         "IO Error: Cannot open file \"/data/t/x.parquet\": No such file or directory"},
        {"Binder Error: column \"c\" not found\n\nLINE 1: VALUES ('secret')\n         ^",
         "Binder Error: column \"c\" not found"},
        {"", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char said[256];
        pt_message_without_values(pairs[i][0], said, sizeof said);
        assert_string_equal(said, pairs[i][1]);
    }
}

static void a_message_that_is_longer_than_any_is_no_danger(void **state) {
    (void)state;
    static char text[100000];
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        text[i] = "'a \"b\n"[i % 6];
    }
    assert_int_equal(pt_lake_failure(text), PT_E_LAKE);
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        text[i] = 'x';
    }
    assert_int_equal(pt_lake_failure(text), PT_E_LAKE);
    assert_int_equal(pt_lake_failure(""), PT_E_LAKE);
    assert_int_equal(pt_lake_failure("LINE 1: "), PT_E_LAKE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conflict_is_tried_again),
        cmocka_unit_test(a_statement_that_the_server_canceled_is_tried_again),
        cmocka_unit_test(a_server_that_is_away_is_waited_for),
        cmocka_unit_test(a_server_that_takes_only_reads_is_waited_for_as_in_a_failover),
        cmocka_unit_test(a_disk_without_room_is_waited_for),
        cmocka_unit_test(what_waiting_does_not_help_is_permanent),
        cmocka_unit_test(what_meets_every_record_is_no_record_s_fault),
        cmocka_unit_test(what_steers_is_read_from_what_duckdb_says),
        cmocka_unit_test(names_paths_and_cited_sql_say_nothing),
        cmocka_unit_test(of_an_encrypted_lakes_messages_no_value_is_kept),
        cmocka_unit_test(a_message_that_is_longer_than_any_is_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
