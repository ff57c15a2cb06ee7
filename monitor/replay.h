/* replay -- history from the replayer, a page at a time.
 *
 * Bounds   REPLAY_PAGE events per question; a page may come shorter.
 * Errors   ZVT_ERR_STALE (archived: the log begins later), ZVT_ERR_IO (no answer), ZVT_ERR_CORRUPT (an event that this release cannot read); `problem` says which. */
#ifndef MONITOR_REPLAY_H
#define MONITOR_REPLAY_H

#include "client.h"

enum { REPLAY_PAGE = 1000 };

/* One event in order of seq, valid during the call; false ends the reading. */
typedef bool(replay_event_fn)(void *arg, const zvt_event_t *event);

/* Reads one page; returns in *last_seq the seq of its last event (0: it was empty) and in *tip_seq the log's tip. */
ZVT_MUSTUSE int replay_page(const zvt_replay_request_t *request, replay_event_fn *on_event, void *arg, uint64_t *last_seq,
                            uint64_t *tip_seq, char problem[CLIENT_PROBLEM_SIZE]);

/* Reads all events of one saga that the log has; *first_seq is where the log begins: events before it are archived. */
ZVT_MUSTUSE int replay_saga(const zvt_id_t *correlation_id, replay_event_fn *on_event, void *arg, uint64_t *first_seq,
                            char problem[CLIENT_PROBLEM_SIZE]);

/* Looks through the whole log, newest page first, for the saga of an order; ZVT_ERR_NOT_FOUND if there is none. */
ZVT_MUSTUSE int replay_find_order(const zvt_id_t *order_id, zvt_id_t *correlation_id, char problem[CLIENT_PROBLEM_SIZE]);

#endif
