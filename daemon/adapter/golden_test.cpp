#include "adapter/golden.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace isthmus::adapter {
namespace {

const std::filesystem::path kAdapters = std::filesystem::path(ISTHMUS_SOURCE_DIR) / "adapters";

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, ExamplesComeOutAsWritten) {
  const std::filesystem::path folder = kAdapters / GetParam();
  std::ostringstream out;
  EXPECT_EQ(adapter_test(std::span(&folder, 1), out), 0) << out.str();
}

std::vector<std::string> systems() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kAdapters)) {
    if (std::filesystem::exists(entry.path() / "descriptor.yaml")) out.push_back(entry.path().filename().string());
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Adapters, Golden, testing::ValuesIn(systems()), [](const auto& one) { return one.param; });

/// Renders a command file with an adapter of the repository; the exit code stands before the output.
std::string rendered(const std::string& system, const std::string& command) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / ("render-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << command;
  std::ostringstream out;
  const int code = adapter_render(kAdapters / system, file, out);
  std::filesystem::remove(file);
  return std::to_string(code) + "\n" + out.str();
}

constexpr std::string_view kPost = R"(operation: publish
id: 5b2c9a3e-0000-8000-8000-000000000001
connection: { instance: "https://m.example", account: acme }
input: { text: Bonjour, created_at: "2026-11-24T10:00:00Z" }
media: [{ blob: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, mime: image/png }]
)";

TEST(Render, ShowsTheRequestsOfACommandUpToTheFirstReplyThatIsNotGiven) {
  const std::string first = rendered("mastodon", std::string(kPost));
  EXPECT_TRUE(first.starts_with(R"(0
{"system":"mastodon","method":"POST","url":"https://m.example/api/v2/media")")) << first;
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 2) << first;
  const std::string second = rendered("mastodon", std::string(kPost) + "replies: [{ status: 200, json: { id: \"7\" } }]\n");
  EXPECT_NE(second.find(R"("body":{"status":"Bonjour","media_ids":["7"]})"), std::string::npos) << second;
}

TEST(Render, NamesAnOperationThatTheAdapterDoesNotHave) {
  const std::string out = rendered("mastodon", "operation: pubish\n");
  EXPECT_TRUE(out.starts_with("1\n")) << out;
  EXPECT_NE(out.find("pubish"), std::string::npos) << out;
}

TEST(Render, SaysWhyACommandGivesNoRequest) {
  const std::string out = rendered("mastodon", "operation: publish\nconnection: { instance: nowhere, account: a }\ninput: { text: a }\n");
  EXPECT_TRUE(out.starts_with("1\nREJECTED no request can be built")) << out;
}

}  // namespace
}  // namespace isthmus::adapter
