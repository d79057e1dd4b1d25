// The auditor's program on bags from anywhere. An input is the files of a bag in one text: a line "@@@ PATH", then the
// bytes of that file up to the newline before the next such line.
//
// The key of the corpus has signed two bags, docs/formats/examples/bag-1 and a part of it. So nothing else may ever be
// accepted.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "verify/crypto.h"
#include "verify/encoding.h"
#include "verify/verify_bag.h"

namespace {

constexpr std::string_view kKey = "isthmus.example/demo+d78a6992+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
constexpr std::string_view kSigned[] = {"e054d387dbd1136d03e10f81aaf5cec384506c64af817bf3f3ab8c3645f16400",
                                        "2655d8d82d9aef529ee9842452110745ab2153797890054ccf88b97cbebed572"};

std::map<std::string, std::string> files_of(std::string_view text) {
  constexpr std::string_view kMark = "@@@ ";
  std::map<std::string, std::string> files;
  while (text.starts_with(kMark)) {
    text.remove_prefix(kMark.size());
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) break;
    const std::string path(text.substr(0, line));
    text.remove_prefix(line + 1);
    const std::size_t end = text.find("\n@@@ ");
    files[path] = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return files;
}

std::string hash_of(const std::map<std::string, std::string>& files) {
  std::string all;
  for (const auto& file : files) all += file.first + '\n' + verify::sha256(file.second);
  return verify::to_hex(verify::sha256(all));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = files_of({reinterpret_cast<const char*>(data), size});
  verify::MemoryFiles memory(files);
  const auto key = verify::read_key(kKey);
  const auto report = verify::verify_bag(memory, *key);
  for (const auto& finding : report.findings.kept())
    static_cast<void>(verify::to_text(finding, verify::Language::french));
  const std::string hash = hash_of(files);
  if (report.accepted() && hash != kSigned[0] && hash != kSigned[1]) std::abort();
  return 0;
}
