#pragma once

#include <string>
#include <string_view>

/// Encoders for Template::render(), one a place. Each appends and returns true, or returns false and appends nothing
/// useful when the place cannot hold the piece. Pure, thread safe. All expect UTF-8.
namespace isthmus::expression {

bool encode_plain(std::string_view piece, std::string& out);  ///< as it is
/// One segment of a URL's path (RFC 3986 3.3): all but unreserved is percent-encoded, so that no piece adds a segment.
/// Refuses "", "." and "..", which a server would resolve.
bool encode_path_segment(std::string_view piece, std::string& out);
bool encode_query_value(std::string_view piece, std::string& out);  ///< all but unreserved percent-encoded (space %20)
bool encode_form_value(std::string_view piece, std::string& out);   ///< application/x-www-form-urlencoded (space +)
bool encode_header_value(std::string_view piece,
                         std::string& out);  ///< refuses control characters but tab (RFC 9110 5.5)
bool encode_json_string(std::string_view piece, std::string& out);  ///< the inside of a JSON string, without quotes
/// The inside of a quoted SOQL literal: \ ' " and line breaks escaped.
/// developer.salesforce.com, SOQL and SOSL Reference, "Quoted String Escape Sequences" (2026-11).
bool encode_soql_text(std::string_view piece, std::string& out);

}  // namespace isthmus::expression
