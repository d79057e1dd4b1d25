// The store of a node: waits for the database, judges its schema, makes today's partitions, reads the command key.
#include "parts.h"

#include <condition_variable>
#include <mutex>

#include "events/events.h"
#include "store/migrations.h"

namespace isthmus::detail {

Result<void> NodeParts::wait_for_store() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int tries = 0;; ++tries) {
    auto db = pool->take();
    if (db) return {};
    // A database that is down for a while is an outage, not a mistake: wait for it, but not for ever in silence.
    events::store_unavailable(*log, {.stage = "start", .reason = db.error().what});
    if (tries >= 60) return fail(std::move(db).error());
    never.wait_for(lock, std::chrono::seconds(1));
  }
}

Result<void> NodeParts::open_store() {
  if (auto up = wait_for_store(); !up) return up;
  auto db = pool->take();
  if (!db) return fail(std::move(db).error());
  if (options.migrate) {
    if (auto done = store::migrate(**db, store::built_in_migrations()); !done) return fail(std::move(done).error());
  }
  auto current = store::is_current(**db, store::built_in_migrations());
  if (!current) return fail(std::move(current).error());
  if (!*current)
    return fail("store.old-schema", "the database's schema is older than this program",
                "run isthmusd run --migrate once, as the owner of the schema");
  if (auto done = journal::make_partitions(**db); !done) return done;
  auto key = vault->installation_key(**db, "commands");
  if (!key) return fail(std::move(key).error());
  command_key = std::move(*key);
  health->good("store");
  return {};
}

}  // namespace isthmus::detail
