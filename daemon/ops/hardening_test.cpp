#include "ops/hardening.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

namespace isthmus::ops {
namespace {

// Runs a body in a child whose working folder is empty and whose core limit is as high as it may be; how it ended.
struct Ending {
  int status = 0;
  std::size_t files = 0;
};

Ending in_child(const std::function<void()>& body) {
  std::string folder = std::filesystem::temp_directory_path() / "isthmus-core-XXXXXX";
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    if (::chdir(folder.c_str()) != 0 || ::getrlimit(RLIMIT_CORE, &limit) != 0) ::_exit(99);
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_CORE, &limit) != 0) ::_exit(99);
    body();
    ::_exit(0);
  }
  Ending ending;
  EXPECT_EQ(::waitpid(child, &ending.status, 0), child);
  ending.files = static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
  std::filesystem::remove_all(folder);
  return ending;
}

TEST(Hardening, LeavesNoCoreWhenTheProcessAborts) {
  const Ending ending = in_child([] {
    if (!harden_process()) ::_exit(98);
    std::abort();
  });
  ASSERT_TRUE(WIFSIGNALED(ending.status)) << ending.status;
  EXPECT_EQ(WTERMSIG(ending.status), SIGABRT);
  EXPECT_FALSE(WCOREDUMP(ending.status));
  EXPECT_EQ(ending.files, 0U);
}

// Without this the test above could not fail: the same child, not hardened, dumps where the machine lets it.
TEST(Hardening, IsWhatKeepsTheCoreAway) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
  const Ending ending = in_child([] { std::abort(); });
  ASSERT_TRUE(WIFSIGNALED(ending.status));
  if (!WCOREDUMP(ending.status)) GTEST_SKIP() << "this machine dumps no cores at all (limit or core_pattern)";
  SUCCEED();
}

TEST(Hardening, CannotBeUndoneByRaisingTheLimit) {
  const Ending ending = in_child([] {
    if (!harden_process()) ::_exit(98);
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    ::_exit(limit.rlim_cur == 0 && limit.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
  });
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 0);
}

}  // namespace
}  // namespace isthmus::ops
