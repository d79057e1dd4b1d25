#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/clock.h"
#include "base/diagnostic.h"

namespace isthmus::adapter {

namespace detail {
struct Descriptor;
class ThriftPeer;
}  // namespace detail

/// An adapter that is a program behind a Unix socket (interfaces/adapter.thrift): framed TBinaryProtocol, a connection
/// a caller at a time. The daemon starts no program: systemd owns the socket, and the first connection starts it.
///
/// Its answers are read as what they are, a stranger's: sizes, containers, enumerations, texts and times are checked,
/// and whatever is wrong (a crash, silence, nonsense, another description than the one that was loaded) is
/// adapter.fault; only its own Fault with poison set is adapter.poison, and an input that no frame holds. Threads: any;
/// calls do not wait for each other, and one takes at most twice Limits::call (a new connection's hand-shake first).
/// Ownership: borrows the clock.
class ThriftAdapter final : public Adapter {
 public:
  struct Limits {
    std::chrono::milliseconds call{5000};  ///< a call as a whole, and the hand-shake of a connection
    std::size_t idle_max = 8;              ///< connections kept between calls
  };

  /// Connects, agrees on the contract and reads the description.
  /// @return adapter.fault (nobody there, or no answer), adapter.contract, adapter.description (with all its mistakes).
  static Result<std::unique_ptr<ThriftAdapter>> open(const std::filesystem::path& socket, const Clock& clock,
                                                     Limits limits);
  static Result<std::unique_ptr<ThriftAdapter>> open(const std::filesystem::path& socket, const Clock& clock);
  ~ThriftAdapter() override;

  [[nodiscard]] const Description& describe() const override;
  [[nodiscard]] Result<Step> advance(const Context& context, const Task& task, const Bytes& state,
                                     const Input& input) const override;
  [[nodiscard]] Result<std::vector<Event>> parse(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<Answer> challenge(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<std::vector<Problem>> validate(const Context& context, const Command& command) const override;
  [[nodiscard]] std::vector<std::string> hosts(const Context& context) const override;
  [[nodiscard]] const Authenticator* authenticator() const override;

 private:
  ThriftAdapter(std::unique_ptr<detail::ThriftPeer> peer, std::shared_ptr<const detail::Descriptor> descriptor);

  std::unique_ptr<detail::ThriftPeer> peer_;
  std::shared_ptr<const detail::Descriptor> descriptor_;
  std::optional<Authenticator> authenticator_;
};

}  // namespace isthmus::adapter
