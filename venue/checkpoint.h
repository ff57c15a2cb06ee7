/* checkpoint -- the account as of a place in its ledger, in a file, so that a start reads it and only the ledger's tail.
 *
 * A cache of the ledger's fold and nothing more: a file that is missing, damaged, of another ledger or of another fleet file
 * costs the reading of the whole ledger and one diagnostic, nothing else. It may be deleted at any time.
 *
 * Shapes   a head with the ledger's own header and the number and checksum of the last batch that is covered, which the
 *          ledger has to hold at that place; the index of its reports; the account's image. A checksum over all of it.
 *          In the machine's byte order.
 * Bounds   88 bytes for each id that is remembered, 16 for each 256 reports. While it is written, as much again, and
 *          CHECKPOINT_SPARE of the disk stay free for the ledger.
 * Errors   see each function. */
#ifndef VENUE_CHECKPOINT_H
#define VENUE_CHECKPOINT_H

#include "account_core.h"
#include "ledger.h"

#define CHECKPOINT_SPARE (UINT64_C(64) << 20)

/* Which files of a venue belong together. */
typedef struct {
    const char *ledger;
    const char *checkpoint;
} checkpoint_paths_t;

/* Makes the account that a start goes on with: as of the checkpoint, and *mark (fresh from ledger_mark_new) where the
 * records behind it begin; or a new one at the ledger's beginning when there is no checkpoint that fits. */
account_core_t *checkpoint_begin(const checkpoint_paths_t *paths, const account_config_t *config, ledger_mark_t *mark);

/* Replaces the checkpoint by the account as of the mark. 0, or a status with `problem`: ZVT_ERR_IO, ZVT_ERR_EXISTS
 * (somebody else is writing it); the file is as it was then. */
ZVT_MUSTUSE int checkpoint_save(const checkpoint_paths_t *paths, const account_core_t *account, const ledger_mark_t *mark,
                                char problem[ZVT_PROBLEM_SIZE]);

/* What a start does without the start, and saves it: for a process of its own, beside a venue that goes on. Nothing new in
 * the ledger is success. */
ZVT_MUSTUSE int checkpoint_renew(const checkpoint_paths_t *paths, const account_config_t *config,
                                 char problem[ZVT_PROBLEM_SIZE]);

#endif
