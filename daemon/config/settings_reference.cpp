#include <fmt/format.h>

#include "base/json.h"
#include "config/detail/settings_fields.h"
#include "config/settings.h"

namespace isthmus::config {

namespace {

using detail::Field;
using detail::Form;

void write_type(JsonWriter& json, const Field& field) {
  if (std::holds_alternative<detail::NumberMember>(field.member)) {
    json.member("type", "integer").member("minimum", field.min).member("maximum", field.max);
    if (!field.required) json.key("default").raw(field.fallback);
    return;
  }
  if (std::holds_alternative<detail::ListMember>(field.member)) {
    json.member("type", "array").key("items").begin_object().member("type", "string").end_object();
    json.key("default").begin_array().value(field.fallback).end_array();
    return;
  }
  json.member("type", "string");
  if (field.form == Form::log_level) {
    json.key("enum").begin_array();
    for (const std::string& level : detail::log_levels()) json.value(level);
    json.end_array();
  }
  if (!field.required && !field.fallback.empty()) json.member("default", field.fallback);
}

/// The object below prefix, from the rows whose paths start with it.
void write_group(JsonWriter& json, const std::string& prefix) {
  json.member("type", "object").member("additionalProperties", false).key("properties").begin_object();
  std::vector<std::string> required;
  std::string open_group;
  for (const Field& field : detail::settings_fields()) {
    if (!field.path.starts_with(prefix)) continue;
    const std::string_view rest = field.path.substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('.')));
    if (name.size() < rest.size()) {
      if (name == open_group) continue;
      open_group = name;
      json.key(name).begin_object();
      write_group(json, prefix + name + ".");
      json.end_object();
    } else {
      json.key(name).begin_object().member("description", field.english);
      write_type(json, field);
      json.end_object();
    }
    if (field.required) required.push_back(name);
  }
  json.end_object().key("required").begin_array();
  for (const std::string& name : required) json.value(name);
  json.end_array();
}

std::string type_words(const Field& field, bool french) {
  if (std::holds_alternative<detail::NumberMember>(field.member)) {
    return fmt::format("{}, {} {} {}", french ? "nombre entier" : "whole number", field.min, french ? "à" : "to",
                       field.max);
  }
  if (std::holds_alternative<detail::ListMember>(field.member)) return french ? "liste de chemins" : "list of paths";
  switch (field.form) {
    case Form::node_name:
      return french ? "1 à 63 lettres minuscules, chiffres et -" : "1 to 63 lower-case letters, digits and -";
    case Form::host:
      return french ? "hôte, adresse ou dossier" : "host, address or folder";
    case Form::address:
      return french ? "adresse IPv4 ou IPv6" : "IPv4 or IPv6 address";
    case Form::credential:
      return french ? "nom de fichier" : "file name";
    case Form::folder:
      return french ? "dossier" : "folder";
    case Form::socket_path:
      return french ? "chemin, au plus 107 octets" : "path, at most 107 bytes";
    case Form::log_level:
      return "`debug`, `info`, `warning`, `error`";
    case Form::any:
    case Form::origin:
    case Form::existing_paths:
      break;
  }
  return french ? "texte" : "text";
}

constexpr std::string_view kIntroEnglish =
    "# isthmus.yaml\n\n"
    "What one machine needs to know to run a node. Everything that people administer (units, principals, connections, "
    "routes) is in the\n"
    "database: see `isthmus apply`. `isthmusd check --config FILE` judges the file and reports all mistakes at once;\n"
    "`--show-effective` prints every value and where it comes from. Relative paths count from the file's own "
    "folder.\n\n"
    "The file is strict YAML: unknown and repeated keys, anchors, tags, `yes`/`no` and numbers like `010` are "
    "errors.\n\n"
    "| key | type | default | reload | meaning |\n| --- | --- | --- | --- | --- |\n";
constexpr std::string_view kIntroFrench =
    "# isthmus.yaml\n\n"
    "Ce qu'une machine doit savoir pour faire tourner un nœud. Tout ce que les personnes administrent (unités, "
    "personnes, connexions,\n"
    "routes) est dans la base : voir `isthmus apply`. `isthmusd check --config FICHIER` juge le fichier et signale "
    "toutes les erreurs à la\n"
    "fois ; `--show-effective` montre chaque valeur et son origine. Les chemins relatifs partent du dossier du "
    "fichier.\n\n"
    "Le fichier est du YAML strict : clés inconnues ou répétées, ancres, étiquettes, `yes`/`no` et nombres comme `010` "
    "sont des erreurs.\n\n"
    "| clé | type | défaut | rechargement | sens |\n| --- | --- | --- | --- | --- |\n";

}  // namespace

std::string settings_schema() {
  JsonWriter json;
  json.begin_object().member("$schema", "https://json-schema.org/draft/2020-12/schema").member("title", "isthmus.yaml");
  write_group(json, "");
  json.end_object();
  return std::move(json).text();
}

std::string settings_reference(Language language) {
  const bool french = language == Language::french;
  std::string page(french ? kIntroFrench : kIntroEnglish);
  for (const Field& field : detail::settings_fields()) {
    std::string fallback = field.fallback.empty() ? std::string() : fmt::format("`{}`", field.fallback);
    if (field.required) fallback = french ? "obligatoire" : "required";
    const std::string_view reload = field.live ? (french ? "oui" : "yes") : (french ? "redémarrage" : "restart");
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", field.path, type_words(field, french), fallback, reload,
                        french ? field.french : field.english);
  }
  return page;
}

}  // namespace isthmus::config
