#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

/// Every reason for which a bag is refused.
enum class Fault {
  unreadable,
  not_regular,
  bad_name,
  too_many_files,
  missing,
  unlisted,
  too_large,
  changed,
  bad_signature,
  bad_signed_text,
  bad_manifest,
  bad_tag_file,
  counts_differ,
  bad_checkpoint,
  bad_gaps,
  gap_not_declared,
  gap_not_real,
  bad_line,
  bad_header,
  bad_order,
  bad_body,
  bad_commitment,
  bad_proof,
  proof_missing,
  proof_of_nothing,
  bad_tombstone,
  tombstone_missing,
  root_differs,
};

enum class Language { english, french };

[[nodiscard]] const std::vector<Fault>& all_faults();
[[nodiscard]] std::string_view code_of(Fault fault);  ///< "record.bad-commitment", for programs
[[nodiscard]] std::string_view text_of(Fault fault, Language language);

/// One thing that is wrong, with the file, and where there is one the line and the record.
struct Finding {
  Fault fault = Fault::unreadable;
  std::string file;
  std::optional<std::uint64_t> line = std::nullopt;
  std::optional<std::uint64_t> index = std::nullopt;
  std::string record = {};  ///< its id, when it could be read
};

/// "data/records.ndjson, line 3, record 2 (id): the body is not ...". Control characters in names are replaced.
[[nodiscard]] std::string to_text(const Finding& finding, Language language);

/// Collects findings; counts all, keeps the first hundred.
class Findings {
 public:
  static constexpr std::size_t kKeptMax = 100;

  void add(Finding finding) {
    ++count_;
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(finding));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<Finding> kept_;
};

}  // namespace verify
