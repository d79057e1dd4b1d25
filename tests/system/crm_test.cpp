// A CRM that answers 200 with an error inside: whole, for one of its records, or with what is no answer at all. The
// adapter is the shipped one of Salesforce, but for TLS, which the test's CRM does not speak.

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/json.h"
#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// A folder with the shipped adapter, over http.
class PlainSalesforce {
 public:
  PlainSalesforce() {
    char name[] = "/tmp/isthmus-adp-XXXXXX";
    folder_ = ::mkdtemp(name);
    const std::filesystem::path shipped = std::string(ISTHMUS_SOURCE_DIR) + "/adapters/salesforce";
    std::filesystem::copy(shipped, folder_ / "salesforce", std::filesystem::copy_options::recursive);
    std::string text = read_text(shipped / "descriptor.yaml");
    replace_all(text, "https://", "http://");
    replace_all(text, "type: host", "type: string");
    write_text(folder_ / "salesforce" / "descriptor.yaml", text);
  }
  ~PlainSalesforce() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// What the CRM makes of one lead, by its last name's first word.
void judge(JsonWriter& w, std::string_view last, int nth) {
  const auto error = [&](const char* code, const char* message) {
    w.begin_object().member("success", false).key("errors").begin_array().begin_object();
    w.member("statusCode", code).member("message", message).end_object().end_array().end_object();
  };
  if (last == "refused") return error("STRING_TOO_LONG", "the last name is refused today");
  if (last == "converted") return error("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead");
  if (last == "locked" && nth == 1) return error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access");
  w.begin_object().member("id", "00Q").member("success", true).key("errors").begin_array().end_array().end_object();
}

class Crm {
 public:
  Crm() : server([this](const http::Request& request) { return answer(request); }) {}

  http::Response answer(const http::Request& request) {
    if (request.path == "/services/oauth2/token") {
      JsonWriter w;
      w.begin_object().member("access_token", "t").member("instance_url", server.url()).end_object();
      return http::json_response(200, std::move(w).text());
    }
    const std::string odd = odd_.with([](auto& body) { return std::exchange(body, std::string(kNone)); });
    if (odd != kNone) return http::json_response(200, odd);
    simdjson::dom::parser parser;
    simdjson::dom::array records;
    JsonWriter w;
    w.begin_array();
    if (parser.parse(request.body)["records"].get(records) == simdjson::SUCCESS) {
      for (const auto record : records) {
        std::string_view last;
        if (record["LastName"].get(last) != simdjson::SUCCESS) last = "?";
        const int nth = seen_.with([&](auto& seen) { return ++seen[std::string(last)]; });
        judge(w, last, nth);
      }
    }
    w.end_array();
    return http::json_response(200, std::move(w).text());
  }
  /// Answers the next writing with 200 and this body, and makes nothing of it.
  void answer_next(const std::string& body) {
    odd_.with([&](auto& odd) { odd = body; });
  }
  /// How often a lead of this last name was written.
  [[nodiscard]] int came(const std::string& last) const {
    return seen_.with([&](const auto& seen) {
      const auto found = seen.find(last);
      return found == seen.end() ? 0 : found->second;
    });
  }

 private:
  static constexpr const char* kNone = "none";
  Guarded<std::string> odd_{kNone};
  Guarded<std::map<std::string, int>> seen_;

 public:
  Receiver server;
};

class Errors : public ::testing::Test {
 protected:
  void open(const Crm& crm) {
    const std::string url = "\"" + crm.server.url() + "\"";
    ASSERT_NO_FATAL_FAILURE(company.open("  - { name: sf, unit: acme, adapter: salesforce, hosts: [" + url +
                                             "], internal: allow, fields: { hostname: \"" + crm.server.host() +
                                             "\" } }\n",
                                         "  - { name: to-sf, from: forms, kinds: [lead.form], to: sf, operation: "
                                         "upsert_lead, mapping: lead-to-salesforce }\n"));
    ASSERT_NO_FATAL_FAILURE(company.bridge.secret("sf", "client_id", "id"));
    ASSERT_NO_FATAL_FAILURE(company.bridge.secret("sf", "client_secret", "secret"));
  }
  void submit(const std::string& last) {
    std::string body = Hook::lead_json(last);
    replace_all(body, "Dupont", last);
    EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("hook-" + last, body)).status, 204);
  }

  PlainSalesforce adapter;
  FormsCompany company{{{adapter.folder()}, {}}};
};

TEST_F(Errors, OfSingleRecordsInsideA200AreDeadLettersWithTheCrmsWords) {
  Crm crm;
  ASSERT_NO_FATAL_FAILURE(open(crm));
  for (const std::string last : {"good", "refused", "converted", "locked", "fine"}) submit(last);
  // Two commands a lead: five reach the first CRM whatever the second says.
  auto books =
      books_when(company.bridge, [](auto& b) { return b["commands.delivered"] == 8 && b["commands.dead"] == 2; });
  EXPECT_EQ(books["commands.made"], 10);
  EXPECT_EQ(books["commands.delivered"], 8) << company.bridge.parked() << company.bridge.log();
  EXPECT_EQ(books["commands.dead"], 2);
  EXPECT_EQ(crm.came("locked"), 2) << "what the CRM cannot do now is asked again";
  EXPECT_EQ(crm.came("refused"), 1) << "what it refuses for good is not";
  const std::string parked = company.bridge.parked();
  EXPECT_NE(parked.find("\"state\":\"dead\""), std::string::npos) << parked;
  EXPECT_NE(parked.find("the last name is refused today"), std::string::npos) << parked;
  EXPECT_NE(parked.find("CANNOT_UPDATE_CONVERTED_LEAD"), std::string::npos) << parked;
  company.expect_settled();
}

TEST_F(Errors, OfTheWholeRequestInsideA200AreNoSuccessAndTheLeadIsWrittenLater) {
  Crm crm;
  ASSERT_NO_FATAL_FAILURE(open(crm));
  std::int64_t leads = 0;
  for (const std::string& odd :
       {std::string("<html>Scheduled maintenance</html>"),
        std::string(R"([{"errorCode":"SERVER_UNAVAILABLE","message":"busy"}])"), std::string(R"({"success":true})")}) {
    SCOPED_TRACE(odd.substr(0, 60));
    const std::string last = "odd-" + std::to_string(++leads);
    crm.answer_next(odd);
    submit(last);
    EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return crm.came(last) == 1; }))
        << company.bridge.parked() << company.bridge.log();
  }
  auto books = books_when(company.bridge, [&](auto& b) { return b["commands.delivered"] == 2 * leads; });
  EXPECT_EQ(books["commands.delivered"], 2 * leads);
  company.expect_settled();
}

}  // namespace
}  // namespace isthmus::test
