#include "system/forms.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/eventually.h"

namespace isthmus::test {

Hook Hook::signed_over(const std::string& id, const std::string& body, std::chrono::seconds ago) {
  const SystemClock clock;
  const auto key = http::decode_webhook_secret(Secret(kSecret));
  Hook hook;
  hook.id = id;
  hook.body = body;
  hook.headers = http::sign_standard_webhook(std::span(&*key, 1), id, clock.now() - ago, body);
  return hook;
}

std::string Hook::lead_json(const std::string& external_id, const std::string& message) {
  JsonWriter w;
  w.begin_object().member("type", "lead.created").key("data").begin_object().member("external_id", external_id);
  w.member("submitted_at", "2026-11-24T10:00:00Z").key("person").begin_object().member("last", "Dupont");
  w.member("email", external_id + "@example.com").end_object().member("message", message);
  w.key("consent")
      .begin_object()
      .member("given", true)
      .member("wording", "Call me")
      .member("at", "2026-11-24T10:00:00Z");
  w.member("channel", "web form").key("purposes").begin_array().value("crm").end_array().end_object();
  w.end_object().end_object();
  return std::move(w).text();
}

std::string Hook::bytes() const {
  std::string out = "POST " + target + " HTTP/1.1\r\nHost: forms.example\r\nContent-Type: application/json\r\n";
  for (const http::Header& header : headers) out += header.name + ": " + header.value + "\r\n";
  return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Socket::Reply send(std::uint16_t port, const Hook& hook) {
  Socket socket(port);
  if (!socket.connected()) return {};
  socket.send(hook.bytes());
  return socket.receive();
}

std::optional<Socket::Reply> send(Socket& socket, const Hook& hook) {
  const std::string bytes = hook.bytes();
  if (!socket.connected() || socket.send(bytes) != bytes.size()) return std::nullopt;
  Socket::Reply reply = socket.receive();
  if (reply.status == 0) return std::nullopt;
  return reply;
}

FormsCompany::FormsCompany(Bridge::Options options, Receiver::Script crm_script)
    : crm(std::move(crm_script)), bridge(std::move(options)) {}

std::string FormsCompany::administration(const std::string& more_connections, const std::string& more_routes) const {
  const std::string url = "\"" + crm.url() + "\"";
  return "units:\n  - { name: acme }\nconnections:\n"
         "  - { name: forms, unit: acme, adapter: forms, hosts: [" +
         url + "], internal: allow, fields: { url: " + url +
         " } }\n"
         "  - { name: crm, unit: acme, adapter: webhook, hosts: [" +
         url + "], internal: allow, fields: { url: " + url + " } }\n" + more_connections +
         "routes:\n"
         "  - { name: leads-to-crm, from: forms, kinds: [lead.form], to: crm, operation: send_lead, mapping: "
         "lead-to-salesforce }\n" +
         more_routes;
}

void FormsCompany::open(const std::string& more_connections, const std::string& more_routes) {
  ASSERT_NO_FATAL_FAILURE(bridge.start());
  ASSERT_NO_FATAL_FAILURE(bridge.apply(administration(more_connections, more_routes)));
  ASSERT_NO_FATAL_FAILURE(bridge.secret("forms", "webhook_secret", kSecret));
  ASSERT_NO_FATAL_FAILURE(bridge.secret("crm", "webhook_secret", kSecret));
}

void FormsCompany::expect_flow(const std::string& external_id) {
  const Socket::Reply reply = send(bridge.public_port(), Hook::lead(external_id));
  ASSERT_EQ(reply.status, 204) << reply.body << bridge.log();
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return crm.has_lead(external_id); }))
      << "a good lead did not reach the CRM: " << bridge.parked() << bridge.log();
}

void FormsCompany::expect_settled() {
  auto books = books_when(bridge, [](auto& b) {
    return b["balanced"] == 1 && b["calls.unread"] == 0 && b["commands.in_flight"] == 0 && b["commands.waiting"] == 0;
  });
  EXPECT_EQ(books["balanced"], 1);
  EXPECT_EQ(books["calls.unread"], 0);
  EXPECT_EQ(books["commands.in_flight"] + books["commands.waiting"], 0) << bridge.parked();
  const Ran verified = bridge.verify();
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

}  // namespace isthmus::test
