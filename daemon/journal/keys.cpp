#include "journal/keys.h"

#include <set>

#include "base/crypto.h"

namespace isthmus::journal {

Result<Secret> Keys::key_of(std::int64_t day, bool may_make) {
  const auto cached = known_.with([&](const auto& keys) -> std::optional<Secret> {
    const auto found = keys.find(day);
    return found == keys.end() ? std::nullopt : std::optional<Secret>(found->second);
  });
  if (cached) return *cached;
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  if (may_make) {
    const archive::WrappedDayKey made = wrap(master_, archive::make_day_key(static_cast<std::int32_t>(day), random_));
    auto stored =
        (*db)->exec("INSERT INTO journal_key (id, master_key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    {store::Param::integer(day), made.master_key_id, store::Param::bytes(made.wrapped)});
    if (!stored) return fail(std::move(stored).error());
  }
  auto rows = (*db)->exec("SELECT master_key_id, wrapped FROM journal_key WHERE id = $1", {store::Param::integer(day)});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return fail("journal.key-gone", "the journal key of that day was destroyed with its partition");
  auto key = unwrap(master_, {static_cast<std::int32_t>(day), std::string(rows->text(0, 0)), Bytes(rows->bytes(0, 1))});
  if (!key) return fail(std::move(key).error());
  known_.with([&](auto& keys) { keys.emplace(day, key->key); });
  return std::move(key->key);
}

Result<Sealed> Keys::seal(std::string_view plain, std::string_view binding) {
  const std::int64_t day = std::chrono::floor<std::chrono::days>(clock_.now()).time_since_epoch().count();
  auto key = key_of(day, true);
  if (!key) return fail(std::move(key).error());
  return Sealed{day, crypto::seal(*key, plain, binding)};
}

Result<Bytes> Keys::open(std::int64_t key_id, std::string_view sealed, std::string_view binding) {
  auto key = key_of(key_id, false);
  if (!key) return fail(std::move(key).error());
  return crypto::unseal(*key, sealed, binding);
}

Result<void> Keys::forget_destroyed() {
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto rows = (*db)->exec("SELECT id FROM journal_key");
  if (!rows) return fail(std::move(rows).error());
  std::set<std::int64_t> stored;
  for (int i = 0; i < rows->size(); ++i) stored.insert(rows->number(i, 0));
  // One that is made just now is read again at its next use.
  known_.with(
      [&](auto& keys) { std::erase_if(keys, [&](const auto& entry) { return !stored.contains(entry.first); }); });
  return {};
}

Keys::Alone Keys::seal_alone(std::string_view plain, std::string_view binding) const {
  const Secret key(crypto::random_bytes(crypto::kKeyBytes));
  return {crypto::seal(master_.secret(), key.reveal(), binding), crypto::seal(key, plain, binding)};
}

Result<Bytes> Keys::open_alone(std::string_view wrapped_key, std::string_view sealed, std::string_view binding) const {
  auto key = crypto::unseal(master_.secret(), wrapped_key, binding);
  if (!key) return fail(std::move(key).error());
  return crypto::unseal(Secret(std::move(*key)), sealed, binding);
}

}  // namespace isthmus::journal
