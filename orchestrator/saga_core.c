#include "saga_core.h"

#include <stdlib.h>
#include <string.h>

enum { BACKOFF_DOUBLINGS_MAX = 6 };

typedef struct {
    const saga_type_t *type; /* NULL marks a free place */
    int32_t subject;
    uint32_t step;
    uint32_t attempt;        /* of the present step, from 1 */
    bool waiting;            /* the step has begun and is not answered; else it waits for its time */
    bool failed;             /* it waits for its time because the step failed */
    int64_t step_at_ns;      /* monotonic: timeout while waiting, else when to begin again; 0 never */
    int64_t deadline_ns;     /* monotonic, of the whole saga; 0 none */
    bool deadline_done;      /* the deadline was told and the step went on */
    int32_t heap_at;         /* place in the heap, or SAGA_NONE */
    int32_t next_free;
} saga_t;

struct saga_core {
    saga_t *sagas;
    int32_t *heap;           /* saga indices, soonest due first */
    int32_t heap_count;
    int32_t first_free;
    uint32_t count;
    int32_t high_water;      /* places ever used: bounds the walks */
    zvt_rng_t rng;
    void *arg;
};

saga_core_t *saga_core_new(uint64_t seed, void *arg)
{
    saga_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->sagas = calloc(SAGAS_MAX, sizeof *self->sagas);
    self->heap = calloc(SAGAS_MAX, sizeof *self->heap);
    ZVT_ASSERT(self->sagas != NULL);
    ZVT_ASSERT(self->heap != NULL);
    zvt_rng_seed(&self->rng, seed);
    self->arg = arg;
    saga_core_clear(self);
    return self;
}

void saga_core_destroy(saga_core_t **self)
{
    if (*self == NULL) return;
    free((*self)->sagas);
    free((*self)->heap);
    free(*self);
    *self = NULL;
}

void saga_core_clear(saga_core_t *self)
{
    memset(self->sagas, 0, (size_t)self->high_water * sizeof *self->sagas);
    self->heap_count = 0;
    self->first_free = SAGA_NONE;
    self->high_water = 0;
    self->count = 0;
}

/* ---- heap of due times ---- */
static int64_t s_due_ns(const saga_t *saga)
{
    bool deadline_counts = saga->deadline_ns != 0 && !saga->deadline_done;
    if (saga->step_at_ns == 0) return deadline_counts ? saga->deadline_ns : 0;
    return deadline_counts && saga->deadline_ns < saga->step_at_ns ? saga->deadline_ns : saga->step_at_ns;
}

static void s_heap_set(saga_core_t *self, int32_t at, int32_t saga)
{
    self->heap[at] = saga;
    self->sagas[saga].heap_at = at;
}

static bool s_sooner(const saga_core_t *self, int32_t a, int32_t b)
{
    return s_due_ns(&self->sagas[a]) < s_due_ns(&self->sagas[b]);
}

static void s_sift_up(saga_core_t *self, int32_t at)
{
    int32_t saga = self->heap[at];
    while (at > 0 && s_sooner(self, saga, self->heap[(at - 1) / 2])) {
        s_heap_set(self, at, self->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    s_heap_set(self, at, saga);
}

static void s_sift_down(saga_core_t *self, int32_t at)
{
    int32_t saga = self->heap[at];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= self->heap_count) break;
        if (child + 1 < self->heap_count && s_sooner(self, self->heap[child + 1], self->heap[child])) child++;
        if (!s_sooner(self, self->heap[child], saga)) break;
        s_heap_set(self, at, self->heap[child]);
        at = child;
    }
    s_heap_set(self, at, saga);
}

static void s_heap_remove(saga_core_t *self, int32_t saga)
{
    int32_t at = self->sagas[saga].heap_at;
    if (at == SAGA_NONE) return;
    self->sagas[saga].heap_at = SAGA_NONE;
    int32_t last = self->heap[--self->heap_count];
    if (last == saga) return;
    s_heap_set(self, at, last);
    s_sift_up(self, at);
    s_sift_down(self, self->sagas[last].heap_at);
}

/* Puts the saga where its due time belongs. */
static void s_reschedule(saga_core_t *self, int32_t saga)
{
    s_heap_remove(self, saga);
    if (s_due_ns(&self->sagas[saga]) == 0) return;
    s_heap_set(self, self->heap_count, saga);
    s_sift_up(self, self->heap_count++);
}

int64_t saga_core_next_ns(const saga_core_t *self)
{
    return self->heap_count == 0 ? 0 : s_due_ns(&self->sagas[self->heap[0]]);
}

/* ---- running ---- */
void saga_core_end(saga_core_t *self, int32_t saga)
{
    if (saga == SAGA_NONE || self->sagas[saga].type == NULL) return;
    s_heap_remove(self, saga);
    self->sagas[saga].type = NULL;
    self->sagas[saga].next_free = self->first_free;
    self->first_free = saga;
    self->count--;
}

static const saga_step_t *s_step(const saga_t *saga)
{
    return &saga->type->steps[saga->step];
}

/* Puts the present step off. The pause doubles per failure, and jitters. */
static void s_back_off(saga_core_t *self, int32_t index, uint32_t failures, int64_t now_ns)
{
    saga_t *saga = &self->sagas[index];
    uint32_t doublings = failures - 1 < BACKOFF_DOUBLINGS_MAX ? failures - 1 : BACKOFF_DOUBLINGS_MAX;
    saga->waiting = false;
    saga->failed = true;
    saga->step_at_ns = now_ns + zvt_rng_pause_ns(&self->rng, s_step(saga)->backoff_ns << doublings) + 1;
    s_reschedule(self, index);
}

static void s_complete(saga_core_t *self, int32_t saga)
{
    const saga_type_t *type = self->sagas[saga].type;
    int32_t subject = self->sagas[saga].subject;
    saga_core_end(self, saga);
    type->completed(self->arg, subject);
}

/* Begins steps from the present one on until one waits or the saga ends. */
static void s_run(saga_core_t *self, int32_t index, int64_t now_ns)
{
    saga_t *saga = &self->sagas[index];
    for (;;) {
        if (saga->step == saga->type->steps_count) {
            s_complete(self, index);
            return;
        }
        const saga_step_t *step = s_step(saga);
        saga->waiting = true;
        saga->step_at_ns = step->timeout_ns > 0 ? now_ns + step->timeout_ns : 0;
        saga_outcome_t outcome = step->begin(self->arg, index, saga->subject, saga->attempt);
        if (outcome == SAGA_ENDED) return;
        if (outcome == SAGA_WAIT) {
            s_reschedule(self, index);
            return;
        }
        saga->step++;
        saga->attempt = 1;
    }
}

/* Makes a saga that has not begun its step. */
static int s_make(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, int64_t deadline_ns, int32_t *saga_out)
{
    int32_t index = self->first_free;
    if (index != SAGA_NONE)
        self->first_free = self->sagas[index].next_free;
    else if (self->high_water < SAGAS_MAX)
        index = self->high_water++;
    else
        return ZVT_ERR_FULL;
    self->sagas[index] = (saga_t){.type = type, .subject = subject, .step = step, .attempt = 1, .deadline_ns = deadline_ns,
                                  .heap_at = SAGA_NONE};
    self->count++;
    *saga_out = index;
    return 0;
}

int saga_core_start(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, int64_t now_ns,
                    int64_t deadline_ns, int32_t *saga)
{
    int status = s_make(self, type, subject, step, deadline_ns, saga);
    if (status == 0) s_run(self, *saga, now_ns);
    return status;
}

int saga_core_start_again(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, uint32_t failures,
                          int64_t now_ns, int64_t deadline_ns, int32_t *saga)
{
    int status = s_make(self, type, subject, step, deadline_ns, saga);
    if (status == 0) s_back_off(self, *saga, failures, now_ns);
    return status;
}

static saga_t *s_at_step(saga_core_t *self, int32_t saga, uint32_t step)
{
    if (saga == SAGA_NONE) return NULL;
    saga_t *found = &self->sagas[saga];
    return found->type != NULL && found->step == step ? found : NULL;
}

void saga_core_go(saga_core_t *self, int32_t saga, uint32_t step, int64_t now_ns)
{
    saga_t *found = &self->sagas[saga];
    ZVT_ASSERT(found->type != NULL);
    found->step = step;
    found->attempt = 1;
    s_run(self, saga, now_ns);
}

void saga_core_go_back(saga_core_t *self, int32_t saga, uint32_t step, uint32_t failures, int64_t now_ns)
{
    saga_t *found = &self->sagas[saga];
    ZVT_ASSERT(found->type != NULL);
    found->step = step;
    found->attempt = 1;
    s_back_off(self, saga, failures, now_ns);
}

void saga_core_done(saga_core_t *self, int32_t saga, uint32_t step, int64_t now_ns)
{
    if (s_at_step(self, saga, step) != NULL) saga_core_go(self, saga, step + 1, now_ns);
}

/* Undoes the completed steps, the last one first. */
static void s_compensate(saga_core_t *self, const saga_type_t *type, int32_t subject, uint32_t step, uint8_t code, const char *message)
{
    uint32_t undone = 0;
    for (uint32_t i = step; i-- > 0;) {
        if (type->steps[i].compensate == NULL) continue;
        if (undone++ == 0 && type->compensating != NULL) type->compensating(self->arg, subject, &type->steps[step], code, message);
        type->steps[i].compensate(self->arg, subject);
    }
    if (undone > 0 && type->compensated != NULL) type->compensated(self->arg, subject, undone);
}

void saga_core_fail(saga_core_t *self, int32_t saga, uint8_t code, const char *message)
{
    const saga_type_t *type = self->sagas[saga].type;
    ZVT_ASSERT(type != NULL);
    int32_t subject = self->sagas[saga].subject;
    uint32_t step = self->sagas[saga].step;
    saga_core_end(self, saga);
    s_compensate(self, type, subject, step, code, message);
    type->failed(self->arg, subject, &type->steps[step], code, message);
}

void saga_core_retry(saga_core_t *self, int32_t saga, uint32_t step, uint8_t code, const char *message, int64_t now_ns)
{
    saga_t *found = s_at_step(self, saga, step);
    if (found == NULL) return;
    if (found->attempt >= s_step(found)->attempts) {
        saga_core_fail(self, saga, code, message);
        return;
    }
    s_back_off(self, saga, found->attempt++, now_ns);
}

void saga_core_again(saga_core_t *self, int32_t saga, uint32_t step, int64_t at_ns)
{
    saga_t *found = s_at_step(self, saga, step);
    if (found == NULL) return;
    found->waiting = found->failed = false;
    found->step_at_ns = at_ns;
    s_reschedule(self, saga);
}

uint32_t saga_core_step(const saga_core_t *self, int32_t saga)
{
    return self->sagas[saga].step;
}

bool saga_core_is_waiting(const saga_core_t *self, int32_t saga, uint32_t step)
{
    return self->sagas[saga].step == step && self->sagas[saga].waiting;
}

void saga_core_service_up(saga_core_t *self, int service, int64_t now_ns)
{
    for (int32_t i = 0; i < self->high_water; i++) {
        saga_t *saga = &self->sagas[i];
        if (saga->type != NULL && saga->waiting && s_step(saga)->service == service) s_run(self, i, now_ns);
    }
}

void saga_core_wake(saga_core_t *self, const saga_type_t *type, uint32_t step, int64_t now_ns)
{
    for (int32_t i = 0; i < self->high_water; i++) {
        saga_t *saga = &self->sagas[i];
        bool put_off = !saga->waiting && !saga->failed;
        if (saga->type == type && saga->step == step && put_off) s_run(self, i, now_ns);
    }
}

static void s_step_due(saga_core_t *self, int32_t index, int64_t now_ns)
{
    saga_t *saga = &self->sagas[index];
    const saga_step_t *step = s_step(saga);
    if (!saga->waiting) {
        s_run(self, index, now_ns); /* the backoff is over */
        return;
    }
    saga->step_at_ns = 0;
    s_reschedule(self, index);
    if (step->timed_out != NULL && !step->timed_out(self->arg, index, saga->subject)) return;
    saga_core_retry(self, index, saga->step, ZVT_CODE_SERVICE_TIMEOUT, step->name, now_ns);
}

void saga_core_on_time(saga_core_t *self, int64_t now_ns)
{
    while (self->heap_count > 0) {
        int32_t index = self->heap[0];
        saga_t *saga = &self->sagas[index];
        if (s_due_ns(saga) > now_ns) return;
        bool deadline = saga->deadline_ns != 0 && !saga->deadline_done && saga->deadline_ns <= now_ns;
        if (!deadline) {
            s_step_due(self, index, now_ns);
            continue;
        }
        saga->deadline_done = true;
        s_reschedule(self, index);
        if (saga->type->deadline_passed(self->arg, index, saga->subject, s_step(saga)))
            saga_core_fail(self, index, ZVT_CODE_SAGA_TIMEOUT, s_step(saga)->name);
    }
}

uint32_t saga_core_count(const saga_core_t *self)
{
    return self->count;
}
