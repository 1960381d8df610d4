/* Sizes and durations as users write them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* "64MiB", "10MB", "4096", "1 GiB": bytes. KB/MB/GB are powers of 1000, KiB/MiB/GiB (and K, M, G)
 * of 1024. */
int pt_parse_size(const char *text, uint64_t *out, pt_error *err) PT_CHECKED;

/* "200ms", "10s", "5m", "2h", "1d", "1.5s"; a bare number is refused. Microseconds. */
int pt_parse_duration(const char *text, int64_t *out, pt_error *err) PT_CHECKED;

/* A whole number without sign; "1_000_000" and "1000000" alike. */
int pt_parse_count(const char *text, uint64_t *out, pt_error *err) PT_CHECKED;

/* "true" or "false". */
int pt_parse_flag(const char *text, bool *out, pt_error *err) PT_CHECKED;

/* RFC 3339 with a zone: "2026-11-29T15:30:00Z", "2026-11-29 15:30:00.5+01:00". Microseconds since
 * the Unix epoch, not before it. */
int pt_parse_time(const char *text, int64_t *out, pt_error *err) PT_CHECKED;
