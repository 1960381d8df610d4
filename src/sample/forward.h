/* Forwards TCP connections from a port of 127.0.0.1 to another. The mock cluster binds whatever
 * port the system gives it, but lets us choose the address that it advertises: so `pintail broker
 * --port P` listens on P, advertises P, and forwards. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct pt_forward pt_forward;

/* Listens on 127.0.0.1:port and starts a thread that forwards to 127.0.0.1:target. */
int pt_forward_start(uint16_t port, uint16_t table, pt_forward **out, pt_error *err) PT_CHECKED;
/* Closes the connections and ends the thread. */
void pt_forward_stop(pt_forward **forward);
