#pragma once

#include <chrono>
#include <functional>

namespace isthmus::test {

/// Asks again and again until the condition holds or the deadline has passed; whether it held.
/// The pause between two questions is short and not what the test relies on.
[[nodiscard]] bool eventually(std::chrono::milliseconds deadline, const std::function<bool()>& condition);

}  // namespace isthmus::test
