/* zvt-orchestrator: sockets, the database and the clock around the turn core. It decides nothing about trading. */
#include <inttypes.h>

#include "orchestrator.h"
#include "refold.h"
#include "zvt_json.h"
#include "zvt_time.h"

#define TIP_PERIOD_NS (250 * ZVT_MS_NS)
#define LOOK_NS (20 * ZVT_MS_NS) /* how exactly `fleet status` knows when it traded again */

/* ---- rounds and timers ---- */
void orchestrator_begin(orchestrator_t *self)
{
    orchestrator_log_check(self);
    log_writer_feed(self->writer);
    turn_core_set_time(self->core, zvt_loop_utc_ns(self->loop), zvt_loop_monotonic_ns(self->loop));
}

static void s_on_round(void *arg)
{
    orchestrator_t *self = arg;
    orchestrator_begin(self);
    turn_core_end_turn(self->core);
    zvt_loop_arm(self->loop, self->wake_timer, turn_core_next_ns(self->core));
}

static void s_on_wake(void *arg)
{
    (void)arg; /* the end of the round does the work */
}

static void s_on_tip(void *arg)
{
    orchestrator_t *self = arg;
    orchestrator_begin(self);
    orchestrator_log_check_endpoints(self);
    if (self->state == LOG_OPEN)
        turn_core_publish_tip(self->core);
    else
        orchestrator_sockets_publish_life(self);
}

static void s_on_second(void *arg)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    orchestrator_log_on_second(self);
    turn_core_status(self->core, &status);
    self->orders_per_second = status.orders_ended - self->ended_before;
    self->ended_before = status.orders_ended;
}

/* ---- status ---- */
static const char *s_state_name(const orchestrator_t *self, const turn_status_t *status)
{
    if (self->state == LOG_WAITING && self->has_standby) return "standby";
    if (self->state != LOG_OPEN) return zvt_service_is_ready(self->service) ? "degraded" : "starting";
    if (status->halted) return "halted";
    bool all = status->venues_up > 0;
    for (unsigned i = 0; i < TURN_SERVICES; i++) all = all && status->services_up[i];
    return all ? "trading" : "degraded";
}

/* Ready means that the log is open; the work begins when every peer has answered too. Looks until it has begun once. */
static void s_on_look(void *arg)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    turn_core_status(self->core, &status);
    const char *state = s_state_name(self, &status);
    if (streq(state, "trading") || streq(state, "halted") || streq(state, "standby"))
        zvt_service_works(self->service);
    else
        zvt_loop_arm(self->loop, self->look_timer, zvt_loop_monotonic_ns(self->loop) + LOOK_NS);
}

/* A number of the core's, or null: a core that does not have the whole log knows no number. */
static void s_print_known(FILE *body, const char *name, bool known, uint64_t value)
{
    if (known)
        fprintf(body, ", \"%s\": %" PRIu64, name, value);
    else
        fprintf(body, ", \"%s\": null", name);
}

/* Accounts that get no orders, and why. */
static void s_print_accounts(const orchestrator_t *self, FILE *body)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    const char *separator = "";
    fputs(", \"accounts_closed\": [", body);
    for (uint32_t i = 0; i < fleet->venues_count; i++) {
        const char *reason;
        uint8_t code = turn_core_account(self->core, i, &reason);
        if (code == ZVT_CODE_OK) continue;
        fprintf(body, "%s{\"name\": \"%s\", \"code\": \"%s\", \"reason\": ", separator, fleet->venues[i].name, zvt_code_text(code));
        zvt_json_string(body, reason);
        fputc('}', body);
        separator = ", ";
    }
    fputc(']', body);
}

static void s_on_stats(void *arg, FILE *body)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    orchestrator_begin(self); /* one that was stopped must not tell what it was */
    turn_core_status(self->core, &status);
    /* A standby has folded what it knows; it knows no accounts, which are compared by the one that works. */
    bool open = self->state == LOG_OPEN, known = open || (self->state == LOG_WAITING && self->has_standby);
    s_print_known(body, "seq", known, status.committed_seq);
    s_print_known(body, "epoch", known, status.epoch);
    s_print_known(body, "open_sagas", known, status.open_sagas);
    s_print_known(body, "open_orders", known, status.open_orders);
    s_print_known(body, "unknown_orders", known, status.unknown_orders);
    s_print_known(body, "dead_letters", known, status.dead_letters);
    s_print_known(body, "orders_per_second", open, self->orders_per_second);
    fprintf(body, ", \"halted\": %s, \"venues_up\": %" PRIu32 ", \"state\": \"%s\"", status.halted ? "true" : "false", status.venues_up,
            s_state_name(self, &status));
    if (open) s_print_accounts(self, body);
    if (self->state != LOG_AWAY) return;
    fputs(", \"log_away\": ", body);
    zvt_json_string(body, turn_core_log_away(self->core));
}

static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    orchestrator_t *self = arg;
    if (!streq(command, "digest")) {
        fprintf(body, "unknown command '%s'; there are stats, ping, log-level, digest", command);
        return false;
    }
    return zvt_digests_answer(turn_core_digests(self->core), argument, body);
}

/* ---- life ---- */
static void s_init(orchestrator_t *self, bool second)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    const turn_io_t io = {.arg = self, .commit = orchestrator_log_commit, .gather = orchestrator_log_gather, .ask = orchestrator_sockets_ask,
                          .reply = orchestrator_sockets_reply, .publish = orchestrator_sockets_publish,
                          .resumed = orchestrator_log_on_resumed};
    self->loop = zvt_service_loop(self->service);
    self->identity = *zvt_service_identity(self->service);
    self->lost_ns = zvt_monotonic_ns();
    self->has_standby = fleet->standby;
    self->second = second;
    self->core = turn_core_new(fleet, zvt_service_name(self->service), &io, self->identity.incarnation);
}

static int s_run(orchestrator_t *self, const char *dsn)
{
    /* First, so that what a round produces leaves at its end. */
    zvt_loop_on_round(self->loop, s_on_round, self);
    self->wake_timer = zvt_loop_timer(self->loop, s_on_wake, self);
    /* Alone, it can tell clients that the log is away. Of two, only the one that has the lease speaks. */
    if (!self->has_standby) orchestrator_sockets_open(self, false);
    orchestrator_log_init(self, dsn);
    zvt_loop_every(self->loop, TIP_PERIOD_NS, s_on_tip, self);
    zvt_loop_every(self->loop, ZVT_SECOND_NS, s_on_second, self);
    self->look_timer = zvt_loop_timer(self->loop, s_on_look, self);
    zvt_loop_arm(self->loop, self->look_timer, zvt_loop_monotonic_ns(self->loop));
    zvt_service_on_stats(self->service, s_on_stats, self);
    zvt_service_on_control(self->service, s_on_control, self);
    int exit_code = zvt_service_run(self->service);
    orchestrator_sockets_close(self);
    orchestrator_log_destroy(self);
    return exit_code;
}

int main(int argc, char **argv)
{
    const char *dsn = getenv("DATABASE_URL"), *fold = NULL, *dump = NULL, *save = NULL, *second = NULL;
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn},
        {.name = "standby", .meaning = "let the other orchestrator of the fleet go first", .value = &second},
        {.name = "fold", .argument = "SEQ", .meaning = "fold the log up to SEQ, print the digest, exit", .value = &fold},
        {.name = "dump", .meaning = "with --fold: print the state instead of its digest", .value = &dump},
        {.name = "save", .argument = "FOLDER", .meaning = "with --fold: leave the state there, as a base for 'fleet archive'", .value = &save},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-orchestrator", .summary = "Saga engine; the only writer of the event log.",
                                     .role = ZVT_ROLE_ORCHESTRATOR, .name = "orchestrator", .options = options};
    orchestrator_t self = {.service = zvt_service_new(argc, argv, &desc)};
    if (dsn == NULL) {
        zvt_error("no database; set DATABASE_URL or --database");
        return ZVT_EXIT_CONFIG;
    }
    if (second != NULL && !zvt_service_fleet(self.service)->standby) {
        zvt_error("--standby needs 'standby = yes' in the section orchestrator of the fleet file");
        return ZVT_EXIT_CONFIG;
    }
    s_init(&self, second != NULL);
    int exit_code;
    if (fold != NULL) {
        const refold_t refold = {.core = self.core, .dsn = dsn, .name = zvt_service_name(self.service), .to_seq = fold, .print_text = dump != NULL,
                                 .save_folder = save};
        exit_code = refold_run(&refold);
    } else {
        exit_code = s_run(&self, dsn);
    }
    turn_core_destroy(&self.core);
    zvt_service_destroy(&self.service);
    return exit_code;
}
