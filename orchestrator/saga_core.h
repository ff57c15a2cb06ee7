/* saga_core -- runs sagas: tables of steps with timeouts, retries, backoff and compensation. Knows no trading.
 *
 * A step begins by asking a service (its answer comes later through saga_core_done or saga_core_failed) or by doing
 * its work at once. A step that is not answered in time, or fails in a way that may be repeated, is begun again after
 * a backoff that doubles and jitters, as often as its table row allows; then the saga fails. A failing saga, also one
 * that fails because it was canceled, runs the compensation of every step it had completed, last first, and ends.
 * A saga's state is not stored: its type's `resume` finds the step from what the log says about the subject.
 *
 * Pure: time comes in, monotonic nanoseconds. Randomness (jitter) comes from a seeded generator.
 * Bounds   SAGAS_MAX running sagas; one more is ZVT_ERR_FULL.
 * Source   Garcia-Molina and Salem, "Sagas" (1987). */
#ifndef SAGA_CORE_H
#define SAGA_CORE_H

#include "zvt_id.h"
#include "zvt_pools.h"
#include "zvt_schema.h"

enum { SAGAS_MAX = ZVT_POOL(65536, 2048), SAGA_NONE = -1 };

typedef struct saga_core saga_core_t;

/* What a step says when it begins. */
typedef enum {
    SAGA_DONE,  /* finished; go on with the next step */
    SAGA_WAIT,  /* asked; the answer or the timeout continues it */
    SAGA_ENDED, /* the step itself ended the saga (through saga_core_fail or saga_core_complete) */
} saga_outcome_t;

/* One step. `subject` is the caller's handle (an order), `arg` the caller's world. */
typedef struct {
    const char *name;      /* as the log and people know it */
    int service;           /* who answers; a caller's number, -1 when it works by itself */
    int64_t timeout_ns;    /* for one attempt; 0: waits as long as it takes */
    uint32_t attempts;     /* how often it may be begun; at least 1 */
    int64_t backoff_ns;    /* before the second attempt */
    saga_outcome_t (*begin)(void *arg, int32_t saga, int32_t subject, uint32_t attempt);
    /* One attempt ran out of time. True: it may be begun again. False: it has taken care of itself. NULL is true. */
    bool (*timed_out)(void *arg, int32_t saga, int32_t subject);
    void (*compensate)(void *arg, int32_t subject); /* undoes a completed step; NULL: nothing to undo */
} saga_step_t;

typedef struct {
    const char *name;
    const saga_step_t *steps;
    uint32_t steps_count;
    /* The saga gives up, and at least one step has something to undo. May be NULL. */
    void (*compensating)(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message);
    /* So many steps were undone. May be NULL. */
    void (*compensated)(void *arg, int32_t subject, uint32_t steps);
    /* The saga gave up at a step, after compensation: record it. */
    void (*failed)(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message);
    /* All steps are done. */
    void (*completed)(void *arg, int32_t subject);
    /* The saga's own deadline passed in the middle of a step. True: fail it now. False: the step must go on. */
    bool (*deadline_passed)(void *arg, int32_t saga, int32_t subject, const saga_step_t *step);
} saga_type_t;

saga_core_t *saga_core_new(uint64_t seed, void *arg);
void saga_core_destroy(saga_core_t **self);
/* Ends all sagas without a word, for a rebuild. */
void saga_core_clear(saga_core_t *self);

/* Starts a saga at a step (0 for a new one, another for a resumed one) and runs it as far as it gets. `*saga` is set
 * before the first step begins. */
ZVT_MUSTUSE int saga_core_start(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, int64_t now_ns,
                                int64_t deadline_ns, int32_t *saga);

/* The same, but the first step begins after the backoff that it has when it failed so often. */
ZVT_MUSTUSE int saga_core_start_again(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, uint32_t failures,
                                      int64_t now_ns, int64_t deadline_ns, int32_t *saga);

/* The present step is answered well: go on. Nothing happens if the saga is at another step. */
void saga_core_done(saga_core_t *self, int32_t saga, uint32_t step, int64_t now_ns);
/* The present step failed but may be repeated: backoff, or give up with this code when no attempt is left. */
void saga_core_retry(saga_core_t *self, int32_t saga, uint32_t step, uint8_t code, const char *message, int64_t now_ns);
/* The service cannot say yet: begins the present step again after the delay, without counting an attempt. */
void saga_core_again(saga_core_t *self, int32_t saga, uint32_t step, int64_t at_ns);
/* Jumps to another step at once (an earlier one, to do it again). */
void saga_core_go(saga_core_t *self, int32_t saga, uint32_t step, int64_t now_ns);
/* Goes back to an earlier step after the backoff that step has when it failed so often; `failures` from 1. */
void saga_core_go_back(saga_core_t *self, int32_t saga, uint32_t step, uint32_t failures, int64_t now_ns);
/* Gives up, for a failure or because it is canceled: compensates and ends. */
void saga_core_fail(saga_core_t *self, int32_t saga, uint8_t code, const char *message);
/* Ends the saga without compensation: its subject reached its end by another way. */
void saga_core_end(saga_core_t *self, int32_t saga);

uint32_t saga_core_step(const saga_core_t *self, int32_t saga);
/* Whether the saga is at this step and waits for an answer, not for its time. */
bool saga_core_is_waiting(const saga_core_t *self, int32_t saga, uint32_t step);
/* Begins again, without counting an attempt, every step that waits for this service: it is a new run and forgot. */
void saga_core_service_up(saga_core_t *self, int service, int64_t now_ns);
/* What a step was put off for is there: begins it again at once in every saga of the type that saga_core_again put off. One
 * that failed keeps its backoff. */
void saga_core_wake(saga_core_t *self, const saga_type_t *type, uint32_t step, int64_t now_ns);
/* Fires what is due. */
void saga_core_on_time(saga_core_t *self, int64_t now_ns);
/* When something is due next; 0 for never. */
int64_t saga_core_next_ns(const saga_core_t *self);
uint32_t saga_core_count(const saga_core_t *self);

#endif
