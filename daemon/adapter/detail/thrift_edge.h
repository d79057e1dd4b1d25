#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapter/thrift_adapter.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"

namespace isthmus::adapter::wire {
class AdapterClient;
}

namespace isthmus::adapter::detail {

struct ThriftConnection;

/// The connections to one program, and the place where Thrift's exceptions become errors.
///
/// A call takes an idle connection, or makes one: so there are as many as callers at a time, and no call waits for
/// another. A connection on which anything went wrong is closed, and one that its program closed is noticed before it
/// is used; the next call makes another. Nothing is called twice: the caller decides that.
///
/// Whose fault it is decides what becomes of the task. Nobody there, a hand-shake that fails, or another description:
/// adapter.unavailable, the task is untouched and the program is left alone for Limits::rest, so that a hung one costs
/// its callers one hand-shake and not one each. A call without an answer in its time is followed by a hand-shake: when
/// that succeeds the program is well and the call was the matter (adapter.slow).
/// Threads: any. Ownership: owns the connections, borrows the clock. Errors: adapter.unavailable, adapter.slow,
/// adapter.fault, adapter.poison; of describe() also adapter.contract.
class ThriftPeer {
 public:
  /// @param expected what every connection's describe() must say, as JSON; "": what the first one says.
  ThriftPeer(std::filesystem::path socket, const Clock& clock, ThriftAdapter::Limits limits, std::string expected);
  ~ThriftPeer();

  /// The first connection's describe(). From then on every connection must say the same.
  [[nodiscard]] Result<std::string> describe();
  [[nodiscard]] Result<void> call(const std::function<void(wire::AdapterClient&)>& ask);
  /// Whether somebody is there and says what was expected: by a connection that is kept, or a new one.
  [[nodiscard]] Result<void> meet();

 private:
  using Handle = std::unique_ptr<ThriftConnection>;
  struct Rest {
    std::chrono::microseconds until{0};  // on the clock's since_boot()
    Error why;
  };
  [[nodiscard]] Handle idle();
  [[nodiscard]] Result<Handle> connect();
  [[nodiscard]] Result<Handle> reach();
  void give_back(Handle connection);

  const std::filesystem::path socket_;
  const Clock& clock_;
  const ThriftAdapter::Limits limits_;
  std::string description_;  ///< written by the constructor or by describe(), before the first call
  Guarded<Rest> rest_;
  Guarded<std::vector<Handle>> idle_;
};

}  // namespace isthmus::adapter::detail
