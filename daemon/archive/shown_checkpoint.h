#pragma once

#include <filesystem>
#include <optional>

#include "archive/checkpoint.h"

namespace isthmus::archive {

/// The newest checkpoint that this machine has shown to anyone, kept outside the database: a database restored from a
/// backup would otherwise go on from an older tree, and the log would contradict itself.
///
/// A file of one signed note, replaced whole. Error archive.state: it cannot be read or written.
[[nodiscard]] Result<std::optional<Checkpoint>> read_shown_checkpoint(const std::filesystem::path& file);
[[nodiscard]] Result<void> keep_shown_checkpoint(const std::filesystem::path& file, std::string_view note);

}  // namespace isthmus::archive
