/* What is different when data files lie on an object store: keys, and removing an
 * object. Errors with an HTTP status: duck/http_failure.h. */
#pragma once

#include "base/error.h"
#include "duck/lake_options.h"

/* A DuckDB secret from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
 * AWS_ENDPOINT_URL; nothing when there is no key. */
int pt_object_store_login(pt_session *session, pt_error *err) PT_CHECKED;

/* Runs a statement of the user's that may hold a secret: an error does not cite it, nor any of its
 * quoted values. */
int pt_object_store_run_secret(pt_session *session, const char *sql, pt_error *err) PT_CHECKED;

/* Removes files, local ones and objects; one that is not there is none to remove. Objects need a
 * session whose engine has DuckLake loaded, and no transaction. */
int pt_files_remove(pt_session *session, const char *const *paths, size_t n,
                    pt_error *err) PT_CHECKED;
