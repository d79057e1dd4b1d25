// The fuzz target over its corpus, and over the corpus changed in ways that a seed replays.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> corpus() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(ISTHMUS_SOURCE_DIR "/tests/fuzz/bag_verifier")) {
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    out.push_back(bytes.str());
  }
  return out;
}

std::string changed(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return bound == 0 ? 0 : random() % bound; };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(text.size());
    const std::size_t length = below(200);
    switch (below(5)) {
      case 0:
        text.insert(at, 1, "{}[]\",:0 \n\\\xff"[below(12)]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), length));
        break;
      case 3:
        text.insert(at, std::string(length, "[{\"0a"[below(5)]));
        break;
      default:
        if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
    }
  }
  return text;
}

}  // namespace

TEST(Fuzz, CorpusAndItsChangesNeitherCrashNorPass) {
  const auto inputs = corpus();
  ASSERT_GE(inputs.size(), 4U);
  for (const auto& input : inputs) run(input);
  std::mt19937 random(20261124);
  for (int round = 0; round < 1000; ++round) {
    for (const auto& input : inputs) run(changed(input, random));
  }
}
