#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace isthmus::test {

/// A program that a test starts: its output in two files of a folder, killed when the object goes. Threads: one.
class Process {
 public:
  /// Starts argv[0] with what it prints in FOLDER/NAME.out and FOLDER/NAME.err. Aborts when it cannot be started.
  Process(const std::filesystem::path& folder, const std::string& name, const std::vector<std::string>& argv);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  /// Its exit status (128 + N when signal N ended it), or nothing while it runs after the deadline.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds deadline);
  [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds(0)); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Ran {
  int status = -1;  ///< -1: it did not end in time
  std::string out;
  std::string err;
};

/// Runs a program to its end.
[[nodiscard]] Ran run(const std::filesystem::path& folder, const std::vector<std::string>& argv,
                      std::chrono::milliseconds deadline = std::chrono::seconds(60));

[[nodiscard]] std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace isthmus::test
