#include "journal/codec.h"

#include <charconv>

namespace isthmus::journal {
namespace {

class Writer {
 public:
  Writer& text(std::string_view value) {
    const auto size = static_cast<std::uint32_t>(value.size());
    for (int shift = 24; shift >= 0; shift -= 8)
      out_ += static_cast<char>((size >> static_cast<unsigned>(shift)) & 255U);
    out_ += value;
    return *this;
  }
  Writer& number(std::int64_t value) { return text(std::to_string(value)); }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::string text() {
    if (in_.size() < 4) return spoil();
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = (size << 8U) | static_cast<unsigned char>(in_[i]);
    if (in_.size() - 4 < size) return spoil();
    std::string value(in_.substr(4, size));
    in_.remove_prefix(4 + size);
    return value;
  }
  std::int64_t number() {
    const std::string digits = text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) spoil();
    return value;
  }
  [[nodiscard]] bool at_end() const { return in_.empty(); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::string spoil() {
    good_ = false;
    in_ = {};
    return {};
  }
  std::string_view in_;
  bool good_ = true;
};

tl::unexpected<Error> bad() { return fail("journal.format", "a journaled exchange does not have format 1"); }

}  // namespace

Bytes encode(const adapter::Call& call) {
  Writer w;
  w.text("call")
      .text(call.kind)
      .text(call.method)
      .text(call.path)
      .text(call.query)
      .text(call.body)
      .number(call.received_ms);
  w.text(call.stream).number(call.status);
  for (const adapter::Header& header : call.headers) w.text(header.name).text(header.value);
  return w.take();
}

Result<adapter::Call> decode_call(std::string_view stored) {
  Reader r(stored);
  if (r.text() != "call") return bad();
  adapter::Call call;
  call.kind = r.text();
  call.method = r.text();
  call.path = r.text();
  call.query = r.text();
  call.body = r.text();
  call.received_ms = r.number();
  call.stream = r.text();
  call.status = static_cast<std::int32_t>(r.number());
  while (r.good() && !r.at_end()) {
    std::string name = r.text();
    call.headers.push_back({std::move(name), r.text()});
  }
  if (!r.good()) return bad();
  return call;
}

Bytes encode(const adapter::Context& context) {
  Writer w;
  w.text("context")
      .number(context.now_ms)
      .text(context.facts_json)
      .number(context.attempt)
      .number(context.first_attempt_ms);
  w.number(static_cast<std::int64_t>(context.auth.size()));
  for (const auto& [name, value] : context.auth) w.text(name).text(value);
  for (const auto& [name, value] : context.connection) w.text(name).text(value);
  return w.take();
}

Result<adapter::Context> decode_context(std::string_view stored) {
  Reader r(stored);
  if (r.text() != "context") return bad();
  adapter::Context context;
  context.now_ms = r.number();
  context.facts_json = r.text();
  context.attempt = static_cast<std::int32_t>(r.number());
  context.first_attempt_ms = r.number();
  for (std::int64_t i = r.number(); r.good() && i > 0; --i) {
    std::string name = r.text();
    context.auth[name] = r.text();
  }
  while (r.good() && !r.at_end()) {
    std::string name = r.text();
    context.connection[name] = r.text();
  }
  if (!r.good()) return bad();
  return context;
}

}  // namespace isthmus::journal
