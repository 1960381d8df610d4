/* What the plan prepares so that records are read fast. */
#include "decode/json/core.h"
#include "decode/json/decode_testing.h"

/* Names that are told apart by the last byte that all of them have, too: a collision costs the slow
 * way for every record. */
static void every_order_column_has_a_guess_of_its_own(void **state) {
    (void)state;
    pt_error err;
    pt_schema *schema = NULL;
    pt_json_object *plan = NULL;
    assert_int_equal(
        pt_schema_parse("order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product "
                        "VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR",
                        &schema, &err),
        PT_OK);
    assert_int_equal(pt_json_plan_new(schema, &plan, &err), PT_OK);
    pt_json_plan_bind(plan, &pt_json_portable);
    for (size_t i = 0; i < plan->n; i++) {
        assert_int_equal(pt_json_quick(plan, plan->nodes[i].name), i + 1);
    }
    pt_json_plan_free(&plan);
    pt_schema_free(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_column_has_a_guess_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
