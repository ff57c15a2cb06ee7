#include <criterion/criterion.h>
#include <stdlib.h>

#include "zvt_id.h"
#include "zvt_map.h"

Test(zvt_map, agrees_with_a_plain_array_through_random_puts_and_removes)
{
    enum { KEYS = 500, STEPS = 200000 };
    static uint32_t expected[KEYS];
    zvt_map_t *map = zvt_map_new(sizeof(uint64_t), KEYS);
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 3);
    uint32_t count = 0;
    for (int i = 0; i < KEYS; i++) expected[i] = ZVT_MAP_NONE;
    for (int step = 0; step < STEPS; step++) {
        uint64_t k = zvt_rng_below(&rng, KEYS), key = k * 0x10001;
        if (zvt_rng_below(&rng, 2) == 0) {
            cr_assert_eq(zvt_map_remove(map, &key), expected[k] != ZVT_MAP_NONE);
            count -= expected[k] != ZVT_MAP_NONE;
            expected[k] = ZVT_MAP_NONE;
        } else {
            count += expected[k] == ZVT_MAP_NONE;
            expected[k] = (uint32_t)step;
            cr_assert_eq(zvt_map_put(map, &key, (uint32_t)step), 0);
        }
        uint64_t probe = zvt_rng_below(&rng, KEYS), probe_key = probe * 0x10001;
        cr_assert_eq(zvt_map_get(map, &probe_key), expected[probe]);
    }
    cr_assert_eq(zvt_map_count(map), count);
    zvt_map_destroy(&map);
}

Test(zvt_map, says_full_and_stays_unchanged)
{
    zvt_map_t *map = zvt_map_new(sizeof(uint32_t), 4);
    for (uint32_t k = 0; k < 4; k++) cr_assert_eq(zvt_map_put(map, &k, k), 0);
    uint32_t fifth = 4, first = 0;
    cr_assert_eq(zvt_map_put(map, &fifth, 4), ZVT_ERR_FULL);
    cr_assert_eq(zvt_map_get(map, &fifth), ZVT_MAP_NONE);
    cr_assert_eq(zvt_map_put(map, &first, 9), 0, "replacing needs no room");
    cr_assert_eq(zvt_map_get(map, &first), 9);
    zvt_map_destroy(&map);
}

Test(zvt_map, hints_change_nothing_that_can_be_seen)
{
    zvt_map_t *map = zvt_map_new(sizeof(uint64_t), 1000);
    uint64_t known = 7, unknown = 8;
    cr_assert_eq(zvt_map_put(map, &known, 70), 0);
    zvt_map_warm(map);
    zvt_map_prefetch(map, &known);
    zvt_map_prefetch(map, &unknown);
    cr_assert_eq(zvt_map_get(map, &known), 70u);
    cr_assert_eq(zvt_map_get(map, &unknown), ZVT_MAP_NONE);
    cr_assert_eq(zvt_map_count(map), 1u);
    zvt_map_destroy(&map);
}
