/* The canonical text of the turn core's durable state, and its digests at barriers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "turn_world.h"

enum { NONE = -1 };

static void s_dump_order(const order_t *order, FILE *out)
{
    char id[ZVT_ID_TEXT];
    zvt_id_format(&order->order_id, id);
    fprintf(out, "order %s %s version=%" PRIu32 " cum=%" PRId64 " notional=%" PRId64 " commission=%" PRId64 " attempt=%" PRIu32 " exchange=%s\n", id,
            zvt_order_state_text(order_shown_state(order)), order->version, order->cum_qty_e8, order->notional_e8,
            order->commission_e8, order->attempt, order->exchange);
}

static int s_compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(zvt_id_t));
}

/* Ids of all orders that are open, sorted: ended ones are forgotten at different times by different runs. */
static zvt_id_t *s_open_ids(const turn_core_t *self, size_t *count)
{
    zvt_id_t *ids = malloc(((size_t)order_core_open_count(self->orders) + 1) * sizeof *ids);
    ZVT_ASSERT(ids != NULL);
    *count = 0;
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = order_core_older(self->orders, at)) {
        const order_t *order = order_core_at(self->orders, at);
        bool durable = order->first_seq != 0;
        if (durable && !order_is_ended(order)) ids[(*count)++] = order->order_id;
    }
    qsort(ids, *count, sizeof *ids, s_compare_ids);
    return ids;
}

uint32_t turn_core_dump(const turn_core_t *self, FILE *out)
{
    size_t lines = 0;
    fprintf(out, "system version=%" PRIu32 " halted=%d\n", self->system_version, self->halted);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        fprintf(out, "venue %s contiguous=%" PRIu64 " high=%" PRIu64 " halted=%d\n", self->fleet->venues[i].name,
                self->venues[i].logged.window.contiguous, self->venues[i].logged.window.high, self->venues[i].account.halted);
        lines += account_dump(&self->venues[i].account, out);
    }
    fprintf(out, "positions %" PRIu32 "\n", self->positions_count);
    fprintf(out, "letters %" PRIu32 "\n", self->letters_count);
    size_t count;
    zvt_id_t *ids = s_open_ids(self, &count);
    for (size_t i = 0; i < count; i++) s_dump_order(order_core_by_id(self->orders, &ids[i]), out);
    free(ids);
    return (uint32_t)(lines + 3 + self->fleet->venues_count + count);
}

static uint32_t s_dump(const void *core, FILE *out)
{
    return turn_core_dump(core, out);
}

void turn_note_digest(turn_core_t *self, uint64_t seq)
{
    zvt_digest_t digest = zvt_digest_of(seq, s_dump, self);
    zvt_digests_add(&self->digests, &digest);
}

const zvt_digests_t *turn_core_digests(const turn_core_t *self)
{
    return &self->digests;
}
