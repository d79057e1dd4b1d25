#include "adapter/golden.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "adapter/detail/functions.h"

namespace isthmus::adapter {
namespace {

const std::filesystem::path kAdapters = std::filesystem::path(ISTHMUS_SOURCE_DIR) / "adapters";
const SystemClock kClock;
const ProgramSockets kSockets{"/nonexistent", kClock};

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, ExamplesComeOutAsWritten) {
  const std::filesystem::path folder = kAdapters / GetParam();
  std::ostringstream out;
  EXPECT_EQ(adapter_test(std::span(&folder, 1), kSockets, out), 0) << out.str();
}

std::vector<std::string> systems() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kAdapters)) {
    if (std::filesystem::exists(entry.path() / "descriptor.yaml")) out.push_back(entry.path().filename().string());
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Adapters, Golden, testing::ValuesIn(systems()), [](const auto& one) { return one.param; });

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// The fenced YAML block of a page that begins with a word, without its fence.
std::string block(const std::string& page, const std::string& begin) {
  const std::size_t start = page.find("```yaml\n" + begin);
  if (start == std::string::npos) return {};
  const std::size_t from = start + 8;
  return page.substr(from, page.find("\n```", from) - from + 1);
}

TEST(Documentation, ExampleOfADescriptorAndItsGoldenExamplesAreAsTheyAreWritten) {
  const std::filesystem::path docs = std::filesystem::path(ISTHMUS_SOURCE_DIR) / "docs";
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("notices-" + std::to_string(getpid())) / "notices";
  std::filesystem::create_directories(folder / "golden");
  std::ofstream(folder / "descriptor.yaml") << block(read_file(docs / "formats/descriptor-1.md"), "adapter: notices");
  const std::string guide = read_file(docs / "writing-an-adapter.md");
  std::ofstream(folder / "golden/notices.yaml") << block(guide, "connection:");
  std::ofstream(folder / "command.yaml") << block(guide, "operation:");
  std::ostringstream out;
  EXPECT_EQ(adapter_test(std::span(&folder, 1), kSockets, out), 0) << out.str();
  EXPECT_EQ(adapter_render(folder, folder / "command.yaml", kSockets, out), 0) << out.str();
  std::filesystem::remove_all(folder.parent_path());
}

TEST(Documentation, NamesEveryFunctionThatOnlyDescriptorsHave) {
  const std::string page = read_file(std::filesystem::path(ISTHMUS_SOURCE_DIR) / "docs/formats/descriptor-1.md");
  const std::vector<std::string> standard = expression::standard_library().names();
  for (const std::string& name : detail::adapter_library().names()) {
    if (std::find(standard.begin(), standard.end(), name) != standard.end()) continue;
    EXPECT_NE(page.find("`" + name + "("), std::string::npos) << name;
  }
}

/// Renders a command file with an adapter of the repository; the exit code stands before the output.
std::string rendered(const std::string& system, const std::string& command) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("render-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << command;
  std::ostringstream out;
  const int code = adapter_render(kAdapters / system, file, kSockets, out);
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
{"system":"mastodon","method":"POST","url":"https://m.example/api/v2/media")"))
      << first;
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 2) << first;
  const std::string second =
      rendered("mastodon", std::string(kPost) + "replies: [{ status: 200, json: { id: \"7\" } }]\n");
  EXPECT_NE(second.find(R"("body":{"status":"Bonjour","media_ids":["7"]})"), std::string::npos) << second;
}

TEST(Render, NamesAnOperationThatTheAdapterDoesNotHave) {
  const std::string out = rendered("mastodon", "operation: pubish\n");
  EXPECT_TRUE(out.starts_with("1\n")) << out;
  EXPECT_NE(out.find("pubish"), std::string::npos) << out;
}

TEST(Render, SaysWhyACommandGivesNoRequest) {
  const std::string out =
      rendered("mastodon", "operation: publish\nconnection: { instance: nowhere, account: a }\ninput: { text: a }\n");
  EXPECT_TRUE(out.starts_with("1\nREJECTED no request can be built")) << out;
}

}  // namespace
}  // namespace isthmus::adapter
