# isthmus_room(NAME USES room... LIBS target...): one folder of daemon/, one library, one test program.
#
# Include direction is enforced by the compiler: a room is built with an include folder of its own that holds links to
# itself and to the rooms it USES (and what those use), so that any other include does not resolve.
# Sources are NAME/*.cpp and NAME/detail/*.cpp; *_test.cpp go into the program NAME_test, labelled NAME.

add_library(isthmus_flags INTERFACE)
target_compile_options(isthmus_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
  # false alarms of g++ 12 on std::string::insert and moved-from expected (gcc.gnu.org PR105651)
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-free-nonheap-object>)
target_compile_definitions(isthmus_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(ISTHMUS_SANITIZE)
  target_compile_options(isthmus_flags INTERFACE -fsanitize=${ISTHMUS_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(isthmus_flags INTERFACE -fsanitize=${ISTHMUS_SANITIZE})
endif()

include(IsthmusEvents)

# isthmus_include_view(TARGET ROOMS...): gives a target an include folder that shows these rooms and no others.
function(isthmus_include_view target)
  set(view ${CMAKE_BINARY_DIR}/rooms/${target})
  file(REMOVE_RECURSE ${view})
  file(MAKE_DIRECTORY ${view})
  foreach(room IN LISTS ARGN)
    if(NOT EXISTS ${view}/${room})
      file(CREATE_LINK ${CMAKE_SOURCE_DIR}/daemon/${room} ${view}/${room} SYMBOLIC)
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE ${view})
endfunction()

function(isthmus_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBS;TEST_LIBS" ${ARGN})
  list(FIND ISTHMUS_ROOMS ${name} here)
  set(seen ${name})
  foreach(used IN LISTS ROOM_USES)
    list(FIND ISTHMUS_ROOMS ${used} there)
    if(there LESS 0 OR NOT there LESS here)
      message(FATAL_ERROR "daemon/${name} may not use daemon/${used}: a room uses only rooms above it")
    endif()
    get_property(deep GLOBAL PROPERTY ISTHMUS_ROOM_SEES_${used})
    list(APPEND seen ${used} ${deep})
  endforeach()
  list(REMOVE_DUPLICATES seen)
  set_property(GLOBAL PROPERTY ISTHMUS_ROOM_SEES_${name} ${seen})

  set(dir ${CMAKE_SOURCE_DIR}/daemon/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp ${dir}/detail/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ROOM_USES PREPEND isthmus_ OUTPUT_VARIABLE uses)

  if(NOT sources)
    add_library(isthmus_${name} INTERFACE)  # a room of headers only
    return()
  endif()
  add_library(isthmus_${name} STATIC ${sources})
  isthmus_include_view(isthmus_${name} ${seen})
  target_link_libraries(isthmus_${name} PRIVATE isthmus_flags isthmus_events PUBLIC ${uses} ${ROOM_LIBS})
  if(tests)
    add_executable(${name}_test ${tests})
    isthmus_include_view(${name}_test ${seen})
    target_link_libraries(${name}_test PRIVATE isthmus_flags isthmus_events isthmus_${name} ${ROOM_TEST_LIBS} GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE ISTHMUS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS ${name} TIMEOUT 300)
  endif()
endfunction()
