/* sim_archive -- `fleet archive` in the simulated world: bases are stored, and the log's first events are gone for everybody but the
 * checks at the end.
 *
 * Owns     the bases, each the records that the process's core saves of the fold of the log.
 * Bounds   SIM_BASE_BYTES for a base. */
#ifndef SIM_ARCHIVE_H
#define SIM_ARCHIVE_H

#include "zvt_codec.h"

enum { SIM_BASE_BYTES = 4 << 20 };

void sim_archive_reset(void);
/* The log begins here; 1: nothing was archived. */
uint64_t sim_archive_first_seq(void);
/* Stores the bases as of the log's end, and moves its beginning to somewhere before that. */
void sim_archive_run(void);
/* The base of risk or portfolio; its seq is 0 when there is none. */
const zvt_buf_t *sim_archive_base(const char *process, uint64_t *seq);
/* Seq of the bases. */
uint64_t sim_archive_base_seq(void);
/* Gives every record of a base to `load`: 0, or what it says. */
int sim_archive_load(const void *data, size_t length, int (*load)(void *core, const zvt_record_t *record), void *core);

#endif
