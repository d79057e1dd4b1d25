#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace isthmus {

/// Why something of ours could not be done, for a caller that can act and for a person who reads it.
/// Neither field ever holds a secret or a body.
struct Error {
  std::string code;   ///< stable, dotted, for programs: "store.unavailable", "config.unknown-key"
  std::string what;   ///< what was attempted, with what, and what happened
  std::string hint;   ///< what to do about it; may be empty
  std::string where;  ///< file:line:column or another place; may be empty
};

/// A value or an Error. tl::expected may be dropped silently; this may not.
/// When the compiler brings std::expected, only this file changes.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
[[nodiscard]] inline tl::unexpected<Error> fail(std::string code, std::string what, std::string hint = {}) {
  return tl::unexpected<Error>(Error{std::move(code), std::move(what), std::move(hint), {}});
}

/// "code: what (hint)", one line, for logs and terminals.
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace isthmus
