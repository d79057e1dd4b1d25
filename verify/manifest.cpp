#include "manifest.h"

#include "encoding.h"

namespace verify {

bool read_manifest(LineReader& lines, Manifest& out) {
  std::string_view line;
  while (true) {
    switch (lines.next(line)) {
      case LineReader::Next::end:
        return true;
      case LineReader::Next::bad:
        return false;
      case LineReader::Next::line:
        break;
    }
    if (line.size() < 67 || line.substr(64, 2) != "  ") return false;
    auto hash = from_hex(line.substr(0, 64));
    const std::string_view path = line.substr(66);
    const bool after = out.empty() || out.rbegin()->first < path;
    if (!hash || !is_bag_path(path) || !after || out.size() == BagFiles::kFilesMax) return false;
    out.emplace_hint(out.end(), path, *std::move(hash));
  }
}

bool is_payload_path(std::string_view path) { return path.starts_with("data/") && is_bag_path(path); }

}  // namespace verify
