#include <criterion/criterion.h>

#include "outbox.h"
#include "venue_fixture.h"

static const zvt_peer_t s_peer = {.id = {1, 2, 3}, .id_length = 3};

Test(outbox, entries_leave_in_order_when_they_are_due)
{
    outbox_t *outbox = outbox_new();
    outbox_entry_t entry;
    cr_assert_eq(outbox_next_ns(outbox), 0);
    cr_assert_eq(outbox_put(outbox, &s_peer, 100, "first", 5), 0);
    cr_assert_eq(outbox_put(outbox, &s_peer, 200, "second", 6), 0);
    cr_assert_eq(outbox_next_ns(outbox), 100);
    cr_assert(!outbox_take(outbox, 99, &entry));
    cr_assert(outbox_take(outbox, 150, &entry));
    cr_assert_eq(entry.length, 5);
    cr_assert_eq(memcmp(entry.data, "first", 5), 0);
    cr_assert_eq(memcmp(entry.peer.id, s_peer.id, 3), 0);
    cr_assert(!outbox_take(outbox, 150, &entry));
    cr_assert(outbox_take(outbox, 200, &entry));
    cr_assert_eq(outbox_count(outbox), 0);
    outbox_destroy(&outbox);
}

Test(outbox, a_full_outbox_refuses_and_loses_nothing)
{
    outbox_t *outbox = outbox_new();
    outbox_entry_t entry;
    uint32_t count = 0;
    while (outbox_put(outbox, &s_peer, 1, &count, sizeof count) == 0) count++;
    cr_assert_eq(count, OUTBOX_ENTRIES);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(outbox_take(outbox, 1, &entry));
        cr_assert_eq(memcmp(entry.data, &i, sizeof i), 0);
    }
    outbox_destroy(&outbox);
}

Test(outbox, bytes_survive_the_end_of_the_ring)
{
    enum { LARGEST = 1 << 20 };
    outbox_t *outbox = outbox_new();
    uint8_t *data = malloc(LARGEST);
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 5);
    uint64_t put = 0, taken = 0;
    size_t lengths[64];
    for (int step = 0; step < 2000; step++) {
        size_t length = 1 + zvt_rng_below(&rng, LARGEST);
        memset(data, (int)(put & 0xff), length);
        if (put - taken < 64 && outbox_put(outbox, &s_peer, 1, data, length) == 0) lengths[put++ % 64] = length;
        outbox_entry_t entry;
        if (zvt_rng_below(&rng, 2) == 0 || !outbox_take(outbox, 1, &entry)) continue;
        cr_assert_eq(entry.length, lengths[taken % 64]);
        for (size_t i = 0; i < entry.length; i += 997) cr_assert_eq(entry.data[i], taken & 0xff);
        taken++;
    }
    cr_assert_gt(taken, 100);
    free(data);
    outbox_destroy(&outbox);
}

Test(outbox, more_than_the_ring_holds_is_refused)
{
    outbox_t *outbox = outbox_new();
    uint8_t *data = calloc(1, OUTBOX_BYTES + 1);
    cr_assert_eq(outbox_put(outbox, &s_peer, 1, data, OUTBOX_BYTES + 1), ZVT_ERR_FULL);
    cr_assert_eq(outbox_put(outbox, &s_peer, 1, data, OUTBOX_BYTES), 0);
    cr_assert_eq(outbox_put(outbox, &s_peer, 1, data, 1), ZVT_ERR_FULL);
    free(data);
    outbox_destroy(&outbox);
}
