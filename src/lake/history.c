#include "lake/history.h"

#include "base/text.h"
#include "lake/table.h"

int pt_history_other_topic(pt_engine *engine, pt_session *session, const char *table, const char *topic, char **out, pt_error *err) {
    pt_text sql = {0};
    *out = NULL;
    pt_text_addf(&sql, "SELECT min(topic) FROM \"%s\".pintail.offsets WHERE row_count > 0 AND target_table = ", pt_engine_alias(engine));
    pt_text_add_sql_string(&sql, table);
    pt_text_add(&sql, " AND topic <> ");
    pt_text_add_sql_string(&sql, topic);
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_text(session, pt_text_get(&sql), out, err);
    }
    pt_text_free(&sql);
    return code;
}

int pt_history_knows(pt_engine *engine, pt_session *session, const char *pipeline, const char *topic, bool *out, pt_error *err) {
    pt_text sql = {0};
    int64_t n = 0;
    pt_text_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM \"%s\".pintail.offsets WHERE pipeline = ", pt_engine_alias(engine));
    pt_text_add_sql_string(&sql, pipeline);
    pt_text_add(&sql, " AND topic = ");
    pt_text_add_sql_string(&sql, topic);
    pt_text_add(&sql, " LIMIT 1)");
    int code = pt_text_check(&sql, err);
    if (code == PT_OK) {
        code = pt_session_int(session, pt_text_get(&sql), &n, err);
    }
    *out = n > 0;
    pt_text_free(&sql);
    return code;
}
