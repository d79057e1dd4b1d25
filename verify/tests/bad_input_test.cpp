// What a hostile or broken folder may hold, and what a person at the command line sees.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>

#include "bags.h"

using bags::codes;
using bags::Files;
using bags::judge;

namespace fs = std::filesystem;

namespace {

/// Runs the program; its output and exit status.
std::pair<std::string, int> run(const std::string& environment, const std::string& arguments) {
  const std::string command =
      "env -u LC_ALL -u LC_MESSAGES " + environment + " '" ISTHMUS_VERIFY "' " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = ::pclose(pipe);
  return {output, WEXITSTATUS(status)};
}

std::string judge_folder(const fs::path& dir) {
  verify::FolderFiles files(dir);
  return codes(verify::verify_bag(files, bags::key()));
}

Files with_record_line(const std::string& line) {
  Files bad = bags::files();
  bad["data/records.ndjson"] = line;
  bags::sign_again(bad);
  return bad;
}

}  // namespace

TEST(BadInput, DeepJsonIsRefusedWithoutDeepRecursion) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += open;
    EXPECT_NE(codes(judge(with_record_line(deep + "\n"))).find("record.bad-line"), std::string::npos);
  }
}

TEST(BadInput, ALineWithoutEndIsRefusedWithoutBeingHeldInMemory) {
  EXPECT_NE(codes(judge(with_record_line(std::string(5'000'000, '[')))).find("record.bad-line"), std::string::npos);
}

TEST(BadInput, HugeSmallFilesAreRefused) {
  for (const std::string name : {"bagit.txt", "bag-info.txt", "bag-signature.txt", "data/checkpoint.txt"}) {
    Files bad = bags::files();
    bad[name] = std::string(70'000, 'a');
    const std::string found = codes(judge(bad));
    EXPECT_NE(found.find("file.too-large"), std::string::npos) << name;
  }
}

TEST(BadInput, ManifestsThatLeaveTheBagOrRepeatThemselvesAreRefused) {
  const std::string hash(64, 'a');
  for (const std::string path : {"../etc/passwd", "/etc/passwd", "data/../../x", "data//x", "data/./x", "data/.x",
                                 "data/a\\b", "data/a%0Ab", "bagit.txt", "data/", "data/a b"}) {
    Files bad = bags::files();
    bad["manifest-sha256.txt"] = hash + "  " + path + "\n";
    EXPECT_NE(codes(judge(bad)).find("manifest.bad"), std::string::npos) << path;
  }
  Files twice = bags::files();
  auto& manifest = twice["manifest-sha256.txt"];
  manifest = manifest.substr(0, manifest.find('\n') + 1) + manifest;
  EXPECT_NE(codes(judge(twice)).find("manifest.bad"), std::string::npos);
  Files upper = bags::files();
  upper["manifest-sha256.txt"][0] = 'A';
  EXPECT_FALSE(judge(upper).accepted());
}

TEST(BadInput, NothingAtAllIsRefused) {
  const bags::Folder folder;
  EXPECT_NE(judge_folder(folder.path()).find("file.missing"), std::string::npos);
  EXPECT_NE(judge_folder(folder.path() / "none").find("file.unreadable"), std::string::npos);
  EXPECT_NE(judge_folder("/dev/null").find("file.unreadable"), std::string::npos);
}

TEST(BadInput, LinksPipesAndOddNamesAreRefused) {
  const bags::Folder folder;
  const fs::path bag = folder.path() / "bag";
  bags::write_to(bag);
  ASSERT_EQ(judge_folder(bag), "");
  fs::create_symlink("/etc/passwd", bag / "data" / "link");
  EXPECT_EQ(judge_folder(bag), "file.not-regular");
  fs::remove(bag / "data" / "link");
  ASSERT_EQ(::mkfifo((bag / "data" / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(judge_folder(bag), "file.not-regular");
  fs::remove(bag / "data" / "pipe");
  std::ofstream(bag / ".hidden") << "x";
  EXPECT_EQ(judge_folder(bag), "file.bad-name");
  fs::remove(bag / ".hidden");
  fs::rename(bag / "data", folder.path() / "elsewhere");
  fs::create_directory_symlink(folder.path() / "elsewhere", bag / "data");
  EXPECT_NE(judge_folder(bag).find("file.not-regular"), std::string::npos);
}

TEST(CommandLine, AcceptsAGoodBagAndRefusesAChangedOne) {
  const bags::Folder folder;
  const fs::path bag = folder.path() / "bag";
  bags::write_to(bag);
  const std::string vkey = bags::signer().verifier_key();
  std::ofstream(folder.path() / "key") << vkey << "\n";
  const std::string by_value = bag.string() + " --key '" + vkey + "'";
  const std::string by_file = bag.string() + " --key " + (folder.path() / "key").string();

  EXPECT_EQ(run("LANG=C", by_value).second, 0);
  const auto accepted = run("LANG=en_GB.UTF-8", by_file);
  EXPECT_EQ(accepted.second, 0);
  EXPECT_EQ(accepted.first,
            "ACCEPTED: isthmus.example/demo, 6 record(s) of a log of 6, bodies not shown: 1, whole log\n");
  EXPECT_NE(run("LANG=fr_FR.UTF-8", by_file).first.find("journal entier"), std::string::npos);

  Files changed = bags::load(bag);
  bags::replace(changed["data/records.ndjson"], "Call me", "Call us");
  bags::store(changed, bag);
  const auto refused = run("LANG=C", by_file);
  EXPECT_EQ(refused.second, 1);
  EXPECT_NE(refused.first.find("data/records.ndjson, line 3, record 2 ("), std::string::npos) << refused.first;
  EXPECT_NE(refused.first.find("the body is not the one that the header commits to"), std::string::npos);
  EXPECT_NE(run("LC_ALL=fr_FR.UTF-8 LANG=C", by_file).first.find("ligne 3, enregistrement 2"), std::string::npos);
  const auto json = run("LANG=fr_FR.UTF-8", by_file + " --json");
  EXPECT_EQ(json.second, 1);
  EXPECT_TRUE(json.first.starts_with("{\"accepted\":false,\"origin\":\"isthmus.example/demo\",\"log_size\":6,"));
  EXPECT_NE(
      json.first.find("\"code\":\"record.bad-commitment\",\"file\":\"data/records.ndjson\",\"line\":3,\"index\":2,"),
      std::string::npos);
}

TEST(CommandLine, SaysHowItIsUsed) {
  EXPECT_EQ(run("LANG=C", "--help").second, 0);
  EXPECT_NE(run("LANG=fr", "--help").first.find("Code de retour"), std::string::npos);
  for (const std::string wrong :
       {"", "bag", "--key k", "bag --key k --unknown", "bag bag2 --key k", "bag --key", "bag --key a+b+c"}) {
    EXPECT_EQ(run("LANG=C", wrong).second, 2) << wrong;
  }
}
