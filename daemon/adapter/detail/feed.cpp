#include "adapter/detail/feed.h"

#include <array>
#include <string>

#include "adapter/detail/reply_time.h"
#include "adapter/detail/xml.h"
#include "base/clock.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Value;

std::string trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return std::string(text);
}

std::string text_of_child(const XmlElement& element, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    const XmlElement* child = element.child(name);
    if (child == nullptr) continue;
    std::string text = trimmed(child->text);
    if (!text.empty()) return text;
  }
  return {};
}

/// Atom's link is an attribute, and the one without rel or with rel=alternate is the page; RSS has text.
std::string link_of(const XmlElement& element) {
  for (const XmlElement& child : element.children) {
    if (child.name != "link") continue;
    const std::string rel = child.attribute("rel");
    const std::string href = child.attribute("href");
    if (!href.empty() && (rel.empty() || rel == "alternate")) return href;
    if (href.empty() && !trimmed(child.text).empty()) return trimmed(child.text);
  }
  return {};
}

/// RFC 3339 from Atom's dates, or from RSS's (RFC 822 with a zone of letters or digits).
std::string date_of(const std::string& text) {
  if (text.empty()) return {};
  if (const Result<Instant> instant = from_rfc3339(text)) return to_rfc3339(*instant);
  std::int64_t offset_minutes = 0;
  std::string gmt = text;
  const std::size_t zone = text.rfind(' ');
  if (zone != std::string::npos && zone + 6 == text.size() && (text[zone + 1] == '+' || text[zone + 1] == '-')) {
    std::array<int, 4> d{};
    for (std::size_t i = 0; i < 4; ++i) d[i] = text[zone + 2 + i] - '0';
    offset_minutes = (d[0] * 10 + d[1]) * 60 + d[2] * 10 + d[3];
    if (text[zone + 1] == '-') offset_minutes = -offset_minutes;
    gmt = text.substr(0, zone) + " GMT";
  } else if (text.ends_with(" UT") || text.ends_with(" UTC") || text.ends_with(" Z")) {
    gmt = text.substr(0, zone) + " GMT";
  }
  if (gmt.find(',') == std::string::npos) gmt = "Thu, " + gmt;  // the day's name is optional, and its value never read
  const std::optional<std::int64_t> ms = http_date_ms(gmt);
  if (!ms) return {};
  return to_rfc3339(from_ms(*ms - offset_minutes * 60000));
}

void put(Value::Object& out, std::string_view name, std::string text) {
  if (!text.empty()) out.emplace_back(std::string(name), Value::text(std::move(text)));
}

std::string author_of(const XmlElement& item) {
  const XmlElement* author = item.child("author");
  if (author != nullptr) {
    const std::string name = text_of_child(*author, {"name"});
    return name.empty() ? trimmed(author->text) : name;
  }
  return text_of_child(item, {"creator"});  // dc:creator
}

Value item_of(const XmlElement& item) {
  Value::Object out;
  const std::string link = link_of(item);
  std::string id = text_of_child(item, {"guid", "id"});
  if (id.empty()) id = item.attribute("about");
  put(out, "id", id.empty() ? link : id);
  put(out, "link", link);
  put(out, "title", text_of_child(item, {"title"}));
  put(out, "summary", text_of_child(item, {"description", "summary"}));
  put(out, "content", text_of_child(item, {"encoded", "content"}));
  put(out, "author", author_of(item));
  const std::string updated = date_of(text_of_child(item, {"updated", "modified"}));
  const std::string published = date_of(text_of_child(item, {"pubdate", "published", "issued", "date"}));
  put(out, "published", published.empty() ? updated : published);
  put(out, "updated", updated);
  return Value::object(std::move(out));
}

constexpr std::size_t kItemsMax = 5000;

void add_items(const XmlElement& parent, Value::List& out) {
  for (const XmlElement& child : parent.children) {
    if ((child.name == "item" || child.name == "entry") && out.size() < kItemsMax) out.push_back(item_of(child));
  }
}

}  // namespace

Result<Value> read_feed(std::string_view xml) {
  const Result<XmlElement> root = read_xml(xml);
  if (!root) return fail("feed.bad", root.error().what);
  if (root->name != "rss" && root->name != "feed" && root->name != "rdf") {
    return fail("feed.bad", "the document is neither RSS, RDF nor Atom");
  }
  const XmlElement* channel = root->child("channel");
  const XmlElement& head = channel == nullptr ? *root : *channel;
  Value::Object out;
  put(out, "title", text_of_child(head, {"title"}));
  put(out, "link", link_of(head));
  Value::List items;
  add_items(*root, items);
  if (channel != nullptr) add_items(*channel, items);
  out.emplace_back("items", Value::list(std::move(items)));
  return Value::object(std::move(out));
}

}  // namespace isthmus::adapter::detail
