#include "api/control.h"

#include <fstream>

#include "api/api_fixture_test.h"
#include "archive/sequencer.h"

namespace isthmus::api {
namespace {

namespace fs = std::filesystem;

class ControlTest : public ApiTest {
 protected:
  ControlTest() {
    fs::create_directories(folder_ / "exports");
    fs::create_directories(folder_ / "state");
    std::ofstream(folder_ / "secret") << "not for anyone";
  }
  ~ControlTest() override { fs::remove_all(folder_); }

  static fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "isthmus-control-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }
  http::Response ask(const std::string& method, const std::string& target, Bytes body = {}) {
    return control_.handle(request(method, "/control/v1" + target, std::move(body)));
  }
  identity::Installed installed() {
    identity::Installed out;
    out.adapter = [this](std::string_view name) -> const adapter::Adapter* { return name == "net" ? &net_ : nullptr; };
    out.mapping = [](const std::string&) { return std::nullopt; };
    return out;
  }
  std::int64_t version() { return company_.count("SELECT version FROM administration"); }

  fs::path folder_ = make_folder();
  archive::NoteSigner signer_ =
      *archive::NoteSigner::create("acme.example/log", *crypto::SigningKey::from_seed(Secret(std::string(32, 's'))));
  archive::Exporter exporter_{{company_.pool, recorder_, signer_, clock_, "test"}};
  int woken_ = 0, changed_ = 0;
  publishing::ParkedDesk desk_{{company_.pool, keys_, recorder_, company_.directory, clock_, random_, company_.log,
                                installation_, [](std::string_view) { return nullptr; }, [this] { return packs_; },
                                [](int) {}, [this](int) { ++woken_; }}};
  Control control_{{company_.pool, company_.directory, company_.vault, installed(), exporter_, desk_, "verifier-key",
                    folder_ / "exports", random_, company_.log, [] { return std::string(R"({"ready":true})"); },
                    []() -> Result<std::string> { return fail("config.bad", "isthmus.yaml:3:1: error"); },
                    [this] {
                      ++changed_;
                      company_.refresh();
                    }}};
};

const std::string kFile =
    "units:\n  - { name: acme }\nconnections:\n  - { name: net, unit: acme, adapter: net, hosts: "
    "[\"https://net.example\"], internal: allow }\n";

TEST_F(ControlTest, TellsWhatTheProcessSaysAndRefusesTheRest) {
  EXPECT_EQ(ask("GET", "/status").body, R"({"ready":true})");
  EXPECT_EQ(ask("GET", "/archive/key").body, "verifier-key\n");
  EXPECT_EQ(outcome(ask("GET", "/books")), "200");
  EXPECT_EQ(outcome(ask("GET", "/parked")), "200");
  EXPECT_EQ(ask("GET", "/quarantine").body, R"({"total" : 0, "items" : []})");
  EXPECT_EQ(outcome(ask("POST", "/quarantine/" + Uuid::random(random_).to_string() + "/drop")),
            "404 quarantine.unknown");
  EXPECT_EQ(outcome(ask("POST", "/quarantine/" + Uuid::random(random_).to_string() + "/burn")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("POST", "/reload")), "422 config.bad");
  EXPECT_EQ(outcome(ask("GET", "/nothing")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("PATCH", "/apply")), "404 control.unknown");
  EXPECT_EQ(outcome(control_.handle(request("GET", "/status"))), "404 control.unknown");
}

TEST_F(ControlTest, ADryRunTellsTheDifferenceAndChangesNothing) {
  const auto before = version();
  const auto dry = ask("POST", "/apply?dry_run=true", kFile);
  EXPECT_EQ(outcome(dry), "200") << dry.body;
  EXPECT_NE(dry.body.find("\"dry_run\":true"), std::string::npos);
  EXPECT_NE(dry.body.find("\"remove\""), std::string::npos) << "stats is not in the file";
  EXPECT_EQ(version(), before);
  for (const char* query : {"dry_run=1", "dryrun=true", "dry_run=true&x=1", "dry_run=TRUE"}) {
    EXPECT_EQ(outcome(ask("POST", std::string("/apply?") + query, kFile)), "400 control.query") << query;
  }
  EXPECT_EQ(version(), before) << "a misspelt dry run is no run";
  EXPECT_EQ(changed_, 0);
  EXPECT_EQ(outcome(ask("POST", "/apply?dry_run=false", kFile)), "200");
  EXPECT_EQ(changed_, 1);
  EXPECT_NE(ask("POST", "/apply", kFile).body.find("\"changes\":[]"), std::string::npos);
}

TEST_F(ControlTest, TheExportIsTheFileThatWasApplied) {
  ASSERT_EQ(outcome(ask("POST", "/apply", kFile)), "200");
  const auto exported = ask("GET", "/export");
  EXPECT_NE(exported.body.find("name: net"), std::string::npos);
  EXPECT_EQ(exported.body.find("stats"), std::string::npos);
  EXPECT_NE(ask("POST", "/apply?dry_run=true", exported.body).body.find("\"changes\":[]"), std::string::npos);
}

TEST_F(ControlTest, ABadFileIsRefusedWholeWithEveryMistakeAndItsLine) {
  const auto before = version();
  http::Request r = request("POST", "/control/v1/apply",
                            "units:\n  - { name: acme }\nconnections:\n  - { name: a, unit: nowhere, adapter: net }\n  "
                            "- { name: a, unit: acme, adapter: net }\n");
  r.headers.add("X-File-Name", "company.yaml");
  const auto refused = control_.handle(r);
  EXPECT_EQ(outcome(refused), "422 apply.refused");
  EXPECT_EQ(text_in(refused, "diagnostics", "file"), "company.yaml");
  EXPECT_NE(refused.body.find("\"line\":4"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("\"line\":5"), std::string::npos) << refused.body;
  std::string unknown = kFile;
  unknown.replace(unknown.find("adapter: net"), 12, "adapter: nat");
  EXPECT_NE(ask("POST", "/apply", unknown).body.find("apply.adapter"), std::string::npos);
  EXPECT_EQ(version(), before);
}

TEST_F(ControlTest, ASecretIsTakenForAFieldThatTheAdapterHas) {
  const auto path = [](const std::string& rest) { return "/connections/" + rest; };
  EXPECT_EQ(ask("PUT", path("net/secrets/password"), "s3cret\n").status, 204);
  const auto id = company_.directory.current()->snapshot->connection("net")->id;
  EXPECT_EQ(company_.directory.current()->secrets_of(id).at("password").reveal(), "s3cret");
  EXPECT_EQ(company_.count("SELECT count(*) FROM connection_secret WHERE position('s3cret'::bytea IN sealed) > 0"), 0);
  EXPECT_EQ(ask("PUT", path("net/secrets/password_old"), Bytes("\xff\0bytes", 7)).status, 204) << "while it is rotated";
  EXPECT_EQ(outcome(ask("PUT", path("net/secrets/pasword"), "x")), "422 connection.field");
  EXPECT_EQ(outcome(ask("PUT", path("no/secrets/password"), "x")), "404 connection.unknown");
  EXPECT_EQ(outcome(ask("PUT", path("net/secrets/password"), "")), "422 vault.empty");
  EXPECT_EQ(outcome(ask("PUT", path("net/secrets/password"), "\n")), "422 vault.empty");
  EXPECT_EQ(company_.directory.current()->secrets_of(id).at("password").reveal(), "s3cret")
      << "an empty secret replaces none";
}

// What each act does is the desk's test; here: which act is asked for, and what comes back.
TEST_F(ControlTest, WhatIsParkedIsDueNowHeldOrDroppedAndNothingElse) {
  journal::Parked parked;
  parked.command.id = Uuid::random(random_);
  parked.command.lane = 3;
  parked.command.connection = company_.directory.current()->snapshot->connection("net")->id;
  parked.due = clock_.now() + std::chrono::hours(1);
  {
    auto db = company_.pool.take();
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(journal::park(*tx, keys_, parked));
    ASSERT_TRUE(tx->commit());
  }
  const std::string path = "/parked/" + parked.command.id.to_string();
  const auto due = ask("POST", path + "/retry");
  EXPECT_EQ(outcome(due), "200");
  EXPECT_EQ(text_at(due, "outcome"), "due");
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(company_.count("SELECT count(*) FROM parked WHERE due <= now()"), 1);
  EXPECT_EQ(text_at(ask("POST", path + "/hold"), "outcome"), "held");
  EXPECT_EQ(outcome(ask("POST", path + "/hold")), "409 parked.state");
  EXPECT_EQ(outcome(ask("POST", path + "/retry")), "409 parked.denied") << "nobody knows who made it";
  EXPECT_EQ(text_at(ask("POST", path + "/drop"), "outcome"), "dropped");
  EXPECT_EQ(company_.count("SELECT count(*) FROM parked WHERE state = 6 AND reason LIKE '%dropped%'"), 1);
  EXPECT_EQ(outcome(ask("POST", path + "/drop")), "409 parked.state") << "it is dead already";
  EXPECT_EQ(outcome(ask("POST", path + "/burn")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("POST", "/parked/not-an-id/retry")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("POST", "/parked/" + Uuid::random(random_).to_string() + "/retry")), "404 parked.unknown");
}

TEST_F(ControlTest, AnExportIsReadFileByFileAndNothingBesideIt) {
  EXPECT_EQ(outcome(ask("POST", "/archive/export")), "422 archive.empty") << "nothing was sequenced yet";
  EXPECT_TRUE(fs::is_empty(folder_ / "exports"));
  archive::Entry entry;
  entry.draft.kind = archive::Kind::message_received;
  entry.draft.at = clock_.now();
  entry.draft.body = R"({"text":"hello"})";
  {
    const auto prepared = recorder_.prepare(std::span(&entry, 1));
    ASSERT_TRUE(prepared) << to_string(prepared.error());
    auto db = company_.pool.take();
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(tx->exec("UPDATE lane_head SET next = 2 WHERE stage = 3 AND lane = 3"));
    ASSERT_TRUE(archive::Recorder::append(*tx, 3, *prepared, 1));
    ASSERT_TRUE(tx->commit());
    auto sequencer = archive::Sequencer::open({company_.pool, signer_, clock_, folder_ / "state"});
    ASSERT_TRUE(sequencer) << to_string(sequencer.error());
    ASSERT_TRUE((*sequencer)->step(0));
  }
  const auto made = ask("POST", "/archive/export");
  ASSERT_EQ(outcome(made), "201") << made.body;
  const std::string base = "/archive/export/" + text_at(made, "id");
  const std::string first = text_in(made, "files", "path");
  const auto file = ask("GET", base + "/file?path=" + http::percent_encode(first));
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(to_hex(crypto::sha256(file.body)), text_in(made, "files", "sha256"));
  for (const char* path : {"../../secret", "..%2F..%2Fsecret", "data/../../../secret", "/etc/passwd", "%2Fetc%2Fpasswd",
                           "", ".", "data", "no-such-file", "bagit.txt%00.png%2F..%2F..%2F..%2Fsecret"}) {
    const auto refused = ask("GET", base + "/file?path=" + path);
    EXPECT_EQ(outcome(refused), "404 export.unknown") << path << ": " << refused.body.substr(0, 50);
  }
  EXPECT_EQ(outcome(ask("GET", base + "/file")), "404 export.unknown");
  EXPECT_EQ(outcome(ask("GET", "/archive/export/../file?path=secret")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("GET", "/archive/export/%2e%2e/file?path=secret")), "404 control.unknown");
  EXPECT_EQ(outcome(ask("GET", "/archive/export/..%2F/file?path=secret")), "404 export.unknown");
  EXPECT_EQ(ask("DELETE", "/archive/export/..%2F").status, 404);
  EXPECT_TRUE(fs::exists(folder_ / "secret"));
  EXPECT_EQ(ask("DELETE", base).status, 204);
  EXPECT_TRUE(fs::is_empty(folder_ / "exports"));
}

}  // namespace
}  // namespace isthmus::api
