#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"

namespace isthmus::archive::detail {

/// A new file of a bag: buffered, hashed and counted while it is written. One thread. Errors: bag.write.
class BagFile {
 public:
  BagFile() = default;
  ~BagFile();
  BagFile(const BagFile&) = delete;
  BagFile& operator=(const BagFile&) = delete;

  [[nodiscard]] Result<void> create(const std::filesystem::path& path);  ///< mode 0600; must not exist
  [[nodiscard]] Result<void> write(std::string_view bytes);
  /// Flushes to the disk and gives the hash, in hexadecimal.
  [[nodiscard]] Result<std::string> close();
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  Result<void> flush();
  Error failure(std::string_view act) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string buffer_;
  crypto::Sha256 hash_;
};

}  // namespace isthmus::archive::detail
