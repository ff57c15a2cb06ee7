/* admission_core -- how many orders a strategy, and the process that sends them, may ask for before it is refused unseen.
 *
 * A bucket per strategy fills with `rate` tokens a second, up to `rate` of them, and an order takes one. What finds its
 * bucket empty costs a look into a table and an answer: no saga, no question to risk, no event. Risk's own limit lies
 * below and is the one that is judged and recorded; this one keeps a runaway strategy off everybody's path.
 *
 * A strategy is a name that the sender chooses, so the sender is limited too. All its strategies together get `rate` times
 * the strategies it is known for, and never less than ADMISSION_SENDER_FACTOR times; a strategy counts once it has come
 * again a second after its first order, which a name that changes with every order never does. And names are rationed: a
 * new one takes a token of its sender's and one that all share, and pays with them for its first order.
 *
 * Pure     the caller passes monotonic now_ns.
 * Bounds   ADMISSION_STRATEGIES_MAX strategies, ADMISSION_OF_SENDER_MAX of one sender, ADMISSION_SENDERS_MAX senders. The
 *          least recently used leaves for a new one, of a sender that has its full number one of its own: so a sender
 *          that keeps inventing names displaces nobody else.
 * Owns     everything; ephemeral: a new run begins with full buckets and knows nobody.
 * Source   the generic cell rate algorithm (ITU-T I.371), which keeps one time instead of a count. */
#ifndef ADMISSION_CORE_H
#define ADMISSION_CORE_H

#include "zvt_pools.h"
#include "zvt_schema.h"
#include "zvt_time.h"

enum {
    ADMISSION_STRATEGIES_MAX = ZVT_POOL(16384, 128),
    ADMISSION_SENDERS_MAX = ZVT_POOL(1024, 32),
    ADMISSION_OF_SENDER_MAX = ZVT_POOL(1024, 16), /* strategies a sender may bring at once, and be known for */
    ADMISSION_NEW_MAX = ZVT_POOL(4096, 64),       /* new senders and strategies of all at once */
    ADMISSION_SENDER_FACTOR = 16,                 /* strategies that every sender is trusted with from the start */
};
#define ADMISSION_OF_SENDER_NS (4 * ZVT_SECOND_NS) /* until a sender that has used up its names may bring another */
#define ADMISSION_NEW_NS (ZVT_SECOND_NS / 16)      /* the same for all together */

typedef enum {
    ADMISSION_TAKEN,
    ADMISSION_STRATEGY_RATE, /* the strategy's own bucket is empty */
    ADMISSION_SENDER_RATE,   /* that of all its sender's strategies is */
    ADMISSION_SENDER_NAMES,  /* the sender has brought too many new strategies */
    ADMISSION_NEW_NAMES,     /* all together have */
    ADMISSION_VERDICTS,
} admission_verdict_t;

typedef struct admission_core admission_core_t;

/* Aborts when there is no memory (only called at start). `rate_hz` is above 0. */
admission_core_t *admission_core_new(int64_t rate_hz);
void admission_core_destroy(admission_core_t **self);

/* Takes a token of the strategy's and one of the sender's; when one of them has none, no order was counted. */
admission_verdict_t admission_core_take(admission_core_t *self, const char *sender, const char *strategy_id, int64_t now_ns);
/* What a refusal means, for whoever is refused. */
void admission_core_explain(const admission_core_t *self, admission_verdict_t verdict, char message[ZVT_MESSAGE_SIZE]);

#endif
