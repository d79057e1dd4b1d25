#include "config/settings.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <system_error>

#include "config/detail/settings_fields.h"
#include "config/reader.h"

namespace isthmus::config {

namespace {

using detail::Field;
using detail::Form;
namespace fs = std::filesystem;

constexpr std::size_t kSocketPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_address(const std::string& text) {
  in6_addr buffer{};
  return inet_pton(AF_INET, text.c_str(), &buffer) == 1 || inet_pton(AF_INET6, text.c_str(), &buffer) == 1;
}

constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";

/// What the form accepts, when the text is not of it; empty when it is.
std::string form_mistake(Form form, const std::string& text) {
  switch (form) {
    case Form::node_name:
      return only(text, kNameCharacters) && !text.empty() && text.size() <= 63
                 ? ""
                 : "1 to 63 lower-case letters, digits and -";
    case Form::host:
      return text.empty() || text.find_first_of(" \t,") != std::string::npos
                 ? "a host name, an address or an absolute folder"
                 : "";
    case Form::address:
      return is_address(text) ? "" : "an IPv4 or IPv6 address such as 127.0.0.1 or ::1";
    case Form::credential:
      return text.find('/') == std::string::npos && text != "." && text != ".."
                 ? ""
                 : "the name of a file in the credentials folder";
    case Form::origin:
      return text.find_first_of(" \t\n+") == std::string::npos && text.find("://") == std::string::npos &&
                     !text.empty() && text.size() <= 200
                 ? ""
                 : "a host name and a path without scheme, spaces and +, such as isthmus.example/demo";
    case Form::log_level:
      return std::find(detail::log_levels().begin(), detail::log_levels().end(), text) != detail::log_levels().end()
                 ? ""
                 : accepted_words(text, detail::log_levels()).substr(std::string_view("accepted: ").size());
    case Form::socket_path:
      return text.size() <= kSocketPathBytesMax ? "" : fmt::format("a path of at most {} bytes", kSocketPathBytesMax);
    case Form::any:
    case Form::folder:
    case Form::existing_paths:
      return "";
  }
  return "";
}

bool is_path(Form form) { return form == Form::folder || form == Form::existing_paths || form == Form::socket_path; }

class Loader {
 public:
  Loader(const fs::path& file, const std::string& environment_credentials, Diagnostics& diagnostics)
      : base_(fs::absolute(file).parent_path()),
        environment_credentials_(environment_credentials),
        diagnostics_(diagnostics) {}

  std::optional<Settings> load(const Node& root) {
    read_group(root, "");
    for (const Field& field : detail::settings_fields()) {
      settings_.origins.push_back({std::string(field.path), written(field), places_[std::string(field.path)]});
    }
    check_together(root);
    if (diagnostics_.has_errors()) return std::nullopt;
    return std::move(settings_);
  }

 private:
  /// Reads the keys below prefix ("", "database", ...). An absent map is read as an empty one, so that defaults come
  /// from one place.
  void read_group(const Node& node, const std::string& prefix) {
    MapReader reader(node, prefix, diagnostics_);
    std::vector<std::string> groups;
    for (const Field& field : detail::settings_fields()) {
      if (!prefix.empty() && !field.path.starts_with(prefix + ".")) continue;
      const std::string_view rest = field.path.substr(prefix.empty() ? 0 : prefix.size() + 1);
      const std::size_t dot = rest.find('.');
      if (dot == std::string_view::npos) {
        read_field(reader, field, rest);
      } else if (groups.empty() || groups.back() != rest.substr(0, dot)) {
        groups.emplace_back(rest.substr(0, dot));
      }
    }
    for (const std::string& group : groups) {
      const Node* child = reader.optional(group);
      Node absent = empty_map(node);
      read_group(child == nullptr ? absent : *child, reader.path_of(group));
    }
    reader.finish();
  }

  static Node empty_map(const Node& at) {
    Node node;
    node.kind = Node::Kind::map;
    node.file = at.file;
    node.line = at.line;
    node.column = at.column;
    return node;
  }

  void read_field(MapReader& reader, const Field& field, std::string_view name) {
    const Node* value = field.required ? reader.required(name) : reader.optional(name);
    std::string& place = places_[std::string(field.path)];
    place = value == nullptr ? "default" : fmt::format("{}:{}:{}", *value->file, value->line, value->column);
    if (const auto* number = std::get_if<detail::NumberMember>(&field.member)) {
      std::optional<std::int64_t> given;
      if (value != nullptr) given = as_int(*value, field.min, field.max, std::string(field.path), diagnostics_);
      (*number)(settings_) = given.value_or(value == nullptr ? std::stoll(std::string(field.fallback)) : 0);
    } else if (const auto* text = std::get_if<detail::TextMember>(&field.member)) {
      (*text)(settings_) =
          value == nullptr ? fallback_text(field, place) : read_text(*value, field, std::string(field.path));
    } else {
      read_list(value, field);
    }
  }

  std::string fallback_text(const Field& field, std::string& place) {
    if (field.path == "credentials" && !environment_credentials_.empty()) {
      place = "environment CREDENTIALS_DIRECTORY";
      return environment_credentials_;
    }
    return std::string(field.fallback);
  }

  std::string read_text(const Node& value, const Field& field, const std::string& path) {
    std::optional<std::string> text = as_text(value, path, diagnostics_);
    if (!text) return {};
    if (is_path(field.form)) {
      if (text->empty()) {
        report(value, "config.no-value", path, "the path is empty", diagnostics_);
        return {};
      }
      *text = (base_ / *text).lexically_normal().string();
    }
    const std::string accepted = form_mistake(field.form, *text);
    if (!accepted.empty()) {
      report(value, "config.form", path, fmt::format("found {}; accepted: {}", describe(value), accepted),
             diagnostics_);
    }
    std::error_code ignored;
    if (field.form == Form::existing_paths && !fs::exists(*text, ignored)) {
      report(value, "config.not-there", path, fmt::format("{} does not exist or cannot be seen by this user", *text),
             diagnostics_);
    }
    return std::move(*text);
  }

  void read_list(const Node* value, const Field& field) {
    std::vector<std::string>& list = std::get<detail::ListMember>(field.member)(settings_);
    if (value == nullptr) {
      list = {std::string(field.fallback)};
      return;
    }
    std::size_t index = 0;
    for (const Node& item : as_list(*value, std::string(field.path), diagnostics_)) {
      list.push_back(read_text(item, field, fmt::format("{}[{}]", field.path, index++)));
    }
  }

  std::string written(const Field& field) {
    if (const auto* number = std::get_if<detail::NumberMember>(&field.member))
      return std::to_string((*number)(settings_));
    if (const auto* text = std::get_if<detail::TextMember>(&field.member)) return (*text)(settings_);
    std::string all;
    for (const std::string& item : std::get<detail::ListMember>(field.member)(settings_)) {
      all += (all.empty() ? "[" : ", ") + item;
    }
    return all.empty() ? "[]" : all + "]";
  }

  void check_together(const Node& root) {
    const Settings::Door& a = settings_.public_door;
    const Settings::Door& b = settings_.house_door;
    if (a.port != 0 && a.port == b.port && a.address == b.address) {
      report(root, "config.same-door", "listeners",
             fmt::format("public and house both listen on {} port {}; give them different ports", a.address, a.port),
             diagnostics_);
    }
    if (!settings_.database.password_credential.empty() && settings_.credentials.empty()) {
      report(root, "config.no-credentials", "database.password_credential",
             "it names a file in the credentials folder, but credentials is not given and CREDENTIALS_DIRECTORY is not "
             "set",
             diagnostics_);
    }
  }

  fs::path base_;
  const std::string& environment_credentials_;
  Diagnostics& diagnostics_;
  Settings settings_;
  std::map<std::string, std::string> places_;
};

}  // namespace

std::optional<Settings> Settings::load(const fs::path& file, const std::string& environment_credentials,
                                       Diagnostics& diagnostics) {
  const std::optional<Node> root = read_yaml_file(file, diagnostics);
  if (!root) return std::nullopt;
  return Loader(file, environment_credentials, diagnostics).load(*root);
}

std::optional<Settings> Settings::parse(std::string_view text, const fs::path& file,
                                        const std::string& environment_credentials, Diagnostics& diagnostics) {
  const std::optional<Node> root = parse_yaml(text, file.string(), diagnostics);
  if (!root) return std::nullopt;
  return Loader(file, environment_credentials, diagnostics).load(*root);
}

std::string credentials_of_environment() {
  const char* value = std::getenv("CREDENTIALS_DIRECTORY");  // read at start, nothing sets it
  return value == nullptr ? std::string{} : std::string(value);
}

std::string show_effective(const Settings& settings) {
  std::string text;
  for (const Settings::Origin& origin : settings.origins) {
    text += fmt::format("{} = {}  ({})\n", origin.path, origin.value.empty() ? "\"\"" : origin.value, origin.place);
  }
  return text;
}

std::vector<SettingsChange> compare(const Settings& before, const Settings& after) {
  std::vector<SettingsChange> changes;
  const auto fields = detail::settings_fields();
  for (std::size_t i = 0; i < fields.size() && i < before.origins.size() && i < after.origins.size(); ++i) {
    if (before.origins[i].value == after.origins[i].value) continue;
    changes.push_back({std::string(fields[i].path), before.origins[i].value, after.origins[i].value, !fields[i].live});
  }
  return changes;
}

}  // namespace isthmus::config
