/* load_stages -- how long an order takes to each stage of its life.
 *
 * Three kinds of times, all since the order was due: *logged*, when the orchestrator made the event; *durable*, when it
 * heard of the commit; *seen*, when a subscriber had it. Three more are spans: from the commit of the intent to the venue's
 * report (executor, gateway, the venue's sync and back), from a cancel to its end, and from commit to subscriber.
 *
 * Bounds   one histogram a stage, log-linear, exact to 1.6 %. */
#ifndef LOAD_STAGES_H
#define LOAD_STAGES_H

#include <stdio.h>

#include "zvt_stats.h"

typedef enum {
    STAGE_REQUESTED,         /* logged: the orchestrator has the order */
    STAGE_REQUESTED_DURABLE, /* durable */
    STAGE_VALIDATED,         /* logged: risk has passed it */
    STAGE_ROUTED,            /* logged: the executor has chosen a venue */
    STAGE_INTENT_DURABLE,    /* durable: the venue may see it */
    STAGE_EXECUTOR_TO_VENUE, /* span: from the commit of the intent to the venue's report at the orchestrator */
    STAGE_RESTING,           /* logged: a limit order is on the book */
    STAGE_EXECUTED,          /* logged */
    STAGE_POSITION,          /* logged: the position is updated */
    STAGE_COMPLETED_DURABLE, /* durable */
    STAGE_COMPLETED,         /* seen: the whole life of a market order */
    STAGE_CANCELED,          /* span: from the cancel to its end as seen */
    STAGE_COMMIT_TO_SUBSCRIBER, /* span, of every batch */
    STAGE_COUNT
} load_stage_t;

/* The process's histograms, one a stage. */
zvt_histogram_t *load_stage(load_stage_t stage);
/* "latency_ms": {"completed": {"count": .., "p50": .., ..}, ..} -- one member without braces around. */
void load_stages_json(FILE *out);

#endif
