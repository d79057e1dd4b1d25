// What is written beside the program says what the program does.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "cli/command.h"
#include "config/settings.h"

namespace isthmus::cli {
namespace {

const std::string kSource = ISTHMUS_SOURCE_DIR;

std::string read(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// Running text of a manual page: without requests, quotes and escapes.
std::string plain(std::string page) {
  for (const std::string remove : {"\\fR[\\fB", "\\fR", "\\-\\-", "\"", "\\"}) {
    for (auto at = page.find(remove); at != std::string::npos; at = page.find(remove, at)) {
      page.replace(at, remove.size(), remove == "\\-\\-" ? "--" : "");
    }
  }
  return page;
}

TEST(Manual, NamesEveryCommandAndOption) {
  const std::string page = plain(read(kSource + "/docs/man/isthmus.1"));
  for (const Command& command : all_commands()) {
    const auto at = page.find(" " + std::string(command.name));
    EXPECT_NE(at, std::string::npos) << command.name;
    for (const Option& option : command.options) {
      EXPECT_NE(page.find(option.name, at), std::string::npos) << command.name << " " << option.name;
    }
  }
}

TEST(SampleConfiguration, IsAcceptedAsItStands) {
  const std::string text = read(kSource + "/etc/isthmus.yaml") + "adapters: [" + kSource + "/adapters]\nmappings: [" +
                           kSource + "/mappings]\npolicies: [" + kSource + "/policies]\n";
  Diagnostics diagnostics;
  const auto settings = config::Settings::parse(text, "isthmus.yaml", "/nonexistent", diagnostics);
  EXPECT_TRUE(settings) << diagnostics.to_string();
  EXPECT_EQ(settings->admin_socket, Invocation().socket);
}

TEST(SampleConfiguration, ListensWhereTheSocketUnitsDo) {
  const std::string sample = read(kSource + "/etc/isthmus.yaml");
  EXPECT_NE(sample.find("public: { address: 127.0.0.1, port: 8081 }"), std::string::npos);
  EXPECT_NE(read(kSource + "/systemd/isthmusd-public.socket").find("ListenStream=127.0.0.1:8081\n"), std::string::npos);
  EXPECT_NE(sample.find("house: { address: 127.0.0.1, port: 8080 }"), std::string::npos);
  EXPECT_NE(read(kSource + "/systemd/isthmusd-house.socket").find("ListenStream=127.0.0.1:8080\n"), std::string::npos);
}

}  // namespace
}  // namespace isthmus::cli
