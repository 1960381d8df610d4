#ifdef PINTAIL_WITH_FAILPOINTS

#    define PT_FAULT_INSIDE /* the real ones are wanted here */
#    undef malloc
#    undef calloc
#    undef realloc
#    undef strdup
#    undef strndup
#    undef asprintf
#    undef vasprintf
#    undef open_memstream
#    include "base/alloc_fault.h"

#    include <errno.h>
#    include <pthread.h>
#    include <stdarg.h>
#    include <stdatomic.h>

static atomic_long count;
static atomic_long fail_at; /* 0: none */
static atomic_bool fail_all;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void report(void) {
    const char *path = getenv("PINTAIL_ALLOC_REPORT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        (void)fprintf(file, "%ld\n", atomic_load(&count));
        (void)fclose(file);
    }
}

static void read_environment(void) {
    const char *text = getenv("PINTAIL_ALLOC_FAIL");
    if (text) {
        pt_fault_arm(strtol(text, NULL, 10), strchr(text, '+') != NULL);
    }
    if (getenv("PINTAIL_ALLOC_REPORT")) {
        (void)atexit(report);
    }
}

void pt_fault_arm(long n, bool all) {
    atomic_store(&count, 0);
    atomic_store(&fail_at, n);
    atomic_store(&fail_all, all);
}

long pt_fault_count(void) {
    return atomic_load(&count);
}

static bool fails(void) {
    (void)pthread_once(&once, read_environment);
    long n = atomic_fetch_add(&count, 1) + 1;
    long at = atomic_load(&fail_at);
    if (at && (n == at || (n > at && atomic_load(&fail_all)))) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *pt_fault_malloc(size_t size) {
    return fails() ? NULL : malloc(size);
}

void *pt_fault_calloc(size_t n, size_t size) {
    return fails() ? NULL : calloc(n, size);
}

void *pt_fault_realloc(void *was, size_t size) {
    return fails() ? NULL : realloc(was, size);
}

char *pt_fault_strdup(const char *string) {
    return fails() ? NULL : strdup(string);
}

char *pt_fault_strndup(const char *string, size_t n) {
    return fails() ? NULL : strndup(string, n);
}

FILE *pt_fault_open_memstream(char **out, size_t *len) {
    return fails() ? NULL : open_memstream(out, len);
}

int pt_fault_vasprintf(char **out, const char *format, va_list args) {
    *out = NULL;
    return fails() ? -1 : vasprintf(out, format, args);
}

int pt_fault_asprintf(char **out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = pt_fault_vasprintf(out, format, args);
    va_end(args);
    return n;
}

#else
typedef int pt_no_alloc_faults; /* ISO C wants a declaration */
#endif
