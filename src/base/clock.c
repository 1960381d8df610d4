#include "base/clock.h"

#include <stdio.h>

static int64_t read_clock(clockid_t id) {
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * PT_SECOND + t.tv_nsec / 1000;
}

int64_t pt_now_us(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t pt_monotonic_us(void) {
    return read_clock(CLOCK_MONOTONIC);
}

void pt_cond_init(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

struct timespec pt_deadline(int64_t us) {
    return (struct timespec){.tv_sec = us / PT_SECOND, .tv_nsec = (us % PT_SECOND) * 1000};
}

int64_t pt_ms_left(int64_t deadline_us) {
    int64_t left = (deadline_us - pt_monotonic_us()) / 1000;
    return left > 0 ? left : 0;
}

void pt_sleep_us(int64_t us) {
    if (us > 0) {
        struct timespec t = pt_deadline(us);
        (void)nanosleep(&t, NULL);
    }
}

void pt_format_time(int64_t epoch_us, char *out, unsigned long size) {
    int64_t seconds = epoch_us / PT_SECOND;
    int64_t rest = epoch_us % PT_SECOND;
    if (rest < 0) {
        rest += PT_SECOND;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    char date[32] = "?";
    if (gmtime_r(&t, &tm)) {
        (void)strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
    }
    (void)snprintf(out, size, "%s.%03d+00", date, (int)(rest / 1000));
}
