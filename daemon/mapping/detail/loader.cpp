#include "mapping/detail/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/reader.h"

namespace isthmus::mapping {
namespace {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& format : all_formats()) names.emplace_back(format.name);
  return names;
}

const Format* read_format(config::MapReader& reader, std::string_view key) {
  const std::string name = reader.required_text(key);
  const Format* format = find_format(name);
  if (format == nullptr && !name.empty()) {
    reader.error(key, "mapping.format",
                 fmt::format("\"{}\" is not a format; {}", name, config::accepted_words(name, format_names())));
  }
  return format;
}

expression::Names names_of(const Format& from) {
  std::vector<std::string> names = {"task.now", "connection"};
  for (const FormatField& field : from.fields) {
    // An object admits only what lies in it: its members are entries of their own.
    if (field.type != FormatField::Type::object && field.type != FormatField::Type::objects) {
      names.push_back(fmt::format("event.{}", field.path));
    }
  }
  return expression::Names(std::move(names));
}

// What is inside quotes begins a column later; a block begins on the next line, at an indentation that is not known.
expression::Origin origin_of(const config::Node& node, std::string path) {
  const bool block = node.text.find('\n') != std::string::npos;
  return {node.file ? *node.file : std::string(), node.line + (block ? 1 : 0),
          block ? 1 : node.column + (node.quoted ? 1 : 0), std::move(path)};
}

std::size_t group_index(Plan& plan, const std::string& path) {
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    if (plan.groups[i].path == path) return i;
  }
  const FormatField* format = plan.to->find(path);
  const std::size_t dot = path.rfind('.');
  plan.groups.push_back(Group{path, dot == std::string::npos ? path : path.substr(dot + 1),
                              format != nullptr && format->presence == FormatField::Presence::required});
  return plan.groups.size() - 1;
}

void set_groups(Plan& plan, PlannedField& field) {
  for (std::size_t dot = field.to.find('.'); dot != std::string::npos; dot = field.to.find('.', dot + 1)) {
    field.groups.push_back(group_index(plan, field.to.substr(0, dot)));
  }
}

void set_reads(PlannedField& field) {
  constexpr std::string_view root = "event";
  for (const std::string& path : field.value.paths()) {
    if (path == root) field.reads.emplace_back();
    if (path.rfind("event.", 0) == 0) field.reads.push_back(path.substr(root.size() + 1));
  }
}

const FormatField* target_of(config::MapReader& reader, const std::string& to, const Format& format) {
  if (to.empty()) return nullptr;
  const FormatField* found = format.find(to);
  if (found == nullptr) {
    std::vector<std::string> known;
    for (const FormatField& field : format.fields) known.emplace_back(field.path);
    const std::string near = nearest_name(to, known);
    reader.error("to", "mapping.unknown-field",
                 fmt::format("{} has no field {}{}", format.name, to,
                             near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
    return nullptr;
  }
  for (std::size_t dot = to.find('.'); dot != std::string::npos; dot = to.find('.', dot + 1)) {
    if (format.find(to.substr(0, dot))->type != FormatField::Type::objects) continue;
    reader.error("to", "mapping.unknown-field",
                 fmt::format("{} is a list: it is mapped as a whole", to.substr(0, dot)));
    return nullptr;
  }
  return found;
}

void load_field(const config::Node& node, const std::string& path, const expression::Names& names, Plan& plan,
                Diagnostics& diagnostics) {
  config::MapReader reader(node, path, diagnostics);
  const std::string to = reader.required_text("to");
  const config::Node* value = reader.required("value");
  const OnError on_error = reader.optional_choice<OnError>(
      "on_error", {{"hold", OnError::hold}, {"drop_field", OnError::drop_field}, {"reject", OnError::reject}},
      OnError::hold);
  const FormatField* target = target_of(reader, to, *plan.to);
  if (target != nullptr && target->presence == FormatField::Presence::required && on_error == OnError::drop_field) {
    reader.error("on_error", "mapping.required",
                 fmt::format("{} requires {}: it cannot be dropped", plan.to->name, to));
  }
  reader.finish();
  const auto text = value == nullptr ? std::nullopt : config::as_text(*value, path + ".value", diagnostics);
  if (!text) return;
  auto compiled = expression::Template::compile(*text, origin_of(*value, path + ".value"),
                                                expression::Checks{plan.library, names}, diagnostics);
  if (!compiled || target == nullptr) return;
  const std::size_t dot = to.rfind('.');
  PlannedField field{to, dot == std::string::npos ? to : to.substr(dot + 1), target, std::move(*compiled), on_error, {},
                     {}};
  set_groups(plan, field);
  set_reads(field);
  plan.fields.push_back(std::move(field));
}

bool below(std::string_view path, std::string_view above) {
  return path.size() > above.size() && path.substr(0, above.size()) == above && path[above.size()] == '.';
}

/// The body is written in one pass: a field once, the fields of an object together, an object whole or by its fields.
void check_order(const Plan& plan, config::MapReader& reader) {
  std::set<std::string> written;
  std::set<std::size_t> closed;
  std::vector<std::size_t> open;
  for (const PlannedField& field : plan.fields) {
    if (!written.insert(field.to).second)
      reader.error("fields", "mapping.twice", fmt::format("{} is mapped twice", field.to));
    for (const std::size_t group : open) {
      if (std::find(field.groups.begin(), field.groups.end(), group) == field.groups.end()) closed.insert(group);
    }
    for (const std::size_t group : field.groups) {
      if (closed.count(group) > 0) {
        reader.error("fields", "mapping.order",
                     fmt::format("{} stands apart from the other fields of {}", field.to, plan.groups[group].path));
        closed.erase(group);
      }
    }
    open = field.groups;
  }
  for (const Group& group : plan.groups) {
    if (written.count(group.path) == 0) continue;
    reader.error("fields", "mapping.twice", fmt::format("{} is mapped as a whole and by its fields", group.path));
  }
}

void check_required(const Plan& plan, config::MapReader& reader) {
  const auto mapped = [&](std::string_view path) {
    return std::any_of(plan.fields.begin(), plan.fields.end(),
                       [&](const PlannedField& f) { return f.to == path || below(path, f.to) || below(f.to, path); });
  };
  for (const FormatField& field : plan.to->fields) {
    if (field.presence != FormatField::Presence::required || mapped(field.path)) continue;
    const std::size_t dot = field.path.rfind('.');
    if (dot != std::string_view::npos && !mapped(field.path.substr(0, dot))) continue;
    reader.error("fields", "mapping.required",
                 fmt::format("{} requires {}, and no field maps it", plan.to->name, field.path));
  }
}

}  // namespace

void load_plan(const config::Node& root, Plan& plan, Diagnostics& diagnostics) {
  config::MapReader reader(root, "", diagnostics);
  if (!reader.is_map()) return;
  plan.name = reader.required_text("mapping");
  plan.version = reader.required_int("version", 1, 1000000);
  (void)reader.optional_text("about");
  plan.from = read_format(reader, "from");
  plan.to = read_format(reader, "to");
  const auto fields = reader.required_list("fields");
  const auto examples = reader.required_list("examples");
  if (fields.size() > kFieldsMax) {
    reader.error("fields", "mapping.limit", fmt::format("a mapping has at most {} fields", kFieldsMax));
  }
  reader.finish();
  if (plan.from == nullptr || plan.to == nullptr || fields.size() > kFieldsMax) return;
  const expression::Names names = names_of(*plan.from);
  const bool clean_before = !diagnostics.has_errors();
  for (std::size_t i = 0; i < fields.size(); ++i)
    load_field(fields[i], fmt::format("fields[{}]", i), names, plan, diagnostics);
  // Judged only when each field stands: a mistyped target is not also an absent one.
  if (clean_before && !diagnostics.has_errors()) {
    check_order(plan, reader);
    check_required(plan, reader);
  }
  load_examples(examples, "examples", plan, diagnostics);
}

}  // namespace isthmus::mapping
