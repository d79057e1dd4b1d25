#include "bags.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/crypto.h"

namespace bags {
namespace {

namespace fs = std::filesystem;
using namespace isthmus;
using namespace isthmus::archive;

const Secret kSeed(*from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));

struct Source {
  Kind kind;
  std::string body;
};

std::vector<Source> sources() {
  return {{Kind::message_received,
           R"({"actor":{"preferredUsername":"zoé"},"object":{"content":"Bonjour,\n<b>\"vous\"</b> êtes là ?"}})"},
          {Kind::message_sent, R"({"author":"marie","text":"=1+1 is no formula \\ € 𝄞"})"},
          {Kind::lead_received, R"({"lead":{"message":"Call me","person":{"name":"Ada"}}})"},
          {Kind::decision_made,
           R"({"effect":"forbid","numbers":[0,-1,9007199254740991],"reason":"card number","rule":"pan"})"},
          {Kind::message_received, R"({"text":"erased later"})"},
          {Kind::record_erased, ""}};
}

}  // namespace

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "isthmus-verify-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}
Folder::~Folder() { fs::remove_all(path_); }

const NoteSigner& signer() {
  static const NoteSigner it = *NoteSigner::create("isthmus.example/demo", *crypto::SigningKey::from_seed(kSeed));
  return it;
}

verify::VerifierKey key() { return *verify::read_key(signer().verifier_key()); }

void write_to(const fs::path& dir, Choice choice) {
  SeededRandom random(1);
  const DayKey day_key = make_day_key(20781, random);
  MemoryTree tree;
  std::vector<BagRecord> records;
  Uuid erased;
  for (auto source : sources()) {
    RecordDraft draft;
    draft.kind = source.kind;
    draft.at = from_us(1'795'539'600'000'000 + static_cast<std::int64_t>(records.size()));
    if (records.size() < 3) draft.connection = *Uuid::parse("11111111-2222-4333-8444-555555555555");
    if (source.body.empty()) source.body = R"x({"basis":"GDPR 17(1)(b)","record":")x" + erased.to_string() + "\"}";
    draft.body = source.body;
    const Record record = *make_record(draft, day_key, random);
    BagRecord entry;
    entry.index = records.size();
    entry.header = record.header;
    entry.opened = *open_record(record.header, record.wrapped_key, record.sealed_body, day_key);
    if (entry.index == 4) {
      erased = record.id;
      entry.opened.reset();
      entry.reason = "erased";
      if (choice.to == 6) entry.tombstone = 5;
    }
    tree.append(record.leaf_hash);
    records.push_back(entry);
  }
  BagInfo info;
  info.checkpoint = {"isthmus.example/demo", 6, *root_of(tree, 6)};
  info.note = signer().sign(info.checkpoint.text());
  info.made = from_us(1'795'539'700'000'000);
  info.software = "isthmusd 0.1.0";
  auto writer = *BagWriter::create(dir, info, signer());
  for (std::uint64_t i = choice.from; i < choice.to; ++i) {
    records[i].path = *inclusion_proof(tree, i, 6);
    ASSERT_TRUE(writer->add(records[i]));
  }
  ASSERT_EQ(*writer->finish(), choice.to - choice.from);
}

Files files(Choice choice) {
  const Folder folder;
  write_to(folder.path() / "bag", choice);
  return load(folder.path() / "bag");
}

Files load(const fs::path& dir) {
  Files out;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    out[fs::relative(entry.path(), dir).string()] = bytes.str();
  }
  return out;
}

void store(const Files& files, const fs::path& dir) {
  for (const auto& file : files) {
    fs::create_directories((dir / file.first).parent_path());
    std::ofstream(dir / file.first, std::ios::binary) << file.second;
  }
}

void fix_manifests(Files& files) {
  const auto line = [&](const std::string& path) {
    return fmt::format("{}  {}\n", to_hex(crypto::sha256(files[path])), path);
  };
  std::string manifest;
  std::size_t octets = 0;
  std::size_t count = 0;
  for (const auto& file : files) {
    if (!file.first.starts_with("data/")) continue;
    manifest += line(file.first);
    octets += file.second.size();
    ++count;
  }
  files["manifest-sha256.txt"] = manifest;
  std::string& info = files["bag-info.txt"];
  info = info.substr(0, info.find("Payload-Oxum")) + fmt::format("Payload-Oxum: {}.{}\n", octets, count);
  files["tagmanifest-sha256.txt"] = line("bag-info.txt") + line("bagit.txt") + line("manifest-sha256.txt");
}

void sign_again(Files& files, std::uint64_t size, std::uint64_t records) {
  fix_manifests(files);
  files["bag-signature.txt"] = signer().sign(
      fmt::format("isthmus bag 1\norigin isthmus.example/demo\nsize {}\nrecords {}\ntagmanifest-sha256 {}\n", size,
                  records, to_hex(crypto::sha256(files["tagmanifest-sha256.txt"]))));
}

verify::Report judge(const Files& files) {
  verify::MemoryFiles memory(files);
  return verify::verify_bag(memory, key());
}

std::string codes(const verify::Report& report) {
  std::set<std::string> all;
  for (const auto& finding : report.findings.kept()) all.emplace(verify::code_of(finding.fault));
  std::string out;
  for (const auto& code : all) out += (out.empty() ? "" : " ") + code;
  return out;
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << what;
  text.replace(at, what.size(), with);
}

}  // namespace bags
