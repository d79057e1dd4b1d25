#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml.h"

namespace isthmus::config {

/// Typed values of single nodes. Each reports one diagnostic and returns nullopt when the node is something else.
/// path is the place in words ("database.port", "listeners[2].name") that the message carries.
///
/// Text: any scalar; unquoted true, false, yes, no, on, off, null and ~ are refused, because other readers take them
/// for something else.
[[nodiscard]] std::optional<std::string> as_text(const Node& node, const std::string& path, Diagnostics& diagnostics);
/// true or false, unquoted.
[[nodiscard]] std::optional<bool> as_bool(const Node& node, const std::string& path, Diagnostics& diagnostics);
/// Decimal digits with an optional minus sign, unquoted, within min to max (both included); 010, 1e3, 0x10 and 1_000
/// are refused.
[[nodiscard]] std::optional<std::int64_t> as_int(const Node& node, std::int64_t min, std::int64_t max,
                                                 const std::string& path, Diagnostics& diagnostics);
/// Digits and one unit: ms, s, m, h, d. The unit is required; 0 needs one too.
[[nodiscard]] std::optional<std::chrono::milliseconds> as_duration(const Node& node, std::chrono::milliseconds min,
                                                                   std::chrono::milliseconds max,
                                                                   const std::string& path, Diagnostics& diagnostics);
/// Digits and one unit: B, KiB, MiB, GiB. In bytes.
[[nodiscard]] std::optional<std::uint64_t> as_size(const Node& node, std::uint64_t min, std::uint64_t max,
                                                   const std::string& path, Diagnostics& diagnostics);
/// The items of a list; reports when it is none.
[[nodiscard]] std::span<const Node> as_list(const Node& node, const std::string& path, Diagnostics& diagnostics);

/// The shortest way to write them back: 90s, 250ms, 2h, 2d; 2MiB.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// Reads one map key by key and, in finish(), names the keys nobody asked for with the nearest name that somebody did.
///
///     MapReader r(node, "database", diagnostics);
///     auto port = r.optional_int("port", 1, 65535, 5432);
///     r.finish();
///
/// Threads: one. Ownership: borrows node and diagnostics. Errors: as diagnostics; a value that cannot be had is the
/// default or an empty one, so that reading goes on and finds the other mistakes. Of a node that is not a map only that
/// is reported.
class MapReader {
 public:
  MapReader(const Node& node, std::string path, Diagnostics& diagnostics);

  /// False when the node is not a map.
  [[nodiscard]] bool is_map() const { return is_map_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// "path.name"
  [[nodiscard]] std::string path_of(std::string_view name) const;

  /// The value as written, or nullptr; the name counts as known from now on. A key without a value counts as given: it
  /// is an error to the typed readers below.
  [[nodiscard]] const Node* optional(std::string_view name);
  /// The same; its absence is reported.
  [[nodiscard]] const Node* required(std::string_view name);

  [[nodiscard]] std::string required_text(std::string_view name);
  [[nodiscard]] std::string optional_text(std::string_view name, std::string fallback = {});
  [[nodiscard]] std::int64_t required_int(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::int64_t optional_int(std::string_view name, std::int64_t min, std::int64_t max,
                                          std::int64_t fallback);
  [[nodiscard]] bool optional_bool(std::string_view name, bool fallback);
  [[nodiscard]] std::chrono::milliseconds required_duration(std::string_view name, std::chrono::milliseconds min,
                                                            std::chrono::milliseconds max);
  [[nodiscard]] std::chrono::milliseconds optional_duration(std::string_view name, std::chrono::milliseconds min,
                                                            std::chrono::milliseconds max,
                                                            std::chrono::milliseconds fallback);
  [[nodiscard]] std::uint64_t optional_size(std::string_view name, std::uint64_t min, std::uint64_t max,
                                            std::uint64_t fallback);
  /// A list of texts, or empty. A single text is not a list.
  [[nodiscard]] std::vector<std::string> optional_text_list(std::string_view name);
  [[nodiscard]] std::vector<std::string> required_text_list(std::string_view name);  ///< at least one item
  /// The items of a list, or empty.
  [[nodiscard]] std::span<const Node> optional_list(std::string_view name);
  [[nodiscard]] std::span<const Node> required_list(std::string_view name);  ///< at least one item
  /// A reader of a map below this one; call its finish().
  [[nodiscard]] std::optional<MapReader> optional_map(std::string_view name);
  [[nodiscard]] std::optional<MapReader> required_map(std::string_view name);
  /// The entries of a map with keys of the author's choice, or empty.
  [[nodiscard]] std::span<const Entry> optional_entries(std::string_view name);

  /// One of a few words; the message lists them.
  template <class E>
  [[nodiscard]] E optional_choice(std::string_view name, std::initializer_list<std::pair<std::string_view, E>> choices,
                                  E fallback) {
    const Node* value = optional(name);
    return value == nullptr ? fallback : choice(*value, name, choices, fallback);
  }
  template <class E>
  [[nodiscard]] E required_choice(std::string_view name,
                                  std::initializer_list<std::pair<std::string_view, E>> choices) {
    const Node* value = required(name);
    return value == nullptr ? choices.begin()->second : choice(*value, name, choices, choices.begin()->second);
  }

  /// Reports at the value of name, or at the map when name is absent.
  void error(std::string_view name, std::string code, std::string message);

  /// Reports every key that was not asked for. Call it last.
  void finish();

 private:
  template <class E>
  E choice(const Node& value, std::string_view name, std::initializer_list<std::pair<std::string_view, E>> choices,
           E fallback) {
    const std::optional<std::string> text = as_text(value, path_of(name), *diagnostics_);
    if (!text) return fallback;
    std::vector<std::string> words;
    for (const auto& [word, result] : choices) {
      if (*text == word) return result;
      words.emplace_back(word);
    }
    report_choice(value, name, words);
    return fallback;
  }
  void report_choice(const Node& value, std::string_view name, const std::vector<std::string>& words);
  std::vector<std::string> texts(const Node& list, const std::string& path);

  const Node& node_;
  std::string path_;
  Diagnostics* diagnostics_;
  bool is_map_;
  std::set<std::string, std::less<>> known_;
};

/// "accepted: a, b or c; did you mean \"b\"?": the end of a message about a word.
[[nodiscard]] std::string accepted_words(std::string_view found, const std::vector<std::string>& words);

}  // namespace isthmus::config
