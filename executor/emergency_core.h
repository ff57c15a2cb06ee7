/* emergency_core -- cancels and the kill switch at the executor, with or without log and orchestrator.
 *
 * A request is written to the journal first and acted upon then:
 *   cancel, cancel_all   what the venues say is open (the one order, or all) is canceled there.
 *   kill                 from here on no order is sent (the latch, which outlives a restart), and whatever is open
 *                        anywhere is canceled, looked for again and again as long as the latch is on.
 *   resume               takes the latch back.
 * The journal's entries are told to the orchestrator, again and again, until it says that the event log accounts for
 * them; only then are they forgotten.
 *
 * What is open is asked of the venue itself: open_orders.query, and behind it a question about an order that nobody has.
 * Its answer marks the end of the list, because a venue answers in the order it was asked.
 *
 * Pure: the caller passes the time; effects leave through the out functions.
 * Units    now.monotonic_ns for patience, now.utc_ns for what is told.
 * Bounds   EMERGENCY_ENTRIES_MAX entries that are not accounted for yet: one more cancel is refused with OVERLOADED; a
 *          kill never is, it takes the place of the oldest ("journal_entries_dropped"). EMERGENCY_JOBS_MAX clients wait
 *          for an outcome; one more is answered at once. The journal is at most EMERGENCY_JOURNAL_MAX bytes.
 * Owns     everything inside; borrows the fleet until destroy.
 * Errors   loading: ZVT_ERR_CORRUPT. A journal that cannot be written holds up nothing: what was asked for is done, the
 *          answer says NOT_JOURNALED ("journal_not_written"), and writing is tried again. */
#ifndef EXECUTOR_EMERGENCY_CORE_H
#define EXECUTOR_EMERGENCY_CORE_H

#include "pacer_core.h"
#include "zvt_codec.h"
#include "zvt_config.h"

enum {
    EMERGENCY_ENTRIES_MAX = ZVT_POOL(64, 8),
    EMERGENCY_JOBS_MAX = ZVT_POOL(16, 4),
    EMERGENCY_JOURNAL_MAX = ZVT_POOL(64 << 10, 8 << 10),
    EMERGENCY_CLIENT_SIZE = 48,
};

/* Where to answer a client: opaque bytes of the plumbing's. */
typedef struct {
    uint8_t bytes[EMERGENCY_CLIENT_SIZE];
} emergency_client_t;

typedef struct {
    /* Durable when they return 0: adds to the journal, or puts these bytes in its place. */
    int (*append)(void *arg, const void *data, size_t length);
    int (*replace)(void *arg, const void *data, size_t length);
    /* Sends no order from here on, for this reason; NULL: sends again. */
    void (*halt)(void *arg, const char *reason);
    /* Ends what waits here and begins with this id (in `length` bytes; 0: everything); returns how many. */
    uint32_t (*withdraw)(void *arg, const char *client_order_id, size_t length);
    bool (*is_reachable)(void *arg, uint32_t venue);
    void (*to_gateway)(void *arg, uint32_t venue, zvt_type_t type, const void *record);
    void (*cancel)(void *arg, uint32_t venue, const char *client_order_id);
    void (*reply)(void *arg, const emergency_client_t *client, const zvt_kill_reply_t *reply);
    void (*notice)(void *arg, const zvt_kill_notice_t *notice);
    void *arg;
} emergency_out_t;

typedef struct emergency_core emergency_core_t;

/* Aborts without memory (only called at start). `seed` makes the ids of entries. */
emergency_core_t *emergency_core_new(const zvt_fleet_t *fleet, const emergency_out_t *out, uint64_t seed);
void emergency_core_destroy(emergency_core_t **self);

/* Reads the journal, puts the latch in force if it is on, and writes the journal anew without what is over. A last
 * append that a crash cut off is passed over: nothing was done for it. */
ZVT_MUSTUSE int emergency_core_load(emergency_core_t *self, const uint8_t *journal, size_t length);

void emergency_core_on_request(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request,
                               pacer_now_t now);
/* The event log accounts for the entry. */
void emergency_core_on_noted(emergency_core_t *self, const zvt_kill_noted_t *noted);
/* Anything that a gateway sends. True: it was an answer to a question of ours, and of interest to nobody else. */
bool emergency_core_on_gateway_record(emergency_core_t *self, uint32_t venue, const zvt_record_t *record, pacer_now_t now);
/* An orchestrator is new, or has the log again: tells it every entry. */
void emergency_core_tell(emergency_core_t *self);
/* Looks for open orders, repeats what was not noted, answers clients that have waited long enough. */
void emergency_core_on_time(emergency_core_t *self, pacer_now_t now);

/* The kill switch is on: who pulled it, when and why is in *latch (may be NULL). */
bool emergency_core_is_latched(const emergency_core_t *self, zvt_kill_notice_t *latch);
/* Entries that the event log does not account for yet. */
uint32_t emergency_core_entries(const emergency_core_t *self);
bool emergency_core_is_idle(const emergency_core_t *self);

#endif
