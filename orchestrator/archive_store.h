/* archive_store -- what the database knows of the archive, and the one transaction in which a partition leaves the log.
 *
 * Blocking: for zvt-archiver. Needs the role that owns the log.
 * Owns     nothing; a result's text is copied.
 * Errors   ZVT_ERR_IO with the reason in `problem`; ZVT_ERR_AGAIN: the log is being read, nothing was done; ZVT_ERR_ILLEGAL:
 *          a condition does not hold, nothing was done. */
#ifndef ARCHIVE_STORE_H
#define ARCHIVE_STORE_H

#include <libpq-fe.h>

#include "archive_chain.h"
#include "archive_file.h"

enum { ARCHIVE_NAME_SIZE = 64 };

/* A partition of the log. */
typedef struct {
    char name[ARCHIVE_NAME_SIZE];
    uint64_t first_seq, last_seq;
} archive_partition_t;

/* A row of log_archives. */
typedef struct {
    uint64_t first_seq, last_seq, batches, fills, fills_sum;
    char file[ARCHIVE_PATH_SIZE], batches_file[ARCHIVE_PATH_SIZE];
    archive_sum_t sum, batches_sum;  /* the database has no `bytes` of the second */
    archive_border_t after;          /* its carry is borrowed from a chain, or from the result that it was read from */
    const char *put_aside;           /* borrowed likewise */
} archive_entry_t;

/* Connects; NULL with the reason. */
PGconn *archive_store_connect(const char *dsn, char problem[256]);
/* The log's identity, its first eight characters. */
ZVT_MUSTUSE int archive_store_log_id(PGconn *conn, char id[16], char problem[256]);
/* The partition of this name; ZVT_ERR_NOT_FOUND with the reason. */
ZVT_MUSTUSE int archive_store_partition(PGconn *conn, const char *name, archive_partition_t *partition, char problem[256]);
/* Every archive, oldest first, for archive_store_entry; NULL with the reason. */
PGresult *archive_store_list(PGconn *conn, char problem[256]);
/* Row n of it; false if it does not make sense. Its carry and put_aside are borrowed from the result. */
bool archive_store_entry(const PGresult *list, int n, archive_entry_t *entry);
/* Takes the partition out of the log, deletes it, and records where it went: all or nothing. Only the next partition in order can
 * go, and only when the base of every process is at or behind its end. Does not begin while somebody reads the log, and waits for
 * 20 ms at the most for who begins just then, because commits wait behind it. */
ZVT_MUSTUSE int archive_store_drop(PGconn *conn, const archive_partition_t *partition, const archive_entry_t *entry, char problem[256]);
/* Deletes the commits and bases that belong to what has left; may be done at any time, and again. */
ZVT_MUSTUSE int archive_store_tidy(PGconn *conn, char problem[256]);

#endif
