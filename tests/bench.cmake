zvt_unit_test(bench test_load_core)
zvt_unit_test(bench test_fill_core)
