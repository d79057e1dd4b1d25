#include <re2/re2.h>

#include <algorithm>

#include "policy/detail/detectors.h"

namespace isthmus::policy::detail {

namespace {

Span span_of(std::string_view text, const re2::StringPiece& part) {
  const auto begin = static_cast<std::uint32_t>(part.data() - text.data());
  return {begin, begin + static_cast<std::uint32_t>(part.size())};
}

bool is_at_or_below(std::string_view host, std::string_view domain) {
  return host == domain ||
         (host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

}  // namespace

std::optional<Span> find_secret(std::string_view text) {
  // Prefixes as their issuers document them: AWS IAM unique identifiers; GitHub "token formats"; Google Cloud API keys;
  // Slack token types; Stripe API keys; RFC 7468 (PEM); RFC 7519 (a JWT's header begins with {").
  static const RE2 kForms(
      "-----BEGIN [A-Z ]*PRIVATE KEY-----"
      "|\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b"
      "|\\bgh[pousr]_[0-9A-Za-z]{36,}"
      "|\\bgithub_pat_[0-9A-Za-z_]{40,}"
      "|\\bAIza[0-9A-Za-z_-]{35}"
      "|\\bxox[abprs]-[0-9A-Za-z-]{10,}"
      "|\\b[sr]k_live_[0-9A-Za-z]{16,}"
      "|\\beyJ[0-9A-Za-z_-]{10,}\\.eyJ[0-9A-Za-z_-]{10,}\\.[0-9A-Za-z_-]{10,}");
  re2::StringPiece found;
  if (!kForms.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, &found, 1))
    return std::nullopt;
  return span_of(text, found);
}

std::optional<Span> find_link(std::string_view text, std::span<const std::string> except_hosts) {
  static const RE2 kLink("(?i)(?:https?://(?:[^\\s/?#@\\\\]*@)?|\\bwww\\.)([^\\s/?#:\\\\]+)[^\\s]*");
  std::size_t at = 0;
  while (at < text.size()) {
    re2::StringPiece found[2];
    if (!kLink.Match(re2::StringPiece(text.data(), text.size()), at, text.size(), RE2::UNANCHORED, found, 2))
      return std::nullopt;
    std::string host(found[1].data(), found[1].size());
    std::transform(host.begin(), host.end(), host.begin(),
                   [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
    while (!host.empty() && std::string_view(".,;!)\"'>]").find(host.back()) != std::string_view::npos)
      host.pop_back();  // the sentence's
    const bool excepted = std::any_of(except_hosts.begin(), except_hosts.end(),
                                      [&](const std::string& domain) { return is_at_or_below(host, domain); });
    const Span span = span_of(text, found[0]);
    if (!excepted) return span;
    at = span.end;
  }
  return std::nullopt;
}

}  // namespace isthmus::policy::detail
