#pragma once

#include "base/result.h"

namespace isthmus::ops {

/// Makes sure that no memory of this process ever reaches a disk as a core file, and that no other process of the same
/// user reads it: RLIMIT_CORE is 0, soft and hard, and the process is not dumpable (prctl(2), which also stops handlers
/// that core_pattern pipes to). Call first thing in main, before any secret is read. Children inherit the limit.
/// Errors: hardening.failed; the caller must not go on.
[[nodiscard]] Result<void> harden_process();

}  // namespace isthmus::ops
