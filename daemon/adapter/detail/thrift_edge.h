#pragma once

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
/// is used; the next call makes another. Nothing is called twice: the caller decides that. Threads: any. Ownership:
/// owns the connections, borrows the clock. Errors:  adapter.fault, adapter.poison; of a hand-shake that finds no
/// common contract adapter.contract.
class ThriftPeer {
 public:
  ThriftPeer(std::filesystem::path socket, const Clock& clock, ThriftAdapter::Limits limits);
  ~ThriftPeer();

  /// The first connection's describe(). From then on every connection must give the same bytes.
  [[nodiscard]] Result<std::string> describe();
  [[nodiscard]] Result<void> call(const std::function<void(wire::AdapterClient&)>& ask);

 private:
  using Handle = std::unique_ptr<ThriftConnection>;
  [[nodiscard]] Handle idle();
  [[nodiscard]] Result<Handle> connect();
  void give_back(Handle connection);

  const std::filesystem::path socket_;
  const Clock& clock_;
  const ThriftAdapter::Limits limits_;
  std::string description_;  ///< written by describe(), before the first call
  Guarded<std::vector<Handle>> idle_;
};

}  // namespace isthmus::adapter::detail
