#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/diagnostic.h"
#include "config/yaml.h"
#include "expression/expression.h"
#include "policy/request.h"

namespace re2 {
class RE2;
}

namespace isthmus::policy::detail {

enum class Detector { card_number, iban, french_nir, secret, link };

struct MatchTerms {
  std::size_t list;  ///< of Pack::lists
};
struct MatchPattern {
  std::shared_ptr<const re2::RE2> pattern;
};
struct MatchDetector {
  Detector detector;
  std::vector<std::string> except_hosts;  ///< of link
};
using Match = std::variant<MatchTerms, MatchPattern, MatchDetector>;

struct Rule {
  std::string id;
  Effect effect = Effect::forbid;
  std::vector<std::string> actions;
  std::vector<std::string> adapters;  ///< empty: any
  std::optional<expression::Expression> when;
  std::vector<Match> match;  ///< empty: nothing is searched; else one of them must be found
  std::string held_for;
  std::string reason_en;
  std::string reason_fr;
  std::string full_name;  ///< "pack/rule"
};

struct TermList {
  std::string name;
  std::vector<std::string> terms;
};

/// A request that owns what it says, as read from a file.
struct OwnedRequest {
  std::string subject, kind, unit;
  std::vector<std::string> rights;
  std::string action;
  std::string connection, adapter, resource_unit, operation, format, author, purpose, terms;
  std::vector<std::string> purposes;
  std::vector<Text> texts;
  expression::Value body;
  expression::Value context;
  std::vector<std::string> released;

  [[nodiscard]] Request view() const;
};

struct PackTest {
  std::string name;
  std::string place;  ///< file:line
  OwnedRequest request;
  Effect effect = Effect::forbid;
  std::string rule;
  std::string pack;                  ///< empty: this one
  std::optional<std::string> found;  ///< the text that the rule must have found
  std::optional<std::string> held_for;
};

/// One file, checked and compiled. Immutable.
struct Pack {
  std::string name;
  std::string version;
  std::string file;
  Bytes sha256;
  std::vector<std::string> with;  ///< packs that its tests need
  std::vector<TermList> lists;
  std::vector<Rule> rules;
  std::vector<PackTest> tests;
  std::shared_ptr<const expression::Library> library;  ///< must outlive the rules' conditions
};

/// @return nullptr when there is any error.
[[nodiscard]] std::shared_ptr<const Pack> read_pack(const std::filesystem::path& file,
                                                    std::shared_ptr<const expression::Library> library,
                                                    Diagnostics& diagnostics);

/// Reads a request as tests and `isthmus policy decide` give it.
[[nodiscard]] OwnedRequest read_request(const config::Node& node, const std::string& path, Diagnostics& diagnostics);

}  // namespace isthmus::policy::detail
