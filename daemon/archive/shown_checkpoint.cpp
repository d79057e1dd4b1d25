#include "archive/shown_checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace isthmus::archive {
namespace {

tl::unexpected<Error> failure(std::string_view act, const std::filesystem::path& file) {
  return fail("archive.state", std::string(act) + " " + file.string() + " failed: " + std::strerror(errno));
}

bool write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(fd) == 0;
}

}  // namespace

Result<std::optional<Checkpoint>> read_shown_checkpoint(const std::filesystem::path& file) {
  std::error_code code;
  if (!std::filesystem::exists(file, code)) {
    if (code) return fail("archive.state", "reading " + file.string() + " failed: " + code.message());
    return std::optional<Checkpoint>();
  }
  std::ifstream in(file, std::ios::binary);
  std::string note;
  for (char c = 0; note.size() < 65536 && in.get(c);) note += c;
  auto checkpoint = parse_checkpoint(note);
  if (!checkpoint) {
    return fail("archive.state", file.string() + " holds no checkpoint: " + checkpoint.error().what,
                "find out what damaged it; remove it only when you know that no newer checkpoint was shown");
  }
  return std::optional(*std::move(checkpoint));
}

Result<void> keep_shown_checkpoint(const std::filesystem::path& file, std::string_view note) {
  const std::string fresh = file.string() + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failure("creating", fresh);
  const bool written = write_whole(fd, note);
  const int reason = errno;
  ::close(fd);
  errno = reason;
  if (!written) return failure("writing", fresh);
  if (std::rename(fresh.c_str(), file.c_str()) != 0) return failure("renaming to", file);
  return {};
}

}  // namespace isthmus::archive
