/* The scanner for x86-64 with AVX2; pt_decoder_new_json takes it when the CPU has it. */
#if defined(__x86_64__)

#    include "decode/json/core.h"

#    include <immintrin.h>

#    define PT_JSON_AVX2

#    if defined(__clang__)
#        pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#    else
#        pragma GCC push_options
#        pragma GCC target("avx2,bmi,bmi2")
#    endif

#    include "decode/json/scan.h"

#    include "decode/json/skip.h"

#    include "decode/json/read.h"

#    include "decode/json/nested.h"

#    if defined(__clang__)
#        pragma clang attribute pop
#    else
#        pragma GCC pop_options
#    endif

const pt_json_scanner pt_json_avx2 = {.record = read_record,
                                      .skip = skip_value,
                                      .reader = reader_of};

#else
typedef int pt_json_no_avx2; /* an empty file is not C */
#endif
