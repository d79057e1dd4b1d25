#include "support/postgres.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "store/migrations.h"

namespace isthmus::test {
namespace {

constexpr const char* kBin = "/usr/lib/postgresql/15/bin";

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "failed: %s\n", command.c_str());
    std::abort();
  }
}

}  // namespace

Postgres& Postgres::instance() {
  static Postgres server;
  return server;
}

Postgres::Postgres() {
  char name[] = "/tmp/isthmus-pg-XXXXXX";  // short: a socket's path has 107 bytes at most
  ISTHMUS_CHECK(mkdtemp(name) != nullptr, "a temporary folder can be made");
  folder_ = name;
  if (geteuid() == 0) {
    run_as_ = "setpriv --reuid=postgres --regid=postgres --clear-groups ";
    shell(fmt::format("chown postgres: {}", folder_));
  }
  shell(fmt::format(
      "cd {} && {}{}/initdb -D {}/data -U owner -A trust --no-sync -E UTF8 --locale=C.UTF-8 >{}/initdb.log 2>&1",
      folder_, run_as_, kBin, folder_, folder_));
  start();
  auto opened = store::Connection::open(options("postgres"));
  ISTHMUS_CHECK(opened.has_value(), "the private server answers");
  ISTHMUS_CHECK((*opened)->exec("CREATE DATABASE template_isthmus").has_value(), "the template can be made");
  auto connection = store::Connection::open(options("template_isthmus"));
  ISTHMUS_CHECK(connection.has_value(), "the template answers");
  auto migrated = store::migrate(**connection, store::built_in_migrations());
  if (!migrated) std::fprintf(stderr, "%s\n", to_string(migrated.error()).c_str());
  ISTHMUS_CHECK(migrated.has_value(), "the migrations load");
}

Postgres::~Postgres() {
  stop();
  std::filesystem::remove_all(folder_);
}

void Postgres::start() {
  // Durability is not what tests measure: fsync off, but every commit is still a commit.
  shell(fmt::format(
      "cd {} && {}{}/pg_ctl -D {}/data -l {}/pg.log -w -t 60 -o \"-c listen_addresses='' -c unix_socket_directories={} "
      "-c fsync=off -c max_connections=60 -c shared_buffers=64MB\" start >/dev/null",
      folder_, run_as_, kBin, folder_, folder_, folder_));
}

void Postgres::stop() {
  shell(fmt::format("cd {} && {}{}/pg_ctl -D {}/data -m immediate -w -t 60 stop >/dev/null", folder_, run_as_, kBin,
                    folder_));
}

store::Options Postgres::options(const std::string& database) const {
  store::Options options;
  options.host = folder_;
  options.database = database;
  options.user = "owner";
  return options;
}

store::Options Postgres::fresh_database() {
  auto admin = store::Connection::open(options("postgres"));
  ISTHMUS_CHECK(admin.has_value(), "the private server answers");
  const std::string name = fmt::format("t{}", ++made_);
  const auto made =
      (*admin)->exec(fmt::format("CREATE DATABASE {} TEMPLATE template_isthmus STRATEGY file_copy", name));
  if (!made) std::fprintf(stderr, "%s\n", to_string(made.error()).c_str());
  ISTHMUS_CHECK(made.has_value(), "a database can be cloned");
  return options(name);
}

}  // namespace isthmus::test
