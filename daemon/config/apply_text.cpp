#include "config/detail/apply_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/reader.h"

namespace isthmus::config {

namespace detail {

namespace {

/// Plain where every reader of YAML takes it for text, else double-quoted.
std::string scalar(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  const bool starts_with_letter = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool word = lower == "true" || lower == "false" || lower == "yes" || lower == "no" || lower == "on" ||
                    lower == "off" || lower == "null" || lower == "y" || lower == "n";
  if (starts_with_letter && !word && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

template <class Range>
std::string list(const Range& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "[" : ", ") + scalar(item);
  return text.empty() ? "[]" : text + "]";
}

void add(Attributes& to, const char* name, const std::string& value) {
  if (!value.empty()) to.emplace_back(name, scalar(value));
}

}  // namespace

Attributes attributes(const ApplyFile::Unit& unit) {
  Attributes all;
  add(all, "name", unit.name);
  add(all, "parent", unit.parent);
  return all;
}

Attributes attributes(const ApplyFile::Principal& principal) {
  Attributes all;
  add(all, "subject", principal.subject);
  if (principal.issuer != "local") add(all, "issuer", principal.issuer);
  add(all, "kind", principal.kind);
  add(all, "unit", principal.unit);
  add(all, "key_sha256", principal.key_sha256);
  if (!principal.rights.empty()) all.emplace_back("rights", list(principal.rights));
  return all;
}

Attributes attributes(const ApplyFile::Connection& connection) {
  Attributes all;
  add(all, "name", connection.name);
  add(all, "unit", connection.unit);
  add(all, "adapter", connection.adapter);
  if (!connection.hosts.empty()) all.emplace_back("hosts", list(connection.hosts));
  if (connection.internal) all.emplace_back("internal", "allow");
  std::string fields;
  for (const auto& [name, value] : connection.fields)
    fields += (fields.empty() ? "{ " : ", ") + scalar(name) + ": " + scalar(value);
  if (!fields.empty()) all.emplace_back("fields", fields + " }");
  std::string collect;
  for (const auto& [stream, period] : connection.collect) {
    collect += (collect.empty() ? "{ " : ", ") + scalar(stream) + ": " + format_duration(period);
  }
  if (!collect.empty()) all.emplace_back("collect", collect + " }");
  return all;
}

Attributes attributes(const ApplyFile::Route& route) {
  Attributes all;
  add(all, "name", route.name);
  add(all, "from", route.from);
  all.emplace_back("kinds", list(route.kinds));
  add(all, "to", route.to);
  add(all, "operation", route.operation);
  add(all, "mapping", route.mapping);
  return all;
}

}  // namespace detail

namespace {

template <class T>
void sort_by_key(std::vector<T>& items) {
  std::sort(items.begin(), items.end(), [](const T& a, const T& b) { return detail::key(a) < detail::key(b); });
}

template <class T>
void write_section(std::string& text, std::string_view name, const std::vector<T>& items) {
  if (items.empty()) {
    text += fmt::format("{}: []\n", name);
    return;
  }
  text += fmt::format("{}:\n", name);
  for (const T& item : items) {
    std::string_view lead = "  - ";
    for (const auto& [key, value] : detail::attributes(item)) {
      text += fmt::format("{}{}: {}\n", lead, key, value);
      lead = "    ";
    }
  }
}

std::vector<ApplyChange::Attribute> compare_attributes(const detail::Attributes& before,
                                                       const detail::Attributes& after) {
  std::vector<ApplyChange::Attribute> changes;
  const auto value_of = [](const detail::Attributes& all, const std::string& name) {
    for (const auto& [key, value] : all) {
      if (key == name) return value;
    }
    return std::string();
  };
  for (const auto& [name, value] : after) {
    if (const std::string old = value_of(before, name); old != value) changes.push_back({name, old, value});
  }
  for (const auto& [name, value] : before) {
    if (value_of(after, name).empty()) changes.push_back({name, value, ""});
  }
  return changes;
}

/// Both lists are sorted by key: one walk over both.
template <class T>
void compare_section(const char* section, const std::vector<T>& before, const std::vector<T>& after,
                     std::vector<ApplyChange>& changes) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    const bool only_before = j == after.size() || (i < before.size() && detail::key(before[i]) < detail::key(after[j]));
    const bool only_after = !only_before && (i == before.size() || detail::key(after[j]) < detail::key(before[i]));
    if (only_before) {
      changes.push_back({ApplyChange::Kind::remove, section, detail::key(before[i++]), {}});
    } else if (only_after) {
      changes.push_back({ApplyChange::Kind::add, section, detail::key(after[j]),
                         compare_attributes({}, detail::attributes(after[j]))});
      ++j;
    } else {
      std::vector<ApplyChange::Attribute> different =
          compare_attributes(detail::attributes(before[i++]), detail::attributes(after[j]));
      if (!different.empty())
        changes.push_back({ApplyChange::Kind::change, section, detail::key(after[j]), std::move(different)});
      ++j;
    }
  }
}

}  // namespace

void ApplyFile::sort() {
  sort_by_key(units);
  sort_by_key(principals);
  sort_by_key(connections);
  sort_by_key(routes);
}

std::string ApplyFile::write() const {
  ApplyFile sorted = *this;
  sorted.sort();
  std::string text;
  write_section(text, "units", sorted.units);
  write_section(text, "principals", sorted.principals);
  write_section(text, "connections", sorted.connections);
  write_section(text, "routes", sorted.routes);
  return text;
}

std::vector<ApplyChange> difference(const ApplyFile& before, const ApplyFile& after) {
  ApplyFile a = before;
  ApplyFile b = after;
  a.sort();
  b.sort();
  std::vector<ApplyChange> changes;
  compare_section("unit", a.units, b.units, changes);
  compare_section("principal", a.principals, b.principals, changes);
  compare_section("connection", a.connections, b.connections, changes);
  compare_section("route", a.routes, b.routes, changes);
  return changes;
}

std::string to_string(const std::vector<ApplyChange>& changes) {
  std::string text;
  for (const ApplyChange& change : changes) {
    const char mark = change.kind == ApplyChange::Kind::add      ? '+'
                      : change.kind == ApplyChange::Kind::remove ? '-'
                                                                 : '~';
    text += fmt::format("{} {} {}\n", mark, change.section, change.name);
    for (const ApplyChange::Attribute& attribute : change.attributes) {
      if (change.kind == ApplyChange::Kind::add) {
        text += fmt::format("    {}: {}\n", attribute.name, attribute.after);
      } else {
        text +=
            fmt::format("    {}: {} -> {}\n", attribute.name, attribute.before.empty() ? "(none)" : attribute.before,
                        attribute.after.empty() ? "(none)" : attribute.after);
      }
    }
  }
  return text;
}

}  // namespace isthmus::config
