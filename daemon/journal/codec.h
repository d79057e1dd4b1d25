#pragma once

#include "adapter/contract.h"
#include "base/bytes.h"
#include "base/result.h"

/// How exchanges are stored: format 1 is a list of byte strings, each after its length (4 bytes, big endian). The first
/// string names what is stored, so that one is never read as the other. Only this program reads it.
namespace isthmus::journal {

inline constexpr int kFormat = 1;

[[nodiscard]] Bytes encode(const adapter::Call& call);
[[nodiscard]] Result<adapter::Call> decode_call(std::string_view stored);
[[nodiscard]] Bytes encode(const adapter::Context& context);
[[nodiscard]] Result<adapter::Context> decode_context(std::string_view stored);

}  // namespace isthmus::journal
