#include "adapter/auth.h"

#include <algorithm>

#include "adapter/detail/classify.h"
#include "adapter/detail/render.h"
#include "adapter/detail/reply_time.h"
#include "adapter/detail/scopes.h"
#include "base/crypto.h"
#include "expression/encode.h"

namespace isthmus::adapter {
namespace {

using detail::AuthPlan;
using detail::LoginCall;
using expression::Value;

Value secrets_value(const Secrets& secrets) {
  Value::Object out;
  for (const auto& [name, secret] : secrets) out.emplace_back(name, detail::text_value(secret.reveal()));
  return Value::object(std::move(out));
}

/// What templates of the auth part read; lives for one call.
expression::MapScope scope_of(const Context& context, const Secrets& secrets, const Session& session) {
  expression::MapScope scope;
  scope.set("connection", detail::attrs_value(context.connection));
  scope.set("auth", detail::attrs_value(session.kept.empty() ? context.auth : session.kept));
  scope.set("now", Value::of(context.now_ms));
  scope.set("secret", secrets_value(secrets));
  scope.set("token", secrets_value(session.tokens));
  return scope;
}

Result<HttpRequest> call_request(const AuthPlan& plan, const LoginCall& call, const Context& context,
                                 const Secrets& secrets, const Session& session) {
  const expression::MapScope scope = scope_of(context, secrets, session);
  detail::Rendered rendered = detail::render(call.request, plan.base_url, {}, 20000, scope);
  if (!rendered.request) return fail("auth.secret-missing", "the login cannot be built: " + rendered.reason);
  if (call.bearer) {
    const expression::Outcome value = call.bearer->render(scope, expression::encode_header_value);
    if (!value.ok()) return fail("auth.secret-missing", "the login cannot be built: " + std::string(value.reason()));
    rendered.request->headers.push_back({"Authorization", value.value().to_text()});
  }
  return *std::move(rendered.request);
}

/// The reply's body and status as detail::Reading shows them, with the plan's error code.
struct ReplyReading {
  detail::Descriptor shape;  // only `code` is read
  detail::Reading reading;
  bool readable = false;

  ReplyReading(const AuthPlan& plan, const HttpReply& reply) {
    shape.code = plan.code;
    readable = reading.set_reply(shape, reply);
  }
};

bool take(const std::vector<detail::TakenToken>& plans, const expression::Scope& scope,
          std::map<std::string, std::string>& out) {
  for (const detail::TakenToken& token : plans) {
    const expression::Outcome value = token.value.evaluate(scope);
    if (!value.ok()) return false;
    std::string text = value.value().to_text();
    if (!text.empty()) out[token.name] = std::move(text);
  }
  return true;
}

Login refused(Verdict verdict, std::string reason, std::int64_t not_before = 0) {
  Login out;
  out.verdict = verdict;
  out.reason = std::move(reason);
  out.not_before_ms = not_before;
  return out;
}

/// 400 and 401 say that the credentials are wrong; anything else that they could not be looked at now.
Login refused_by(const HttpReply& reply, const std::string& code, std::int64_t now_ms) {
  const std::string reason = std::to_string(reply.status) + (code.empty() ? "" : " " + code);
  const std::int64_t floor = detail::not_before_ms(reply, {}, now_ms);
  if (reply.status == 429) return refused(Verdict::throttled, reason, floor);
  if (reply.status >= 400 && reply.status < 500) return refused(Verdict::reauth, reason);
  return refused(Verdict::retry, reason, floor);
}

void replace_header(HttpRequest& request, const std::string& name, std::string value) {
  std::erase_if(request.headers, [&](const Header& h) { return detail::header_of({h}, name).has_value(); });
  request.headers.push_back({name, std::move(value)});
}

/// Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-24):
/// HMAC-SHA256 over id.timestamp.body with the key behind "whsec_", base64.
Result<HttpRequest> sign_standard_webhook(HttpRequest request, std::string_view secret, std::int64_t now_ms) {
  constexpr std::string_view kPrefix = "whsec_";
  const Result<Bytes> key = from_base64(secret.starts_with(kPrefix) ? secret.substr(kPrefix.size()) : secret);
  if (!key || key->size() < 24 || key->size() > 64) {
    return fail("auth.cannot-apply", "the webhook secret is not whsec_ and the base64 of 24 to 64 bytes");
  }
  const std::optional<std::string_view> id = detail::header_of(request.headers, "webhook-id");
  const Bytes* body = std::get_if<Bytes>(&request.body);
  if (!id || body == nullptr)
    return fail("auth.cannot-apply", "a signed webhook needs the header webhook-id and its whole body");
  const std::string timestamp = std::to_string(now_ms / 1000);
  const Bytes mac = crypto::hmac_sha256(*key, std::string(*id) + "." + timestamp + "." + *body);
  replace_header(request, "webhook-timestamp", timestamp);
  replace_header(request, "webhook-signature", "v1," + to_base64(mac));
  return request;
}

}  // namespace

Authenticator::Authenticator(std::shared_ptr<const detail::AuthPlan> plan) : plan_(std::move(plan)) {}
Authenticator::~Authenticator() = default;

bool Authenticator::has_session() const { return plan_->login.has_value(); }
bool Authenticator::has_refresh() const { return plan_->refresh.has_value(); }

Result<HttpRequest> Authenticator::login_request(const Context& context, const Secrets& secrets) const {
  if (!plan_->login) return fail("auth.no-login", "this system has no login");
  return call_request(*plan_, *plan_->login, context, secrets, {});
}

Result<HttpRequest> Authenticator::refresh_request(const Context& context, const Secrets& secrets,
                                                   const Session& session) const {
  if (!plan_->refresh) return fail("auth.no-refresh", "this system has no refresh");
  return call_request(*plan_, *plan_->refresh, context, secrets, session);
}

Login Authenticator::parse_login(const Context& context, const HttpReply& reply, const Session& before) const {
  if (!plan_->login) return refused(Verdict::misconfigured, "this system has no login");
  ReplyReading read(*plan_, reply);
  read.reading.scope().set("now", Value::of(context.now_ms));  // "expires in so many seconds"
  read.reading.scope().set("connection", detail::attrs_value(context.connection));
  const expression::MapScope& scope = read.reading.scope();
  if (reply.status < 200 || reply.status > 299) {
    return refused_by(reply, detail::text_of(plan_->code, scope), context.now_ms);
  }
  const LoginCall& call = *plan_->login;
  if (call.ok && call.ok->test(scope) != expression::Expression::Truth::yes) {
    return refused(Verdict::reauth, "the login was answered, but gave no session");
  }
  std::map<std::string, std::string> tokens;
  std::map<std::string, std::string> kept;
  if (!read.readable || !take(call.take, scope, tokens) || !take(call.keep, scope, kept)) {
    return refused(Verdict::retry, "the login's reply cannot be read");
  }
  Login out;
  out.verdict = Verdict::delivered;
  out.session.tokens = before.tokens;  // no empty token ever replaces one
  out.session.kept = before.kept;
  for (auto& [name, value] : tokens) out.session.tokens.insert_or_assign(name, Secret(std::move(value)));
  for (auto& [name, value] : kept) out.session.kept.insert_or_assign(name, std::move(value));
  if (call.expires) {
    const expression::Outcome at = call.expires->evaluate(scope);
    if (at.ok()) out.session.expires_ms = std::max<std::int64_t>(0, detail::instant_ms(at.value()).value_or(0));
  }
  return out;
}

bool Authenticator::session_refused(const HttpReply& reply) const {
  if (!plan_->login) return false;
  if (plan_->refresh_on.empty()) return reply.status == 401;
  ReplyReading read(*plan_, reply);
  const std::string code = detail::text_of(plan_->code, read.reading.scope());
  return std::any_of(plan_->refresh_on.begin(), plan_->refresh_on.end(), [&](const detail::Rule& rule) {
    return detail::holds(rule, reply.status, code, "", read.reading.scope());
  });
}

Result<HttpRequest> Authenticator::apply(HttpRequest request, const Context& context, const Secrets& secrets,
                                         const Session& session) const {
  using Mode = AuthApply::Mode;
  const expression::MapScope scope = scope_of(context, secrets, session);
  const auto text = [&](const expression::Template& t, expression::Encoder encode) -> Result<std::string> {
    const expression::Outcome out = t.render(scope, encode);
    if (!out.ok())
      return fail("auth.secret-missing", "a request cannot be authenticated: " + std::string(out.reason()));
    return out.value().to_text();
  };
  switch (plan_->apply.mode) {
    case Mode::none:
      return request;
    case Mode::standard_webhooks: {
      const auto secret = secrets.find(plan_->secret_field);
      if (secret == secrets.end()) return fail("auth.secret-missing", "the connection has no " + plan_->secret_field);
      return sign_standard_webhook(std::move(request), secret->second.reveal(), context.now_ms);
    }
    case Mode::basic: {
      const Result<std::string> user = text(*plan_->user, expression::encode_plain);
      if (!user) return fail(user.error());
      const Result<std::string> password = text(*plan_->password, expression::encode_plain);
      if (!password) return fail(password.error());
      replace_header(request, "Authorization", "Basic " + to_base64(*user + ":" + *password));
      return request;
    }
    case Mode::form:
    case Mode::query: {
      if (plan_->optional && !plan_->value->evaluate(scope).ok()) return request;
      const Result<std::string> value = text(*plan_->value, expression::encode_query_value);
      if (!value) return fail(value.error());
      if (plan_->apply.mode == Mode::form) {
        Bytes* body = std::get_if<Bytes>(&request.body);
        if (body == nullptr) return fail("auth.cannot-apply", "a form field needs a form");
        *body += (body->empty() ? "" : "&") + plan_->apply.name + "=" + *value;
        return request;
      }
      request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + plan_->apply.name + "=" + *value;
      return request;
    }
    case Mode::header:
    case Mode::session:
      break;
  }
  if (plan_->optional && !plan_->value->evaluate(scope).ok()) return request;
  const Result<std::string> value = text(*plan_->value, expression::encode_header_value);
  if (!value) return fail(value.error());
  replace_header(request, plan_->apply.name, *value);
  return request;
}

}  // namespace isthmus::adapter
