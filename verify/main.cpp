#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "verify_bag.h"

namespace {

using verify::Language;

constexpr int kAccepted = 0;
constexpr int kRefused = 1;
constexpr int kUsage = 2;

constexpr const char* kUsageEnglish =
    "usage: isthmus-verify BAG --key KEY [--json]\n"
    "  BAG     folder of a bag that `isthmus archive export` wrote\n"
    "  KEY     verifier key of the log (name+id+base64), or a file that holds it; get it from the company by another "
    "way\n"
    "          than the bag\n"
    "  --json  one JSON object on standard output\n"
    "Exit status: 0 the bag is accepted, 1 it is refused, 2 the command cannot be understood.\n";
constexpr const char* kUsageFrench =
    "usage : isthmus-verify SAC --key CLE [--json]\n"
    "  SAC     dossier d'un sac écrit par `isthmus archive export`\n"
    "  CLE     clé de vérification du journal (nom+id+base64), ou un fichier qui la contient ; à obtenir de "
    "l'entreprise\n"
    "          par une autre voie que le sac\n"
    "  --json  un objet JSON sur la sortie standard\n"
    "Code de retour : 0 le sac est accepté, 1 il est refusé, 2 la commande n'est pas comprise.\n";

struct Command {
  std::string bag;
  std::string key;
  bool json = false;
  bool help = false;
};

Language language_of_environment() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return std::string_view(value).substr(0, 2) == "fr" ? Language::french : Language::english;
  }
  return Language::english;
}

/// False when the arguments are not those of the usage text.
bool read_arguments(const std::vector<std::string>& arguments, Command& out) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      out.help = true;
    } else if (argument == "--json") {
      out.json = true;
    } else if (argument == "--key" && i + 1 < arguments.size() && out.key.empty()) {
      out.key = arguments[++i];
    } else if (!argument.starts_with('-') && out.bag.empty()) {
      out.bag = argument;
    } else {
      return false;
    }
  }
  return out.help || (!out.bag.empty() && !out.key.empty());
}

std::optional<verify::VerifierKey> key_from_argument(const std::string& argument) {
  if (auto key = verify::read_key(argument)) return key;
  std::ifstream file(argument, std::ios::binary);
  std::string text;
  for (char c = 0; text.size() < 1024 && file.get(c);) text += c;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return verify::read_key(text);
}

std::string json_string(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // Names of files need not be UTF-8: each byte that is not plain ASCII is written as the character of that number.
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\') {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

void print_json(const verify::Report& report) {
  std::string out = "{\"accepted\":";
  out += report.accepted() ? "true" : "false";
  out += ",\"origin\":" + json_string(report.origin) + ",\"log_size\":" + std::to_string(report.log_size) +
         ",\"records\":" + std::to_string(report.records) + ",\"withheld\":" + std::to_string(report.withheld) +
         ",\"absent\":" + std::to_string(report.absent) + ",\"whole_log\":" + (report.whole_log ? "true" : "false") +
         ",\"faults\":" + std::to_string(report.findings.count()) + ",\"findings\":[";
  bool first = true;
  for (const auto& finding : report.findings.kept()) {
    if (!first) out += ',';
    first = false;
    out += "{\"code\":" + json_string(verify::code_of(finding.fault)) + ",\"file\":" + json_string(finding.file);
    if (finding.line) out += ",\"line\":" + std::to_string(*finding.line);
    if (finding.index) out += ",\"index\":" + std::to_string(*finding.index);
    if (!finding.record.empty()) out += ",\"record\":" + json_string(finding.record);
    out += ",\"text\":" + json_string(verify::text_of(finding.fault, Language::english)) + "}";
  }
  std::cout << out << "]}\n";
}

void print_text(const verify::Report& report, Language language) {
  const bool french = language == Language::french;
  for (const auto& finding : report.findings.kept()) std::cout << verify::to_text(finding, language) << '\n';
  if (!report.accepted()) {
    std::cout << (french ? "REFUSÉ : " : "REFUSED: ") << report.findings.count()
              << (french ? " défaut(s)\n" : " fault(s)\n");
    return;
  }
  std::cout << (french ? "ACCEPTÉ : " : "ACCEPTED: ") << report.origin << ", " << report.records
            << (french ? " enregistrement(s) d'un journal de " : " record(s) of a log of ") << report.log_size;
  if (report.withheld > 0) std::cout << (french ? ", corps non montrés : " : ", bodies not shown: ") << report.withheld;
  if (report.absent > 0)
    std::cout << (french ? ", absents et déclarés : " : ", absent and declared: ") << report.absent;
  if (report.whole_log) std::cout << (french ? ", journal entier" : ", whole log");
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  const Language language = language_of_environment();
  const char* usage = language == Language::french ? kUsageFrench : kUsageEnglish;
  Command command;
  if (!read_arguments(std::vector<std::string>(argv + 1, argv + argc), command)) {
    std::cerr << usage;
    return kUsage;
  }
  if (command.help) {
    std::cout << usage;
    return kAccepted;
  }
  const auto key = key_from_argument(command.key);
  if (!key) {
    std::cerr << (language == Language::french ? "isthmus-verify : --key n'est ni une clé de vérification "
                                                 "(nom+id+base64, Ed25519) ni un fichier qui en contient une\n"
                                               : "isthmus-verify: --key is neither a verifier key (name+id+base64, "
                                                 "Ed25519) nor a file that holds one\n");
    return kUsage;
  }
  verify::FolderFiles files(command.bag);
  const verify::Report report = verify::verify_bag(files, *key);
  if (command.json) {
    print_json(report);
  } else {
    print_text(report, language);
  }
  return report.accepted() ? kAccepted : kRefused;
}
