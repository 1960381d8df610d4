#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duck/failure.h"
#include "duck/http_failure.h"
#include "duck/object_store.h"
#include "duck/session.h"

static void a_refusal_is_permanent_and_comes_with_advice(void **state) {
    (void)state;
    static const char *const texts[] = {
        "HTTP Error: Unable to connect to URL s3://b/x.pq: Forbidden (HTTP code 403)  "
        "SignatureDoesNotMatch: ...",
        "HTTP Error: HTTP GET error reading 's3://b/x' in region 'us-east-1' (HTTP 403 Forbidden)",
        "HTTP Error: Unable to connect to URL s3://b/x.pq: Not Found (HTTP code 404)  "
        "NoSuchBucket: The specified bucket does not exist.",
        "HTTP Error: Unable to connect to URL s3://b/x.pq: Bad Request (HTTP code 400)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(pt_object_store_failure(texts[i]), PT_E_LAKE);
        assert_int_equal(pt_lake_failure(texts[i]), PT_E_LAKE);
        assert_true(strlen(pt_object_store_advice(texts[i])) > 10);
    }
}

static void what_passes_is_waited_for(void **state) {
    (void)state;
    static const char *const texts[] = {
        "IO Error: Could not connect to server error for HTTP PUT to 'http://127.0.0.1:1/b/x.pq'",
        "IO Error: Timeout was reached error for HTTP PUT to 'http://127.0.0.1:1/b/x.pq'",
        "HTTP Error: Unable to connect to URL s3://b/x.pq: Service Unavailable (HTTP code 503)  "
        "SlowDown: Reduce your request rate.",
        "HTTP Error: HTTP GET error reading 's3://b/x' in region 'us-east-1' (HTTP 500 Internal "
        "Server Error)",
        "HTTP Error: too many (HTTP code 429)",
        "HTTP Error: Bad Request (HTTP code 400) RequestTimeout: Your socket connection was not "
        "read from within the timeout period.",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(pt_object_store_failure(texts[i]), PT_E_LAKE_DOWN);
        assert_int_equal(pt_lake_failure(texts[i]), PT_E_LAKE_DOWN);
    }
}

static void other_texts_are_not_about_http(void **state) {
    (void)state;
    assert_int_equal(pt_object_store_failure("IO Error: database is locked"), PT_OK);
    assert_int_equal(pt_object_store_failure("Binder Error: HTTP 2.0 of order 403"), PT_OK);
    assert_string_equal(pt_object_store_advice("IO Error: No space left on device"), "");
}

static void a_failed_statement_shows_none_of_its_secrets(void **state) {
    (void)state;
    static const char *const statements[] = {
        "CREATE SECRET (TYPE s3, KEY_ID 'AKIAKEY', SECRET 'hush/secret', USE_SSL 'hush/secret')",
        "CREATE SECRET (TYPE s3, KEY_ID 'AKIAKEY', SECRET 'hush/secret', NONSENSE 'x')",
        "CREATE SECRET (TYPE s3 KEY_ID 'AKIAKEY', SECRET 'hush/secret')",
        "CREATE SECRET (TYPE s3, KEY_ID 'AKIAKEY', SECRET 'hush/secret",
        "CREATE SECRET (TYPE hush, KEY_ID AKIAKEY, SECRET 'hush/secret')",
        "SELECT 'hush/secret'::INTEGER",
    };
    pt_lake_options options = {.load = PT_LOAD_REMOTE};
    pt_engine *engine = NULL;
    pt_session *session = NULL;
    pt_error err = {0};
    assert_int_equal(pt_engine_open(&options, &engine, &err), PT_OK);
    assert_int_equal(pt_session_open(engine, &session, &err), PT_OK);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        assert_int_not_equal(pt_object_store_run_secret(session, statements[i], &err), PT_OK);
        assert_true(strlen(err.text) > 5);
        assert_null(strstr(err.text, "hush/secret"));
        assert_null(strstr(err.text, "sh/sec"));
    }
    pt_session_close(&session);
    pt_engine_close(&engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_permanent_and_comes_with_advice),
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(other_texts_are_not_about_http),
        cmocka_unit_test(a_failed_statement_shows_none_of_its_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
