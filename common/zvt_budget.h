/* zvt_budget -- bounds the lists that a process makes for clients within its turns, so that orders do not wait for them.
 *
 * A list costs what it looks at and what it says. Clients together may be a second ahead; then they are refused until time has
 * passed. Of lists of 10,000 rows that makes four a second.
 * Pure: the caller passes the time, on the monotonic clock.
 * Owns     nothing; a plain value, zero to begin with.
 * Source   the generic cell rate algorithm (ITU-T I.371). */
#ifndef ZVT_BUDGET_H
#define ZVT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "zvt_time.h"

enum {
    ZVT_BUDGET_LOOK_NS = 2500,     /* of the clients' time for one item that is looked at, which takes some 70 ns of ours */
    ZVT_BUDGET_LOOKS_PER_ROW = 10, /* an item that is said */
};
#define ZVT_BUDGET_SPENT_TEXT "clients have asked for too many long lists; ask again in a second, or for fewer"

typedef struct {
    int64_t due_ns; /* until when the clients' time is spent */
} zvt_budget_t;

static inline bool zvt_budget_is_spent(const zvt_budget_t *self, int64_t now_ns)
{
    return self->due_ns - now_ns > ZVT_SECOND_NS;
}

static inline void zvt_budget_spend(zvt_budget_t *self, int64_t now_ns, uint32_t looked, uint32_t rows)
{
    if (self->due_ns < now_ns) self->due_ns = now_ns;
    self->due_ns += ((int64_t)looked + ZVT_BUDGET_LOOKS_PER_ROW * (int64_t)rows) * ZVT_BUDGET_LOOK_NS;
}

#endif
