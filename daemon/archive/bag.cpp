#include "archive/bag.h"

#include <fmt/format.h>

#include <map>
#include <system_error>

#include "archive/detail/bag_file.h"
#include "archive/detail/readable.h"
#include "base/check.h"
#include "base/json.h"

namespace isthmus::archive {
namespace {

namespace fs = std::filesystem;
using detail::BagFile;

constexpr std::size_t kReasonBytesMax = 200;

Error write_error(std::string_view act, const fs::path& path, const std::error_code& code) {
  return Error{"bag.write", fmt::format("{} {} failed: {}", act, path.string(), code.message()), {}, {}};
}

struct Range {
  std::uint64_t from;
  std::uint64_t to;
  std::string reason;
};

std::string gaps_json(std::uint64_t size, const std::vector<Range>& ranges) {
  JsonWriter json;
  json.begin_object().member("format", 1).key("ranges").begin_array();
  for (const Range& range : ranges) {
    json.begin_object().member("from", range.from).member("reason", range.reason).member("to", range.to).end_object();
  }
  json.end_array().member("size", size).end_object();
  return std::move(json).text() + "\n";
}

// Both lines are in RFC 8785 form because header and body are and the names are in order.
std::string record_line(const BagRecord& record) {
  JsonWriter json;
  json.begin_object();
  if (record.opened) {
    json.key("body").raw(record.opened->body);
  } else {
    json.key("erased").begin_object().member("reason", record.reason);
    if (record.tombstone) json.member("tombstone", *record.tombstone);
    json.end_object();
  }
  json.key("header").raw(record.header).member("index", record.index);
  if (record.opened) json.member("salt", to_hex(record.opened->salt));
  json.end_object();
  return std::move(json).text() + "\n";
}

std::string proof_line(const BagRecord& record) {
  JsonWriter json;
  json.begin_object().member("index", record.index).key("path").begin_array();
  for (const Hash& hash : record.path) json.value(to_hex(hash.view()));
  json.end_array().end_object();
  return std::move(json).text() + "\n";
}

}  // namespace

struct BagWriter::State {
  State(fs::path target, BagInfo about, const NoteSigner& with)
      : dir(std::move(target)), partial(dir.string() + ".partial"), info(std::move(about)), signer(with) {}
  ~State() {
    std::error_code ignored;  // a folder that stays behind is named .partial and no bag
    if (!renamed && created) fs::remove_all(partial, ignored);
  }

  Result<void> make_folders();
  Result<void> open();
  Result<void> add(const BagRecord& record);
  Result<void> whole_file(const std::string& name, std::string_view content);
  Result<void> close_payload();
  Result<void> sign_tags();
  Result<void> rename_to_final();
  Result<void> reach(std::uint64_t index);
  Result<void> keep_gap(std::uint64_t from, std::uint64_t to, std::string_view reason);

  const fs::path dir;
  const fs::path partial;
  const BagInfo info;
  const NoteSigner& signer;
  bool created = false;
  bool renamed = false;
  BagFile records, proofs, csv, html;
  std::map<std::string, std::string> hashes;  // of every closed file, by its path in the bag
  std::uint64_t payload_bytes = 0;
  std::uint64_t next_index = 0;
  std::uint64_t count = 0;
  std::vector<Range> gaps;
};

Result<void> BagWriter::State::make_folders() {
  std::error_code code;
  if (fs::exists(fs::symlink_status(dir, code)) || fs::exists(fs::symlink_status(partial, code))) {
    return fail("bag.exists", fmt::format("{} or {} exists already", dir.string(), partial.string()),
                "choose another folder, or remove it");
  }
  if (!fs::create_directory(partial, code)) return fail(write_error("creating", partial, code));
  created = true;
  fs::permissions(partial, fs::perms::owner_all, code);
  if (code) return fail(write_error("protecting", partial, code));
  if (!fs::create_directory(partial / "data", code)) return fail(write_error("creating", partial / "data", code));
  return {};
}

Result<void> BagWriter::State::open() {
  if (auto made = make_folders(); !made) return made;
  const std::pair<BagFile*, const char*> files[] = {
      {&records, "records.ndjson"}, {&proofs, "proofs.ndjson"}, {&csv, "messages.csv"}, {&html, "index.html"}};
  for (const auto& file : files) {
    if (auto made = file.first->create(partial / "data" / file.second); !made) return made;
  }
  if (auto written = csv.write(detail::csv_head()); !written) return written;
  return html.write(detail::html_head(info));
}

Result<void> BagWriter::State::keep_gap(std::uint64_t from, std::uint64_t to, std::string_view reason) {
  ISTHMUS_CHECK(!reason.empty() && reason.size() <= kReasonBytesMax, "a gap has a reason");
  if (!gaps.empty() && gaps.back().to == from && gaps.back().reason == reason) {
    gaps.back().to = to;
    return {};
  }
  if (gaps.size() == kGapsMax) {
    return fail("bag.too-many-gaps", "the records chosen for this bag have more than 100000 gaps between them",
                "export longer ranges");
  }
  gaps.push_back({from, to, std::string(reason)});
  return {};
}

/// Declares what lies between the last record and this index.
Result<void> BagWriter::State::reach(std::uint64_t index) {
  if (index < next_index || index > info.checkpoint.size) {
    return fail("bag.order", fmt::format("record {} is out of order or beyond the checkpoint", index));
  }
  if (next_index == index) return {};
  return keep_gap(std::exchange(next_index, index), index, info.gap_reason);
}

Result<void> BagWriter::State::add(const BagRecord& record) {
  ISTHMUS_CHECK(record.opened || (!record.reason.empty() && record.reason.size() <= kReasonBytesMax),
                "a body that is not shown has a reason");
  if (record.index >= info.checkpoint.size)
    return fail("bag.order", fmt::format("record {} is beyond the checkpoint", record.index));
  const auto header = parse_header(record.header);
  if (!header) return fail(header.error());
  if (auto reached = reach(record.index); !reached) return reached;
  next_index = record.index + 1;
  ++count;
  if (auto written = records.write(record_line(record)); !written) return written;
  if (auto written = proofs.write(proof_line(record)); !written) return written;
  if (auto written = csv.write(detail::csv_row(record, *header)); !written) return written;
  return html.write(detail::html_row(record, *header));
}

Result<void> BagWriter::State::whole_file(const std::string& name, std::string_view content) {
  BagFile file;
  if (auto made = file.create(partial / name); !made) return made;
  if (auto written = file.write(content); !written) return written;
  auto hash = file.close();
  if (!hash) return fail(std::move(hash).error());
  hashes[name] = *std::move(hash);
  if (name.starts_with("data/")) payload_bytes += content.size();
  return {};
}

Result<void> BagWriter::State::close_payload() {
  if (auto reached = reach(info.checkpoint.size); !reached) return reached;
  if (auto written = html.write(detail::html_tail()); !written) return written;
  const std::pair<BagFile*, const char*> files[] = {{&records, "data/records.ndjson"},
                                                    {&proofs, "data/proofs.ndjson"},
                                                    {&csv, "data/messages.csv"},
                                                    {&html, "data/index.html"}};
  for (const auto& file : files) {
    auto hash = file.first->close();
    if (!hash) return fail(std::move(hash).error());
    hashes[file.second] = *std::move(hash);
    payload_bytes += file.first->size();
  }
  if (auto done = whole_file("data/gaps.json", gaps_json(info.checkpoint.size, gaps)); !done) return done;
  return whole_file("data/checkpoint.txt", info.note);
}

Result<void> BagWriter::State::sign_tags() {
  std::string manifest;
  for (const auto& file : hashes) manifest += fmt::format("{}  {}\n", file.second, file.first);
  const std::size_t payload_files = hashes.size();
  const std::string about = fmt::format(
      "Bag-Software-Agent: {}\nBagging-Date: {}\nIsthmus-Bag-Format: 1\nIsthmus-Log-Size: {}\nIsthmus-Origin: {}\n"
      "Isthmus-Records: {}\nPayload-Oxum: {}.{}\n",
      info.software, to_rfc3339(info.made).substr(0, 10), info.checkpoint.size, info.checkpoint.origin, count,
      payload_bytes, payload_files);
  const std::pair<const char*, std::string> tags[] = {
      {"bag-info.txt", about},
      {"bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
      {"manifest-sha256.txt", manifest}};
  std::string tag_manifest;
  for (const auto& tag : tags) {
    if (auto done = whole_file(tag.first, tag.second); !done) return done;
    tag_manifest += fmt::format("{}  {}\n", hashes[tag.first], tag.first);
  }
  if (auto done = whole_file("tagmanifest-sha256.txt", tag_manifest); !done) return done;
  // The manifests bind every file to the tag manifest; this note binds that one to the log's key. Its first line cannot
  // begin a checkpoint of any log: an origin has no space.
  const std::string note =
      signer.sign(fmt::format("isthmus bag 1\norigin {}\nsize {}\nrecords {}\ntagmanifest-sha256 {}\n",
                              info.checkpoint.origin, info.checkpoint.size, count, hashes["tagmanifest-sha256.txt"]));
  return whole_file("bag-signature.txt", note);
}

Result<void> BagWriter::State::rename_to_final() {
  std::error_code code;
  fs::rename(partial, dir, code);
  if (code) return fail(write_error("renaming to", dir, code));
  renamed = true;
  return {};
}

BagWriter::BagWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BagWriter::~BagWriter() = default;

Result<std::unique_ptr<BagWriter>> BagWriter::create(fs::path dir, BagInfo info, const NoteSigner& signer) {
  ISTHMUS_CHECK(info.checkpoint.origin == signer.name(), "the key of a log has the name of its origin");
  auto state = std::make_unique<State>(std::move(dir), std::move(info), signer);
  if (auto opened = state->open(); !opened) return fail(std::move(opened).error());
  return std::unique_ptr<BagWriter>(new BagWriter(std::move(state)));
}

Result<void> BagWriter::add(const BagRecord& record) { return state_->add(record); }

Result<void> BagWriter::lack(std::uint64_t index, std::string_view reason) {
  if (index >= state_->info.checkpoint.size)
    return fail("bag.order", fmt::format("record {} is beyond the checkpoint", index));
  if (auto reached = state_->reach(index); !reached) return reached;
  ++state_->next_index;
  return state_->keep_gap(index, index + 1, reason);
}

Result<std::uint64_t> BagWriter::finish() {
  if (auto closed = state_->close_payload(); !closed) return fail(std::move(closed).error());
  if (auto signed_tags = state_->sign_tags(); !signed_tags) return fail(std::move(signed_tags).error());
  if (auto renamed = state_->rename_to_final(); !renamed) return fail(std::move(renamed).error());
  return state_->count;
}

}  // namespace isthmus::archive
