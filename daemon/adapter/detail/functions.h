#pragma once

#include "expression/library.h"

namespace isthmus::adapter::detail {

/// The standard functions and those that only descriptors need (docs/formats/descriptor-1.md lists them):
///   links(text)      [{url, start, end}]      http(s) addresses; start and end are offsets in UTF-8 bytes, end
///   excluded mentions(text)   [{handle, start, end}]   @name.example hashtags(text)   [{tag, start, end}]      without
///   the sign local_mentions(t)  the text with every @name@host.example cut to @name tid(ms, seed)    a timestamp
///   identifier of the AT Protocol, the same for the same arguments jwt_expires(t)   the exp of a JWT in milliseconds,
///   null when it has none; the signature is not looked at instant_ms(t)    RFC 3339 or an HTTP date as milliseconds,
///   failed for anything else
/// Pure, thread safe.
[[nodiscard]] expression::Library adapter_library();

}  // namespace isthmus::adapter::detail
