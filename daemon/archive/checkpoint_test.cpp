#include "archive/checkpoint.h"

#include <gtest/gtest.h>

using namespace isthmus;
using namespace isthmus::archive;

namespace {

// RFC 8032 section 7.1, test 1.
NoteSigner signer(std::string name) {
  const Secret seed(*from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  return *NoteSigner::create(std::move(name), *crypto::SigningKey::from_seed(seed));
}

}  // namespace

TEST(Note, KeyIdIsTheHashOfNameTypeAndPublicKey) {
  const std::string vkey = signer("isthmus.example/demo").verifier_key();
  const Bytes public_key = *from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const std::string id = to_hex(crypto::sha256("isthmus.example/demo\n\x01" + public_key).substr(0, 4));
  EXPECT_EQ(vkey, "isthmus.example/demo+" + id + "+" + to_base64("\x01" + public_key));
}

TEST(Note, HasTextBlankLineAndOneSignatureLine) {
  const std::string note = signer("a.example").sign("one\n\ntwo\n");
  ASSERT_TRUE(note.starts_with("one\n\ntwo\n\n\xE2\x80\x94 a.example "));
  ASSERT_TRUE(note.ends_with("\n"));
  const std::string base64 = note.substr(note.rfind(' ') + 1, note.size() - note.rfind(' ') - 2);
  EXPECT_EQ(from_base64(base64)->size(), 68U);
}

TEST(Note, RefusesNamesThatTheFormatCannotCarry) {
  const Secret seed(std::string(32, 's'));
  const auto key = *crypto::SigningKey::from_seed(seed);
  EXPECT_TRUE(NoteSigner::create("a.example/x", key));
  EXPECT_FALSE(NoteSigner::create("", key));
  EXPECT_FALSE(NoteSigner::create("a b", key));
  EXPECT_FALSE(NoteSigner::create("a+b", key));
  EXPECT_FALSE(NoteSigner::create("caf\xC3\xA9.example", key));
}

TEST(Checkpoint, ReadsBackWhatWasSigned) {
  const Checkpoint checkpoint{"isthmus.example/demo", 42, leaf_hash("x")};
  const std::string note = signer(checkpoint.origin).sign(checkpoint.text());
  ASSERT_TRUE(parse_checkpoint(note));
  EXPECT_EQ(*parse_checkpoint(note), checkpoint);
}

// https://c2sp.org/tlog-checkpoint, the example of its first page, read 2026-11-24.
TEST(Checkpoint, ReadsTheSpecificationsExample) {
  const auto checkpoint = parse_checkpoint(
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
      "\xE2\x80\x94 example.com/behind-the-sofa "
      "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n");
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->size, 20852163U);
  EXPECT_EQ(checkpoint->origin, "example.com/behind-the-sofa");
}

TEST(Checkpoint, RefusesOtherForms) {
  const std::string root = to_base64(leaf_hash("x").view());
  const std::string good = signer("a").sign("a\n7\n" + root + "\n");
  EXPECT_TRUE(parse_checkpoint(good));
  EXPECT_FALSE(parse_checkpoint(signer("a").sign("a\n07\n" + root + "\n")));
  EXPECT_FALSE(parse_checkpoint(signer("a").sign("a\n-7\n" + root + "\n")));
  EXPECT_FALSE(parse_checkpoint(signer("a").sign("a\n7\nAAAA\n")));
  EXPECT_FALSE(parse_checkpoint(signer("a").sign("a\n7\n" + root + "\nextension\n")));
  EXPECT_FALSE(parse_checkpoint("a\n7\n" + root + "\n"));
  EXPECT_FALSE(parse_checkpoint(""));
}
