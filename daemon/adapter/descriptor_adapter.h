#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/diagnostic.h"

namespace isthmus::adapter {

namespace detail {
struct Descriptor;
}

/// An adapter whose whole behaviour is a descriptor file (docs/formats/descriptor-1.md): the interpreter of that
/// format. Threads: immutable, any thread. Errors: as Adapter says.
class DescriptorAdapter final : public Adapter {
 public:
  explicit DescriptorAdapter(std::shared_ptr<const detail::Descriptor> descriptor);
  ~DescriptorAdapter() override;

  [[nodiscard]] const Description& describe() const override;
  [[nodiscard]] Result<Step> advance(const Context& context, const Task& task, const Bytes& state,
                                     const Input& input) const override;
  [[nodiscard]] Result<std::vector<Event>> parse(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<Answer> challenge(const Context& context, const Call& call) const override;
  [[nodiscard]] Result<std::vector<Problem>> validate(const Context& context, const Command& command) const override;
  [[nodiscard]] std::vector<std::string> hosts(const Context& context) const override;
  [[nodiscard]] const Authenticator* authenticator() const override;

 private:
  std::shared_ptr<const detail::Descriptor> descriptor_;
  std::optional<Authenticator> authenticator_;
};

/// Loads and checks a descriptor; all its mistakes are added to diagnostics, and nullptr is returned when there is any.
[[nodiscard]] std::unique_ptr<DescriptorAdapter> load_descriptor(const std::filesystem::path& path,
                                                                 Diagnostics& diagnostics);
[[nodiscard]] std::unique_ptr<DescriptorAdapter> read_descriptor(std::string_view yaml, const std::string& file,
                                                                 Diagnostics& diagnostics);

}  // namespace isthmus::adapter
