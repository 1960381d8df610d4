/* Time. Microseconds everywhere; wall time since the Unix epoch, monotonic time since an arbitrary
 * start. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define PT_SECOND ((int64_t)1000000)

int64_t pt_now_us(void);                 /* wall clock */
int64_t pt_monotonic_us(void);           /* for durations and deadlines */
void pt_sleep_us(int64_t us);            /* ends early when a signal arrives */
int64_t pt_ms_left(int64_t deadline_us); /* milliseconds until a monotonic time; 0: it has passed */

/* A condition variable whose waits end at a pt_deadline: a step of the wall clock neither wakes nor
 * holds them. */
void pt_cond_init(pthread_cond_t *cond);
/* Absolute CLOCK_MONOTONIC time. */
struct timespec pt_deadline(int64_t monotonic_us);

/* "2026-11-23 08:38:35.123+00" into out (at least 40 bytes). */
void pt_format_time(int64_t epoch_us, char *out, unsigned long size);
