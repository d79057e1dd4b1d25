#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "archive/bag.h"
#include "verify/verify_bag.h"

// Bags made by the daemon's writer, as files in memory, and the means to falsify them well.
namespace bags {

using Files = std::map<std::string, std::string>;

/// A folder of its own, removed with everything in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The key of RFC 8032 section 7.1 test 1, under the name isthmus.example/demo.
[[nodiscard]] const isthmus::archive::NoteSigner& signer();
[[nodiscard]] verify::VerifierKey key();

/// Six records: messages with text that needs escapes, a lead, one that was erased and its tombstone. Always the same
/// bytes.
struct Choice {
  std::uint64_t from = 0;
  std::uint64_t to = 6;
};
void write_to(const std::filesystem::path& dir, Choice choice = {});
[[nodiscard]] Files files(Choice choice = {});

void store(const Files& files, const std::filesystem::path& dir);
[[nodiscard]] Files load(const std::filesystem::path& dir);

/// Makes manifests and bag-info fit the files again, as someone without the key would.
void fix_manifests(Files& files);
/// The same and a new signature, as a dishonest owner of the key would.
void sign_again(Files& files, std::uint64_t size = 6, std::uint64_t records = 6);

[[nodiscard]] verify::Report judge(const Files& files);
/// Codes of what was found, without repetition, for comparison.
[[nodiscard]] std::string codes(const verify::Report& report);

/// Replaces the first occurrence, which must be there.
void replace(std::string& text, const std::string& what, const std::string& with);

}  // namespace bags
