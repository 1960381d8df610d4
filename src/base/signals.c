#include "base/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

static atomic_bool stop;
static _Atomic int64_t first_us; /* monotonic, of the first signal; 0: none yet */

/* Two that come together are one (a terminal's SIGINT and a script's SIGTERM). */
#define IMPATIENT_AFTER PT_SECOND

static void on_signal(int number) {
    int64_t now = pt_monotonic_us(), none = 0;
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    if (!atomic_compare_exchange_strong(&first_us, &none, now) && now - none >= IMPATIENT_AFTER) {
        (void)signal(number, SIG_DFL);
        (void)raise(number); /* once this handler has returned */
    }
}

void pt_signals_setup(void) {
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 &&
        before.sa_handler != SIG_IGN) { /* not under nohup */
        (void)sigaction(SIGHUP, &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigaction(SIGXFSZ, &action, NULL); /* a file beyond ulimit -f is an error of its write */
}

bool pt_stop_asked(void) {
    return atomic_load_explicit(&stop, memory_order_relaxed);
}
