#include "sim_run.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "portfolio_core.h"
#include "risk_core.h"
#include "sim_archive.h"
#include "sim_db.h"
#include "sim_faults.h"
#include "sim_oracle.h"
#include "sim_procs.h"
#include "turn_core.h"

#define MS(n) ((n) * ZVT_MS_NS)
#define LOOK_NS MS(20)              /* how often the end is looked for */
#define WORKLOAD_NS (30 * ZVT_SECOND_NS)
#define SETTLE_NS (90 * ZVT_SECOND_NS)
#define TRADE_NS (20 * ZVT_SECOND_NS)
/* From when everything is there again to the first order that is filled. What is silent is noticed after 500 to 600 ms and
 * reached again within a second, a lease is waited for up to 500 ms, and probes are sent every half second (a venue refuses one
 * that would meet an order of its own account): the sum of these.
 * When a halt arrives late it counts from its end, which waits for the operator. sim_main.c judges what is usual. */
#define AGAIN_NS MS(4000)
#define PROBE_AGAIN_NS MS(500)
#define EVERYBODY_NS MS(20000) /* from the healing to an order of every sender and at every venue, whatever was halted */
enum { STEPS_MAX = 100000, PROBES = 5 };

static jmp_buf s_failed;
static bool s_running;
static sim_result_t *s_result;

/* ---- failing ---- */
void sim_violation(const char *invariant, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!s_running) {
        fprintf(stderr, "zvt-sim: %s: ", invariant);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        exit(ZVT_EXIT_USAGE);
    }
    vsnprintf(s_result->detail, sizeof s_result->detail, format, args);
    va_end(args);
    snprintf(s_result->invariant, sizeof s_result->invariant, "%s", invariant);
    snprintf(s_result->subject, sizeof s_result->subject, "%s", subject == NULL ? "" : subject);
    s_result->failed = true;
    longjmp(s_failed, 1);
}

/* An assertion of a core is an invariant like any other. */
_Noreturn void zvt_assert_failed(const char *condition, const char *file, int line)
{
    sim_violation("the assertions of the cores hold", NULL, "%s (%s:%d)", condition, file, line);
}

/* ---- phases ---- */
static bool s_is_over(void)
{
    return sim_workload_left() == 0;
}

/* Lets things happen until the condition holds; false when the time is over. */
static bool s_until(bool (*holds)(void), int64_t limit_ns)
{
    int64_t end_ns = sim.now_ns + limit_ns;
    while (!holds()) {
        if (sim.now_ns >= end_ns) return false;
        int64_t look_ns = sim.now_ns + LOOK_NS;
        while (sim_step(look_ns))
            if (sim.steps > STEPS_MAX) sim_violation("the world comes to rest", NULL, "%" PRIu64 " steps and no end", sim.steps);
    }
    return true;
}

static void s_start_all(void)
{
    for (uint32_t i = 0; i < sim_procs_count(); i++)
        if (sim_proc_at(i)->supervised) sim_proc_start(sim_proc_at(i));
}

static char s_why[256], s_subject[64];

static bool s_is_settled(void)
{
    return sim_oracle_is_settled(s_why, s_subject);
}

static void s_settle(void)
{
    if (!s_until(s_is_settled, SETTLE_NS)) sim_violation("everything comes to rest once the faults are over", s_subject, "%s", s_why);
}

/* ---- trading again ---- */
static const char *const s_probes[PROBES] = {"probe-first", "probe-second", "probe-strategy-0", "probe-strategy-1", "probe-strategy-2"};

static bool s_first_probe_filled(void)
{
    for (unsigned i = 0; i < PROBES; i++)
        if (sim_oracle_completed(s_probes[i]) > 0) return true;
    return false;
}

static bool s_probes_filled(void)
{
    for (unsigned i = 0; i < PROBES; i++)
        if (sim_oracle_completed(s_probes[i]) == 0) return false;
    return true;
}

/* A probe may find the book empty for a moment, or an order of the same account, so it is sent again until one is filled. */
static void s_send_probes(void)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++)
        if (sim_oracle_completed(s_probes[i]) == 0) sim_client_probe(i, i);
    for (uint32_t i = 0; i < SIM_STRATEGIES; i++)
        if (sim_oracle_completed(s_probes[SIM_CLIENTS + i]) == 0) sim_strategy_probe(i);
}

/* Time without trading that is the fleet's own. */
static int64_t s_waited_ns(int64_t healed_ns)
{
    int64_t unhalted_ns = sim_oracle_unhalted_ns();
    return sim.now_ns - (unhalted_ns > healed_ns ? unhalted_ns : healed_ns);
}

static void s_trade_again(void)
{
    int64_t healed_ns = sim.now_ns;
    sim_client_ask_resume();
    if (!s_until(sim_client_resumed, TRADE_NS)) sim_violation("the fleet trades again", NULL, "%s", "it does not answer the operator");
    bool measured = false;
    while (!s_probes_filled()) {
        int64_t waited_ns = s_waited_ns(healed_ns);
        if (!measured && waited_ns > AGAIN_NS) sim_violation("the fleet trades again", NULL, "no order is filled %" PRId64 " ms after the healing", waited_ns / ZVT_MS_NS);
        if (sim.now_ns - healed_ns > EVERYBODY_NS) sim_violation("the fleet trades again", NULL, "%s", "an order after the healing is not filled");
        s_send_probes();
        sim_client_ask_resume(); /* a late halt may have come after the first */
        if (!measured) {
            if (!s_until(s_first_probe_filled, PROBE_AGAIN_NS)) continue;
            measured = true;
            s_result->recovered_ns = s_waited_ns(healed_ns);
        }
        (void)s_until(s_probes_filled, ZVT_SECOND_NS);
    }
}

/* ---- states against the fold of the log ---- */
static turn_core_t *s_fold_core;

static void s_no_commit(void *arg, const turn_batch_t *batch)
{
    (void)arg;
    (void)batch;
}
static void s_no_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)service;
    (void)type;
    (void)record;
}
static void s_no_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)client;
    (void)type;
    (void)record;
}
static void s_no_publish(void *arg, const char *topic, const void *data, size_t length)
{
    (void)arg;
    (void)topic;
    (void)data;
    (void)length;
}

static void s_compare(const char *name, zvt_dump_fn *dump, const void *live, const void *folded)
{
    zvt_digest_t a = zvt_digest_of(0, dump, live), b = zvt_digest_of(0, dump, folded);
    if (zvt_id_equal(&a.digest, &b.digest)) return;
    if (sim.tracing) {
        fprintf(stderr, "---- %s, live:\n", name);
        (void)dump(live, stderr);
        fprintf(stderr, "---- %s, folded from the log:\n", name);
        (void)dump(folded, stderr);
    }
    sim_violation("every state equals the fold of the log", NULL, "%s at seq %" PRIu64, name, sim_db_tip());
}

static uint32_t s_dump_turn(const void *state, FILE *out)
{
    return turn_core_dump(state, out);
}

static uint32_t s_dump_risk(const void *state, FILE *out)
{
    return risk_core_dump(state, out);
}

static uint32_t s_dump_portfolio(const void *state, FILE *out)
{
    return portfolio_core_dump(state, out);
}

static void s_compare_orchestrator(uint64_t barrier_seq)
{
    turn_io_t io = {.commit = s_no_commit, .ask = s_no_ask, .reply = s_no_reply, .publish = s_no_publish};
    turn_core_destroy(&s_fold_core);
    s_fold_core = turn_core_new(sim.fleet, "fold", &io, 1);
    for (uint64_t seq = 1; seq <= sim_db_tip(); seq++)
        if (turn_core_fold(s_fold_core, sim_db_event(seq)) != 0) sim_violation("the log can be folded", NULL, "seq %" PRIu64, seq);
    const zvt_digest_t *live = zvt_digests_find(turn_core_digests(sim_orchestrator_core()), barrier_seq);
    const zvt_digest_t *folded = zvt_digests_find(turn_core_digests(s_fold_core), barrier_seq);
    bool known = live != NULL && folded != NULL, same = known && zvt_id_equal(&live->digest, &folded->digest);
    if (!same) s_compare("orchestrator", s_dump_turn, sim_orchestrator_core(), s_fold_core);
    if (known && !same)
        sim_violation("every state equals the fold of the log", NULL, "orchestrator at the barrier, seq %" PRIu64, barrier_seq);
    s_compare("orchestrator", s_dump_turn, sim_orchestrator_core(), s_fold_core);
    turn_core_destroy(&s_fold_core);
}

static void s_compare_followers(void)
{
    risk_options_t options = {.quote_max_age_ns = 1, .incarnation = 1};
    risk_core_t *risk = risk_core_new(sim.fleet, &options);
    portfolio_core_t *portfolio = portfolio_core_new(sim.fleet, 1);
    for (uint64_t seq = 1; seq <= sim_db_tip(); seq++) {
        (void)!risk_core_on_event(risk, sim_db_event(seq));
        (void)!portfolio_core_on_event(portfolio, sim_db_event(seq));
    }
    s_compare("risk", s_dump_risk, sim_risk_core(), risk);
    s_compare("portfolio", s_dump_portfolio, sim_portfolio_core(), portfolio);
    uint32_t provisional = exposure_stats(risk_core_exposure(sim_risk_core())).provisional;
    if (provisional > 0) sim_violation("no reservation is left behind", NULL, "%" PRIu32 " provisional ones at rest", provisional);
    risk_core_destroy(&risk);
    portfolio_core_destroy(&portfolio);
}

static bool s_has_barrier(void)
{
    return sim_client_barrier_seq() != 0;
}

/* The log has all that the orchestrator has made. */
static bool s_is_at_rest(void)
{
    turn_status_t status;
    turn_core_status(sim_orchestrator_core(), &status);
    return status.appended_seq == status.committed_seq && status.committed_seq == sim_db_tip();
}

static void s_compare_states(void)
{
    sim_client_ask_barrier();
    if (!s_until(s_has_barrier, TRADE_NS)) sim_violation("the fleet trades again", NULL, "%s", "a barrier is not confirmed");
    s_settle();
    if (!s_until(s_is_at_rest, TRADE_NS)) sim_violation("the fleet trades again", NULL, "%s", "the log does not come to rest");
    s_compare_orchestrator(sim_client_barrier_seq());
    s_compare_followers();
}

/* ---- a seed ---- */
static void s_live(const sim_options_t *options)
{
    sim_faults_begin(options->faults);
    uint32_t commands = options->commands != 0 ? options->commands : (uint32_t)sim_between(20, 60);
    sim_workload_begin(commands);
    s_start_all();
    (void)s_until(s_is_over, WORKLOAD_NS);
    int64_t linger_ns = sim.now_ns + sim_between(0, 1500) * ZVT_MS_NS;
    while (sim_step(linger_ns)) {
    }
    SIM_TRACE("* the faults are over");
    int64_t whole_ns = sim_faults_heal();
    while (sim_step(whole_ns)) {
    }
    s_trade_again();
    s_settle();
    sim_venue_calm();
    s_compare_states();
    sim_oracle_check_end();
}

void sim_run(uint64_t seed, const sim_options_t *options, sim_result_t *result)
{
    memset(result, 0, sizeof *result);
    s_result = result;
    sim_world_reset(seed, options->tracing);
    sim_db_reset();
    sim_archive_reset();
    sim_orchestrator_reset();
    sim_executor_reset();
    sim_gateway_reset();
    sim_venue_reset();
    sim_client_reset();
    sim_oracle_reset();
    s_running = true;
    if (setjmp(s_failed) == 0) s_live(options);
    s_running = false;
    result->hash = sim.hash;
    result->steps = sim.steps;
    result->at_ns = sim.now_ns - SIM_BEGIN_NS;
    result->orders = sim_oracle_orders();
    result->fills = sim_oracle_fills();
}
