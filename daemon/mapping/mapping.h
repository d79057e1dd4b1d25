#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/diagnostic.h"
#include "expression/scope.h"
#include "mapping/purposes.h"

namespace isthmus::mapping {

inline constexpr std::size_t kFieldsMax = 200;              ///< target fields of one mapping
inline constexpr std::size_t kBodyBytesMax = 60 * 1024;     ///< of a mapped body: it must fit a record of format 1
inline constexpr std::size_t kEventBytesMax = 1024 * 1024;  ///< of an event's body

/// The body was made.
struct Mapped {
  struct Dropped {
    std::string field;   ///< target field
    std::string reason;  ///< no content of the event
  };
  std::string body;              ///< JSON of the target format
  Purposes purposes;             ///< the intersection over all fields that are in it; never empty
  std::vector<Dropped> dropped;  ///< fields left out by on_error: drop_field; never silently
};
/// A person must look: the event waits with the place and the reason.
struct Held {
  std::string field;
  std::string reason;
};
/// The event can never be mapped so; no delivery is made of it.
struct Rejected {
  std::string field;  ///< "" when it is the whole event
  std::string reason;
};
/// What the field reads allows no purpose at all.
struct Denied {
  std::string field;
  std::string reason;
};
using MappingResult = std::variant<Mapped, Held, Rejected, Denied>;

/// Buffers that apply() reuses. One a thread.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

 private:
  friend class Mapping;
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

struct Plan;  // compiled form, private to the room

/// A compiled map from one canonical format to another: docs/formats/mapping-1.md.
/// Immutable, thread safe, cheap to copy.
class Mapping {
 public:
  /// Reads, checks and compiles a file. Empty when it has mistakes, all of them in diagnostics. Examples are checked
  /// for shape here and run by run_examples().
  static std::optional<Mapping> load(const std::filesystem::path& path, Diagnostics& diagnostics);
  static std::optional<Mapping> parse(std::string_view yaml, const std::string& file, Diagnostics& diagnostics);

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::int64_t version() const;
  [[nodiscard]] std::string_view from() const;  ///< "lead/1"
  [[nodiscard]] std::string_view to() const;
  [[nodiscard]] const Bytes& sha256() const;  ///< of the file's bytes, for the record of what was applied

  /// Maps one event. Total: any bytes, any scope.
  /// @param event_json the body in the format from(); need not be padded, not kept
  /// @param more       answers task and connection, beside event
  [[nodiscard]] MappingResult apply(Workspace& workspace, std::string_view event_json, const Terms& terms,
                                    const expression::Scope& more) const;

  struct Report {
    struct Failure {
      std::string example;
      int line = 0;
      std::string difference;  ///< readable, a line each
    };
    std::size_t run = 0;
    std::vector<Failure> failures;
  };
  [[nodiscard]] Report run_examples() const;

 private:
  explicit Mapping(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  std::shared_ptr<const Plan> plan_;
};

/// `isthmus mapping check PATH...`: loads each file (or each *.yaml of a folder), runs its examples, writes what was
/// found.
/// @return 0 when all is well, 1 when a file has mistakes or an example differs.
int mapping_check(const std::vector<std::filesystem::path>& paths, std::string& out);

/// `isthmus mapping run MAPPING EVENT [--purposes a,b]`: maps one event from a file and writes what came out as JSON.
/// @return 0 mapped, 1 mistakes in the mapping or the file is not readable, 2 held, rejected or denied.
int mapping_run(const std::filesystem::path& mapping, const std::filesystem::path& event,
                const std::vector<std::string>& purposes, std::string& out);

}  // namespace isthmus::mapping
