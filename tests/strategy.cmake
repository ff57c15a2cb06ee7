foreach(test settings delivery core desk options momentum breakout mean_reversion market_maker)
    zvt_unit_test(strategy test_strategy_${test})
endforeach()
zvt_fuzz_target(strategy fuzz_strategy_settings)
