#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "journal/keys.h"
#include "store/connection.h"

namespace isthmus::journal {

enum class ExchangeKind { webhook = 1, poll = 2 };

/// One journaled exchange: a verified webhook, or one reply of a collect task, so that parse() can be replayed for
/// ever.
struct Exchange {
  int lane = 0;
  std::int64_t connection = 0;
  ExchangeKind kind = ExchangeKind::webhook;
  std::string stream;       ///< of a poll
  int status = 0;           ///< of a poll
  Bytes descriptor_sha256;  ///< of the adapter that will parse it
  Bytes context;            ///< encode(Context)
  Sealed call;              ///< encode(Call), sealed with call_binding()
  Instant received;
  std::optional<Bytes>
      delivery_key;  ///< SHA-256 of the sender's delivery id and the raw body; without one nothing is dropped here
};

struct InboxRow {
  std::int64_t seq = 0;
  Exchange exchange;
};

/// What binds a sealed call to its place.
[[nodiscard]] std::string call_binding(std::int64_t connection, Instant received);

/// Journals exchanges of any lanes; for each, whether it was new (false: a repeat of one delivery, which is not an
/// error). Not fenced: intake is stateless. Locks seen keys in order, then the heads in order.
[[nodiscard]] Result<std::vector<bool>> append_exchanges(store::Transaction& tx, std::span<const Exchange> exchanges);

/// The next rows of a lane beyond a position, in order.
[[nodiscard]] Result<std::vector<InboxRow>> read_inbox(store::Connection& db, int lane, std::int64_t after,
                                                       int rows_max);

}  // namespace isthmus::journal
