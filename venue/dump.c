#include "dump.h"

#include "account_core.h"
#include "ledger.h"
#include "zvt_json.h"
#include "zvt_time.h"

typedef struct {
    account_core_t *account;
    FILE *out;
} dump_t;

static int s_on_record(void *arg, const zvt_record_t *record)
{
    dump_t *dump = arg;
    if (record->type == ZVT_T_REPORT) {
        zvt_json_record(dump->out, ZVT_T_REPORT, &record->report);
        fputc('\n', dump->out);
    }
    return account_core_replay(dump->account, record, zvt_utc_ns());
}

int dump_ledger(const zvt_fleet_t *fleet, uint32_t venue, const char *path, FILE *out, char problem[ZVT_PROBLEM_SIZE])
{
    account_config_t config = {.fleet = fleet, .venue = venue, .ids_max = ACCOUNT_IDS_MAX};
    dump_t dump = {.account = account_core_new(&config), .out = out};
    ledger_header_t header;
    int status = ledger_visit(path, &header, NULL, s_on_record, &dump, problem);
    zvt_balance_t balance;
    for (uint32_t n = 0; status == 0 && account_core_balance(dump.account, n, &balance); n++) {
        zvt_json_record(out, ZVT_T_BALANCE, &balance);
        fputc('\n', out);
    }
    account_core_destroy(&dump.account);
    return status;
}
