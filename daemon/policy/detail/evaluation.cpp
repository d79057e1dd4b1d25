#include "policy/detail/evaluation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace isthmus::policy::detail {

namespace {

using expression::Value;

constexpr const char* kBuiltIn = "built-in";
constexpr const char* kBuiltInVersion = "1";

template <class Range>
bool contains(const Range& range, std::string_view word) {
  return std::find(range.begin(), range.end(), word) != range.end();
}

Value list_of(std::span<const std::string> words) {
  Value::List items;
  for (const std::string& word : words) items.push_back(Value::borrowed(word));
  return Value::list(std::move(items));
}

}  // namespace

Value Evaluation::Roots::lookup(std::string_view root) const {
  if (root == "action") return Value::borrowed(request_.action);
  if (root == "context") return request_.context;
  if (root == "principal") {
    const Request::Principal& p = request_.principal;
    if (!principal_) {
      principal_ = Value::object({{"subject", Value::borrowed(p.subject)},
                                  {"kind", Value::borrowed(p.kind)},
                                  {"unit", Value::borrowed(p.unit)},
                                  {"rights", list_of(p.rights)}});
    }
    return *principal_;
  }
  if (root != "resource") return {};
  const Request::Resource& r = request_.resource;
  if (!resource_) {
    resource_ = Value::object({{"connection", Value::borrowed(r.connection)},
                               {"adapter", Value::borrowed(r.adapter)},
                               {"unit", Value::borrowed(r.unit)},
                               {"operation", Value::borrowed(r.operation)},
                               {"format", Value::borrowed(r.format)},
                               {"author", Value::borrowed(r.author)},
                               {"purpose", Value::borrowed(r.purpose)},
                               {"purposes", list_of(r.purposes)},
                               {"body", r.body}});
  }
  return *resource_;
}

Decision Evaluation::decide() {
  if (std::optional<Decision> refused = purposes_gate()) return std::move(*refused);
  if (std::optional<Decision> forbidden = first(Effect::forbid)) return std::move(*forbidden);
  std::optional<Decision> permitted = first(Effect::permit);
  if (!permitted) return default_deny();
  if (permitted->effect == Effect::forbid) return std::move(*permitted);  // its evaluation failed
  if (std::optional<Decision> held = first(Effect::hold)) return std::move(*held);
  if (std::optional<Decision> warned = first(Effect::warn)) return std::move(*warned);
  return std::move(*permitted);
}

/// Before any rule: what the terms and the consent do not allow, no pack can.
std::optional<Decision> Evaluation::purposes_gate() const {
  const Request::Resource& r = request_.resource;
  if (r.purpose.empty() || contains(r.purposes, r.purpose)) return std::nullopt;
  Decision decision;
  decision.rule = fmt::format("purposes.{}", r.purpose);
  decision.pack = kBuiltIn;
  decision.pack_version = kBuiltInVersion;
  const std::string allowed = fmt::format("{}", fmt::join(r.purposes, ", "));
  decision.reason_en =
      fmt::format("{} would use this for {}, which {} do not allow; allowed: {}", r.connection, r.purpose,
                  r.terms.empty() ? "the terms it came under" : r.terms, allowed.empty() ? "nothing" : allowed);
  decision.reason_fr =
      fmt::format("{} l'utiliserait à la fin « {} », que ne permettent pas les conditions applicables{} ; permis : {}",
                  r.connection, r.purpose, r.terms.empty() ? "" : fmt::format(" ({})", r.terms),
                  allowed.empty() ? "rien" : allowed);
  return decision;
}

std::optional<Decision> Evaluation::first(Effect effect) {
  for (std::size_t pack = 0; pack < packs_.size(); ++pack) {
    for (const Rule& rule : packs_[pack]->rules) {
      if (rule.effect != effect || !contains(rule.actions, request_.action)) continue;
      if (!rule.adapters.empty() && !contains(rule.adapters, request_.resource.adapter)) continue;
      if (effect == Effect::hold && contains(request_.released, rule.full_name)) continue;
      std::optional<Decision::Match> found;
      const Applies result = applies(rule, pack, found);
      if (result == Applies::no) continue;
      Decision decision;
      decision.effect = effect;
      decision.rule = rule.id;
      decision.pack = packs_[pack]->name;
      decision.pack_version = packs_[pack]->version;
      decision.match = std::move(found);
      if (result == Applies::failed) {
        decision.effect = Effect::forbid;
        decision.reason_en =
            fmt::format("the condition of rule {} could not be evaluated for this request", rule.full_name);
        decision.reason_fr =
            fmt::format("la condition de la règle {} n'a pas pu être évaluée pour cette demande", rule.full_name);
      } else {
        decision.held_for = rule.held_for;
        decision.reason_en = rule.reason_en;
        decision.reason_fr = rule.reason_fr;
      }
      return decision;
    }
  }
  return std::nullopt;
}

Evaluation::Applies Evaluation::applies(const Rule& rule, std::size_t pack, std::optional<Decision::Match>& found) {
  if (rule.when) {
    const expression::Expression::Truth truth = rule.when->test(roots_);
    if (truth == expression::Expression::Truth::failed) return Applies::failed;
    if (truth == expression::Expression::Truth::no) return Applies::no;
  }
  if (rule.match.empty()) return Applies::yes;
  for (const Match& match : rule.match) {
    found = search(match, pack);
    if (found) return Applies::yes;
  }
  return Applies::no;
}

std::optional<Decision::Match> Evaluation::search(const Match& match, std::size_t pack) {
  const std::span<const Text> texts = request_.resource.texts;
  if (const auto* pattern = std::get_if<MatchPattern>(&match)) return find_pattern(*pattern, texts);
  if (const auto* detector = std::get_if<MatchDetector>(&match)) return find_detected(*detector, texts);
  if (!terms_) terms_ = matcher_.find_terms(texts);
  return (*terms_)[matcher_.list_id(pack, std::get<MatchTerms>(match).list)];
}

Decision Evaluation::default_deny() const {
  Decision decision;
  decision.rule = "default.deny";
  decision.pack = kBuiltIn;
  decision.pack_version = kBuiltInVersion;
  const bool nobody = request_.principal.subject.empty();
  const std::string_view who = request_.principal.subject;
  const std::string_view where = request_.resource.connection;
  decision.reason_en = fmt::format("no rule permits {} to {} on {}", nobody ? "a route" : who, request_.action,
                                   where.empty() ? "anything" : where);
  decision.reason_fr = fmt::format("aucune règle ne permet à {} l'action {} sur {}", nobody ? "une route" : who,
                                   request_.action, where.empty() ? "quoi que ce soit" : where);
  return decision;
}

}  // namespace isthmus::policy::detail
