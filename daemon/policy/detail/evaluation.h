#pragma once

#include <memory>
#include <optional>
#include <span>

#include "policy/detail/matcher.h"
#include "policy/detail/pack.h"

namespace isthmus::policy::detail {

/// One decision in the making. Lives for one call of decide().
class Evaluation {
 public:
  Evaluation(std::span<const std::shared_ptr<const Pack>> packs, const Matcher& matcher, const Request& request)
      : packs_(packs), matcher_(matcher), request_(request) {}

  [[nodiscard]] Decision decide();

 private:
  /// Names of the request for conditions; made on first use, because most rules only search.
  class Roots final : public expression::Scope {
   public:
    explicit Roots(const Request& request) : request_(request) {}
    [[nodiscard]] expression::Value lookup(std::string_view root) const override;

   private:
    const Request& request_;
    mutable std::optional<expression::Value> principal_;
    mutable std::optional<expression::Value> resource_;
  };
  enum class Applies { no, yes, failed };

  [[nodiscard]] std::optional<Decision> purposes_gate() const;
  /// The first rule of this effect that applies, or whose evaluation failed.
  [[nodiscard]] std::optional<Decision> first(Effect effect);
  [[nodiscard]] Applies applies(const Rule& rule, std::size_t pack, std::optional<Decision::Match>& found);
  [[nodiscard]] std::optional<Decision::Match> search(const Match& match, std::size_t pack);
  [[nodiscard]] Decision default_deny() const;

  std::span<const std::shared_ptr<const Pack>> packs_;
  const Matcher& matcher_;
  const Request& request_;
  Roots roots_{request_};
  std::optional<Matcher::TermMatches> terms_;
};

}  // namespace isthmus::policy::detail
