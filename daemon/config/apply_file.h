#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace isthmus::config {

/// All that people administer, as one file: `isthmus apply FILE` makes the database equal to it, `isthmus export`
/// writes it back.
///
/// The file is the whole: what it does not name is removed. Names are for ever; secrets are not in it (`isthmus
/// connection secret`). docs/formats/apply-1.md describes it. Threads: a value.
struct ApplyFile {
  /// Where an item stood, for those who check it further (against the adapter's descriptor); says nothing about
  /// equality.
  struct Place {
    int line = 0;
    int column = 0;
    friend bool operator==(const Place&, const Place&) { return true; }
  };

  struct Unit {
    std::string name;
    std::string parent;  ///< empty: a root
    Place place;
    friend bool operator==(const Unit&, const Unit&) = default;
  };
  struct Principal {
    std::string issuer;  ///< who vouches for the subject; "local" unless given
    std::string subject;
    std::string kind;  ///< "person" or "machine"
    std::string unit;
    std::string key_sha256;        ///< 64 hexadecimal digits, or empty: no bearer key
    std::set<std::string> rights;  ///< of "approve", "publish", "read"
    Place place;
    friend bool operator==(const Principal&, const Principal&) = default;
  };
  struct Connection {
    std::string name;
    std::string unit;
    std::string adapter;
    std::vector<std::string> hosts;  ///< scheme://host[:port], in the order given
    bool internal = false;           ///< may reach private addresses at its hosts
    std::map<std::string, std::string> fields;
    std::map<std::string, std::chrono::milliseconds> collect;  ///< stream -> period
    Place place;
    friend bool operator==(const Connection&, const Connection&) = default;
  };
  struct Route {
    std::string name;
    std::string from;
    std::set<std::string> kinds;
    std::string to;
    std::string operation;
    std::string mapping;
    Place place;
    friend bool operator==(const Route&, const Route&) = default;
  };

  std::vector<Unit> units;
  std::vector<Principal> principals;
  std::vector<Connection> connections;
  std::vector<Route> routes;
  friend bool operator==(const ApplyFile&, const ApplyFile&) = default;

  /// Judges the whole file: keys, types, forms of names, names given twice, references to what the file does not hold,
  /// units in a circle.
  /// @return sorted by name, so that equal administrations are equal values; nullopt when there is any error.
  [[nodiscard]] static std::optional<ApplyFile> parse(std::string_view text, const std::string& file,
                                                      Diagnostics& diagnostics);
  [[nodiscard]] static std::optional<ApplyFile> load(const std::filesystem::path& file, Diagnostics& diagnostics);

  /// Sorts each list by name. parse() has done it; call it on a model made from the database.
  void sort();

  /// The canonical text: parse(write()) is this model, and write() of equal models is equal byte for byte.
  [[nodiscard]] std::string write() const;
};

/// What apply would do to one item.
struct ApplyChange {
  enum class Kind { add, change, remove };
  struct Attribute {
    std::string name;
    std::string before;  ///< as written in the file; empty: absent
    std::string after;
  };
  Kind kind;
  std::string section;  ///< "unit", "principal", "connection", "route"
  std::string name;
  std::vector<Attribute> attributes;  ///< that differ; of an added item all
};

/// In the file's order of sections, then by name. Empty when the models are equal.
[[nodiscard]] std::vector<ApplyChange> difference(const ApplyFile& before, const ApplyFile& after);

/// For people: `+ connection bsky-acme`, `~ route x: mapping a -> b`, `- unit y`; one line an item and one an
/// attribute.
[[nodiscard]] std::string to_string(const std::vector<ApplyChange>& changes);

}  // namespace isthmus::config
