#include "adapter/contract.h"

#include <array>
#include <utility>

namespace isthmus::adapter {
namespace {

template <class T, std::size_t N>
using Names = std::array<std::pair<T, std::string_view>, N>;

constexpr Names<Verb, 9> kVerbs{{{Verb::publish, "PUBLISH"},
                                 {Verb::reply, "REPLY"},
                                 {Verb::edit, "EDIT"},
                                 {Verb::remove, "REMOVE"},
                                 {Verb::hide, "HIDE"},
                                 {Verb::react, "REACT"},
                                 {Verb::upsert, "UPSERT"},
                                 {Verb::track, "TRACK"},
                                 {Verb::call, "CALL"}}};
constexpr Names<Verdict, 9> kVerdicts{{{Verdict::delivered, "DELIVERED"},
                                       {Verdict::duplicate, "DUPLICATE"},
                                       {Verdict::retry, "RETRY"},
                                       {Verdict::throttled, "THROTTLED"},
                                       {Verdict::reauth, "REAUTH"},
                                       {Verdict::rejected, "REJECTED"},
                                       {Verdict::misconfigured, "MISCONFIGURED"},
                                       {Verdict::gone, "GONE"},
                                       {Verdict::ambiguous, "AMBIGUOUS"}}};
constexpr Names<Loss, 7> kLosses{{{Loss::connect, "connect"},
                                  {Loss::tls, "tls"},
                                  {Loss::timeout_unsent, "timeout_unsent"},
                                  {Loss::timeout_sent, "timeout_sent"},
                                  {Loss::reset_sent, "reset_sent"},
                                  {Loss::too_large, "too_large"},
                                  {Loss::refused_by_guard, "refused_by_guard"}}};

template <class T, std::size_t N>
std::string_view name_of(const Names<T, N>& names, T value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "UNKNOWN";
}

template <class T, std::size_t N>
std::optional<T> value_of(const Names<T, N>& names, std::string_view text) {
  for (const auto& [known, name] : names) {
    if (name == text) return known;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Verb verb) { return name_of(kVerbs, verb); }
std::string_view to_string(Verdict verdict) { return name_of(kVerdicts, verdict); }
std::string_view to_string(Loss loss) { return name_of(kLosses, loss); }
std::optional<Verb> verb_from(std::string_view text) { return value_of(kVerbs, text); }
std::optional<Verdict> verdict_from(std::string_view text) { return value_of(kVerdicts, text); }
std::optional<Loss> loss_from(std::string_view text) { return value_of(kLosses, text); }

}  // namespace isthmus::adapter
