#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
/// and whatever is wrong with one (a crash, nonsense) is adapter.fault; only its own Fault with poison set is
/// adapter.poison, and an input that no frame holds. A call that the program does not answer in time, while it shakes
/// hands with others, is adapter.slow. Nobody there, a program that shakes no hands, or one that describes itself
/// otherwise than it was loaded, is adapter.unavailable: the input is not to blame, and the next call asks again.
/// Threads: any; calls do not wait for each other, and one takes at most three times Limits::call (a new connection's
/// hand-shake before it, another one after silence). Ownership: borrows the clock.
class ThriftAdapter final : public Adapter {
 public:
  struct Limits {
    std::chrono::milliseconds call{5000};  ///< a call as a whole, and the hand-shake of a connection
    std::size_t idle_max = 8;              ///< connections kept between calls
    std::chrono::milliseconds rest{2000};  ///< after a hand-shake failed no other is tried for so long
  };

  /// Connects, agrees on the contract and reads the description.
  /// @return adapter.unavailable (nobody there, or no answer), adapter.contract, adapter.description (with all its
  /// mistakes).
  static Result<std::unique_ptr<ThriftAdapter>> open(const std::filesystem::path& socket, const Clock& clock,
                                                     Limits limits);
  static Result<std::unique_ptr<ThriftAdapter>> open(const std::filesystem::path& socket, const Clock& clock);
  /// Of a program whose description is on file: nothing is connected, so that it may be down now and come later.
  /// @param description JSON, what the program's describe() must say. @param file names it in diagnostics.
  /// @return nullptr when the description is wrong; its mistakes are in diagnostics.
  static std::unique_ptr<ThriftAdapter> described(std::string_view description, const std::filesystem::path& file,
                                                  const std::filesystem::path& socket, const Clock& clock,
                                                  Limits limits, Diagnostics& diagnostics);
  /// What the program at the socket says of itself, as it says it; for whoever writes one. Errors as open().
  static Result<std::string> ask_description(const std::filesystem::path& socket, const Clock& clock);
  ~ThriftAdapter() override;

  [[nodiscard]] const Description& describe() const override;
  [[nodiscard]] Result<Step> advance(const Context& context, const Task& task, const Bytes& state,
                                     const Input& input) const override;
  [[nodiscard]] Result<std::vector<Event>> parse(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<Answer> challenge(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<std::vector<Problem>> validate(const Context& context, const Command& command) const override;
  [[nodiscard]] std::vector<std::string> hosts(const Context& context) const override;
  [[nodiscard]] const Authenticator* authenticator() const override;
  [[nodiscard]] bool is_program() const override { return true; }
  [[nodiscard]] Result<void> meet() const override;  ///< may take Limits::call

 private:
  ThriftAdapter(std::unique_ptr<detail::ThriftPeer> peer, std::shared_ptr<const detail::Descriptor> descriptor);

  std::unique_ptr<detail::ThriftPeer> peer_;
  std::shared_ptr<const detail::Descriptor> descriptor_;
  std::optional<Authenticator> authenticator_;
};

}  // namespace isthmus::adapter
