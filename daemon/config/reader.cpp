#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace isthmus::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"B", 1}, {"KiB", 1024}, {"MiB", std::uint64_t{1} << 20}, {"GiB", std::uint64_t{1} << 30}}};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// A plain scalar that some readers of YAML take for a boolean or for nothing.
bool has_another_meaning(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.quoted) return false;
  constexpr std::array<std::string_view, 8> kWords = {"true", "false", "yes", "no", "on", "off", "null", "~"};
  const std::string word = lower(node.text);
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

void wrong_type(const Node& node, const std::string& path, std::string_view accepted, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::null) {
    report(node, "config.no-value", path, fmt::format("no value is given; accepted: {}", accepted), diagnostics);
  } else {
    report(node, "config.wrong-type", path, fmt::format("found {}; accepted: {}", describe(node), accepted),
           diagnostics);
  }
}

/// Digits, then exactly one of the units, in the unit's base; nullopt also when the product does not fit.
std::optional<std::uint64_t> number_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || (digits > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + digits, number).ec != std::errc{}) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor)
      return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string format_with_unit(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units[0];
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

bool is_decimal(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> as_text(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  if (has_another_meaning(node)) {
    report(node, "config.quote", path,
           fmt::format("found {0}, which is not read as a text everywhere; quote it: \"{0}\"", node.text), diagnostics);
    return std::nullopt;
  }
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, path, "a text", diagnostics);
    return std::nullopt;
  }
  return node.text;
}

std::optional<bool> as_bool(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::scalar && !node.quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
    const std::string word = lower(node.text);
    const bool yes = word == "yes" || word == "on" || word == "true";
    if (yes || word == "no" || word == "off" || word == "false") {
      report(node, "config.boolean", path, fmt::format("found {}; write {}", node.text, yes ? "true" : "false"),
             diagnostics);
      return std::nullopt;
    }
  }
  wrong_type(node, path, "true or false", diagnostics);
  return std::nullopt;
}

std::optional<std::int64_t> as_int(const Node& node, std::int64_t min, std::int64_t max, const std::string& path,
                                   Diagnostics& diagnostics) {
  const std::string range = fmt::format("a whole number from {} to {}", min, max);
  if (node.kind != Node::Kind::scalar || node.quoted || !is_decimal(node.text)) {
    wrong_type(node, path, range, diagnostics);
    return std::nullopt;
  }
  const std::size_t first = node.text[0] == '-' ? 1 : 0;
  if (node.text.size() > first + 1 && node.text[first] == '0') {
    report(node, "config.octal", path,
           fmt::format("found {}, which some readers take for an octal number; write it without the leading zero",
                       node.text),
           diagnostics);
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto parsed = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  if (parsed.ec != std::errc{} || value < min || value > max) {
    report(node, "config.out-of-range", path, fmt::format("found {}; accepted: {}", node.text, range), diagnostics);
    return std::nullopt;
  }
  return value;
}

std::optional<std::chrono::milliseconds> as_duration(const Node& node, std::chrono::milliseconds min,
                                                     std::chrono::milliseconds max, const std::string& path,
                                                     Diagnostics& diagnostics) {
  const std::string accepted = fmt::format("a duration from {} to {} such as 250ms, 5s, 10m, 1h or 2d",
                                           format_duration(min), format_duration(max));
  std::optional<std::uint64_t> value;
  if (node.kind == Node::Kind::scalar) value = number_with_unit(node.text, kTimeUnits);
  if (!value) {
    wrong_type(node, path, accepted, diagnostics);
    return std::nullopt;
  }
  const std::chrono::milliseconds result{static_cast<std::int64_t>(*value)};
  if (result < min || result > max) {
    report(node, "config.out-of-range", path, fmt::format("found {}; accepted: {}", node.text, accepted), diagnostics);
    return std::nullopt;
  }
  return result;
}

std::optional<std::uint64_t> as_size(const Node& node, std::uint64_t min, std::uint64_t max, const std::string& path,
                                     Diagnostics& diagnostics) {
  const std::string accepted =
      fmt::format("a size from {} to {} such as 512B, 64KiB, 2MiB or 1GiB", format_size(min), format_size(max));
  std::optional<std::uint64_t> value;
  if (node.kind == Node::Kind::scalar) value = number_with_unit(node.text, kSizeUnits);
  if (!value) {
    wrong_type(node, path, accepted, diagnostics);
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    report(node, "config.out-of-range", path, fmt::format("found {}; accepted: {}", node.text, accepted), diagnostics);
    return std::nullopt;
  }
  return value;
}

std::span<const Node> as_list(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::sequence) return node.items;
  wrong_type(node, path, "a list", diagnostics);
  return {};
}

std::string format_duration(std::chrono::milliseconds value) {
  return format_with_unit(static_cast<std::uint64_t>(value.count()), kTimeUnits);
}

std::string format_size(std::uint64_t bytes) { return format_with_unit(bytes, kSizeUnits); }

std::string accepted_words(std::string_view found, const std::vector<std::string>& words) {
  std::string text = words.empty() ? "there is none" : "accepted: ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  const std::string near = nearest_name(found, words);
  if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
  return text;
}

MapReader::MapReader(const Node& node, std::string path, Diagnostics& diagnostics)
    : node_(node), path_(std::move(path)), diagnostics_(&diagnostics), is_map_(node.kind == Node::Kind::map) {
  if (!is_map_) wrong_type(node, path_, "a map of keys and values", diagnostics);
}

std::string MapReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

const Node* MapReader::optional(std::string_view name) {
  known_.emplace(name);
  return node_.find(name);
}

const Node* MapReader::required(std::string_view name) {
  const Node* value = optional(name);
  if (value == nullptr && is_map_) {
    report(node_, "config.missing-key", path_, fmt::format("\"{}\" is required and is not given", name), *diagnostics_);
  }
  return value;
}

std::string MapReader::required_text(std::string_view name) {
  const Node* value = required(name);
  if (value == nullptr) return {};
  std::optional<std::string> text = as_text(*value, path_of(name), *diagnostics_);
  if (text && text->empty())
    report(*value, "config.no-value", path_of(name), "the text is empty; accepted: a text", *diagnostics_);
  return text.value_or(std::string{});
}

std::string MapReader::optional_text(std::string_view name, std::string fallback) {
  const Node* value = optional(name);
  if (value == nullptr) return fallback;
  return as_text(*value, path_of(name), *diagnostics_).value_or(std::move(fallback));
}

std::int64_t MapReader::required_int(std::string_view name, std::int64_t min, std::int64_t max) {
  const Node* value = required(name);
  return value == nullptr ? min : as_int(*value, min, max, path_of(name), *diagnostics_).value_or(min);
}

std::int64_t MapReader::optional_int(std::string_view name, std::int64_t min, std::int64_t max, std::int64_t fallback) {
  const Node* value = optional(name);
  return value == nullptr ? fallback : as_int(*value, min, max, path_of(name), *diagnostics_).value_or(fallback);
}

bool MapReader::optional_bool(std::string_view name, bool fallback) {
  const Node* value = optional(name);
  return value == nullptr ? fallback : as_bool(*value, path_of(name), *diagnostics_).value_or(fallback);
}

std::chrono::milliseconds MapReader::required_duration(std::string_view name, std::chrono::milliseconds min,
                                                       std::chrono::milliseconds max) {
  const Node* value = required(name);
  return value == nullptr ? min : as_duration(*value, min, max, path_of(name), *diagnostics_).value_or(min);
}

std::chrono::milliseconds MapReader::optional_duration(std::string_view name, std::chrono::milliseconds min,
                                                       std::chrono::milliseconds max,
                                                       std::chrono::milliseconds fallback) {
  const Node* value = optional(name);
  return value == nullptr ? fallback : as_duration(*value, min, max, path_of(name), *diagnostics_).value_or(fallback);
}

std::uint64_t MapReader::optional_size(std::string_view name, std::uint64_t min, std::uint64_t max,
                                       std::uint64_t fallback) {
  const Node* value = optional(name);
  return value == nullptr ? fallback : as_size(*value, min, max, path_of(name), *diagnostics_).value_or(fallback);
}

std::vector<std::string> MapReader::texts(const Node& list, const std::string& path) {
  std::vector<std::string> result;
  std::size_t index = 0;
  for (const Node& item : as_list(list, path, *diagnostics_)) {
    if (std::optional<std::string> text = as_text(item, fmt::format("{}[{}]", path, index++), *diagnostics_)) {
      result.push_back(std::move(*text));
    }
  }
  return result;
}

std::vector<std::string> MapReader::optional_text_list(std::string_view name) {
  const Node* value = optional(name);
  return value == nullptr ? std::vector<std::string>{} : texts(*value, path_of(name));
}

std::vector<std::string> MapReader::required_text_list(std::string_view name) {
  const Node* value = required(name);
  if (value == nullptr) return {};
  std::vector<std::string> result = texts(*value, path_of(name));
  if (value->kind == Node::Kind::sequence && value->items.empty()) {
    report(*value, "config.no-value", path_of(name), "the list is empty; accepted: at least one item", *diagnostics_);
  }
  return result;
}

std::span<const Node> MapReader::optional_list(std::string_view name) {
  const Node* value = optional(name);
  return value == nullptr ? std::span<const Node>{} : as_list(*value, path_of(name), *diagnostics_);
}

std::span<const Node> MapReader::required_list(std::string_view name) {
  const Node* value = required(name);
  if (value == nullptr) return {};
  if (value->kind == Node::Kind::sequence && value->items.empty()) {
    report(*value, "config.no-value", path_of(name), "the list is empty; accepted: at least one item", *diagnostics_);
  }
  return as_list(*value, path_of(name), *diagnostics_);
}

std::optional<MapReader> MapReader::optional_map(std::string_view name) {
  const Node* value = optional(name);
  if (value == nullptr) return std::nullopt;
  MapReader reader(*value, path_of(name), *diagnostics_);
  if (!reader.is_map()) return std::nullopt;
  return reader;
}

std::optional<MapReader> MapReader::required_map(std::string_view name) {
  return required(name) == nullptr ? std::nullopt : optional_map(name);
}

std::span<const Entry> MapReader::optional_entries(std::string_view name) {
  const Node* value = optional(name);
  if (value == nullptr) return {};
  if (value->kind != Node::Kind::map) wrong_type(*value, path_of(name), "a map of keys and values", *diagnostics_);
  return value->entries;
}

void MapReader::report_choice(const Node& value, std::string_view name, const std::vector<std::string>& words) {
  report(value, "config.unknown-word", path_of(name),
         fmt::format("found {}; {}", describe(value), accepted_words(value.text, words)), *diagnostics_);
}

void MapReader::error(std::string_view name, std::string code, std::string message) {
  const Node* value = node_.find(name);
  report(value == nullptr ? node_ : *value, std::move(code), path_of(name), std::move(message), *diagnostics_);
}

void MapReader::finish() {
  constexpr std::size_t kReportedMax = 50;  // a file of another kind altogether needs no more to be recognised as such
  const std::vector<std::string> names(known_.begin(), known_.end());
  std::size_t reported = 0;
  for (const Entry& entry : node_.entries) {
    if (known_.count(entry.key) != 0 || ++reported > kReportedMax) continue;
    Node at;
    at.file = node_.file;
    at.line = entry.line;
    at.column = entry.column;
    const std::string near = nearest_name(entry.key, names);
    report(at, "config.unknown-key", path_of(entry.key),
           near.empty() ? fmt::format("\"{}\" is not known here; known: {}", entry.key, fmt::join(names, ", "))
                        : fmt::format("\"{}\" is not known here; did you mean \"{}\"?", entry.key, near),
           *diagnostics_);
  }
}

}  // namespace isthmus::config
