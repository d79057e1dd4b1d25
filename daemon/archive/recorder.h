#pragma once

#include <map>
#include <span>
#include <vector>

#include "archive/record.h"
#include "base/guarded.h"
#include "store/pool.h"

namespace isthmus::archive {

/// What a stage hands over, with the row's own columns beside what the record itself says.
struct Entry {
  RecordDraft draft;
  std::int64_t connection = 0;  ///< 0: none
  std::int64_t unit = 0;        ///< of that time; 0: none
};

/// A record that is ready to be inserted.
struct Prepared {
  Record record;
  Kind kind = Kind::act_done;
  Instant at;
  std::int16_t retention_class = 0;
  std::int64_t connection = 0;
  std::int64_t unit = 0;
};

/// Makes records before a transaction and writes them in it. Thread safe. Borrows everything it is given.
class Recorder {
 public:
  Recorder(store::Pool& pool, const MasterKey& master, Random& random)
      : pool_(pool), master_(master), random_(random) {}

  /// Seals. Never inside a transaction of one's own: the first use of a day's key asks the database.
  /// Errors: those of make_record, store.unavailable.
  [[nodiscard]] Result<std::vector<Prepared>> prepare(std::span<const Entry> entries);
  /// Inserts under consecutive numbers of the lane, from first on, which the caller took (lane_head, stage 3).
  [[nodiscard]] static Result<void> append(store::Transaction& tx, int lane, std::span<const Prepared> records,
                                           std::int64_t first);

  /// The key of a day; made when it is not there and may be made. Error key.gone.
  [[nodiscard]] Result<DayKey> day_key(std::int32_t day, bool may_make);

 private:
  store::Pool& pool_;
  const MasterKey& master_;
  Random& random_;
  Guarded<std::map<std::int32_t, DayKey>> known_;
};

}  // namespace isthmus::archive
