/* Test builds only (make crash, make asan), put before every source file by the compiler:
 * allocations of pintail's own can be made to fail. Libraries, which may well abort without memory,
 * are not touched.
 *
 *   PINTAIL_ALLOC_FAIL=120     the 120th allocation fails
 *   PINTAIL_ALLOC_FAIL=120+    and all that follow
 *   PINTAIL_ALLOC_REPORT=file  at the end the number of allocations is written there */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *pt_fault_malloc(size_t size);
void *pt_fault_calloc(size_t n, size_t size);
void *pt_fault_realloc(void *was, size_t size);
char *pt_fault_strdup(const char *string);
char *pt_fault_strndup(const char *string, size_t n);
FILE *pt_fault_open_memstream(char **out, size_t *len);
int pt_fault_vasprintf(char **out, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int pt_fault_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In place of the environment: the n-th allocation from now on fails (0: none), and those that
 * follow it too. */
void pt_fault_arm(long n, bool all);
long pt_fault_count(void); /* allocations since then */

#ifndef PT_FAULT_INSIDE
#    undef strdup
#    undef strndup
#    define malloc(size_)                   pt_fault_malloc(size_)
#    define calloc(n_, size_)               pt_fault_calloc(n_, size_)
#    define realloc(was_, size_)            pt_fault_realloc(was_, size_)
#    define strdup(string_)                 pt_fault_strdup(string_)
#    define strndup(string_, n_)            pt_fault_strndup(string_, n_)
#    define asprintf(...)                   pt_fault_asprintf(__VA_ARGS__)
#    define vasprintf(out_, format_, args_) pt_fault_vasprintf(out_, format_, args_)
#    define open_memstream(out_, len_)      pt_fault_open_memstream(out_, len_)
#endif
