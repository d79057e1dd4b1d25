#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/detail/test_socket.h"
#include "store/connection.h"
#include "system/process.h"

namespace isthmus::test {

using Socket = http::detail::TestSocket;

/// A whole installation on this machine: a database, credentials, isthmus.yaml, and the real daemon and administrator's
/// command, as build/bin has them. Everything lies in a folder of its own, every door has a free port. Threads: one,
/// but for the ports.
class Bridge {
 public:
  struct Options {
    std::vector<std::string> adapters{};  ///< folders beside the shipped ones, which they override
    std::string more{};                   ///< lines at the end of isthmus.yaml
  };

  Bridge() : Bridge(Options()) {}
  explicit Bridge(Options options);
  ~Bridge();

  /// Starts the daemon, which must become ready; fails the test otherwise. A restart keeps the ports of the first
  /// start.
  void start();
  /// SIGTERM, and its end within half a minute; its exit status.
  int stop();
  /// SIGKILL.
  void kill();
  [[nodiscard]] bool running() { return daemon_ && daemon_->running(); }
  [[nodiscard]] std::string log() const { return daemon_ ? daemon_->err() : std::string(); }
  [[nodiscard]] Process& daemon() { return *daemon_; }

  /// The administrator's command; its options --socket and --json are added.
  Ran isthmus(std::vector<std::string> words, std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;
  /// Applies a file, which must be accepted.
  void apply(const std::string& yaml) const;
  void secret(const std::string& connection, const std::string& field, const std::string& value) const;

  /// The terms of the two books by name ("calls.inbox"), "balanced" as 1 or 0; empty when they cannot be read.
  [[nodiscard]] std::map<std::string, std::int64_t> books() const;
  /// What `isthmus parked list` shows.
  [[nodiscard]] std::string parked() const;
  /// What `isthmus quarantine list` shows.
  [[nodiscard]] std::string quarantine() const;
  /// `isthmus archive export`, then what isthmus-verify makes of the bag.
  [[nodiscard]] Ran verify() const;

  [[nodiscard]] std::uint16_t public_port() const { return public_port_; }
  [[nodiscard]] std::uint16_t house_port() const { return house_port_; }
  /// Status of a GET at the house door; 0 when nothing answered.
  [[nodiscard]] int probe(const std::string& path) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const store::Options& database() const { return database_; }

 private:
  void write_settings() const;

  Options options_;
  store::Options database_;
  std::filesystem::path folder_;
  std::uint16_t public_port_ = 0;
  std::uint16_t house_port_ = 0;
  std::unique_ptr<Process> daemon_;
  mutable int bags_ = 0;
};

/// The books once `settled` holds of them, or the last ones seen at the deadline.
[[nodiscard]] std::map<std::string, std::int64_t> books_when(
    const Bridge& bridge, const std::function<bool(std::map<std::string, std::int64_t>&)>& settled,
    std::chrono::milliseconds deadline = std::chrono::seconds(30));

/// Path of a program of this build.
[[nodiscard]] std::string program(const std::string& name);

}  // namespace isthmus::test
