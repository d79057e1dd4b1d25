#include <algorithm>

#include "base/diagnostic.h"
#include "cli/command.h"

namespace isthmus::cli {
namespace {

constexpr Option kJson{"--json",
                       "",
                       Option::Presence::optional,
                       {"print one JSON value, for machines; errors too",
                        "écrire une valeur JSON, pour les machines ; les erreurs aussi"}};
constexpr Option kHelp{"--help", "", Option::Presence::optional, {"print this text", "écrire ce texte"}};
constexpr Option kSocket{"--socket",
                         "PATH",
                         Option::Presence::optional,
                         {"control socket of the daemon (/run/isthmus/control.sock)",
                          "socket de contrôle du démon (/run/isthmus/control.sock)"}};

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options = command.options;
  if (command.needs == Command::Needs::daemon) options.insert(options.end(), {kJson, kSocket});
  options.push_back(kHelp);
  return options;
}

// The command that the first words name, and how many words that took. "parked" alone names none.
std::pair<const Command*, std::size_t> find_command(std::span<const std::string> words) {
  for (std::size_t count = std::min<std::size_t>(2, words.size()); count > 0; --count) {
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    for (const Command& command : all_commands()) {
      if (command.name == name) return {&command, count};
    }
  }
  return {nullptr, 0};
}

tl::unexpected<Error> usage(std::string what) { return fail("usage", std::move(what)); }

tl::unexpected<Error> unknown_command(std::span<const std::string> words, Language language) {
  std::vector<std::string> names;
  std::string group;
  for (const Command& command : all_commands()) {
    names.emplace_back(command.name);
    if (command.name.starts_with(words[0] + " ")) group += (group.empty() ? "" : ", ") + std::string(command.name);
  }
  if (!group.empty()) {
    return usage(say(language, {"\"{}\" needs one more word: {}", "« {} » demande un mot de plus : {}"},
                     printable(words[0]), group));
  }
  const std::string near = nearest_name(words[0], names);
  std::string what =
      say(language, {"there is no command \"{}\"", "la commande « {} » n'existe pas"}, printable(words[0]));
  if (!near.empty()) what += say(language, {"; did you mean \"{}\"?", " ; vouliez-vous dire « {} » ?"}, near);
  return usage(std::move(what));
}

// Reads what follows a command's name into an invocation.
class Reader {
 public:
  Reader(const Command& command, Language language) : options_(options_of(command)), language_(language) {
    invocation_.command = &command;
  }

  Result<Invocation> read(std::span<const std::string> words) {
    bool only_words = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
      const std::string& word = words[at];
      if (only_words || !word.starts_with("-") || word == "-") {
        invocation_.positionals.push_back(word);
      } else if (word == "--") {
        only_words = true;
      } else {
        const std::string* next = at + 1 < words.size() ? &words[at + 1] : nullptr;
        auto used = take_option(word, next);
        if (!used) return fail(std::move(used).error());
        at += *used;
      }
    }
    if (invocation_.wish == Invocation::Wish::help) return invocation_;
    return checked();
  }

 private:
  // How many further words the option took.
  Result<std::size_t> take_option(const std::string& word, const std::string* next) {
    const auto equals = word.find('=');
    const std::string name = word == "-h" ? "--help" : word.substr(0, equals);
    const auto option =
        std::find_if(options_.begin(), options_.end(), [&](const Option& one) { return one.name == name; });
    if (option == options_.end()) return unknown_option(name);
    std::string value;
    std::size_t used = 0;
    if (option->value.empty() && equals != std::string::npos) {
      return usage(say(language_, {"{} takes no value", "{} ne prend pas de valeur"}, name));
    }
    if (!option->value.empty() && equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (!option->value.empty()) {
      if (next == nullptr)
        return usage(say(language_, {"{} needs a value: {}", "{} demande une valeur : {}"}, name, option->value));
      value = *next;
      used = 1;
    }
    keep(name, std::move(value));
    return used;
  }

  tl::unexpected<Error> unknown_option(const std::string& name) const {
    std::vector<std::string> names;
    for (const Option& one : options_) names.emplace_back(one.name);
    std::string what = say(language_, {"{} is not an option of \"{}\"", "{} n'est pas une option de « {} »"},
                           printable(name), invocation_.command->name);
    const std::string near = nearest_name(name, names);
    if (!near.empty()) what += say(language_, {"; did you mean {}?", " ; vouliez-vous dire {} ?"}, near);
    return usage(std::move(what));
  }

  void keep(const std::string& name, std::string value) {
    if (name == "--help") {
      invocation_.wish = Invocation::Wish::help;
    } else if (name == "--json") {
      invocation_.output = Invocation::Output::json;
    } else if (name == "--socket") {
      invocation_.socket = std::move(value);
    } else {
      invocation_.options[name].push_back(std::move(value));
    }
  }

  Result<Invocation> checked() {
    const Command& command = *invocation_.command;
    std::size_t least = 0;
    bool more = false;
    for (const Positional& one : command.positionals) {
      least += one.count == Positional::Count::none_or_more ? 0 : 1;
      more = more || one.count != Positional::Count::one;
      if (invocation_.positionals.size() < least) {
        return usage(say(language_, {"\"{}\" needs {}: {}", "« {} » demande {} : {}"}, command.name, one.name,
                         one.text.in(language_)));
      }
    }
    if (!more && invocation_.positionals.size() > command.positionals.size()) {
      return usage(say(language_, {"\"{}\" does not take \"{}\"", "« {} » ne prend pas « {} »"}, command.name,
                       printable(invocation_.positionals[command.positionals.size()])));
    }
    for (const Option& option : command.options) {
      if (option.presence == Option::Presence::required && !invocation_.has(option.name)) {
        return usage(
            say(language_, {"\"{}\" needs {} {}", "« {} » demande {} {}"}, command.name, option.name, option.value));
      }
    }
    return invocation_;
  }

  std::vector<Option> options_;
  Language language_;
  Invocation invocation_;
};

std::string usage_line(const Command& command) {
  std::string line = "isthmus " + std::string(command.name);
  for (const Positional& one : command.positionals) {
    const std::string name(one.name);
    line += one.count == Positional::Count::one           ? " " + name
            : one.count == Positional::Count::one_or_more ? " " + name + "..."
                                                          : " [" + name + "...]";
  }
  for (const Option& option : options_of(command)) {
    if (option.name == "--help") continue;
    const std::string text = std::string(option.name) + (option.value.empty() ? "" : " " + std::string(option.value));
    line += option.presence == Option::Presence::required ? " " + text : " [" + text + "]";
  }
  return line;
}

}  // namespace

std::string Invocation::value(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::string() : found->second.back();
}

Result<Invocation> parse_arguments(std::span<const std::string> arguments, Language language) {
  // Global options may stand before the command: isthmus --socket PATH status.
  std::vector<std::string> words(arguments.begin(), arguments.end());
  std::vector<std::string> leading;
  while (!words.empty() && words[0].starts_with("--")) {
    const std::string word = words[0];
    Invocation only;
    if (word == "--version") only.wish = Invocation::Wish::version;
    if (word == "--help") only.wish = Invocation::Wish::help;
    if (only.wish != Invocation::Wish::run) return only;
    const std::size_t count = word == "--socket" && words.size() > 1 ? 2 : 1;
    leading.insert(leading.end(), words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (words.empty())
    return usage(std::string(Words{"a command is needed", "une commande est nécessaire"}.in(language)));
  if (words[0] == "help" || words[0] == "-h") {
    Invocation help;
    help.wish = Invocation::Wish::help;
    if (words.size() > 1) help.command = find_command(std::span(words).subspan(1)).first;
    return help;
  }
  const auto [command, count] = find_command(words);
  if (command == nullptr) return unknown_command(words, language);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  words.insert(words.begin(), leading.begin(), leading.end());
  return Reader(*command, language).read(words);
}

std::string general_help(Language language) {
  std::string text(Words{"usage: isthmus COMMAND [OPTION...]\n\nThe administrator's command of Isthmus.\n\n",
                         "usage : isthmus COMMANDE [OPTION...]\n\nLa commande de l'administrateur d'Isthmus.\n\n"}
                       .in(language));
  for (const Command& command : all_commands()) {
    text += fmt::format("  {:<18} {}\n", command.name, command.summary.in(language));
  }
  text +=
      Words{
          "\n\"isthmus COMMAND --help\" tells more about one of them.\n"
          "Exit codes: 0 done, 1 failed, 2 the command line is wrong, 3 the daemon cannot be reached.\n",
          "\n« isthmus COMMANDE --help » en dit plus sur l'une d'elles.\n"
          "Codes de retour : 0 fait, 1 échec, 2 ligne de commande fausse, 3 démon injoignable.\n"}
          .in(language);
  return text;
}

std::string command_help(const Command& command, Language language) {
  std::string text =
      say(language, {"usage: {}\n\n{}\n", "usage : {}\n\n{}\n"}, usage_line(command), command.summary.in(language));
  if (!command.details.in(language).empty()) text += fmt::format("{}\n", command.details.in(language));
  text += '\n';
  for (const Positional& one : command.positionals)
    text += fmt::format("  {:<18} {}\n", one.name, one.text.in(language));
  for (const Option& option : options_of(command)) {
    const std::string name = std::string(option.name) + (option.value.empty() ? "" : " " + std::string(option.value));
    text += fmt::format("  {:<18} {}\n", name, option.text.in(language));
  }
  return text;
}

}  // namespace isthmus::cli
