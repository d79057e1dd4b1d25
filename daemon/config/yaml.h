#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace isthmus::config {

struct Entry;

/// One value of a YAML file with its place, as a person wrote it: nothing is interpreted before a reader asks for a
/// type.
///
/// Every file that people write for Isthmus (isthmus.yaml, apply files, descriptors, mappings, rule packs) is read
/// through this, because YAML as commonly read keeps the last of two equal keys, takes 010 for 8 and `no` for false.
/// Ownership: a value; copies are independent of the text they came from.
struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool quoted = false;         ///< a scalar that was quoted or a block (| or >): never a number, boolean or null
  std::string text;            ///< of a scalar; escapes and folding are resolved
  std::vector<Node> items;     ///< of a sequence
  std::vector<Entry> entries;  ///< of a map, in file order, keys unique
  int line = 0;                ///< 1-based
  int column = 0;              ///< 1-based, in characters
  std::shared_ptr<const std::string> file;

  /// The value of a map's key, or nullptr. Linear: for maps that people write.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  bool quoted = false;
  int line = 0;
  int column = 0;
  Node value;
};

/// What a file may be; beyond it the file is refused, not cut.
struct YamlLimits {
  std::size_t bytes_max = std::size_t{8} << 20;
  std::size_t depth_max = 64;
  std::size_t diagnostics_max = 100;  ///< of the syntax layer; the rest of the file is then not judged
};

/// Reads one document. Refused: broken syntax, repeated keys, anchors, aliases, tags, merge keys, keys that are not
/// text or that YAML 1.1 reads as booleans, several documents, an empty file, control characters, text that is not
/// UTF-8, too deep, too large.
/// @return the tree; with some mistakes (a repeated key) the tree too, so that a reader can find the others: whoever
/// calls
///         looks at diagnostics.has_errors() at the end. nullopt when there is no tree to judge.
/// Threads: any; no shared state. Errors: as diagnostics with file:line:column.
[[nodiscard]] std::optional<Node> parse_yaml(std::string_view text, const std::string& file, Diagnostics& diagnostics,
                                             const YamlLimits& limits = {});

/// The bytes of a file, for those who also hash them; a file that cannot be read or is too large is a diagnostic.
[[nodiscard]] std::optional<std::string> read_text_file(const std::filesystem::path& path, Diagnostics& diagnostics,
                                                        const YamlLimits& limits = {});

/// Both: reads a file and its document.
[[nodiscard]] std::optional<Node> read_yaml_file(const std::filesystem::path& path, Diagnostics& diagnostics,
                                                 const YamlLimits& limits = {});

/// "a map", "a list", "the text \"abc\"", "nothing": what was found, for messages.
[[nodiscard]] std::string describe(const Node& node);

/// Adds an error at the node's place.
void report(const Node& at, std::string code, std::string path, std::string message, Diagnostics& diagnostics);

}  // namespace isthmus::config
