// systemd's side is a real datagram socket, and real descriptors at 3 and up in a child, as sd_listen_fds(3) describes.
#include "ops/systemd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

namespace isthmus::ops {
namespace {

using namespace std::chrono_literals;

class Manager {
 public:
  Manager() : folder_(std::filesystem::temp_directory_path() / "isthmus-sd-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/notify";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
    std::filesystem::remove_all(folder_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string next(std::chrono::milliseconds wait_max) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(wait_max.count())) != 1) return {};
    char buffer[512];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    return {buffer, static_cast<std::size_t>(size > 0 ? size : 0)};
  }

 private:
  std::string folder_;
  int socket_ = -1;
};

TEST(Notify, TellsTheManagerInItsOwnWords) {
  Manager manager;
  EXPECT_TRUE(notify_ready("public 127.0.0.1:8081\nSTOPPING=1"));
  EXPECT_EQ(manager.next(0ms), "READY=1\nSTATUS=public 127.0.0.1:8081 STOPPING=1");
  EXPECT_TRUE(notify_stopping());
  EXPECT_EQ(manager.next(0ms), "STOPPING=1\nSTATUS=stopping");
}

TEST(Notify, DoesNothingWithoutAManagerAndSaysSoWhenItIsGone) {
  EXPECT_TRUE(notify_status("alone"));
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  EXPECT_FALSE(notify_status("gone"));
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(Watchdog, SpeaksOnlyWhileAlive) {
  Manager manager;
  std::atomic<bool> alive{true};
  std::atomic<int> asked_when_dead{0};
  const Watchdog watchdog(3ms, [&] {
    if (!alive) ++asked_when_dead;
    return alive.load();
  });
  for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(manager.next(10s), "WATCHDOG=1");
  alive = false;
  // Once it was asked twice while dead, a message from before can still lie in the socket, but no later one can come.
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (asked_when_dead < 2 && std::chrono::steady_clock::now() < deadline) manager.next(1ms);
  ASSERT_GE(asked_when_dead, 2);
  while (!manager.next(0ms).empty()) {
  }
  const int before = asked_when_dead;
  while (asked_when_dead < before + 2 && std::chrono::steady_clock::now() < deadline) EXPECT_EQ(manager.next(1ms), "");
}

TEST(Watchdog, HasAPeriodOnlyWhenTheManagerGivesOne) {
  EXPECT_FALSE(watchdog_period());
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(watchdog_period(), std::chrono::microseconds(30s));
  ::setenv("WATCHDOG_PID", "1", 1);  // meant for another process
  EXPECT_FALSE(watchdog_period());
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
}

// A child gets these descriptors at 3 and up with these names; 0 when the body says so.
int with_descriptors(const std::vector<int>& descriptors, const char* names, const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int at = 3;
    for (const int one : descriptors) {
      if (::dup2(one, at++) < 0) ::_exit(99);
    }
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(descriptors.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names, 1);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A listening socket with a high number, so that dup2 to 3 and up does not run over it.
int listening() {
  const int raw = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::listen(raw, 1), 0);
  const int high = ::fcntl(raw, F_DUPFD, 50);
  ::close(raw);
  return high;
}

TEST(ListenSockets, ComeByTheirNames) {
  const std::vector<int> given = {listening(), listening(), listening()};
  EXPECT_EQ(with_descriptors(given, "public:admin:public",
                             [] {
                               const auto sockets = take_listen_sockets();
                               return sockets && sockets->size() == 2 && sockets->at("public") == std::vector{3, 5} &&
                                      sockets->at("admin") == std::vector{4} && std::getenv("LISTEN_FDS") == nullptr;
                             }),
            0);
  for (const int one : given) ::close(one);
}

TEST(ListenSockets, AreRefusedWhenTheyDoNotListen) {
  const int plain = ::fcntl(0, F_DUPFD, 50);
  EXPECT_EQ(with_descriptors({plain}, "public",
                             [] {
                               const auto sockets = take_listen_sockets();
                               return !sockets && sockets.error().code == "systemd.sockets";
                             }),
            0);
  ::close(plain);
}

TEST(ListenSockets, AreNoneWithoutAManager) {
  const auto sockets = take_listen_sockets();
  ASSERT_TRUE(sockets);
  EXPECT_TRUE(sockets->empty());
}

}  // namespace
}  // namespace isthmus::ops
