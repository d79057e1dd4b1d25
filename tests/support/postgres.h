#pragma once

#include <string>

#include "store/connection.h"

namespace isthmus::test {

/// A private PostgreSQL server of this test program: on a Unix socket in a folder of its own, gone with the program.
/// Each database is cloned in milliseconds from a template that has all migrations.
class Postgres {
 public:
  /// The server of this program, started on first use. Aborts with a message when it cannot start.
  static Postgres& instance();

  /// A new, empty, migrated database; options to open it as its owner.
  store::Options fresh_database();
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Stops the server at once, as a power cut would, and starts it again.
  void stop();
  void start();

 private:
  Postgres();
  ~Postgres();
  [[nodiscard]] store::Options options(const std::string& database) const;

  std::string folder_;
  std::string run_as_;  // "" or a prefix that becomes another user, since the server refuses root
  int made_ = 0;
};

}  // namespace isthmus::test
