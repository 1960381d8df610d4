/* Where many processes write to one PostgreSQL catalog, their commits go through one at a time.
 *
 * DuckLake has one sequence of snapshots: of two transactions that overlap, one fails at its COMMIT
 * and is tried again as a whole. An advisory lock, taken before the transaction begins, lets the
 * writers queue up instead. It only saves work: nothing is wrong without it, so a lock that cannot
 * be had (in time) is gone without. Other catalogs have nothing like it; there it does nothing. */
#pragma once

#include <stdbool.h>

#include "duck/engine.h"

typedef struct pt_turnstile pt_turnstile;

/* NULL with PT_OK: this catalog has none. The engine outlives it. */
int pt_turnstile_open(pt_engine *engine, pt_turnstile **out, pt_error *err) PT_CHECKED;
void pt_turnstile_close(pt_turnstile **turnstile);

/* Waits for its turn, two seconds at most. A process that freezes inside is thrown out by the
 * server (idle_transaction_us of pt_lake_options). */
void pt_turnstile_enter(pt_turnstile *turnstile);
void pt_turnstile_leave(pt_turnstile *turnstile);
