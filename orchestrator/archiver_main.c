/* zvt-archiver: moves one partition of the log into files, or checks the files of all that have left. `fleet archive` runs it.
 *
 * Whatever it is killed in, nothing has left the log that is not in files which were synced, read back and checked; what was left
 * half done is done anew the next time.
 * stdout   a line for each archive: FIRST_SEQ LAST_SEQ ok|FAILED and words, separated by tabs. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive_job.h"
#include "zvt_service.h"
#include "zvt_time.h"

#define AGAIN_NS (250 * ZVT_MS_NS)        /* between two attempts to take the partition out */
#define GIVE_UP_NS (600 * ZVT_SECOND_NS)  /* somebody reads the log all the time */
#define PATIENCE_NS (2 * ZVT_SECOND_NS)   /* before a wait is explained */

typedef struct {
    const char *dsn, *partition, *folder, *verify;
    PGconn *conn;
    archive_chain_t *chain;
} archiver_t;

static int s_say(uint64_t first_seq, uint64_t last_seq, bool ok, const char *words)
{
    printf("%" PRIu64 "\t%" PRIu64 "\t%s\t%s\n", first_seq, last_seq, ok ? "ok" : "FAILED", words);
    return fflush(stdout) == 0 && ok ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

static int s_refuse(const char *problem)
{
    zvt_error("%s", problem);
    return ZVT_EXIT_FAILED;
}

/* ---- one partition leaves ---- */
static void s_explain_wait(int64_t waited_ns, int64_t *explained_ns)
{
    if (waited_ns < PATIENCE_NS || waited_ns - *explained_ns < 5 * PATIENCE_NS) return;
    *explained_ns = waited_ns;
    fprintf(stderr, "waiting for readers of the log (a verification, a process that is rebuilt): %" PRId64 " s\n", waited_ns / ZVT_SECOND_NS);
}

/* Tries again while somebody reads. */
static int s_drop(archiver_t *self, const archive_partition_t *partition, const archive_entry_t *entry, char problem[256])
{
    const struct timespec pause = {.tv_nsec = AGAIN_NS};
    int64_t began_ns = zvt_monotonic_ns(), explained_ns = 0, waited_ns = 0;
    int status = archive_store_drop(self->conn, partition, entry, problem);
    while (status == ZVT_ERR_AGAIN && waited_ns < GIVE_UP_NS) {
        nanosleep(&pause, NULL);
        waited_ns = zvt_monotonic_ns() - began_ns;
        s_explain_wait(waited_ns, &explained_ns);
        status = archive_store_drop(self->conn, partition, entry, problem);
    }
    return status;
}

/* What the log has before its first event: the last archive's border. */
static int s_border(const PGresult *list, const archive_partition_t *partition, archive_border_t *before, char problem[256])
{
    archive_entry_t last;
    *before = archive_border_first();
    if (PQntuples(list) > 0) {
        if (!archive_store_entry(list, PQntuples(list) - 1, &last)) {
            snprintf(problem, 256, "the last row of log_archives cannot be read");
            return ZVT_ERR_CORRUPT;
        }
        *before = last.after;
    }
    if (before->next_seq == partition->first_seq) return 0;
    snprintf(problem, 256, "%s begins with seq %" PRIu64 ", but the log with seq %" PRIu64 "; partitions leave in their order", partition->name,
             partition->first_seq, before->next_seq);
    return ZVT_ERR_ILLEGAL;
}

static int s_archive(archiver_t *self, const PGresult *list, const archive_partition_t *partition, char problem[256])
{
    char log_id[16], words[160];
    archive_border_t before;
    static archive_entry_t entry; /* large; there is one thread */
    int status = s_border(list, partition, &before, problem);
    if (status == 0) status = archive_store_log_id(self->conn, log_id, problem);
    if (status == 0) status = archive_job_export(self->dsn, self->folder, log_id, partition, &before, self->chain, &entry, problem);
    int64_t began_ns = zvt_monotonic_ns();
    if (status == 0) status = s_drop(self, partition, &entry, problem);
    if (status == 0) status = archive_store_tidy(self->conn, problem);
    if (status != 0) return status;
    snprintf(words, sizeof words, "%" PRIu64 " bytes, %" PRIu64 " commits, taken out in %.0f ms", entry.sum.bytes, entry.batches,
             (double)(zvt_monotonic_ns() - began_ns) / 1e6);
    return s_say(partition->first_seq, partition->last_seq, true, words) == ZVT_EXIT_OK ? 0 : ZVT_ERR_IO;
}

static int s_run_archive(archiver_t *self)
{
    char problem[256] = "";
    archive_partition_t partition;
    int status = archive_store_tidy(self->conn, problem); /* what a kill has left */
    if (status == 0) status = archive_store_partition(self->conn, self->partition, &partition, problem);
    if (status != 0) return s_refuse(problem);
    PGresult *list = archive_store_list(self->conn, problem);
    if (list == NULL) return s_refuse(problem);
    status = s_archive(self, list, &partition, problem);
    PQclear(list);
    return status == 0 ? ZVT_EXIT_OK : s_refuse(problem);
}

/* ---- all files are checked ---- */
/* Each against its row, so that one that is damaged or away tells nothing of those behind it. */
static int s_run_verify(archiver_t *self)
{
    char problem[256], words[128];
    static archive_entry_t entry;
    archive_border_t before = archive_border_first();
    PGresult *list = archive_store_list(self->conn, problem);
    if (list == NULL) return s_refuse(problem);
    int exit_code = ZVT_EXIT_OK;
    for (int n = 0; n < PQntuples(list); n++) {
        bool ok = archive_store_entry(list, n, &entry);
        if (!ok) snprintf(problem, sizeof problem, "its row of log_archives cannot be read");
        if (ok && entry.first_seq != before.next_seq) {
            snprintf(problem, sizeof problem, "the archive before ends with seq %" PRIu64, before.next_seq - 1);
            ok = false;
        }
        ok = ok && archive_job_check(&entry, self->folder, &before, self->chain, problem) == 0;
        snprintf(words, sizeof words, "%" PRIu64 " events in %" PRIu64 " commits", entry.last_seq - entry.first_seq + 1, entry.batches);
        if (s_say(entry.first_seq, entry.last_seq, ok, ok ? words : problem) != ZVT_EXIT_OK) exit_code = ZVT_EXIT_FAILED;
        before = entry.after;
    }
    PQclear(list);
    return exit_code;
}

/* ---- life ---- */
/* It does one thing and waits for nobody: a signal may simply end it. */
static void s_let_signals_end_it(void)
{
    sigset_t all;
    sigfillset(&all);
    ZVT_ASSERT(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0);
}

static int s_run(archiver_t *self)
{
    char problem[256];
    self->conn = archive_store_connect(self->dsn, problem);
    if (self->conn == NULL) return s_refuse(problem);
    self->chain = archive_chain_new();
    int exit_code = self->verify != NULL ? s_run_verify(self) : s_run_archive(self);
    archive_chain_destroy(&self->chain);
    PQfinish(self->conn);
    return exit_code;
}

int main(int argc, char **argv)
{
    archiver_t self = {.dsn = getenv("DATABASE_URL")};
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection of the log's owner; default $DATABASE_URL", .value = &self.dsn},
        {.name = "partition", .argument = "NAME", .meaning = "the partition to move", .value = &self.partition},
        {.name = "folder", .argument = "DIR", .meaning = "where its files go; with --verify: where the files are now", .value = &self.folder},
        {.name = "verify", .meaning = "check every file instead", .value = &self.verify},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-archiver", .summary = "Moves a partition of the event log into files; see fleet archive.",
                                     .role = ZVT_ROLE_CHECKPOINTER, .name = "archiver", .options = options};
    zvt_service_t *service = zvt_service_new(argc, argv, &desc);
    int exit_code = ZVT_EXIT_CONFIG;
    if (self.dsn == NULL)
        zvt_error("no database; set DATABASE_URL or --database");
    else if ((self.partition == NULL || self.folder == NULL) && self.verify == NULL)
        zvt_error("say --partition and --folder, or --verify");
    else {
        s_let_signals_end_it();
        exit_code = s_run(&self);
    }
    zvt_service_destroy(&service);
    return exit_code;
}
