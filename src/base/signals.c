#include "base/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_bool stop;

static void on_signal(int number) {
    (void)number;
    atomic_store_explicit(&stop, true, memory_order_relaxed);
}

void pt_signals_setup(void) {
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

bool pt_stop_asked(void) {
    return atomic_load_explicit(&stop, memory_order_relaxed);
}

void pt_ask_stop(void) {
    atomic_store_explicit(&stop, true, memory_order_relaxed);
}
