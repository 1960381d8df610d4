#include "ingest/plan.h"

#include <stdlib.h>

int pt_plan_new(size_t n_routes, uint64_t version, pt_plan **out, pt_error *err) {
    pt_plan *plan = calloc(1, sizeof *plan);
    *out = NULL;
    if (!plan) {
        return pt_fail_nomem(err, "a plan");
    }
    atomic_init(&plan->users, 1);
    plan->version = version;
    plan->n_routes = n_routes;
    plan->tables = calloc(n_routes + 1, sizeof(pt_table *));
    plan->routes = calloc(n_routes + 1, sizeof *plan->routes);
    if (!plan->tables || !plan->routes) {
        pt_plan_release(&plan);
        return pt_fail_nomem(err, "a plan");
    }
    *out = plan;
    return PT_OK;
}

pt_plan *pt_plan_hold(pt_plan *plan) {
    (void)atomic_fetch_add_explicit(&plan->users, 1, memory_order_relaxed);
    return plan;
}

static void plan_free(pt_plan *plan) {
    for (size_t i = 0; plan->routes && i < plan->n_routes; i++) {
        pt_decoder_close(&plan->routes[i].decoder); /* it looks at the schema of its table */
        pt_table_free(&plan->routes[i].reading);
    }
    for (size_t i = 0; plan->tables && i < plan->n_tables; i++) {
        pt_table_free(&plan->tables[i]);
    }
    free(plan->routes);
    free(plan->tables);
    free(plan);
}

void pt_plan_release(pt_plan **held) {
    pt_plan *plan = *held;
    *held = NULL;
    if (plan && atomic_fetch_sub_explicit(&plan->users, 1, memory_order_acq_rel) == 1) {
        plan_free(plan);
    }
}
