#include <criterion/criterion.h>

#include "book_core.h"
#include "venue_fixture.h"

static book_core_t *s_book;
static fixture_tape_t s_tape;

static void s_setup(void)
{
    s_book = book_core_new(64, 32);
    fixture_clear(&s_tape);
}

static void s_teardown(void)
{
    book_core_destroy(&s_book);
    cr_assert_null(s_book);
}

TestSuite(book_core, .init = s_setup, .fini = s_teardown);

static uint32_t s_rest(uint8_t side, double price, double quantity, uint32_t owner, uint32_t tag)
{
    book_order_t order = {.side = side, .price_e8 = E8(price), .quantity_e8 = E8(quantity), .owner = owner, .tag = tag};
    uint32_t handle = BOOK_NONE;
    cr_assert_eq(book_core_rest(s_book, &order, &handle), 0);
    return handle;
}

static void s_on_fill(void *arg, const book_fill_t *fill)
{
    (void)arg;
    fixture_on_rest_fill(&s_tape, fill->maker->tag, fill->maker->price_e8, fill->quantity_e8);
}

static int64_t s_take(uint8_t side, double limit, double quantity)
{
    market_take_t take = {.side = side, .limit_e8 = E8(limit), .quantity_e8 = E8(quantity)};
    return book_core_match(s_book, &take, s_on_fill, NULL);
}

Test(book_core, best_price_executes_first_and_then_the_oldest_order)
{
    s_rest(ZVT_SIDE_SELL, 101, 1, 1, 10);
    s_rest(ZVT_SIDE_SELL, 100, 1, 1, 11);
    s_rest(ZVT_SIDE_SELL, 100, 2, 2, 12);
    s_rest(ZVT_SIDE_SELL, 102, 5, 1, 13);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 4.5), E8(4.5));
    cr_assert_str_eq(s_tape.text, "fill 11 100 1;fill 12 100 2;fill 10 101 1;fill 13 102 0.5;");
    cr_assert_eq(book_core_best(s_book, ZVT_SIDE_SELL), E8(102));
    cr_assert_eq(book_core_orders_count(s_book), 1);
}

Test(book_core, bids_execute_from_the_highest_down)
{
    s_rest(ZVT_SIDE_BUY, 99, 1, 1, 1);
    s_rest(ZVT_SIDE_BUY, 100, 1, 1, 2);
    s_rest(ZVT_SIDE_BUY, 98, 1, 1, 3);
    cr_assert_eq(s_take(ZVT_SIDE_SELL, 99, 5), E8(2));
    cr_assert_str_eq(s_tape.text, "fill 2 100 1;fill 1 99 1;");
}

Test(book_core, a_limit_stops_the_walk)
{
    s_rest(ZVT_SIDE_SELL, 100, 1, 1, 1);
    s_rest(ZVT_SIDE_SELL, 101, 1, 1, 2);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 100, 3), E8(1));
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 99, 3), 0);
}

Test(book_core, a_partly_executed_order_keeps_its_place)
{
    s_rest(ZVT_SIDE_SELL, 100, 2, 1, 1);
    s_rest(ZVT_SIDE_SELL, 100, 2, 1, 2);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 1), E8(1));
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 2), E8(2));
    cr_assert_str_eq(s_tape.text, "fill 1 100 1;fill 1 100 1;fill 2 100 1;");
}

Test(book_core, a_canceled_order_leaves_its_neighbours_in_order)
{
    s_rest(ZVT_SIDE_SELL, 100, 1, 1, 1);
    uint32_t middle = s_rest(ZVT_SIDE_SELL, 100, 1, 1, 2);
    s_rest(ZVT_SIDE_SELL, 100, 1, 1, 3);
    book_core_cancel(s_book, middle);
    zvt_level_t level;
    cr_assert_eq(book_core_levels(s_book, ZVT_SIDE_SELL, &level, 1), 1);
    cr_assert_eq(level.quantity_e8, E8(2));
    s_take(ZVT_SIDE_BUY, 0, 2);
    cr_assert_str_eq(s_tape.text, "fill 1 100 1;fill 3 100 1;");
    cr_assert_eq(book_core_levels_count(s_book, ZVT_SIDE_SELL), 0);
}

Test(book_core, reducing_keeps_the_place_and_lowers_the_level)
{
    uint32_t first = s_rest(ZVT_SIDE_BUY, 100, 3, 1, 1);
    s_rest(ZVT_SIDE_BUY, 100, 1, 1, 2);
    book_core_reduce(s_book, first, E8(1));
    s_take(ZVT_SIDE_SELL, 0, 2);
    cr_assert_str_eq(s_tape.text, "fill 1 100 1;fill 2 100 1;");
}

Test(book_core, levels_are_copied_best_first)
{
    for (int i = 0; i < 5; i++) s_rest(ZVT_SIDE_BUY, 100 - i, 1 + i, 1, (uint32_t)i);
    zvt_level_t levels[3];
    cr_assert_eq(book_core_levels(s_book, ZVT_SIDE_BUY, levels, 3), 3);
    cr_assert_eq(levels[0].price_e8, E8(100));
    cr_assert_eq(levels[2].price_e8, E8(98));
    cr_assert_eq(levels[2].quantity_e8, E8(3));
}

Test(book_core, a_preview_foretells_the_match_and_stops_at_an_own_order)
{
    s_rest(ZVT_SIDE_SELL, 100, 1, 1, 1);
    s_rest(ZVT_SIDE_SELL, 101, 1, 0, 2);
    market_take_t take = {.side = ZVT_SIDE_BUY, .quantity_e8 = E8(1)};
    market_preview_t preview;
    book_core_preview(s_book, &take, 0, &preview);
    cr_assert(preview.crosses);
    cr_assert(!preview.own);
    cr_assert_eq(preview.quantity_e8, E8(1));
    cr_assert_eq(preview.notional_e8, E8(100));
    take.quantity_e8 = E8(1.5);
    book_core_preview(s_book, &take, 0, &preview);
    cr_assert(preview.own);
    cr_assert_eq(preview.quantity_e8, E8(1));
    take.limit_e8 = E8(100);
    book_core_preview(s_book, &take, 0, &preview);
    cr_assert(!preview.own, "the limit keeps it away from the own order");
}

Test(book_core, one_order_executes_at_most_a_bounded_number_of_times)
{
    book_core_t *book = book_core_new(MARKET_FILLS_MAX + 10, 4);
    for (uint32_t i = 0; i < MARKET_FILLS_MAX + 10; i++) {
        book_order_t order = {.side = ZVT_SIDE_SELL, .price_e8 = E8(100), .quantity_e8 = E8(1), .owner = 1};
        uint32_t handle;
        cr_assert_eq(book_core_rest(book, &order, &handle), 0);
    }
    market_take_t take = {.side = ZVT_SIDE_BUY, .quantity_e8 = E8(1000)};
    market_preview_t preview;
    book_core_preview(book, &take, 0, &preview);
    cr_assert(preview.cut);
    cr_assert_eq(book_core_match(book, &take, s_on_fill, NULL), E8(MARKET_FILLS_MAX));
    book_core_destroy(&book);
}

Test(book_core, a_full_book_refuses_and_stays_as_it_was)
{
    book_core_t *book = book_core_new(2, 1);
    uint32_t handle;
    book_order_t order = {.side = ZVT_SIDE_BUY, .price_e8 = E8(100), .quantity_e8 = E8(1)};
    cr_assert_eq(book_core_rest(book, &order, &handle), 0);
    order.price_e8 = E8(99);
    cr_assert_eq(book_core_rest(book, &order, &handle), ZVT_ERR_FULL, "one level a side");
    order.price_e8 = E8(100);
    cr_assert_eq(book_core_rest(book, &order, &handle), 0);
    cr_assert_eq(book_core_rest(book, &order, &handle), ZVT_ERR_FULL, "two orders");
    order.quantity_e8 = 0;
    cr_assert_eq(book_core_rest(book, &order, &handle), ZVT_ERR_INVALID);
    cr_assert_eq(book_core_orders_count(book), 2);
    book_core_destroy(&book);
}

/* The book against the plainest possible one: an array that is searched for the best and oldest order each time. */
typedef struct {
    bool used;
    uint8_t side;
    int64_t price_e8, quantity_e8;
    uint32_t age, handle;
} plain_order_t;

static int s_plain_best(const plain_order_t *orders, int count, uint8_t side)
{
    int best = -1;
    for (int i = 0; i < count; i++) {
        if (!orders[i].used || orders[i].side != side) continue;
        bool better = best < 0 ||
                      (side == ZVT_SIDE_BUY ? orders[i].price_e8 > orders[best].price_e8
                                            : orders[i].price_e8 < orders[best].price_e8) ||
                      (orders[i].price_e8 == orders[best].price_e8 && orders[i].age < orders[best].age);
        if (better) best = i;
    }
    return best;
}

Test(book_core, agrees_with_a_plain_book_over_many_random_steps)
{
    enum { ORDERS = 64, STEPS = 20000 };
    plain_order_t orders[ORDERS] = {0};
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 7);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint8_t side = zvt_rng_below(&rng, 2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
        int at = (int)zvt_rng_below(&rng, ORDERS);
        if (!orders[at].used) {
            book_order_t order = {.side = side, .price_e8 = E8(100) + (int64_t)zvt_rng_below(&rng, 12) * ZVT_E8,
                                  .quantity_e8 = (int64_t)(1 + zvt_rng_below(&rng, 5)) * ZVT_E8, .tag = (uint32_t)at};
            orders[at] = (plain_order_t){
                .used = true, .side = side, .price_e8 = order.price_e8, .quantity_e8 = order.quantity_e8, .age = step};
            cr_assert_eq(book_core_rest(s_book, &order, &orders[at].handle), 0);
        } else if (zvt_rng_below(&rng, 3) == 0) {
            book_core_cancel(s_book, orders[at].handle);
            orders[at].used = false;
        } else {
            int64_t left_e8 = (int64_t)(1 + zvt_rng_below(&rng, 8)) * ZVT_E8, wanted_e8 = left_e8;
            for (int best = s_plain_best(orders, ORDERS, market_opposite(side)); best >= 0 && left_e8 > 0;
                 best = s_plain_best(orders, ORDERS, market_opposite(side))) {
                int64_t fill_e8 = left_e8 < orders[best].quantity_e8 ? left_e8 : orders[best].quantity_e8;
                orders[best].quantity_e8 -= fill_e8;
                orders[best].used = orders[best].quantity_e8 > 0;
                left_e8 -= fill_e8;
            }
            fixture_clear(&s_tape);
            market_take_t take = {.side = side, .quantity_e8 = wanted_e8};
            cr_assert_eq(book_core_match(s_book, &take, s_on_fill, NULL), wanted_e8 - left_e8);
        }
        for (uint8_t which = ZVT_SIDE_BUY; which <= ZVT_SIDE_SELL; which++) {
            int best = s_plain_best(orders, ORDERS, which);
            uint32_t first = book_core_first(s_book, which);
            cr_assert_eq(best < 0, first == BOOK_NONE);
            if (best >= 0) cr_assert_eq(book_core_order(s_book, first)->tag, (uint32_t)best);
            if (best >= 0) cr_assert_eq(book_core_order(s_book, first)->quantity_e8, orders[best].quantity_e8);
        }
    }
}
