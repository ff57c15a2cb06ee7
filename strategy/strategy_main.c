/* zvt-strategy -- the process that runs the built-in strategies. */
#include "builtin.h"
#include "strategy_host.h"

static const zvt_strategy_t *const s_strategies[] = {
    &breakout_strategy,
    &momentum_strategy,
    &mean_reversion_strategy,
    &market_maker_strategy,
};

int main(int argc, char **argv)
{
    return strategy_host_main(argc, argv, s_strategies, sizeof s_strategies / sizeof s_strategies[0]);
}
