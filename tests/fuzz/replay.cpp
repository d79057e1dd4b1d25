// Runs a fuzz target over a corpus, each file whole and cut short at a few places: what libFuzzer found stays found
// without clang.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  constexpr std::size_t kCuts = 16;
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::stringstream content;
      content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      const std::string bytes = content.str();
      for (std::size_t cut = 1; cut <= kCuts; ++cut) {
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size() * cut / kCuts);
      }
      ++files;
    }
  }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;  // an empty corpus is a mistake in the build
}
