#pragma once

#include <map>

#include "archive/keys.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/random.h"
#include "store/pool.h"

namespace isthmus::journal {

/// Bytes sealed under the key of a UTC day.
struct Sealed {
  std::int64_t key = 0;  ///< the day, counted from 1970-01-01
  Bytes bytes;
};

/// The keys that journaled bodies are sealed under: one a UTC day, wrapped by the master key, gone with the day's
/// partitions. Thread safe. Borrows everything it is given.
class Keys {
 public:
  Keys(store::Pool& pool, const archive::MasterKey& master, const Clock& clock, Random& random)
      : pool_(pool), master_(master), clock_(clock), random_(random) {}

  /// Never call these inside a transaction of one's own: the first use of a day asks the database.
  [[nodiscard]] Result<Sealed> seal(std::string_view plain, std::string_view binding);
  [[nodiscard]] Result<Bytes> open(std::int64_t key, std::string_view sealed, std::string_view binding);

  /// Forgets every key that the database no longer has. Call it after days were dropped, on each node.
  [[nodiscard]] Result<void> forget_destroyed();

  /// A key of its own for what is parked, wrapped by the master key; it dies with its row.
  struct Alone {
    Bytes wrapped_key;
    Bytes bytes;
  };
  [[nodiscard]] Alone seal_alone(std::string_view plain, std::string_view binding) const;
  [[nodiscard]] Result<Bytes> open_alone(std::string_view wrapped_key, std::string_view sealed,
                                         std::string_view binding) const;

 private:
  Result<Secret> key_of(std::int64_t day, bool may_make);

  store::Pool& pool_;
  const archive::MasterKey& master_;
  const Clock& clock_;
  Random& random_;
  Guarded<std::map<std::int64_t, Secret>> known_;
};

}  // namespace isthmus::journal
