#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "identity/directory.h"
#include "intake/committer.h"

namespace isthmus::intake {

/// The public door: POST /in/NAME takes a webhook of connection NAME. The signature is checked on the raw bytes before
/// anything is parsed, and the answer is 2xx only after the commit. Errors: 401 webhook.*, 404 for an unknown or silent
/// connection, 503.
///
/// Threads:   handler() is called on I/O threads and does not block.
/// Ownership: borrows everything; stop the server first, then the committer.
class Door {
 public:
  Door(const identity::Directory& directory, Committer& committer, const Clock& clock, Log& log)
      : directory_(directory), committer_(committer), clock_(clock), log_(log) {}

  void handle(http::Request request, const http::Responder& respond);

 private:
  void accept(const identity::World& world, const identity::Connection& connection, const adapter::Adapter& adapter,
              http::Request request, const http::Responder& respond);
  void refuse(const identity::Connection& connection, const Error& why, const http::Responder& respond);

  const identity::Directory& directory_;
  Committer& committer_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace isthmus::intake
