#include "line_reader.h"

namespace verify {
namespace {
constexpr std::size_t kChunkBytes = 16 * 1024;
}

bool LineReader::fill() {
  if (!file_ || broken_) {
    broken_ = true;
    return false;
  }
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kChunkBytes);
  const std::int64_t got = file_->read(buffer_.data() + before, kChunkBytes);
  buffer_.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got < 0) broken_ = true;
  if (got <= 0) return false;
  hash_.update(std::string_view(buffer_).substr(before));
  bytes_ += static_cast<std::uint64_t>(got);
  return true;
}

LineReader::Next LineReader::next(std::string_view& line) {
  if (stopped_) return Next::bad;
  std::size_t searched = 0;
  while (true) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    const std::size_t end = rest.find('\n', searched);
    if (end != std::string_view::npos && end <= line_max_) {
      line = rest.substr(0, end);
      at_ += end + 1;
      ++number_;
      return Next::line;
    }
    searched = rest.size();
    if (searched > line_max_) break;
    if (!fill()) {
      if (!broken_ && searched == 0) return Next::end;
      break;
    }
  }
  ++number_;
  stopped_ = true;
  return Next::bad;
}

std::optional<std::string> LineReader::finish() {
  do {
    at_ = buffer_.size();
  } while (fill());
  if (broken_) return std::nullopt;
  return hash_.finish();
}

std::optional<SmallFile> read_small(BagFiles& files, const std::string& path, std::size_t bytes_max) {
  const auto file = files.open(path);
  if (!file) return std::nullopt;
  SmallFile out;
  char chunk[4096];
  while (true) {
    const std::int64_t got = file->read(chunk, sizeof chunk);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    out.bytes.append(chunk, static_cast<std::size_t>(got));
    if (out.bytes.size() > bytes_max) return std::nullopt;
  }
  out.sha256 = sha256(out.bytes);
  return out;
}

}  // namespace verify
