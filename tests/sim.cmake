# The simulator: the sources of the cores once more, with small pools (common/zvt_pools.h), over simulated sockets, clock,
# database and disks. -DZVT_PLANT=no_fence plants a bug (common/zvt_planted.h) into it and into the fleet.
set(SIM_CORES
    common/zvt_base.c common/zvt_codec.c common/zvt_config.c common/zvt_digest.c common/zvt_fixed.c common/zvt_follower.c common/zvt_id.c common/zvt_json.c common/zvt_map.c common/zvt_memory.c
    common/zvt_mids.c common/zvt_schema.c common/zvt_text.c common/zvt_time.c common/zvt_waitlist.c
    orchestrator/accounts.c orchestrator/admission_core.c orchestrator/commands.c orchestrator/dedup_core.c orchestrator/done_core.c orchestrator/early_routes.c orchestrator/fills.c orchestrator/lease_core.c orchestrator/letters.c orchestrator/lists.c
    orchestrator/notices.c orchestrator/operator.c orchestrator/order_core.c orchestrator/place_order.c orchestrator/reconcile.c
    orchestrator/recovery.c orchestrator/reports.c orchestrator/saga_core.c orchestrator/turn_core.c orchestrator/turn_dump.c
    orchestrator/turn_save.c orchestrator/turn_stage.c orchestrator/window.c
    risk/exposure.c risk/rate_window.c risk/risk_checks.c risk/risk_core.c
    portfolio/fill_memory.c portfolio/portfolio_core.c portfolio/position_core.c
    executor/breaker_core.c executor/emergency_core.c executor/executor_core.c executor/journal_format.c executor/pacer_core.c
    executor/router_core.c executor/throttle_core.c executor/venue_health.c
    gateway/batch_core.c gateway/market_core.c gateway/order_entry_core.c gateway/paper_adapter.c gateway/paper_core.c gateway/symbol_map.c
    venue/account_core.c venue/account_image.c venue/balances_core.c venue/book_core.c venue/checks_core.c venue/feed_core.c venue/ledger_format.c venue/limit_core.c venue/market.c
    venue/outbox.c venue/snapshot.c
    strategy/delivery_core.c)
set(SIM_WORLD
    archive client coverage db error executor faults gateway loop main market net oracle oracle_log orchestrator portfolio replayer risk run sockets
    strategy support venue workload world)
list(TRANSFORM SIM_WORLD REPLACE "(.+)" "tests/sim/sim_\\1.c")

function(zvt_simulator name)
    add_executable(${name} ${SIM_CORES} ${SIM_WORLD} ${ARGN})
    target_compile_definitions(${name} PRIVATE ZVT_SMALL_POOLS)
    target_include_directories(${name} PRIVATE tests/sim common orchestrator risk portfolio executor venue gateway strategy)
    target_link_libraries(${name} PRIVATE PkgConfig::DEPS PkgConfig::ZLIB m)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
zvt_simulator(zvt-sim)

# From 1,000 seeds on too little coverage fails; under sanitizers, which are slow, fewer seeds look for what they find.
add_test(NAME sim_smoke COMMAND zvt-sim --seeds $<IF:$<BOOL:${ZVT_SANITIZE}>,300,1000>)
add_test(NAME sim_is_deterministic COMMAND zvt-sim --seeds 40 --seed 500000 --twice)

# The same with bugs planted into it, one at a time: each has to violate an invariant within 1,000 seeds. A crash, or a range that
# reached too little, finds nothing.
if(NOT ZVT_SANITIZE AND NOT ZVT_PLANT)
    zvt_simulator(zvt-sim-planted tests/sim/sim_plant.c)
    target_compile_definitions(zvt-sim-planted PRIVATE ZVT_PLANT_CHOSEN)
    foreach(bug ack_before_commit no_deduplication no_fence resend_without_asking forget_pending_exposure async_commit_dropped_tail send_expired)
        add_test(NAME sim_finds_${bug} COMMAND zvt-sim-planted --plant ${bug} --seeds 1000 --lines 0)
        set_tests_properties(sim_finds_${bug} PROPERTIES PASS_REGULAR_EXPRESSION "seed [0-9]+ violates: ")
    endforeach()
endif()
