// A program in another language, behind a socket that systemd holds: adapters/examples/webhook-python plays the
// golden examples that the descriptor of the same name plays.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>

#include "adapter/descriptor_adapter.h"
#include "adapter/golden.h"
#include "adapter/registry.h"
#include "adapter/thrift_adapter.h"
#include "support/eventually.h"

namespace isthmus::adapter {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path kAdapters = std::filesystem::path(ISTHMUS_SOURCE_DIR) / "adapters";
const std::string kProgram = (kAdapters / "examples" / "webhook-python" / "program.py").string();
const std::string kContract = std::string("ISTHMUS_CONTRACT_PY=") + ISTHMUS_CONTRACT_PY;
const std::string kActivate = "/usr/bin/systemd-socket-activate";
const SystemClock kClock;

/// A process of this test; killed, and waited for, at the end.
class Process {
 public:
  /// @param door becomes descriptor 3, as systemd hands over a socket; -1: none.
  Process(std::vector<std::string> words, int door) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (door >= 0) posix_spawn_file_actions_adddup2(&actions, door, 3);
    EXPECT_EQ(posix_spawn(&id_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill() {
    if (id_ <= 0) return;
    (void)::kill(id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) continue;
    id_ = -1;
  }

 private:
  pid_t id_ = -1;
};

/// A folder of its own for a socket, short enough for an address.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "isthmus-program-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string socket(const std::string& name = "s") const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What systemd does: it holds the socket, whatever becomes of the program.
class Door {
 public:
  explicit Door(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    // Above 3, so that dup2() to 3 always makes a copy without CLOEXEC.
    const int first = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    descriptor_ = ::fcntl(first, F_DUPFD_CLOEXEC, 10);
    (void)::close(first);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(descriptor_, 16), 0);
  }
  ~Door() { (void)::close(descriptor_); }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  [[nodiscard]] std::unique_ptr<Process> start() const {
    const std::string script = "LISTEN_FDS=1 LISTEN_PID=$$ " + kContract + " exec '" + kProgram + "'";
    return std::make_unique<Process>(std::vector<std::string>{"/bin/sh", "-c", script}, descriptor_);
  }

 private:
  int descriptor_ = -1;
};

void expect_golden(const Adapter& program) {
  Diagnostics diagnostics;
  const std::filesystem::path golden = kAdapters / "webhook" / "golden";
  const GoldenReport report = run_golden(program, golden, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  EXPECT_TRUE(report.good()) << (report.failures.empty() ? "a fate is missing" : report.failures.front());
  const auto descriptor = load_descriptor(kAdapters / "webhook" / "descriptor.yaml", diagnostics);
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(report.cases, run_golden(*descriptor, golden, diagnostics).cases);
  EXPECT_GT(report.cases, 5);
}

/// The first start of an interpreter on a busy machine may take longer than a call; the socket may not be there yet.
std::unique_ptr<ThriftAdapter> opened(const std::string& socket) {
  std::unique_ptr<ThriftAdapter> out;
  std::string last;
  const bool came = test::eventually(60s, [&] {
    Result<std::unique_ptr<ThriftAdapter>> adapter = ThriftAdapter::open(socket, kClock);
    if (!adapter) return last = to_string(adapter.error()), false;
    out = std::move(*adapter);
    return true;
  });
  EXPECT_TRUE(came) << last;
  return out;
}

TEST(ThriftProgram, PassesTheGoldenExamplesBehindASocketOfSystemd) {
  if (!std::filesystem::exists(kActivate))
    GTEST_SKIP() << "systemd-socket-activate is not installed; the next test holds the socket itself";
  const Folder folder;
  const Process activate({kActivate, "-E", kContract, "-l", folder.socket(), kProgram}, -1);
  const auto program = opened(folder.socket());
  ASSERT_TRUE(program);
  expect_golden(*program);
}

// What `isthmus adapter test` and `render` do with a folder that holds a program.json.
TEST(ThriftProgram, ItsFolderIsTestedAndRenderedAtItsSocket) {
  const Folder folder;
  const Door door(folder.socket("webhook-python.sock"));
  const std::unique_ptr<Process> process = door.start();
  ASSERT_TRUE(opened(folder.socket("webhook-python.sock")));
  const std::filesystem::path system = kAdapters / "examples" / "webhook-python";
  const ProgramSockets sockets{folder.path(), kClock};
  std::ostringstream tested;
  EXPECT_EQ(adapter_test(std::span(&system, 1), sockets, tested), 0) << tested.str();
  EXPECT_EQ(tested.str().find("ok   webhook-python: "), 0u) << tested.str();
  std::ostringstream rendered;
  EXPECT_EQ(adapter_render_golden(std::span(&system, 1), sockets, rendered), 0) << rendered.str();
  EXPECT_NE(rendered.str().find("\"system\":\"webhook-python\""), std::string::npos) << rendered.str();
  const ProgramSockets nobody{folder.path() / "away", kClock};
  std::ostringstream failed;
  EXPECT_EQ(adapter_test(std::span(&system, 1), nobody, failed), 1);
  EXPECT_NE(failed.str().find("webhook-python.sock: connect: No such file"), std::string::npos) << failed.str();
}

// The registry takes a program whose description is on file, whether it runs or not, and asks it for the same fates.
TEST(ThriftProgram, IsInTheRegistryBeforeItRuns) {
  const Folder folder;
  const std::vector<std::filesystem::path> paths{kAdapters, kAdapters / "examples"};
  Diagnostics diagnostics;
  const Registry registry = Registry::load(paths, {folder.path(), kClock}, {}, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  const Adapter* program = registry.find("webhook-python");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(program->is_program());
  EXPECT_FALSE(registry.find("webhook")->is_program());
  EXPECT_EQ(program->meet().error().code, "adapter.unavailable");
}

TEST(ThriftProgram, AFolderThatIsNoGoodProgramIsRefusedWithTheReason) {
  const Folder folder;
  const auto said = [&](const std::string& name, const std::map<std::string, std::string>& files) {
    const std::filesystem::path system = folder.path() / "systems" / name;
    std::filesystem::create_directories(system / "golden");
    for (const auto& [file, text] : files) std::ofstream(system / file) << text;
    const std::vector<std::filesystem::path> paths{folder.path() / "systems"};
    Diagnostics diagnostics;
    const Registry registry = Registry::load(paths, {folder.path(), kClock}, {}, diagnostics);
    EXPECT_EQ(registry.find(name), nullptr) << name;
    std::filesystem::remove_all(system);
    return diagnostics.to_string();
  };
  const std::string good =
      R"({"adapter":"tin","contract":1,"version":"1","kind":"generic","hosts":["https://x.example"]})";
  EXPECT_NE(said("tin", {{"program.json", good}}).find("adapter.fates"), std::string::npos);
  EXPECT_NE(said("tin", {{"program.json", good}, {"descriptor.yaml", "adapter: tin"}}).find("adapter.form"),
            std::string::npos);
  EXPECT_NE(said("can", {{"program.json", good}}).find("adapter.folder"), std::string::npos);
  EXPECT_NE(said("tin", {{"program.json", "{"}}).find("descriptor.json"), std::string::npos);
}

TEST(ThriftProgram, IsMetAgainAfterItWasKilled) {
  const Folder folder;
  const Door door(folder.socket());
  std::unique_ptr<Process> process = door.start();
  const auto program = opened(folder.socket());
  ASSERT_TRUE(program);
  expect_golden(*program);
  process->kill();
  process = door.start();  // as systemd does when the next connection waits
  Diagnostics diagnostics;
  const bool back =
      test::eventually(60s, [&] { return run_golden(*program, kAdapters / "webhook" / "golden", diagnostics).good(); });
  EXPECT_TRUE(back);
}

TEST(ThriftProgram, SetsAsideWhatItCannotRead) {
  const Folder folder;
  const Door door(folder.socket());
  const std::unique_ptr<Process> process = door.start();
  const auto program = opened(folder.socket());
  ASSERT_TRUE(program);
  Call call;
  call.kind = "webhook";
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("{\"type\":\"lead.created\",\"data\":{}}"),
        std::string("\xff"), std::string(100'000, '[')}) {
    call.body = body;
    const auto events = program->parse(Context(), call);
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().code, "adapter.poison") << to_string(events.error());
  }
  const auto collect = program->advance(Context(), Collect{"none", "", 10}, "", First{});
  ASSERT_FALSE(collect);
  EXPECT_EQ(collect.error().code, "adapter.fault");
}

}  // namespace
}  // namespace isthmus::adapter
