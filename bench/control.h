#pragma once

#include <filesystem>
#include <memory>

#include "store/connection.h"
#include "webhooks.h"

namespace isthmus::bench {

struct ControlReport {
  std::size_t events = 0;
  double seconds = 0;
  double cpu_seconds = 0;  ///< of this thread, which is all that the control has beside PostgreSQL
};

/// What the daemon is compared with: its own statements in its own transactions, on one connection, by a thread that
/// has everything sealed already and serves nobody. No HTTP, no mapping, no decision, no adapter.
class Control {
 public:
  /// @param options of an empty database. @param state a folder for the sequencer's last checkpoint.
  /// Aborts with a message when the database refuses anything.
  Control(const store::Options& options, const std::filesystem::path& mapping, std::filesystem::path state);
  ~Control();

  /// Journals that many calls, up to 500 in a transaction.
  [[nodiscard]] ControlReport accept(std::size_t events, const Webhooks& like);
  /// The same; then each stage's transactions for them, until the last record is in the log: routing in batches of 100,
  /// intents and ends in batches of 100, and the sequencer.
  [[nodiscard]] ControlReport through(std::size_t events, const Webhooks& like);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace isthmus::bench
