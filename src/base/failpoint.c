#include "base/failpoint.h"

#ifdef PINTAIL_WITH_FAILPOINTS

#    include <pthread.h>
#    include <signal.h>
#    include <stdio.h>
#    include <stdlib.h>
#    include <string.h>
#    include <unistd.h>

#    include "base/clock.h"

#    define POINTS_MAX 16

typedef struct point {
    char name[32];
    long at; /* fires at this pass */
    long passed;
    char action[24];
} point;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static point points[POINTS_MAX];
static size_t n_points;
static int parsed;

static const char *const known[] = {PT_FAILPOINTS};

static void check_known(const char *name) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], name) == 0) {
            return;
        }
    }
    (void)fprintf(stderr, "failpoint '%s' is not in PT_FAILPOINTS\n", name);
    abort();
}

static void parse(void) {
    const char *text = getenv("PINTAIL_FAILPOINT");
    parsed = 1;
    while (text && *text && n_points < POINTS_MAX) {
        point *p = &points[n_points];
        if (sscanf(text, "%31[^:,]:%ld:%23[^,]", p->name, &p->at, p->action) != 3) {
            (void)fprintf(stderr, "PINTAIL_FAILPOINT: name:pass:action is wanted, not '%s'\n",
                          text);
            abort();
        }
        check_known(p->name);
        n_points++;
        text += strcspn(text, ",");
        text += *text == ',';
    }
}

static int act(const char *name, const char *action) {
    (void)fprintf(stderr, "failpoint %s: %s\n", name, action);
    if (strcmp(action, "kill") == 0) {
        (void)kill(getpid(), SIGKILL);
    } else if (strcmp(action, "stop") == 0) {
        (void)raise(
            SIGSTOP); /* to this very thread: it must not go on until another one has noticed */
    } else if (strncmp(action, "sleep-", 6) == 0) {
        pt_sleep_us(strtol(action + 6, NULL, 10) * 1000);
    } else if (strcmp(action, "fail") == 0 || strcmp(action, "oom") == 0) {
        return 1;
    }
    return 0;
}

int pt_failpoint(const char *name) {
    char action[24] = "";
    pthread_mutex_lock(&lock);
    if (!parsed) {
        parse();
    }
    check_known(name);
    for (size_t i = 0; i < n_points; i++) {
        if (strcmp(points[i].name, name) == 0 && ++points[i].passed == points[i].at) {
            memcpy(action, points[i].action, sizeof action);
        }
    }
    pthread_mutex_unlock(&lock);
    return *action ? act(name, action) : 0;
}

int pt_rule_broken(const char *rule) {
    const char *text = getenv("PINTAIL_BREAK");
    size_t n = strlen(rule);
    for (const char *p = text; p && *p;) {
        if (strncmp(p, rule, n) == 0 && (p[n] == ',' || p[n] == '\0')) {
            return 1;
        }
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return 0;
}

#else
typedef int pt_no_failpoints; /* ISO C wants a declaration */
#endif
