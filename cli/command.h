#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/terminal.h"

namespace isthmus::cli {

struct Invocation;

/// An option of one command; those that every command has are added by the parser.
struct Option {
  std::string_view name;   ///< "--out"
  std::string_view value;  ///< "DIR"; empty: a flag
  enum class Presence { required, optional } presence;
  Words text;
};

/// A word after the command's name.
struct Positional {
  std::string_view name;  ///< "COMMAND"
  enum class Count { one, one_or_more, none_or_more } count;
  Words text;
};

/// One verb of the program: a row of the table in commands.cpp, from which parsing, help and the manual's test come.
struct Command {
  std::string_view name;  ///< "parked retry"
  enum class Needs { daemon, nothing } needs;
  std::vector<Positional> positionals;
  std::vector<Option> options;
  Words summary;  ///< half a line
  Words details;  ///< sentences; may be empty
  int (*run)(Terminal& terminal, const Invocation& invocation);
};

/// A command line that was understood.
struct Invocation {
  const Command* command = nullptr;  ///< nullptr: only help or version was asked for
  std::vector<std::string> positionals;
  std::map<std::string, std::vector<std::string>, std::less<>> options;  ///< given ones; a flag has one empty value
  std::string socket = "/run/isthmus/control.sock";
  enum class Output { text, json } output = Output::text;
  enum class Wish { run, help, version } wish = Wish::run;

  [[nodiscard]] bool has(std::string_view option) const { return options.find(option) != options.end(); }
  /// The value of an option that was given once.
  [[nodiscard]] std::string value(std::string_view option) const;
};

/// All commands, in the order of the help.
[[nodiscard]] std::span<const Command> all_commands();

/// @param arguments without the program's name.
/// Error usage: a sentence in the language, for standard error.
[[nodiscard]] Result<Invocation> parse_arguments(std::span<const std::string> arguments, Language language);

[[nodiscard]] std::string general_help(Language language);
[[nodiscard]] std::string command_help(const Command& command, Language language);

/// The whole program but for what main() asks the system.
[[nodiscard]] int run(std::span<const std::string> arguments, Terminal& terminal);

}  // namespace isthmus::cli
