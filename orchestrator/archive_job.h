/* archive_job -- brings a partition of the log into files, and checks files against what is known of them.
 *
 * Rows and commits go into two files beside each other. On the way out every row passes the chain's check, and the files are read
 * back through the same check before anything else is done.
 *
 * Blocking: for zvt-archiver. Progress goes to stderr when it lasts.
 * Errors   a status with the reason in `problem`. */
#ifndef ARCHIVE_JOB_H
#define ARCHIVE_JOB_H

#include "archive_store.h"

/* Exports the partition, which the log has behind `before`, and fills *entry. Its border and put_aside are borrowed from the chain. */
ZVT_MUSTUSE int archive_job_export(const char *dsn, const char *folder, const char *log_id, const archive_partition_t *partition,
                                   const archive_border_t *before, archive_chain_t *chain, archive_entry_t *entry, char problem[256]);
/* Reads the files of an archive that begins behind `before`, and compares them with the entry. A folder that is not NULL is where
 * they are now. */
ZVT_MUSTUSE int archive_job_check(const archive_entry_t *entry, const char *folder, const archive_border_t *before, archive_chain_t *chain,
                                  char problem[256]);

#endif
