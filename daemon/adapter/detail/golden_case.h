#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/diagnostic.h"
#include "config/yaml.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {

/// One request that a golden example expects, and what the network answers.
struct GoldenExchange {
  std::string method;
  std::string url;
  std::map<std::string, std::string> headers;  ///< those that matter
  std::optional<expression::Value> json;
  std::optional<std::map<std::string, std::string>> form;
  std::optional<std::string> text;
  std::optional<std::string> blob;
  std::optional<std::vector<std::map<std::string, std::string>>> multipart;
  std::string object;  ///< for the check against a vendor's description
  std::variant<HttpReply, Loss> reply;
  bool waits_before = false;  ///< the adapter asked to wait before this request
  int line = 0;
};

struct GoldenCase {
  enum class Kind { deliver, collect, reconcile, check, webhook, login, refresh, validate };
  Kind kind = Kind::deliver;
  std::string file;
  int line = 0;
  std::string name;
  std::string fate;
  Context context;
  std::vector<Command> commands;
  Collect collect;
  std::string check;  ///< what is asked: facts, or whose account it is
  std::int64_t sent_after_ms = 0;
  Call call;
  Secrets secrets;
  Session session;
  std::vector<GoldenExchange> exchange;
  const config::Node* expected = nullptr;  ///< the case's map, for outcome, page, events, ...
};

struct GoldenFile {
  config::Node tree;  ///< kept: cases point into it
  std::vector<GoldenCase> cases;
  std::map<std::string, std::string> impossible;  ///< fate -> reason
};

/// Reads one file; mistakes are reported, and the cases that could be read are given.
[[nodiscard]] std::unique_ptr<GoldenFile> read_golden(const std::filesystem::path& path, const Adapter& adapter,
                                                      Diagnostics& diagnostics);
/// One command to be rendered, as a person writes it down: what a case has, without what is expected.
struct CommandFile {
  Context context;
  Command command;
  std::vector<HttpReply> replies;  ///< to play on with; after the last the rendering stops
};
/// Reads operation, id, remote_id, input, media, connection, auth, facts, now, replies. Empty when there is any
/// mistake.
[[nodiscard]] std::optional<CommandFile> read_command_file(const std::filesystem::path& path, const Adapter& adapter,
                                                           Diagnostics& diagnostics);
/// *.yaml of a folder, in order.
[[nodiscard]] std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder);

/// The node as JSON: unquoted null, true, false and whole numbers are themselves, everything else is text.
[[nodiscard]] expression::Value plain_value(const config::Node& node);

}  // namespace isthmus::adapter::detail
