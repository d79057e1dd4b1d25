#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace isthmus::config {

/// isthmus.yaml: what this machine needs to know to run a node, and nothing that people administer.
///
/// Every key stands once, in the table of detail/settings_fields.cpp, from which come the parser, its defaults and
/// ranges, the JSON Schema and the reference page (docs/reference/isthmus.yaml.md). Threads: a value; share it as
/// shared_ptr<const Settings>.
struct Settings {
  struct Database {
    std::string host;  ///< a host name, an address, or the absolute folder of a Unix socket
    std::int64_t port = 0;
    std::string name;
    std::string user;
    std::string password_credential;  ///< name of a file in credentials; empty: no password
    std::int64_t pool_size = 0;       ///< connections
  };
  struct Door {
    std::string address;    ///< IPv4 or IPv6 literal
    std::int64_t port = 0;  ///< 0: any free one
  };
  struct Origin {
    std::string path;   ///< "database.port"
    std::string value;  ///< as it would be written
    std::string place;  ///< "isthmus.yaml:4:9", "default", or "environment CREDENTIALS_DIRECTORY"
  };

  std::string node;
  Database database;
  Door public_door;
  Door house_door;
  std::string admin_socket;           ///< absolute
  std::vector<std::string> adapters;  ///< folders, earlier ones win
  std::string adapter_sockets;        ///< folder of NAME.sock, one an adapter program
  std::vector<std::string> mappings;
  std::vector<std::string> policies;  ///< folders or files
  std::string state;
  std::string credentials;  ///< folder; empty when the file and the environment name none
  std::string archive_origin;
  std::int64_t journal_days = 0;
  std::string log_level;

  std::vector<Origin> origins;  ///< every key in the table's order, for --show-effective

  /// Reads and judges the file: unknown and repeated keys, types, ranges, and what only holds together (two doors on
  /// one port). Relative folders count from the file's own. All mistakes are reported at once.
  /// @param environment_credentials the value of CREDENTIALS_DIRECTORY, used when the file names no folder; see
  /// credentials_of_environment().
  /// @return nullopt when there is any error.
  [[nodiscard]] static std::optional<Settings> load(const std::filesystem::path& file,
                                                    const std::string& environment_credentials,
                                                    Diagnostics& diagnostics);
  /// The same from text; file is its name in messages and the base of relative folders.
  [[nodiscard]] static std::optional<Settings> parse(std::string_view text, const std::filesystem::path& file,
                                                     const std::string& environment_credentials,
                                                     Diagnostics& diagnostics);
};

/// $CREDENTIALS_DIRECTORY, which systemd sets; empty when unset.
[[nodiscard]] std::string credentials_of_environment();

/// One line a key: `database.port = 5432  (isthmus.yaml:4:9)`.
[[nodiscard]] std::string show_effective(const Settings& settings);

/// A key whose value differs between two settings.
struct SettingsChange {
  std::string path;
  std::string before;
  std::string after;
  bool needs_restart = false;  ///< false: a reload may take it
};

/// In the table's order. A reload refuses the whole file when any change needs a restart.
[[nodiscard]] std::vector<SettingsChange> compare(const Settings& before, const Settings& after);

/// JSON Schema 2020-12 of isthmus.yaml, for editors.
[[nodiscard]] std::string settings_schema();

enum class Language { english, french };
/// The reference page in Markdown.
[[nodiscard]] std::string settings_reference(Language language);

}  // namespace isthmus::config
