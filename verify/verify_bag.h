#pragma once

#include <cstdint>
#include <string>

#include "bag_files.h"
#include "fault.h"
#include "note.h"

namespace verify {

/// The judgement on one bag.
struct Report {
  Findings findings;
  std::string origin;
  std::uint64_t log_size = 0;
  std::uint64_t records = 0;   ///< in the bag
  std::uint64_t withheld = 0;  ///< of these, without their body
  std::uint64_t absent = 0;    ///< records of the log that the bag declares not to hold
  bool whole_log = false;      ///< all records are here, and together they gave the signed root

  [[nodiscard]] bool accepted() const { return findings.count() == 0; }
};

/// Judges a bag of format 1 (docs/formats/bag-1.md) against the key that an auditor trusts. Goes on after a fault where
/// it can, so that a changed record is named and not only its file. Reads every file once; memory is bounded by the
/// number of files and gaps, not by the number of records.
[[nodiscard]] Report verify_bag(BagFiles& files, const VerifierKey& key);

}  // namespace verify
