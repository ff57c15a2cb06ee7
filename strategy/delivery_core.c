#include "delivery_core.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_time.h"

#define BACKOFF_MIN_NS (100 * ZVT_MS_NS)
#define BACKOFF_MAX_NS (1000 * ZVT_MS_NS)
enum { APART_NS = 1000000 }; /* new runs of two processes that use one name by mistake shall not meet */

struct delivery_core {
    char sender[ZVT_NAME_SIZE];
    uint64_t incarnation;
    delivery_output_t output;
    uint64_t before_run;  /* numbers of the runs before this one: up to here */
    uint64_t oldest;      /* no unanswered number is below; next_number when nothing is on its way */
    uint64_t next_number; /* of the next command */
    uint32_t pending;    /* unanswered */
    zvt_rng_t pauses;    /* draws the jitter of resends */
    int64_t next_ns;     /* no item is due before; 0: nothing is on its way */
    delivery_item_t items[DELIVERY_WINDOW]; /* number n lives in n % DELIVERY_WINDOW */
};

/* What each answer means; every other code refuses. */
static const delivery_outcome_t s_outcomes[UINT8_MAX + 1] = {
    [ZVT_CODE_OK] = DELIVERY_ACCEPTED,
    [ZVT_CODE_DUPLICATE] = DELIVERY_ACCEPTED,
    [ZVT_CODE_OVERLOADED] = DELIVERY_AGAIN,
    [ZVT_CODE_LOG_UNAVAILABLE] = DELIVERY_AGAIN,
    [ZVT_CODE_NOT_READY] = DELIVERY_AGAIN,
};

delivery_core_t *delivery_core_new(const char *sender, uint64_t incarnation, const delivery_output_t *output)
{
    delivery_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    ZVT_STR_SET(self->sender, sender);
    self->incarnation = incarnation;
    zvt_id_t id = zvt_id_from_text(self->sender, strlen(self->sender));
    uint64_t seed;
    memcpy(&seed, id.bytes, sizeof seed);
    zvt_rng_seed(&self->pauses, seed ^ incarnation);
    self->output = *output;
    self->oldest = self->next_number = 1;
    return self;
}

void delivery_core_destroy(delivery_core_t **self)
{
    free(*self);
    *self = NULL;
}

static delivery_item_t *s_item(delivery_core_t *self, uint64_t number)
{
    return &self->items[number % DELIVERY_WINDOW];
}

/* Names the command: the present run, and the item's place in it. */
static void s_name(const delivery_core_t *self, delivery_item_t *item)
{
    uint64_t *incarnation = item->type == ZVT_T_SIGNAL ? &item->signal.incarnation : &item->cancel.incarnation;
    uint64_t *sender_seq = item->type == ZVT_T_SIGNAL ? &item->signal.sender_seq : &item->cancel.sender_seq;
    *incarnation = self->incarnation;
    *sender_seq = item->number - self->before_run;
}

static bool s_is_named(const delivery_item_t *item, uint64_t incarnation, uint64_t sender_seq)
{
    if (item->type == ZVT_T_SIGNAL) return item->signal.incarnation == incarnation && item->signal.sender_seq == sender_seq;
    return item->type != 0 && item->cancel.incarnation == incarnation && item->cancel.sender_seq == sender_seq;
}

static void s_send(delivery_core_t *self, delivery_item_t *item, int64_t now_ns, bool resent)
{
    item->next_send_ns = now_ns + zvt_rng_pause_ns(&self->pauses, item->backoff_ns);
    item->backoff_ns = item->backoff_ns * 2 < BACKOFF_MAX_NS ? item->backoff_ns * 2 : BACKOFF_MAX_NS;
    const void *record = item->type == ZVT_T_SIGNAL ? (const void *)&item->signal : &item->cancel;
    self->output.send(self->output.arg, item->type, record, resent);
}

static int64_t s_due_ns(const delivery_item_t *item)
{
    return item->expires_ns < item->next_send_ns ? item->expires_ns : item->next_send_ns;
}

/* Opens the next number's slot; NULL when the window is full. */
static delivery_item_t *s_open(delivery_core_t *self, zvt_type_t type, uint32_t owner, int64_t expires_ns)
{
    if (self->next_number - self->oldest == DELIVERY_WINDOW) return NULL;
    delivery_item_t *item = s_item(self, self->next_number);
    ZVT_ASSERT(item->type == 0);
    item->type = type;
    item->owner = owner;
    item->number = self->next_number++;
    item->expires_ns = expires_ns;
    item->backoff_ns = BACKOFF_MIN_NS;
    self->pending++;
    return item;
}

static void s_begin(delivery_core_t *self, delivery_item_t *item, int64_t now_ns, bool resent)
{
    s_send(self, item, now_ns, resent);
    int64_t due_ns = s_due_ns(item);
    if (self->next_ns == 0 || due_ns < self->next_ns) self->next_ns = due_ns;
}

int delivery_core_signal(delivery_core_t *self, uint32_t owner, const zvt_signal_t *signal, int64_t lifetime_ns, int64_t now_ns)
{
    delivery_item_t *item = s_open(self, ZVT_T_SIGNAL, owner, now_ns + lifetime_ns);
    if (item == NULL) return ZVT_ERR_FULL;
    item->signal = *signal;
    ZVT_STR_SET(item->signal.sender, self->sender);
    s_name(self, item);
    s_begin(self, item, now_ns, false);
    return 0;
}

int delivery_core_cancel(delivery_core_t *self, uint32_t owner, const zvt_signal_cancel_t *cancel, int64_t lifetime_ns,
                         int64_t now_ns)
{
    delivery_item_t *item = s_open(self, ZVT_T_SIGNAL_CANCEL, owner, now_ns + lifetime_ns);
    if (item == NULL) return ZVT_ERR_FULL;
    item->cancel = *cancel;
    ZVT_STR_SET(item->cancel.sender, self->sender);
    s_name(self, item);
    s_begin(self, item, now_ns, false);
    return 0;
}

static void s_close(delivery_core_t *self, delivery_item_t *item)
{
    item->type = 0;
    self->pending--;
    while (self->oldest < self->next_number && s_item(self, self->oldest)->type == 0) self->oldest++;
    if (self->pending == 0) self->next_ns = 0;
}

/* ---- a run that is over ---- */
/* The command that goes by this name, or NULL. Those of runs before have no place to look at; they are few, and soon gone. */
static delivery_item_t *s_find(delivery_core_t *self, uint64_t incarnation, uint64_t sender_seq)
{
    delivery_item_t *item = s_item(self, self->before_run + sender_seq);
    if (s_is_named(item, incarnation, sender_seq)) return item;
    for (uint64_t number = self->oldest; number <= self->before_run && number < self->next_number; number++)
        if (s_is_named(s_item(self, number), incarnation, sender_seq)) return s_item(self, number);
    return NULL;
}

static void s_begin_run(delivery_core_t *self, uint64_t known)
{
    uint64_t before = self->incarnation;
    self->incarnation = known + 1 + before % APART_NS;
    self->before_run = self->next_number - 1;
    if (self->output.new_run != NULL) self->output.new_run(self->output.arg, before, known);
}

/* Sends the command again under a name of the present run. False: the window has no room for its new number now, and it
 * keeps the old name until it is refused again. */
static bool s_rename(delivery_core_t *self, delivery_item_t *item, int64_t now_ns)
{
    delivery_item_t kept = *item;
    bool oldest = item->number == self->oldest;
    if (!oldest && self->next_number - self->oldest == DELIVERY_WINDOW) return false;
    s_close(self, item);
    item = s_open(self, kept.type, kept.owner, kept.expires_ns);
    ZVT_ASSERT(item != NULL);
    if (kept.type == ZVT_T_SIGNAL)
        item->signal = kept.signal;
    else
        item->cancel = kept.cancel;
    s_name(self, item);
    s_begin(self, item, now_ns, true);
    return true;
}

static delivery_outcome_t s_on_run_over(delivery_core_t *self, const zvt_signal_ack_t *ack, delivery_item_t *item, int64_t now_ns)
{
    if (ack->known_run >= self->incarnation) s_begin_run(self, ack->known_run);
    if (ack->untaken || item->type == ZVT_T_SIGNAL_CANCEL) return s_rename(self, item, now_ns) ? DELIVERY_RENAMED : DELIVERY_AGAIN;
    s_close(self, item);
    return DELIVERY_REFUSED;
}

delivery_outcome_t delivery_core_on_ack(delivery_core_t *self, const zvt_signal_ack_t *ack, delivery_item_t *item, int64_t now_ns)
{
    delivery_item_t *mine = s_find(self, ack->incarnation, ack->sender_seq);
    if (mine == NULL || ack->code == 0) return DELIVERY_IGNORED;
    *item = *mine;
    if (ack->code == ZVT_CODE_STALE && ack->known_run > ack->incarnation) return s_on_run_over(self, ack, mine, now_ns);
    delivery_outcome_t outcome = s_outcomes[ack->code];
    if (outcome == DELIVERY_AGAIN) return outcome;
    s_close(self, mine);
    return outcome == DELIVERY_IGNORED ? DELIVERY_REFUSED : outcome;
}

void delivery_core_on_time(delivery_core_t *self, int64_t now_ns)
{
    int64_t next_ns = 0;
    uint64_t end_seq = self->next_number; /* what callbacks submit meanwhile is not due yet */
    for (uint64_t seq = self->oldest; seq < end_seq; seq++) {
        delivery_item_t *item = s_item(self, seq);
        if (item->type == 0 || item->number != seq) continue;
        if (item->expires_ns <= now_ns) {
            delivery_item_t gone = *item;
            s_close(self, item);
            self->output.expired(self->output.arg, &gone);
            continue;
        }
        if (item->next_send_ns <= now_ns) s_send(self, item, now_ns, true);
        int64_t due_ns = s_due_ns(item);
        if (next_ns == 0 || due_ns < next_ns) next_ns = due_ns;
    }
    for (uint64_t seq = end_seq; seq < self->next_number; seq++) {
        int64_t due_ns = s_due_ns(s_item(self, seq));
        if (next_ns == 0 || due_ns < next_ns) next_ns = due_ns;
    }
    self->next_ns = next_ns;
}

void delivery_core_on_peer(delivery_core_t *self, int64_t now_ns)
{
    for (uint64_t seq = self->oldest; seq < self->next_number; seq++) {
        delivery_item_t *item = s_item(self, seq);
        item->next_send_ns = now_ns;
        item->backoff_ns = BACKOFF_MIN_NS;
    }
    delivery_core_on_time(self, now_ns);
}

int64_t delivery_core_next_ns(const delivery_core_t *self)
{
    return self->next_ns;
}

uint32_t delivery_core_pending(const delivery_core_t *self)
{
    return self->pending;
}
