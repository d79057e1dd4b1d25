// Where a request may go: the guard, proxies, certificates. A server on loopback counts who gets through.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/guarded.h"
#include "http/client.h"
#include "http/detail/test_certificate.h"
#include "http/detail/test_peer.h"
#include "http/server.h"

namespace isthmus::http {
namespace {

using detail::TestPeer;

std::string outcome(const ClientResult& result) {
  if (const auto* lost = std::get_if<Loss>(&result)) return std::string(to_string(lost->kind));
  return std::to_string(std::get<ClientReply>(result).status);
}

class ClientGuardTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Server::open({}, clock_, [](const Request& request, const Responder& respond) {
      if (request.path == "/redirect")
        return respond({302, {{"Location", "http://" + std::string(*request.headers.find("host")) + "/inside"}}, ""});
      respond(text_response(200, request.path));
    });
    ASSERT_TRUE(opened.has_value());
    server_ = std::move(*opened);
    port_ = std::to_string(server_->port());
  }
  void open(ClientOptions options) {
    auto opened = Client::open(std::move(options));
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    client_ = std::move(*opened);
  }
  std::string get(const std::string& url, std::vector<std::string> internal_hosts = {}) {
    ClientRequest request{.url = url, .guard = {std::move(internal_hosts)}};
    request.total_timeout = std::chrono::seconds(20);
    return outcome(client_->call(std::move(request)));
  }
  [[nodiscard]] FixedAddress fixed(std::string host, std::string address) const {
    return {std::move(host), server_->port(), std::move(address)};
  }

  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
  std::string port_;
};

TEST_F(ClientGuardTest, AT18_RefusesLoopbackHoweverItIsWritten) {
  open({.fixed_addresses = {fixed("rebound.example", "127.0.0.1"), fixed("mapped.example", "[::ffff:127.0.0.1]"),
                            fixed("both.example", "127.0.0.1,[::1]")}});
  for (const char* host : {"127.0.0.1",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.1",
                           "017700000001",
                           "0.0.0.0",
                           "0",
                           "localhost",
                           "LOCALHOST",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "%31%32%37.0.0.1",
                           "rebound.example",
                           "mapped.example",
                           "both.example"}) {
    EXPECT_EQ(get("http://" + std::string(host) + ":" + port_ + "/"), "refused_by_guard") << host;
  }
  EXPECT_EQ(get("http://169.254.169.254/latest/meta-data/"), "refused_by_guard");
  EXPECT_EQ(server_->counts().connections_accepted, 0U);
}

TEST_F(ClientGuardTest, AT18_AnApprovedInternalHostPassesAndNoOtherNameOfTheSameAddress) {
  open({.fixed_addresses = {fixed("crm.example", "127.0.0.1"), fixed("other.example", "127.0.0.1")}});
  EXPECT_EQ(get("http://crm.example:" + port_ + "/", {"crm.example"}), "200");
  EXPECT_EQ(get("http://crm.example:" + port_ + "/", {"crm.example:" + port_}), "200");
  EXPECT_EQ(get("http://crm.example:" + port_ + "/", {"crm.example:1"}), "refused_by_guard");
  EXPECT_EQ(get("http://other.example:" + port_ + "/", {"crm.example"}), "refused_by_guard");
  EXPECT_EQ(get("http://127.0.0.1:" + port_ + "/", {"crm.example"}), "refused_by_guard");
}

TEST_F(ClientGuardTest, AT18_AKeptConnectionDoesNotCarryARequestThatWasNotAllowedToOpenIt) {
  open({.fixed_addresses = {fixed("crm.example", "127.0.0.1")}});
  EXPECT_EQ(get("http://crm.example:" + port_ + "/", {"crm.example"}), "200");
  EXPECT_EQ(get("http://crm.example:" + port_ + "/"), "refused_by_guard");
  EXPECT_EQ(get("http://crm.example:" + port_ + "/", {"crm.example"}), "200");
  EXPECT_EQ(server_->counts().requests, 2U);
}

TEST_F(ClientGuardTest, AT18_ARedirectIsAReplyAndIsNotFollowed) {
  open({});
  EXPECT_EQ(get("http://127.0.0.1:" + port_ + "/redirect", {"127.0.0.1"}), "302");
  EXPECT_EQ(server_->counts().requests, 1U);
}

class ClientProxyTest : public ClientGuardTest {
 protected:
  void SetUp() override {
    ClientGuardTest::SetUp();
    proxy_ = std::make_unique<TestPeer>([this](TestPeer::Connection& connection, int) {
      const std::string request = connection.request();
      asked_.with([&](auto& all) { all.push_back(request.substr(0, request.find("\r\n"))); });
      connection.send("HTTP/1.1 203 By Proxy\r\nContent-Length: 0\r\n\r\n");
    });
  }
  std::vector<std::string> asked() {
    return asked_.with([](auto& all) { return all; });
  }
  [[nodiscard]] std::string proxy_url() const { return "http://127.0.0.1:" + std::to_string(proxy_->port()); }

  Guarded<std::vector<std::string>> asked_;
  std::unique_ptr<TestPeer> proxy_;
};

TEST_F(ClientProxyTest, TakesNoProxyFromTheEnvironment) {
  ::setenv("http_proxy", proxy_url().c_str(), 1);  // before the client's thread
  ::setenv("ALL_PROXY", proxy_url().c_str(), 1);
  open({});
  EXPECT_EQ(get("http://127.0.0.1:" + port_ + "/", {"127.0.0.1"}), "200");
  client_.reset();
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(proxy_->connections(), 0);
}

TEST_F(ClientProxyTest, UsesTheConfiguredOneForAllButItsExceptions) {
  ::setenv("no_proxy", "*", 1);
  open({.proxy = {proxy_url(), {"127.0.0.1", ".corp.example"}},
        .fixed_addresses = {fixed("crm.corp.example", "127.0.0.1")}});
  EXPECT_EQ(get("http://vendor.example/v1?x=1"), "203");
  EXPECT_EQ(get("http://127.0.0.1:" + port_ + "/", {"127.0.0.1"}), "200");
  EXPECT_EQ(get("http://crm.corp.example:" + port_ + "/", {"crm.corp.example"}), "200");
  EXPECT_EQ(get("http://crm.corp.example:" + port_ + "/"), "refused_by_guard");
  ::unsetenv("no_proxy");
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET http://vendor.example/v1?x=1 HTTP/1.1"}));
}

TEST_F(ClientProxyTest, AsksTheProxyForNoInternalAddressThatNamesItself) {
  open({.proxy = {proxy_url(), {}}});
  for (const char* host : {"127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
                           "localhost", "a.localhost", "localhost."}) {
    EXPECT_EQ(get("http://" + std::string(host) + "/"), "refused_by_guard") << host;
  }
  EXPECT_EQ(proxy_->connections(), 0);
  EXPECT_EQ(get("http://10.1.2.3/", {"10.1.2.3"}), "203");
  EXPECT_EQ(get("http://8.8.8.8/"), "203");
}

TEST_F(ClientProxyTest, SaysWhenTheProxyIsNotAnAddress) {
  EXPECT_EQ(Client::open({.proxy = {"socks5://127.0.0.1", {}}}).error().code, "http.proxy");
  EXPECT_EQ(Client::open({.proxy = {"proxy:3128", {}}}).error().code, "http.proxy");
}

class ClientTlsTest : public ClientGuardTest {
 protected:
  void SetUp() override {
    const auto own = detail::make_certificate("crm.example");
    ServerOptions options;
    options.tls = ServerTls{own.certificate_pem, Secret(own.key_pem)};
    auto opened = Server::open(options, clock_, [](Request request, const Responder& respond) {
      respond(text_response(200, std::move(request.body)));
    });
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    server_ = std::move(*opened);
    port_ = std::to_string(server_->port());
    folder_ = std::filesystem::temp_directory_path() / ("isthmus-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ / "ca.pem") << own.certificate_pem;
    std::ofstream(folder_ / "other.pem") << detail::make_certificate("crm.example").certificate_pem;
    std::ofstream(folder_ / "not.pem") << "no certificate";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void trust(const char* file) {
    open({.extra_ca_file = file == nullptr ? "" : folder_ / file,
          .fixed_addresses = {fixed("crm.example", "127.0.0.1"), fixed("other.example", "127.0.0.1")}});
  }
  std::filesystem::path folder_;
};

TEST_F(ClientTlsTest, RefusesASelfSignedCertificateAndAcceptsItWithItsAuthority) {
  trust(nullptr);
  EXPECT_EQ(get("https://crm.example:" + port_ + "/", {"crm.example"}), "tls");
  trust("other.pem");
  EXPECT_EQ(get("https://crm.example:" + port_ + "/", {"crm.example"}), "tls");
  EXPECT_EQ(server_->counts().requests, 0U);
  trust("ca.pem");
  EXPECT_EQ(get("https://crm.example:" + port_ + "/", {"crm.example"}), "200");
  EXPECT_EQ(get("https://crm.example:" + port_ + "/"), "refused_by_guard");
}

TEST_F(ClientTlsTest, RefusesACertificateOfAnotherName) {
  trust("ca.pem");
  EXPECT_EQ(get("https://other.example:" + port_ + "/", {"other.example"}), "tls");
  EXPECT_EQ(server_->counts().requests, 0U);
}

TEST_F(ClientTlsTest, CarriesALargeBodyBothWays) {
  trust("ca.pem");
  ClientRequest request{.method = "POST",
                        .url = "https://crm.example:" + port_ + "/",
                        .body = Bytes(1'000'000, 'x'),
                        .guard = {{"crm.example"}}};
  for (int i = 0; i < 3; ++i) {
    const ClientResult result = client_->call(request);
    ASSERT_EQ(outcome(result), "200");
    EXPECT_EQ(std::get<ClientReply>(result).body, request.body);
  }
  EXPECT_EQ(server_->counts().connections_accepted, 1U);
}

TEST_F(ClientTlsTest, SaysWhenTheAuthoritiesCannotBeRead) {
  EXPECT_EQ(Client::open({.extra_ca_file = folder_ / "missing.pem"}).error().code, "http.ca-file");
  EXPECT_EQ(Client::open({.extra_ca_file = folder_ / "not.pem"}).error().code, "http.ca-file");
}

}  // namespace
}  // namespace isthmus::http
