#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "expression/library.h"

/// The standard functions, a file a subject. Each add_ function adds its subject to a library.
namespace isthmus::expression {

void add_text_functions(Library& library);
void add_unicode_functions(Library& library);
void add_html_functions(Library& library);
void add_list_functions(Library& library);
void add_number_functions(Library& library);
void add_time_functions(Library& library);
void add_digest_functions(Library& library);

using Arguments = std::span<const Value>;

/// "it works on text, not list"
Outcome wrong_kind(std::string_view wanted, const Value& got);
/// The argument as text: text itself, or a number or truth as it reads; empty for null, lists and objects.
std::optional<std::string> scalar_text(const Value& value);
/// A whole text becomes visible text: tags out, entities decoded, paragraphs and breaks as line ends.
std::string strip_html(std::string_view html);

}  // namespace isthmus::expression
