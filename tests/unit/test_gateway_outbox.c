#include <criterion/criterion.h>
#include <string.h>

#include "outbox.h"

Test(outbox, gives_messages_back_in_order)
{
    outbox_t outbox;
    outbox_message_t message;
    outbox_init(&outbox, 1024);
    cr_assert(outbox_is_empty(&outbox));
    cr_assert(!outbox_oldest(&outbox, &message));
    cr_assert_eq(outbox_push(&outbox, "a", "one", 3), 0);
    cr_assert_eq(outbox_push(&outbox, "b", "three", 5), 0);
    cr_assert(outbox_oldest(&outbox, &message));
    cr_assert_str_eq(message.topic, "a");
    cr_assert_eq(message.length, 3u);
    cr_assert_eq(memcmp(message.data, "one", 3), 0);
    outbox_pop(&outbox);
    cr_assert(outbox_oldest(&outbox, &message));
    cr_assert_str_eq(message.topic, "b");
    cr_assert_eq(memcmp(message.data, "three", 5), 0);
    outbox_pop(&outbox);
    cr_assert(outbox_is_empty(&outbox));
    outbox_destroy(&outbox);
}

Test(outbox, refuses_what_does_not_fit_and_keeps_the_rest)
{
    outbox_t outbox;
    outbox_message_t message;
    uint8_t bytes[100] = {7};
    outbox_init(&outbox, 256);
    cr_assert_eq(outbox_push(&outbox, "a", bytes, sizeof bytes), 0);
    cr_assert_eq(outbox_push(&outbox, "a", bytes, sizeof bytes), 0);
    cr_assert_eq(outbox_push(&outbox, "a", bytes, sizeof bytes), ZVT_ERR_FULL);
    cr_assert(outbox_oldest(&outbox, &message));
    cr_assert_eq(message.length, sizeof bytes);
    outbox_destroy(&outbox);
}

Test(outbox, uses_the_room_of_what_left)
{
    outbox_t outbox;
    outbox_message_t message;
    outbox_init(&outbox, 256);
    for (uint8_t i = 0; i < 250; i++) {
        uint8_t bytes[60];
        memset(bytes, i, sizeof bytes);
        cr_assert_eq(outbox_push(&outbox, "t", bytes, sizeof bytes), 0);
        if (i == 0) continue; /* one always waits, so that the box is never empty */
        cr_assert(outbox_oldest(&outbox, &message));
        cr_assert_eq(message.data[59], i - 1);
        outbox_pop(&outbox);
    }
    outbox_destroy(&outbox);
}

Test(outbox, takes_empty_messages)
{
    outbox_t outbox;
    outbox_message_t message;
    outbox_init(&outbox, 64);
    cr_assert_eq(outbox_push(&outbox, "t", "", 0), 0);
    cr_assert(outbox_oldest(&outbox, &message));
    cr_assert_eq(message.length, 0u);
    outbox_pop(&outbox);
    cr_assert(outbox_is_empty(&outbox));
    outbox_destroy(&outbox);
}
