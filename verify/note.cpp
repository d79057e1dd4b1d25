#include "note.h"

#include "crypto.h"
#include "encoding.h"

namespace verify {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kSignaturesMax = 64;
constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  for (const char c : name) {
    if (c <= ' ' || c > '~' || c == '+') return false;
  }
  return true;
}

bool is_plain_text(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
  }
  return is_utf8(text);
}

struct SignatureLine {
  std::string_view name;
  std::string bytes;  // key id, then the signature
};

std::optional<SignatureLine> read_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return std::nullopt;
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos) return std::nullopt;
  auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5) return std::nullopt;
  return SignatureLine{line.substr(0, space), *std::move(bytes)};
}

}  // namespace

std::optional<VerifierKey> read_key(std::string_view text) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  VerifierKey key;
  key.name = text.substr(0, first);
  const auto id = from_hex(text.substr(first + 1, second - first - 1));
  const auto typed = from_base64(text.substr(second + 1));
  if (!is_name(key.name) || !id || id->size() != 4 || !typed || typed->size() != 33 || typed->front() != '\x01') {
    return std::nullopt;
  }
  key.key_id = *id;
  key.public_key = typed->substr(1);
  if (sha256(key.name + '\n' + *typed).substr(0, 4) != key.key_id) return std::nullopt;
  return key;
}

std::optional<std::string> open_note(std::string_view note, const VerifierKey& key, OtherSignatures others) {
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || !is_plain_text(note) || !note.ends_with('\n')) return std::nullopt;
  const std::string_view text = note.substr(0, blank + 1);
  std::string_view rest = note.substr(blank + 2);
  bool holds = false;
  for (std::size_t lines = 0; !rest.empty(); ++lines) {
    const std::size_t end = rest.find('\n');
    const auto signature = read_signature(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!signature || lines == kSignaturesMax) return std::nullopt;
    const std::string_view bytes = signature->bytes;
    if (signature->name != key.name || bytes.substr(0, 4) != key.key_id) {
      if (others == OtherSignatures::refused) return std::nullopt;
      continue;
    }
    if (holds || !signature_holds(key.public_key, text, bytes.substr(4))) return std::nullopt;
    holds = true;
  }
  if (!holds) return std::nullopt;
  return std::string(text);
}

}  // namespace verify
