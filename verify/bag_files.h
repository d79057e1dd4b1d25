#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "fault.h"

namespace verify {

/// The bytes of one file, from its beginning.
class FileBytes {
 public:
  virtual ~FileBytes() = default;
  /// Number of bytes read, 0 at the end, -1 when the file cannot be read.
  [[nodiscard]] virtual std::int64_t read(char* into, std::size_t max) = 0;
};

/// The files of a bag: a folder, or memory in tests and under the fuzzer.
class BagFiles {
 public:
  static constexpr std::size_t kFilesMax = 1'000'000;

  virtual ~BagFiles() = default;
  /// Every file by its path within the bag, with its size. What is no plain file, or has a name that bags do not use,
  /// is a finding and not listed.
  [[nodiscard]] virtual std::map<std::string, std::uint64_t> list(Findings& findings) = 0;
  /// Null when it cannot be opened. Only for paths that list() gave.
  [[nodiscard]] virtual std::unique_ptr<FileBytes> open(const std::string& path) = 0;
};

/// A folder. Never follows a link, never leaves the folder.
class FolderFiles final : public BagFiles {
 public:
  explicit FolderFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::map<std::string, std::uint64_t> list(Findings& findings) override;
  [[nodiscard]] std::unique_ptr<FileBytes> open(const std::string& path) override;

 private:
  std::filesystem::path folder_;
};

class MemoryFiles final : public BagFiles {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  [[nodiscard]] std::map<std::string, std::uint64_t> list(Findings& findings) override;
  [[nodiscard]] std::unique_ptr<FileBytes> open(const std::string& path) override;
  [[nodiscard]] std::map<std::string, std::string>& files() { return files_; }

 private:
  std::map<std::string, std::string> files_;
};

/// Whether bags use this path: letters, digits, ".", "_", "-" between single slashes, no component that begins with a
/// dot.
[[nodiscard]] bool is_bag_path(std::string_view path);

}  // namespace verify
