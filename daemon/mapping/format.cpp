#include "mapping/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/clock.h"

namespace isthmus::mapping {
namespace {

using Type = FormatField::Type;
constexpr auto kRequired = FormatField::Presence::required;
constexpr auto kOptional = FormatField::Presence::optional;
constexpr std::int64_t kIntegerMax = (std::int64_t{1} << 53) - 1;

constexpr std::array<FormatField, 14> kPost = {{{"text", Type::text, kRequired},
                                                {"language", Type::text, kOptional},
                                                {"link", Type::object, kOptional},
                                                {"link.url", Type::text, kRequired},
                                                {"link.title", Type::text, kOptional},
                                                {"link.description", Type::text, kOptional},
                                                {"media", Type::objects, kOptional},
                                                {"media.blob", Type::text, kRequired},
                                                {"media.mime", Type::text, kRequired},
                                                {"media.bytes", Type::integer, kRequired},
                                                {"media.alt", Type::text, kOptional},
                                                {"reply_to", Type::object, kOptional},
                                                {"reply_to.id", Type::text, kRequired},
                                                {"reply_to.root", Type::text, kOptional}}};
constexpr FormatField kPostCreated = {"created_at", Type::instant, kOptional};

constexpr std::array<FormatField, 26> kActivity = {{{"@context", Type::text, kRequired},
                                                    {"type", Type::text, kRequired},
                                                    {"id", Type::text, kRequired},
                                                    {"published", Type::instant, kRequired},
                                                    {"actor", Type::object, kRequired},
                                                    {"actor.type", Type::text, kRequired},
                                                    {"actor.id", Type::text, kRequired},
                                                    {"actor.preferredUsername", Type::text, kOptional},
                                                    {"actor.name", Type::text, kOptional},
                                                    {"actor.url", Type::text, kOptional},
                                                    {"object", Type::object, kRequired},
                                                    {"object.type", Type::text, kRequired},
                                                    {"object.id", Type::text, kRequired},
                                                    {"object.content", Type::text, kOptional},
                                                    {"object.mediaType", Type::text, kOptional},
                                                    {"object.published", Type::instant, kOptional},
                                                    {"object.url", Type::text, kOptional},
                                                    {"object.inReplyTo", Type::text, kOptional},
                                                    {"object.tag", Type::objects, kOptional},
                                                    {"object.tag.type", Type::text, kRequired},
                                                    {"object.tag.href", Type::text, kRequired},
                                                    {"object.tag.name", Type::text, kRequired},
                                                    {"isthmus", Type::object, kRequired},
                                                    {"isthmus.network", Type::text, kRequired},
                                                    {"isthmus.kind", Type::text, kRequired},
                                                    {"isthmus.root", Type::text, kOptional}}};

constexpr std::array<FormatField, 23> kLead = {
    {{"source", Type::text, kRequired},          {"external_id", Type::text, kRequired},
     {"submitted_at", Type::instant, kRequired}, {"person", Type::object, kRequired},
     {"person.name", Type::text, kOptional},     {"person.first", Type::text, kOptional},
     {"person.last", Type::text, kOptional},     {"person.email", Type::text, kOptional},
     {"person.phone", Type::text, kOptional},    {"person.company", Type::text, kOptional},
     {"social", Type::object, kOptional},        {"social.network", Type::text, kRequired},
     {"social.id", Type::text, kRequired},       {"social.handle", Type::text, kOptional},
     {"message", Type::text, kOptional},         {"campaign", Type::text, kOptional},
     {"consent", Type::object, kRequired},       {"consent.given", Type::boolean, kRequired},
     {"consent.wording", Type::text, kRequired}, {"consent.at", Type::instant, kRequired},
     {"consent.channel", Type::text, kRequired}, {"consent.purposes", Type::texts, kRequired},
     {"opt_out", Type::boolean, kOptional}}};

constexpr std::array<FormatField, 6> kMetric = {{{"action", Type::text, kRequired},
                                                 {"url", Type::text, kRequired},
                                                 {"campaign", Type::text, kOptional},
                                                 {"visitor", Type::text, kOptional},
                                                 {"occurred_at", Type::instant, kRequired},
                                                 {"value", Type::integer, kOptional}}};

constexpr std::array<FormatField, kPost.size() + 1> with_created() {
  std::array<FormatField, kPost.size() + 1> fields{};
  for (std::size_t i = 0; i < kPost.size(); ++i) fields[i] = kPost[i];
  fields[kPost.size()] = kPostCreated;
  return fields;
}
constexpr auto kPostWhole = with_created();

constexpr std::array<Format, 4> kFormats = {
    {{"post/1", kPostWhole}, {"activity/1", kActivity}, {"lead/1", kLead}, {"metric/1", kMetric}}};

bool fits(Type type, const expression::Value& value) {
  switch (type) {
    case Type::text:
      return value.is_text();
    case Type::instant:
      return value.is_text() && from_rfc3339(*value.as_text()).has_value();
    case Type::integer: {
      const auto number = value.as_integer();
      return number && *number >= -kIntegerMax && *number <= kIntegerMax;
    }
    case Type::boolean:
      return value.as_bool().has_value();
    case Type::object:
      return value.is_object();
    default:
      return value.is_list();
  }
}

// The path of a member of the object at above; "" is the body.
std::string join(std::string_view above, std::string_view name) {
  return above.empty() ? std::string(name) : fmt::format("{}.{}", above, name);
}

// The last name of a path that lies right below above, or empty.
std::string_view child_name(std::string_view path, std::string_view above) {
  const std::size_t start = above.empty() ? 0 : above.size() + 1;
  if (path.size() <= start || path.substr(0, above.size()) != above || (start > 0 && path[start - 1] != '.')) return {};
  const std::string_view name = path.substr(start);
  return name.find('.') == std::string_view::npos ? name : std::string_view();
}

std::string problem_with_members(const Format& format, const expression::Value& object, std::string_view path) {
  for (const auto& member : object.members()) {
    const std::string below = join(path, member.first);
    const FormatField* field = format.find(below);
    if (field == nullptr) return fmt::format("{} is not a field of {}", below, format.name);
    std::string problem = format.problem_with(member.second, *field);
    if (!problem.empty()) return problem;
  }
  for (const FormatField& field : format.fields) {
    const std::string_view name = child_name(field.path, path);
    if (name.empty() || field.presence != kRequired || !object.get(name).is_null()) continue;
    return fmt::format("{} is absent, and {} requires it", field.path, format.name);
  }
  return {};
}

}  // namespace

const FormatField* Format::find(std::string_view path) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const FormatField& f) { return f.path == path; });
  return found == fields.end() ? nullptr : &*found;
}

std::string Format::problem_with_body(const expression::Value& body) const {
  if (!body.is_object()) return fmt::format("{} must be an object", name);
  return problem_with_members(*this, body, "");
}

std::string Format::problem_with(const expression::Value& value, const FormatField& field) const {
  if (!fits(field.type, value)) {
    return fmt::format("{} must be {}, not {}", field.path, mapping::to_string(field.type),
                       value.is_text() ? "other text" : expression::to_string(value.kind()));
  }
  if (field.type == Type::object) return problem_with_members(*this, value, field.path);
  if (field.type != Type::texts && field.type != Type::objects) return {};
  for (const expression::Value& item : value.items()) {
    if (field.type == Type::texts && !item.is_text()) return fmt::format("{} must hold texts only", field.path);
    if (field.type == Type::objects && !item.is_object()) return fmt::format("{} must hold objects only", field.path);
    if (field.type == Type::objects) {
      std::string problem = problem_with_members(*this, item, field.path);
      if (!problem.empty()) return problem;
    }
  }
  return {};
}

std::span<const Format> all_formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto* found = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : found;
}

std::string_view to_string(FormatField::Type type) {
  constexpr std::array<std::string_view, 7> names = {
      "text",      "an RFC 3339 instant", "an integer below 2^53", "true or false", "a list of texts",
      "an object", "a list of objects"};
  return names[static_cast<std::size_t>(type)];
}

}  // namespace isthmus::mapping
