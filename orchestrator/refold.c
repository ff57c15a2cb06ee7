#include "refold.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_store.h"
#include "log_stream.h"
#include "zvt_diag.h"

enum { RECORD_SIZE = 8 << 10 /* any one record, packed */ };

/* ---- the checkpoint on the way ---- */
/* What the checkpointer has stored of this log, to be held against the fold when it gets there. */
typedef struct {
    PGresult *stored; /* NULL: there is none, or it could not be read */
    uint64_t seq;     /* 0: none */
    bool compared;
    char problem[256]; /* "" when it is the fold of the log up to there */
} proof_t;

static void s_read_proof(const refold_t *self, uint64_t to_seq, proof_t *proof)
{
    checkpoint_store_t *store = checkpoint_store_new(self->dsn, self->name);
    *proof = (proof_t){.stored = checkpoint_store_read(store, to_seq, proof->problem)};
    if (proof->stored != NULL) proof->seq = checkpoint_store_seq(proof->stored);
    checkpoint_store_destroy(&store);
}

static void s_prove(const refold_t *self, proof_t *proof)
{
    if (proof->seq == 0 || turn_core_folded_seq(self->core) != proof->seq) return;
    proof->compared = true;
    if (checkpoint_store_compare(proof->stored, self->core, proof->problem) != 0) zvt_error("%s", proof->problem);
}

/* ---- folding ---- */
/* The log begins behind what the core holds. */
static int s_load_base(const refold_t *self, uint64_t first_seq, uint64_t to_seq, char problem[256])
{
    checkpoint_store_t *store = checkpoint_store_new(self->dsn, self->name);
    turn_core_clear(self->core);
    int status = checkpoint_store_load_base(store, self->core, to_seq, problem);
    checkpoint_store_destroy(&store);
    if (status == 0 && turn_core_folded_seq(self->core) + 1 < first_seq) status = ZVT_ERR_NOT_FOUND;
    if (status == ZVT_ERR_NOT_FOUND)
        snprintf(problem, 256, "the log begins with seq %" PRIu64 ", and no base of the orchestrator in the database is between the two", first_seq);
    return status;
}

static int s_fold_row(const refold_t *self, const log_row_t *row, char problem[256])
{
    zvt_event_t event = row->event;
    int status = zvt_read_metadata(row->metadata, row->metadata_length, &event.metadata);
    if (status == 0) status = turn_core_fold(self->core, &event);
    if (status != 0) snprintf(problem, 256, "event %" PRIu64 " (%s): %s", event.seq, zvt_type_name(event.type), zvt_strerror(status));
    return status;
}

/* Folds what follows in the log. ZVT_ERR_STALE: it begins later, with *first_seq. */
static int s_fold_stream(const refold_t *self, log_stream_t *stream, uint64_t to_seq, uint64_t *first_seq, proof_t *proof, char problem[256])
{
    const zvt_type_set_t all = {0, 0};
    const log_row_t *row = NULL;
    int status = log_stream_open(stream, turn_core_folded_seq(self->core) + 1, to_seq, &all, problem);
    if (status == 0) status = log_stream_next(stream, &row, problem);
    if (status == 0 && row != NULL && row->event.seq > turn_core_folded_seq(self->core) + 1) {
        *first_seq = row->event.seq;
        return ZVT_ERR_STALE;
    }
    while (status == 0 && row != NULL) {
        status = s_fold_row(self, row, problem);
        s_prove(self, proof);
        if (status == 0) status = log_stream_next(stream, &row, problem);
    }
    return status;
}

static int s_fold(const refold_t *self, uint64_t to_seq, proof_t *proof, char problem[256])
{
    uint64_t first_seq = 0;
    log_stream_t *stream = log_stream_new(self->dsn, self->name);
    int status = s_fold_stream(self, stream, to_seq, &first_seq, proof, problem);
    if (status == ZVT_ERR_STALE) {
        log_stream_close(stream);
        status = s_load_base(self, first_seq, to_seq, problem);
        if (status == 0 && turn_core_folded_seq(self->core) < to_seq) status = s_fold_stream(self, stream, to_seq, &first_seq, proof, problem);
        if (status == ZVT_ERR_STALE) snprintf(problem, 256, "the log begins with seq %" PRIu64 ", behind the base", first_seq);
    }
    if (status == 0 && turn_core_folded_seq(self->core) < to_seq) {
        snprintf(problem, 256, "the log ends before, or begins behind it");
        status = ZVT_ERR_NOT_FOUND;
    }
    log_stream_destroy(&stream);
    return status;
}

/* ---- leaving the state ---- */
static uint32_t s_dump(const void *core, FILE *out)
{
    return turn_core_dump(core, out);
}

static int s_write_record(void *arg, zvt_type_t type, const void *record)
{
    zvt_buf_t buf = {.data = (uint8_t[RECORD_SIZE]){0}, .capacity = RECORD_SIZE};
    int status = zvt_pack(&buf, type, record);
    if (status != 0) return status;
    return fwrite(buf.data, 1, buf.length, arg) == buf.length ? 0 : ZVT_ERR_IO;
}

static int s_write_file(const char *folder, const char *data, size_t length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/orchestrator.base", folder);
    FILE *file = fopen(path, "we");
    if (file == NULL) return ZVT_ERR_IO;
    bool written = fwrite(data, 1, length, file) == length;
    return fclose(file) == 0 && written ? 0 : ZVT_ERR_IO;
}

/* Saves the state, and proves that a core that loads it has the state again: this one, because one core is large. */
static int s_save(const refold_t *self, const zvt_digest_t *digest, char problem[256])
{
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    ZVT_ASSERT(out != NULL);
    int status = turn_core_save(self->core, s_write_record, out);
    if (fclose(out) != 0 && status == 0) status = ZVT_ERR_IO;
    turn_core_clear(self->core);
    if (status == 0) status = checkpoint_store_take_bytes(data, length, self->core, problem);
    if (status == 0) {
        zvt_digest_t again = zvt_digest_of(digest->seq, s_dump, self->core);
        bool same = turn_core_folded_seq(self->core) == digest->seq && zvt_id_equal(&again.digest, &digest->digest);
        if (!same) snprintf(problem, 256, "what was saved does not make the state that was folded");
        status = same ? s_write_file(self->save_folder, data, length) : ZVT_ERR_CORRUPT;
        if (status == ZVT_ERR_IO) snprintf(problem, 256, "cannot write to %.200s", self->save_folder);
    }
    free(data);
    return status;
}

static void s_print(const refold_t *self, const zvt_digest_t *digest, const proof_t *proof)
{
    putchar('{');
    zvt_digest_print_members(digest, stdout);
    printf(", \"doubled\": %" PRIu64 ", \"checkpoint\": %" PRIu64 ", \"checkpoint_is_fold\": %s}\n", turn_core_doubled(self->core),
           proof->compared ? proof->seq : 0, proof->compared ? (proof->problem[0] == '\0' ? "true" : "false") : "null");
}

int refold_run(const refold_t *self)
{
    char problem[256] = "";
    uint64_t to_seq;
    if (zvt_digest_parse_seq(self->to_seq, &to_seq) != 0 || to_seq == 0) {
        zvt_error("--fold takes a seq, not '%s'", self->to_seq);
        return ZVT_EXIT_CONFIG;
    }
    proof_t proof;
    s_read_proof(self, to_seq, &proof);
    int status = s_fold(self, to_seq, &proof, problem);
    PQclear(proof.stored);
    zvt_digest_t digest = zvt_digest_of(to_seq, s_dump, self->core);
    if (status == 0 && self->save_folder != NULL) status = s_save(self, &digest, problem);
    if (status != 0) {
        zvt_error("cannot fold to seq %" PRIu64 ": %s", to_seq, problem[0] != '\0' ? problem : zvt_strerror(status));
        return ZVT_EXIT_FAILED;
    }
    if (self->print_text) {
        (void)turn_core_dump(self->core, stdout);
    } else {
        s_print(self, &digest, &proof);
    }
    return fflush(stdout) == 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
