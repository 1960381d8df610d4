/* Why a record becomes a dead letter: the codes, in one table. */
#pragma once

/* The comments in codes.c and docs/GUIDE.md say what each one means. */
typedef enum pt_decode_code {
    PT_DECODE_OK = 0,
    PT_DECODE_EMPTY,
    PT_DECODE_SYNTAX,
    PT_DECODE_TRUNCATED,
    PT_DECODE_TRAILING,
    PT_DECODE_NOT_OBJECT,
    PT_DECODE_UTF8,
    PT_DECODE_DEPTH,
    PT_DECODE_DUPLICATE_KEY,
    PT_DECODE_NOT_NULL,
    PT_DECODE_TYPE,
    PT_DECODE_RANGE,
    PT_DECODE_LOSSY,
    PT_DECODE_FORMAT,
    PT_DECODE_TOMBSTONE, /* the reader sets it, no decoder does */
    PT_DECODE_TOO_LARGE,
    PT_DECODE_NO_COLUMN,
    PT_DECODE_FRAMED,
    PT_DECODE_PARTITION, /* the reader sets it */
    PT_DECODE_REFUSED,   /* the reader sets it */
    PT_DECODE_CODES      /* how many there are */
} pt_decode_code;

/* error_code in pintail.dead_letters. */
const char *pt_decode_code_name(pt_decode_code code);
/* One line, as in docs/GUIDE.md. */
const char *pt_decode_code_help(pt_decode_code code);
