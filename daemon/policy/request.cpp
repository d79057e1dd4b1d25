#include "policy/request.h"

#include <fmt/format.h>

namespace isthmus::policy {

namespace {

using expression::Value;

constexpr std::size_t kDepthMax = 64;

void add(std::vector<Text>& texts, std::string field, const Value& value) {
  const std::optional<std::string_view> text = value.as_text();
  if (text && !text->empty()) texts.push_back({std::move(field), std::string(*text)});
}

void add_all(std::vector<Text>& texts, const std::string& field, const Value& value, std::size_t depth) {
  if (depth > kDepthMax) return;
  if (value.is_object()) {
    for (const auto& [key, member] : value.members()) {
      add_all(texts, field.empty() ? std::string(key) : fmt::format("{}.{}", field, key), member, depth + 1);
    }
  } else if (value.is_list()) {
    std::size_t index = 0;
    for (const Value& item : value.items()) add_all(texts, fmt::format("{}[{}]", field, index++), item, depth + 1);
  } else {
    add(texts, field, value);
  }
}

}  // namespace

std::string_view to_string(Effect effect) {
  switch (effect) {
    case Effect::permit:
      return "permit";
    case Effect::warn:
      return "warn";
    case Effect::hold:
      return "hold";
    case Effect::forbid:
      break;
  }
  return "forbid";
}

const std::vector<std::string>& actions() {
  static const std::vector<std::string> names = {"publish", "reply", "remove", "hide", "deliver", "track", "release"};
  return names;
}

std::vector<Text> content_texts(std::string_view format, const Value& body) {
  std::vector<Text> texts;
  if (format == "post/1") {
    add(texts, "text", body.get("text"));
    const Value link = body.get("link");
    for (const char* part : {"title", "description", "url"}) add(texts, fmt::format("link.{}", part), link.get(part));
    std::size_t index = 0;
    for (const Value& medium : body.get("media").items())
      add(texts, fmt::format("media[{}].alt", index++), medium.get("alt"));
  } else if (format == "activity/1") {
    add(texts, "object.content", body.get("object").get("content"));
  } else if (format == "lead/1") {
    add(texts, "message", body.get("message"));
  } else {
    add_all(texts, "", body, 0);
  }
  return texts;
}

}  // namespace isthmus::policy
