/* The scanner for any CPU: eight bytes at a time in plain registers. */
#include "decode/json/core.h"

#include "decode/json/scan.h"

#include "decode/json/skip.h"

#include "decode/json/read.h"

#include "decode/json/nested.h"

const pt_json_scanner pt_json_portable = {.record = read_record,
                                          .skip = skip_value,
                                          .reader = reader_of};
