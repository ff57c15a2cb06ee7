#include "snapshot.h"

void snapshot_emit(const account_core_t *account, const char *venue, uint64_t query, snapshot_emit_fn *emit, void *arg)
{
    zvt_account_snapshot_t end = {.query = query, .code = ZVT_CODE_OK, .venue_seq = account_core_venue_seq(account)};
    zvt_order_status_t status;
    zvt_balance_t balance;
    ZVT_STR_SET(end.exchange, venue);
    for (uint32_t slot = 0; account_core_next_open(account, &slot, &status); end.orders++) {
        zvt_account_order_t row = {.query = query, .cum_qty_e8 = status.cum_qty_e8, .leaves_qty_e8 = status.leaves_qty_e8};
        ZVT_STR_SET(row.exchange, venue);
        ZVT_STR_SET(row.client_order_id, status.client_order_id);
        emit(arg, ZVT_T_ACCOUNT_ORDER, &row);
    }
    for (; account_core_balance(account, end.assets, &balance); end.assets++) {
        zvt_account_asset_t row = {.query = query, .total_e8 = balance.total_e8};
        ZVT_STR_SET(row.exchange, venue);
        ZVT_STR_SET(row.asset, balance.asset);
        emit(arg, ZVT_T_ACCOUNT_ASSET, &row);
    }
    emit(arg, ZVT_T_ACCOUNT_SNAPSHOT, &end);
}
