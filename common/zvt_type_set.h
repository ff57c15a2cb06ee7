/* zvt_type_set -- a set of types of events: what a follower folds, and what it wants of the past.
 *
 * Bounds   ids below 128, which every logged type has. */
#ifndef ZVT_TYPE_SET_H
#define ZVT_TYPE_SET_H

#include "zvt_schema.h"

enum { ZVT_TYPE_SET_LIMIT = 128 };

typedef struct {
    uint64_t low;  /* bit n: type n */
    uint64_t high; /* bit n: type 64 + n */
} zvt_type_set_t;

static inline void zvt_type_set_add(zvt_type_set_t *self, unsigned type)
{
    ZVT_ASSERT(type < ZVT_TYPE_SET_LIMIT);
    *(type < 64 ? &self->low : &self->high) |= UINT64_C(1) << type % 64;
}

/* An empty set stands for all types. */
static inline bool zvt_type_set_is_all(const zvt_type_set_t *self)
{
    return (self->low | self->high) == 0;
}

static inline bool zvt_type_set_has(const zvt_type_set_t *self, unsigned type)
{
    return zvt_type_set_is_all(self) || (type < ZVT_TYPE_SET_LIMIT && ((type < 64 ? self->low : self->high) >> type % 64 & 1) != 0);
}

/* All types that `folds` says yes to. */
static inline zvt_type_set_t zvt_type_set_of(bool (*folds)(unsigned type))
{
    zvt_type_set_t self = {0, 0};
    for (unsigned type = 0; type < ZVT_TYPE_SET_LIMIT; type++)
        if (folds(type)) zvt_type_set_add(&self, type);
    return self;
}

static inline bool zvt_type_set_equal(const zvt_type_set_t *a, const zvt_type_set_t *b)
{
    return a->low == b->low && a->high == b->high;
}

#endif
