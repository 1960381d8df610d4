#include "lake/registered.h"

#include <string.h>

#include "duck/result.h"
#include "duck/session.h"

int pt_registered_check(pt_session *session, const pt_slice *slice, bool *seen, pt_error *err) {
    const char *slash = strrchr(slice->staged, '/');
    const char *name = slash ? slash + 1 : slice->staged;
    pt_result found;
    *seen = false;
    int code = pt_session_exec(
        session, &found, err,
        "SELECT path, path_is_relative::INTEGER FROM @meta.ducklake_data_file WHERE path IN (?, ?)",
        PT_VALUES(pt_str(name), pt_str(slice->staged)));
    if (code == PT_OK && found.n_rows) {
        *seen = true;
        if (pt_result_int(&found, 0, 1) != 1 || strcmp(pt_result_cell(&found, 0, 0), name) != 0) {
            code =
                pt_fail(err, PT_E_LAKE,
                        "table %s: the catalog keeps data file %s with its whole path, since "
                        "DuckLake does not take %s for the table's folder; a cleanup by "
                        "anybody may remove such a file, so nothing more is committed; compare "
                        "--data-path with the data_path in the catalog's table ducklake_metadata",
                        slice->table->label, slice->staged, slice->table->folder);
        }
    }
    pt_result_clear(&found);
    return code;
}
