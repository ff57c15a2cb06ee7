/* lease_core -- decides when a process may take the lease of a shard, and when it has to go.
 *
 * The lease row names its holder's database backend and carries a heartbeat. A process that wants the lease looks at the row
 * again and again. What it may conclude:
 *
 *   nobody has ever held it, or its own epoch is still there      take it
 *   the holder's backend is gone: the process has died            take it; a standby that has not seen it alive on this
 *                                                                 connection waits takeover_ns first, because after a restart
 *                                                                 of the database all backends are gone, and the holder comes back
 *   the backend is there, and the heartbeat goes on               wait if the fleet has a standby, else leave: two orchestrators
 *                                                                 never take the lease from each other in turn
 *   the backend is there, and the heartbeat stands still          take it after takeover_ns, and end the backend: its process is
 *                                                                 stopped, and would keep its locks
 *   another has taken the lease that was ours, dead or alive      leave: it has taken our endpoints as well, and the next run,
 *                                                                 which finds the rows above, binds them anew
 *
 * Pure. Time is counted in looks that were answered, so that a stopped database makes nobody look dead.
 * Units    *_ns: nanoseconds.
 * Owns     everything inside. */
#ifndef LEASE_CORE_H
#define LEASE_CORE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t takeover_ns;  /* a heartbeat that stood still for so long belongs to a stopped process */
    bool waits;           /* the fleet has a standby: whoever does not hold the lease waits for it */
    bool second;          /* this process is the standby that the fleet file asks for: the other one goes first */
} lease_rules_t;

/* The lease row as one look shows it. */
typedef struct {
    bool exists;
    uint64_t epoch;
    bool backend_lives;
    int64_t heartbeat_us; /* the database's clock; only ever compared for a change */
} lease_look_t;

typedef enum {
    LEASE_WAIT,
    LEASE_TAKE,  /* of the epoch that was looked at */
    LEASE_LEAVE  /* another process holds it, or has replaced this one */
} lease_verdict_t;

typedef struct {
    lease_rules_t rules;
    uint64_t own_epoch;   /* that this process had last; 0: none */
    lease_look_t last;
    bool looked;          /* `last` is of this connection */
    bool seen_alive;      /* the backend of `last` was connected at some look of this connection */
    uint32_t still;       /* looks in a row that showed the same epoch and heartbeat */
    bool waited;          /* another was seen at work: it goes first when all of us come back */
} lease_core_t;

/* The rules of a fleet: `takeover_ms` as its file says, for one with a standby. Alone, patience costs little, and giving up a
 * commit that only lasts long costs a recovery. */
lease_rules_t lease_core_rules(bool has_standby, bool second, int64_t takeover_ms);

void lease_core_init(lease_core_t *self, const lease_rules_t *rules);
/* A new connection: what was seen before proves nothing any more. `own_epoch` as above. */
void lease_core_begin(lease_core_t *self, uint64_t own_epoch);
lease_verdict_t lease_core_on_look(lease_core_t *self, const lease_look_t *look);

/* From the answer to a look to the next look. */
int64_t lease_core_look_ns(const lease_core_t *self);
/* Between two heartbeats of a holder: several within takeover_ns, and often enough to notice within a second that another
 * has the lease. */
int64_t lease_core_heartbeat_ns(const lease_rules_t *rules);

#endif
