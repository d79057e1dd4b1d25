#include "bag_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace verify {
namespace {

namespace fs = std::filesystem;
constexpr int kFolderDepthMax = 8;

class OpenFile final : public FileBytes {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() override { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::int64_t read(char* into, std::size_t max) override {
    while (true) {
      const ssize_t got = ::read(fd_, into, max);
      if (got >= 0 || errno != EINTR) return got;
    }
  }

 private:
  int fd_;
};

class MemoryBytes final : public FileBytes {
 public:
  explicit MemoryBytes(std::string_view bytes) : rest_(bytes) {}
  std::int64_t read(char* into, std::size_t max) override {
    const std::size_t count = std::min(max, rest_.size());
    std::memcpy(into, rest_.data(), count);
    rest_.remove_prefix(count);
    return static_cast<std::int64_t>(count);
  }

 private:
  std::string_view rest_;
};

struct Walk {
  Findings& findings;
  std::map<std::string, std::uint64_t>& files;
};

void walk(const fs::path& folder, const std::string& prefix, int depth, const Walk& out) {
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    const std::string name = prefix + entries->path().filename().string();
    std::error_code stat_code;
    const fs::file_status status = entries->symlink_status(stat_code);
    if (!is_bag_path(name)) {
      out.findings.add({Fault::bad_name, name});
    } else if (fs::is_directory(status) && depth < kFolderDepthMax) {
      walk(entries->path(), name + "/", depth + 1, out);
    } else if (!fs::is_regular_file(status)) {
      out.findings.add({Fault::not_regular, name});
    } else if (out.files.size() == BagFiles::kFilesMax) {
      return;
    } else {
      const std::uintmax_t size = entries->file_size(stat_code);
      if (stat_code) {
        out.findings.add({Fault::unreadable, name});
      } else {
        out.files[name] = size;
      }
    }
  }
  if (code) out.findings.add({Fault::unreadable, prefix.empty() ? "." : prefix});
}

}  // namespace

bool is_bag_path(std::string_view path) {
  if (path.empty() || path.size() > 1024) return false;
  char before = '/';
  for (const char c : path) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    const bool inner = (c == '.' || c == '/') && before != '/';
    if (!plain && !inner) return false;
    before = c;
  }
  return before != '/';
}

std::map<std::string, std::uint64_t> FolderFiles::list(Findings& findings) {
  std::map<std::string, std::uint64_t> files;
  walk(folder_, "", 0, {findings, files});
  if (files.size() == kFilesMax) findings.add({Fault::too_many_files, "."});
  return files;
}

std::unique_ptr<FileBytes> FolderFiles::open(const std::string& path) {
  // O_NONBLOCK: a pipe that takes the file's place after it was listed must not make us wait.
  const int fd = ::open((folder_ / path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return nullptr;
  struct stat status {};
  auto file = std::make_unique<OpenFile>(fd);
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  return file;
}

std::map<std::string, std::uint64_t> MemoryFiles::list(Findings& findings) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& file : files_) {
    if (is_bag_path(file.first)) {
      out[file.first] = file.second.size();
    } else {
      findings.add({Fault::bad_name, file.first});
    }
  }
  return out;
}

std::unique_ptr<FileBytes> MemoryFiles::open(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return nullptr;
  return std::make_unique<MemoryBytes>(found->second);
}

}  // namespace verify
