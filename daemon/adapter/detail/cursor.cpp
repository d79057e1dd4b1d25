#include "adapter/detail/cursor.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Value;

/// Ids are longer than any number type: decimal digits compare by length, then as text.
std::string_view digits_of(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
  return text;
}

}  // namespace

bool mark_less(const Value& a, const Value& b, bool as_number) {
  const std::string left = a.to_text();
  const std::string right = b.to_text();
  if (!as_number) return left < right;
  const std::string_view x = digits_of(left);
  const std::string_view y = digits_of(right);
  return x.size() != y.size() ? x.size() < y.size() : x < y;
}

Bytes Cursor::to_bytes() const {
  JsonWriter writer;
  writer.begin_object();
  if (mark) mark->to_json(writer.key("mark"));
  if (top) top->to_json(writer.key("top"));
  if (!page.empty()) writer.member("page", page);
  if (!page_before.empty()) writer.member("before", page_before);
  if (pages != 0) writer.member("pages", pages);
  if (!keep.empty()) Value::object(keep).to_json(writer.key("keep"));
  writer.end_object();
  return std::move(writer).text();
}

Result<Cursor> Cursor::from_bytes(const Bytes& bytes) {
  Cursor out;
  if (bytes.empty()) return out;
  const Result<expression::Document> document = expression::Document::parse(bytes);
  if (!document || !document->root().is_object())
    return fail("adapter.fault", "the stream's cursor is not one of this adapter");
  const Value root = document->root();
  if (const Value mark = root.get("mark"); !mark.is_null()) out.mark = mark.owned();
  if (const Value top = root.get("top"); !top.is_null()) out.top = top.owned();
  out.page = root.get("page").to_text();
  out.page_before = root.get("before").to_text();
  out.pages = static_cast<int>(root.get("pages").as_integer().value_or(0));
  for (const auto& [name, value] : root.get("keep").members()) out.keep.emplace_back(std::string(name), value.owned());
  return out;
}

}  // namespace isthmus::adapter::detail
