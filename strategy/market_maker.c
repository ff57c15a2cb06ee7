/* market_maker -- rests a bid and an ask at the touch and earns the spread; moves both against its inventory.
 *
 * It acts through submit and cancel alone and learns from on_book and on_order alone. Both quotes are post-only limits
 * on one venue: the given one, or the first whose book it sees. A quote that is no longer where it should be is
 * canceled, and sent anew once it is over. With nothing in stock it only bids, and it never offers more than it has. */
#include <string.h>

#include "builtin.h"
#include "taker.h"

/* One of the two quotes. */
typedef struct {
    bool working;          /* sent and not over */
    bool cancel_asked;
    zvt_id_t signal_id;    /* of the working one */
    int64_t price_e8;
    int64_t leaves_e8;
    int64_t not_before_ns; /* of the next submit or cancel */
} quote_t;

enum { BID, ASK, SIDES };

typedef struct {
    /* settings */
    int64_t quantity_e8;     /* of a quote, base asset; 0: what order_value buys */
    int64_t order_value_e8;  /* of a quote, quote asset */
    int64_t position_orders; /* largest position, in quotes */
    int64_t min_spread_e8;   /* between the two quotes, ratio of the price */
    int64_t skew_e8;         /* both quotes move down by this at a full position, ratio of the price */
    int64_t requote_e8;      /* a quote this far off is replaced, ratio of the price */
    int64_t requote_ms;      /* between two actions on a side */
    int64_t refusal_ms;      /* pause of a side after a refusal */
    /* state */
    char venue[ZVT_VENUE_SIZE]; /* "" before the first book */
    quote_t quotes[SIDES];
} market_maker_t;

static const zvt_param_t s_params[] = {
    ZVT_DECIMAL(market_maker_t, quantity_e8, "quantity", "0", "0", "1000000000",
                "base asset per quote; 0: what order_value buys"),
    ZVT_DECIMAL(market_maker_t, order_value_e8, "order_value", "1000", "0", "1000000000", "quote asset per quote"),
    ZVT_INTEGER(market_maker_t, position_orders, "position_orders", "10", "1", "1000", "largest position, in quotes"),
    ZVT_DECIMAL(market_maker_t, min_spread_e8, "min_spread", "0.0001", "0", "0.5", "between its quotes, ratio of the price"),
    ZVT_DECIMAL(market_maker_t, skew_e8, "skew", "0.0005", "0", "0.5", "moves both down by this at a full position, ratio"),
    ZVT_DECIMAL(market_maker_t, requote_e8, "requote", "0.0001", "0", "0.5", "replaces a quote this far off, ratio"),
    ZVT_INTEGER(market_maker_t, requote_ms, "requote_ms", "500", "0", "86400000", "pause between two actions on a side"),
    ZVT_INTEGER(market_maker_t, refusal_ms, "refusal_ms", "5000", "0", "86400000", "pause of a side after a refusal"),
    ZVT_PARAMS_END,
};

/* Where a quote should be; quantity 0: nowhere. */
typedef struct {
    int64_t price_e8;
    int64_t quantity_e8;
} target_t;

/* Best price of a side that somebody else makes; 0 if there is none. */
static int64_t s_touch(const zvt_level_t *levels, uint32_t count, const quote_t *own)
{
    for (uint32_t i = 0; i < count; i++) {
        bool only_own = own->working && levels[i].price_e8 == own->price_e8 && levels[i].quantity_e8 <= own->leaves_e8;
        if (!only_own) return levels[i].price_e8;
    }
    return 0;
}

static int64_t s_share(int64_t price_e8, int64_t ratio_e8)
{
    int64_t share_e8;
    return zvt_fixed_mul(price_e8, ratio_e8, &share_e8) == 0 ? share_e8 : 0;
}

/* How far both quotes go down for the inventory: the whole skew at a full position. */
static int64_t s_skew(const market_maker_t *self, int64_t mid_e8, int64_t position_e8, int64_t full_e8)
{
    int64_t moved_e8;
    if (full_e8 <= 0 || zvt_fixed_muldiv(s_share(mid_e8, self->skew_e8), position_e8, full_e8, &moved_e8) != 0) return 0;
    return moved_e8;
}

/* Prices and quantities of both quotes for a touch that others make. */
static void s_aim(const market_maker_t *self, const zvt_strategy_context_t *context, int64_t bid_e8, int64_t ask_e8,
                  target_t targets[SIDES])
{
    int64_t tick_e8 = zvt_strategy_instrument(context)->tick_e8, position_e8 = zvt_strategy_position(context);
    int64_t mid_e8 = bid_e8 + (ask_e8 - bid_e8) / 2, half_e8 = s_share(mid_e8, self->min_spread_e8) / 2;
    int64_t quantity_e8 = taker_quantity(context, self->quantity_e8, self->order_value_e8, mid_e8), full_e8, after_e8;
    if (zvt_fixed_muldiv(quantity_e8, self->position_orders, 1, &full_e8) != 0) full_e8 = quantity_e8;
    int64_t skew_e8 = s_skew(self, mid_e8, position_e8, full_e8);

    int64_t buy_e8 = (bid_e8 < mid_e8 - half_e8 ? bid_e8 : mid_e8 - half_e8) - skew_e8;
    int64_t sell_e8 = (ask_e8 > mid_e8 + half_e8 ? ask_e8 : mid_e8 + half_e8) - skew_e8;
    if (buy_e8 > ask_e8 - tick_e8) buy_e8 = ask_e8 - tick_e8;
    if (sell_e8 < bid_e8 + tick_e8) sell_e8 = bid_e8 + tick_e8;
    bool room = zvt_fixed_add(position_e8, quantity_e8, &after_e8) == 0 && after_e8 <= full_e8;
    int64_t stock_e8 = zvt_strategy_round_quantity(context, position_e8 > 0 ? position_e8 : 0);
    targets[BID] = (target_t){.price_e8 = zvt_strategy_round_price(context, buy_e8, false),
                              .quantity_e8 = room ? quantity_e8 : 0};
    targets[ASK] = (target_t){.price_e8 = zvt_strategy_round_price(context, sell_e8, true),
                              .quantity_e8 = stock_e8 < quantity_e8 ? stock_e8 : quantity_e8};
    for (int side = BID; side < SIDES; side++)
        if (!taker_is_enough(context, targets[side].quantity_e8, targets[side].price_e8)) targets[side].quantity_e8 = 0;
}

static void s_place(market_maker_t *self, zvt_strategy_context_t *context, int side, const target_t *target)
{
    quote_t *quote = &self->quotes[side];
    zvt_order_request_t terms = {
        .side = side == BID ? ZVT_SIDE_BUY : ZVT_SIDE_SELL,
        .order_type = ZVT_ORDER_TYPE_LIMIT,
        .time_in_force = ZVT_TIF_GTC,
        .post_only = true,
        .quantity_e8 = target->quantity_e8,
        .limit_price_e8 = target->price_e8,
        .trigger_price_e8 = target->price_e8,
    };
    ZVT_STR_SET(terms.venue, self->venue);
    if (zvt_strategy_submit(context, &terms, ZVT_E8, &quote->signal_id) != 0) return;
    quote->working = true;
    quote->cancel_asked = false;
    quote->price_e8 = target->price_e8;
    quote->leaves_e8 = target->quantity_e8;
}

/* Brings one side to its target, at most one action per requote_ms. */
static void s_steer(market_maker_t *self, zvt_strategy_context_t *context, int side, const target_t *target)
{
    quote_t *quote = &self->quotes[side];
    int64_t now_ns = zvt_strategy_now(context);
    if (now_ns < quote->not_before_ns || quote->cancel_asked) return;
    if (!quote->working && target->quantity_e8 == 0) return;
    if (quote->working && target->quantity_e8 > 0) {
        int64_t off_e8 = target->price_e8 - quote->price_e8;
        if ((off_e8 < 0 ? -off_e8 : off_e8) <= s_share(target->price_e8, self->requote_e8)) return;
    }
    quote->not_before_ns = now_ns + self->requote_ms * ZVT_MS_NS;
    if (!quote->working)
        s_place(self, context, side, target);
    else if (zvt_strategy_cancel(context, &quote->signal_id) == 0)
        quote->cancel_asked = true;
}

static void s_on_book(void *state, zvt_strategy_context_t *context, const zvt_orderbook_updated_t *book)
{
    market_maker_t *self = state;
    if (self->venue[0] == '\0') ZVT_STR_SET(self->venue, book->venue);
    if (strcmp(self->venue, book->venue) != 0) return;
    int64_t bid_e8 = s_touch(book->bids, book->bids_count, &self->quotes[BID]);
    int64_t ask_e8 = s_touch(book->asks, book->asks_count, &self->quotes[ASK]);
    if (!taker_is_touch(bid_e8, ask_e8)) return; /* nobody to measure by */
    target_t targets[SIDES];
    s_aim(self, context, bid_e8, ask_e8, targets);
    for (int side = BID; side < SIDES; side++) s_steer(self, context, side, &targets[side]);
}

static void s_note_end(market_maker_t *self, zvt_strategy_context_t *context, quote_t *quote,
                       const zvt_strategy_order_t *order, const zvt_strategy_update_t *update)
{
    quote->working = quote->cancel_asked = false;
    /* The book moved while a post-only order was on its way: not worth a long pause. */
    if (!zvt_strategy_is_refused(order) || update->code == ZVT_CODE_WOULD_CROSS) return;
    zvt_strategy_log(context, "quote refused: %s %s", zvt_code_text(update->code), update->message);
    quote->not_before_ns = zvt_strategy_now(context) + self->refusal_ms * ZVT_MS_NS;
}

/* Takes over a quote of an earlier run, or withdraws it when the side has one. */
static void s_adopt(market_maker_t *self, zvt_strategy_context_t *context, quote_t *quote, const zvt_strategy_order_t *order)
{
    bool same_venue = self->venue[0] == '\0' || strcmp(self->venue, order->request.venue) == 0;
    if (quote->working || !same_venue || order->request.venue[0] == '\0') {
        if (zvt_strategy_cancel(context, &order->signal_id) != 0) zvt_strategy_log(context, "a surplus quote is left open");
        return;
    }
    ZVT_STR_SET(self->venue, order->request.venue);
    *quote = (quote_t){.working = true, .signal_id = order->signal_id, .price_e8 = order->request.limit_price_e8};
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    market_maker_t *self = state;
    if (zvt_id_is_none(&order->signal_id)) return; /* somebody else's, in the strategy's name */
    quote_t *quote = &self->quotes[order->request.side == ZVT_SIDE_BUY ? BID : ASK];
    bool open = zvt_strategy_is_open(order);
    if (!quote->working || !zvt_id_equal(&quote->signal_id, &order->signal_id)) {
        if (!open) return;
        s_adopt(self, context, quote, order);
        if (!zvt_id_equal(&quote->signal_id, &order->signal_id)) return;
    }
    quote->leaves_e8 = order->leaves_qty_e8;
    quote->cancel_asked = order->cancel_asked;
    if (!open) s_note_end(self, context, quote, order, update);
}

const zvt_strategy_t market_maker_strategy = {
    .name = "market_maker",
    .summary = "rests post-only quotes on both sides of one venue, skewed against its inventory",
    .params = s_params,
    .state_size = sizeof(market_maker_t),
    .on_book = s_on_book,
    .on_order = s_on_order,
};
