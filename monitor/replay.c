#include "replay.h"

#include <inttypes.h>

typedef struct {
    replay_event_fn *on_event;
    void *arg;
    uint64_t last_seq, tip_seq;
    uint64_t first_seq; /* of the log, when what was asked for is before that; else 0 */
    int status;
    bool stopped; /* the reader wants no more */
} page_t;

/* The events follow the batch record in the same frame. */
static bool s_on_record(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    page_t *page = arg;
    if (record->type == ZVT_T_LOG_BEGIN) {
        page->first_seq = record->log_begin.first_seq; /* the error that says so follows */
        page->tip_seq = record->log_begin.tip_seq;
    }
    if (record->type != ZVT_T_LOG_BATCH) return false;
    page->tip_seq = record->log_batch.tip_seq;
    while (!page->stopped && !zvt_cursor_done(rest)) {
        zvt_event_t event;
        page->status = zvt_read_event(rest, &event);
        if (page->status != 0) break;
        page->last_seq = event.seq;
        page->stopped = !page->on_event(page->arg, &event);
    }
    return true;
}

/* ZVT_ERR_CLOSED: the reader wants no more. ZVT_ERR_STALE: the log begins later, with page->first_seq. */
static int s_page(const zvt_replay_request_t *request, page_t *page, char problem[CLIENT_PROBLEM_SIZE])
{
    page->last_seq = page->first_seq = 0;
    client_ask_t ask = {.who = "replayer", .type = ZVT_T_REPLAY_REQUEST, .question = request, .repeatable = true,
                        .on_record = s_on_record, .arg = page};
    zvt_endpoint(ask.endpoint, "replay", NULL);
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) == 0) {
        snprintf(problem, CLIENT_PROBLEM_SIZE, "%s", ask.problem);
        return page->first_seq != 0 ? ZVT_ERR_STALE : ZVT_ERR_IO;
    }
    if (page->status != 0) {
        snprintf(problem, CLIENT_PROBLEM_SIZE, "the replayer sent an event after seq %" PRIu64 " that cannot be read: %s",
                 page->last_seq, zvt_strerror(page->status));
        return ZVT_ERR_CORRUPT;
    }
    return page->stopped ? ZVT_ERR_CLOSED : 0;
}

int replay_page(const zvt_replay_request_t *request, replay_event_fn *on_event, void *arg, uint64_t *last_seq,
                uint64_t *tip_seq, char problem[CLIENT_PROBLEM_SIZE])
{
    page_t page = {.on_event = on_event, .arg = arg};
    int status = s_page(request, &page, problem);
    *last_seq = page.last_seq;
    *tip_seq = page.tip_seq;
    return status == ZVT_ERR_CLOSED ? 0 : status;
}

int replay_saga(const zvt_id_t *correlation_id, replay_event_fn *on_event, void *arg, uint64_t *first_seq, char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_replay_request_t request = {.from_seq = 1, .limit = REPLAY_PAGE, .correlation_id = *correlation_id};
    page_t page = {.on_event = on_event, .arg = arg};
    int status = s_page(&request, &page, problem);
    *first_seq = status == ZVT_ERR_STALE ? page.first_seq : 1;
    if (status == ZVT_ERR_STALE) { /* what is left of it, then */
        request.from_seq = page.first_seq;
        status = s_page(&request, &page, problem);
    }
    /* An empty page is the end: a short one may only have filled its frame. */
    while (status == 0 && page.last_seq != 0 && page.last_seq < page.tip_seq) {
        request.from_seq = page.last_seq + 1;
        status = s_page(&request, &page, problem);
    }
    return status == ZVT_ERR_CLOSED ? 0 : status;
}

/* ---- looking for an order ---- */
typedef struct {
    zvt_id_t order_id, correlation_id;
    bool found;
} search_t;

static bool s_on_searched(void *arg, const zvt_event_t *event)
{
    search_t *search = arg;
    if (!zvt_id_equal(&event->aggregate_id, &search->order_id)) return true;
    search->correlation_id = event->correlation_id;
    search->found = true;
    return false;
}

/* Reads the window [first, last], in as many pages as it takes. */
static int s_search_window(search_t *search, page_t *page, uint64_t first, uint64_t last, char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_replay_request_t request = {.from_seq = first, .to_seq = last, .limit = REPLAY_PAGE};
    int status = 0;
    do {
        status = s_page(&request, page, problem);
        request.from_seq = page->last_seq + 1;
    } while (status == 0 && page->last_seq != 0 && page->last_seq < last);
    return search->found ? 0 : status;
}

int replay_find_order(const zvt_id_t *order_id, zvt_id_t *correlation_id, char problem[CLIENT_PROBLEM_SIZE])
{
    search_t search = {.order_id = *order_id};
    page_t page = {.on_event = s_on_searched, .arg = &search};
    zvt_replay_request_t first = {.from_seq = 1, .to_seq = 1, .limit = 1};
    int status = s_page(&first, &page, problem); /* tells the tip, and where the log begins */
    uint64_t last = page.tip_seq, begin = status == ZVT_ERR_STALE ? page.first_seq : 1;
    if (status == ZVT_ERR_STALE) status = 0;
    while (status == 0 && !search.found && last >= begin) {
        uint64_t from = last >= begin + REPLAY_PAGE ? last - REPLAY_PAGE + 1 : begin;
        status = s_search_window(&search, &page, from, last, problem);
        if (isatty(STDERR_FILENO) && from % (REPLAY_PAGE * 100) < REPLAY_PAGE)
            fprintf(stderr, "\r\033[Klooking through the log: %" PRIu64 " events to go", from - 1);
        last = from - 1;
    }
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    if (search.found) {
        *correlation_id = search.correlation_id;
        return 0;
    }
    if (status != 0) return status;
    if (begin > 1)
        snprintf(problem, CLIENT_PROBLEM_SIZE, "the log, which begins with seq %" PRIu64 ", holds no order and no saga with this id; if it is older, it is "
                 "archived: see fleet archive --list", begin);
    else
        snprintf(problem, CLIENT_PROBLEM_SIZE, "the log holds no order and no saga with this id");
    return ZVT_ERR_NOT_FOUND;
}
