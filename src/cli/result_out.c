#include "cli/result_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/text.h"

static int write_failed(pt_error *err) {
    if (errno == EPIPE) {
        return pt_fail(err, PT_E_READER_GONE, "the reader of the output has closed it");
    }
    return pt_fail(err, PT_E_IO, "the output cannot be written: %s", strerror(errno));
}

static int put_bytes(FILE *out, const char *data, size_t len, pt_error *err) {
    return fwrite(data, 1, len, out) == len ? PT_OK : write_failed(err);
}

static bool is_terminal(FILE *out) {
    static int terminal = -1; /* asked once, not for every row */
    if (terminal < 0 && out == stdout) {
        terminal = isatty(STDOUT_FILENO) == 1;
    }
    return out == stdout && terminal == 1;
}

int pt_writer_put(FILE *out, const char *data, size_t len, pt_error *err) {
    if (!is_terminal(out)) {
        return put_bytes(out, data, len, err);
    }
    pt_text shown = {0};
    pt_text_add_shown(&shown, data, len, "\n\t");
    int code = pt_text_check(&shown, err);
    if (code == PT_OK) {
        code = put_bytes(out, pt_text_get(&shown), shown.len, err);
    }
    pt_text_free(&shown);
    return code;
}

int pt_writer_flush(FILE *out, pt_error *err) {
    return fflush(out) == 0 ? PT_OK : write_failed(err);
}
