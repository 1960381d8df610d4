/* The generator of orders: same seed, same bytes; every broken kind is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sample/orders.h"

typedef struct order {
    char key[PT_ORDER_KEY + 1], value[PT_ORDER_MAX + 1];
    size_t len;
} order;

static order next(pt_orders *o, pt_broken broken) {
    order r;
    memset(&r, 0, sizeof r);
    r.len = pt_orders_next(o, broken, r.key, r.value);
    assert_true(r.len <= PT_ORDER_MAX);
    r.value[r.len] = '\0';
    return r;
}

static void same_seed_same_bytes(void **state) {
    (void)state;
    pt_orders a, b;
    pt_orders_init(&a, 42, false);
    pt_orders_init(&b, 42, false);
    for (int i = 0; i < 10000; i++) {
        pt_broken broken = i % 7 == 0 ? (pt_broken)(i % PT_BROKEN_KINDS) : PT_BROKEN_NONE;
        order x = next(&a, broken), y = next(&b, broken);
        assert_int_equal(x.len, y.len);
        assert_memory_equal(x.key, y.key, PT_ORDER_KEY);
        assert_memory_equal(x.value, y.value, x.len);
    }
}

/* Byte for byte across versions too: others may keep what they produced. */
static void the_first_order_of_seed_1_stays(void **state) {
    (void)state;
    pt_orders o;
    pt_orders_init(&o, 1, false);
    order r = next(&o, PT_BROKEN_NONE);
    assert_string_equal(r.key, "CUST-0135");
    assert_string_equal(
        r.value,
        "{\"order_id\":\"b3f2af6d-0fc7-40c5-853b-559647364cea\",\"order_time\":1767225600.0759378,"
        "\"customer_id\":\"CUST-0135\","
        "\"product\":\"Laptop\",\"quantity\":3,\"unit_price\":3973.76,\"region\":\"West\"}");
}

static void other_seeds_make_other_records(void **state) {
    (void)state;
    pt_orders a, b;
    pt_orders_init(&a, 1, false);
    pt_orders_init(&b, 2, false);
    assert_string_not_equal(next(&a, PT_BROKEN_NONE).value, next(&b, PT_BROKEN_NONE).value);
}

/* The text after "name": of a record. */
static const char *field(const order *r, const char *name) {
    const char *found = strstr(r->value, name);
    assert_non_null(found);
    return found + strlen(name);
}

static void check_range(const order *r) {
    long customer = strtol(r->key + 5, NULL, 10),
         quantity = strtol(field(r, "\"quantity\":"), NULL, 10);
    double price = strtod(field(r, "\"unit_price\":"), NULL);
    assert_true(strncmp(r->key, "CUST-", 5) == 0 && customer >= 1 && customer <= 500);
    assert_true(strncmp(field(r, "\"customer_id\":\""), r->key, PT_ORDER_KEY) == 0);
    assert_true(quantity >= 1 && quantity <= 5);
    assert_true(price >= 100 && price <= 9999);
    const char *uuid = field(r, "\"order_id\":\"");
    assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[14] == '4' && strchr("89ab", uuid[19]) &&
                uuid[36] == '"');
}

static void every_value_is_in_its_range_and_every_one_occurs(void **state) {
    (void)state;
    pt_orders o;
    bool customers[501] = {false}, quantities[6] = {false};
    pt_orders_init(&o, 7, false);
    for (int i = 0; i < 20000; i++) {
        order r = next(&o, PT_BROKEN_NONE);
        check_range(&r);
        customers[strtol(r.key + 5, NULL, 10)] = true;
        quantities[strtol(field(&r, "\"quantity\":"), NULL, 10)] = true;
    }
    for (int i = 1; i <= 500; i++) {
        assert_true(customers[i]);
    }
    for (int i = 1; i <= 5; i++) {
        assert_true(quantities[i]);
    }
}

static void order_time_grows_by_a_tenth_of_a_second(void **state) {
    (void)state;
    pt_orders o;
    pt_orders_init(&o, 3, false);
    for (int i = 0; i < 1000; i++) {
        order r = next(&o, PT_BROKEN_NONE);
        double t = strtod(field(&r, "\"order_time\":"), NULL) - 1767225600.0;
        assert_true(t >= i / 10.0 - 1e-6 && t < (i + 1) / 10.0);
    }
}

static void without_a_seed_order_time_is_now(void **state) {
    (void)state;
    pt_orders o;
    pt_orders_init(&o, 3, true);
    double before = (double)pt_now_us() / 1e6;
    order r = next(&o, PT_BROKEN_NONE);
    double t = strtod(field(&r, "\"order_time\":"), NULL);
    assert_true(t >= before - 1e-5 && t <= (double)pt_now_us() / 1e6 + 1e-5);
}

/* Broken ones do not shift the orders beside them. */
static void broken_records_leave_the_others_as_they_are(void **state) {
    (void)state;
    pt_orders a, b;
    pt_orders_init(&a, 11, false);
    pt_orders_init(&b, 11, false);
    for (int i = 0; i < 200; i++) {
        order sound = next(&a, PT_BROKEN_NONE);
        order other = next(&b, i % 2 ? (pt_broken)(i / 2 % PT_BROKEN_KINDS) : PT_BROKEN_NONE);
        if (i % 2 == 0) {
            assert_string_equal(sound.value, other.value);
        } else {
            assert_false(sound.len == other.len &&
                         memcmp(sound.value, other.value, sound.len) == 0);
        }
        assert_string_equal(sound.key, other.key);
    }
}

static void every_broken_kind_has_a_name(void **state) {
    (void)state;
    for (int k = 0; k < PT_BROKEN_KINDS; k++) {
        assert_true(strlen(pt_broken_name((pt_broken)k)) > 0);
    }
    assert_string_equal(pt_broken_name(PT_BROKEN_NONE), "sound");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(the_first_order_of_seed_1_stays),
        cmocka_unit_test(other_seeds_make_other_records),
        cmocka_unit_test(every_value_is_in_its_range_and_every_one_occurs),
        cmocka_unit_test(order_time_grows_by_a_tenth_of_a_second),
        cmocka_unit_test(without_a_seed_order_time_is_now),
        cmocka_unit_test(broken_records_leave_the_others_as_they_are),
        cmocka_unit_test(every_broken_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
