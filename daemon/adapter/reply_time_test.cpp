#include "adapter/detail/reply_time.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace isthmus::adapter::detail {
namespace {

std::int64_t ms(std::string_view rfc3339) { return to_ms(*from_rfc3339(rfc3339)); }
const std::int64_t kNow = ms("2026-11-24T10:00:00Z");

std::int64_t floor_of(std::vector<Header> headers, LimitSpec limit = {}) {
  return not_before_ms({429, std::move(headers), ""}, limit, kNow);
}

LimitSpec reset_in(LimitSpec::Format format) {
  LimitSpec limit;
  limit.reset = "X-Reset";
  limit.format = format;
  return limit;
}

// RFC 9110 5.6.7 gives the same instant in its three forms.
TEST(ReplyTime, ReadsTheThreeFormsOfAnHttpDate) {
  const std::int64_t expected = ms("1994-11-06T08:49:37Z");
  EXPECT_EQ(http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
  EXPECT_EQ(http_date_ms("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
  EXPECT_EQ(http_date_ms("Sun Nov  6 08:49:37 1994"), expected);
}

TEST(ReplyTime, RefusesDatesThatAreNone) {
  for (const char* text : {"", "soon", "Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "-5"}) {
    EXPECT_EQ(http_date_ms(text), std::nullopt) << text;
  }
}

TEST(ReplyTime, TakesRetryAfterInBothForms) {
  EXPECT_EQ(floor_of({{"Retry-After", "120"}}), kNow + 120'000);
  EXPECT_EQ(floor_of({{"retry-after", " 120 "}}), kNow + 120'000);
  EXPECT_EQ(floor_of({{"Retry-After", "Tue, 24 Nov 2026 10:04:30 GMT"}}), ms("2026-11-24T10:04:30Z"));
}

TEST(ReplyTime, NeverGoesBackNorBeyondAWeek) {
  EXPECT_EQ(floor_of({{"Retry-After", "Tue, 24 Nov 2020 10:04:30 GMT"}}), kNow);
  EXPECT_EQ(floor_of({{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}}), kNow + kWaitMsMax);
  EXPECT_EQ(floor_of({{"Retry-After", "99999999999"}}), kNow + kWaitMsMax);
}

TEST(ReplyTime, TakesNothingFromWhatCannotBeRead) {
  for (const char* text : {"-1", "1e9", "soon", "", "1.5", "99999999999999999999999"}) {
    EXPECT_EQ(floor_of({{"Retry-After", text}}), 0) << text;
  }
}

TEST(ReplyTime, ReadsResetHeadersInTheFormatsOfVendors) {
  EXPECT_EQ(floor_of({{"X-Reset", "1795514700"}}, reset_in(LimitSpec::Format::epoch_seconds)), 1'795'514'700'000);
  EXPECT_EQ(floor_of({{"X-Reset", "1795514700000"}}, reset_in(LimitSpec::Format::epoch_ms)), 1'795'514'700'000);
  EXPECT_EQ(floor_of({{"X-Reset", "2026-11-24T10:05:00.000Z"}}, reset_in(LimitSpec::Format::rfc3339)),
            ms("2026-11-24T10:05:00Z"));
  EXPECT_EQ(floor_of({{"X-Reset", "30"}}, reset_in(LimitSpec::Format::delta_seconds)), kNow + 30'000);
  EXPECT_EQ(floor_of({{"X-Reset", "1500"}}, reset_in(LimitSpec::Format::delta_ms)), kNow + 1500);
  EXPECT_EQ(floor_of({{"X-Reset", "tomorrow"}}, reset_in(LimitSpec::Format::rfc3339)), 0);
}

TEST(ReplyTime, PrefersRetryAfterToTheResetHeader) {
  EXPECT_EQ(floor_of({{"X-Reset", "1795514700"}, {"Retry-After", "5"}}, reset_in(LimitSpec::Format::epoch_seconds)),
            kNow + 5000);
}

}  // namespace
}  // namespace isthmus::adapter::detail
