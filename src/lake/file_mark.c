#include "lake/file_mark.h"

#include <stdio.h>
#include <string.h>

void pt_file_mark(const pt_table *table, char *out) {
    const char *end = strrchr(table->uuid, '-');
    (void)snprintf(out, PT_MARK_DIGITS + 1, "%s", end ? end + 1 : "00000000");
}
