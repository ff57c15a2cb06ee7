# Each room lists its unit tests and fuzz targets in tests/ROOM.cmake.
pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)

#   zvt_unit_test(ROOM NAME)   tests/unit/NAME.c, a Criterion program, run by ctest as NAME
function(zvt_unit_test room name)
    add_executable(${name} tests/unit/${name}.c)
    target_link_libraries(${name} PRIVATE zvt_${room} PkgConfig::CRITERION)
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes -Wno-strict-prototypes)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name})
endfunction()

#   zvt_fuzz_target(ROOM NAME)   tests/fuzz/NAME.c defines LLVMFuzzerTestOneInput; run by ctest as a smoke run
function(zvt_fuzz_target room name)
    add_executable(${name} tests/fuzz/${name}.c tests/fuzz/fuzz_driver.c)
    target_link_libraries(${name} PRIVATE zvt_${room})
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name} --runs 20000 --seed 1)
endfunction()

foreach(room ${ROOMS})
    if(EXISTS ${CMAKE_SOURCE_DIR}/tests/${room}.cmake)
        include(tests/${room}.cmake)
    endif()
endforeach()

include(tests/sim.cmake)
include(tests/alloc.cmake)
include(tests/chaos.cmake)
