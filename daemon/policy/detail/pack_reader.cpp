#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/crypto.h"
#include "config/reader.h"
#include "policy/detail/pack.h"
#include "policy/detail/terms.h"

namespace isthmus::policy::detail {

namespace {

using config::Entry;
using config::MapReader;
using config::Node;
namespace fs = std::filesystem;

constexpr std::size_t kListBytesMax = std::size_t{8} << 20;
constexpr std::size_t kTermBytesMax = 200;
constexpr std::size_t kTermsMax = 100'000;
constexpr std::int64_t kPatternMemoryBytes = std::int64_t{8} << 20;

/// What a condition may read.
const expression::Names& condition_names() {
  static const expression::Names names({"principal.subject", "principal.kind", "principal.unit", "principal.rights",
                                        "action", "resource.connection", "resource.adapter", "resource.unit",
                                        "resource.operation", "resource.format", "resource.author", "resource.purpose",
                                        "resource.purposes", "resource.body", "context"});
  return names;
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 80 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string_view::npos;
}

class PackReader {
 public:
  PackReader(fs::path file, std::shared_ptr<const expression::Library> library, Diagnostics& diagnostics)
      : file_(std::move(file)), diagnostics_(diagnostics) {
    pack_.file = file_.string();
    pack_.library = std::move(library);
  }

  Pack read(const Node& root, std::string_view bytes) {
    hashed_ = crypto::sha256(bytes);
    MapReader r(root, "", diagnostics_);
    (void)r.required_int("policy", 1, 1);  // the format's number
    pack_.name = id(r, "pack");
    pack_.version = r.required_text("version");
    (void)r.optional_text("description");
    pack_.with = r.optional_text_list("with");
    for (const Entry& entry : r.optional_entries("lists")) list(entry, r.path_of("lists"));
    std::size_t index = 0;
    for (const Node& node : r.required_list("rules")) rule(node, fmt::format("rules[{}]", index++));
    index = 0;
    for (const Node& node : r.optional_list("tests")) test(node, fmt::format("tests[{}]", index++));
    r.finish();
    report_unused_lists();
    pack_.sha256 = crypto::sha256(hashed_);
    return std::move(pack_);
  }

 private:
  std::string id(MapReader& r, std::string_view key) {
    std::string text = r.required_text(key);
    if (!text.empty() && !is_id(text)) {
      r.error(key, "policy.form",
              fmt::format("found \"{}\"; accepted: up to 80 lower-case letters, digits and - . _", text));
    }
    return text;
  }

  void list(const Entry& entry, const std::string& above) {
    const std::string path = fmt::format("{}.{}", above, entry.key);
    TermList list;
    list.name = entry.key;
    const Node* at = &entry.value;
    if (entry.value.kind == Node::Kind::map) {
      MapReader r(entry.value, path, diagnostics_);
      const std::string name = r.required_text("file");
      r.finish();
      if (!name.empty()) list.terms = terms_of_file(entry.value, path, name);
    } else {
      for (const Node& item : config::as_list(entry.value, path, diagnostics_)) {
        if (std::optional<std::string> term = config::as_text(item, path, diagnostics_))
          check_term(item, path, *term, list);
      }
    }
    if (list.terms.empty()) config::report(*at, "policy.no-terms", path, "the list has no terms", diagnostics_);
    if (list.terms.size() > kTermsMax) {
      config::report(*at, "policy.too-many-terms", path,
                     fmt::format("{} terms; accepted: at most {}", list.terms.size(), kTermsMax), diagnostics_);
    }
    pack_.lists.push_back(std::move(list));
  }

  void check_term(const Node& at, const std::string& path, std::string term, TermList& list) {
    const std::string_view words = std::string_view(term).substr(0, term.size() - (term.ends_with('*') ? 1 : 0));
    if (term.size() > kTermBytesMax || fold(words).bytes.find_first_not_of(' ') == std::string::npos) {
      config::report(at, "policy.term", path,
                     fmt::format("\"{}\" cannot be searched; accepted: 1 to {} bytes with something visible",
                                 term.substr(0, 40), kTermBytesMax),
                     diagnostics_);
      return;
    }
    list.terms.push_back(std::move(term));
  }

  std::vector<std::string> terms_of_file(const Node& at, const std::string& path, const std::string& name) {
    TermList list;
    const fs::path relative(name);
    const bool inside =
        relative.is_relative() && std::find(relative.begin(), relative.end(), fs::path("..")) == relative.end();
    std::ifstream stream(file_.parent_path() / relative, std::ios::binary);
    if (!inside || !stream) {
      config::report(at, "policy.list-file", path,
                     fmt::format("\"{}\" cannot be read; accepted: a file at or below the pack's folder", name),
                     diagnostics_);
      return {};
    }
    std::string bytes(kListBytesMax + 1, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > kListBytesMax || !is_utf8(bytes)) {
      config::report(at, "policy.list-file", path,
                     fmt::format("\"{}\" is larger than {} bytes or not UTF-8", name, kListBytesMax), diagnostics_);
      return {};
    }
    hashed_ += crypto::sha256(bytes);
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
      std::string line = bytes.substr(begin, end - begin);
      begin = end + 1;
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty() && line[0] != '#') check_term(at, path, std::move(line), list);
    }
    return std::move(list.terms);
  }

  void rule(const Node& node, const std::string& path) {
    MapReader r(node, path, diagnostics_);
    if (!r.is_map()) return;
    Rule rule;
    rule.id = id(r, "id");
    rule.full_name = fmt::format("{}/{}", pack_.name, rule.id);
    if (!rule_ids_.insert(rule.id).second)
      r.error("id", "policy.repeated-rule", fmt::format("\"{}\" is the id of a rule above", rule.id));
    rule.effect = r.required_choice<Effect>(
        "effect",
        {{"forbid", Effect::forbid}, {"hold", Effect::hold}, {"warn", Effect::warn}, {"permit", Effect::permit}});
    for (std::string& action : r.required_text_list("actions")) {
      if (std::find(actions().begin(), actions().end(), action) == actions().end()) {
        r.error("actions", "policy.unknown-action",
                fmt::format("found \"{}\"; {}", action, config::accepted_words(action, actions())));
      }
      rule.actions.push_back(std::move(action));
    }
    rule.adapters = r.optional_text_list("adapters");
    if (const Node* when = r.optional("when")) rule.when = condition(*when, r.path_of("when"));
    std::size_t index = 0;
    for (const Node& item : r.optional_list("match")) {
      if (std::optional<Match> match = matcher(item, fmt::format("{}[{}]", r.path_of("match"), index++)))
        rule.match.push_back(std::move(*match));
    }
    if (const Node* match = r.optional("match"); match != nullptr && match->items.empty()) {
      r.error("match", "config.no-value", "the list is empty; leave match out to search nothing");
    }
    rule.held_for = rule.effect == Effect::hold ? r.required_text("held_for") : r.optional_text("held_for");
    if (rule.effect != Effect::hold && !rule.held_for.empty())
      r.error("held_for", "policy.held-for", "only a rule with effect hold has it");
    if (std::optional<MapReader> reason = r.required_map("reason")) {
      rule.reason_en = reason->required_text("en");
      rule.reason_fr = reason->required_text("fr");
      reason->finish();
    }
    r.finish();
    pack_.rules.push_back(std::move(rule));
  }

  std::optional<expression::Expression> condition(const Node& node, const std::string& path) {
    const std::optional<std::string> text = config::as_text(node, path, diagnostics_);
    if (!text) return std::nullopt;
    const expression::Origin origin{pack_.file, node.line, node.column + (node.quoted ? 1 : 0), path};
    return expression::Expression::compile(*text, origin, {*pack_.library, condition_names()}, diagnostics_);
  }

  std::optional<Match> matcher(const Node& node, const std::string& path) {
    MapReader r(node, path, diagnostics_);
    if (!r.is_map()) return std::nullopt;
    const Node* terms = r.optional("terms");
    const Node* pattern = r.optional("pattern");
    const Node* detect = r.optional("detect");
    std::optional<Match> match;
    if ((terms != nullptr) + (pattern != nullptr) + (detect != nullptr) != 1) {
      config::report(node, "policy.match", path, "accepted: exactly one of terms, pattern or detect", diagnostics_);
      return std::nullopt;
    }
    if (terms != nullptr) {
      match = terms_matcher(*terms, r.path_of("terms"));
    } else if (pattern != nullptr) {
      match = pattern_matcher(*pattern, r.path_of("pattern"));
    } else {
      match = MatchDetector{r.required_choice<Detector>("detect", {{"card_number", Detector::card_number},
                                                                   {"iban", Detector::iban},
                                                                   {"french_nir", Detector::french_nir},
                                                                   {"secret", Detector::secret},
                                                                   {"link", Detector::link}}),
                            {}};
      if (detect->text == "link") std::get<MatchDetector>(*match).except_hosts = r.optional_text_list("except_hosts");
    }
    r.finish();
    return match;
  }

  std::optional<Match> terms_matcher(const Node& node, const std::string& path) {
    const std::string name = config::as_text(node, path, diagnostics_).value_or(std::string());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < pack_.lists.size(); ++i) {
      names.push_back(pack_.lists[i].name);
      if (pack_.lists[i].name != name) continue;
      used_lists_.insert(name);
      return MatchTerms{i};
    }
    if (!name.empty()) {
      config::report(node, "policy.unknown-list", path,
                     fmt::format("no list is named \"{}\"; {}", name, config::accepted_words(name, names)),
                     diagnostics_);
    }
    return std::nullopt;
  }

  std::optional<Match> pattern_matcher(const Node& node, const std::string& path) {
    const std::optional<std::string> text = config::as_text(node, path, diagnostics_);
    if (!text) return std::nullopt;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternMemoryBytes);
    auto pattern = std::make_shared<const RE2>(*text, options);
    if (!pattern->ok()) {
      config::report(node, "policy.pattern", path, fmt::format("not a regular expression of RE2: {}", pattern->error()),
                     diagnostics_);
      return std::nullopt;
    }
    if (pattern->NumberOfCapturingGroups() >= 0 && RE2::PartialMatch("", *pattern)) {
      config::report(node, "policy.pattern", path, "the pattern is found in an empty text, so it is found everywhere",
                     diagnostics_);
    }
    return MatchPattern{std::move(pattern)};
  }

  void test(const Node& node, const std::string& path) {
    MapReader r(node, path, diagnostics_);
    if (!r.is_map()) return;
    PackTest test;
    test.name = r.required_text("name");
    test.place = fmt::format("{}:{}", pack_.file, node.line);
    if (const Node* request = r.required("request"))
      test.request = read_request(*request, r.path_of("request"), diagnostics_);
    if (std::optional<MapReader> expect = r.required_map("expect")) {
      test.effect = expect->required_choice<Effect>(
          "effect",
          {{"forbid", Effect::forbid}, {"hold", Effect::hold}, {"warn", Effect::warn}, {"permit", Effect::permit}});
      test.rule = expect->required_text("rule");
      test.pack = expect->optional_text("pack");
      if (expect->optional("found") != nullptr) test.found = expect->required_text("found");
      if (expect->optional("held_for") != nullptr) test.held_for = expect->required_text("held_for");
      // A rule of a pack named in `with` is known only when that one is loaded: then the test itself says so.
      if (test.pack.empty() && pack_.with.empty() && rule_ids_.count(test.rule) == 0 && !is_built_in(test.rule)) {
        const std::vector<std::string> ids(rule_ids_.begin(), rule_ids_.end());
        expect->error(
            "rule", "policy.unknown-rule",
            fmt::format("no rule of this pack is \"{}\"; {}", test.rule, config::accepted_words(test.rule, ids)));
      }
      expect->finish();
    }
    r.finish();
    pack_.tests.push_back(std::move(test));
  }

  static bool is_built_in(std::string_view rule) { return rule == "default.deny" || rule.starts_with("purposes."); }

  void report_unused_lists() {
    for (const TermList& list : pack_.lists) {
      if (used_lists_.count(list.name) != 0) continue;
      diagnostics_.add({.file = pack_.file,
                        .line = 0,
                        .column = 0,
                        .severity = Diagnostic::Severity::warning,
                        .code = "policy.unused-list",
                        .path = fmt::format("lists.{}", list.name),
                        .message = "no rule searches this list"});
    }
  }

  fs::path file_;
  Diagnostics& diagnostics_;
  Pack pack_;
  Bytes hashed_;
  std::set<std::string> rule_ids_;
  std::set<std::string> used_lists_;
};

}  // namespace

std::shared_ptr<const Pack> read_pack(const fs::path& file, std::shared_ptr<const expression::Library> library,
                                      Diagnostics& diagnostics) {
  Diagnostics found;
  std::shared_ptr<const Pack> pack;
  if (const std::optional<std::string> bytes = config::read_text_file(file, found)) {
    const std::optional<Node> root = config::parse_yaml(*bytes, file.string(), found);
    if (root) pack = std::make_shared<const Pack>(PackReader(file, std::move(library), found).read(*root, *bytes));
  }
  for (const Diagnostic& diagnostic : found.list()) diagnostics.add(diagnostic);
  return found.has_errors() ? nullptr : pack;
}

}  // namespace isthmus::policy::detail
