#include "config/apply_file.h"

#include <fmt/format.h>

#include "config/reader.h"

namespace isthmus::config {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kNameBytesMax = 63;
constexpr std::size_t kUnitNameBytesMax = 200;

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

/// Lower-case words: what stands in a URL's path, in a file name and in a command line without quoting.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && kLower.find(text[0]) != std::string_view::npos &&
         only(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");
}

bool is_unit_name(std::string_view text) {
  if (text.empty() || text.size() > kUnitNameBytesMax) return false;
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_name(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

/// "social.mention": words joined by dots.
bool is_kind(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_name(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_host(std::string_view text) {
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return false;
  }
  std::string_view port;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos) {
    port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port[0] == '0' || !only(port, "0123456789") ||
        std::stoi(std::string(port)) > 65535)
      return false;
    text = text.substr(0, colon);
  }
  if (text.starts_with('['))
    return text.size() > 4 && text.ends_with(']') && only(text.substr(1, text.size() - 2), "0123456789abcdef:.");
  return !text.empty() && text.size() <= 253 && only(text, "abcdefghijklmnopqrstuvwxyz0123456789-.");
}

class Parser {
 public:
  explicit Parser(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  ApplyFile parse(const Node& root) {
    MapReader reader(root, "", diagnostics_);
    each(reader, "units", [this](MapReader& r, ApplyFile::Place place) { unit(r, place); });
    each(reader, "principals", [this](MapReader& r, ApplyFile::Place place) { principal(r, place); });
    each(reader, "connections", [this](MapReader& r, ApplyFile::Place place) { connection(r, place); });
    each(reader, "routes", [this](MapReader& r, ApplyFile::Place place) { route(r, place); });
    reader.finish();
    for (const Reference& reference : references_) check(reference);
    check_circles();
    model_.sort();
    return std::move(model_);
  }

 private:
  /// A name that must be given somewhere in the file; checked at the end, so that the order does not matter.
  struct Reference {
    const Node* at;
    std::string path;
    const std::set<std::string>* among;
    const char* what;
    std::string name;
  };

  template <class F>
  void each(MapReader& reader, std::string_view section, F read) {
    std::size_t index = 0;
    for (const Node& item : reader.optional_list(section)) {
      MapReader r(item, fmt::format("{}[{}]", section, index++), diagnostics_);
      if (!r.is_map()) continue;
      read(r, ApplyFile::Place{item.line, item.column});
      r.finish();
    }
  }

  std::string formed(MapReader& r, std::string_view key, bool (*form)(std::string_view), std::string_view accepted) {
    std::string text = r.required_text(key);
    if (!text.empty() && !form(text))
      r.error(key, "apply.form", fmt::format("found \"{}\"; accepted: {}", text, accepted));
    return text;
  }
  std::string name(MapReader& r, std::string_view key) {
    return formed(r, key, is_name, "1 to 63 lower-case letters, digits, - and _, a letter first");
  }

  void unique(MapReader& r, std::string_view key, const std::string& value, std::set<std::string>& seen) {
    if (!value.empty() && !seen.insert(value).second) {
      r.error(key, "apply.repeated", fmt::format("\"{}\" is given before in this list", value));
    }
  }

  void refer(MapReader& r, std::string_view key, const std::string& value, const std::set<std::string>& among,
             const char* what) {
    const Node* at = r.node().find(key);
    if (at != nullptr && !value.empty()) references_.push_back({at, r.path_of(key), &among, what, value});
  }

  void check(const Reference& reference) {
    if (reference.among->count(reference.name) != 0) return;
    const std::string near =
        nearest_name(reference.name, std::vector<std::string>(reference.among->begin(), reference.among->end()));
    report(*reference.at, "apply.unknown-name", reference.path,
           fmt::format("this file has no {} \"{}\"{}", reference.what, reference.name,
                       near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
           diagnostics_);
  }

  void unit(MapReader& r, ApplyFile::Place place) {
    ApplyFile::Unit unit;
    unit.place = place;
    unit.name = formed(r, "name", is_unit_name, "lower-case words joined by /, such as acme/france");
    unit.parent = r.optional_text("parent");
    unique(r, "name", unit.name, units_);
    refer(r, "parent", unit.parent, units_, "unit");
    parents_[unit.name] = unit.parent;
    unit_nodes_[unit.name] = &r.node();
    model_.units.push_back(std::move(unit));
  }

  void check_circles() {
    for (const auto& [name, first_parent] : parents_) {
      std::set<std::string> seen = {name};
      for (std::string up = first_parent; !up.empty();) {
        if (up == name) {
          report(*unit_nodes_[name], "apply.circle", "units",
                 fmt::format("\"{}\" is above itself; one of its parents must go", name), diagnostics_);
          break;
        }
        if (!seen.insert(up).second) break;  // a circle above, reported at its own members
        const auto next = parents_.find(up);
        up = next == parents_.end() ? std::string() : next->second;
      }
    }
  }

  void principal(MapReader& r, ApplyFile::Place place) {
    ApplyFile::Principal principal;
    principal.place = place;
    principal.subject = r.required_text("subject");
    principal.issuer = r.optional_text("issuer", "local");
    principal.kind = r.required_choice<std::string>("kind", {{"person", "person"}, {"machine", "machine"}});
    principal.unit = r.required_text("unit");
    principal.key_sha256 = r.optional_text("key_sha256");
    if (!principal.key_sha256.empty() &&
        (principal.key_sha256.size() != 64 || !only(principal.key_sha256, "0123456789abcdef"))) {
      r.error("key_sha256", "apply.form", "accepted: the SHA-256 of the key, 64 lower-case hexadecimal digits");
    }
    const std::vector<std::string> known = {"approve", "publish", "read"};
    for (std::string& right : r.optional_text_list("rights")) {
      if (!only_one_of(right, known)) {
        r.error("rights", "apply.unknown-right", fmt::format("found \"{}\"; {}", right, accepted_words(right, known)));
      }
      principal.rights.insert(std::move(right));
    }
    unique(r, "subject", principal.issuer + "\n" + principal.subject, subjects_);
    unique(r, "key_sha256", principal.key_sha256, key_hashes_);
    refer(r, "unit", principal.unit, units_, "unit");
    model_.principals.push_back(std::move(principal));
  }

  static bool only_one_of(const std::string& word, const std::vector<std::string>& words) {
    for (const std::string& known : words) {
      if (word == known) return true;
    }
    return false;
  }

  void connection(MapReader& r, ApplyFile::Place place) {
    ApplyFile::Connection connection;
    connection.place = place;
    connection.name = name(r, "name");
    connection.unit = r.required_text("unit");
    connection.adapter = name(r, "adapter");
    connection.hosts = r.optional_text_list("hosts");
    for (const std::string& host : connection.hosts) {
      if (!is_host(host)) {
        r.error("hosts", "apply.form",
                fmt::format("found \"{}\"; accepted: http or https, a host in lower case and a port at will, without a "
                            "path, such as "
                            "https://api.example or http://localhost:2583",
                            host));
      }
    }
    connection.internal = r.optional_choice<bool>("internal", {{"deny", false}, {"allow", true}}, false);
    for (const Entry& entry : r.optional_entries("fields")) {
      const std::string path = r.path_of("fields") + "." + entry.key;
      connection.fields[entry.key] = as_text(entry.value, path, diagnostics_).value_or(std::string());
    }
    for (const Entry& entry : r.optional_entries("collect")) {
      const std::string path = r.path_of("collect") + "." + entry.key;
      connection.collect[entry.key] = as_duration(entry.value, 100ms, 24h * 31, path, diagnostics_).value_or(1s);
    }
    unique(r, "name", connection.name, connections_);
    refer(r, "unit", connection.unit, units_, "unit");
    model_.connections.push_back(std::move(connection));
  }

  void route(MapReader& r, ApplyFile::Place place) {
    ApplyFile::Route route;
    route.place = place;
    route.name = name(r, "name");
    route.from = r.required_text("from");
    for (std::string& kind : r.required_text_list("kinds")) {
      if (!is_kind(kind))
        r.error("kinds", "apply.form",
                fmt::format("found \"{}\"; accepted: words joined by dots, such as lead.form", kind));
      route.kinds.insert(std::move(kind));
    }
    route.to = r.required_text("to");
    route.operation = name(r, "operation");
    route.mapping = name(r, "mapping");
    unique(r, "name", route.name, routes_);
    refer(r, "from", route.from, connections_, "connection");
    refer(r, "to", route.to, connections_, "connection");
    model_.routes.push_back(std::move(route));
  }

  Diagnostics& diagnostics_;
  ApplyFile model_;
  std::set<std::string> units_;
  std::set<std::string> subjects_;
  std::set<std::string> key_hashes_;
  std::set<std::string> connections_;
  std::set<std::string> routes_;
  std::map<std::string, std::string> parents_;
  std::map<std::string, const Node*> unit_nodes_;
  std::vector<Reference> references_;
};

std::optional<ApplyFile> judge(const std::optional<Node>& root, Diagnostics& diagnostics) {
  if (!root) return std::nullopt;
  ApplyFile model = Parser(diagnostics).parse(*root);
  if (diagnostics.has_errors()) return std::nullopt;
  return model;
}

}  // namespace

std::optional<ApplyFile> ApplyFile::parse(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  return judge(parse_yaml(text, file, diagnostics), diagnostics);
}

std::optional<ApplyFile> ApplyFile::load(const std::filesystem::path& file, Diagnostics& diagnostics) {
  return judge(read_yaml_file(file, diagnostics), diagnostics);
}

}  // namespace isthmus::config
