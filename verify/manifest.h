#pragma once

#include <map>
#include <string>

#include "line_reader.h"

namespace verify {

/// Paths and their SHA-256 (32 bytes). Lines are "HASH  PATH", hash in lower case, paths in ascending order of their
/// bytes: so no path stands twice. Any other line ends the reading with false.
using Manifest = std::map<std::string, std::string>;
[[nodiscard]] bool read_manifest(LineReader& lines, Manifest& out);

/// True for the path of a payload file, "data/...", that stays inside the bag.
[[nodiscard]] bool is_payload_path(std::string_view path);

}  // namespace verify
