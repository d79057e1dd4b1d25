#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace isthmus::policy {

/// `isthmus policy test PATH...`: loads packs, runs their tests, writes what was found.
/// @return 0 when all is well, 1 when a file has mistakes, a test differs or there is no test.
int policy_test(const std::vector<std::filesystem::path>& paths, std::string& out);

/// `isthmus policy decide REQUEST --packs PATH...`: decides one request, in YAML or JSON as a pack's tests give it, and
/// writes the decision as one JSON object.
/// @return 0 permit or warn, 1 mistakes in a file, 2 hold, 3 forbid.
int policy_decide(const std::filesystem::path& request, const std::vector<std::filesystem::path>& packs,
                  std::string& out);

}  // namespace isthmus::policy
