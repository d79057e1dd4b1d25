#include "archive/record.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/json.h"

using namespace isthmus;
using namespace isthmus::archive;

namespace {

class RecordTest : public testing::Test {
 protected:
  RecordDraft draft(std::string body) {
    RecordDraft out;
    out.kind = Kind::message_received;
    out.connection = *Uuid::parse("11111111-2222-4333-8444-555555555555");
    out.retention_class = 2;
    out.at = from_us(1'795'539'600'000'000);
    out.body = std::move(body);
    return out;
  }
  SeededRandom random_{7};
  DayKey day_key_ = make_day_key(20781, random_);
};

}  // namespace

TEST_F(RecordTest, HeaderIsCanonicalAndHoldsNothingOfTheBody) {
  const auto record = make_record(draft(R"({"text":"Bonjour","author":"Zoé"})"), day_key_, random_);
  ASSERT_TRUE(record);
  EXPECT_EQ(*canonical_json(record->header), record->header);
  EXPECT_EQ(record->header.find("Bonjour"), Bytes::npos);
  EXPECT_EQ(record->sealed_body.find("Bonjour"), Bytes::npos);
  EXPECT_EQ(record->leaf_hash, leaf_hash(record->header));
  const auto header = parse_header(record->header);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->id, record->id);
  EXPECT_EQ(header->kind, Kind::message_received);
  EXPECT_EQ(header->retention_class, 2);
  EXPECT_EQ(to_us(header->at), 1'795'539'600'000'000);
}

TEST_F(RecordTest, OpensToTheCanonicalBodyAndItsSalt) {
  const auto record = *make_record(draft(R"({ "text": "Bonjour", "author": "Zoé" })"), day_key_, random_);
  const auto opened = open_record(record.header, record.wrapped_key, record.sealed_body, day_key_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->body, R"({"author":"Zoé","text":"Bonjour"})");
  EXPECT_EQ(crypto::sha256(opened->salt + opened->body), parse_header(record.header)->commitment.view());
}

TEST_F(RecordTest, DoesNotOpenWithAnotherKeyOrAnotherRecordsParts) {
  const auto a = *make_record(draft(R"({"text":"a"})"), day_key_, random_);
  const auto b = *make_record(draft(R"({"text":"a"})"), day_key_, random_);
  const DayKey other = make_day_key(20781, random_);
  const DayKey renamed{20782, day_key_.key};
  EXPECT_FALSE(open_record(a.header, a.wrapped_key, a.sealed_body, other));
  EXPECT_FALSE(open_record(a.header, a.wrapped_key, a.sealed_body, renamed));
  EXPECT_FALSE(open_record(a.header, b.wrapped_key, a.sealed_body, day_key_));
  EXPECT_FALSE(open_record(a.header, a.wrapped_key, b.sealed_body, day_key_));
  EXPECT_FALSE(open_record(a.header, b.wrapped_key, b.sealed_body, day_key_));
  EXPECT_FALSE(open_record(a.header, {}, a.sealed_body, day_key_));  // erased
}

TEST_F(RecordTest, RefusesBodiesThatFormat1DoesNotAllow) {
  const auto code = [&](std::string body) {
    const auto record = make_record(draft(std::move(body)), day_key_, random_);
    return record ? std::string("made") : record.error().code;
  };
  EXPECT_EQ(code(R"({"n":9007199254740991})"), "made");
  EXPECT_EQ(code(R"({"n":9007199254740992})"), "json.number");
  EXPECT_EQ(code(R"({"n":1.5})"), "json.number");
  EXPECT_EQ(code(R"({"a":1,"a":2})"), "json.duplicate-key");
  EXPECT_EQ(code(R"([1])"), "record.not-an-object");
  EXPECT_EQ(code("{\"a\":\"\xff\"}"), "json.bad");
  const auto nested = [](int arrays) { return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}"; };
  EXPECT_EQ(code(nested(31)), "made");
  EXPECT_EQ(code(nested(32)), "record.body-too-deep");
  EXPECT_EQ(code(R"({"a":")" + std::string(kBodyBytesMax - 8, '[') + "\"}"), "made");
  EXPECT_EQ(code(R"({"a":")" + std::string(kBodyBytesMax - 7, '[') + "\"}"), "record.body-too-large");
}

TEST_F(RecordTest, RefusesHeadersThatAreSpelledOtherwise) {
  const Bytes good = make_record(draft("{}"), day_key_, random_)->header;
  ASSERT_TRUE(parse_header(good));
  EXPECT_FALSE(parse_header(good + " "));
  EXPECT_FALSE(parse_header("{\"also\":1," + good.substr(1)));
  EXPECT_FALSE(parse_header("{}"));
  Bytes upper = good;
  upper[upper.find("11111111")] = 'A';
  EXPECT_FALSE(parse_header(upper));
}

TEST_F(RecordTest, EveryKindHasItsOwnName) {
  for (std::int16_t n = 1; n <= 12; ++n) EXPECT_EQ(kind_of(name_of(static_cast<Kind>(n))), static_cast<Kind>(n));
  EXPECT_FALSE(kind_of("message"));
}

TEST(Keys, RotationRewrapsTheDayKeyOnly) {
  SeededRandom random(3);
  const auto old_master = *MasterKey::from_secret(Secret(random.bytes(32)));
  const auto new_master = *MasterKey::from_secret(Secret(random.bytes(32)));
  const DayKey day = make_day_key(20781, random);
  const auto wrapped = wrap(old_master, day);
  const auto rotated = rewrap(old_master, new_master, wrapped);
  ASSERT_TRUE(rotated);
  EXPECT_EQ(unwrap(new_master, *rotated)->key.reveal(), day.key.reveal());
  EXPECT_EQ(unwrap(old_master, *rotated).error().code, "key.unknown-master");
  WrappedDayKey moved = wrapped;
  moved.id += 1;
  EXPECT_EQ(unwrap(old_master, moved).error().code, "seal.refused");
}

TEST(Keys, ReadsKeysAsBytesOrHexAndNothingElse) {
  EXPECT_EQ(key_from_text(std::string(64, 'a') + "\n")->reveal(), std::string(32, '\xaa'));
  EXPECT_EQ(key_from_text(std::string(32, 'k'))->reveal(), std::string(32, 'k'));
  EXPECT_FALSE(key_from_text(std::string(63, 'a')));
  EXPECT_FALSE(key_from_text(std::string(64, 'g')));
  EXPECT_FALSE(key_from_text(""));
  EXPECT_FALSE(MasterKey::from_secret(Secret("short")));
}
