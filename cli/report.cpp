#include "cli/report.h"

#include <simdjson.h>

#include <algorithm>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"

namespace isthmus::cli {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

struct Label {
  std::string_view key;
  Words words;
};

constexpr Label kLabels[] = {
    {"version", {"version", "version"}},
    {"node", {"node", "nœud"}},
    {"ready", {"ready", "prêt"}},
    {"since", {"since", "depuis"}},
    {"started", {"started", "démarré"}},
    {"listeners", {"listeners", "écoutes"}},
    {"conditions", {"conditions", "conditions"}},
    {"connections", {"connections", "connexions"}},
    {"connection", {"connection", "connexion"}},
    {"name", {"name", "nom"}},
    {"adapter", {"adapter", "adaptateur"}},
    {"state", {"state", "état"}},
    {"reason", {"reason", "motif"}},
    {"good", {"good", "bon"}},
    {"calls", {"calls", "appels"}},
    {"commands", {"commands", "commandes"}},
    {"command", {"command", "commande"}},
    {"call", {"call", "appel"}},
    {"received", {"received", "reçu"}},
    {"total", {"total", "total"}},
    {"operation", {"operation", "opération"}},
    {"attempts", {"attempts", "essais"}},
    {"due", {"due", "échéance"}},
    {"held_for", {"held for", "retenu pour"}},
    {"oldest_undelivered_seconds", {"oldest undelivered, seconds", "plus ancien non livré, secondes"}},
    {"inbox", {"inbox", "reçus"}},
    {"routed", {"routed", "routés"}},
    {"quarantined", {"quarantined", "en quarantaine"}},
    {"unread", {"unread", "non lus"}},
    {"dropped", {"dropped", "abandonnés"}},
    {"repeats", {"repeats", "répétés"}},
    {"answered", {"answered", "acceptés"}},
    {"made", {"made", "faites"}},
    {"delivered", {"delivered", "livrées"}},
    {"duplicate", {"duplicate", "en double"}},
    {"expired", {"expired", "expirées"}},
    {"dead", {"dead", "mortes"}},
    {"held", {"held", "retenues"}},
    {"waiting", {"waiting", "en attente"}},
    {"in_flight", {"in flight", "en cours"}},
    {"refused", {"refused", "refusées"}},
    {"balanced", {"balanced", "équilibré"}},
    {"routes", {"routes", "routes"}},
};

std::string label_of(std::string_view key, Language language) {
  for (const Label& label : kLabels) {
    if (label.key == key) return std::string(label.words.in(language));
  }
  std::string text = printable(key);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string title_of(std::string_view key, Language language) {
  return label_of(key, language) + std::string(Words{":", " :"}.in(language));
}

std::size_t width(std::string_view text) {  // characters, near enough for columns
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string pad(std::string text, std::size_t to) {
  const std::size_t now = width(text);
  if (now < to) text.append(to - now, ' ');
  return text;
}

std::string text_of(const object& from, std::string_view key) {
  std::string_view text;
  return from[key].get(text) == simdjson::SUCCESS ? printable(text) : std::string();
}

std::int64_t number_of(const object& from, std::string_view key) {
  std::int64_t number = 0;
  return from[key].get(number) == simdjson::SUCCESS ? number : 0;
}

std::string scalar(const element& value, Language language) {
  switch (value.type()) {
    case element_type::STRING:
      return printable(value.get_string().value_unsafe());
    case element_type::BOOL:
      return std::string((value.get_bool().value_unsafe() ? Words{"yes", "oui"} : Words{"no", "non"}).in(language));
    case element_type::NULL_VALUE:
      return "-";
    default:
      return simdjson::minify(value);
  }
}

bool is_scalar(const element& value) { return !value.is_object() && !value.is_array(); }

// Rows of objects: a column for each name in order of first appearance.
std::string table(const array& rows, const std::string& indent, Language language) {
  std::vector<std::string> keys;
  for (const element row : rows) {
    object members;
    if (row.get(members) != simdjson::SUCCESS) continue;
    for (const auto field : members) {
      if (std::find(keys.begin(), keys.end(), field.key) == keys.end()) keys.emplace_back(field.key);
    }
  }
  std::vector<std::vector<std::string>> cells(1);
  for (const std::string& key : keys) cells[0].push_back(label_of(key, language));
  for (const element row : rows) {
    auto& line = cells.emplace_back();
    for (const std::string& key : keys) {
      element value;
      line.push_back(row[key].get(value) == simdjson::SUCCESS ? scalar(value, language) : "-");
    }
  }
  std::string out;
  for (const auto& line : cells) {
    std::string text = indent;
    for (std::size_t column = 0; column < keys.size(); ++column) {
      std::size_t widest = 0;
      for (const auto& other : cells) widest = std::max(widest, width(other[column]));
      text += column + 1 == keys.size() ? line[column] : pad(line[column], widest + 2);
    }
    out += text + "\n";
  }
  return out;
}

std::string listing(const array& items, const std::string& indent, Language language) {
  if (items.size() == 0) return indent + std::string(Words{"none", "rien"}.in(language)) + "\n";
  element first;
  if (items.at(0).get(first) == simdjson::SUCCESS && first.is_object()) return table(items, indent, language);
  std::string out;
  for (const element item : items) out += indent + scalar(item, language) + "\n";
  return out;
}

std::string members_of(const object& from, const std::string& indent, Language language) {
  std::size_t widest = 0;
  for (const auto field : from) {
    if (is_scalar(field.value)) widest = std::max(widest, width(title_of(field.key, language)));
  }
  std::string out;
  for (const auto field : from) {
    const std::string title = title_of(field.key, language);
    array items;
    object inner;
    if (field.value.get(items) == simdjson::SUCCESS) {
      const bool titled = field.key != "items";
      if (titled) out += indent + title + "\n";
      out += listing(items, titled ? indent + "  " : indent, language);
    } else if (field.value.get(inner) == simdjson::SUCCESS) {
      out += indent + title + "\n" + members_of(inner, indent + "  ", language);
    } else {
      out += indent + pad(title, widest + 2) + scalar(field.value, language) + "\n";
    }
  }
  return out;
}

std::string change_line(const object& change) {
  const std::string action = text_of(change, "action");
  const std::string_view sign = action == "add" ? "+" : action == "remove" ? "-" : "~";
  std::string out = fmt::format("{} {} {}\n", sign, text_of(change, "section"), text_of(change, "name"));
  array attributes;
  if (action != "change" || change["attributes"].get(attributes) != simdjson::SUCCESS) return out;
  for (const element one : attributes) {
    object attribute;
    if (one.get(attribute) != simdjson::SUCCESS) continue;
    out += fmt::format("    {}: {} -> {}\n", text_of(attribute, "name"), text_of(attribute, "before"),
                       text_of(attribute, "after"));
  }
  return out;
}

/// The member "code", or what the type says of it: urn:isthmus:problem:CODE.
std::string code_of(const object& problem) {
  const std::string code = text_of(problem, "code");
  const std::string type = text_of(problem, "type");
  return code.empty() ? type.substr(type.rfind(':') + 1) : code;
}

std::string diagnostics_of(const object& problem) {
  array list;
  if (problem["diagnostics"].get(list) != simdjson::SUCCESS) return {};
  std::string out;
  for (const element one : list) {
    object from;
    if (one.get(from) != simdjson::SUCCESS) continue;
    const bool warning = text_of(from, "severity") == "warning";
    out += to_string(Diagnostic{text_of(from, "file"), static_cast<int>(number_of(from, "line")),
                                static_cast<int>(number_of(from, "column")),
                                warning ? Diagnostic::Severity::warning : Diagnostic::Severity::error,
                                text_of(from, "code"), text_of(from, "path"), text_of(from, "message")}) +
           "\n";
  }
  return out;
}

}  // namespace

std::string render(std::string_view json, Language language) {
  simdjson::dom::parser parser;
  element root;
  object members;
  array items;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS)
    return printable(json, LineFeeds::kept) + "\n";
  if (root.get(members) == simdjson::SUCCESS) return members_of(members, "", language);
  if (root.get(items) == simdjson::SUCCESS) return listing(items, "", language);
  return scalar(root, language) + "\n";
}

std::string render_changes(std::string_view json, Language language) {
  simdjson::dom::parser parser;
  object root;
  array changes;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      root["changes"].get(changes) != simdjson::SUCCESS) {
    return render(json, language);
  }
  if (changes.size() == 0) return std::string(Words{"nothing to change\n", "rien à changer\n"}.in(language));
  std::string out;
  for (const element one : changes) {
    object change;
    if (one.get(change) == simdjson::SUCCESS) out += change_line(change);
  }
  bool dry_run = false;
  if (root["dry_run"].get(dry_run) == simdjson::SUCCESS && dry_run) {
    return out +
           say(language,
               {"{} to change; nothing was changed (--dry-run)\n", "{} à changer ; rien n'a été changé (--dry-run)\n"},
               changes.size());
  }
  return out + say(language, {"{} changed\n", "changements faits : {}\n"}, changes.size());
}

std::string render_problem(const Reply& reply, Language language) {
  simdjson::dom::parser parser;
  object problem;
  if (parser.parse(reply.body).get(problem) != simdjson::SUCCESS) {
    return say(language, {"isthmus: the daemon answered {}\n", "isthmus : le démon a répondu {}\n"}, reply.status);
  }
  std::string detail = text_of(problem, "detail");
  if (detail.empty()) detail = text_of(problem, "title");
  std::string out = diagnostics_of(problem);
  out += say(language, {"isthmus: {} ({})\n", "isthmus : {} ({})\n"}, detail, code_of(problem));
  const std::string hint = text_of(problem, "hint");
  if (!hint.empty()) out += say(language, {"hint: {}\n", "piste : {}\n"}, hint);
  return out;
}

int show_error(Terminal& terminal, As as, const Error& error) {
  if (as == As::json) {
    JsonWriter json;
    json.begin_object()
        .member("code", error.code)
        .member("detail", printable(error.what))
        .member("hint", error.hint)
        .end_object();
    terminal.out << json.text() << '\n';
  } else {
    terminal.err << say(terminal.language, {"isthmus: {}\n", "isthmus : {}\n"}, printable(error.what));
    if (!error.hint.empty()) terminal.err << say(terminal.language, {"hint: {}\n", "piste : {}\n"}, error.hint);
  }
  return error.code == "control.unreachable" ? exit_unreachable : exit_failed;
}

int show_problem(Terminal& terminal, As as, const Reply& reply) {
  if (as == As::json) {
    terminal.out << reply.body << '\n';
  } else {
    terminal.err << render_problem(reply, terminal.language);
  }
  return exit_failed;
}

}  // namespace isthmus::cli
