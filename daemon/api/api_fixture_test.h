#pragma once

#include <filesystem>

#include "archive/exporter.h"
#include "base/crypto.h"
#include "expression/value.h"
#include "http/message.h"
#include "journal/keys.h"
#include "publishing/publisher.h"
#include "support/company.h"

namespace isthmus::api {

/// A company with three people and two connections, and everything that the doors borrow.
class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    net_.description.operations = {{"publish", adapter::Verb::publish, "post/1", "", true, 0, true, 1}};
    net_.description.secrets = {"password"};
    stats_.description.operations = {{"track", adapter::Verb::track, "metric/1", "", true, 0, false, 1}};
    person("marie", "{read,publish}");
    person("paul", "{read,approve}");
    person("rita", "{read}");
    person("nobody", "{}");
    company_.connect("net", net_, "https://net.example", 3);
    company_.connect("stats", stats_, "https://stats.example", 4);
    company_.refresh();
    Diagnostics diagnostics;
    packs_ = policy::PackSet::load({std::string(ISTHMUS_SOURCE_DIR) + "/policies/base.yaml"}, diagnostics);
    EXPECT_NE(packs_, nullptr) << diagnostics.to_string();
  }

  void person(const std::string& name, const std::string& rights) {
    company_.exec(
        "INSERT INTO principal (kind, unit, issuer, subject, key_hash, rights) VALUES ('person', 1, 'local', $1, $2, "
        "$3::text::text[])",
        {name, store::Param::bytes(crypto::sha256("key-" + name)), rights});
  }

  static http::Request request(const std::string& method, const std::string& target, Bytes body = {}) {
    http::Request r;
    r.method = method;
    r.path = target.substr(0, target.find('?'));
    if (const auto at = target.find('?'); at != std::string::npos) r.query = target.substr(at + 1);
    r.body = std::move(body);
    return r;
  }
  /// "403 access.right" of a problem, "200" of anything else.
  static std::string outcome(const http::Response& response) {
    const bool problem = response.headers.find("Content-Type") == "application/problem+json";
    if (response.status < 400) return std::to_string(response.status);
    EXPECT_TRUE(problem) << response.body;
    const auto body = expression::Document::parse(response.body);
    return std::to_string(response.status) + " " +
           std::string(body ? body->root().get("code").as_text().value_or("?") : "not JSON");
  }
  static std::string text_at(const http::Response& response, const std::string& key) {
    const auto body = expression::Document::parse(response.body);
    return body ? std::string(body->root().get(key).as_text().value_or("")) : "";
  }
  /// Of the first item of a list.
  static std::string text_in(const http::Response& response, const std::string& list, const std::string& key) {
    const auto body = expression::Document::parse(response.body);
    if (!body) return "";
    for (const expression::Value& item : body->root().get(list).items())
      return std::string(item.get(key).as_text().value_or(""));
    return "";
  }

  test::ScriptedAdapter net_{"net"}, stats_{"stats"};
  test::Company company_;
  SystemClock clock_;
  SystemRandom random_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  archive::Recorder recorder_{company_.pool, master_, random_};
  journal::Keys keys_{company_.pool, master_, clock_, random_};
  Secret installation_{std::string(32, 'i')};
  std::shared_ptr<const policy::PackSet> packs_;
  publishing::Publisher publisher_{{company_.pool, keys_, recorder_, company_.directory, clock_, random_, installation_,
                                    [this] { return packs_; }, [](int) {}}};
};

}  // namespace isthmus::api
