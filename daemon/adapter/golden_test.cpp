#include "adapter/golden.h"

#include <gtest/gtest.h>

#include <filesystem>
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

}  // namespace
}  // namespace isthmus::adapter
