# Every outside library, found once; rooms name the targets they need.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Net Util JSON)
set(Boost_USE_STATIC_LIBS OFF)
find_package(Boost 1.74 REQUIRED COMPONENTS log thread system)
find_package(PostgreSQL REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(simdjson REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-cpp)  # 0.7 has no namespaced CMake target
pkg_check_modules(thrift REQUIRED IMPORTED_TARGET thrift)  # Debian ships no CMake config for Thrift
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
find_program(THRIFT_COMPILER thrift REQUIRED)
