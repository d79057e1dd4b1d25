#include "expression/value.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

namespace isthmus::expression {
namespace {

namespace dom = simdjson::dom;
using Words = std::array<std::uint64_t, 2>;

static_assert(sizeof(dom::element) == sizeof(Words) && std::is_trivially_copyable_v<dom::element>,
              "an element must fit into the two words a Value keeps for it");

dom::element element_of(const Words& words) { return std::bit_cast<dom::element>(words); }

void append_real(double number, std::string& out) { fmt::format_to(std::back_inserter(out), "{}", number); }

// A real is shown as an integer where it is one, so that 3.0 reads "3".
std::optional<std::int64_t> whole(double number) {
  constexpr double limit = 9007199254740992.0;  // 2^53: beyond it a double does not tell integers apart
  if (number < -limit || number > limit || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

bool equal_numbers(const Value& a, const Value& b) {
  if (a.kind() == Value::Kind::integer && b.kind() == Value::Kind::integer) return a.as_integer() == b.as_integer();
  return a.as_real() == b.as_real();
}

bool equal_objects(const Value& a, const Value& b) {
  const auto sorted = [](const Value& value) {
    auto members = value.members();
    std::sort(members.begin(), members.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    return members;
  };
  return a.size() == b.size() && sorted(a) == sorted(b);
}

// What whoever sent the text, or whoever looks at what it left, can do something about.
std::string why_not_json(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::DEPTH_ERROR:
      return "it nests deeper than " + std::to_string(Document::kDepthMax) + " levels";
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    case simdjson::STRING_ERROR:
      return "a text holds a bad escape or half of a surrogate pair";
    case simdjson::UNCLOSED_STRING:
      return "a text does not end";
    case simdjson::UNESCAPED_CHARS:
      return "a text holds a control character";
    default:
      return std::string("it is not JSON (") + simdjson::error_message(error) + ")";
  }
}

bool is_number(Value::Kind kind) { return kind == Value::Kind::integer || kind == Value::Kind::real; }

}  // namespace

Value Value::of(double number) { return std::isfinite(number) ? Value(Stored(number)) : Value(); }
Value Value::list(List items) { return Value(Stored(std::make_shared<const List>(std::move(items)))); }
Value Value::object(Object members) { return Value(Stored(std::make_shared<const Object>(std::move(members)))); }

Value Value::from_json(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::ARRAY:
      return Value(Stored(JsonRef{std::bit_cast<Words>(element), true}));
    case dom::element_type::OBJECT:
      return Value(Stored(JsonRef{std::bit_cast<Words>(element), false}));
    case dom::element_type::STRING:
      return borrowed(element.get_string().value_unsafe());
    case dom::element_type::INT64:
      return of(element.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return of(static_cast<double>(element.get_uint64().value_unsafe()));
    case dom::element_type::DOUBLE:
      return of(element.get_double().value_unsafe());
    case dom::element_type::BOOL:
      return of(element.get_bool().value_unsafe());
    default:
      return {};
  }
}

Value::Kind Value::kind() const {
  constexpr std::array kinds = {Kind::null, Kind::boolean, Kind::integer, Kind::real,  Kind::text,
                                Kind::text, Kind::object,  Kind::list,    Kind::object};
  if (const auto* ref = std::get_if<JsonRef>(&stored_)) return ref->is_list ? Kind::list : Kind::object;
  return kinds[stored_.index()];
}

std::optional<bool> Value::as_bool() const {
  if (const auto* truth = std::get_if<bool>(&stored_)) return *truth;
  return std::nullopt;
}

std::optional<std::int64_t> Value::as_integer() const {
  if (const auto* number = std::get_if<std::int64_t>(&stored_)) return *number;
  if (const auto* number = std::get_if<double>(&stored_)) return whole(*number);
  return std::nullopt;
}

std::optional<double> Value::as_real() const {
  if (const auto* number = std::get_if<double>(&stored_)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&stored_)) return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<std::string_view> Value::as_text() const {
  if (const auto* view = std::get_if<std::string_view>(&stored_)) return *view;
  if (const auto* text = std::get_if<std::string>(&stored_)) return std::string_view(*text);
  return std::nullopt;
}

bool Value::truthy() const {
  switch (kind()) {
    case Kind::null:
      return false;
    case Kind::boolean:
      return *as_bool();
    case Kind::integer:
    case Kind::real:
      return *as_real() != 0.0;
    default:
      return size() > 0;
  }
}

std::size_t Value::size() const {
  if (const auto text = as_text()) return text->size();
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&stored_)) return (*list)->size();
  if (const auto* object = std::get_if<std::shared_ptr<const Object>>(&stored_)) return (*object)->size();
  if (const auto* ref = std::get_if<JsonRef>(&stored_)) {
    // The parser's own count saturates at 2^24; bodies are far smaller.
    if (ref->is_list) return element_of(ref->words).get_array().value_unsafe().size();
    return element_of(ref->words).get_object().value_unsafe().size();
  }
  return 0;
}

Value Value::get(std::string_view key) const {
  if (const auto* ref = std::get_if<JsonRef>(&stored_)) {
    if (ref->is_list) return {};
    dom::element found;
    if (element_of(ref->words).get_object().value_unsafe().at_key(key).get(found) != simdjson::SUCCESS) return {};
    return from_json(found);
  }
  if (const auto* object = std::get_if<std::shared_ptr<const Object>>(&stored_)) {
    for (const auto& member : **object) {
      if (member.first == key) return member.second;
    }
  }
  return {};
}

Value Value::get_path(std::span<const std::string> keys) const {
  const auto* ref = std::get_if<JsonRef>(&stored_);
  if (ref == nullptr) {  // an owned object: rare, and shallow
    Value value = *this;
    for (const std::string& key : keys) value = value.get(key);
    return value;
  }
  dom::element element = element_of(ref->words);
  for (const std::string& key : keys) {
    dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) return {};
    if (object.at_key(key).get(element) != simdjson::SUCCESS) return {};
  }
  return from_json(element);
}

Value Value::at(std::int64_t index) const {
  if (!is_list()) return {};
  if (index < 0) index += static_cast<std::int64_t>(size());
  if (index < 0) return {};
  const auto place = static_cast<std::size_t>(index);
  if (const auto* ref = std::get_if<JsonRef>(&stored_)) {
    dom::element found;
    if (element_of(ref->words).get_array().value_unsafe().at(place).get(found) != simdjson::SUCCESS) return {};
    return from_json(found);
  }
  const List& list = **std::get_if<std::shared_ptr<const List>>(&stored_);
  return place < list.size() ? list[place] : Value();
}

Value::List Value::items() const {
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&stored_)) return **list;
  List items;
  if (const auto* ref = std::get_if<JsonRef>(&stored_); ref != nullptr && ref->is_list) {
    const dom::array array = element_of(ref->words).get_array().value_unsafe();
    for (const dom::element item : array) items.push_back(from_json(item));
  }
  return items;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  std::vector<std::pair<std::string_view, Value>> members;
  if (const auto* object = std::get_if<std::shared_ptr<const Object>>(&stored_)) {
    for (const auto& member : **object) members.emplace_back(member.first, member.second);
  } else if (const auto* ref = std::get_if<JsonRef>(&stored_); ref != nullptr && !ref->is_list) {
    const dom::object fields = element_of(ref->words).get_object().value_unsafe();
    for (const auto field : fields) members.emplace_back(field.key, from_json(field.value));
  }
  return members;
}

void Value::append_text(std::string& out) const {
  switch (kind()) {
    case Kind::null:
      return;
    case Kind::boolean:
      out += *as_bool() ? "true" : "false";
      return;
    case Kind::integer:
    case Kind::real:
      if (const auto number = as_integer()) {
        out += std::to_string(*number);
      } else {
        append_real(*as_real(), out);
      }
      return;
    case Kind::text:
      out += *as_text();
      return;
    default:
      out += to_json();
  }
}

std::string Value::to_text() const {
  std::string out;
  append_text(out);
  return out;
}

void Value::to_json(JsonWriter& writer) const {
  switch (kind()) {
    case Kind::null:
      writer.null();
      return;
    case Kind::boolean:
      writer.value(*as_bool());
      return;
    case Kind::integer:
    case Kind::real:
      if (const auto number = as_integer()) {
        writer.value(*number);
      } else {
        writer.value(*as_real());
      }
      return;
    case Kind::text:
      writer.value(*as_text());
      return;
    case Kind::list:
      writer.begin_array();
      for (const Value& item : items()) item.to_json(writer);
      writer.end_array();
      return;
    case Kind::object:
      writer.begin_object();
      for (const auto& member : members()) {
        writer.key(member.first);
        member.second.to_json(writer);
      }
      writer.end_object();
      return;
  }
}

std::string Value::to_json() const {
  JsonWriter writer;
  to_json(writer);
  return std::move(writer).text();
}

Value Value::owned() const {
  switch (kind()) {
    case Kind::text:
      return text(std::string(*as_text()));
    case Kind::list: {
      List copy;
      for (const Value& item : items()) copy.push_back(item.owned());
      return list(std::move(copy));
    }
    case Kind::object: {
      Object copy;
      for (const auto& member : members()) copy.emplace_back(std::string(member.first), member.second.owned());
      return object(std::move(copy));
    }
    default:
      return *this;
  }
}

bool operator==(const Value& a, const Value& b) {
  if (is_number(a.kind()) && is_number(b.kind())) return equal_numbers(a, b);
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::null:
      return true;
    case Value::Kind::boolean:
      return a.as_bool() == b.as_bool();
    case Value::Kind::text:
      return a.as_text() == b.as_text();
    case Value::Kind::list:
      return a.items() == b.items();
    default:
      return equal_objects(a, b);
  }
}

std::string_view to_string(Value::Kind kind) {
  constexpr std::array<std::string_view, 7> names = {"null", "truth", "integer", "number", "text", "list", "object"};
  return names[static_cast<std::size_t>(kind)];
}

struct Document::Parsed {
  dom::parser parser;
  dom::element root;
};

Document::Document(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view json) {
  auto parsed = std::make_unique<Parsed>();
  if (parsed->parser.allocate(json.size(), kDepthMax) != simdjson::SUCCESS) return fail("json.bad", "JSON too large");
  const auto error = parsed->parser.parse(json.data(), json.size()).get(parsed->root);
  if (error != simdjson::SUCCESS) return fail("json.bad", why_not_json(error));
  return Document(std::move(parsed));
}

Value Document::root() const { return Value::from_json(parsed_->root); }

}  // namespace isthmus::expression
