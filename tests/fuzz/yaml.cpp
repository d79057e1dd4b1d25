// The YAML reader, the readers of isthmus.yaml and the apply file, and the rule packs' detectors and terms: any bytes
// end in a value or in diagnostics, and what the apply file's reader accepts survives writing.

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "config/apply_file.h"
#include "config/settings.h"
#include "policy/detail/detectors.h"
#include "policy/detail/fold.h"

namespace {

void search(std::string_view text) {
  using namespace isthmus::policy::detail;
  for (const auto find : {find_card_number, find_iban, find_french_nir, find_secret}) {
    const auto span = find(text);
    ISTHMUS_CHECK(!span || (span->begin < span->end && span->end <= text.size()), "what is found lies in the text");
    ISTHMUS_CHECK(!span || isthmus::is_utf8(text.substr(span->begin, span->end - span->begin)),
                  "a span holds whole characters");
  }
  const Folded folded = fold(text);
  ISTHMUS_CHECK(folded.bytes.size() == folded.source.size() && isthmus::is_utf8(folded.bytes),
                "a folded text is a text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  isthmus::Diagnostics settings_mistakes;
  const auto settings = isthmus::config::Settings::parse(text, "isthmus.yaml", "", settings_mistakes);
  ISTHMUS_CHECK(settings.has_value() != settings_mistakes.has_errors(), "refused with a reason or accepted without");

  isthmus::Diagnostics mistakes;
  const auto model = isthmus::config::ApplyFile::parse(text, "apply.yaml", mistakes);
  ISTHMUS_CHECK(model.has_value() != mistakes.has_errors(), "refused with a reason or accepted without");
  if (model) {
    const auto again = isthmus::config::ApplyFile::parse(model->write(), "again.yaml", mistakes);
    ISTHMUS_CHECK(again && *again == *model, "what was accepted survives writing");
  }
  if (isthmus::is_utf8(text)) search(text);
  return 0;
}
