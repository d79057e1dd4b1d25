#include "checkpoint.h"

#include "encoding.h"

namespace verify {
namespace {

/// Takes a line that begins with `label` off the text; the rest of that line.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view label) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  if (!line.starts_with(label)) return std::nullopt;
  line.remove_prefix(label.size());
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::optional<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& key) {
  const auto signed_text = open_note(note, key, OtherSignatures::ignored);
  if (!signed_text) return std::nullopt;
  std::string_view rest = *signed_text;
  const auto origin = take_line(rest, "");
  const auto size_text = take_line(rest, "");
  const auto root_text = take_line(rest, "");
  if (!origin || *origin != key.name || !size_text || !root_text || !rest.empty()) return std::nullopt;
  const auto size = to_number(*size_text);
  const auto root = from_base64(*root_text);
  if (!size || !root || root->size() != 32) return std::nullopt;
  return Checkpoint{std::string(*origin), *size, *root};
}

std::optional<BagSignature> read_bag_text(std::string_view text) {
  const auto first = take_line(text, "isthmus bag 1");
  const auto origin = take_line(text, "origin ");
  const auto size_text = take_line(text, "size ");
  const auto records_text = take_line(text, "records ");
  const auto hash_text = take_line(text, "tagmanifest-sha256 ");
  if (!first || !first->empty() || !origin || !size_text || !records_text || !hash_text || !text.empty())
    return std::nullopt;
  const auto size = to_number(*size_text);
  const auto records = to_number(*records_text);
  const auto hash = from_hex(*hash_text);
  if (!size || !records || !hash || hash->size() != 32) return std::nullopt;
  return BagSignature{std::string(*origin), *size, *records, *hash};
}

}  // namespace verify
