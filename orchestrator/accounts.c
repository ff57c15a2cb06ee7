#include "accounts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"

void account_clear(account_t *self)
{
    memset(self->assets, 0, self->assets_count * sizeof self->assets[0]);
    self->assets_count = 0;
    self->halted = false;
    self->reason[0] = '\0';
}

account_asset_t *account_asset(account_t *self, const char *asset)
{
    for (uint32_t i = 0; i < self->assets_count; i++)
        if (strcmp(self->assets[i].asset, asset) == 0) return &self->assets[i];
    if (self->assets_count == ACCOUNT_ASSETS_MAX) return NULL;
    account_asset_t *made = &self->assets[self->assets_count++];
    memset(made, 0, sizeof *made);
    ZVT_STR_SET(made->asset, asset);
    return made;
}

static int s_change(account_t *self, const char *asset, int64_t change_e8, bool expected)
{
    if (change_e8 == 0) return 0;
    account_asset_t *found = account_asset(self, asset);
    if (found == NULL) return ZVT_ERR_FULL;
    int64_t *amount_e8 = expected ? &found->expected_e8 : &found->amount_e8;
    return zvt_fixed_add(*amount_e8, change_e8, amount_e8);
}

static int s_split(const char *symbol, char base[ZVT_SYMBOL_SIZE], char quote[ZVT_SYMBOL_SIZE])
{
    const char *slash = strchr(symbol, '/');
    if (slash == NULL || slash == symbol || slash[1] == '\0') return ZVT_ERR_INVALID;
    memcpy(base, symbol, (size_t)(slash - symbol));
    base[slash - symbol] = '\0';
    zvt_str_set(quote, ZVT_SYMBOL_SIZE, slash + 1);
    return 0;
}

int account_execute(account_t *self, const account_execution_t *execution, bool expected)
{
    char base[ZVT_SYMBOL_SIZE], quote[ZVT_SYMBOL_SIZE];
    int64_t sign = execution->side == ZVT_SIDE_BUY ? 1 : -1;
    int status = s_split(execution->symbol, base, quote);
    if (status == 0) status = s_change(self, base, sign * execution->quantity_e8, expected);
    if (status == 0) status = s_change(self, quote, -sign * execution->notional_e8, expected);
    const char *fees_in = execution->commission_asset[0] != '\0' ? execution->commission_asset : quote;
    if (status == 0) status = s_change(self, fees_in, -execution->commission_e8, expected);
    return status;
}

int account_adjust(account_t *self, const zvt_position_adjusted_t *adjusted)
{
    if (adjusted->asset[0] != '\0') return s_change(self, adjusted->asset, adjusted->quantity_change_e8, false);
    account_execution_t execution = {.symbol = adjusted->symbol, .side = ZVT_SIDE_BUY, .commission_asset = "",
                                     .quantity_e8 = adjusted->quantity_change_e8};
    int status = zvt_fixed_mul(adjusted->price_e8, adjusted->quantity_change_e8, &execution.notional_e8);
    return status != 0 ? status : account_execute(self, &execution, false);
}

int account_open(account_t *self, const zvt_account_opened_t *opened)
{
    account_asset_t *asset = account_asset(self, opened->asset);
    if (asset == NULL) return ZVT_ERR_FULL;
    asset->opened = true;
    return zvt_fixed_add(asset->amount_e8, opened->amount_e8, &asset->amount_e8);
}

void account_expect(account_t *self)
{
    for (uint32_t i = 0; i < self->assets_count; i++) self->assets[i].expected_e8 = self->assets[i].amount_e8;
}

static int s_compare_names(const void *a, const void *b)
{
    return strcmp((*(const account_asset_t *const *)a)->asset, (*(const account_asset_t *const *)b)->asset);
}

size_t account_dump(const account_t *self, FILE *out)
{
    const account_asset_t *sorted[ACCOUNT_ASSETS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < self->assets_count; i++)
        if (self->assets[i].opened || self->assets[i].amount_e8 != 0) sorted[count++] = &self->assets[i];
    qsort(sorted, count, sizeof sorted[0], s_compare_names);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "asset %s amount=%" PRId64 " opened=%d\n", sorted[i]->asset, sorted[i]->amount_e8, sorted[i]->opened);
    return count;
}

bool account_differs(const account_asset_t *asset, uint64_t query)
{
    int64_t actual_e8 = asset->query == query ? asset->actual_e8 : 0;
    return asset->opened ? actual_e8 != asset->expected_e8 : asset->query != query && asset->expected_e8 != 0;
}
