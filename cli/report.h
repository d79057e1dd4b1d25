#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/control.h"
#include "cli/terminal.h"

namespace isthmus::cli {

/// A JSON answer of the daemon for a person: members as "name: value" lines, lists of objects as tables, "items"
/// without a title. Known names are shown in the language. Text is made printable(). What is not JSON is shown as it
/// is.
[[nodiscard]] std::string render(std::string_view json, Language language);

/// What `isthmus apply` would do or did: a line an item (+ added, ~ changed, - removed) and one an attribute.
[[nodiscard]] std::string render_changes(std::string_view json, Language language);

/// A problem+json answer: its diagnostics as file:line:column lines, then its detail and code.
[[nodiscard]] std::string render_problem(const Reply& reply, Language language);

/// Shows an Error or an answer with an error status, in text on standard error or as JSON on standard output.
/// @return the exit code: unreachable for control.unreachable, else failed.
enum class As { text, json };
int show_error(Terminal& terminal, As as, const Error& error);
int show_problem(Terminal& terminal, As as, const Reply& reply);

}  // namespace isthmus::cli
