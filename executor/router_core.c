#include "router_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_stats.h"
#include "zvt_text.h"

_Static_assert((int)ZVT_VENUES_MAX <= (int)ZVT_LIST_MAX_routing_metric, "every venue needs a row in routing_metrics");

enum { LEVELS_MAX = ZVT_LIST_MAX_level + 1 /* the quote */ };
#define NS_TO_MS_E8 100                 /* 1 ms = 1e6 ns = 1e8 at 1e-8 */
#define SCORE_MAX_E8 (INT64_MAX / 8)    /* a sum of four of these fits */
#define TENTH_BP_E8 1000                /* a tenth of a basis point as a ratio */

typedef struct {
    bool quoted, booked;
    zvt_price_updated_t quote;
    zvt_orderbook_updated_t book;
} router_market_t;

typedef struct {
    bool reachable;
    bool closed; /* said by its status */
    bool throttled; /* an order would wait too long for its limits */
    int64_t wait_ns; /* for its limits */
    breaker_t breaker;
    venue_health_t health;
    router_market_t markets[ZVT_INSTRUMENTS_MAX];
} router_venue_t;

struct router_core {
    const zvt_fleet_t *fleet;
    zvt_map_t *by_symbol; /* to the instrument's index */
    bool halted;
    char halt_reason[ZVT_MESSAGE_SIZE];
    router_venue_t venues[ZVT_VENUES_MAX];
};

router_core_t *router_core_new(const zvt_fleet_t *fleet)
{
    router_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->by_symbol = zvt_map_new(ZVT_SYMBOL_SIZE, ZVT_INSTRUMENTS_MAX);
    for (uint32_t i = 0; i < fleet->instruments_count; i++)
        ZVT_ASSERT(zvt_map_put(self->by_symbol, fleet->instruments[i].symbol, i) == 0);
    for (uint32_t i = 0; i < fleet->venues_count; i++) breaker_core_init(&self->venues[i].breaker);
    return self;
}

void router_core_destroy(router_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_symbol);
    free(*self);
    *self = NULL;
}

/* ---- what is known of the venues ---- */
static router_market_t *s_market(router_core_t *self, uint32_t venue, const char symbol[ZVT_SYMBOL_SIZE])
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    uint32_t instrument = zvt_map_get(self->by_symbol, symbol);
    if (instrument != ZVT_MAP_NONE) return &self->venues[venue].markets[instrument];
    ZVT_COUNT("unknown_symbol");
    return NULL;
}

void router_core_on_quote(router_core_t *self, uint32_t venue, const zvt_price_updated_t *quote)
{
    router_market_t *market = s_market(self, venue, quote->symbol);
    if (market == NULL || (market->quoted && quote->symbol_seq < market->quote.symbol_seq)) return;
    market->quote = *quote;
    market->quoted = true;
}

void router_core_on_book(router_core_t *self, uint32_t venue, const zvt_orderbook_updated_t *book)
{
    router_market_t *market = s_market(self, venue, book->symbol);
    if (market == NULL || (market->booked && book->symbol_seq < market->book.symbol_seq)) return;
    market->book = *book;
    market->booked = true;
}

void router_core_on_status(router_core_t *self, uint32_t venue, const zvt_market_status_t *status)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    self->venues[venue].closed = !status->open;
}

void router_core_forget_market(router_core_t *self, uint32_t venue)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    self->venues[venue].closed = false;
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++) {
        self->venues[venue].markets[i].quoted = false;
        self->venues[venue].markets[i].booked = false;
    }
}

void router_core_on_reachable(router_core_t *self, uint32_t venue, bool reachable)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    self->venues[venue].reachable = reachable;
}

venue_health_t *router_core_health(router_core_t *self, uint32_t venue)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    return &self->venues[venue].health;
}

breaker_t *router_core_breaker(router_core_t *self, uint32_t venue)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    return &self->venues[venue].breaker;
}

void router_core_on_wait(router_core_t *self, uint32_t venue, int64_t wait_ns, bool in_time)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    self->venues[venue].wait_ns = wait_ns;
    self->venues[venue].throttled = !in_time;
}

void router_core_halt(router_core_t *self, const char *reason)
{
    self->halted = reason != NULL;
    ZVT_STR_SET(self->halt_reason, reason != NULL ? reason : "");
}

/* ---- one side of a venue's book ---- */
typedef struct {
    uint32_t count;
    zvt_level_t levels[LEVELS_MAX]; /* best first */
} side_t;

static bool s_better(bool buys, int64_t price_e8, int64_t than_e8)
{
    return buys ? price_e8 < than_e8 : price_e8 > than_e8;
}

/* The levels an order would meet. A quote that is newer than the book takes the place of every level as good as it. */
static void s_side(const router_market_t *market, bool buys, side_t *side)
{
    const zvt_orderbook_updated_t *book = &market->book;
    const zvt_level_t *levels = buys ? book->asks : book->bids;
    uint32_t count = !market->booked ? 0 : buys ? book->asks_count : book->bids_count;
    bool quote_is_newer = market->quoted && (!market->booked || market->quote.symbol_seq > book->symbol_seq);
    zvt_level_t best = {.price_e8 = buys ? market->quote.ask_e8 : market->quote.bid_e8,
                        .quantity_e8 = buys ? market->quote.ask_volume_e8 : market->quote.bid_volume_e8};
    side->count = 0;
    if (quote_is_newer && best.price_e8 <= 0) return; /* that side is empty now */
    if (quote_is_newer && best.quantity_e8 > 0) side->levels[side->count++] = best;
    for (uint32_t i = 0; i < count; i++) {
        if (quote_is_newer && !s_better(buys, best.price_e8, levels[i].price_e8)) continue;
        if (levels[i].price_e8 > 0 && levels[i].quantity_e8 > 0) side->levels[side->count++] = levels[i];
    }
}

/* ---- one route ---- */
typedef struct {
    const zvt_route_request_t *request;
    uint32_t instrument;
    int64_t now_ns;
    bool buys;
    bool limited; /* has a limit price */
    bool rests;   /* what does not execute at once stays on the book */
    int named;    /* the only venue allowed, or -1 */
    int avoid;    /* the venue that just refused it, or -1 */
} route_t;

typedef struct {
    int64_t price_e8;        /* after fees, as scored; 0: cannot be told */
    int64_t missing_cost_e8; /* for what cannot execute at once */
} price_t;

static int64_t s_capped(__int128 value)
{
    return value > SCORE_MAX_E8 ? SCORE_MAX_E8 : (int64_t)value;
}

static int s_after_fee(bool buys, int64_t price_e8, int64_t fee_e8, int64_t *result_e8)
{
    return zvt_fixed_mul(price_e8, buys ? ZVT_E8 + fee_e8 : ZVT_E8 - fee_e8, result_e8);
}

typedef struct {
    __int128 cost;     /* sum of price after fee times quantity; at most one int64 times the quantity */
    int64_t taken_e8;  /* of the order */
    int64_t depth_e8;  /* of the book, within the limit */
} walk_t;

/* Takes the order's quantity from the levels within its limit. */
static int s_walk(const side_t *side, const route_t *route, int64_t fee_e8, walk_t *walk)
{
    const zvt_order_request_t *order = &route->request->order_request;
    *walk = (walk_t){.cost = 0};
    for (uint32_t i = 0; i < side->count; i++) {
        const zvt_level_t *level = &side->levels[i];
        if (route->limited && s_better(route->buys, order->limit_price_e8, level->price_e8)) return 0;
        int64_t left_e8 = route->request->quantity_e8 - walk->taken_e8;
        int64_t take_e8 = level->quantity_e8 < left_e8 ? level->quantity_e8 : left_e8;
        int64_t price_e8;
        if (s_after_fee(route->buys, level->price_e8, fee_e8, &price_e8) != 0) return ZVT_ERR_OVERFLOW;
        walk->cost += (__int128)price_e8 * take_e8;
        walk->taken_e8 += take_e8;
        if (zvt_fixed_add(walk->depth_e8, level->quantity_e8, &walk->depth_e8) != 0) return ZVT_ERR_OVERFLOW;
    }
    return 0;
}

/* An order that rests: what executes at once at the book's prices, the rest at its limit. A post-only order takes
 * nothing; where it would, the venue refuses it. */
static int s_price_resting(const route_t *route, const walk_t *walk, const zvt_venue_config_t *venue, price_t *price)
{
    const zvt_order_request_t *order = &route->request->order_request;
    int64_t quantity_e8 = route->request->quantity_e8, at_limit_e8;
    if (s_after_fee(route->buys, order->limit_price_e8, venue->maker_fee_e8, &at_limit_e8) != 0) return ZVT_ERR_OVERFLOW;
    if (order->post_only) {
        price->price_e8 = at_limit_e8;
        price->missing_cost_e8 = walk->depth_e8 > 0 ? ROUTER_MISSING_LOST_E8 : 0;
        return 0;
    }
    int64_t rest_e8 = quantity_e8 - walk->taken_e8;
    __int128 cost = walk->cost + (__int128)at_limit_e8 * rest_e8;
    price->price_e8 = (int64_t)(cost / quantity_e8);
    return zvt_fixed_muldiv(ROUTER_MISSING_RESTS_E8, rest_e8, quantity_e8, &price->missing_cost_e8);
}

/* An order that executes at once or not at all; what is missing does not change its price. */
static int s_price_taking(const route_t *route, const walk_t *walk, const zvt_venue_config_t *venue, price_t *price)
{
    int64_t quantity_e8 = route->request->quantity_e8;
    if (walk->taken_e8 > 0)
        price->price_e8 = (int64_t)(walk->cost / walk->taken_e8);
    else if (s_after_fee(route->buys, route->request->order_request.limit_price_e8, venue->taker_fee_e8, &price->price_e8) != 0)
        return ZVT_ERR_OVERFLOW;
    return zvt_fixed_muldiv(ROUTER_MISSING_LOST_E8, quantity_e8 - walk->taken_e8, quantity_e8, &price->missing_cost_e8);
}

/* Fills price, depth and fee of the metric, and its code when the book rules the venue out. */
static void s_price(const router_core_t *self, const route_t *route, uint32_t venue, zvt_routing_metric_t *metric, price_t *price)
{
    const zvt_venue_config_t *config = &self->fleet->venues[venue];
    const zvt_order_request_t *order = &route->request->order_request;
    side_t side;
    walk_t walk;
    s_side(&self->venues[venue].markets[route->instrument], route->buys, &side);
    if (s_walk(&side, route, config->taker_fee_e8, &walk) != 0) {
        metric->code = ZVT_CODE_NUMBER_OVERFLOW;
        return;
    }
    bool complete = walk.taken_e8 == route->request->quantity_e8;
    bool takes = walk.taken_e8 > 0 && !order->post_only;
    metric->depth_e8 = walk.depth_e8;
    metric->fee_e8 = takes || !route->rests ? config->taker_fee_e8 : config->maker_fee_e8;
    bool fill_or_kill = order->time_in_force == ZVT_TIF_FOK;
    bool nothing_there = !route->limited && walk.taken_e8 == 0;
    if ((fill_or_kill && !complete) || nothing_there) {
        metric->code = ZVT_CODE_NO_LIQUIDITY;
        return;
    }
    int status = route->rests ? s_price_resting(route, &walk, config, price) : s_price_taking(route, &walk, config, price);
    if (status != 0) metric->code = ZVT_CODE_NUMBER_OVERFLOW;
    metric->price_e8 = route->rests || complete ? price->price_e8 : 0;
}

/* ---- filters: what rules a venue out before its book is looked at ---- */
typedef bool(filter_fn)(const router_core_t *self, const route_t *route, uint32_t venue);

static bool s_is_another(const router_core_t *self, const route_t *route, uint32_t venue)
{
    (void)self;
    return route->named >= 0 && (uint32_t)route->named != venue;
}

static bool s_is_unreachable(const router_core_t *self, const route_t *route, uint32_t venue)
{
    (void)route;
    return !self->venues[venue].reachable;
}

static bool s_is_closed(const router_core_t *self, const route_t *route, uint32_t venue)
{
    (void)route;
    return self->venues[venue].closed;
}

static bool s_is_cut_off(const router_core_t *self, const route_t *route, uint32_t venue)
{
    return !breaker_core_admits(&self->venues[venue].breaker, route->now_ns);
}

static bool s_is_throttled(const router_core_t *self, const route_t *route, uint32_t venue)
{
    (void)route;
    return self->venues[venue].throttled;
}

static bool s_is_without_price(const router_core_t *self, const route_t *route, uint32_t venue)
{
    const router_market_t *market = &self->venues[venue].markets[route->instrument];
    return !market->quoted && !market->booked;
}

static const struct {
    filter_fn *rules_out;
    uint8_t code;
} s_filters[] = {
    {.rules_out = s_is_another, .code = ZVT_CODE_VENUE_EXCLUDED},
    {.rules_out = s_is_cut_off, .code = ZVT_CODE_CIRCUIT_OPEN},
    {.rules_out = s_is_unreachable, .code = ZVT_CODE_VENUE_UNREACHABLE},
    {.rules_out = s_is_throttled, .code = ZVT_CODE_VENUE_THROTTLED},
    {.rules_out = s_is_closed, .code = ZVT_CODE_MARKET_CLOSED},
    {.rules_out = s_is_without_price, .code = ZVT_CODE_NO_REFERENCE_PRICE},
};

/* Why the orchestrator does not want this venue; OK if it has nothing against it. */
static uint8_t s_excluded(const router_core_t *self, const route_t *route, uint32_t venue)
{
    for (uint32_t i = 0; i < route->request->excluded_count; i++)
        if (strcmp(route->request->excluded[i].exchange, self->fleet->venues[venue].name) == 0)
            return route->request->excluded[i].code;
    return ZVT_CODE_OK;
}

static uint8_t s_filter(const router_core_t *self, const route_t *route, uint32_t venue)
{
    uint8_t excluded = s_excluded(self, route, venue);
    if (excluded != ZVT_CODE_OK && !s_is_another(self, route, venue)) return excluded;
    for (size_t i = 0; i < sizeof s_filters / sizeof s_filters[0]; i++)
        if (s_filters[i].rules_out(self, route, venue)) return s_filters[i].code;
    return ZVT_CODE_OK;
}

/* ---- score ---- */
static void s_judge(const router_core_t *self, const route_t *route, uint32_t venue, zvt_routing_metric_t *metric, price_t *price)
{
    const venue_health_t *health = &self->venues[venue].health;
    ZVT_STR_SET(metric->exchange, self->fleet->venues[venue].name);
    metric->latency_ms_e8 = s_capped(((__int128)venue_health_latency_ns(health) + self->venues[venue].wait_ns) * NS_TO_MS_E8);
    metric->failure_rate_e8 = venue_health_failure_rate_e8(health, route->now_ns);
    metric->code = s_filter(self, route, venue);
    if (metric->code == ZVT_CODE_OK) s_price(self, route, venue, metric, price);
}

static void s_score(const router_core_t *self, zvt_routing_metric_t *metric, const price_t *price, int64_t best_e8)
{
    __int128 behind = (__int128)price->price_e8 - best_e8;
    if (behind < 0) behind = -behind;
    int64_t score_e8 = best_e8 == 0 ? 0 : s_capped(behind * ZVT_E8 / best_e8);
    score_e8 += s_capped((__int128)self->fleet->weight_latency_e8 * metric->latency_ms_e8 / ZVT_E8);
    score_e8 += s_capped((__int128)self->fleet->weight_failure_e8 * metric->failure_rate_e8 / ZVT_E8);
    metric->score_e8 = score_e8 + price->missing_cost_e8;
}

/* Best price after fees of the venues that can take the order; 0 without one. */
static int64_t s_best_price(const route_t *route, const zvt_route_reply_t *reply, const price_t *prices)
{
    int64_t best_e8 = 0;
    for (uint32_t i = 0; i < reply->routing_metrics_count; i++) {
        if (reply->routing_metrics[i].code != ZVT_CODE_OK) continue;
        if (best_e8 == 0 || s_better(route->buys, prices[i].price_e8, best_e8)) best_e8 = prices[i].price_e8;
    }
    return best_e8;
}

/* The venue with the lowest score, or -1. */
static int s_lowest(const zvt_route_reply_t *reply, int except)
{
    int winner = -1;
    for (int i = 0; i < (int)reply->routing_metrics_count; i++) {
        const zvt_routing_metric_t *metric = &reply->routing_metrics[i];
        if (metric->code != ZVT_CODE_OK || i == except) continue;
        if (winner < 0 || metric->score_e8 < reply->routing_metrics[winner].score_e8) winner = i;
    }
    return winner;
}

/* ---- the reason in words ---- */

/* Adds text, or nothing when it does not fit as a whole. */
ZVT_PRINTF(2, 3) static void s_say(zvt_route_reply_t *reply, const char *format, ...)
{
    size_t length = strlen(reply->routing_reason), room = sizeof reply->routing_reason - length;
    va_list args;
    va_start(args, format);
    int added = vsnprintf(reply->routing_reason + length, room, format, args);
    va_end(args);
    if (added < 0 || (size_t)added >= room) reply->routing_reason[length] = '\0';
}

/* One of the venues that were not chosen, as " (beta +2.1 bp" or ", beta HALTED"; or nothing when it does not fit. */
static void s_add_other(zvt_text_t *text, const char *separator, const zvt_routing_metric_t *metric, int64_t best_score_e8)
{
    zvt_text_t before = *text;
    bool fits = zvt_text_add(text, separator) && zvt_text_add(text, metric->exchange);
    if (metric->code == ZVT_CODE_OK) {
        uint64_t tenths = (uint64_t)((metric->score_e8 - best_score_e8 + TENTH_BP_E8 / 2) / TENTH_BP_E8);
        fits = fits && zvt_text_add(text, " +") && zvt_text_add_u64(text, tenths / 10) && zvt_text_add(text, ".") &&
               zvt_text_add_u64(text, tenths % 10) && zvt_text_add(text, " bp");
    } else {
        fits = fits && zvt_text_add(text, " ") && zvt_text_add(text, zvt_code_text(metric->code));
    }
    if (!fits) zvt_text_rewind(text, before);
}

static void s_add_others(zvt_text_t *text, const zvt_route_reply_t *reply, int winner)
{
    const char *separator = " (";
    for (int i = 0; i < (int)reply->routing_metrics_count; i++) {
        if (i == winner) continue;
        s_add_other(text, separator, &reply->routing_metrics[i], reply->routing_metrics[winner].score_e8);
        separator = ", ";
    }
    if (separator[0] == ',') (void)zvt_text_add(text, ")");
}

static const char *s_why(const route_t *route, const zvt_route_reply_t *reply, bool has_best_price)
{
    uint32_t able = 0;
    for (uint32_t i = 0; i < reply->routing_metrics_count; i++) able += reply->routing_metrics[i].code == ZVT_CODE_OK;
    if (route->named >= 0) return "named by the order, price after fees";
    if (able == 1) return "the only venue that can take it, price after fees";
    return has_best_price ? "best price after fees" : "lowest score, price after fees";
}

/* Such as "alpha: best price after fees 60012.34 (beta +2.1 bp)"; the basis points are the distance in score. */
static void s_explain(const route_t *route, zvt_route_reply_t *reply, int winner, int64_t price_e8, int64_t best_e8)
{
    char price[ZVT_FIXED_TEXT];
    zvt_text_t text = zvt_text(reply->routing_reason, sizeof reply->routing_reason);
    const char *const pieces[] = {reply->selected_exchange, ": ", s_why(route, reply, price_e8 == best_e8), " ", price};
    zvt_fixed_format(price_e8, price);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) (void)zvt_text_add(&text, pieces[i]);
    if (route->named < 0) s_add_others(&text, reply, winner);
}

/* ---- answers ---- */

/* The code that every venue in question has, or NO_VENUE when they differ. */
static uint8_t s_common_code(const zvt_route_reply_t *reply)
{
    uint8_t common = 0;
    for (uint32_t i = 0; i < reply->routing_metrics_count; i++) {
        uint8_t code = reply->routing_metrics[i].code;
        if (code == ZVT_CODE_VENUE_EXCLUDED) continue;
        if (common != 0 && common != code) return ZVT_CODE_NO_VENUE;
        common = code;
    }
    return common == 0 ? ZVT_CODE_NO_VENUE : common;
}

static void s_answer_none(zvt_route_reply_t *reply)
{
    const char *separator = ": ";
    reply->code = s_common_code(reply);
    s_say(reply, "no venue can take it");
    for (uint32_t i = 0; i < reply->routing_metrics_count; i++) {
        const zvt_routing_metric_t *metric = &reply->routing_metrics[i];
        s_say(reply, "%s%s %s", separator, metric->exchange, zvt_code_text(metric->code));
        separator = ", ";
    }
}

/* Code of a request that no venue could take, whatever its market. */
static uint8_t s_check(const router_core_t *self, const zvt_route_request_t *request)
{
    const zvt_order_request_t *order = &request->order_request;
    if (zvt_map_get(self->by_symbol, order->symbol) == ZVT_MAP_NONE) return ZVT_CODE_UNKNOWN_SYMBOL;
    if (request->quantity_e8 <= 0) return ZVT_CODE_BAD_QUANTITY;
    if (order->side == 0 || order->order_type == 0) return ZVT_CODE_BAD_ORDER;
    if (order->order_type == ZVT_ORDER_TYPE_LIMIT && order->limit_price_e8 <= 0) return ZVT_CODE_BAD_PRICE;
    if (order->venue[0] != '\0' && zvt_fleet_venue(self->fleet, order->venue) < 0) return ZVT_CODE_UNKNOWN_VENUE;
    return ZVT_CODE_OK;
}

static route_t s_route(const router_core_t *self, const zvt_route_request_t *request, int64_t now_ns)
{
    const zvt_order_request_t *order = &request->order_request;
    bool limited = order->order_type == ZVT_ORDER_TYPE_LIMIT;
    bool at_once = order->time_in_force == ZVT_TIF_IOC || order->time_in_force == ZVT_TIF_FOK;
    return (route_t){.request = request,
                     .instrument = zvt_map_get(self->by_symbol, order->symbol),
                     .now_ns = now_ns,
                     .buys = order->side == ZVT_SIDE_BUY,
                     .limited = limited,
                     .rests = limited && !at_once,
                     .named = order->venue[0] == '\0' ? -1 : zvt_fleet_venue(self->fleet, order->venue),
                     .avoid = request->avoid[0] == '\0' ? -1 : zvt_fleet_venue(self->fleet, request->avoid)};
}

static void s_choose(router_core_t *self, const route_t *route, zvt_route_reply_t *reply)
{
    price_t prices[ZVT_VENUES_MAX] = {{0}};
    reply->routing_metrics_count = self->fleet->venues_count;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        s_judge(self, route, i, &reply->routing_metrics[i], &prices[i]);
    int64_t best_e8 = s_best_price(route, reply, prices);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (reply->routing_metrics[i].code == ZVT_CODE_OK) s_score(self, &reply->routing_metrics[i], &prices[i], best_e8);
    int winner = s_lowest(reply, route->avoid);
    if (winner >= 0 && route->avoid >= 0 && reply->routing_metrics[route->avoid].code == ZVT_CODE_OK)
        reply->routing_metrics[route->avoid].code = ZVT_CODE_VENUE_EXCLUDED;
    if (winner < 0) winner = s_lowest(reply, -1); /* the one to avoid is the only one */
    if (winner < 0) {
        s_answer_none(reply);
        return;
    }
    reply->code = ZVT_CODE_OK;
    breaker_core_on_routed(&self->venues[winner].breaker, route->now_ns);
    ZVT_STR_SET(reply->selected_exchange, self->fleet->venues[winner].name);
    s_explain(route, reply, winner, prices[winner].price_e8, best_e8);
}

void router_core_route(router_core_t *self, const zvt_route_request_t *request, int64_t now_ns, zvt_route_reply_t *reply)
{
    memset(reply, 0, sizeof *reply);
    reply->order_id = request->order_id;
    reply->attempt = request->attempt;
    if (self->halted) {
        reply->code = ZVT_CODE_HALTED;
        s_say(reply, "nothing is sent to any venue: %s", self->halt_reason);
        return;
    }
    reply->code = s_check(self, request);
    if (reply->code != ZVT_CODE_OK) {
        s_say(reply, "%s symbol=%s venue=%s", zvt_code_text(reply->code), request->order_request.symbol,
              request->order_request.venue);
        return;
    }
    route_t route = s_route(self, request, now_ns);
    s_choose(self, &route, reply);
}
