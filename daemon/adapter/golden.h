#pragma once

#include <filesystem>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapter/contract.h"
#include "adapter/system_folder.h"
#include "base/diagnostic.h"

/// Golden examples: exchanges written down as data, beside the page of the vendor that says so
/// (docs/writing-an-adapter.md). A runner plays the network's part with no network; every call of the adapter is made
/// twice and must answer the same.
namespace isthmus::adapter {

/// The fates that every adapter must show, or declare impossible with a reason.
[[nodiscard]] const std::vector<std::string>&
required_fates();  // success, throttled, token_expired, refused, reply_lost

struct GoldenReport {
  int cases = 0;
  std::vector<std::string> failures;  ///< one text each, readable: case, what was expected, what came
  std::set<std::string> fates;        ///< shown by a passing case, or declared impossible
  [[nodiscard]] std::vector<std::string> missing_fates() const;
  [[nodiscard]] bool good() const { return failures.empty() && missing_fates().empty(); }
};

/// Runs every *.yaml of the folder (in order of name) against the adapter. Mistakes in the files go to diagnostics.
[[nodiscard]] GoldenReport run_golden(const Adapter& adapter, const std::filesystem::path& folder,
                                      Diagnostics& diagnostics);

/// The fates that the folder's files name, without running anything: what the registry asks for at start.
[[nodiscard]] std::set<std::string> named_fates(const std::filesystem::path& folder, Diagnostics& diagnostics);

// ---- what `isthmus adapter ...` calls; 0 = good, 1 = something failed, 2 = nothing to work on

/// Each path is a system's folder, or one that holds such folders. A program is asked at its socket.
[[nodiscard]] int adapter_test(std::span<const std::filesystem::path> paths, const ProgramSockets& sockets,
                               std::ostream& out);
/// Prints the requests of one command as JSON lines, up to the first whose reply the command file does not have
/// (docs/writing-an-adapter.md shows one). What is no request is a sentence, and 1.
[[nodiscard]] int adapter_render(const std::filesystem::path& system, const std::filesystem::path& command,
                                 const ProgramSockets& sockets, std::ostream& out);
/// Every request of the golden examples as JSON lines: system, method, url, headers, body, form, object.
[[nodiscard]] int adapter_render_golden(std::span<const std::filesystem::path> paths, const ProgramSockets& sockets,
                                        std::ostream& out);
/// Prints what the program at a socket says of itself: the program.json of its folder.
[[nodiscard]] int adapter_describe(const std::filesystem::path& socket, const Clock& clock, std::ostream& out);

}  // namespace isthmus::adapter
