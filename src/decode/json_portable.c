/* The scanner for any CPU: eight bytes at a time in plain registers. */
#include "decode/json_internal.h"

#include "decode/json_scan.h"

#include "decode/json_skip.h"

#include "decode/json_read.h"

#include "decode/json_nested.h"

const pt_json_scanner pt_json_portable = {.record = read_record, .skip = skip_value, .reader = reader_of};
