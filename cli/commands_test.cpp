// The program against a control API that is served by the daemon's HTTP server on a real Unix socket.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/guarded.h"
#include "cli/command.h"
#include "http/server.h"

namespace isthmus::cli {
namespace {

namespace fs = std::filesystem;

struct Said {
  int code = -1;
  std::string out;
  std::string err;
};

Said isthmus(std::vector<std::string> words, Language language = Language::english) {
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{out, err, language};
  Said said;
  said.code = run(words, terminal);
  said.out = out.str();
  said.err = err.str();
  return said;
}

class Cli : public testing::Test {
 protected:
  Cli() : folder_(fs::temp_directory_path() / "isthmus-cli-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    http::ServerOptions options;
    options.address = http::UnixAddress{socket()};
    auto server = http::Server::open(std::move(options), clock_, [this](http::Request request, http::Responder answer) {
      const std::string line = request.method + " " + request.path + (request.query.empty() ? "" : "?" + request.query);
      requests_.with([&](auto& list) { list.push_back(request); });
      const auto found = answers_.find(line);
      answer(found != answers_.end() ? found->second : http::problem(404, "control.unknown", line));
    });
    EXPECT_TRUE(server) << to_string(server.error());
    server_ = std::move(*server);
  }
  ~Cli() override {
    server_.reset();
    fs::remove_all(folder_);
  }

  [[nodiscard]] std::string socket() const { return folder_ + "/control.sock"; }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  Said ask(std::vector<std::string> words, Language language = Language::english) const {
    words.insert(words.end(), {"--socket", socket()});
    return isthmus(std::move(words), language);
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  static std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<http::Request> requests() {
    return requests_.with([](auto& list) { return list; });
  }

  // What the daemon answers, by "METHOD PATH?QUERY"; set before the first call.
  std::map<std::string, http::Response> answers_;

 private:
  std::string folder_;
  SystemClock clock_;
  Guarded<std::vector<http::Request>> requests_;
  std::unique_ptr<http::Server> server_;
};

constexpr const char* kStatus =
    R"({"version":"0.1.0","node":"demo-1","ready":false,"listeners":{"public":"127.0.0.1:8081"},)"
    R"("conditions":[{"name":"store","good":false,"reason":"connection\u001b[31m refused"},{"name":"listeners","good":true}],)"
    R"("oldest_undelivered_seconds":61})";

TEST_F(Cli, ShowsStatusForPeopleInTheirLanguage) {
  answers_["GET /control/v1/status"] = http::json_response(200, kStatus);
  const Said english = ask({"status"});
  EXPECT_EQ(english.code, exit_good) << english.err;
  EXPECT_EQ(english.out,
            "version:                      0.1.0\n"
            "node:                         demo-1\n"
            "ready:                        no\n"
            "listeners:\n"
            "  public:  127.0.0.1:8081\n"
            "conditions:\n"
            "  name       good  reason\n"
            "  store      no    connection?[31m refused\n"
            "  listeners  yes   -\n"
            "oldest undelivered, seconds:  61\n");
  EXPECT_EQ(ask({"status"}, Language::french).out,
            "version :                          0.1.0\n"
            "nœud :                             demo-1\n"
            "prêt :                             non\n"
            "écoutes :\n"
            "  public :  127.0.0.1:8081\n"
            "conditions :\n"
            "  nom        bon  motif\n"
            "  store      non  connection?[31m refused\n"
            "  listeners  oui  -\n"
            "plus ancien non livré, secondes :  61\n");
}

TEST_F(Cli, GivesMachinesTheDaemonsOwnJson) {
  answers_["GET /control/v1/status"] = http::json_response(200, kStatus);
  EXPECT_EQ(ask({"status", "--json"}).out, std::string(kStatus) + "\n");
}

TEST_F(Cli, SaysWhatToDoWhenNobodyListens) {
  const Said said = isthmus({"status", "--socket", path("absent.sock")});
  EXPECT_EQ(said.code, exit_unreachable);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err,
            "isthmus: no daemon at " + path("absent.sock") +
                ": No such file or directory\n"
                "hint: is it running? systemctl status isthmusd; another socket is named with --socket PATH\n");
  const Said french = isthmus({"books", "--json", "--socket", path("absent.sock")}, Language::french);
  EXPECT_EQ(french.code, exit_unreachable);
  EXPECT_TRUE(french.out.starts_with(R"({"code":"control.unreachable",)")) << french.out;
}

TEST_F(Cli, AppliesAFileAndShowsTheDifference) {
  const std::string file = write("acme.yaml", "units: []\n");
  const std::string body =
      R"({"dry_run":true,"changes":[{"action":"add","section":"unit","name":"acme","attributes":[]},)"
      R"({"action":"change","section":"route","name":"leads","attributes":[{"name":"mapping","before":"a","after":"b"}]},)"
      R"({"action":"remove","section":"connection","name":"old"}]})";
  answers_["POST /control/v1/apply?dry_run=true"] = http::json_response(200, body);
  answers_["POST /control/v1/apply?dry_run=false"] = http::json_response(200, R"({"dry_run":false,"changes":[]})");
  const Said said = ask({"apply", file, "--dry-run"});
  EXPECT_EQ(said.code, exit_good) << said.err;
  EXPECT_EQ(said.out,
            "+ unit acme\n~ route leads\n    mapping: a -> b\n- connection old\n3 to change; nothing was changed "
            "(--dry-run)\n");
  EXPECT_EQ(ask({"apply", file}, Language::french).out, "rien à changer\n");
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0].body, "units: []\n");
  EXPECT_EQ(requests()[0].headers.find("X-File-Name"), file);
}

TEST_F(Cli, ShowsEveryMistakeOfAFileWithItsPlace) {
  const std::string file = write("acme.yaml", "units: []\n");
  answers_["POST /control/v1/apply?dry_run=false"] = {
      422,
      {{"Content-Type", "application/problem+json"}},
      R"({"title":"Unprocessable","detail":"the file has 2 mistakes; nothing was changed","code":"apply.refused","diagnostics":[)"
      R"({"file":"acme.yaml","line":3,"column":5,"code":"config.unknown-key","path":"units[0].nmae","message":"did you mean \"name\"?","severity":"error"},)"
      R"({"file":"acme.yaml","line":9,"column":1,"code":"apply.unused","path":"routes","message":"no route","severity":"warning"}]})"};
  const Said said = ask({"apply", file});
  EXPECT_EQ(said.code, exit_failed);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err,
            "acme.yaml:3:5: error[config.unknown-key]: units[0].nmae: did you mean \"name\"?\n"
            "acme.yaml:9:1: warning[apply.unused]: routes: no route\n"
            "isthmus: the file has 2 mistakes; nothing was changed (apply.refused)\n");
  EXPECT_EQ(ask({"apply", path("absent.yaml")}).code, exit_failed);
}

TEST_F(Cli, ExportsTheAdministrationByteForByte) {
  const std::string yaml = "units:\n  - name: acme\n";
  answers_["GET /control/v1/export"] = {200, {{"Content-Type", "application/yaml"}}, yaml};
  EXPECT_EQ(ask({"export"}).out, yaml);
  EXPECT_EQ(ask({"export", "--json"}).out, R"({"yaml":"units:\n  - name: acme\n"})"
                                           "\n");
}

TEST_F(Cli, SealsASecretFromAFileWithoutItsLastLineFeed) {
  answers_["PUT /control/v1/connections/bsky%20acme/secrets/password"] = {204, {}, ""};
  EXPECT_EQ(ask({"connection", "secret", "bsky acme", "password", "--file",
                 write("secret",
                       "s\xC3\xA9"
                       "same\n\n")})
                .code,
            exit_good);
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_EQ(requests()[0].body,
            "s\xC3\xA9"
            "same\n");
  EXPECT_EQ(ask({"connection", "secret", "bsky acme", "password", "--file", write("empty", "\n")}).code, exit_failed);
  EXPECT_EQ(requests().size(), 1U);  // an empty secret is not even sent
}

TEST_F(Cli, ActsOnOneParkedCommand) {
  answers_["POST /control/v1/parked/0193-a/retry"] = http::json_response(200, "{}");
  answers_["POST /control/v1/parked/0193-a/drop"] =
      http::problem(409, "parked.gone", "the command is no longer parked");
  EXPECT_EQ(ask({"parked", "retry", "0193-a"}).out, "done\n");
  answers_["POST /control/v1/parked/0193-a/hold"] = http::json_response(200, R"({"outcome":"held"})");
  EXPECT_EQ(ask({"parked", "hold", "0193-a"}).out, "held: it waits for a retry\n");
  const Said said = ask({"parked", "drop", "0193-a"});
  EXPECT_EQ(said.code, exit_failed);
  EXPECT_EQ(said.err, "isthmus: the command is no longer parked (parked.gone)\n");
}

TEST_F(Cli, ActsOnOneCallThatStandsAside) {
  answers_["POST /control/v1/quarantine/0193-b/retry"] = http::json_response(200, R"({"outcome":"routed"})");
  answers_["POST /control/v1/quarantine/0193-b/drop"] = http::json_response(200, R"({"outcome":"dropped"})");
  answers_["GET /control/v1/quarantine"] = http::json_response(
      200, R"({"items":[{"call":"0193-b","connection":"forms","state":"quarantined","reason":"adapter.poison: no"}]})");
  EXPECT_EQ(ask({"quarantine", "retry", "0193-b"}).out, "read and routed\n");
  EXPECT_EQ(ask({"quarantine", "drop", "0193-b"}).out, "dropped\n");
  EXPECT_NE(ask({"quarantine", "list"}).out.find("adapter.poison: no"), std::string::npos);
  EXPECT_EQ(ask({"quarantine", "retry"}).code, exit_usage);
}

TEST_F(Cli, ListsParkedCommandsAsATable) {
  answers_["GET /control/v1/parked"] =
      http::json_response(200, R"({"items":[{"command":"c1","connection":"crm","state":"dead","reason":"refused"}]})");
  EXPECT_EQ(ask({"parked", "list"}).out, "command  connection  state  reason\nc1       crm         dead   refused\n");
}

TEST_F(Cli, ReloadsAndPrintsTheKey) {
  answers_["POST /control/v1/reload"] = http::json_response(200, R"({"connections":2,"routes":1})");
  answers_["GET /control/v1/archive/key"] = http::text_response(200, "isthmus.example/demo+1234abcd+AAAA\n");
  EXPECT_EQ(ask({"reload", "--wait"}).out, "the new configuration is in force\nconnections:  2\nroutes:       1\n");
  EXPECT_EQ(ask({"archive", "key"}).out, "isthmus.example/demo+1234abcd+AAAA\n");
  EXPECT_EQ(ask({"archive", "key", "--json"}).out, "{\"key\":\"isthmus.example/demo+1234abcd+AAAA\"}\n");
}

class ArchiveExport : public Cli {
 protected:
  void announce(const std::string& file, const std::string& hash) {
    answers_["POST /control/v1/archive/export"] =
        http::json_response(201, R"({"id":"7","files":[{"path":")" + file + R"(","bytes":)" +
                                     std::to_string(data_.size()) + R"(,"sha256":")" + hash + "\"}]}");
    answers_["GET /control/v1/archive/export/7/file?path=data%2Frecords.ndjson"] = {200, {}, data_};
    answers_["DELETE /control/v1/archive/export/7"] = {204, {}, ""};
  }
  [[nodiscard]] std::string hash() const { return to_hex(crypto::sha256(data_)); }
  // The socket alone is left in the folder: no half bag.
  [[nodiscard]] std::size_t left() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path("")), fs::directory_iterator()));
  }

  const std::string data_ = std::string(300'000, 'r') + "\n";
};

TEST_F(ArchiveExport, WritesAWholeBag) {
  announce("data/records.ndjson", hash());
  const Said said = ask({"archive", "export", "--out", path("bag/")});
  EXPECT_EQ(said.code, exit_good) << said.err;
  EXPECT_EQ(said.out,
            path("bag/") + ": files 1, bytes 300001; to check it: isthmus-verify " + path("bag/") + " --key KEY\n");
  EXPECT_EQ(read(path("bag/data/records.ndjson")), data_);
  EXPECT_EQ(requests().back().method, "DELETE");
}

TEST_F(ArchiveExport, LeavesNothingWhenAFileIsNotWhatWasAnnounced) {
  announce("data/records.ndjson", std::string(64, '0'));
  const Said said = ask({"archive", "export", "--out", path("bag")});
  EXPECT_EQ(said.code, exit_failed);
  EXPECT_NE(said.err.find("data/records.ndjson: what came is not what the daemon announced"), std::string::npos)
      << said.err;
  EXPECT_EQ(left(), 1U);
  EXPECT_EQ(requests().back().method, "DELETE");
}

TEST_F(ArchiveExport, RefusesAPathThatLeavesTheBag) {
  for (const char* evil : {"../evil", "/etc/evil", "data/../../evil", "data//x", ""}) {
    announce(evil, hash());
    EXPECT_EQ(ask({"archive", "export", "--out", path("bag")}).code, exit_failed) << evil;
    EXPECT_EQ(left(), 1U) << evil;
  }
}

TEST_F(ArchiveExport, RefusesAFolderThatExistsBeforeAskingTheDaemon) {
  announce("data/records.ndjson", hash());
  fs::create_directory(path("bag"));
  EXPECT_EQ(ask({"archive", "export", "--out", path("bag")}).code, exit_failed);
  EXPECT_TRUE(requests().empty());
}

TEST_F(ArchiveExport, SaysWhatTheDaemonRefuses) {
  answers_["POST /control/v1/archive/export"] = http::problem(503, "store.unavailable", "the database cannot be used");
  const Said said = ask({"archive", "export", "--out", path("bag")});
  EXPECT_EQ(said.code, exit_failed);
  EXPECT_EQ(said.err, "isthmus: the database cannot be used (store.unavailable)\n");
}

TEST(Program, ExitsWithTheDocumentedCodes) {
  const auto code = [](const std::string& arguments) {
    return WEXITSTATUS(
        std::system((std::string(ISTHMUS_CLI) + " " + arguments + " >/dev/null 2>&1").c_str()));  // NOLINT
  };
  EXPECT_EQ(code("--help"), 0);
  EXPECT_EQ(code("--version"), 0);
  EXPECT_EQ(code("apply --help"), 0);
  EXPECT_EQ(code("nonsense"), 2);
  EXPECT_EQ(code(""), 2);
  EXPECT_EQ(code("status --socket /nonexistent/control.sock"), 3);
  EXPECT_EQ(code("mapping check /nonexistent"), 1);
  EXPECT_EQ(code("policy test /nonexistent"), 1);
  EXPECT_EQ(code("adapter test /nonexistent"), 1);
  EXPECT_EQ(code("adapter render /nonexistent"), 2);
}

}  // namespace
}  // namespace isthmus::cli
