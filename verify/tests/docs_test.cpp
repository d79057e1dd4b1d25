// docs/formats/ is held against the code: the example bag there is what the writer writes and what the verifier
// accepts, and every worked example on the pages is computed again from what stands before it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "archive/checkpoint.h"
#include "archive/tiles.h"
#include "bags.h"
#include "base/crypto.h"
#include "base/json.h"
#include "verify/merkle.h"

namespace {

namespace fs = std::filesystem;
using isthmus::from_hex;
using isthmus::to_hex;

const fs::path kFormats = fs::path(ISTHMUS_SOURCE_DIR) / "docs" / "formats";

std::string page(const std::string& name) {
  std::ostringstream bytes;
  bytes << std::ifstream(kFormats / name, std::ios::binary).rdbuf();
  return bytes.str();
}

/// The fenced block after the comment `<!-- example: NAME -->`, with its last newline.
std::string example(const std::string& text, const std::string& name) {
  const std::size_t mark = text.find("<!-- example: " + name + " -->");
  EXPECT_NE(mark, std::string::npos) << name;
  const std::size_t open = text.find("```\n", mark) + 4;
  return text.substr(open, text.find("```\n", open) - open);
}

std::string line(const std::string& text, const std::string& name) {
  std::string out = example(text, name);
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

TEST(Docs, TheExampleBagIsWhatIsWrittenAndWhatIsAccepted) {
  const bags::Files kept = bags::load(kFormats / "examples" / "bag-1");
  const bags::Files written = bags::files();
  for (const auto& file : written)
    EXPECT_EQ(kept.count(file.first) ? kept.at(file.first) : "missing", file.second) << file.first;
  EXPECT_EQ(kept.size(), written.size());
  EXPECT_EQ(bags::codes(bags::judge(kept)), "");
}

TEST(Docs, RecordExampleIsComputedAsThePageSays) {
  const std::string text = page("record-1.md");
  const std::string header = line(text, "header");
  const std::string salt = *from_hex(line(text, "salt"));
  const std::string body = line(text, "body");
  EXPECT_EQ(*isthmus::canonical_json(header), header);
  EXPECT_EQ(*isthmus::canonical_json(body), body);
  EXPECT_EQ(line(text, "commitment"), to_hex(isthmus::crypto::sha256(salt + body)));
  EXPECT_NE(header.find("\"commitment\":\"" + line(text, "commitment") + "\""), std::string::npos);
  EXPECT_EQ(line(text, "leaf hash"), to_hex(isthmus::archive::leaf_hash(header).view()));
}

TEST(Docs, SealedExampleOpensAsThePageSays) {
  const std::string text = page("record-1.md");
  const isthmus::archive::DayKey day_key{20781, isthmus::Secret(*from_hex(line(text, "day key")))};
  const auto opened = isthmus::archive::open_record(line(text, "header"), *from_hex(line(text, "wrapped key")),
                                                    *from_hex(line(text, "sealed body")), day_key);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->body, line(text, "body"));
  EXPECT_EQ(to_hex(opened->salt), line(text, "salt"));
}

TEST(Docs, LogExampleIsComputedAsThePageSays) {
  const std::string text = page("log-1.md");
  EXPECT_EQ(line(text, "verifier key"), bags::signer().verifier_key());
  const auto checkpoint = isthmus::archive::parse_checkpoint(example(text, "checkpoint"));
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(bags::signer().sign(checkpoint->text()), example(text, "checkpoint"));
  EXPECT_EQ(isthmus::archive::tile_path(0, 1234067, 256) + "\n" + isthmus::archive::tile_path(2, 0, 1) + "\n",
            example(text, "tile paths"));
}

TEST(Docs, BagExampleStandsInTheExampleBag) {
  const std::string text = page("bag-1.md");
  const bags::Files kept = bags::load(kFormats / "examples" / "bag-1");
  for (const char* file :
       {"bagit.txt", "bag-info.txt", "tagmanifest-sha256.txt", "bag-signature.txt", "data/gaps.json"}) {
    EXPECT_EQ(example(text, file), kept.at(file)) << file;
  }
  const std::string records = kept.at("data/records.ndjson");
  EXPECT_NE(records.find(example(text, "record line")), std::string::npos);
  EXPECT_NE(records.find(example(text, "erased line")), std::string::npos);
  EXPECT_NE(kept.at("data/proofs.ndjson").find(example(text, "proof line")), std::string::npos);
}
