// Bodies of webhooks that nothing can be made of: the reason that a person reads beside the evidence.

#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"

namespace isthmus::adapter {
namespace {

std::string reason_of(const std::string& body) {
  Diagnostics mistakes;
  const auto forms = load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/forms/descriptor.yaml", mistakes);
  Call call;
  call.kind = "webhook";
  call.method = "POST";
  call.body = body;
  const auto events = forms->parse({}, call);
  if (events) return std::to_string(events->size()) + " events";
  EXPECT_EQ(events.error().code, "adapter.poison");
  return events.error().what;
}

TEST(Unreadable, SaysWhyTheTextIsNoJson) {
  EXPECT_EQ(reason_of(""), "the body cannot be read: it is empty");
  EXPECT_EQ(reason_of("\"caf\xe9\""), "the body cannot be read: it is not UTF-8");
  EXPECT_EQ(reason_of("\"\\ud800\""), "the body cannot be read: a text holds a bad escape or half of a surrogate pair");
  EXPECT_EQ(reason_of("\"a\nb\""), "the body cannot be read: a text holds a control character");
  EXPECT_EQ(reason_of("{\"a\":\"b"), "the body cannot be read: a text does not end");
  EXPECT_EQ(reason_of(std::string(65, '[') + std::string(65, ']')),
            "the body cannot be read: it nests deeper than 64 levels");
}

// Readers differ about which of two values counts, so neither does.
TEST(Unreadable, NamesAKeyThatAnObjectHasTwiceAtAnyDepth) {
  EXPECT_EQ(reason_of(R"({"type":"other","type":"other"})"), "an object of the body has the key type twice");
  EXPECT_EQ(reason_of(R"({"type":"other","a":[1,{"b":{"c":1,"d":2,"c":1}}]})"),
            "an object of the body has the key c twice");
  EXPECT_EQ(reason_of(R"({"type":"other","a":[{"b":1},{"b":2}]})"), "0 events");
  const std::string longest(40, 'k'), longer(41, 'k');
  EXPECT_EQ(reason_of("{\"" + longest + "\":1,\"" + longest + "\":1}"),
            "an object of the body has the key " + longest + " twice");
  EXPECT_EQ(reason_of("{\"" + longer + "\":1,\"" + longer + "\":1}"), "an object of the body has the key twice");
}

}  // namespace
}  // namespace isthmus::adapter
