#include "config/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace isthmus::config {
namespace {

class CredentialsFolder : public ::testing::Test {
 protected:
  CredentialsFolder() {
    std::string name = ::testing::TempDir() + "/isthmus-credentials-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~CredentialsFolder() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& name, const std::string& content, mode_t mode) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  template <class T>
  static std::string code(const Result<T>& result) {
    return result ? "accepted" : result.error().code;
  }

  std::string folder_;
};

TEST_F(CredentialsFolder, ReadsAFileThatOnlyItsOwnerCanRead) {
  put("a", "pass word\n", 0400);
  put("b", "x", 0600);
  const Credentials credentials(folder_);
  EXPECT_EQ(credentials.text("a")->reveal(), "pass word");
  EXPECT_EQ(credentials.read("a")->reveal(), "pass word\n");
  EXPECT_EQ(credentials.text("b")->reveal(), "x");
}

TEST_F(CredentialsFolder, RefusesAFileThatOthersCanRead) {
  put("world", "x", 0444);
  put("write", "x", 0620);
  const Credentials credentials(folder_);
  EXPECT_EQ(code(credentials.read("world")), "credential.too-open");
  EXPECT_EQ(code(credentials.read("write")), "credential.too-open");
  EXPECT_EQ(code(credentials.read("absent")), "credential.missing");
  EXPECT_EQ(code(credentials.read(".")), "credential.unreadable");
  EXPECT_EQ(code(Credentials("").read("world")), "credential.missing");
  EXPECT_EQ(credentials.read("world").error().what.find("\"x\""), std::string::npos);
}

TEST_F(CredentialsFolder, LetsAGroupReadOnlyWhenRootOwnsTheFile) {
  put("group", "x", 0440);
  const Credentials credentials(folder_);
  const std::string path = folder_ + "/group";
  if (::geteuid() == 0) {
    EXPECT_EQ(code(credentials.read("group")), "accepted");
    ASSERT_EQ(::chown(path.c_str(), 0, 12345), 0);
  }
  EXPECT_EQ(code(credentials.read("group")), "credential.too-open");
}

TEST_F(CredentialsFolder, RefusesALinkAndALargeFile) {
  put("a", "x", 0400);
  std::filesystem::create_symlink(folder_ + "/a", folder_ + "/link");
  put("fits", std::string(65536, 'x'), 0400);
  put("large", std::string(65537, 'x'), 0400);
  const Credentials credentials(folder_);
  EXPECT_EQ(code(credentials.read("link")), "credential.unreadable");
  EXPECT_EQ(code(credentials.read("fits")), "accepted");
  EXPECT_EQ(code(credentials.read("large")), "credential.too-large");
}

TEST_F(CredentialsFolder, TakesAKeyRawOrInHexadecimal) {
  put("raw", std::string(32, '\xAB'), 0400);
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "ab";
  put("hex", hex + "\n", 0400);
  put("short", hex.substr(2), 0400);
  put("empty", "", 0400);
  const Credentials credentials(folder_);
  EXPECT_EQ(credentials.key32("raw")->reveal(), std::string(32, '\xAB'));
  EXPECT_EQ(credentials.key32("hex")->reveal(), std::string(32, '\xAB'));
  EXPECT_EQ(code(credentials.key32("short")), "credential.form");
  EXPECT_EQ(code(credentials.text("empty")), "credential.form");
}

}  // namespace
}  // namespace isthmus::config
