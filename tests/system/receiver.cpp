#include "system/receiver.h"

#include <simdjson.h>

#include "base/check.h"

namespace isthmus::test {

Receiver::Receiver(Script script) : script_(std::move(script)) {
  http::ServerOptions options;
  options.io_threads = 1;
  auto opened = http::Server::open(options, clock_, [this](http::Request request, const http::Responder& respond) {
    http::Response response = script_ ? script_(request) : http::Response{204, {}, {}};
    requests_.with([&](auto& all) { all.push_back(std::move(request)); });
    respond(std::move(response));
  });
  ISTHMUS_CHECK(opened.has_value(), "a free port on loopback can be had");
  server_ = std::move(*opened);
}

Receiver::~Receiver() { server_->stop(std::chrono::milliseconds(0)); }

std::map<std::string, std::set<std::string>> Receiver::leads() const {
  std::map<std::string, std::set<std::string>> out;
  simdjson::dom::parser parser;
  requests_.with([&](const auto& all) {
    for (const http::Request& request : all) {
      simdjson::dom::element body;
      std::string_view id;
      if (parser.parse(request.body).get(body) != simdjson::SUCCESS) continue;
      if (body.at_pointer("/data/external_id").get(id) != simdjson::SUCCESS) continue;
      out[std::string(id)].insert(std::string(request.headers.only("webhook-id").value_or("")));
    }
  });
  return out;
}

}  // namespace isthmus::test
