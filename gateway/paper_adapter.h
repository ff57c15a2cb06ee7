/* paper_adapter -- the gateway's connection to the paper venue.
 *
 * Order entry over a link to venue.VENUE, market data from a subscription to feed.VENUE.
 *
 * Flow control  the cursor of the link's hello is the number of feed frames taken since this gateway started; a hello
 *               leaves after every PAPER_ADAPTER_ACK_EVERY frames. A venue that plays a recording at full speed takes
 *               the first hello's number as where it begins, and stays within 64 frames of it.
 * Owns     the link and the subscription; borrows fleet, events and identity until destroy.
 * Errors   see gateway_adapter.h; `problem` says why none could be made. */
#ifndef GATEWAY_PAPER_ADAPTER_H
#define GATEWAY_PAPER_ADAPTER_H

#include "adapter.h"
#include "zvt_config.h"
#include "zvt_loop.h"

enum { PAPER_ADAPTER_ACK_EVERY = 32 };

/* NULL when the fleet file does not allow one. */
gateway_adapter_t *paper_adapter_new(zvt_loop_t *loop, const zvt_fleet_t *fleet, const char *venue, const zvt_hello_t *identity,
                                     const gateway_adapter_events_t *events, void *events_arg, char problem[ZVT_PROBLEM_SIZE]);

#endif
