#pragma once

#include <memory>
#include <string>

#include "base/diagnostic.h"
#include "base/result.h"
#include "config/settings.h"

namespace isthmus {

namespace detail {
struct NodeParts;
}

/// One running node: builds the objects, joins them, stops them in order. Makes no decision of its own.
class Node {
 public:
  struct Options {
    std::string config_file;
    bool migrate = false;
  };

  /// Everything that can be judged before a database or a socket is opened: settings, credentials, adapters, mappings,
  /// policies. Exit status 78 when diagnostics has errors.
  static std::unique_ptr<Node> build(const Options& options, Diagnostics& diagnostics);
  ~Node();

  /// Opens the database, the lanes and the doors. store.newer-schema and store.migration mean exit 78.
  [[nodiscard]] Result<void> start();
  /// Reads configuration, mappings and policies again, all or nothing; JSON of what changed.
  [[nodiscard]] Result<std::string> reload();
  void stop();

 private:
  explicit Node(std::unique_ptr<detail::NodeParts> parts);
  std::unique_ptr<detail::NodeParts> parts_;
};

}  // namespace isthmus
