#include "duck/http_failure.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The status in "(HTTP code 403)" or "(HTTP 403 Forbidden)"; 0: none. */
static int http_status(const char *message) {
    for (const char *p = message; (p = strstr(p, "HTTP ")) != NULL;) {
        p += 5;
        const char *digits = strncmp(p, "code ", 5) == 0 ? p + 5 : p;
        if (isdigit((unsigned char)digits[0]) && isdigit((unsigned char)digits[1]) &&
            isdigit((unsigned char)digits[2]) && !isdigit((unsigned char)digits[3])) {
            return (int)strtol(digits, NULL, 10);
        }
    }
    return 0;
}

pt_code pt_object_store_failure(const char *message) {
    int status = http_status(message);
    if (status == 0) {
        return strstr(message, " error for HTTP ") ? PT_E_LAKE_DOWN : PT_OK;
    }
    bool passes = status == 408 || status == 429 || (status >= 500 && status != 501) ||
                  strstr(message, "RequestTimeout:") || strstr(message, "SlowDown:");
    return passes ? PT_E_LAKE_DOWN : PT_E_LAKE;
}

const char *pt_object_store_advice(const char *message) {
    switch (http_status(message)) {
    case 401:
    case 403:
        return " (check the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the secret in "
               "init_sql, and that they may read and write there)";
    case 404: return " (check the bucket in the data path; pintail makes none)";
    case 301:
    case 400: return " (check region, endpoint and bucket)";
    default: return "";
    }
}
