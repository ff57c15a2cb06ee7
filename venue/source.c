#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "synthetic_core.h"
#include "zvt_diag.h"
#include "zvt_json.h"

enum {
    STEPS_CAUGHT_UP = 5,   /* missed steps that are made up for; a longer pause is skipped */
    POSITION_SIZE = 640,
};
#define SLICE_NS (10 * ZVT_MS_NS)     /* a recording is played in slices of this length */
#define PAUSE_MAX_NS ZVT_SECOND_NS    /* a longer stop of the process does not make a recording leap */

struct source {
    source_config_t config;
    char fingerprint[LEDGER_MARKET_SIZE];
    synthetic_core_t *synthetic;
    recorded_core_t *recorded;
    player_t *player;

    int64_t origin_ns;      /* UTC of the synthetic market's time 0 */
    int64_t clock_offset_ns; /* UTC minus monotonic at the start: a clock that is set back does not turn the market back */
    int64_t step_ns;
    int64_t step;           /* last one made; INT64_MIN: none yet */
    int64_t played_ns;      /* recording: how far its clock is */
    bool end_saved;         /* the position file says that the recording has ended */
    int64_t advanced_ns;    /* monotonic: when it was last advanced */
};

/* ---- a venue without a market ---- */
static void s_none_preview(const void *market, const market_take_t *take, market_preview_t *preview)
{
    (void)market, (void)take;
    *preview = (market_preview_t){0};
}

static int64_t s_none_take(void *market, const market_take_t *take, market_take_fn *fn, void *arg)
{
    (void)market, (void)take, (void)fn, (void)arg;
    return 0;
}

static int s_none_rest(void *market, const market_rest_t *order)
{
    (void)market, (void)order;
    return 0;
}

static void s_none_cancel(void *market, uint32_t slot)
{
    (void)market, (void)slot;
}

static uint32_t s_none_levels(const void *market, uint32_t instrument, uint8_t side, zvt_level_t *levels, uint32_t max)
{
    (void)market, (void)instrument, (void)side, (void)levels, (void)max;
    return 0;
}

static const market_ops_t s_none_ops = {.preview = s_none_preview, .take = s_none_take, .rest = s_none_rest,
                                        .cancel = s_none_cancel, .levels = s_none_levels};

/* ---- making one ---- */
static int s_new_recorded(source_t *self, char problem[ZVT_PROBLEM_SIZE])
{
    char names[LEDGER_MARKET_SIZE - 16];
    capture_names(self->config.replay, names, sizeof names);
    snprintf(self->fingerprint, sizeof self->fingerprint, "recorded %s", names);
    self->recorded = recorded_core_new(self->config.fleet, &self->config.events);
    return player_new(&self->player, self->config.fleet, self->config.replay, self->recorded, problem);
}

static void s_new_synthetic(source_t *self)
{
    synthetic_config_t config = {.fleet = self->config.fleet, .venue = self->config.venue, .seed = self->config.seed,
                                 .step_ns = self->step_ns, .events = self->config.events};
    snprintf(self->fingerprint, sizeof self->fingerprint, "synthetic seed=%" PRIu64, self->config.seed);
    self->synthetic = synthetic_core_new(&config);
}

int source_new(source_t **self_out, const source_config_t *config, char problem[ZVT_PROBLEM_SIZE])
{
    source_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->step_ns = config->fleet->step_ms * ZVT_MS_NS;
    self->step = INT64_MIN;
    int status = 0;
    if (config->replay == NULL)
        s_new_synthetic(self);
    else if (config->fleet->venues[config->venue].replay)
        status = s_new_recorded(self, problem);
    else
        snprintf(self->fingerprint, sizeof self->fingerprint, "none");
    if (status != 0)
        source_destroy(&self);
    else
        *self_out = self;
    return status;
}

void source_destroy(source_t **self)
{
    if (*self == NULL) return;
    synthetic_core_destroy(&(*self)->synthetic);
    player_destroy(&(*self)->player);
    recorded_core_destroy(&(*self)->recorded);
    free(*self);
    *self = NULL;
}

const char *source_fingerprint(const source_t *self)
{
    return self->fingerprint;
}

market_t source_market(source_t *self)
{
    if (self->synthetic != NULL) return synthetic_core_market(self->synthetic);
    if (self->recorded != NULL) return recorded_core_market(self->recorded);
    return (market_t){.ops = &s_none_ops};
}

/* ---- the position of a recording ---- */

/* Reads "FILE LINE FINGERPRINT" (a second line, "ended", is for the supervisor script); false when there is no position for this recording. */
static bool s_read_position(const source_t *self, uint32_t *file, uint64_t *line)
{
    char text[POSITION_SIZE] = "";
    FILE *in = fopen(self->config.position_path, "re");
    if (in == NULL) return false;
    bool read = fgets(text, sizeof text, in) != NULL;
    fclose(in);
    int fingerprint_at = 0;
    text[strcspn(text, "\n")] = '\0';
    if (!read || sscanf(text, "%" SCNu32 " %" SCNu64 " %n", file, line, &fingerprint_at) != 2 || fingerprint_at == 0)
        return false;
    return strcmp(text + fingerprint_at, self->fingerprint) == 0;
}

void source_resume(source_t *self)
{
    uint32_t file;
    uint64_t line;
    if (self->player == NULL || !s_read_position(self, &file, &line)) return;
    player_skip_to(self->player, file, line);
    zvt_info("the recording goes on behind line %" PRIu64 " of file %" PRIu32, line, file + 1);
}

/* Not durable on purpose while it plays: after a power cut the recording may repeat more, and the ledger is what
 * counts. Its end is durable, because a market that has closed does not open again. */
void source_save_position(source_t *self)
{
    if (self->player == NULL || player_line(self->player) == 0) return;
    bool ended = player_has_ended(self->player);
    if (ended && self->end_saved) return;
    char text[POSITION_SIZE];
    int length = snprintf(text, sizeof text, "%" PRIu32 " %" PRIu64 " %s\n%s", player_file(self->player),
                          player_line(self->player), self->fingerprint, ended ? "ended\n" : "");
    int fd = open(self->config.position_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool written = fd >= 0 && pwrite(fd, text, (size_t)length, 0) == length && ftruncate(fd, length) == 0;
    if (written && ended) written = self->end_saved = fdatasync(fd) == 0;
    if (!written && zvt_diag_allowed())
        zvt_warn("cannot write %s: %s; a restart would repeat the recording", self->config.position_path, strerror(errno));
    if (fd >= 0) close(fd);
}

/* ---- moving ---- */
void source_start(source_t *self, int64_t origin_ns, int64_t utc_ns, int64_t monotonic_ns)
{
    self->origin_ns = origin_ns;
    self->clock_offset_ns = utc_ns - monotonic_ns;
    self->advanced_ns = monotonic_ns;
    if (self->player != NULL) self->played_ns = player_next_ns(self->player);
}

static int64_t s_step_at(const source_t *self, int64_t monotonic_ns)
{
    return (monotonic_ns + self->clock_offset_ns - self->origin_ns) / self->step_ns;
}

static bool s_advance_synthetic(source_t *self, int64_t monotonic_ns)
{
    int64_t now = s_step_at(self, monotonic_ns);
    int64_t next = self->step == INT64_MIN || now - self->step > STEPS_CAUGHT_UP ? now : self->step + 1;
    bool moved = next <= now;
    for (; next <= now; next++) {
        self->step = next;
        synthetic_core_step(self->synthetic, next);
    }
    return moved;
}

static bool s_play_until(source_t *self, int64_t until_ns)
{
    bool moved = player_advance(self->player, until_ns) > 0;
    if (player_has_ended(self->player)) source_save_position(self);
    return moved;
}

static bool s_advance_recorded(source_t *self, int64_t monotonic_ns)
{
    int64_t elapsed_ns = monotonic_ns - self->advanced_ns;
    self->advanced_ns = monotonic_ns;
    if (player_has_ended(self->player)) return false;
    int64_t next_ns = player_next_ns(self->player);
    if (self->config.speed == 0) return s_play_until(self, next_ns + SLICE_NS);
    if (elapsed_ns > PAUSE_MAX_NS) elapsed_ns = PAUSE_MAX_NS;
    self->played_ns += (int64_t)((double)elapsed_ns * self->config.speed);
    if (next_ns - self->played_ns > SOURCE_GAP_NS) self->played_ns = next_ns;
    return s_play_until(self, self->played_ns);
}

bool source_advance(source_t *self, int64_t monotonic_ns)
{
    if (self->synthetic != NULL) return s_advance_synthetic(self, monotonic_ns);
    return self->player != NULL && s_advance_recorded(self, monotonic_ns);
}

int64_t source_next_ns(const source_t *self, int64_t monotonic_ns)
{
    if (self->synthetic != NULL)
        return (s_step_at(self, monotonic_ns) + 1) * self->step_ns + self->origin_ns - self->clock_offset_ns;
    if (self->player == NULL || player_has_ended(self->player)) return 0;
    if (self->config.speed == 0) return monotonic_ns;
    double wait_ns = (double)(player_next_ns(self->player) - self->played_ns) / self->config.speed;
    int64_t bounded_ns = wait_ns > (double)PAUSE_MAX_NS ? PAUSE_MAX_NS : (int64_t)wait_ns;
    return monotonic_ns + (bounded_ns > SLICE_NS ? bounded_ns : SLICE_NS);
}

bool source_is_unpaced(const source_t *self)
{
    return self->player != NULL && self->config.speed == 0;
}

int64_t source_market_ns(const source_t *self)
{
    if (self->synthetic != NULL) return self->step == INT64_MIN ? self->origin_ns : self->origin_ns + self->step * self->step_ns;
    return self->player != NULL ? player_market_ns(self->player) : 0;
}

bool source_is_open(const source_t *self)
{
    return self->synthetic != NULL || (self->player != NULL && !player_has_ended(self->player));
}

bool source_has_ended(const source_t *self)
{
    return self->player != NULL && player_has_ended(self->player);
}

const char *source_message(const source_t *self)
{
    if (source_is_open(self)) return "";
    return self->player != NULL ? player_message(self->player) : "this venue takes no part in the recorded market";
}

void source_stats(const source_t *self, FILE *body)
{
    fprintf(body, "\"source\": ");
    zvt_json_string(body, self->fingerprint);
    fprintf(body, ", \"market_ts_ns\": %" PRId64, source_market_ns(self));
    if (self->player == NULL) return;
    const recorded_counts_t *book = recorded_core_counts(self->recorded);
    const capture_counts_t *lines = player_counts(self->player);
    fprintf(body,
            ", \"file\": %" PRIu32 ", \"line\": %" PRIu64 ", \"lines\": %" PRIu64 ", \"malformed_lines\": %" PRIu64
            ", \"unknown_symbols\": %" PRIu64 ", \"depth_updates\": %" PRIu64 ", \"depth_gaps\": %" PRIu64
            ", \"snapshots\": %" PRIu64 ", \"quotes\": %" PRIu64 ", \"trades\": %" PRIu64 ", \"book_compared\": %" PRIu64
            ", \"book_differing\": %" PRIu64,
            player_file(self->player) + 1, player_line(self->player), lines->lines, lines->malformed,
            player_unknown_symbols(self->player), book->depth_updates, book->depth_gaps, book->snapshots, book->quotes,
            book->trades, book->compared, book->differing);
}
