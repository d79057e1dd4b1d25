#include <algorithm>
#include <charconv>

#include "adapter/detail/run.h"
#include "adapter/detail/scopes.h"
#include "adapter/hosts.h"
#include "adapter/text_count.h"

namespace isthmus::adapter::detail {
namespace {

std::int64_t number_of(const std::optional<expression::Template>& text, const expression::Scope& scope,
                       std::int64_t fallback) {
  const std::string digits = text_of(text, scope);
  std::int64_t out = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && !digits.empty() ? out : fallback;
}

/// The text with every address as long as the network counts it, for those that count the rest one by one.
std::int64_t count(std::string_view text, const TextLimit& limit, std::int64_t url_weight) {
  switch (limit.count) {
    case TextLimit::Count::bytes:
      return static_cast<std::int64_t>(text.size());
    case TextLimit::Count::utf16:
      return count_utf16(text);
    case TextLimit::Count::weighted:
      return count_weighted(text, url_weight);
    case TextLimit::Count::graphemes:
    case TextLimit::Count::code_points:
      break;
  }
  const bool graphemes = limit.count == TextLimit::Count::graphemes;
  std::string shortened;
  std::int64_t urls = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::string_view rest = text.substr(i);
    if (url_weight > 0 && (rest.starts_with("https://") || rest.starts_with("http://"))) {
      ++urls;
      while (i < text.size() && text[i] != ' ' && text[i] != '\n' && text[i] != '\t' && text[i] != '\r') ++i;
      continue;
    }
    shortened += text[i++];
  }
  return urls * url_weight + (graphemes ? count_graphemes(shortened) : count_code_points(shortened));
}

void check_text(const Descriptor& descriptor, const OperationPlan& op, const expression::Scope& scope,
                std::vector<Problem>& out) {
  if (!op.text || !descriptor.text.max) return;
  const std::string text = text_of(op.text, scope);
  const std::int64_t max = number_of(descriptor.text.max, scope, 0);
  const std::int64_t found = count(text, descriptor.text, number_of(descriptor.text.url_weight, scope, 0));
  if (max > 0 && found > max) {
    out.push_back({"text.too-long", "text", {{"max", std::to_string(max)}, {"found", std::to_string(found)}}});
  }
  const std::int64_t bytes = static_cast<std::int64_t>(text.size());
  if (descriptor.text.bytes_max > 0 && bytes > descriptor.text.bytes_max) {
    out.push_back({"text.too-many-bytes",
                   "text",
                   {{"max", std::to_string(descriptor.text.bytes_max)}, {"found", std::to_string(bytes)}}});
  }
}

void check_media(const Descriptor& descriptor, const expression::Scope& scope, std::vector<Problem>& out) {
  const std::vector<expression::Value> media = scope.lookup("media").items();
  const std::int64_t count_max = number_of(descriptor.media.count_max, scope, -1);
  if (count_max >= 0 && static_cast<std::int64_t>(media.size()) > count_max) {
    out.push_back(
        {"media.too-many", "media", {{"max", std::to_string(count_max)}, {"found", std::to_string(media.size())}}});
  }
  const std::int64_t any_bytes_max = number_of(descriptor.media.bytes_max, scope, 0);
  const std::int64_t image_bytes_max = number_of(descriptor.media.image_bytes_max, scope, any_bytes_max);
  for (const expression::Value& item : media) {
    const std::string mime = item.get("mime").to_text();
    const auto& known = descriptor.media.mimes;
    if (!known.empty() && std::find(known.begin(), known.end(), mime) == known.end()) {
      out.push_back({"media.type", "media", {{"found", mime}}});
    }
    const std::int64_t bytes_max = mime.starts_with("image/") ? image_bytes_max : any_bytes_max;
    const std::int64_t bytes = item.get("bytes").as_integer().value_or(0);
    if (bytes_max > 0 && bytes > bytes_max) {
      out.push_back(
          {"media.too-large", "media", {{"max", std::to_string(bytes_max)}, {"found", std::to_string(bytes)}}});
    }
  }
}

}  // namespace

Result<std::vector<Problem>> problems_of(const Descriptor& descriptor, const Context& context, const Command& command) {
  const auto found = descriptor.operations.find(command.operation);
  if (found == descriptor.operations.end()) {
    return fail("adapter.fault", descriptor.description.name + " has no operation " + command.operation);
  }
  const OperationPlan& op = found->second;
  Reading reading;
  reading.set_context(descriptor, context);
  reading.set_command(command);
  reading.set_let(op.let);
  std::vector<Problem> out;
  for (const auto& [field, condition] : op.require) {
    if (condition.test(reading.scope()) != expression::Expression::Truth::yes)
      out.push_back({"field.required", field, {}});
  }
  check_text(descriptor, op, reading.scope(), out);
  if (op.text) check_media(descriptor, reading.scope(), out);
  return out;
}

std::vector<std::string> hosts_of(const Descriptor& descriptor, const Context& context) {
  Reading reading;
  reading.set_context(descriptor, context);
  std::vector<std::string> out;
  for (const expression::Template& host : descriptor.hosts) {
    const std::optional<std::string> origin = origin_of(text_of(host, reading.scope()));
    if (origin && std::find(out.begin(), out.end(), *origin) == out.end()) out.push_back(*origin);
  }
  return out;
}

}  // namespace isthmus::adapter::detail
