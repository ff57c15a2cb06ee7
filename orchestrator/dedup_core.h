/* dedup_core -- has this command been taken before? One window per sender.
 *
 * A command is named by (sender, incarnation, sender_seq). Per sender the newest incarnation counts: a high-water mark
 * plus a bitmap of the last DEDUP_WINDOW numbers. An older incarnation, or a number below the window, is stale. So no name
 * is taken twice: the newest incarnation only rises, also that of a sender that is forgotten, which is kept as the latest
 * of all forgotten ones.
 * A sender whose clock went back begins with an incarnation below the newest. It has to take a higher one, and may give
 * its commands new names only if none was taken under the old: dedup_core_is_untaken.
 * The state is a fold of the events that carry the name.
 * Bounds   DEDUP_SENDERS_MAX senders; when full, the one silent for longest gives way. DEDUP_RUNS_KEPT incarnations before
 *          the newest are known by name; of what lies before those it is not known whether anything was taken. */
#ifndef DEDUP_CORE_H
#define DEDUP_CORE_H

#include <stdint.h>

#include "zvt_error.h"
#include "zvt_pools.h"
#include "window.h"
#include "zvt_schema.h"

enum { DEDUP_SENDERS_MAX = ZVT_POOL(4096, 64), DEDUP_WINDOW = 4096, DEDUP_RUNS_KEPT = ZVT_LIST_MAX_run };

typedef struct dedup_core dedup_core_t;

dedup_core_t *dedup_core_new(void);
void dedup_core_destroy(dedup_core_t **self);
void dedup_core_clear(dedup_core_t *self);
/* Answers without changing anything. */
dedup_verdict_t dedup_core_check(const dedup_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq);
/* Highest number taken in this run of the sender; 0 if there is none. */
uint64_t dedup_core_high(const dedup_core_t *self, const char *sender, uint64_t incarnation);
/* The incarnation that a new one of this sender has to be above; 0: any will do. */
uint64_t dedup_core_newest(const dedup_core_t *self, const char *sender);
/* Whether it is sure that no command of this incarnation of the sender was ever taken. As only newer ones are taken from
 * then on, it stays so for every incarnation below the newest. */
bool dedup_core_is_untaken(const dedup_core_t *self, const char *sender, uint64_t incarnation);
/* The latest incarnation of all senders that are forgotten, for checkpoints. */
uint64_t dedup_core_forgotten(const dedup_core_t *self);
void dedup_core_restore_forgotten(dedup_core_t *self, uint64_t incarnation);
/* Marks the command as taken. */
void dedup_core_mark(dedup_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq);

/* Number of senders known, and each of them for a checkpoint, the one silent for longest first. */
uint32_t dedup_core_count(const dedup_core_t *self);
void dedup_core_save(const dedup_core_t *self, uint32_t at, zvt_saved_sender_t *saved);
/* Puts a sender back; in the sequence they were saved. ZVT_ERR_FULL or ZVT_ERR_EXISTS. */
ZVT_MUSTUSE int dedup_core_restore(dedup_core_t *self, const zvt_saved_sender_t *saved);

#endif
