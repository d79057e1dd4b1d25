#include "verify_bag.h"

#include <set>

#include "checkpoint.h"
#include "crypto.h"
#include "encoding.h"
#include "gaps.h"
#include "json.h"
#include "line_reader.h"
#include "manifest.h"
#include "merkle.h"
#include "record.h"

namespace verify {
namespace {

constexpr std::size_t kNoteBytesMax = 64 * 1024;
constexpr std::size_t kTagFileBytesMax = 64 * 1024;
constexpr std::size_t kGapsBytesMax = 32 * 1024 * 1024;
constexpr std::size_t kLineBytesMax = 72 * 1024;
constexpr std::size_t kManifestLineBytesMax = 1100;

const std::string kSignature = "bag-signature.txt";
const std::string kTagManifest = "tagmanifest-sha256.txt";
const std::string kManifest = "manifest-sha256.txt";
const std::string kBagIt = "bagit.txt";
const std::string kBagInfo = "bag-info.txt";
const std::string kCheckpoint = "data/checkpoint.txt";
const std::string kGaps = "data/gaps.json";
const std::string kRecords = "data/records.ndjson";
const std::string kProofs = "data/proofs.ndjson";
const std::string kTable = "data/messages.csv";
const std::string kPage = "data/index.html";

class Verification {
 public:
  Verification(BagFiles& files, const VerifierKey& key) : files_(files), key_(key) {}

  Report run() {
    listed_ = files_.list(report_.findings);
    read_signature();
    read_tag_manifest();
    read_bagit();
    read_payload_manifest();
    compare_listing();
    read_bag_info();
    read_checkpoint_file();
    read_gaps_file();
    read_records();
    for (const auto& file : manifest_) {
      if (hashed_.count(file.first) == 0 && listed_.count(file.first) != 0) hash_other(file.first);
    }
    return std::move(report_);
  }

 private:
  void fault(Fault what, const std::string& file) { report_.findings.add({what, file}); }

  void compare_hash(const std::string& path, const std::string& actual, const Manifest& manifest) {
    const auto expected = manifest.find(path);
    // A path without an entry was reported when listing and manifest were compared.
    if (expected != manifest.end() && expected->second != actual) fault(Fault::changed, path);
  }

  /// A file that is small by its nature, held against the manifest that lists it.
  std::optional<std::string> small(const std::string& path, std::size_t bytes_max, const Manifest& manifest) {
    const auto size = listed_.find(path);
    if (size == listed_.end()) {
      fault(Fault::missing, path);
      return std::nullopt;
    }
    auto file = read_small(files_, path, bytes_max);
    hashed_.insert(path);
    if (!file) {
      fault(size->second > bytes_max ? Fault::too_large : Fault::unreadable, path);
      return std::nullopt;
    }
    compare_hash(path, file->sha256, manifest);
    return std::move(file->bytes);
  }

  void read_signature() {
    const auto note = small(kSignature, kNoteBytesMax, {});
    if (!note) return;
    const auto text = open_note(*note, key_, OtherSignatures::refused);
    if (!text) return fault(Fault::bad_signature, kSignature);
    signature_ = read_bag_text(*text);
    if (!signature_ || signature_->origin != key_.name) return fault(Fault::bad_signed_text, kSignature);
    report_.origin = signature_->origin;
    report_.log_size = signature_->size;
  }

  void read_tag_manifest() {
    Manifest expected;
    if (signature_) expected[kTagManifest] = signature_->tag_manifest_sha256;
    const bool good = read_manifest_file(kTagManifest, expected, tags_);
    const bool complete =
        tags_.size() == 3 && tags_.count(kBagIt) + tags_.count(kBagInfo) + tags_.count(kManifest) == 3;
    if (good && !complete) fault(Fault::bad_manifest, kTagManifest);
  }

  /// False when it is no manifest, which was reported.
  bool read_manifest_file(const std::string& path, const Manifest& expected, Manifest& out) {
    if (listed_.count(path) == 0) {
      fault(Fault::missing, path);
      return false;
    }
    LineReader lines(files_.open(path), kManifestLineBytesMax);
    const bool good = read_manifest(lines, out);
    if (!good) fault(Fault::bad_manifest, path);
    finish_lines(path, lines, expected);
    return good;
  }

  void read_bagit() {
    const auto bytes = small(kBagIt, kTagFileBytesMax, tags_);
    if (bytes && *bytes != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
      fault(Fault::bad_tag_file, kBagIt);
  }

  void read_payload_manifest() {
    if (!read_manifest_file(kManifest, tags_, manifest_)) return;
    for (const auto& file : manifest_) {
      if (!is_payload_path(file.first)) return fault(Fault::bad_manifest, kManifest);
    }
  }

  void compare_listing() {
    for (const auto& file : manifest_) {
      if (listed_.count(file.first) == 0) fault(Fault::missing, file.first);
    }
    const std::set<std::string> tag_files{kSignature, kTagManifest, kManifest, kBagIt, kBagInfo};
    for (const auto& file : listed_) {
      if (manifest_.count(file.first) + tag_files.count(file.first) == 0) fault(Fault::unlisted, file.first);
    }
    // The folder may hold these without a manifest that lists them, and a manifest may list none of them: both are
    // faults.
    for (const auto& path : {kCheckpoint, kGaps, kRecords, kProofs, kTable, kPage}) {
      if (manifest_.count(path) + listed_.count(path) == 0) fault(Fault::missing, path);
    }
  }

  void read_bag_info() {
    const auto bytes = small(kBagInfo, kTagFileBytesMax, tags_);
    if (!bytes) return;
    std::uint64_t octets = 0;
    for (const auto& file : manifest_) {
      const auto size = listed_.find(file.first);
      if (size != listed_.end()) octets += size->second;
    }
    const std::string oxum = std::to_string(octets) + "." + std::to_string(manifest_.size());
    const auto states = [&](const std::string& line) {
      return ("\n" + *bytes).find("\n" + line + "\n") != std::string::npos;
    };
    if (!states("Isthmus-Bag-Format: 1") || !states("Isthmus-Origin: " + key_.name))
      fault(Fault::bad_tag_file, kBagInfo);
    if (!states("Payload-Oxum: " + oxum)) fault(Fault::counts_differ, kBagInfo);
    if (signature_ && (!states("Isthmus-Log-Size: " + std::to_string(signature_->size)) ||
                       !states("Isthmus-Records: " + std::to_string(signature_->records)))) {
      fault(Fault::counts_differ, kBagInfo);
    }
  }

  void read_checkpoint_file() {
    const auto note = small_payload(kCheckpoint, kNoteBytesMax);
    if (!note) return;
    checkpoint_ = read_checkpoint(*note, key_);
    if (!checkpoint_ || (signature_ && checkpoint_->size != signature_->size))
      fault(Fault::bad_checkpoint, kCheckpoint);
  }

  void read_gaps_file() {
    const auto text = small_payload(kGaps, kGapsBytesMax);
    if (!text || !checkpoint_) return;
    auto gaps = read_gaps(*text, checkpoint_->size);
    if (!gaps) return fault(Fault::bad_gaps, kGaps);
    for (const Gap& gap : *gaps) report_.absent += gap.to - gap.from;
    coverage_.emplace(*std::move(gaps));
  }

  /// As small(), for what compare_listing() already reported as missing.
  std::optional<std::string> small_payload(const std::string& path, std::size_t bytes_max) {
    if (listed_.count(path) == 0) return std::nullopt;
    return small(path, bytes_max, manifest_);
  }

  void read_records() {
    const bool both = listed_.count(kRecords) + listed_.count(kProofs) == 2;
    if (!both) return;
    LineReader records(files_.open(kRecords), kLineBytesMax);
    LineReader proofs(files_.open(kProofs), kLineBytesMax);
    std::string_view line;
    LineReader::Next next = records.next(line);
    for (; next == LineReader::Next::line; next = records.next(line)) {
      ++report_.records;
      judge_record(line, records.number(), proofs);
    }
    if (next == LineReader::Next::bad) report_.findings.add({Fault::bad_line, kRecords, records.number()});
    if (proofs.next(line) != LineReader::Next::end)
      report_.findings.add({Fault::proof_of_nothing, kProofs, proofs.number()});
    finish_lines(kRecords, records, manifest_);
    finish_lines(kProofs, proofs, manifest_);
    judge_whole();
  }

  void finish_lines(const std::string& path, LineReader& lines, const Manifest& manifest) {
    const auto hash = lines.finish();
    hashed_.insert(path);
    if (!hash) return fault(Fault::unreadable, path);
    compare_hash(path, *hash, manifest);
  }

  void judge_record(std::string_view text, std::uint64_t number, LineReader& proofs) {
    std::string_view proof_text;
    const bool has_proof = proofs.next(proof_text) == LineReader::Next::line;
    const auto json = read_json(text);
    const auto line = json ? read_record_line(*json) : std::nullopt;
    if (!line) return report_.findings.add({Fault::bad_line, kRecords, number});
    const auto header = read_header(*line->header);
    const auto wrong = [&](Fault what, const std::string& file) {
      report_.findings.add({what, file, number, line->index, header ? header->id : std::string()});
    };
    if (!header) return wrong(Fault::bad_header, kRecords);
    judge_order(*line, wrong);
    judge_body(*line, *header, wrong);
    judge_erasure(*line, *header, wrong);
    const std::string leaf = leaf_hash(header->raw);
    whole_.append(leaf);
    if (!has_proof) return wrong(Fault::proof_missing, kProofs);
    const auto proof = read_proof_line(proof_text);
    if (!proof || proof->index != line->index) return wrong(Fault::bad_proof, kProofs);
    if (!checkpoint_) return;  // reported; there is no root to reach
    const auto root = root_from_proof(leaf, line->index, checkpoint_->size, proof->path);
    if (!root || *root != checkpoint_->root) wrong(Fault::bad_proof, kRecords);
  }

  template <class Wrong>
  void judge_order(const RecordLine& line, const Wrong& wrong) {
    const bool ascending = !last_index_ || line.index > *last_index_;
    if (!ascending || (checkpoint_ && line.index >= checkpoint_->size)) return wrong(Fault::bad_order, kRecords);
    last_index_ = line.index;
    if (!coverage_) return;
    if (!coverage_->reach(line.index)) wrong(Fault::gap_not_declared, kRecords);
    coverage_->pass_record();
  }

  template <class Wrong>
  void judge_body(const RecordLine& line, const RecordHeader& header, const Wrong& wrong) {
    if (line.body == nullptr) {
      ++report_.withheld;
      return;
    }
    if (!is_body(*line.body)) return wrong(Fault::bad_body, kRecords);
    if (sha256(line.salt + std::string(line.body->raw)) != header.commitment) wrong(Fault::bad_commitment, kRecords);
  }

  template <class Wrong>
  void judge_erasure(const RecordLine& line, const RecordHeader& header, const Wrong& wrong) {
    if (line.tombstone) {
      if (*line.tombstone <= line.index) return wrong(Fault::bad_tombstone, kRecords);
      tombstones_.emplace(*line.tombstone, header.id);
    }
    const auto named = tombstones_.equal_range(line.index);
    for (auto erased = named.first; erased != named.second; ++erased) {
      const Json* record = line.body == nullptr ? nullptr : line.body->find("record");
      if (header.kind != "record.erased" || record == nullptr || record->text != erased->second) {
        wrong(Fault::bad_tombstone, kRecords);
      }
    }
    tombstones_.erase(named.first, named.second);
  }

  void judge_whole() {
    for (const auto& left : tombstones_) {
      report_.findings.add({Fault::tombstone_missing, kRecords, std::nullopt, left.first, left.second});
    }
    if (signature_ && report_.records != signature_->records) fault(Fault::counts_differ, kRecords);
    if (!checkpoint_ || !coverage_) return;
    if (!coverage_->reach(checkpoint_->size)) fault(Fault::gap_not_declared, kRecords);
    if (!coverage_->all_gaps_used()) fault(Fault::gap_not_real, kGaps);
    if (coverage_->has_gaps()) return;
    report_.whole_log = whole_.size() == checkpoint_->size && whole_.root() == checkpoint_->root;
    if (!report_.whole_log) fault(Fault::root_differs, kRecords);
  }

  void hash_other(const std::string& path) {
    LineReader bytes(files_.open(path), 0);
    finish_lines(path, bytes, manifest_);
  }

  BagFiles& files_;
  const VerifierKey& key_;
  Report report_;
  std::map<std::string, std::uint64_t> listed_;
  std::optional<BagSignature> signature_;
  Manifest tags_;
  Manifest manifest_;
  std::set<std::string> hashed_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Coverage> coverage_;
  std::optional<std::uint64_t> last_index_;
  std::multimap<std::uint64_t, std::string> tombstones_;  // index of the tombstone, id of the erased record
  RootBuilder whole_;
};

}  // namespace

Report verify_bag(BagFiles& files, const VerifierKey& key) { return Verification(files, key).run(); }

}  // namespace verify
