#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/diagnostic.h"
#include "policy/request.h"

namespace isthmus::policy {

namespace detail {
struct Pack;
class Matcher;
}  // namespace detail

/// The rule packs in force: the one place that decides what may leave. docs/formats/policy-1.md describes the packs.
///
/// Deny by default and fail closed: what no rule permits is forbidden (default.deny); a condition that cannot be
/// evaluated forbids, under the name of its rule; a datum whose purposes lack what the target needs it for is forbidden
/// before any rule is asked (purposes.NAME). Among the rules that apply, forbid beats hold beats warn beats permit; of
/// equals the first in the packs' order counts. A hold or a warning does not permit: without a permitting rule too, the
/// answer is default.deny. Threads:   any; immutable. Share as shared_ptr<const PackSet>, replace it whole at a reload.
/// Errors:    of the files as diagnostics; decide() always answers.
class PackSet {
 public:
  struct PackInfo {
    std::string name;
    std::string version;
    std::string file;
    Bytes sha256;  ///< of the pack's file and its lists
  };
  struct TestReport {
    struct Failure {
      std::string pack;
      std::string test;
      std::string place;       ///< file:line
      std::string difference;  ///< expected and found, in words
    };
    std::size_t run = 0;
    std::vector<Failure> failures;
    std::vector<std::string> untested;  ///< "pack/rule" that no test of its pack expects
  };

  /// Loads files, and of folders every *.yaml in it by name. All mistakes of all files are reported.
  /// @return nullptr when there is any error.
  [[nodiscard]] static std::shared_ptr<const PackSet> load(const std::vector<std::filesystem::path>& paths,
                                                           Diagnostics& diagnostics);

  [[nodiscard]] Decision decide(const Request& request) const;

  /// Runs every pack's tests, each pack with those it names in `with` and no others, so that a site's packs cannot
  /// break a shipped test.
  [[nodiscard]] TestReport run_tests() const;

  [[nodiscard]] std::vector<PackInfo> packs() const;

  ~PackSet();
  PackSet(const PackSet&) = delete;
  PackSet& operator=(const PackSet&) = delete;

 private:
  explicit PackSet(std::vector<std::shared_ptr<const detail::Pack>> packs);
  std::vector<std::shared_ptr<const detail::Pack>> packs_;
  std::unique_ptr<const detail::Matcher> matcher_;
};

}  // namespace isthmus::policy
