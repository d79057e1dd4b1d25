#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "archive/exporter.h"
#include "base/log.h"
#include "base/random.h"
#include "http/message.h"
#include "identity/administration.h"
#include "identity/directory.h"
#include "identity/vault.h"
#include "publishing/parked_desk.h"
#include "store/pool.h"

namespace isthmus::api {

/// The administrator's socket: /control/v1, for the command `isthmus`. Who may open the socket may do everything here;
/// the file system says who that is (group isthmus-admin).
///
/// Threads: handle() from one worker. Ownership: borrows everything it is given.
class Control {
 public:
  struct Parts {
    store::Pool& pool;
    identity::Directory& directory;
    const identity::Vault& vault;
    identity::Installed installed;
    archive::Exporter& exporter;
    publishing::ParkedDesk& parked;
    std::string log_key;            ///< the archive's verifier key
    std::filesystem::path exports;  ///< folder for bags on their way out
    Random& random;
    Log& log;
    std::function<std::string()> status;          ///< JSON of the process itself
    std::function<Result<std::string>()> reload;  ///< JSON of what changed; an Error whose `what` lists diagnostics
    std::function<void()> changed;                ///< the administration moved
  };
  explicit Control(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] http::Response handle(const http::Request& request);

 private:
  http::Response apply(const http::Request& request);
  http::Response export_yaml();
  http::Response put_secret(const http::Request& request, const std::string& connection, const std::string& field);
  http::Response parked_act(const std::string& command, const std::string& act);
  http::Response quarantine_act(const std::string& call, const std::string& act);
  void wait_for_sequencer();
  http::Response archive_export();
  http::Response archive_file(const std::string& id, const std::string& query);
  http::Response get(const std::vector<std::string>& path, const std::string& query);

  Parts parts_;
};

}  // namespace isthmus::api
