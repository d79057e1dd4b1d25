#include "archive/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"

namespace isthmus::archive {
namespace {

constexpr std::size_t kNameBytesMax = 255;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~' && c != '+'; });
}

tl::unexpected<Error> bad(std::string_view why) {
  return fail("checkpoint.bad", "a checkpoint cannot be read: " + std::string(why));
}

Result<std::string_view> line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0) return bad("a line is missing");
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return out;
}

}  // namespace

NoteSigner::NoteSigner(std::string name, crypto::SigningKey key) : name_(std::move(name)), key_(std::move(key)) {
  key_id_ = crypto::sha256(name_ + '\n' + '\x01' + key_.public_key()).substr(0, 4);
}

Result<NoteSigner> NoteSigner::create(std::string name, crypto::SigningKey key) {
  if (!is_name(name)) {
    return fail("note.bad-name", "the origin of a log must be 1 to 255 visible ASCII characters without \"+\"",
                "use a host name and a path of yours, as in isthmus.example/archive");
  }
  return NoteSigner(std::move(name), std::move(key));
}

std::string NoteSigner::sign(std::string_view text) const {
  ISTHMUS_CHECK(text.ends_with('\n'), "the text of a note ends in a newline");
  ISTHMUS_CHECK(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' ' && c != '\n'; }),
                "the text of a note has no control characters");
  std::string note(text);
  note += "\n\xE2\x80\x94 ";  // U+2014, em dash
  note += name_ + ' ' + to_base64(key_id_ + key_.sign(text)) + '\n';
  return note;
}

std::string NoteSigner::verifier_key() const {
  return name_ + '+' + to_hex(key_id_) + '+' + to_base64('\x01' + key_.public_key());
}

std::string Checkpoint::text() const {
  return origin + '\n' + std::to_string(size) + '\n' + to_base64(root.view()) + '\n';
}

Result<Checkpoint> parse_checkpoint(std::string_view note) {
  Checkpoint checkpoint;
  std::string_view rest = note;
  const auto origin = line(rest);
  if (!origin) return fail(origin.error());
  const auto size = line(rest);
  if (!size) return fail(size.error());
  const auto root = line(rest);
  if (!root) return fail(root.error());
  checkpoint.origin = *origin;
  const auto parsed = std::from_chars(size->data(), size->data() + size->size(), checkpoint.size);
  if (parsed.ec != std::errc() || parsed.ptr != size->data() + size->size()) return bad("the size is no number");
  const auto bytes = from_base64(*root);
  if (!bytes) return bad("the root is not base64");
  const auto hash = Hash::from_bytes(*bytes);
  if (!hash) return bad("the root does not have 32 bytes");
  checkpoint.root = *hash;
  if (!rest.starts_with("\n\xE2\x80\x94 ") || checkpoint.text() != note.substr(0, note.size() - rest.size())) {
    return bad("it is not in its one form");
  }
  return checkpoint;
}

}  // namespace isthmus::archive
