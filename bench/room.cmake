# What measures: a load of orders, an observer of the log, market data at a chosen rate, a log of any length, the limits
# of the machine, and the peer to compare with.
zvt_room(bench load_core.c load_stages.c fill_core.c)
zvt_binary(bench zvt-load load_main.c)
zvt_binary(bench zvt-pulse pulse_main.c)
target_link_libraries(zvt-pulse PRIVATE zvt_strategy)
zvt_binary(bench zvt-tick-source ticks_source.c)
zvt_binary(bench zvt-tick-sink ticks_sink.c)
# Writes with the orchestrator's own log writer.
zvt_binary(bench zvt-fill fill_main.c)
target_link_libraries(zvt-fill PRIVATE zvt_orchestrator)
# Reads the log by the orchestrator's own statement.
zvt_binary(bench zvt-limit limit_main.c limit_copy.c limit_hop.c limit_sync.c)
target_link_libraries(zvt-limit PRIVATE zvt_orchestrator)
zvt_binary(bench zvt-watch watch_main.c)

# The peer speaks to Redis; it is built where hiredis is installed, and nothing else needs it.
pkg_check_modules(HIREDIS IMPORTED_TARGET hiredis)
if(HIREDIS_FOUND)
    zvt_binary(bench zvt-redis-peer peer_main.c peer_redis.c)
    target_link_libraries(zvt-redis-peer PRIVATE PkgConfig::HIREDIS)
endif()
