#include <signal.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "node/node.h"
#include "ops/hardening.h"
#include "ops/systemd.h"

namespace {

constexpr int kBadConfiguration = 78;  // EX_CONFIG of sysexits.h
constexpr const char* kHelp =
    "isthmusd: stands between social networks and business systems\n"
    "\n"
    "usage: isthmusd run --config FILE [--migrate]    run until SIGTERM; SIGHUP reads the configuration again\n"
    "       isthmusd check --config FILE [--show-effective]   judge configuration, adapters, mappings and policies\n"
    "       isthmusd --version | --help\n"
    "\n"
    "  --migrate          bring the database's schema up to date first\n"
    "  --show-effective   print every value with where it comes from\n"
    "\n"
    "exit status: 0 good, 1 failed, 2 wrong usage, 78 bad configuration. Manual: isthmusd(8)\n";

int usage(const std::string& what) {
  std::fprintf(stderr, "isthmusd: %s; see isthmusd --help\n", what.c_str());
  return 2;
}

int check(const isthmus::Node::Options& options, bool show_effective) {
  isthmus::Diagnostics diagnostics;
  const auto node = isthmus::Node::build(options, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!node || diagnostics.has_errors()) return kBadConfiguration;
  if (show_effective) {
    isthmus::Diagnostics again;
    const auto settings =
        isthmus::config::Settings::load(options.config_file, isthmus::config::credentials_of_environment(), again);
    if (settings) std::fputs(isthmus::config::show_effective(*settings).c_str(), stdout);
  }
  std::fputs("configuration is good\n", stderr);
  return 0;
}

int run(const isthmus::Node::Options& options) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread, so that all inherit it
  signal(SIGPIPE, SIG_IGN);
  isthmus::Diagnostics diagnostics;
  const auto node = isthmus::Node::build(options, diagnostics);
  if (!node || diagnostics.has_errors()) {
    std::fputs(diagnostics.to_string().c_str(), stderr);
    return kBadConfiguration;
  }
  if (auto started = node->start(); !started) {
    std::fprintf(stderr, "isthmusd: %s\n", to_string(started.error()).c_str());
    const std::string& code = started.error().code;
    return code == "store.newer-schema" || code == "store.migration" || code == "store.old-schema" ||
                   code.starts_with("seal.")
               ? kBadConfiguration
               : 1;
  }
  isthmus::ops::notify_ready("running");
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) break;
    if (auto done = node->reload(); !done)
      std::fprintf(stderr, "isthmusd: reload refused: %s\n", to_string(done.error()).c_str());
  }
  isthmus::ops::notify_stopping();
  node->stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (auto hardened = isthmus::ops::harden_process(); !hardened) {
    std::fprintf(stderr, "isthmusd: %s\n", to_string(hardened.error()).c_str());
    return 1;
  }
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  isthmus::Node::Options options;
  bool show_effective = false;
  if (words.empty()) return usage("say what to do");
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return std::fputs(kHelp, stdout) < 0 ? 1 : 0;
  if (words[0] == "--version") return std::printf("isthmusd %s\n", ISTHMUS_VERSION) < 0 ? 1 : 0;
  if (words[0] != "run" && words[0] != "check") return usage("\"" + std::string(words[0]) + "\" is not known");
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--config" && i + 1 < words.size()) {
      options.config_file = words[++i];
    } else if (words[i] == "--migrate" && words[0] == "run") {
      options.migrate = true;
    } else if (words[i] == "--show-effective" && words[0] == "check") {
      show_effective = true;
    } else {
      return usage("\"" + std::string(words[i]) + "\" is not known here");
    }
  }
  if (options.config_file.empty()) return usage("--config FILE is missing");
  return words[0] == "check" ? check(options, show_effective) : run(options);
}
