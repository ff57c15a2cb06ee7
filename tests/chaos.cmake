# The judge of the chaos run says what it must of made-up faults.
add_test(NAME chaos_judge COMMAND ${CMAKE_SOURCE_DIR}/tests/chaos/test_report.py)
set_tests_properties(chaos_judge PROPERTIES ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
