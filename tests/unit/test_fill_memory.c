#include "fill_memory.h"

#include "log_fixture.h"

static fill_memory_t *s_memory;

static void s_setup(void)
{
    s_memory = fill_memory_new();
}

static void s_teardown(void)
{
    fill_memory_destroy(&s_memory);
}

TestSuite(fill_memory, .init = s_setup, .fini = s_teardown);

static fill_key_t s_key(const char *exchange, unsigned exec)
{
    fill_key_t key = {0};
    ZVT_STR_SET(key.exchange, exchange);
    snprintf(key.exec_id, sizeof key.exec_id, "%u", exec);
    return key;
}

static void s_put(const char *exchange, unsigned exec, int64_t value)
{
    fill_key_t key = s_key(exchange, exec);
    fill_result_t result = {.new_quantity_e8 = value};
    fill_memory_put(s_memory, &key, &result);
}

static int64_t s_get(const char *exchange, unsigned exec)
{
    fill_key_t key = s_key(exchange, exec);
    const fill_result_t *result = fill_memory_get(s_memory, &key);
    return result == NULL ? -1 : result->new_quantity_e8;
}

Test(fill_memory, tells_the_same_exec_id_of_two_venues_apart)
{
    s_put("alpha", 1, 10);
    s_put("beta", 1, 20);
    cr_assert_eq(s_get("alpha", 1), 10);
    cr_assert_eq(s_get("beta", 1), 20);
    cr_assert_eq(s_get("gamma", 1), -1);
}

Test(fill_memory, keeps_the_last_ones_and_forgets_the_oldest)
{
    for (unsigned n = 0; n < FILL_MEMORY_MAX + 10; n++) s_put("alpha", n, n);
    cr_assert_eq(s_get("alpha", 9), -1);
    cr_assert_eq(s_get("alpha", 10), 10);
    cr_assert_eq(s_get("alpha", FILL_MEMORY_MAX + 9), FILL_MEMORY_MAX + 9);
}

Test(fill_memory, keeps_the_newer_of_two_results_for_one_key)
{
    s_put("alpha", 0, 1);
    for (unsigned n = 1; n < FILL_MEMORY_MAX / 2; n++) s_put("alpha", n, n);
    s_put("alpha", 0, 2);
    for (unsigned n = 0; n < FILL_MEMORY_MAX / 2 + 1; n++) s_put("beta", n, n);
    cr_assert_eq(s_get("alpha", 0), 2);
}

Test(fill_memory, gives_the_venue_of_an_execution_once)
{
    zvt_id_t order = s_id(1), other = s_id(2);
    fill_key_t alpha = s_key("alpha", 7), beta = s_key("beta", 7), key;
    fill_memory_on_executed(s_memory, &order, &alpha);
    fill_memory_on_executed(s_memory, &other, &beta);
    cr_assert(fill_memory_take_executed(s_memory, &other, beta.exec_id, &key));
    cr_assert_str_eq(key.exchange, "beta");
    cr_assert_not(fill_memory_take_executed(s_memory, &other, beta.exec_id, &key));
    cr_assert_str_eq(key.exchange, "");
    cr_assert_str_eq(key.exec_id, "7");
    cr_assert(fill_memory_take_executed(s_memory, &order, alpha.exec_id, &key));
    cr_assert_str_eq(key.exchange, "alpha");
}

Test(fill_memory, forgets_the_oldest_of_too_many_open_executions)
{
    fill_key_t key = s_key("alpha", 7), taken;
    for (unsigned n = 0; n <= FILL_MEMORY_OPEN_MAX; n++) {
        zvt_id_t order = s_id(n);
        fill_memory_on_executed(s_memory, &order, &key);
    }
    zvt_id_t first = s_id(0), second = s_id(1);
    cr_assert_not(fill_memory_take_executed(s_memory, &first, key.exec_id, &taken));
    cr_assert(fill_memory_take_executed(s_memory, &second, key.exec_id, &taken));
}
