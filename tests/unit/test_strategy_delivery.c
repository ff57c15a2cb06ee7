#include <criterion/criterion.h>
#include <string.h>

#include "delivery_core.h"
#include "zvt_time.h"

#define MS ZVT_MS_NS
#define START (1000 * ZVT_SECOND_NS)
#define LIFETIME (5 * ZVT_SECOND_NS)
enum { RUN = 42 };

static struct {
    uint64_t sends, resends;
    zvt_signal_t last_signal;
    zvt_signal_cancel_t last_cancel;
    uint64_t expired;
    delivery_item_t last_expired;
    uint64_t new_runs, run_before, run_known;
    bool submit_when_expired; /* the strategy answers an expiry with a new signal */
} out;
static delivery_core_t *core;

static void s_on_send(void *arg, zvt_type_t type, const void *record, bool resent)
{
    (void)arg;
    ++*(resent ? &out.resends : &out.sends);
    if (type == ZVT_T_SIGNAL) out.last_signal = *(const zvt_signal_t *)record;
    if (type == ZVT_T_SIGNAL_CANCEL) out.last_cancel = *(const zvt_signal_cancel_t *)record;
}

static void s_on_expired(void *arg, const delivery_item_t *item)
{
    (void)arg;
    out.expired++;
    out.last_expired = *item;
    if (out.submit_when_expired) cr_assert(delivery_core_signal(core, 1, &(zvt_signal_t){0}, LIFETIME, START + LIFETIME) == 0);
}

static void s_on_new_run(void *arg, uint64_t before, uint64_t known)
{
    (void)arg;
    out.new_runs++;
    out.run_before = before;
    out.run_known = known;
}

static void s_setup(void)
{
    core = delivery_core_new("maker", RUN, &(delivery_output_t){.send = s_on_send, .expired = s_on_expired, .new_run = s_on_new_run});
}

static void s_teardown(void)
{
    delivery_core_destroy(&core);
}

static int s_signal(int64_t now_ns)
{
    zvt_signal_t signal = {.strategy_id = "maker", .sent_at_ns = 5};
    return delivery_core_signal(core, 3, &signal, LIFETIME, now_ns);
}

static delivery_outcome_t s_ack(uint64_t sender_seq, uint8_t code)
{
    delivery_item_t item;
    return delivery_core_on_ack(core, &(zvt_signal_ack_t){.incarnation = RUN, .sender_seq = sender_seq, .code = code}, &item, START);
}

TestSuite(strategy_delivery, .init = s_setup, .fini = s_teardown);

Test(strategy_delivery, numbers_and_sends_at_once)
{
    cr_assert(s_signal(START) == 0 && s_signal(START) == 0);
    cr_assert(out.sends == 2 && out.resends == 0);
    cr_assert(out.last_signal.sender_seq == 2 && out.last_signal.incarnation == RUN);
    cr_assert_str_eq(out.last_signal.sender, "maker");
    cr_assert(delivery_core_pending(core) == 2);
}

Test(strategy_delivery, cancels_share_the_numbers)
{
    cr_assert(s_signal(START) == 0);
    cr_assert(delivery_core_cancel(core, 3, &(zvt_signal_cancel_t){0}, LIFETIME, START) == 0);
    cr_assert(out.last_cancel.sender_seq == 2 && out.last_cancel.incarnation == RUN);
    cr_assert_str_eq(out.last_cancel.sender, "maker");
}

Test(strategy_delivery, resends_after_pauses_that_double_up_to_a_second_and_of_which_half_is_drawn)
{
    cr_assert(s_signal(START) == 0);
    uint64_t resends = 0;
    int64_t last_ms = 0, full_ms = 100, full_pauses = 0;
    for (int64_t ms = 1; ms < 5000; ms++) {
        delivery_core_on_time(core, START + ms * MS);
        if (out.resends == resends) continue;
        cr_assert(ms - last_ms >= full_ms / 2 && ms - last_ms <= full_ms, "resent at %ld ms", (long)ms);
        full_pauses += ms - last_ms == full_ms;
        full_ms = full_ms * 2 < 1000 ? full_ms * 2 : 1000;
        last_ms = ms;
        resends = out.resends;
    }
    cr_assert(resends >= 7 && full_pauses < 2 && out.last_signal.sender_seq == 1 && out.last_signal.sent_at_ns == 5);
}

Test(strategy_delivery, what_was_sent_together_is_not_resent_together)
{
    for (int i = 0; i < 100; i++) cr_assert(s_signal(START) == 0);
    delivery_core_on_time(core, START + 75 * MS);
    cr_assert(out.resends > 20 && out.resends < 80, "%lu", (unsigned long)out.resends);
    delivery_core_on_time(core, START + 100 * MS);
    cr_assert(out.resends == 100);
}

Test(strategy_delivery, says_when_it_wants_to_be_called)
{
    cr_assert(delivery_core_next_ns(core) == 0);
    cr_assert(s_signal(START) == 0);
    int64_t next_ns = delivery_core_next_ns(core);
    cr_assert(next_ns >= START + 50 * MS && next_ns <= START + 100 * MS);
    delivery_core_on_time(core, next_ns - 1);
    cr_assert(out.resends == 0);
    delivery_core_on_time(core, next_ns);
    cr_assert(out.resends == 1);
    cr_assert(delivery_core_next_ns(core) >= next_ns + 100 * MS && delivery_core_next_ns(core) <= next_ns + 200 * MS);
    cr_assert(s_ack(1, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    cr_assert(delivery_core_next_ns(core) == 0);
}

Test(strategy_delivery, stops_when_acknowledged_and_gives_back_what_was)
{
    cr_assert(s_signal(START) == 0);
    delivery_item_t item;
    zvt_signal_ack_t ack = {.incarnation = RUN, .sender_seq = 1, .code = ZVT_CODE_OK};
    cr_assert(delivery_core_on_ack(core, &ack, &item, START) == DELIVERY_ACCEPTED);
    cr_assert(item.owner == 3 && item.type == ZVT_T_SIGNAL && item.signal.sender_seq == 1);
    delivery_core_on_time(core, START + 10 * ZVT_SECOND_NS);
    cr_assert(out.resends == 0 && out.expired == 0 && delivery_core_pending(core) == 0);
}

Test(strategy_delivery, a_duplicate_is_acknowledged)
{
    cr_assert(s_signal(START) == 0);
    cr_assert(s_ack(1, ZVT_CODE_DUPLICATE) == DELIVERY_ACCEPTED);
}

Test(strategy_delivery, a_second_acknowledgement_is_ignored)
{
    cr_assert(s_signal(START) == 0);
    cr_assert(s_ack(1, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    cr_assert(s_ack(1, ZVT_CODE_DUPLICATE) == DELIVERY_IGNORED);
}

Test(strategy_delivery, a_refusal_ends_it)
{
    cr_assert(s_signal(START) == 0);
    cr_assert(s_ack(1, ZVT_CODE_UNKNOWN_SYMBOL) == DELIVERY_REFUSED);
    cr_assert(delivery_core_pending(core) == 0);
}

Test(strategy_delivery, a_refusal_that_may_be_tried_again_keeps_it)
{
    static const uint8_t codes[] = {ZVT_CODE_OVERLOADED, ZVT_CODE_LOG_UNAVAILABLE, ZVT_CODE_NOT_READY};
    cr_assert(s_signal(START) == 0);
    for (size_t i = 0; i < sizeof codes; i++) cr_assert(s_ack(1, codes[i]) == DELIVERY_AGAIN);
    delivery_core_on_time(core, START + 100 * MS);
    cr_assert(out.resends == 1);
}

Test(strategy_delivery, acknowledgements_of_others_are_ignored)
{
    delivery_item_t item;
    cr_assert(s_signal(START) == 0);
    cr_assert(s_ack(2, ZVT_CODE_OK) == DELIVERY_IGNORED);
    cr_assert(s_ack(0, ZVT_CODE_OK) == DELIVERY_IGNORED);
    cr_assert(s_ack(1 + DELIVERY_WINDOW, ZVT_CODE_OK) == DELIVERY_IGNORED);
    cr_assert(s_ack(1, 0) == DELIVERY_IGNORED);
    zvt_signal_ack_t other_run = {.incarnation = RUN + 1, .sender_seq = 1, .code = ZVT_CODE_OK};
    cr_assert(delivery_core_on_ack(core, &other_run, &item, START) == DELIVERY_IGNORED);
    cr_assert(delivery_core_pending(core) == 1);
}

Test(strategy_delivery, gives_up_at_its_expiry)
{
    cr_assert(s_signal(START) == 0);
    delivery_core_on_time(core, START + LIFETIME - 1);
    cr_assert(out.expired == 0);
    delivery_core_on_time(core, START + LIFETIME);
    cr_assert(out.expired == 1 && out.last_expired.owner == 3 && out.last_expired.signal.sender_seq == 1);
    cr_assert(s_ack(1, ZVT_CODE_OK) == DELIVERY_IGNORED);
}

Test(strategy_delivery, an_expiry_may_be_answered_with_a_new_signal)
{
    cr_assert(s_signal(START) == 0);
    out.submit_when_expired = true;
    delivery_core_on_time(core, START + LIFETIME);
    cr_assert(out.expired == 1 && out.sends == 2 && delivery_core_pending(core) == 1);
    int64_t pause_ns = delivery_core_next_ns(core) - START - LIFETIME;
    cr_assert(pause_ns >= 50 * MS && pause_ns <= 100 * MS);
}

Test(strategy_delivery, refuses_more_than_the_window)
{
    for (int i = 0; i < DELIVERY_WINDOW; i++) cr_assert(s_signal(START) == 0);
    cr_assert(s_signal(START) == ZVT_ERR_FULL);
    cr_assert(out.sends == DELIVERY_WINDOW && delivery_core_pending(core) == DELIVERY_WINDOW);
}

Test(strategy_delivery, the_window_is_held_open_by_its_oldest_number)
{
    for (int i = 0; i < DELIVERY_WINDOW; i++) cr_assert(s_signal(START) == 0);
    cr_assert(s_ack(2, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    cr_assert(s_signal(START) == ZVT_ERR_FULL, "the orchestrator could not tell number 1 from an old one any more");
    cr_assert(s_ack(1, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    cr_assert(s_signal(START) == 0 && s_signal(START) == 0 && s_signal(START) == ZVT_ERR_FULL);
    cr_assert(out.last_signal.sender_seq == DELIVERY_WINDOW + 2);
}

Test(strategy_delivery, a_new_orchestrator_gets_everything_at_once)
{
    cr_assert(s_signal(START) == 0 && s_signal(START) == 0 && s_signal(START) == 0);
    cr_assert(s_ack(2, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    delivery_core_on_time(core, START + 3000 * MS);
    cr_assert(out.resends == 2);
    delivery_core_on_peer(core, START + 3010 * MS);
    cr_assert(out.resends == 4);
    delivery_core_on_time(core, START + 3059 * MS);
    cr_assert(out.resends == 4);
    delivery_core_on_time(core, START + 3110 * MS);
    cr_assert(out.resends == 6, "the pauses begin anew");
}

/* ---- a run that began below one that is known ---- */
enum { KNOWN = 5000, ABOVE = KNOWN + 1 + RUN };

/* The orchestrator refuses number n of `run`, because it knows `known`. */
static delivery_outcome_t s_over(uint64_t run, uint64_t sender_seq, uint64_t known, bool untaken)
{
    delivery_item_t item;
    zvt_signal_ack_t ack = {.incarnation = run, .sender_seq = sender_seq, .code = ZVT_CODE_STALE, .known_run = known, .untaken = untaken};
    return delivery_core_on_ack(core, &ack, &item, START);
}

static delivery_outcome_t s_ack_in(uint64_t run, uint64_t sender_seq, uint8_t code)
{
    delivery_item_t item;
    return delivery_core_on_ack(core, &(zvt_signal_ack_t){.incarnation = run, .sender_seq = sender_seq, .code = code}, &item, START);
}

Test(strategy_delivery, goes_on_above_the_known_run_and_sends_what_was_never_taken_at_once)
{
    zvt_signal_t signal = {.signal_id = {{7}}, .sent_at_ns = 5};
    cr_assert(delivery_core_signal(core, 3, &signal, LIFETIME, START) == 0);
    cr_assert(s_over(RUN, 1, KNOWN, true) == DELIVERY_RENAMED);
    cr_assert(out.new_runs == 1 && out.run_before == RUN && out.run_known == KNOWN);
    cr_assert(out.resends == 1 && out.last_signal.incarnation == ABOVE && out.last_signal.sender_seq == 1);
    cr_assert(out.last_signal.signal_id.bytes[0] == 7 && out.last_signal.sent_at_ns == 5, "it is the same signal");
    cr_assert(s_signal(START) == 0);
    cr_assert(out.last_signal.incarnation == ABOVE && out.last_signal.sender_seq == 2);
    cr_assert(s_ack_in(ABOVE, 1, ZVT_CODE_OK) == DELIVERY_ACCEPTED && s_ack_in(ABOVE, 2, ZVT_CODE_OK) == DELIVERY_ACCEPTED);
    cr_assert(delivery_core_pending(core) == 0);
}

Test(strategy_delivery, every_command_keeps_its_name_until_that_name_is_refused)
{
    for (int i = 0; i < 3; i++) cr_assert(s_signal(START) == 0);
    cr_assert(s_over(RUN, 2, KNOWN, true) == DELIVERY_RENAMED);
    delivery_core_on_time(core, START + 100 * MS);
    cr_assert(out.resends == 4, "1 and 3 under their old names, 2 twice under its new one");
    cr_assert(s_over(RUN, 2, KNOWN, true) == DELIVERY_IGNORED, "a second copy of that refusal");
    cr_assert(s_over(RUN, 3, KNOWN, true) == DELIVERY_RENAMED && out.last_signal.sender_seq == 2);
    cr_assert(s_ack_in(RUN, 1, ZVT_CODE_DUPLICATE) == DELIVERY_ACCEPTED, "it was taken after all");
    cr_assert(out.new_runs == 1 && delivery_core_pending(core) == 2);
}

Test(strategy_delivery, what_may_have_been_taken_gets_no_second_name)
{
    cr_assert(s_signal(START) == 0);
    cr_assert(s_over(RUN, 1, KNOWN, false) == DELIVERY_REFUSED);
    cr_assert(out.resends == 0 && delivery_core_pending(core) == 0);
    cr_assert(s_signal(START) == 0);
    cr_assert(out.last_signal.incarnation == ABOVE && out.last_signal.sender_seq == 1, "but what comes next is in the new run");
}

Test(strategy_delivery, a_cancel_may_always_be_sent_again)
{
    cr_assert(delivery_core_cancel(core, 3, &(zvt_signal_cancel_t){.order_id = {{9}}}, LIFETIME, START) == 0);
    cr_assert(s_over(RUN, 1, KNOWN, false) == DELIVERY_RENAMED);
    cr_assert(out.last_cancel.incarnation == ABOVE && out.last_cancel.sender_seq == 1 && out.last_cancel.order_id.bytes[0] == 9);
}

Test(strategy_delivery, a_run_above_that_is_known_later_is_passed_too)
{
    cr_assert(s_signal(START) == 0 && s_signal(START) == 0);
    cr_assert(s_over(RUN, 1, KNOWN, true) == DELIVERY_RENAMED);
    cr_assert(s_over(ABOVE, 1, ABOVE + 10, true) == DELIVERY_RENAMED && out.new_runs == 2);
    uint64_t run = out.last_signal.incarnation;
    cr_assert(run > ABOVE + 10 && out.last_signal.sender_seq == 1);
    cr_assert(s_over(RUN, 2, ABOVE + 10, true) == DELIVERY_RENAMED && out.new_runs == 2);
    cr_assert(out.last_signal.incarnation == run && out.last_signal.sender_seq == 2);
    cr_assert(delivery_core_pending(core) == 2);
}

Test(strategy_delivery, a_full_window_is_renamed_from_its_oldest_on)
{
    for (int i = 0; i < DELIVERY_WINDOW; i++) cr_assert(s_signal(START) == 0);
    cr_assert(s_over(RUN, 2, KNOWN, true) == DELIVERY_AGAIN, "there is no room for a new number");
    cr_assert(s_over(RUN, 1, KNOWN, true) == DELIVERY_RENAMED && out.last_signal.sender_seq == 1);
    cr_assert(s_over(RUN, 2, KNOWN, true) == DELIVERY_RENAMED && out.last_signal.sender_seq == 2);
    for (uint64_t n = 3; n <= DELIVERY_WINDOW; n++) cr_assert(s_over(RUN, n, KNOWN, true) == DELIVERY_RENAMED);
    for (uint64_t n = 1; n <= DELIVERY_WINDOW; n++) cr_assert(s_ack_in(ABOVE, n, ZVT_CODE_OK) == DELIVERY_ACCEPTED, "%lu", (unsigned long)n);
    cr_assert(delivery_core_pending(core) == 0 && out.new_runs == 1);
}
