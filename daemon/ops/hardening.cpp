#include "ops/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace isthmus::ops {

Result<void> harden_process() {
  const rlimit none{0, 0};
  rlimit now{};
  // A service whose unit says LimitCORE=0 may be denied setrlimit() by its filter of system calls, and needs none.
  const bool is_none = ::getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 0;
  if (!is_none && ::setrlimit(RLIMIT_CORE, &none) != 0) {
    return fail("hardening.failed", std::string("setting RLIMIT_CORE to 0: ") + std::strerror(errno));
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail("hardening.failed", std::string("making the process not dumpable: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace isthmus::ops
