#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bag_files.h"
#include "crypto.h"

namespace verify {

/// A file read once, line by line, hashed on the way: what was judged is what was hashed. Memory is bounded by the
/// longest line allowed.
class LineReader {
 public:
  enum class Next {
    line,
    end,
    bad,  ///< a line that is too long or not ended by a newline, or the file cannot be read; no line follows
  };

  /// @param file may be null: then the first next() is bad.
  LineReader(std::unique_ptr<FileBytes> file, std::size_t line_bytes_max)
      : file_(std::move(file)), line_max_(line_bytes_max) {}

  /// The next line without its newline; the view lives until the next call.
  [[nodiscard]] Next next(std::string_view& line);
  [[nodiscard]] std::uint64_t number() const { return number_; }  ///< of the last line, from 1
  /// Reads what is left; SHA-256 of the whole file, empty when it cannot be read. Nothing may follow.
  [[nodiscard]] std::optional<std::string> finish();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  bool fill();  // false at the end or when the file cannot be read

  std::unique_ptr<FileBytes> file_;
  std::size_t line_max_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool broken_ = false;
  bool stopped_ = false;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
  Sha256 hash_;
};

/// A whole small file and its hash, or empty: it cannot be read or has more than bytes_max.
struct SmallFile {
  std::string bytes;
  std::string sha256;
};
[[nodiscard]] std::optional<SmallFile> read_small(BagFiles& files, const std::string& path, std::size_t bytes_max);

}  // namespace verify
