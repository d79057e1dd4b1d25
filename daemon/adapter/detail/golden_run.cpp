#include "adapter/detail/golden_run.h"

#include <algorithm>

#include "adapter/detail/reply_time.h"
#include "adapter/hosts.h"
#include "base/clock.h"

namespace isthmus::adapter::detail {
namespace {

using config::Node;
using expression::Value;

Value json_or_text(std::string_view text) {
  const Result<expression::Document> document = expression::Document::parse(text);
  return document ? document->root().owned() : Value::text(std::string(text));
}

std::string show(std::string_view what, const std::string& expected, const std::string& found) {
  return std::string(what) + "\n      expected " + expected + "\n      found    " + found;
}

/// Names the first place where two JSON values part, so that a long body need not be read twice.
std::string first_difference(const Value& expected, const Value& found, const std::string& path) {
  if (expected == found) return {};
  if (expected.is_object() && found.is_object()) {
    for (const auto& [key, value] : expected.members()) {
      std::string inner = first_difference(value, found.get(key), path + "." + std::string(key));
      if (!inner.empty()) return inner;
    }
    for (const auto& [key, value] : found.members()) {
      const auto members = expected.members();
      const bool known =
          std::any_of(members.begin(), members.end(), [&, name = key](const auto& m) { return m.first == name; });
      if (!known) return show(path + "." + std::string(key), "nothing", value.to_json());
    }
  }
  if (expected.is_list() && found.is_list() && expected.size() == found.size()) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      std::string inner = first_difference(expected.at(at), found.at(at), path + "[" + std::to_string(i) + "]");
      if (!inner.empty()) return inner;
    }
  }
  return show(path, expected.to_json(), found.to_json());
}

void compare(std::vector<std::string>& out, const std::string& what, const Value& expected, const Value& found) {
  std::string difference = first_difference(expected, found, what);
  if (!difference.empty()) out.push_back(std::move(difference));
}

Value rfc3339_or_none(std::int64_t ms) { return ms == 0 ? Value() : Value::text(to_rfc3339(from_ms(ms))); }

/// The members that the example names; the others are not its subject.
Value only(const Value& all, const Value& wanted) {
  Value::Object out;
  for (const auto& [key, value] : wanted.members()) out.emplace_back(std::string(key), all.get(key));
  return Value::object(std::move(out));
}

/// A written instant becomes the form in which instants are compared.
Value with_instant(Value expected, std::string_view key) {
  Value::Object out;
  for (const auto& [name, value] : expected.members()) {
    const auto ms = name == key ? instant_ms(value) : std::nullopt;
    out.emplace_back(std::string(name), ms ? rfc3339_or_none(*ms) : value);
  }
  return Value::object(std::move(out));
}

Value outcome_value(const Outcome& outcome) {
  Value::Object out{{"verdict", Value::text(std::string(to_string(outcome.verdict)))}};
  if (!outcome.command_id.empty()) out.emplace_back("command", Value::text(outcome.command_id));
  if (!outcome.remote_id.empty()) out.emplace_back("remote_id", Value::text(outcome.remote_id));
  if (!outcome.remote_url.empty()) out.emplace_back("remote_url", Value::text(outcome.remote_url));
  if (outcome.not_before_ms != 0) out.emplace_back("not_before", rfc3339_or_none(outcome.not_before_ms));
  if (!outcome.reason.empty()) out.emplace_back("reason", Value::text(outcome.reason));
  return Value::object(std::move(out));
}

Value event_value(const Event& event) {
  Value::List purposes;
  for (const std::string& purpose : event.purposes) purposes.push_back(Value::text(purpose));
  return Value::object({{"dedup", Value::text(event.dedup_key)},
                        {"kind", Value::text(event.kind)},
                        {"at", rfc3339_or_none(event.occurred_ms)},
                        {"order_key", Value::text(event.order_key)},
                        {"format", Value::text(event.format)},
                        {"body", json_or_text(event.body)},
                        {"purposes", Value::list(std::move(purposes))}});
}

/// Plays one case; collects what differs.
class Player {
 public:
  Player(const Adapter& adapter, const GoldenCase& golden,
         const std::function<void(const HttpRequest&, const GoldenExchange&)>& sent)
      : adapter_(adapter), golden_(golden), sent_(sent) {}

  std::vector<std::string> play() {
    using Kind = GoldenCase::Kind;
    switch (golden_.kind) {
      case Kind::webhook:
        parse(golden_.call);
        break;
      case Kind::validate:
        validate();
        break;
      case Kind::login:
      case Kind::refresh:
        login();
        break;
      default:
        task();
        break;
    }
    return std::move(problems_);
  }

 private:
  [[nodiscard]] const Node* expected(std::string_view key) const { return golden_.expected->find(key); }
  void add(std::string problem) { problems_.push_back(std::move(problem)); }

  [[nodiscard]] Task the_task() const {
    using Kind = GoldenCase::Kind;
    if (golden_.kind == Kind::collect) return golden_.collect;
    if (golden_.kind == Kind::reconcile) return Reconcile{golden_.commands.front(), golden_.sent_after_ms};
    if (golden_.kind == Kind::check) return Check{golden_.check};
    return Deliver{golden_.commands};
  }

  /// Twice, since a pure function cannot tell.
  Result<Step> ask(const Task& task, const Bytes& state, const Input& input) {
    Result<Step> first = adapter_.advance(golden_.context, task, state, input);
    const Result<Step> second = adapter_.advance(golden_.context, task, state, input);
    if (first.has_value() != second.has_value() || (first && describe(*first) != describe(*second))) {
      add("two calls with the same arguments gave different answers");
    }
    return first;
  }
  static std::string describe(const Step& step) {
    std::string out = step.state + "|" + std::to_string(step.move.index()) + "|";
    if (const auto* request = std::get_if<HttpRequest>(&step.move)) {
      out += request->method + request->url;
      for (const Header& header : request->headers) out += header.name + header.value;
      if (const auto* body = std::get_if<Bytes>(&request->body)) out += *body;
    }
    if (const auto* done = std::get_if<Done>(&step.move)) {
      if (const auto* outcomes = std::get_if<std::vector<Outcome>>(done)) {
        for (const Outcome& outcome : *outcomes) out += outcome_value(outcome).to_json();
      }
      if (const auto* page = std::get_if<Page>(done)) out += page->next_cursor;
    }
    return out;
  }

  void task() {
    const Task task = the_task();
    Bytes state;
    Input input = First{};
    std::size_t at = 0;
    bool waited = false;
    for (int moves = 0; moves < kMovesMax; ++moves) {
      const Result<Step> step = ask(task, state, input);
      if (!step) return fault(step.error());
      state = step->state;
      if (std::holds_alternative<Wait>(step->move)) {
        input = Waited{};
        waited = true;
        continue;
      }
      if (const auto* done = std::get_if<Done>(&step->move)) return finish(*done, at);
      const HttpRequest& request = std::get<HttpRequest>(step->move);
      if (at >= golden_.exchange.size())
        return add("one request more than written: " + request.method + " " + request.url);
      const GoldenExchange& exchange = golden_.exchange[at];
      check_request(request, exchange);
      if (waited != exchange.waits_before)
        add("line " + std::to_string(exchange.line) + ": a wait where none is written, or none where one is");
      waited = false;
      input = to_input(exchange.reply);
      ++at;
    }
    add("more than " + std::to_string(kMovesMax) + " moves");
  }

  static Input to_input(const std::variant<HttpReply, Loss>& reply) {
    if (const auto* loss = std::get_if<Loss>(&reply)) return *loss;
    return std::get<HttpReply>(reply);
  }

  void check_request(const HttpRequest& request, const GoldenExchange& exchange) {
    sent_(request, exchange);
    for (std::string& difference : differences(request, exchange)) {
      add("line " + std::to_string(exchange.line) + ": " + std::move(difference));
    }
    const std::vector<std::string> hosts = adapter_.hosts(golden_.context);
    if (!host_allowed(request.url, hosts)) add("the request goes to a host that hosts() does not name: " + request.url);
  }

  void fault(const Error& error) {
    const Node* poison = expected("poison");
    if (poison == nullptr || error.code != "adapter.poison") add("the adapter failed: " + to_string(error));
  }

  void finish(const Done& done, std::size_t used) {
    if (used != golden_.exchange.size())
      add(std::to_string(golden_.exchange.size() - used) + " written requests were not made");
    if (const auto* outcomes = std::get_if<std::vector<Outcome>>(&done)) check_outcomes(*outcomes);
    if (const auto* page = std::get_if<Page>(&done)) check_page(*page);
    if (const auto* sighting = std::get_if<Sighting>(&done)) check_sighting(*sighting);
    if (const auto* report = std::get_if<Report>(&done)) {
      const Node* node = expected("report");
      if (node == nullptr || node->text != report->text)
        add(show("report", node == nullptr ? "none" : node->text, report->text));
    }
    check_session_refused();
  }

  void check_outcomes(const std::vector<Outcome>& outcomes) {
    if (const Node* one = expected("outcome")) {
      const Value wanted = with_instant(plain_value(*one), "not_before");
      if (outcomes.size() != 1) return add("outcome: expected one, found " + std::to_string(outcomes.size()));
      return compare(problems_, "outcome", wanted, only(outcome_value(outcomes.front()), wanted));
    }
    const Node* many = expected("outcomes");
    if (many == nullptr) return add("an outcome that is not written: " + outcome_value(outcomes.front()).to_json());
    if (many->items.size() != outcomes.size())
      return add("outcomes: another number of them: " + std::to_string(outcomes.size()));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const Value wanted = with_instant(plain_value(many->items[i]), "not_before");
      compare(problems_, "outcomes[" + std::to_string(i) + "]", wanted, only(outcome_value(outcomes[i]), wanted));
    }
  }

  void check_page(const Page& page) {
    const Node* node = expected("page");
    if (node == nullptr) return add("a page that is not written: " + page.next_cursor);
    const Value found = Value::object({{"cursor", json_or_text(page.next_cursor)}, {"more", Value::of(page.more)}});
    compare(problems_, "page", plain_value(*node), found);
    const auto* reply = golden_.exchange.empty() ? nullptr : std::get_if<HttpReply>(&golden_.exchange.back().reply);
    if (expected("events") == nullptr || reply == nullptr) return;
    Call call;
    call.kind = "poll";
    call.stream = golden_.collect.stream;
    call.status = reply->status;
    call.headers = reply->headers;
    call.body = reply->body;
    call.received_ms = golden_.context.now_ms;
    parse(call);
  }

  void check_sighting(const Sighting& sighting) {
    const Node* node = expected("sighting");
    if (node == nullptr) return add("a sighting that is not written");
    const std::string presence = sighting.presence == Presence::found    ? "found"
                                 : sighting.presence == Presence::absent ? "absent"
                                                                         : "unknown";
    Value::Object found{{"presence", Value::text(presence)}};
    if (!sighting.remote_id.empty()) found.emplace_back("remote_id", Value::text(sighting.remote_id));
    if (!sighting.remote_url.empty()) found.emplace_back("remote_url", Value::text(sighting.remote_url));
    compare(problems_, "sighting", plain_value(*node), Value::object(std::move(found)));
  }

  void check_session_refused() {
    const Node* node = expected("session_refused");
    const auto* reply = golden_.exchange.empty() ? nullptr : std::get_if<HttpReply>(&golden_.exchange.back().reply);
    if (node == nullptr || reply == nullptr) return;
    const Authenticator* auth = adapter_.authenticator();
    const bool refused = auth != nullptr && auth->session_refused(*reply);
    if (refused != (node->text == "true")) add(show("session_refused", node->text, refused ? "true" : "false"));
  }

  void parse(const Call& call) {
    const Result<std::vector<Event>> events = adapter_.parse(golden_.context, call);
    const Result<std::vector<Event>> again = adapter_.parse(golden_.context, call);
    if (!events) return fault(events.error());
    if (expected("poison") != nullptr) return add("poison was expected, and the call was read");
    Value::List found;
    for (const Event& event : *events) found.push_back(event_value(event));
    Value::List second;
    for (const Event& event : *again) second.push_back(event_value(event));
    if (!(Value::list(found) == Value::list(second))) add("parse() gave two different answers");
    const Node* node = expected("events");
    if (node == nullptr) return add("events that are not written: " + Value::list(found).to_json());
    if (node->items.size() != found.size()) {
      return add(show("events", std::to_string(node->items.size()) + " of them", Value::list(found).to_json()));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Value wanted = with_instant(plain_value(node->items[i]), "at");
      compare(problems_, "events[" + std::to_string(i) + "]", wanted, only(found[i], wanted));
    }
  }

  void validate() {
    const Result<std::vector<Problem>> problems = adapter_.validate(golden_.context, golden_.commands.front());
    if (!problems) return fault(problems.error());
    Value::List found;
    for (const Problem& problem : *problems) {
      Value::Object one{{"code", Value::text(problem.code)}, {"field", Value::text(problem.field)}};
      for (const auto& [name, value] : problem.values) one.emplace_back(name, Value::text(value));
      found.push_back(Value::object(std::move(one)));
    }
    const Node* node = expected("problems");
    compare(problems_, "problems", node == nullptr ? Value::list({}) : plain_value(*node),
            Value::list(std::move(found)));
  }

  void login() {
    const Authenticator* auth = adapter_.authenticator();
    if (auth == nullptr || golden_.exchange.size() != 1)
      return add("a login has one exchange, and the adapter must have a session");
    const GoldenExchange& exchange = golden_.exchange.front();
    const bool refresh = golden_.kind == GoldenCase::Kind::refresh;
    const Result<HttpRequest> request = refresh
                                            ? auth->refresh_request(golden_.context, golden_.secrets, golden_.session)
                                            : auth->login_request(golden_.context, golden_.secrets);
    if (!request) return fault(request.error());
    check_request(*request, exchange);
    const auto* reply = std::get_if<HttpReply>(&exchange.reply);
    if (reply == nullptr) return add("a login's reply is read by the host only when there is one");
    const Login login = auth->parse_login(golden_.context, *reply, golden_.session);
    Value::Object tokens;
    for (const auto& [name, value] : login.session.tokens)
      tokens.emplace_back(name, Value::text(std::string(value.reveal())));
    Value::Object kept;
    for (const auto& [name, value] : login.session.kept) kept.emplace_back(name, Value::text(value));
    const Node* node = expected("session");
    if (node == nullptr) return add("session is not written");
    Value::Object found{{"verdict", Value::text(std::string(to_string(login.verdict)))},
                        {"tokens", Value::object(std::move(tokens))},
                        {"kept", Value::object(std::move(kept))},
                        {"expires", rfc3339_or_none(login.session.expires_ms)},
                        {"not_before", rfc3339_or_none(login.not_before_ms)}};
    const Result<HttpRequest> applied = auth->apply(HttpRequest{}, golden_.context, golden_.secrets, login.session);
    if (applied && !applied->headers.empty())
      found.emplace_back("authorization", Value::text(applied->headers.front().value));
    const Value wanted = with_instant(with_instant(plain_value(*node), "expires"), "not_before");
    compare(problems_, "session", wanted, only(Value::object(std::move(found)), wanted));
  }

  const Adapter& adapter_;
  const GoldenCase& golden_;
  const std::function<void(const HttpRequest&, const GoldenExchange&)>& sent_;
  std::vector<std::string> problems_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void compare_parts(const std::vector<Part>& found, const std::vector<std::map<std::string, std::string>>& expected,
                   std::vector<std::string>& out) {
  if (found.size() != expected.size())
    return out.push_back("multipart: another number of parts: " + std::to_string(found.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::map<std::string, std::string> part{{"name", found[i].name}};
    if (!found[i].content_type.empty()) part["content_type"] = found[i].content_type;
    if (!found[i].filename.empty()) part["filename"] = found[i].filename;
    if (found[i].range) part["blob"] = found[i].range->blob;
    if (!found[i].range) part["text"] = found[i].data;
    Value::Object a, b;
    for (const auto& [k, v] : expected[i]) a.emplace_back(k, Value::text(v));
    for (const auto& [k, v] : part) b.emplace_back(k, Value::text(v));
    compare(out, "multipart[" + std::to_string(i) + "]", Value::object(a), Value::object(b));
  }
}

void compare_body(const HttpRequest& request, const GoldenExchange& expected, std::vector<std::string>& out) {
  if (const auto* parts = std::get_if<std::vector<Part>>(&request.body)) {
    if (!expected.multipart) return out.push_back("a multipart body that is not written");
    return compare_parts(*parts, *expected.multipart, out);
  }
  if (const auto* range = std::get_if<BlobRange>(&request.body)) {
    if (expected.blob != range->blob) out.push_back(show("blob", expected.blob.value_or("none"), range->blob));
    return;
  }
  const Bytes& body = std::get<Bytes>(request.body);
  if (expected.json) return compare(out, "json", *expected.json, json_or_text(body));
  if (expected.form) {
    std::vector<std::pair<std::string, std::string>> wanted(expected.form->begin(), expected.form->end());
    std::vector<std::pair<std::string, std::string>> found = form_pairs(body);
    std::sort(found.begin(), found.end());
    Value::Object a, b;
    for (auto& [k, v] : wanted) a.emplace_back(k, Value::text(v));
    for (auto& [k, v] : found) b.emplace_back(k, Value::text(v));
    return compare(out, "form", Value::object(a), Value::object(b));
  }
  if (body != expected.text.value_or("")) out.push_back(show("body", expected.text.value_or("none"), body));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> form_pairs(std::string_view form) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!form.empty()) {
    const std::size_t end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    const std::size_t equals = pair.find('=');
    out.emplace_back(url_decoded(pair.substr(0, equals)),
                     equals == std::string_view::npos ? "" : url_decoded(pair.substr(equals + 1)));
    if (end == std::string_view::npos) break;
    form.remove_prefix(end + 1);
  }
  return out;
}

std::vector<std::string> differences(const HttpRequest& request, const GoldenExchange& expected) {
  std::vector<std::string> out;
  if (request.method != expected.method) out.push_back(show("method", expected.method, request.method));
  if (request.url != expected.url) out.push_back(show("url", expected.url, request.url));
  for (const auto& [name, value] : expected.headers) {
    const std::optional<std::string_view> found = header_of(request.headers, name);
    if (!found || *found != value) out.push_back(show("header " + name, value, found ? std::string(*found) : "none"));
  }
  compare_body(request, expected, out);
  return out;
}

std::vector<std::string> play(const Adapter& adapter, const GoldenCase& golden,
                              const std::function<void(const HttpRequest&, const GoldenExchange&)>& sent) {
  return Player(adapter, golden, sent).play();
}

}  // namespace isthmus::adapter::detail
