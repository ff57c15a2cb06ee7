/* mean_reversion -- buys what is unusually cheap against its recent mean, sells it when it is back there.
 *
 * The measure is the z-score: how many standard deviations the middle of bid and ask lies from its mean over the last
 * `window` ticks. It is computed in integers, so that a replay decides exactly alike on every machine. */
#include "builtin.h"
#include "taker.h"

/* Deviations beyond 1e16 (100 million in the quote asset) would overflow the sums below: the window begins anew. */
#define DEVIATION_MAX_E8 INT64_C(10000000000000000)

typedef struct {
    taker_t taker;
    int64_t window;      /* setting: ticks that make mean and deviation */
    int64_t entry_z_e8;  /* setting: buys at this many deviations below the mean */
    int64_t exit_z_e8;   /* setting: sells from this many deviations on; negative is below the mean */
    int64_t base_e8;     /* price that deviations are counted from, so that their squares stay small */
    int64_t count;       /* ticks in the window */
    int64_t next;        /* where the next tick goes in the ring */
    __int128 sum;        /* of the deviations in the window */
    __int128 sum_squares;
    int64_t deviations_e8[BUILTIN_WINDOW_MAX];
} mean_reversion_t;

static const zvt_param_t s_params[] = {
    ZVT_INTEGER(mean_reversion_t, window, "window", "30", "4", "1024", "ticks that make mean and standard deviation"),
    ZVT_DECIMAL(mean_reversion_t, entry_z_e8, "entry_z", "1.5", "0", "100", "buys this many deviations below the mean"),
    ZVT_DECIMAL(mean_reversion_t, exit_z_e8, "exit_z", "0", "-100", "100", "sells from this many deviations on"),
    TAKER_PARAMS(mean_reversion_t, taker),
    ZVT_PARAMS_END,
};

static void s_begin(mean_reversion_t *self, int64_t mid_e8)
{
    self->base_e8 = mid_e8;
    self->count = self->next = 0;
    self->sum = self->sum_squares = 0;
}

static void s_remember(mean_reversion_t *self, int64_t deviation_e8)
{
    if (self->count == self->window) {
        __int128 oldest = self->deviations_e8[self->next];
        self->sum -= oldest;
        self->sum_squares -= oldest * oldest;
    } else {
        self->count++;
    }
    self->deviations_e8[self->next] = deviation_e8;
    self->next = (self->next + 1) % self->window;
    self->sum += deviation_e8;
    self->sum_squares += (__int128)deviation_e8 * deviation_e8;
}

/* Largest integer whose square is not above `value`. */
static __int128 s_square_root(__int128 value)
{
    __int128 root = 0;
    for (__int128 bit = (__int128)1 << 62; bit > 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= value) root += bit;
    return root;
}

/* z = (x - sum / n) / sqrt(squares / n - (sum / n)^2), with both sides times n. False when nothing varies. */
static bool s_z_score(const mean_reversion_t *self, int64_t deviation_e8, int64_t *z_e8)
{
    __int128 n = self->count;
    __int128 root = s_square_root(n * self->sum_squares - self->sum * self->sum);
    if (root == 0) return false;
    __int128 z = (n * deviation_e8 - self->sum) * ZVT_E8 / root;
    __int128 bound = 1000 * ZVT_E8;
    *z_e8 = (int64_t)(z > bound ? bound : z < -bound ? -bound : z);
    return true;
}

static void s_decide(mean_reversion_t *self, zvt_strategy_context_t *context, int64_t deviation_e8)
{
    int64_t z_e8;
    if (!s_z_score(self, deviation_e8, &z_e8)) return;
    if (z_e8 <= -self->entry_z_e8)
        taker_buy(&self->taker, context, -z_e8 / 4);
    else if (z_e8 >= self->exit_z_e8)
        taker_sell(&self->taker, context, ZVT_E8 / 2);
}

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    mean_reversion_t *self = state;
    taker_news_t news = taker_on_quote(&self->taker, context, quote);
    if (news == TAKER_NOTHING) return;
    int64_t mid_e8 = self->taker.mid_e8;
    if (news == TAKER_BEGAN) s_begin(self, mid_e8);
    int64_t deviation_e8 = mid_e8 - self->base_e8;
    if (deviation_e8 > DEVIATION_MAX_E8 || deviation_e8 < -DEVIATION_MAX_E8) {
        s_begin(self, mid_e8);
        deviation_e8 = 0;
    }
    if (self->count == self->window) s_decide(self, context, deviation_e8);
    s_remember(self, deviation_e8);
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    mean_reversion_t *self = state;
    taker_on_order(&self->taker, context, order, update);
}

const zvt_strategy_t mean_reversion_strategy = {
    .name = "mean_reversion",
    .summary = "buys far below a moving mean, sells what it has when the price is back",
    .params = s_params,
    .state_size = sizeof(mean_reversion_t),
    .on_quote = s_on_quote,
    .on_order = s_on_order,
};
