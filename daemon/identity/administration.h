#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "config/apply_file.h"
#include "identity/directory.h"
#include "store/connection.h"

namespace isthmus::identity {

/// What a file of the administration is checked against, beyond its own form.
struct Installed {
  FindAdapter adapter;
  /// The formats that a mapping reads and writes ("lead/1", "lead/1"); nothing when it is not installed.
  std::function<std::optional<std::pair<std::string, std::string>>(const std::string& mapping)> mapping;
};

/// Finds what would not work: adapters that are not installed, missing and unknown fields, hosts that the adapter needs
/// and nobody approved, streams, operations and mappings that do not exist or do not fit. Errors are added to
/// diagnostics.
void check_against_installed(const config::ApplyFile& file, const std::string& name, const Installed& installed,
                             Diagnostics& diagnostics);

/// The database's administration as a file.
[[nodiscard]] Result<config::ApplyFile> export_administration(store::Connection& db);

/// Makes the database equal to the file, in one transaction, and moves the administration's version. Connections that
/// the file no longer names are kept for history and act no more. Error apply.name-taken: a name of a removed
/// connection cannot come back.
/// @return what changed, against what stood there when the administration was ours alone.
[[nodiscard]] Result<std::vector<config::ApplyChange>> apply(store::Connection& db, const config::ApplyFile& file,
                                                             const Installed& installed, Random& random);

}  // namespace isthmus::identity
