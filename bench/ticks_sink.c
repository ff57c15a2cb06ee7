/* zvt-tick-sink: subscribes to a venue's trades as a strategy does, and notes what is missing and how late each one is.
 *
 * stdout   one JSON object, once the source has said that it is over.
 * stderr   "connected" with the first trade. */
#include <inttypes.h>

#include "ticks.h"
#include "zvt_service.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"

typedef struct {
    zvt_service_t *service;
    zvt_histogram_t *latencies;
    uint64_t received, missed, next_id;
    bool connected;
} sink_t;

static void s_on_record(void *arg, const char *topic, const zvt_record_t *record)
{
    sink_t *self = arg;
    (void)topic;
    if (record->type != ZVT_T_TRADE_TICK) return;
    const zvt_trade_tick_t *trade = &record->trade_tick;
    if (!self->connected) fputs("connected\n", stderr);
    self->connected = true;
    if (trade->trade_id == 0) {
        if (trade->quantity_e8 == TICKS_QUANTITY_END_E8) zvt_service_exit(self->service, ZVT_EXIT_OK);
        return;
    }
    self->received++;
    if (trade->trade_id > self->next_id) self->missed += trade->trade_id - self->next_id;
    if (trade->trade_id >= self->next_id) self->next_id = trade->trade_id + 1;
    zvt_histogram_add(self->latencies, zvt_utc_ns() - trade->market_ts_ns);
}

int main(int argc, char **argv)
{
    const char *venue = NULL;
    const zvt_option_t options[] = {{.name = "venue", .argument = "V", .meaning = "whose trades (required)", .value = &venue},
                                    {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-tick-sink", .summary = "Measures the trades of a venue as a strategy gets them.",
                                     .role = ZVT_ROLE_STRATEGY, .name = "tick-sink", .options = options};
    sink_t self = {.service = zvt_service_new(argc, argv, &desc), .latencies = zvt_histogram("tick"), .next_id = 1};
    char endpoint[ZVT_ENDPOINT_SIZE], topic[64];
    if (venue == NULL) {
        zvt_error("--venue is required");
        return ZVT_EXIT_CONFIG;
    }
    zvt_endpoint(endpoint, "market", venue);
    snprintf(topic, sizeof topic, "trade.%s.", venue);
    zvt_subscriber_t *subscriber = zvt_subscriber_new(zvt_service_loop(self.service), endpoint, s_on_record, &self);
    zvt_subscriber_add(subscriber, topic);
    int exit_code = zvt_service_run(self.service);
    printf("{\"received\": %" PRIu64 ", \"missed\": %" PRIu64 ", \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f}\n",
           self.received, self.missed, (double)zvt_histogram_percentile(self.latencies, 50) / 1e6,
           (double)zvt_histogram_percentile(self.latencies, 99) / 1e6, (double)zvt_histogram_percentile(self.latencies, 99.9) / 1e6,
           (double)zvt_histogram_percentile(self.latencies, 100) / 1e6);
    zvt_subscriber_destroy(&subscriber);
    zvt_service_destroy(&self.service);
    return exit_code;
}
