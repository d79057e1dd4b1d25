#include "config/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/crypto.h"

namespace isthmus::config {

namespace {

constexpr std::size_t kFileBytesMax = 65536;

/// Closes on every way out.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

bool others_can_read(const struct stat& info) {
  if ((info.st_mode & 07007) != 0 || (info.st_mode & 0030) != 0) return true;
  const bool group_reads = (info.st_mode & 0040) != 0;
  return group_reads && (info.st_uid != 0 || info.st_gid != 0);
}

std::string_view without_line_break(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Secret> Credentials::read(std::string_view name) const {
  if (folder_.empty()) {
    return fail("credential.missing",
                fmt::format("the secret {} was asked for, but no credentials folder is configured", name),
                "set credentials in isthmus.yaml, or start the daemon from its unit");
  }
  const std::string path = fmt::format("{}/{}", folder_, name);
  const File file(path);
  if (file.fd() < 0) {
    const char* reason = std::strerror(errno);  // glibc's is thread safe for known numbers
    return fail(errno == ENOENT ? "credential.missing" : "credential.unreadable",
                fmt::format("opening {}: {}", path, reason),
                "the file must exist, not be a link, and be readable by the daemon's user");
  }
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail("credential.unreadable", fmt::format("{} is not a regular file", path));
  }
  if (others_can_read(info) || (info.st_uid != 0 && info.st_uid != ::geteuid())) {
    return fail("credential.too-open",
                fmt::format("{} has mode {:04o} and belongs to user {}", path, info.st_mode & 07777U, info.st_uid),
                "chmod 0400 it and give it to the daemon's user or root: nobody else may read a secret");
  }
  std::string bytes(kFileBytesMax + 1, '\0');
  std::size_t used = 0;
  while (used < bytes.size()) {
    const ssize_t got = ::read(file.fd(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail("credential.unreadable", fmt::format("reading {} failed", path));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > kFileBytesMax)
    return fail("credential.too-large", fmt::format("{} has more than {} bytes", path, kFileBytesMax));
  const Secret wiped(std::move(bytes));  // wipes the whole buffer, not only the part that is used
  return Secret(std::string(wiped.reveal().substr(0, used)));
}

Result<Secret> Credentials::text(std::string_view name) const {
  Result<Secret> raw = read(name);
  if (!raw) return fail(std::move(raw).error());
  const std::string_view text = without_line_break(raw->reveal());
  if (text.empty() || text.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos) {
    return fail("credential.form", fmt::format("{}/{} must hold one line", folder_, name));
  }
  return Secret(std::string(text));
}

Result<Secret> Credentials::key32(std::string_view name) const {
  Result<Secret> raw = read(name);
  if (!raw) return fail(std::move(raw).error());
  if (raw->reveal().size() == crypto::kKeyBytes) return raw;
  Result<Bytes> bytes = from_hex(without_line_break(raw->reveal()));
  if (!bytes || bytes->size() != crypto::kKeyBytes) {
    return fail("credential.form",
                fmt::format("{}/{} must hold a key of 32 bytes: raw, or 64 hexadecimal digits", folder_, name),
                "openssl rand -hex 32 makes one");
  }
  return Secret(std::move(*bytes));
}

}  // namespace isthmus::config
