#include <gtest/gtest.h>

#include <set>

#include "archive/merkle.h"
#include "base/json.h"
#include "verify/checkpoint.h"
#include "verify/encoding.h"
#include "verify/fault.h"
#include "verify/json.h"
#include "verify/merkle.h"
#include "verify/note.h"

namespace {

// https://github.com/C2SP/C2SP, signed-note.md: the form; this note and key: the example of the Elixir library
// signed_note 1.0.0 (https://hex.pm/packages/signed_note, read 2026-11-24), made by another implementation than ours.
const std::string kForeignKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const std::string kForeignNote =
    "This is an example message.\n\n\xE2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

}  // namespace

TEST(Note, OfAnotherImplementationIsOpened) {
  const auto key = verify::read_key(kForeignKey);
  ASSERT_TRUE(key);
  for (const auto others : {verify::OtherSignatures::ignored, verify::OtherSignatures::refused}) {
    EXPECT_EQ(verify::open_note(kForeignNote, *key, others), "This is an example message.\n");
  }
}

TEST(Note, ThatIsStrictHasNoByteThatDoesNotCount) {
  const auto key = *verify::read_key(kForeignKey);
  for (std::size_t at = 0; at < kForeignNote.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = kForeignNote;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      EXPECT_FALSE(verify::open_note(bad, key, verify::OtherSignatures::refused)) << at;
    }
  }
}

TEST(Note, KeysOfAnotherFormAreRefused) {
  ASSERT_TRUE(verify::read_key(kForeignKey));
  for (std::size_t at = 0; at < kForeignKey.size(); ++at) {
    std::string bad = kForeignKey;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify::read_key(bad)) << at;
  }
  EXPECT_FALSE(verify::read_key(""));
  EXPECT_FALSE(verify::read_key("a+b"));
  EXPECT_FALSE(verify::read_key(kForeignKey + "\n"));
}

TEST(Json, ReadsTheCanonicalFormAndNoOther) {
  for (const std::string good : {"{}", "[]", "null", "true", "0", "-1", "9007199254740991", "\"\"",
                                 R"({"a":1,"b":[true,false]})", R"("\b\t\n\f\r\"\\\u0001\u001f")", "\"\x7f/é€𝄞\"",
                                 R"({"":1,"1":2,"A":3,"a":4})", "{\"\xF0\x90\x80\x80\":1,\"\xEE\x80\x80\":2}"}) {
    EXPECT_TRUE(verify::read_json(good)) << good;
    EXPECT_EQ(*isthmus::canonical_json(good), good);
  }
  for (const std::string bad : {"",
                                " {}",
                                "{} ",
                                "{ }",
                                "[1, 2]",
                                "{\"a\":1,}",
                                "[1,]",
                                "[,1]",
                                "{\"b\":1,\"a\":2}",
                                "{\"a\":1,\"a\":1}",
                                "01",
                                "-0",
                                "1.0",
                                "1e3",
                                "+1",
                                "9007199254740992",
                                "99999999999999999999",
                                "\"",
                                "\"\\",
                                "\"\\u",
                                "\"\\u00",
                                "\"\\/\"",
                                "\"\\u0041\"",
                                "\"\\u000a\"",
                                "\"\\u001F\"",
                                "\"\\ud834\\udd1e\"",
                                "\"\n\"",
                                "\"\xff\"",
                                "\"\xed\xa0\x80\"",
                                "\"\xc0\x80\"",
                                "tru",
                                "nulll",
                                "{\"a\"}",
                                "{a:1}",
                                "[",
                                "{",
                                "{\"a\":",
                                "[1}",
                                "'a'",
                                "{\"\xEE\x80\x80\":1,\"\xF0\x90\x80\x80\":2}"}) {
    EXPECT_FALSE(verify::read_json(bad)) << bad;
  }
}

TEST(Json, GivesTheBytesOfEachValue) {
  const std::string text = R"({"body":{"x":[1,"é"]},"z":-5})";
  const auto json = verify::read_json(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->find("body")->raw, R"({"x":[1,"é"]})");
  EXPECT_EQ(json->find("z")->number, -5);
  EXPECT_EQ(json->find("y"), nullptr);
}

TEST(Json, NestsAsDeepAsBagsNeedAndNoDeeper) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(verify::read_json(nested(verify::kJsonDepthMax)));
  EXPECT_FALSE(verify::read_json(nested(verify::kJsonDepthMax + 1)));
}

TEST(Encoding, HasOneSpellingForEachValue) {
  EXPECT_EQ(verify::from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(verify::from_base64("Zm9v"), "foo");
  for (const char* bad : {"Zm9vYh==", "Zm9vYg=", "Zm9vYg", "Zm9v====", "Z===", "Zm 9", "Zm-_", "====", "Zm9=Zm9v"}) {
    EXPECT_FALSE(verify::from_base64(bad)) << bad;
  }
  EXPECT_EQ(verify::from_hex("00ff"), std::string("\0\xff", 2));
  EXPECT_FALSE(verify::from_hex("00FF"));
  EXPECT_FALSE(verify::from_hex("0"));
  EXPECT_EQ(verify::to_number("0"), 0U);
  for (const char* bad : {"", "00", "01", "-1", "+1", "1 ", "12345678901234567"})
    EXPECT_FALSE(verify::to_number(bad)) << bad;
}

TEST(Merkle, AgreesWithTheWritersTree) {
  isthmus::archive::MemoryTree tree;
  verify::RootBuilder builder;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    const auto leaf = isthmus::archive::leaf_hash(std::to_string(n));
    EXPECT_EQ(verify::leaf_hash(std::to_string(n)), leaf.view());
    tree.append(leaf);
    builder.append(std::string(leaf.view()));
    const auto root = *isthmus::archive::root_of(tree, n);
    ASSERT_EQ(builder.root(), root.view());
    for (std::uint64_t i = 0; i < n; ++i) {
      std::vector<std::string> path;
      const auto proof = *isthmus::archive::inclusion_proof(tree, i, n);
      for (const auto& hash : proof) path.emplace_back(hash.view());
      const std::string own = verify::leaf_hash(std::to_string(i + 1));
      ASSERT_EQ(verify::root_from_proof(own, i, n, path), std::string(root.view()));
      ASSERT_FALSE(verify::root_from_proof(own, n, n, path));
      path.emplace_back(root.view());
      ASSERT_FALSE(verify::root_from_proof(own, i, n, path));
    }
  }
}

// The reference tree of Certificate Transparency, 8 leaves (see daemon/archive/merkle_test.cpp).
TEST(Merkle, GivesTheReferenceRoot) {
  verify::RootBuilder builder;
  for (const char* entry :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    builder.append(verify::leaf_hash(*verify::from_hex(entry)));
  }
  EXPECT_EQ(verify::to_hex(builder.root()), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(Faults, EachHasACodeAndBothLanguages) {
  std::set<std::string_view> codes;
  for (const auto fault : verify::all_faults()) {
    EXPECT_TRUE(codes.insert(verify::code_of(fault)).second);
    const auto english = verify::text_of(fault, verify::Language::english);
    const auto french = verify::text_of(fault, verify::Language::french);
    EXPECT_FALSE(english.empty());
    EXPECT_FALSE(french.empty());
    EXPECT_NE(english, french);
  }
  EXPECT_EQ(codes.size(), static_cast<std::size_t>(verify::Fault::root_differs) + 1);
}

TEST(Faults, CannotSteerATerminal) {
  const verify::Finding finding{verify::Fault::bad_name, "data/\x1b[2J\xff"};
  EXPECT_EQ(verify::to_text(finding, verify::Language::english).find('\x1b'), std::string::npos);
}
