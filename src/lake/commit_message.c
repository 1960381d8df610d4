#include "lake/commit_message.h"

#include <string.h>

#include "base/text.h"
#include "duck/session.h"
#include "duck/uuid.h"

int pt_message_set(pt_session *session, const char *message, const char *extra, pt_error *err) {
    return pt_session_exec(session, NULL, err,
                           "CALL ducklake_set_commit_message(?, ?, ?, extra_info => ?)",
                           PT_VALUES(pt_str(pt_session_alias(session)),
                                     pt_str("pintail " PT_VERSION), pt_str(message),
                                     pt_str(extra)));
}

int pt_message_end(pt_session *session, pt_text *message, pt_text *extra, pt_error *err) {
    int code = pt_text_check(message, err) == PT_OK ? pt_text_check(extra, err) : PT_E_NOMEM;
    if (code == PT_OK) {
        code = pt_message_set(session, pt_text_get(message), pt_text_get(extra), err);
    }
    pt_text_free(message);
    pt_text_free(extra);
    return code;
}

void pt_message_add(pt_text *text, const char *separator, const char *key, const char *value) {
    pt_text_addf(text, "%s\"%s\":", separator, key);
    pt_text_add_json(text, value, strlen(value));
}

int pt_message_begin(pt_session *session, pt_text *extra, const char *pipeline, pt_error *err) {
    char id[PT_UUID_SIZE];
    PT_TRY(pt_uuid_any(session, id, err));
    pt_message_add(extra, "{", "commit_id", id);
    if (pipeline) {
        pt_message_add(extra, ",", "pipeline", pipeline);
    }
    return PT_OK;
}

int pt_message_table(pt_session *session, const char *pipeline, const char *verb, const char *table,
                     pt_error *err) {
    pt_text message = {0};
    pt_text extra = {0};
    PT_TRY(pt_message_begin(session, &extra, pipeline, err));
    pt_text_addf(&message, "%s %s", verb, table);
    pt_message_add(&extra, ",", "table", table);
    pt_text_add(&extra, "}");
    return pt_message_end(session, &message, &extra, err);
}
