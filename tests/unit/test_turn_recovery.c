/* The turn core and its log: folds, restarts, and what must survive them. */
#include "order_core.h"
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_recovery, .init = s_setup, .fini = s_teardown);

Test(turn_recovery, its_state_is_the_fold_of_its_log)
{
    for (uint64_t i = 1; i <= 30; i++) {
        w.risk_code = i % 5 == 0 ? ZVT_CODE_MAX_POSITION : ZVT_CODE_OK;
        w.venue_silent = i % 7 == 0;
        zvt_record_t signal = s_signal(i, i % 3 == 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
        s_settle();
    }
    char *live = NULL, *folded = s_fold_dump();
    size_t length;
    FILE *out = open_memstream(&live, &length);
    turn_core_dump(w.core, out);
    fclose(out);
    cr_assert_str_eq(live, folded);
    cr_assert_not_null(strstr(live, "accepted"));
    free(live);
    free(folded);
}

Test(turn_recovery, after_a_restart_it_asks_about_what_was_under_way_and_resumes_the_rest)
{
    w.venue_silent = true;
    zvt_record_t sent = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&sent);
    s_settle();
    w.risk_silent = true;
    zvt_record_t waiting = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&waiting);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    turn_core_t *before = w.core;
    w.core = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    w.queries = w.sent_count = 0;
    w.risk_silent = w.venue_silent = false;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
    cr_assert_geq(w.queries, 1);
    cr_assert_eq(w.sent_count, 1, "only the one that had not been submitted");
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    /* a repetition of either signal is still known */
    w.acks_count = 0;
    s_give_signal(&sent);
    s_give_signal(&waiting);
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_DUPLICATE);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 2);
    turn_core_destroy(&before);
}

Test(turn_recovery, the_digest_at_a_barrier_is_the_folds_digest)
{
    turn_client_t client = {{1}};
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_deliver_all(); /* in the middle of an order */
    zvt_record_t barrier = {.type = ZVT_T_BARRIER_REQUEST};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &barrier);
    s_settle();
    cr_assert_eq(w.command_replies, 1);
    uint64_t seq = w.command_reply.seq;
    const zvt_digest_t *live = zvt_digests_find(turn_core_digests(w.core), seq);
    cr_assert_not_null(live);
    turn_core_t *fresh = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(fresh, &w.log[i]), 0);
    const zvt_digest_t *folded = zvt_digests_find(turn_core_digests(fresh), seq);
    cr_assert_not_null(folded);
    cr_assert(zvt_id_equal(&live->digest, &folded->digest));
    turn_core_destroy(&fresh);
}

Test(turn_recovery, fills_of_a_position_are_recorded_in_the_order_they_were_asked)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    s_queue_fill(&w.sent[0], ZVT_E8 / 4);
    s_queue_fill(&w.sent[0], ZVT_E8 / 4);
    s_settle();
    /* the answer to the first one is lost */
    zvt_fill_applied_t second = {.incarnation = 1, .code = ZVT_CODE_OK};
    ZVT_STR_SET(second.exchange, "alpha");
    snprintf(second.position.exec_id, sizeof second.position.exec_id, "E%llu", (unsigned long long)w.venue_seq);
    s_queue(ZVT_T_FILL_APPLIED, &second);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    w.portfolio_silent = false;
    s_tick(2000 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 2);
    zvt_record_t first_executed;
    for (uint32_t i = w.log_count; i-- > 0;)
        if (w.log[i].type == ZVT_T_ORDER_EXECUTED) cr_assert_eq(zvt_read_payload(&w.log[i], &first_executed), 0);
    cr_assert_eq(first_executed.order_executed.venue_seq, w.venue_seq - 1);
}

Test(turn_recovery, clients_that_wait_are_told_when_the_log_is_lost)
{
    turn_client_t client = {{1}};
    w.venue_silent = true;
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1"}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.places_count, 0);
    turn_core_abandon(w.core);
    turn_core_clear(w.core);
    cr_assert_eq(w.places_count, 1);
    cr_assert_eq(w.places[0].code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert(!zvt_id_is_none(&w.places[0].order_id));
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    cr_assert_eq(w.places_count, 2, "and refused until it is back");
    cr_assert_eq(w.places[1].code, ZVT_CODE_LOG_UNAVAILABLE);
}

Test(turn_recovery, without_the_log_no_list_is_empty_and_successful)
{
    static const zvt_type_t questions[] = {ZVT_T_ORDERS_QUERY, ZVT_T_DEAD_LETTERS_QUERY};
    turn_client_t client = {{1}};
    zvt_record_t question = {.type = ZVT_T_ORDERS_QUERY, .orders_query = {.open_only = true}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &question);
    cr_assert_eq(w.list_ends, 1);
    cr_assert_eq(w.error_replies, 0);
    turn_core_abandon(w.core);
    turn_core_note_log(w.core, "No space left on device\n\tand more");
    turn_core_clear(w.core);
    for (int i = 0; i < 2; i++) {
        question = (zvt_record_t){.type = questions[i]};
        turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &question);
        cr_assert_eq(w.list_ends, 1, "an empty list would be a lie");
        cr_assert_eq(w.error_replies, i + 1);
        cr_assert_eq(w.error_reply.code, ZVT_CODE_LOG_UNAVAILABLE);
        cr_assert_not_null(strstr(w.error_reply.message, "(event log: No space left on device)"), "%s", w.error_reply.message);
    }
}

Test(turn_recovery, who_is_refused_without_the_log_is_told_why_it_is_away)
{
    turn_client_t client = {{1}};
    turn_core_abandon(w.core);
    turn_core_note_log(w.core, "No space left on device");
    turn_core_clear(w.core);
    zvt_record_t record = {.type = ZVT_T_PLACE_REQUEST};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
    cr_assert_eq(w.places[0].code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_str_eq(w.places[0].message, "LOG_UNAVAILABLE nothing was done; try again (event log: No space left on device)");
    record = (zvt_record_t){.type = ZVT_T_ADJUST_REQUEST};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_str_eq(w.command_reply.message, "nothing was done; try again (event log: No space left on device)");
    char endless[ZVT_MESSAGE_SIZE];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    turn_core_note_log(w.core, endless);
    record = (zvt_record_t){.type = ZVT_T_PLACE_REQUEST};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
    cr_assert_eq(w.places[1].message[strlen(w.places[1].message) - 1], ')', "a long reason is cut, not the sentence");
}

Test(turn_recovery, without_the_log_no_signal_is_refused_for_good)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    signal.signal.order_request.expires_at_ns = w.now_ns + 1000 * MS;
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    turn_core_abandon(w.core);
    turn_core_clear(w.core);
    s_tick(2000 * MS);
    int before = w.acks_count;
    s_give_signal(&signal); /* expired, and its order is in the log */
    signal.signal.sender_seq = 70000; /* far ahead of what an empty core has seen */
    s_give_signal(&signal);
    zvt_record_t cancel = {.type = ZVT_T_SIGNAL_CANCEL, .signal_cancel = {.sender = "alice", .incarnation = 5, .sender_seq = 70001}};
    cancel.signal_cancel.signal_id = signal.signal.signal_id;
    s_give_signal(&cancel);
    s_tick(0);
    cr_assert_eq(w.acks_count, before + 3);
    for (int n = before; n < w.acks_count; n++) cr_assert_eq(w.acks[n].code, ZVT_CODE_LOG_UNAVAILABLE);
}

Test(turn_recovery, a_halt_while_the_log_is_away_holds_and_is_recorded_before_anything_resumes)
{
    w.risk_silent = true;
    zvt_record_t waiting = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&waiting);
    s_settle();
    turn_core_clear(w.core);
    turn_client_t client = {{1}};
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .requested_by = "me", .reason = "test"}};
    turn_core_latch_halt(w.core, "me", "test");
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
    cr_assert_eq(w.command_reply.seq, 0, "no event records it yet");
    turn_core_clear(w.core);
    uint32_t before = w.log_count;
    for (uint32_t i = 0; i < before; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    w.risk_silent = false;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(w.log[before + 1].type, ZVT_T_RISK_HALTED, "right after system.started");
    turn_status_t status;
    turn_core_status(w.core, &status);
    cr_assert(status.halted);
}

Test(turn_recovery, a_halt_after_the_fold_and_before_the_opening_is_recorded_as_well)
{
    turn_core_clear(w.core);
    uint32_t before = w.log_count;
    for (uint32_t i = 0; i < before; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    turn_core_latch_halt(w.core, "me", "test");
    turn_status_t status;
    turn_core_status(w.core, &status);
    cr_assert(status.halted);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_settle();
    cr_assert_eq(w.log[before + 1].type, ZVT_T_RISK_HALTED);
}

static void s_give_halt(bool halt)
{
    turn_client_t client = {{1}};
    zvt_record_t record = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = halt, .requested_by = "me", .reason = "test"}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
}

static bool s_is_halted(void)
{
    turn_status_t status;
    turn_core_status(w.core, &status);
    return status.halted;
}

/* The next run: reads the log and opens. */
static void s_open_again(uint64_t epoch)
{
    turn_core_clear(w.core);
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, epoch, 0);
    s_services_up();
    s_settle();
}

Test(turn_recovery, a_latched_halt_that_was_resumed_does_not_come_back)
{
    turn_core_clear(w.core);
    turn_core_latch_halt(w.core, "me", "test");
    s_open_again(2);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
    s_give_halt(false);
    s_settle();
    cr_assert_eq(w.resumes, 1);
    cr_assert_not(s_is_halted());
    s_open_again(3);
    cr_assert_not(s_is_halted());
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
}

Test(turn_recovery, a_resume_ends_the_latch_when_it_is_durable_and_before_anybody_is_told)
{
    turn_core_clear(w.core);
    turn_core_latch_halt(w.core, "me", "test");
    s_open_again(2);
    s_give_halt(false);
    s_tick(0);
    cr_assert(w.commit_pending);
    cr_assert_eq(w.resumes, 0);
    cr_assert(s_is_halted(), "the commit may fail");
    s_confirm();
    cr_assert_eq(w.resumes, 1);
    cr_assert_eq(w.resumes_told, 0, "what is stored is cleared first");
    cr_assert_eq(w.command_replies, 1);
}

Test(turn_recovery, a_resume_whose_commit_is_lost_leaves_the_latch)
{
    turn_core_clear(w.core);
    turn_core_latch_halt(w.core, "me", "test");
    s_open_again(2);
    s_give_halt(false);
    s_tick(0);
    w.commit_pending = false;
    turn_core_abandon(w.core);
    s_open_again(3);
    cr_assert(s_is_halted());
    cr_assert_eq(w.resumes, 0);
}

Test(turn_recovery, a_resume_for_which_the_batch_has_no_room_leaves_the_halt)
{
    turn_client_t client = {{1}};
    zvt_record_t barrier = {.type = ZVT_T_BARRIER_REQUEST};
    s_give_halt(true);
    s_tick(0);
    cr_assert(w.commit_pending);
    for (int i = 0; i <= TURN_BATCH_EVENTS_MAX; i++) turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &barrier);
    s_give_halt(false);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED);
    s_settle();
    cr_assert_eq(w.resumes, 0);
    cr_assert(s_is_halted());
}

Test(turn_recovery, a_halt_that_follows_a_resume_before_it_is_durable_stays_stored)
{
    s_give_halt(true);
    s_settle();
    s_give_halt(false);
    s_tick(0);
    s_give_halt(true);
    s_settle();
    cr_assert_eq(w.resumes, 0);
    cr_assert(s_is_halted());
}

Test(turn_recovery, a_resume_that_is_asked_for_again_is_answered_when_it_is_durable)
{
    s_give_halt(true);
    s_settle();
    int before = w.command_replies;
    s_give_halt(false);
    s_tick(0);
    s_give_halt(false);
    cr_assert_eq(w.command_replies, before);
    s_settle();
    cr_assert_eq(w.command_replies, before + 2);
    cr_assert_not(s_is_halted());
}

Test(turn_recovery, a_halt_that_another_process_was_told_of_is_in_force_and_recorded)
{
    turn_core_latch_halt(w.core, "me", "test");
    cr_assert(s_is_halted());
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
    s_give_halt(false);
    s_settle();
    cr_assert_eq(w.resumes, 1);
    cr_assert_not(s_is_halted());
}

Test(turn_recovery, a_fenced_verdict_on_a_question_of_the_epoch_before_ends_no_order)
{
    w.risk_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.log[w.log_count - 1].type, ZVT_T_ORDER_REQUESTED);
    zvt_record_t fenced = {.type = ZVT_T_RISK_VERDICT,
                           .risk_verdict = {.order_id = w.log[w.log_count - 1].aggregate_id, .incarnation = 1, .code = ZVT_CODE_FENCED}};
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &fenced);
    s_settle();
    cr_assert_eq(w.log[w.log_count - 1].type, ZVT_T_ORDER_REQUESTED, "it still waits");
    fenced.risk_verdict.code = ZVT_CODE_OK;
    fenced.risk_verdict.epoch = 1;
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &fenced);
    s_settle();
    cr_assert_eq(w.log[w.log_count - 1].type, ZVT_T_ORDER_COMPLETED);
}

Test(turn_recovery, a_wild_number_does_not_lock_its_sender_out)
{
    zvt_record_t wild = s_signal(1, ZVT_ORDER_TYPE_MARKET), honest = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    wild.signal.incarnation = UINT64_MAX;
    s_give_signal(&wild);
    wild.signal.incarnation = 5;
    wild.signal.sender_seq = UINT64_MAX;
    s_give_signal(&wild);
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_MALFORMED);
    cr_assert_eq(w.acks[1].code, ZVT_CODE_MALFORMED);
    s_give_signal(&honest);
    s_settle();
    cr_assert_eq(w.acks[2].code, ZVT_CODE_OK);
}

Test(turn_recovery, a_request_id_used_for_another_order_is_refused)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1"}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    request.place_request.order_request.quantity_e8 *= 2;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.places_count, 2);
    cr_assert(!w.places[1].success);
    cr_assert_eq(w.places[1].code, ZVT_CODE_DUPLICATE);
    cr_assert_eq(w.sent_count, 1);
}

Test(turn_recovery, clients_that_wait_without_end_block_no_cancel)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1", .wait = ZVT_WAIT_FILLED, .timeout_ms = UINT32_MAX}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    for (int i = 0; i < 60; i++) turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    for (int i = 0; i < 10; i++) turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    cr_assert_eq(w.places_count, 6, "64 may wait for one order");
    zvt_record_t row = {.type = ZVT_T_CANCEL_REQUEST};
    cr_assert_eq(zvt_read_payload(&w.log[w.log_count - 1], &row), 0);
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = row.order_accepted.order_id}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
    s_settle();
    cr_assert_geq(w.cancels, 1);
}

/* ---- found by the simulator ---- */
Test(turn_recovery, a_cancel_before_a_venue_has_the_order_is_recorded_and_survives_a_restart)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.risk_silent = true;
    s_give_signal(&signal);
    s_give_cancel(2, &signal);
    cr_assert_eq(w.acks_count, 0, "nothing is acknowledged before the commit");
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1);
    w.risk_silent = false;
    s_restart(2);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
}

Test(turn_recovery, a_cancel_that_comes_again_is_acknowledged_when_the_first_is_durable)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    int acks = w.acks_count;
    s_give_cancel(2, &signal);
    s_give_cancel(2, &signal);
    s_give_cancel(3, &signal);
    cr_assert_eq(w.acks_count, acks);
    s_settle();
    cr_assert_eq(w.acks_count, acks + 1, "nothing is kept for what came while it was under way");
    s_give_cancel(2, &signal);
    s_give_cancel(3, &signal);
    s_settle();
    cr_assert_eq(w.acks_count, acks + 3);
}

Test(turn_recovery, an_answer_about_a_fill_that_does_not_continue_the_position_is_asked_for_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    w.portfolio_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_fill_applied_t applied = {.incarnation = 1, .code = ZVT_CODE_OK};
    applied.position.position_id = zvt_id_from_text("p", 1);
    applied.position.quantity_change_e8 = ZVT_E8;
    applied.position.new_quantity_e8 = 3 * ZVT_E8; /* on top of 2, which the log does not have */
    ZVT_STR_SET(applied.exchange, "alpha");
    snprintf(applied.position.exec_id, sizeof applied.position.exec_id, "E%llu", (unsigned long long)w.venue_seq);
    s_queue(ZVT_T_FILL_APPLIED, &applied);
    w.portfolio_silent = false;
    s_deliver_all();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    s_tick(60 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_recovery, risk_must_know_the_whole_log_of_the_writers_before)
{
    zvt_record_t first = s_signal(1, ZVT_ORDER_TYPE_LIMIT), second = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&first);
    s_settle();
    uint32_t last_seq = w.log_count;
    s_restart(2);
    s_give_signal(&second);
    cr_assert_geq(w.risk_min_seq, last_seq);
}

Test(turn_recovery, a_venue_that_is_away_is_not_asked_without_a_pause)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    s_give_cancel(2, &signal);
    s_settle();
    int queries = w.queries, since_asked = w.since_asked;
    zvt_cancel_result_t result = {.exchange = "alpha", .code = ZVT_CODE_VENUE_UNREACHABLE};
    ZVT_STR_SET(result.client_order_id, w.sent[0].client_order_id);
    zvt_reports_tip_t tip = {.exchange = "alpha", .cursor = 7, .venue_seq = 9};
    for (int i = 0; i < 20; i++) {
        s_queue(ZVT_T_CANCEL_RESULT, &result);
        s_queue(ZVT_T_REPORTS_TIP, &tip);
        s_deliver_all();
    }
    cr_assert_leq(w.queries - queries, 1);
    cr_assert_leq(w.since_asked - since_asked, 1);
}

static void s_queue_applied(uint64_t exec)
{
    zvt_fill_applied_t applied = {.incarnation = 1, .code = ZVT_CODE_OK, .exchange = "alpha"};
    applied.position.position_id = zvt_id_from_text("p", 1);
    snprintf(applied.position.exec_id, sizeof applied.position.exec_id, "E%llu", (unsigned long long)exec);
    zvt_fill_apply_t fill = {.commission_e8 = ZVT_E8};
    ZVT_STR_SET(fill.exec_id, applied.position.exec_id);
    applied.position.commission_total_e8 = s_commission_total(&fill);
    s_queue(ZVT_T_FILL_APPLIED, &applied);
}

Test(turn_recovery, a_position_changes_in_the_log_in_the_order_of_its_fills_even_if_an_order_waits_for_more)
{
    for (uint64_t i = 1; i <= 2; i++) {
        zvt_record_t signal = s_signal(i, ZVT_ORDER_TYPE_LIMIT);
        s_give_signal(&signal);
    }
    s_settle();
    w.portfolio_silent = true;
    s_queue_fill(&w.sent[0], ZVT_E8 / 2);
    s_queue_fill(&w.sent[1], ZVT_E8);
    s_queue_fill(&w.sent[0], ZVT_E8 / 2); /* keeps the first order waiting */
    s_deliver_all();
    s_queue_applied(w.venue_seq - 2);
    s_queue_applied(w.venue_seq - 1);
    s_deliver_all();
    s_tick(0);
    s_confirm();
    cr_assert_eq(s_count(ZVT_T_POSITION_UPDATED), 2);
    zvt_record_t executed;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_ORDER_EXECUTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &executed), 0);
        cr_assert_str_eq(executed.order_executed.client_order_id, w.sent[0].client_order_id, "the first fill comes first");
        break;
    }
}

Test(turn_recovery, a_verdict_of_the_epoch_before_passes_no_order)
{
    w.risk_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    zvt_risk_verdict_t late = {.order_id = w.acks[0].order_id, .incarnation = 1, .code = ZVT_CODE_OK, .epoch = 1};
    s_restart(2);
    s_queue(ZVT_T_RISK_VERDICT, &late);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_VALIDATED), 0, "risk has dropped the reservation that it made for it");
    late.epoch = 2;
    s_queue(ZVT_T_RISK_VERDICT, &late);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_VALIDATED), 1);
}

/* ---- an ended order is forgotten while sagas are resumed ---- */
static uint64_t s_folded_seq;

static zvt_id_t s_order_id(uint32_t number)
{
    return zvt_id_from_text((const char *)&number, sizeof number);
}

static void s_fold_one(zvt_type_t type, uint32_t number, uint32_t version, const void *payload)
{
    static uint8_t bytes[4096];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    cr_assert_eq(zvt_pack_payload(&buf, type, payload), 0);
    zvt_id_t id = s_order_id(number);
    zvt_event_t event = {.seq = ++s_folded_seq, .type = type, .aggregate_id = id, .correlation_id = id, .aggregate_version = version,
                         .timestamp_ns = w.now_ns, .payload = bytes, .payload_length = buf.length};
    cr_assert_eq(turn_core_fold(w.core, &event), 0);
}

static void s_fold_requested(uint32_t number)
{
    zvt_order_requested_t requested = {.order_id = s_order_id(number), .deadline_ns = w.now_ns + 30000 * MS};
    requested.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    ZVT_STR_SET(requested.strategy_id, "alice");
    ZVT_STR_SET(requested.portfolio_id, "main");
    s_fold_one(ZVT_T_ORDER_REQUESTED, number, 1, &requested);
}

static void s_fold_rejected(uint32_t number)
{
    zvt_order_rejected_t rejected = {.order_id = s_order_id(number), .stage = ZVT_STAGE_RISK, .rejection_reason = ZVT_CODE_BAD_ORDER};
    s_fold_one(ZVT_T_ORDER_REJECTED, number, 2, &rejected);
}

Test(turn_recovery, an_order_too_old_to_go_on_may_push_its_older_neighbour_out_of_the_table)
{
    turn_core_destroy(&w.core);
    w.core = s_new_core();
    w.commit_pending = false;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    s_fold_requested(1);
    s_fold_requested(2); /* waits for risk when the process dies */
    s_fold_rejected(1);  /* and this is the first to be forgotten */
    for (uint32_t number = 3; number < 3 + ORDERS_ENDED_MAX - 1; number++) {
        s_fold_requested(number);
        s_fold_rejected(number);
    }
    w.now_ns += 31000 * MS; /* the fleet was down for so long */
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
    turn_status_t status;
    turn_core_status(w.core, &status);
    cr_assert_eq(status.open_orders, 0);
    cr_assert_eq(status.open_sagas, 0, "also the recovery's own has ended");
}

Test(turn_recovery, a_cancel_that_a_gateway_has_no_room_for_is_asked_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    s_give_cancel(2, &signal);
    s_settle();
    cr_assert_eq(w.cancels, 1);
    zvt_cancel_result_t result = {.exchange = "alpha", .code = ZVT_CODE_OVERLOADED};
    ZVT_STR_SET(result.client_order_id, w.sent[0].client_order_id);
    s_queue(ZVT_T_CANCEL_RESULT, &result);
    s_settle();
    for (int i = 0; i < 50; i++) {
        s_tick(100 * MS);
        s_settle();
    }
    cr_assert_gt(w.cancels, 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REJECTED), 0);
}
