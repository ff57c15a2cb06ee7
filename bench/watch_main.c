/* zvt-watch: follows the log and measures what a subscriber sees, until it is told to stop.
 *
 * Three figures: from the commit to the subscriber, of every event; and from the quote that made a strategy send to the order's
 * order.requested and to its commit, for strategies that let their orders expire --lifetime seconds after the quote.
 * Control  "measure" begins all figures anew, so that a warm-up is not in them.
 * stdout   the report, one JSON object, at the end.
 * stderr   "watching" once it has begun. */
#include <inttypes.h>
#include <string.h>

#include "zvt_follower.h"
#include "zvt_service.h"
#include "zvt_time.h"

typedef struct {
    zvt_follower_t *follower;
    zvt_histogram_t *commits, *quotes, *durable_quotes;
    int64_t lifetime_ns;   /* 0: the strategies say nothing about their quotes */
    int64_t committed_ns;  /* of the event measured last */
    bool watching;
    uint64_t events, batches, requested, completed, ended;
} watch_t;

static void s_on_requested(watch_t *self, const zvt_event_t *event, int64_t committed_ns)
{
    static zvt_record_t record;
    self->requested++;
    if (self->lifetime_ns == 0 || zvt_read_payload(event, &record) != 0) return;
    int64_t quote_ns = record.order_requested.order_request.expires_at_ns - self->lifetime_ns;
    zvt_histogram_add(self->quotes, event->timestamp_ns - quote_ns);
    if (committed_ns != 0) zvt_histogram_add(self->durable_quotes, committed_ns - quote_ns);
}

static const bool s_ends[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_COMPLETED] = true, [ZVT_T_ORDER_REJECTED] = true, [ZVT_T_ORDER_CANCELED] = true,
    [ZVT_T_ORDER_EXPIRED] = true,   [ZVT_T_ORDER_FAILED] = true,
};

static void s_on_event(void *arg, const zvt_event_t *event)
{
    watch_t *self = arg;
    int64_t committed_ns = zvt_follower_committed_ns(self->follower);
    if (committed_ns != 0) zvt_histogram_add(self->commits, zvt_utc_ns() - committed_ns);
    self->batches += committed_ns != 0 && committed_ns != self->committed_ns;
    self->committed_ns = committed_ns;
    self->events++;
    if (event->type == ZVT_T_ORDER_REQUESTED) s_on_requested(self, event, committed_ns);
    self->completed += event->type == ZVT_T_ORDER_COMPLETED;
    self->ended += s_ends[event->type];
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    watch_t *self = arg;
    (void)applied_seq;
    if (self->watching || !caught_up) return;
    self->watching = true;
    fputs("watching\n", stderr);
}

/* "measure": what was measured so far was the warm-up. The counts go on. */
static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    watch_t *self = arg;
    (void)argument;
    if (strcmp(command, "measure") != 0) {
        fprintf(body, "unknown command '%s'; there are stats, ping, log-level, measure", command);
        return false;
    }
    zvt_histogram_reset(self->commits);
    zvt_histogram_reset(self->quotes);
    zvt_histogram_reset(self->durable_quotes);
    fputs("{}", body);
    return true;
}

static void s_print(const char *name, const zvt_histogram_t *histogram, const char *comma)
{
    printf("\"%s\": {\"count\": %" PRIu64 ", \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f}%s", name,
           zvt_histogram_count(histogram), (double)zvt_histogram_percentile(histogram, 50) / 1e6,
           (double)zvt_histogram_percentile(histogram, 99) / 1e6, (double)zvt_histogram_percentile(histogram, 99.9) / 1e6,
           (double)zvt_histogram_percentile(histogram, 100) / 1e6, comma);
}

int main(int argc, char **argv)
{
    const char *lifetime = "0";
    const zvt_option_t options[] = {
        {.name = "lifetime", .argument = "S", .meaning = "orders expire so long after their quote", .value = &lifetime}, {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-watch", .summary = "Measures what a subscriber of the log sees.",
                                     .role = ZVT_ROLE_CLIENT, .name = "watch", .options = options};
    zvt_service_t *service = zvt_service_new(argc, argv, &desc);
    watch_t self = {.commits = zvt_histogram("commit_to_subscriber"), .quotes = zvt_histogram("quote_to_requested"),
                    .durable_quotes = zvt_histogram("quote_to_durable"), .lifetime_ns = (int64_t)(atof(lifetime) * 1e9)};
    self.follower = zvt_follower_new(zvt_service_loop(service), (uint32_t)zvt_service_fleet(service)->shard, ZVT_FOLLOW_LIVE,
                                     zvt_service_identity(service), s_on_event, s_on_batch, &self);
    zvt_service_on_control(service, s_on_control, &self);
    int exit_code = zvt_service_run(service);
    printf("{\"events\": %" PRIu64 ", \"batches\": %" PRIu64 ", \"requested\": %" PRIu64 ", \"completed\": %" PRIu64
           ", \"ended\": %" PRIu64 ", \"gaps\": %" PRIu64 ", \"latency_ms\": {",
           self.events, self.batches, self.requested, self.completed, self.ended, *zvt_counter("follower_gaps"));
    s_print("commit_to_subscriber", self.commits, ", ");
    s_print("quote_to_requested", self.quotes, ", ");
    s_print("quote_to_durable", self.durable_quotes, "}}\n");
    zvt_follower_destroy(&self.follower);
    zvt_service_destroy(&service);
    return exit_code;
}
