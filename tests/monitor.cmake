zvt_unit_test(monitor test_monitor_args)
zvt_unit_test(monitor test_monitor_chain)
zvt_unit_test(monitor test_monitor_decode)
zvt_unit_test(monitor test_monitor_format)
zvt_unit_test(monitor test_monitor_replies)
zvt_unit_test(monitor test_monitor_restarts)
zvt_unit_test(monitor test_monitor_schema_doc)
zvt_unit_test(monitor test_monitor_status)
zvt_unit_test(monitor test_monitor_summary)
zvt_unit_test(monitor test_monitor_tail)

# docs/wire.md is generated: stale means that the schema changed and the page was not renewed.
add_test(NAME wire_page_is_current COMMAND sh -c "$<TARGET_FILE:zvt-monitor> schema --markdown | diff ${CMAKE_SOURCE_DIR}/docs/wire.md -")

# Prints random payloads with their JSON, for the system test of run/sql/06_msgpack.sql.
add_executable(schema_samples tests/unit/schema_samples.c)
target_link_libraries(schema_samples PRIVATE zvt_common)
set_target_properties(schema_samples PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
