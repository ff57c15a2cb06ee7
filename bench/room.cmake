add_executable(zvt-load bench/load_main.c bench/load_core.c)
target_include_directories(zvt-load PRIVATE ${CMAKE_SOURCE_DIR}/bench)
target_link_libraries(zvt-load PRIVATE zvt_common)
set_target_properties(zvt-load PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
