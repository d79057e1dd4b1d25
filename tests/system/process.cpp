#include "system/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "support/eventually.h"

namespace isthmus::test {
namespace {

// The child of a program with threads: nothing that allocates.
[[noreturn]] void become(char* const* argv, int out, int err) {
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv);
  ::_exit(127);
}

int create(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ISTHMUS_CHECK(fd >= 0, "a file in the test's own folder can be made");
  return fd;
}

}  // namespace

Process::Process(const std::filesystem::path& folder, const std::string& name, const std::vector<std::string>& argv)
    : out_(folder / (name + ".out")), err_(folder / (name + ".err")) {
  const int out = create(out_);
  const int err = create(err_);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_ = ::fork();
  ISTHMUS_CHECK(pid_ >= 0, "a process can be made");
  if (pid_ == 0) become(words.data(), out, err);
  ::close(out);
  ::close(err);
}

Process::~Process() {
  if (status_) return;
  signal(SIGKILL);
  (void)wait(std::chrono::seconds(30));
}

void Process::signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds deadline) {
  (void)eventually(deadline, [this] {
    if (status_) return true;
    int raw = 0;
    if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
  });
  return status_;
}

std::string Process::out() const { return read_text(out_); }
std::string Process::err() const { return read_text(err_); }

Ran run(const std::filesystem::path& folder, const std::vector<std::string>& argv, std::chrono::milliseconds deadline) {
  static std::atomic<int> runs{0};
  Process process(folder, "run-" + std::to_string(++runs), argv);
  const auto status = process.wait(deadline);
  return {status.value_or(-1), process.out(), process.err()};
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << text;
  ISTHMUS_CHECK(out.good(), "a file in the test's own folder can be written");
}

}  // namespace isthmus::test
