/* Mirrors run/lib/archive.sh and zvt-archiver: the base first, then the log's beginning. */
#include "sim_archive.h"

#include <inttypes.h>
#include <string.h>

#include "portfolio_core.h"
#include "risk_core.h"
#include "sim_db.h"
#include "sim_world.h"

enum { EVENTS_MIN = 40 /* a shorter log is left alone */ };
#define QUOTE_MAX_AGE_NS (60 * ZVT_SECOND_NS)

static struct {
    uint64_t first_seq, base_seq;
    zvt_buf_t risk, portfolio;
} s_archive;

void sim_archive_reset(void)
{
    if (s_archive.risk.data == NULL) {
        s_archive.risk = zvt_buf_new(SIM_BASE_BYTES);
        s_archive.portfolio = zvt_buf_new(SIM_BASE_BYTES);
    }
    s_archive.first_seq = 1;
    s_archive.base_seq = 0;
    s_archive.risk.length = s_archive.portfolio.length = 0;
}

uint64_t sim_archive_first_seq(void)
{
    return s_archive.first_seq;
}

uint64_t sim_archive_base_seq(void)
{
    return s_archive.base_seq;
}

const zvt_buf_t *sim_archive_base(const char *process, uint64_t *seq)
{
    *seq = s_archive.base_seq;
    return strcmp(process, "risk") == 0 ? &s_archive.risk : &s_archive.portfolio;
}

static void s_write_record(void *arg, zvt_type_t type, const void *record)
{
    ZVT_ASSERT(zvt_pack(arg, type, record) == 0);
}

static void s_fold_risk(uint64_t to_seq)
{
    risk_options_t options = {.quote_max_age_ns = QUOTE_MAX_AGE_NS, .incarnation = 1};
    risk_core_t *core = risk_core_new(sim.fleet, &options);
    for (uint64_t seq = 1; seq <= to_seq; seq++)
        if (risk_core_folds(sim_db_event(seq)->type) && risk_core_on_event(core, sim_db_event(seq)) != 0)
            sim_violation("risk can fold the log", NULL, "seq %" PRIu64 ", for its base", seq);
    s_archive.risk.length = 0;
    risk_core_save(core, s_write_record, &s_archive.risk);
    risk_core_destroy(&core);
}

static void s_fold_portfolio(uint64_t to_seq)
{
    portfolio_core_t *core = portfolio_core_new(sim.fleet, 1);
    for (uint64_t seq = 1; seq <= to_seq; seq++)
        if (portfolio_core_folds(sim_db_event(seq)->type) && portfolio_core_on_event(core, sim_db_event(seq)) != 0)
            sim_violation("portfolio can fold the log", NULL, "seq %" PRIu64 ", for its base", seq);
    s_archive.portfolio.length = 0;
    portfolio_core_save(core, s_write_record, &s_archive.portfolio);
    portfolio_core_destroy(&core);
}

void sim_archive_run(void)
{
    uint64_t tip_seq = sim_db_tip();
    if (!sim_db_is_up() || tip_seq < s_archive.first_seq + EVENTS_MIN) return;
    s_fold_risk(tip_seq);
    s_fold_portfolio(tip_seq);
    s_archive.base_seq = tip_seq;
    s_archive.first_seq = (uint64_t)sim_between((int64_t)s_archive.first_seq + 1, (int64_t)tip_seq);
    SIM_COUNT("logs cut short");
    SIM_TRACE("* the log begins with seq %" PRIu64 " now, the bases are of seq %" PRIu64, s_archive.first_seq, s_archive.base_seq);
}

int sim_archive_load(const void *data, size_t length, int (*load)(void *core, const zvt_record_t *record), void *core)
{
    static zvt_record_t s_record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    int status = 0;
    while (status == 0 && !zvt_cursor_done(&cursor)) {
        status = zvt_read(&cursor, &s_record);
        if (status == 0) status = load(core, &s_record);
    }
    return status;
}
