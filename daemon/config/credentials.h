#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace isthmus::config {

/// Secrets come from files of one folder, as systemd hands them over, never from the environment or a command line.
///
/// A file must be a regular one that belongs to this process's user or to root, and that nobody else can read. The one
/// exception is root:root with mode 0440: systemd lets a service in by an access list, whose mask shows as the group's
/// bits. Threads: any; each call reads the file. Errors: credential.missing, credential.too-open,
/// credential.unreadable, credential.too-large (64 KiB), credential.form.
class Credentials {
 public:
  explicit Credentials(std::string folder) : folder_(std::move(folder)) {}

  /// The file's bytes as they are.
  [[nodiscard]] Result<Secret> read(std::string_view name) const;
  /// A password: the file without one line break at its end; not empty.
  [[nodiscard]] Result<Secret> text(std::string_view name) const;
  /// A key of exactly 32 bytes: 32 raw bytes, or 64 hexadecimal digits with an optional line break.
  [[nodiscard]] Result<Secret> key32(std::string_view name) const;

 private:
  std::string folder_;
};

}  // namespace isthmus::config
