#include "journal/blobs.h"

namespace isthmus::journal {

using store::Param;

Result<void> put_blob(store::Connection& db, const Keys& keys, const Blob& blob) {
  auto raw = from_hex(blob.hash);
  if (!raw) return fail(std::move(raw).error());
  const auto sealed = keys.seal_alone(blob.bytes, "blob/" + blob.hash);
  auto done = db.exec(
      "INSERT INTO blob (hash, mime, bytes, wrapped_key, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
      {Param::bytes(*raw), blob.mime, static_cast<std::int64_t>(blob.bytes.size()), Param::bytes(sealed.wrapped_key),
       Param::bytes(sealed.bytes)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<Blob> get_blob(store::Connection& db, const Keys& keys, const std::string& hash) {
  auto raw = from_hex(hash);
  if (!raw) return fail(std::move(raw).error());
  auto rows = db.exec("SELECT mime, wrapped_key, body FROM blob WHERE hash = $1", {Param::bytes(*raw)});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty())
    return fail("blob.unknown", "no medium with this hash was uploaded", "upload it with POST /api/v1/media first");
  auto bytes = keys.open_alone(rows->bytes(0, 1), rows->bytes(0, 2), "blob/" + hash);
  if (!bytes) return fail(std::move(bytes).error());
  return Blob{hash, std::string(rows->text(0, 0)), std::move(*bytes)};
}

}  // namespace isthmus::journal
