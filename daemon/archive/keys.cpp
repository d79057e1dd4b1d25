#include "archive/keys.h"

#include "archive/detail/associated.h"
#include "base/crypto.h"

namespace isthmus::archive {
namespace {

Bytes associated(std::int32_t id, std::string_view master_key_id) {
  Bytes out("isthmus day key 1\n");
  detail::append_u32(out, id);
  out += master_key_id;
  return out;
}

}  // namespace

Result<Secret> key_from_text(std::string_view text) {
  if (text.size() == crypto::kKeyBytes) return Secret(std::string(text));
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() == crypto::kKeyBytes * 2) {
    if (auto bytes = from_hex(text)) return Secret(*std::move(bytes));
  }
  return fail("key.bad", "a key must be 32 bytes or 64 hexadecimal digits", "make one with: openssl rand -hex 32");
}

Result<MasterKey> MasterKey::from_secret(Secret key) {
  if (key.reveal().size() != crypto::kKeyBytes) return fail("key.bad", "a master key must have 32 bytes");
  std::string id = to_hex(crypto::hmac_sha256(key.reveal(), "isthmus master key id 1").substr(0, 8));
  return MasterKey(std::move(key), std::move(id));
}

DayKey make_day_key(std::int32_t id, Random& random) { return DayKey{id, Secret(random.bytes(crypto::kKeyBytes))}; }

WrappedDayKey wrap(const MasterKey& master, const DayKey& key) {
  return {key.id, master.id(), crypto::seal(master.secret(), key.key.reveal(), associated(key.id, master.id()))};
}

Result<DayKey> unwrap(const MasterKey& master, const WrappedDayKey& wrapped) {
  if (wrapped.master_key_id != master.id()) {
    return fail("key.unknown-master",
                "day key " + std::to_string(wrapped.id) + " is wrapped by master key " + wrapped.master_key_id +
                    ", not by the given one, " + master.id(),
                "give the credential vault-key that was in use when the day key was made or last rotated");
  }
  auto key = crypto::unseal(master.secret(), wrapped.wrapped, associated(wrapped.id, wrapped.master_key_id));
  if (!key) return fail(std::move(key).error());
  return DayKey{wrapped.id, Secret(*std::move(key))};
}

Result<WrappedDayKey> rewrap(const MasterKey& from, const MasterKey& to, const WrappedDayKey& wrapped) {
  const auto key = unwrap(from, wrapped);
  if (!key) return fail(key.error());
  return wrap(to, *key);
}

}  // namespace isthmus::archive
