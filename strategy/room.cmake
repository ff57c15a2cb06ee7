zvt_room(strategy
    settings.c delivery_core.c strategy_core.c desk_core.c strategy_host.c strategy_options.c
    taker.c breakout.c momentum.c mean_reversion.c market_maker.c)
zvt_binary(strategy zvt-strategy strategy_main.c)
zvt_binary(strategy zvt-simple-strategy examples/simple_strategy.c)
