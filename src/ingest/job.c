#include "ingest/job.h"

#include "base/clock.h"

const pt_job *pt_jobs_first(const pt_job *jobs, size_t n, int64_t *due_us) {
    const pt_job *first = NULL;
    *due_us = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t due = jobs[i].due(jobs[i].arg);
        if (due < *due_us) {
            *due_us = due;
            first = &jobs[i];
        }
    }
    return first;
}

bool pt_jobs_awaited(const pt_job *jobs, size_t n) {
    int64_t now = pt_monotonic_us();
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].awaited && jobs[i].due(jobs[i].arg) <= now) {
            return true;
        }
    }
    return false;
}
