/* alloc_count -- who allocates: malloc and its family, interposed in a test program.
 *
 * While counting is on, each call is charged to the innermost function of this program that is on the stack, and so to
 * the room whose objects hold that function; what libc allocates for it (a stream, a sort) is charged too. Plumbing of
 * the test that a core calls is charged to the test.
 * The rooms' objects are linked one after another, each between two marks (tests/alloc.cmake).
 * Bounds   ALLOC_SITES_MAX places; more are counted and not named. */
#ifndef ALLOC_COUNT_H
#define ALLOC_COUNT_H

#include <stdint.h>
#include <stdio.h>

enum { ALLOC_SITES_MAX = 64 };

/* Rooms in the order in which they are linked; the last one is everything behind them. */
typedef enum { ALLOC_COMMON, ALLOC_ORCHESTRATOR, ALLOC_RISK, ALLOC_PORTFOLIO, ALLOC_EXECUTOR, ALLOC_GATEWAY, ALLOC_VENUE,
               ALLOC_STRATEGY, ALLOC_TEST, ALLOC_ROOMS } alloc_room_t;

const char *alloc_room_name(alloc_room_t room);
/* Forgets what was counted, and counts from now on. */
void alloc_count_begin(void);
void alloc_count_end(void);
/* Calls of malloc, calloc, realloc and free charged to a room. */
uint64_t alloc_count(alloc_room_t room);
/* One line for each place of a room that called, as addresses for addr2line. */
void alloc_count_sites(FILE *out);

#endif
