# No core allocates for an order: the cores in the simulator's world, with malloc and its family counted by room. The
# rooms' objects are linked one after another, each behind a mark, so that an address tells its room.
if(NOT ZVT_SANITIZE) # which has a malloc of its own
    set(ALLOC_SOURCES)
    foreach(room common orchestrator risk portfolio executor gateway venue strategy)
        set(mark ${CMAKE_BINARY_DIR}/alloc/mark_${room}.c)
        file(CONFIGURE OUTPUT ${mark} CONTENT "void alloc_mark_${room}(void);\nvoid alloc_mark_${room}(void) {}\n")
        set(sources ${SIM_CORES} gateway/backlog.c orchestrator/log_rows.c strategy/desk_core.c strategy/settings.c strategy/strategy_core.c
            venue/depth_core.c venue/faults_core.c venue/fundamental_core.c venue/recorded_core.c venue/synthetic_core.c)
        list(FILTER sources INCLUDE REGEX "^${room}/")
        list(APPEND ALLOC_SOURCES ${mark} ${sources})
    endforeach()
    set(mark ${CMAKE_BINARY_DIR}/alloc/mark_test.c)
    file(CONFIGURE OUTPUT ${mark} CONTENT "void alloc_mark_test(void);\nvoid alloc_mark_test(void) {}\n")
    set(ALLOC_WORLD ${SIM_WORLD})
    list(FILTER ALLOC_WORLD EXCLUDE REGEX "sim_(main|run)\\.c$")
    add_executable(zvt-alloc ${ALLOC_SOURCES} ${mark} ${ALLOC_WORLD} tests/alloc/alloc_count.c tests/alloc/alloc_desk.c tests/alloc/alloc_main.c tests/alloc/alloc_market.c)
    target_compile_definitions(zvt-alloc PRIVATE ZVT_SMALL_POOLS)
    # Functions stay where their objects are.
    target_compile_options(zvt-alloc PRIVATE -fno-reorder-functions -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-free)
    target_include_directories(zvt-alloc PRIVATE tests/alloc tests/sim common orchestrator risk portfolio executor venue gateway strategy)
    target_link_libraries(zvt-alloc PRIVATE PkgConfig::DEPS PkgConfig::ZLIB m)
    set_target_properties(zvt-alloc PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME cores_do_not_allocate COMMAND zvt-alloc)
endif()
