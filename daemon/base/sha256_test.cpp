#include "base/sha256.h"

#include <gtest/gtest.h>

using namespace isthmus;

// FIPS 180-2 appendix B.1 and B.2.
TEST(Sha256, GivesThePublishedHashHoweverTheBytesArrive) {
  crypto::Sha256 hash;
  hash.update("a").update("").update("bc");
  EXPECT_EQ(to_hex(hash.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  hash.update("abcdbcdecdefdefgefghfghighijhijk").update("ijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(to_hex(hash.finish()), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(hash.finish()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
