foreach(core account_core account_image balances_core book_core capture capture_line checkpoint checkpoint_child checks_core depth_core dump faults_core feed_core fundamental_core ledger ledger_format limit_core
             outbox player recorded_core source symbols synthetic_core)
    zvt_unit_test(venue test_venue_${core})
endforeach()
# Recorded market data, if it lies beside the checkout; ZVT_SHARED_DATA names another place at run time.
target_compile_definitions(test_venue_player PRIVATE SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
zvt_fuzz_target(venue fuzz_venue_account_image)
zvt_fuzz_target(venue fuzz_venue_capture_line)
zvt_fuzz_target(venue fuzz_venue_ledger)
