#include "webhooks.h"

#include <fmt/format.h>

#include "base/check.h"
#include "http/standard_webhooks.h"

namespace isthmus::bench {
namespace {

std::string digits(std::uint64_t number) { return fmt::format("{:012}", number); }

constexpr std::string_view kAfter =
    R"(","submitted_at":"2026-11-24T18:00:00.000Z","person":{"name":"Zoé Dupont","first":"Zoé","last":"Dupont",)"
    R"("email":"Zoe.Dupont@Example.COM","phone":"+33 1 02 03 04 05","company":"Fleurs du Nord"},"campaign":"Autumn-2026",)"
    R"("consent":{"given":true,"wording":"Vous pouvez me rappeler au sujet de ma demande.","at":"2026-11-24T17:59:58.000Z",)"
    R"("channel":"form","purposes":["crm","marketing"]},"message":")";
constexpr std::string_view kSentence =
    "Nous cherchons un fournisseur pour l'été : \\\"délai\\\" d'abord, prix ensuite. Deux sites, l'un à Lille et "
    "l'autre à Brest, et des livraisons chaque lundi avant huit heures.\\n";

}  // namespace

Webhooks::Webhooks(Options options, const Secret& webhook_secret) : options_(std::move(options)) {
  auto key = http::decode_webhook_secret(webhook_secret);
  ISTHMUS_CHECK(key.has_value(), "the bench makes a good secret");
  key_ = std::move(*key);
  before_ = std::string(R"({"type":")") + (options_.kind == Kind::lead ? "lead.created" : "bench.ignored") +
            R"(","timestamp":"2026-11-24T18:00:00Z","data":{"external_id":"sub_)";
  after_ = kAfter;
  while (before_.size() + 12 + after_.size() + kSentence.size() + 3 <= options_.body_bytes) after_ += kSentence;
  while (before_.size() + 12 + after_.size() + 4 <= options_.body_bytes) after_ += 'x';
  after_ += "\"}}";
}

std::string Webhooks::body(std::uint64_t number) const { return before_ + digits(number) + after_; }

void Webhooks::prepare(std::size_t count) {
  if (heads_.empty()) first_ = next_;
  const Instant now = SystemClock().now();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string content = body(next_);
    std::string head =
        fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                    options_.paths[next_ % options_.paths.size()], content.size());
    for (const http::Header& header :
         http::sign_standard_webhook(std::span(&key_, 1), "msg_" + digits(next_), now, content))
      head += header.name + ": " + header.value + "\r\n";
    heads_.push_back(head + "\r\n");
    ++next_;
  }
}

void Webhooks::write(std::size_t n, std::string& out) const {
  out += heads_[n];
  out += before_;
  out += digits(first_ + n);
  out += after_;
}

}  // namespace isthmus::bench
