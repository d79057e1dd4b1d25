#include "archive/detail/bag_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace isthmus::archive::detail {
namespace {
constexpr std::size_t kBufferBytes = 64 * 1024;
}

BagFile::~BagFile() {
  if (fd_ >= 0) ::close(fd_);
}

Error BagFile::failure(std::string_view act) const {
  return Error{"bag.write", std::string(act) + " " + path_.string() + " failed: " + std::strerror(errno), {}, {}};
}

Result<void> BagFile::create(const std::filesystem::path& path) {
  path_ = path;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) return fail(failure("creating"));
  buffer_.reserve(kBufferBytes);
  return {};
}

Result<void> BagFile::write(std::string_view bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  buffer_ += bytes;
  if (buffer_.size() < kBufferBytes) return {};
  return flush();
}

Result<void> BagFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(fd_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return fail(failure("writing"));
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  buffer_.clear();
  return {};
}

Result<std::string> BagFile::close() {
  if (auto flushed = flush(); !flushed) return fail(std::move(flushed).error());
  if (::fsync(fd_) != 0) return fail(failure("flushing"));
  if (::close(std::exchange(fd_, -1)) != 0) return fail(failure("closing"));
  return to_hex(hash_.finish());
}

}  // namespace isthmus::archive::detail
