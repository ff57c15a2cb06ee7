zvt_room(venue
    account_core.c account_image.c balances_core.c book_core.c capture.c capture_line.c checkpoint.c checkpoint_child.c checks_core.c depth_core.c dump.c faults_core.c
    feed_core.c fundamental_core.c ledger.c ledger_format.c limit_core.c market.c order_entry.c outbox.c player.c recorded_core.c sample.c snapshot.c source.c
    symbols.c synthetic_core.c)
target_compile_definitions(zvt_venue PRIVATE _GNU_SOURCE)
target_link_libraries(zvt_venue PUBLIC PkgConfig::JANSSON PkgConfig::ZLIB m)
zvt_binary(venue zvt-venue venue_main.c)
