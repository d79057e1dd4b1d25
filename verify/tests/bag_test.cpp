// Bags of the daemon's writer under every small change. The bags live in memory, so that each byte can be tried.
#include <gtest/gtest.h>

#include <algorithm>

#include "bags.h"

using bags::codes;
using bags::Files;
using bags::judge;

namespace {

bool names(const verify::Report& report, const std::string& file) {
  const auto& found = report.findings.kept();
  return std::any_of(found.begin(), found.end(), [&](const verify::Finding& finding) { return finding.file == file; });
}

bool names_record(const verify::Report& report, const std::string& code, std::uint64_t index) {
  const auto& found = report.findings.kept();
  return std::any_of(found.begin(), found.end(), [&](const verify::Finding& finding) {
    return verify::code_of(finding.fault) == code && finding.index == index;
  });
}

std::string& records_of(Files& files) { return files["data/records.ndjson"]; }

/// Exchanges two whole lines.
void swap_lines(std::string& text, std::size_t a, std::size_t b) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  std::swap(lines.at(a), lines.at(b));
  text.clear();
  for (const auto& line : lines) text += line;
}

}  // namespace

TEST(Bag, OfTheWholeLogIsAccepted) {
  const auto report = judge(bags::files());
  EXPECT_EQ(codes(report), "");
  EXPECT_EQ(report.origin, "isthmus.example/demo");
  EXPECT_EQ(report.records, 6U);
  EXPECT_EQ(report.withheld, 1U);
  EXPECT_EQ(report.absent, 0U);
  EXPECT_TRUE(report.whole_log);
}

TEST(Bag, OfAPartOfTheLogIsAcceptedAndSaysWhatIsAbsent) {
  for (std::uint64_t from = 0; from < 6; ++from) {
    for (std::uint64_t to = from; to <= 6; ++to) {
      const auto report = judge(bags::files({from, to}));
      EXPECT_EQ(codes(report), "") << from << " " << to;
      EXPECT_EQ(report.absent, 6 - (to - from));
      EXPECT_EQ(report.whole_log, to - from == 6);
    }
  }
}

TEST(Bag, WithOneChangedByteIsRefusedAndTheFileNamed) {
  const Files good = bags::files();
  ASSERT_EQ(good.size(), 11U);
  for (const auto& file : good) {
    for (std::size_t at = 0; at < file.second.size(); ++at) {
      Files bad = good;
      char& byte = bad[file.first][at];
      byte = static_cast<char>(byte ^ (1 << (at % 8)));
      const auto report = judge(bad);
      ASSERT_FALSE(report.accepted()) << file.first << " " << at;
      ASSERT_TRUE(names(report, file.first)) << file.first << " " << at << ": " << codes(report);
    }
  }
}

TEST(Bag, WithAByteMoreOrLessIsRefusedAndTheFileNamed) {
  const Files good = bags::files();
  for (const auto& file : good) {
    for (const std::size_t at : {std::size_t{0}, file.second.size() / 2, file.second.size() - 1}) {
      Files shorter = good;
      shorter[file.first].erase(at, 1);
      EXPECT_TRUE(names(judge(shorter), file.first)) << file.first << " " << at;
      for (const char* more : {"\n", " ", "a"}) {
        Files longer = good;
        longer[file.first].insert(at, more);
        EXPECT_TRUE(names(judge(longer), file.first)) << file.first << " " << at;
      }
    }
    Files appended = good;
    appended[file.first] += '\n';
    EXPECT_TRUE(names(judge(appended), file.first)) << file.first;
    Files empty = good;
    empty[file.first].clear();
    EXPECT_TRUE(names(judge(empty), file.first)) << file.first;
    Files without = good;
    without.erase(file.first);
    EXPECT_TRUE(names(judge(without), file.first)) << file.first;
  }
}

TEST(Bag, WithAFileThatNobodySignedIsRefused) {
  Files bad = bags::files();
  bad["data/extra.txt"] = "x";
  EXPECT_EQ(codes(judge(bad)), "file.unlisted");
  bags::fix_manifests(bad);
  EXPECT_TRUE(names(judge(bad), "tagmanifest-sha256.txt"));
  Files tag = bags::files();
  tag["fetch.txt"] = "x";
  EXPECT_EQ(codes(judge(tag)), "file.unlisted");
  Files listed = bags::files();
  listed["data/media/poster.png"] = "x";
  bags::sign_again(listed);
  EXPECT_EQ(codes(judge(listed)), "");
}

TEST(Bag, ChangedByOneWhoHasNoKeyNamesTheRecord) {
  Files bad = bags::files();
  bags::replace(records_of(bad), "Call me", "Call us");
  bags::fix_manifests(bad);
  const auto report = judge(bad);
  EXPECT_TRUE(names(report, "tagmanifest-sha256.txt"));
  EXPECT_TRUE(names_record(report, "record.bad-commitment", 2));
}

TEST(Bag, ChangedByTheOwnerOfTheKeyNamesTheRecord) {
  struct Case {
    std::string what, with, code;
    std::uint64_t index;
  };
  const std::vector<Case> cases = {
      {"Call me", "Call us", "record.bad-commitment", 2},
      {"\"index\":2,\"salt\":\"", "\"index\":2,\"salt\":\"0000", "", 0},
      {"\"kind\":\"lead.received\"", "\"kind\":\"lead.invented\"", "proof.bad", 2},
      {"\"at\":1795539600000003", "\"at\":1795539600000099", "proof.bad", 3},
      {"\"format\":1", "\"format\":2", "record.bad-header", 0},
      {"\"reason\":\"erased\",\"tombstone\":5", "\"reason\":\"erased\",\"tombstone\":3", "tombstone.bad", 4},
      {"\"reason\":\"erased\",\"tombstone\":5", "\"reason\":\"erased\",\"tombstone\":9", "tombstone.missing", 9},
  };
  for (const Case& one : cases) {
    Files bad = bags::files();
    bags::replace(records_of(bad), one.what, one.with);
    bags::sign_again(bad);
    const auto report = judge(bad);
    EXPECT_FALSE(report.accepted()) << one.with;
    if (!one.code.empty()) {
      EXPECT_TRUE(names_record(report, one.code, one.index)) << one.with << ": " << codes(report);
    }
  }
}

TEST(Bag, WithRecordsLeftOutMustSaySo) {
  Files bad = bags::files();
  auto& records = records_of(bad);
  records.erase(records.rfind("{\"body\""));
  auto& proofs = bad["data/proofs.ndjson"];
  proofs.erase(proofs.rfind("{\"index\""));
  bags::sign_again(bad, 6, 5);
  const auto report = judge(bad);
  EXPECT_NE(codes(report).find("gaps.not-declared"), std::string::npos) << codes(report);
  EXPECT_NE(codes(report).find("tombstone.missing"), std::string::npos) << codes(report);
  EXPECT_NE(codes(report).find("log.root-differs"), std::string::npos) << codes(report);
}

TEST(Bag, MayNotDeclareGapsThatAreNone) {
  Files bad = bags::files();
  bad["data/gaps.json"] = "{\"format\":1,\"ranges\":[{\"from\":2,\"reason\":\"not selected\",\"to\":4}],\"size\":6}\n";
  bags::sign_again(bad);
  EXPECT_EQ(codes(judge(bad)), "gaps.not-real");
  bad["data/gaps.json"] = "{\"format\":1,\"ranges\":[{\"from\":6,\"reason\":\"not selected\",\"to\":7}],\"size\":6}\n";
  bags::sign_again(bad);
  EXPECT_EQ(codes(judge(bad)), "gaps.bad");
  bad["data/gaps.json"] = "{\"format\":1,\"ranges\":[],\"size\":7}\n";
  bags::sign_again(bad);
  EXPECT_EQ(codes(judge(bad)), "gaps.bad");
}

TEST(Bag, WithRecordsOrProofsInAnotherOrderIsRefused) {
  Files records = bags::files();
  swap_lines(records_of(records), 1, 2);
  bags::sign_again(records);
  EXPECT_TRUE(names_record(judge(records), "record.bad-order", 1));
  Files proofs = bags::files();
  swap_lines(proofs["data/proofs.ndjson"], 1, 2);
  bags::sign_again(proofs);
  EXPECT_EQ(codes(judge(proofs)), "proof.bad");
  Files twice = bags::files();
  records_of(twice) += records_of(twice);
  twice["data/proofs.ndjson"] += twice["data/proofs.ndjson"];
  bags::sign_again(twice, 6, 12);
  EXPECT_NE(codes(judge(twice)).find("record.bad-order"), std::string::npos);
}

TEST(Bag, OfAnotherCheckpointIsRefused) {
  Files bad = bags::files();
  auto checkpoint = *isthmus::archive::parse_checkpoint(bad["data/checkpoint.txt"]);
  checkpoint.root = isthmus::archive::leaf_hash("another tree");
  bad["data/checkpoint.txt"] = bags::signer().sign(checkpoint.text());
  bags::sign_again(bad);
  EXPECT_EQ(codes(judge(bad)), "log.root-differs proof.bad");
  checkpoint.size = 7;
  bad["data/checkpoint.txt"] = bags::signer().sign(checkpoint.text());
  bags::sign_again(bad);
  EXPECT_NE(codes(judge(bad)).find("checkpoint.bad"), std::string::npos);
}

TEST(Bag, MayCarryTheSignaturesOfWitnessesOnItsCheckpointOnly) {
  const std::string witness = "\xE2\x80\x94 witness.example " + isthmus::to_base64(std::string(76, 'w')) + "\n";
  Files good = bags::files();
  good["data/checkpoint.txt"] += witness;
  bags::sign_again(good);
  EXPECT_EQ(codes(judge(good)), "");
  good["bag-signature.txt"] += witness;
  EXPECT_EQ(codes(judge(good)), "signature.bad");
}

TEST(Bag, SignedByAnotherKeyIsRefused) {
  auto key = bags::key();
  key.public_key[0] = static_cast<char>(key.public_key[0] ^ 1);
  verify::MemoryFiles memory(bags::files());
  EXPECT_EQ(codes(verify::verify_bag(memory, key)), "checkpoint.bad signature.bad");
}

TEST(Bag, StatesItsCountsRightly) {
  Files bad = bags::files();
  bags::sign_again(bad, 6, 5);
  EXPECT_EQ(codes(judge(bad)), "bag.counts-differ");
  Files oxum = bags::files();
  bags::replace(oxum["bag-info.txt"], "Payload-Oxum: ", "Payload-Oxum: 1");
  EXPECT_NE(codes(judge(oxum)).find("bag.counts-differ"), std::string::npos);
}

TEST(BagWriter, LeavesNothingBehindWhenItIsNotFinished) {
  const bags::Folder folder;
  isthmus::archive::BagInfo info;
  info.checkpoint = {"isthmus.example/demo", 1, isthmus::archive::empty_root()};
  {
    auto writer = isthmus::archive::BagWriter::create(folder.path() / "bag", info, bags::signer());
    ASSERT_TRUE(writer);
    isthmus::archive::BagRecord record;
    record.index = 1;
    record.reason = "beyond the checkpoint";
    EXPECT_EQ((*writer)->add(record).error().code, "bag.order");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  std::filesystem::create_directory(folder.path() / "bag");
  EXPECT_EQ(isthmus::archive::BagWriter::create(folder.path() / "bag", info, bags::signer()).error().code,
            "bag.exists");
  EXPECT_EQ(isthmus::archive::BagWriter::create(folder.path() / "no" / "bag", info, bags::signer()).error().code,
            "bag.write");
}

TEST(BagWriter, WritesAPageAndATableThatCannotActOnTheirReader) {
  const Files files = bags::files();
  const std::string& page = files.at("data/index.html");
  EXPECT_NE(page.find("&lt;b&gt;&quot;vous&quot;&lt;/b&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(files.at("data/messages.csv").find(",\"'=1+1 is no formula"), std::string::npos);
}
