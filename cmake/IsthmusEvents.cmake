# isthmus_events: the typed log events (#include "events/events.h"), made from interfaces/events.toml by the build.
# Every room sees it; it stands on base/log.h alone.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)  # tomllib

set(isthmus_events_header ${CMAKE_BINARY_DIR}/generated/events/events.h)
set(isthmus_events_generator ${CMAKE_SOURCE_DIR}/tools/generate_events.py)
set(isthmus_events_table ${CMAKE_SOURCE_DIR}/interfaces/events.toml)
add_custom_command(OUTPUT ${isthmus_events_header}
  COMMAND Python3::Interpreter ${isthmus_events_generator} ${isthmus_events_table} --header ${isthmus_events_header}
  DEPENDS ${isthmus_events_generator} ${isthmus_events_table} VERBATIM)
add_custom_target(isthmus_events_made DEPENDS ${isthmus_events_header})

add_library(isthmus_events INTERFACE)
add_dependencies(isthmus_events isthmus_events_made)
target_include_directories(isthmus_events INTERFACE ${CMAKE_BINARY_DIR}/generated)

add_test(NAME events_table COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/generate_events_test.py)
add_test(NAME events_page COMMAND Python3::Interpreter ${isthmus_events_generator} ${isthmus_events_table}
  --check-page ${CMAKE_SOURCE_DIR}/docs/reference/events.md)
set_tests_properties(events_table events_page PROPERTIES LABELS ops TIMEOUT 60)
