# What `cmake --install` puts on a machine beside the programs, whose folders install themselves. Units belong to
# /usr/lib/systemd/system and name /usr/sbin and /usr/bin: the prefix is /usr.
set(ISTHMUS_UNIT_DIR lib/systemd/system)
set(ISTHMUS_SYSCONF_DIR /etc/isthmus)  # under $DESTDIR as everything else

file(GLOB isthmus_units ${CMAKE_SOURCE_DIR}/systemd/*.service ${CMAKE_SOURCE_DIR}/systemd/*.socket)
install(FILES ${isthmus_units} DESTINATION ${ISTHMUS_UNIT_DIR})
install(FILES ${CMAKE_SOURCE_DIR}/systemd/sysusers.d/isthmus.conf DESTINATION lib/sysusers.d)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/tmpfiles.d/isthmus.conf DESTINATION lib/tmpfiles.d)

# An administrator's file is never overwritten: the sample is installed beside the other shipped data, and as the
# configuration only where there is none.
install(FILES ${CMAKE_SOURCE_DIR}/etc/isthmus.yaml DESTINATION share/isthmus/examples)
install(CODE "
  set(target \"\$ENV{DESTDIR}${ISTHMUS_SYSCONF_DIR}/isthmus.yaml\")
  if(NOT EXISTS \"\${target}\")
    file(INSTALL \"${CMAKE_SOURCE_DIR}/etc/isthmus.yaml\" DESTINATION \"${ISTHMUS_SYSCONF_DIR}\")
  endif()")

foreach(section 1 5 8)
  file(GLOB isthmus_pages ${CMAKE_SOURCE_DIR}/docs/man/*.${section})
  install(FILES ${isthmus_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# Shipped data; tests and notes for developers stay behind.
foreach(part adapters mappings policies)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${part})
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/${part} DESTINATION share/isthmus PATTERN "*.cpp" EXCLUDE PATTERN "*.h" EXCLUDE
      PATTERN "CMakeLists.txt" EXCLUDE)
  endif()
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/interfaces/adapter.thrift DESTINATION share/isthmus)

if(TARGET isthmusd)
  install(TARGETS isthmusd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()

foreach(what man units)
  add_test(NAME ${what} COMMAND ${CMAKE_SOURCE_DIR}/tools/check_${what}.sh)
  set_tests_properties(${what} PROPERTIES LABELS ops SKIP_RETURN_CODE 77 TIMEOUT 60)
endforeach()
