#pragma once

#include <string>

#include "adapter/contract.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {

/// Where a task stands between two calls of advance(); JSON on the wire, journaled by the host. It names the step whose
/// reply is awaited, so that advance(First) with a state asks that step again.
struct RunState {
  std::size_t step = 0;
  std::size_t item = 0;  ///< of a step with each
  int polls = 0;
  bool polling = false;  ///< the awaited reply is the poll's
  expression::Value::Object taken;

  [[nodiscard]] Bytes to_bytes() const;
  /// Errors: adapter.fault: not a state of ours.
  static Result<RunState> from_bytes(const Bytes& bytes);

  /// Sets, or with append adds to the list of that name.
  void take(const std::string& name, expression::Value value, bool append);
};

}  // namespace isthmus::adapter::detail
