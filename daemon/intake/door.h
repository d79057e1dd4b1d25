#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "host/program_threads.h"
#include "http/server.h"
#include "identity/directory.h"
#include "intake/committer.h"

namespace isthmus::intake {

/// The public door: POST /in/NAME takes a webhook of connection NAME. The signature is checked on the raw bytes before
/// anything is parsed, and the answer is 2xx only after the commit. Errors: 401 webhook.*, 404 for an unknown or silent
/// connection, 503.
///
/// Threads:   handler() is called on I/O threads and does not block; a program answers a challenge on its own threads.
/// Ownership: borrows everything; stop the server first, then the programs' threads, then the committer.
class Door {
 public:
  Door(const identity::Directory& directory, Committer& committer, host::ProgramThreads& programs, const Clock& clock,
       Log& log)
      : directory_(directory), committer_(committer), programs_(programs), clock_(clock), log_(log) {}

  void handle(http::Request request, const http::Responder& respond);

 private:
  void accept(const identity::World& world, const identity::Connection& connection, const adapter::Adapter& adapter,
              http::Request request, const http::Responder& respond);
  void challenge(const std::shared_ptr<const identity::World>& world, const identity::Connection& connection,
                 const adapter::Adapter& adapter, const http::Request& request, const http::Responder& respond);
  void refuse(const identity::Connection& connection, const Error& why, const http::Responder& respond);

  const identity::Directory& directory_;
  Committer& committer_;
  host::ProgramThreads& programs_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace isthmus::intake
