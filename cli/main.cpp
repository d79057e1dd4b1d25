#include <curl/curl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command.h"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: before any thread
  return value == nullptr ? std::string() : std::string(value);
}

int run(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  using namespace isthmus::cli;  // NOLINT: main's own file
  const std::vector<std::string> words(arguments + 1, arguments + count);
  Terminal terminal{std::cout, std::cerr, language_of(variable("LC_ALL"), variable("LC_MESSAGES"), variable("LANG")),
                    ::isatty(STDERR_FILENO) == 1 ? Terminal::Progress::shown : Terminal::Progress::hidden};
  const int code = isthmus::cli::run(words, terminal);
  std::cout.flush();
  return code == exit_good && !std::cout ? static_cast<int>(exit_failed) : code;  // a full disk is not success
}

}  // namespace

int main(int count, char** arguments) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "isthmus: " << error.what() << '\n';
    return isthmus::cli::exit_failed;
  }
}
