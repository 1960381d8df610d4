#include "kafka/last_error.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void pt_kafka_last_error_init(pt_kafka_last_error *last_error) {
    *last_error = (pt_kafka_last_error){.lock = PTHREAD_MUTEX_INITIALIZER};
}

bool pt_kafka_last_error_read(pt_kafka_last_error *last_error, char *out, size_t size) {
    pthread_mutex_lock(&last_error->lock);
    bool any = *last_error->reason != '\0';
    (void)snprintf(out, size, "%s%s%s", any ? last_error->reason : "no answer",
                   *last_error->advice ? "; " : "", last_error->advice);
    pthread_mutex_unlock(&last_error->lock);
    return any;
}

bool pt_kafka_last_error_fatal(pt_kafka_last_error *last_error) {
    pthread_mutex_lock(&last_error->lock);
    bool fatal = last_error->fatal;
    pthread_mutex_unlock(&last_error->lock);
    return fatal;
}

bool pt_kafka_last_error_hopeless(pt_kafka_last_error *last_error) {
    pthread_mutex_lock(&last_error->lock);
    bool hopeless = last_error->fault == PT_KAFKA_FAULT_SETTING;
    pthread_mutex_unlock(&last_error->lock);
    return hopeless;
}

/* Librdkafka keeps the same words back so long: what it says meanwhile are consequences. */
#define ADVICE_STAYS (30 * PT_SECOND)

/* What comes after a fatal error is its consequence, and so is a text of which nothing is known
 * after one that tells more. */
static void note(pt_kafka_last_error *last_error, const char *text, bool fatal) {
    char advice[PT_KAFKA_ADVICE];
    pt_kafka_fault fault = pt_kafka_advise(text, advice, sizeof advice);
    int64_t now = pt_monotonic_us();
    pthread_mutex_lock(&last_error->lock);
    bool stays = !fatal && fault < last_error->fault && now - last_error->advised_us < ADVICE_STAYS;
    if (!last_error->fatal && !stays) {
        pt_kafka_plain_reason(text, last_error->reason, sizeof last_error->reason);
        (void)snprintf(last_error->advice, sizeof last_error->advice, "%s", advice);
        last_error->fatal = fatal;
        last_error->fault = fault;
        last_error->advised_us = now;
    }
    pthread_mutex_unlock(&last_error->lock);
}

void pt_kafka_last_error_note(pt_kafka_last_error *last_error, const char *text) {
    note(last_error, text, false);
}

void pt_kafka_last_error_note_fatal(pt_kafka_last_error *last_error, const char *text) {
    note(last_error, text, true);
}

#define AWAY_FORGOTTEN (60 * PT_SECOND)

/* A broker that is away is tried again and again, and nothing has come from it meanwhile: of these
 * the first one of a minute counts, since librdkafka logs neither the end of an idle connection nor
 * one that reads as the last. */
void pt_kafka_last_error_break(pt_kafka_last_error *last_error, const char *text) {
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0, n = strcspn(text, " "); i < n; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
    }
    uint64_t bit = (uint64_t)1 << (hash >> 58);
    int64_t now = pt_monotonic_us();
    if (now - atomic_load(&last_error->forgot_us) > AWAY_FORGOTTEN) {
        atomic_store(&last_error->forgot_us, now);
        atomic_store(&last_error->away, 0);
    }
    bool failed_before = strstr(text, "in state ") && !strstr(text, "in state UP");
    uint64_t away = failed_before ? atomic_fetch_or(&last_error->away, bit)
                                  : atomic_fetch_and(&last_error->away, ~bit);
    if (!failed_before || !(away & bit)) {
        atomic_fetch_add_explicit(&last_error->breaks, 1, memory_order_release);
    }
}
