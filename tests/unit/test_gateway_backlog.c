#include <criterion/criterion.h>
#include <string.h>

#include "backlog.h"

Test(backlog, gives_messages_back_in_order)
{
    backlog_t backlog;
    backlog_message_t message;
    backlog_init(&backlog, 1024);
    cr_assert(backlog_is_empty(&backlog));
    cr_assert(!backlog_oldest(&backlog, &message));
    cr_assert_eq(backlog_push(&backlog, "a", "one", 3), 0);
    cr_assert_eq(backlog_push(&backlog, "b", "three", 5), 0);
    cr_assert(backlog_oldest(&backlog, &message));
    cr_assert_str_eq(message.topic, "a");
    cr_assert_eq(message.length, 3u);
    cr_assert_eq(memcmp(message.data, "one", 3), 0);
    backlog_pop(&backlog);
    cr_assert(backlog_oldest(&backlog, &message));
    cr_assert_str_eq(message.topic, "b");
    cr_assert_eq(memcmp(message.data, "three", 5), 0);
    backlog_pop(&backlog);
    cr_assert(backlog_is_empty(&backlog));
    backlog_destroy(&backlog);
}

Test(backlog, refuses_what_does_not_fit_and_keeps_the_rest)
{
    backlog_t backlog;
    backlog_message_t message;
    uint8_t bytes[100] = {7};
    backlog_init(&backlog, 256);
    cr_assert_eq(backlog_push(&backlog, "a", bytes, sizeof bytes), 0);
    cr_assert_eq(backlog_push(&backlog, "a", bytes, sizeof bytes), 0);
    cr_assert_eq(backlog_push(&backlog, "a", bytes, sizeof bytes), ZVT_ERR_FULL);
    cr_assert(backlog_oldest(&backlog, &message));
    cr_assert_eq(message.length, sizeof bytes);
    backlog_destroy(&backlog);
}

Test(backlog, uses_the_room_of_what_left)
{
    backlog_t backlog;
    backlog_message_t message;
    backlog_init(&backlog, 256);
    for (uint8_t i = 0; i < 250; i++) {
        uint8_t bytes[60];
        memset(bytes, i, sizeof bytes);
        cr_assert_eq(backlog_push(&backlog, "t", bytes, sizeof bytes), 0);
        if (i == 0) continue; /* one always waits, so that the box is never empty */
        cr_assert(backlog_oldest(&backlog, &message));
        cr_assert_eq(message.data[59], i - 1);
        backlog_pop(&backlog);
    }
    backlog_destroy(&backlog);
}

Test(backlog, takes_empty_messages)
{
    backlog_t backlog;
    backlog_message_t message;
    backlog_init(&backlog, 64);
    cr_assert_eq(backlog_push(&backlog, "t", "", 0), 0);
    cr_assert(backlog_oldest(&backlog, &message));
    cr_assert_eq(message.length, 0u);
    backlog_pop(&backlog);
    cr_assert(backlog_is_empty(&backlog));
    backlog_destroy(&backlog);
}
