#include "adapter/detail/loader.h"

namespace isthmus::adapter::detail {
namespace {

std::vector<TakenToken> read_tokens(MapReader& call, std::string_view key, const Compile& compile) {
  std::vector<TakenToken> out;
  for (auto& [name, value] : read_templates(call, key, compile)) out.push_back({name, value});
  return out;
}

LoginCall read_call(MapReader& call, bool takes, const Compile& compile) {
  LoginCall out;
  const Compile replied = with_reply(compile);
  out.request = read_request(call, compile, true);
  if (!out.request.target) call.error("request", "descriptor.login", "it needs a request");
  out.take = read_tokens(call, "take", replied);
  out.keep = read_tokens(call, "keep", replied);
  out.expires = read_template(call, "expires", replied);
  out.ok = read_condition(call, "if", replied);
  out.bearer = read_template(call, "authorization", compile);
  if (takes && out.take.empty()) call.error("take", "descriptor.login", "it needs take: where the reply has the token");
  call.finish();
  return out;
}

std::vector<std::string> secret_names(const Descriptor& out) {
  std::vector<std::string> names;
  for (const std::string& name : out.description.secrets) names.push_back("secret." + name);
  return names;
}

/// token.x for every x that the login takes.
std::vector<std::string> token_names(const Node& auth) {
  std::vector<std::string> names;
  for (std::string_view part : {"login", "refresh"}) {
    const Node* call = auth.find(part);
    const Node* take = call == nullptr ? nullptr : call->find("take");
    if (take == nullptr) continue;
    for (const config::Entry& entry : take->entries) names.push_back("token." + entry.key);
  }
  return names;
}

void require_secret(MapReader& auth, const Descriptor& out, const std::string& name) {
  for (const std::string& known : out.description.secrets) {
    if (known == name) return;
  }
  auth.error("secret", "descriptor.secret",
             "the connection has no field of type secret named \"" + name + "\"; " +
                 config::accepted_words(name, out.description.secrets));
}

}  // namespace

void read_auth(MapReader& reader, const Compile& plain, Descriptor& out) {
  std::optional<MapReader> auth = reader.optional_map("auth");
  if (!auth) return;
  auto plan = std::make_shared<AuthPlan>();
  using Mode = AuthApply::Mode;
  plan->apply.mode = auth->required_choice<Mode>("mode", {{"none", Mode::none},
                                                          {"header", Mode::header},
                                                          {"query", Mode::query},
                                                          {"form", Mode::form},
                                                          {"session", Mode::session},
                                                          {"basic", Mode::basic},
                                                          {"standard_webhooks", Mode::standard_webhooks}});
  std::vector<std::string> names = secret_names(out);
  for (std::string& name : token_names(auth->node())) names.push_back(std::move(name));
  const Compile compile = plain.with(std::move(names));
  if (auto apply = auth->optional_map("apply")) {
    plan->apply.name = apply->optional_text("header", apply->optional_text("query", apply->optional_text("form")));
    plan->optional = apply->optional_bool("optional", false);
    plan->apply.template_text = apply->optional_text("value");
    plan->value = read_template(*apply, "value", compile);
    if (plan->apply.name.empty() || !plan->value)
      apply->error("value", "descriptor.auth", "apply needs header, query or form, and value");
    apply->finish();
  }
  plan->user = read_template(*auth, "user", compile);
  plan->password = read_template(*auth, "password", compile);
  plan->secret_field = auth->optional_text("secret");
  if (auto login = auth->optional_map("login")) plan->login = read_call(*login, true, compile);
  if (auto refresh = auth->optional_map("refresh")) plan->refresh = read_call(*refresh, false, compile);
  plan->refresh_on = read_whens(*auth, "refresh_on", plain);
  const Mode mode = plan->apply.mode;
  if ((mode == Mode::header || mode == Mode::query || mode == Mode::form || mode == Mode::session) && !plan->value) {
    auth->error("apply", "descriptor.auth", "this mode needs apply");
  }
  if (mode == Mode::session && !plan->login) auth->error("login", "descriptor.auth", "a session needs login");
  if (mode == Mode::basic && (!plan->user || !plan->password))
    auth->error("user", "descriptor.auth", "basic needs user and password");
  if (mode == Mode::standard_webhooks) require_secret(*auth, out, plan->secret_field);
  plan->base_url = out.base_url;
  plan->code = out.code;
  auth->finish();
  out.description.auth = plan->apply;
  out.auth = std::move(plan);
}

}  // namespace isthmus::adapter::detail
